"""Calendar periods: which one a local day falls in, and on which day each begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FREQUENCIES", "Period", "check_period", "period_of", "period_start"]

Period = Literal["day", "week", "month", "quarter", "year"]

FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
"""What pandas calls them; a week that ends on Sunday begins on Monday."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}

_MONDAY = 3
"""1970-01-01 was a Thursday, three days after a Monday."""


def check_period(period: str) -> None:
    """Refuse what is no period.

    Parameters
    ----------
    period : str
        Its name.

    Raises
    ------
    DataError
        If it is none of day, week, month, quarter and year.
    """
    if period not in FREQUENCIES:
        raise DataError(f"period must be one of {', '.join(map(repr, FREQUENCIES))}, got {period!r}")


def period_of(day: Any, period: str) -> npt.NDArray[np.int64]:
    """Number the calendar periods that days fall in, that of 1970-01-01 being 0.

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
    check_period(period)
    days = np.asarray(day, dtype=np.int64)
    if period == "day":
        return days
    if period == "week":
        return np.asarray((days + _MONDAY) // 7, dtype=np.int64)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // _MONTHS[period], dtype=np.int64)


def period_start(number: Any, period: str) -> npt.NDArray[np.int64]:
    """Give the first day of each period.

    Parameters
    ----------
    number : array-like of int, shape (n,)
        As ``period_of`` gives it.
    period : {"day", "week", "month", "quarter", "year"}
        The kind of period.

    Returns
    -------
    ndarray of int64, shape (n,)
        Days since 1970-01-01.
    """
    check_period(period)
    numbers = np.asarray(number, dtype=np.int64)
    if period == "day":
        return numbers
    if period == "week":
        return np.asarray(numbers * 7 - _MONDAY, dtype=np.int64)
    months = np.asarray(numbers * _MONTHS[period])
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64))
