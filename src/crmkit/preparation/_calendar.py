"""Calendar periods of local days, and whole periods between two days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from crmkit.metrics._purchases import period_number
from crmkit.preparation.units import days_in

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.metrics._purchases import Period

__all__ = ["first_day", "period_of", "periods_between"]

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}

_MONDAY = 3
"""1970-01-01 was a Thursday, three days after a Monday."""


def period_of(day: Any, period: str) -> npt.NDArray[np.int64]:
    """Number the calendar periods that days fall in.

    Parameters
    ----------
    day : array-like of int, shape (n,)
        Days since 1970-01-01.
    period : {"day", "week", "month", "quarter", "year"}
        Weeks begin on Mondays, quarters in January, April, July and October, years in January.

    Returns
    -------
    ndarray of int64, shape (n,)
        Rising by one from period to period.
    """
    days_in(period)
    return np.asarray(period_number(np.asarray(day, dtype=np.int64), cast("Period", period)), dtype=np.int64)


def first_day(number: int, period: str) -> int:
    """Give the first day of a period that ``period_of`` numbered, as days since 1970-01-01."""
    days_in(period)
    if period in _DAYS:
        return number * _DAYS[period] - (_MONDAY if period == "week" else 0)
    return int(np.datetime64(number * _MONTHS[period], "M").astype("datetime64[D]").astype(np.int64))


def periods_between(start: Any, end: Any, period: str) -> npt.NDArray[np.int64]:
    """Count the whole periods from one day to another.

    A month from the 31st ends on the last day of a shorter month, and a year from the 29th of February on the 28th.

    Parameters
    ----------
    start, end : array-like of int, shape (n,)
        Days since 1970-01-01.
    period : {"day", "week", "month", "quarter", "year"}
        The period.

    Returns
    -------
    ndarray of int64, shape (n,)
        The greatest number of periods after ``start`` that are over by ``end``; negative where ``end`` is earlier.
    """
    days_in(period)
    begin, finish = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    if period in _DAYS:
        return np.asarray((finish - begin) // _DAYS[period], dtype=np.int64)
    months, day_of_month, _ = _months(begin)
    later, later_day, length = _months(finish)
    whole = later - months - (later_day < np.minimum(day_of_month, length - 1))
    return np.asarray(whole // _MONTHS[period], dtype=np.int64)


def _months(days: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Give the months of days, the day within each from 0, and how many days each month has."""
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    first = month.astype("datetime64[D]").astype(np.int64)
    after = (month + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)
    return month.astype(np.int64), days - first, after - first
