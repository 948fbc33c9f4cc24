"""Calendar periods of local days, and whole periods between two days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.metrics._calendar import check_period, period_of, period_start

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["first_day", "period_of", "periods_between"]

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}


def first_day(number: int, period: str) -> int:
    """Give the first day of a period that ``period_of`` numbered, as days since 1970-01-01."""
    return int(period_start(number, period))


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
    check_period(period)
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
