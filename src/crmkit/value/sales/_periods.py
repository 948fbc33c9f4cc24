"""Calendar periods of sales as pandas has them, in local time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.metrics._calendar import FREQUENCIES, check_period
from crmkit.value.sales._instants import NONE, local_days

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["days_to_periods", "moments_to_periods"]


def moments_to_periods(moments: npt.NDArray[np.int64], timezone: str, period: str) -> pd.PeriodIndex:
    """Give the local period of each instant, missing where there is none.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970.
    timezone : str
        Whose midnights divide the days.
    period : {"day", "week", "month", "quarter", "year"}
        The kind of period; weeks begin on Monday.

    Returns
    -------
    pandas.PeriodIndex
        One a moment.
    """
    check_period(period)
    there = moments != NONE
    index = days_to_periods(local_days(np.where(there, moments, 0), timezone), FREQUENCIES[period])
    return index if there.all() else pd.PeriodIndex(index.where(there))


def days_to_periods(days: npt.NDArray[np.int64], frequency: str) -> pd.PeriodIndex:
    """Give the period of each day.

    Parameters
    ----------
    days : ndarray of int64
        Days since 1970-01-01.
    frequency : str
        Pandas' name of the period.

    Returns
    -------
    pandas.PeriodIndex
        One a day.
    """
    return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]")).to_period(frequency)
