"""Calendar periods of sales: days, weeks from Monday, months, quarters and years, in local time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.value.sales._instants import NONE, timestamps

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FREQUENCIES", "SalesPeriod", "check_period", "days_to_periods", "period_of"]

SalesPeriod = Literal["day", "week", "month", "quarter", "year"]

FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
"""What pandas calls them; a week that ends on Sunday starts on Monday."""


def check_period(period: str) -> str:
    """Give the name that pandas has for a period.

    Parameters
    ----------
    period : {"day", "week", "month", "quarter", "year"}
        The period.

    Returns
    -------
    str
        Its frequency.

    Raises
    ------
    DataError
        If it is none of them.
    """
    if period not in FREQUENCIES:
        raise DataError(f"period must be one of {', '.join(FREQUENCIES)}, got {period!r}")
    return FREQUENCIES[period]


def period_of(moments: npt.NDArray[np.int64], timezone: str, period: SalesPeriod) -> pd.PeriodIndex:
    """Give the local period of each instant, missing where there is none.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970.
    timezone : str
        Whose midnights divide the days.
    period : {"day", "week", "month", "quarter", "year"}
        The kind of period.

    Returns
    -------
    pandas.PeriodIndex
        One a moment.
    """
    frequency = check_period(period)
    there = moments != NONE
    local = timestamps(moments).tz_convert(timezone).tz_localize(None)
    days = np.where(there, local.to_numpy(dtype="datetime64[us]").astype("datetime64[D]").astype(np.int64), 0)
    index = days_to_periods(days, frequency)
    return pd.PeriodIndex(index.where(there)) if not there.all() else index


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
