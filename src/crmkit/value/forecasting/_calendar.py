"""Calendar periods: which one a day falls in, when each begins, and how many make a season."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = ["SEASONS", "check_period", "period_of", "period_start"]

SEASONS = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
"""Periods a season: a week of days, a year of everything longer."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MONDAY = 3  # 1970-01-01 was a Thursday, three days after a Monday


def check_period(period: str) -> str:
    """Refuse what is no period.

    Parameters
    ----------
    period : str
        Its name.

    Returns
    -------
    str
        The same.
    """
    if period not in SEASONS:
        raise DataError(f"period must be one of {', '.join(map(repr, SEASONS))}, got {period!r}")
    return period


def period_of(day: Ints, period: str) -> Ints:
    """Give the number of the period each day falls in; weeks begin on Monday, whatever the year.

    Parameters
    ----------
    day : ndarray of int, shape (n_rows,)
        Days since 1970-01-01.
    period : {"day", "week", "month", "quarter", "year"}
        The calendar's unit.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Consecutive numbers.
    """
    check_period(period)
    days = np.asarray(day, dtype=np.int64)
    if period == "day":
        return days
    if period == "week":
        return (days + _MONDAY) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[period]


def period_start(number: Ints, period: str) -> Ints:
    """Give the first day of each period.

    Parameters
    ----------
    number : ndarray of int, shape (n_periods,)
        As given by ``period_of``.
    period : {"day", "week", "month", "quarter", "year"}
        The calendar's unit.

    Returns
    -------
    ndarray of int64, shape (n_periods,)
        Days since 1970-01-01.
    """
    check_period(period)
    numbers = np.asarray(number, dtype=np.int64)
    if period == "day":
        return numbers
    if period == "week":
        return numbers * 7 - _MONDAY
    months = numbers * _MONTHS[period]
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
