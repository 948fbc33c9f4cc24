"""Moments as whole microseconds, so that stages can be compared and subtracted as plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.preparation import as_cutoff

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DAY", "NONE", "as_moment", "local_days", "microseconds", "timestamps"]

DAY = 86_400_000_000
"""Microseconds in a day of 24 hours."""

NONE = np.iinfo(np.int64).min
"""What stands for no moment: the integer behind NaT."""


def microseconds(column: pd.Series, timezone: str, *, what: str = "opportunities") -> npt.NDArray[np.int64]:
    """Give the instants of a column of times as microseconds since 1970 in UTC.

    Parameters
    ----------
    column : pandas.Series of datetime
        With a time zone, or local times without one.
    timezone : str
        In which times without a zone are meant.
    what : str, default="opportunities"
        The table's name in messages.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        ``NONE`` where missing.

    Raises
    ------
    DataError
        If it holds no times.
    """
    if column.dtype == object and column.isna().all():
        return np.full(len(column), NONE)
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise DataError(
            f"{what}: {column.name} must hold times, got {column.dtype}: read the table with "
            "records.read(source, records.OPPORTUNITIES), or convert it with pandas.to_datetime"
        )
    if column.dt.tz is None:
        # In the hour that occurs twice the first one is meant; the hour that does not exist is skipped.
        first = np.ones(len(column), dtype=bool)
        column = column.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(naive.to_numpy(dtype="datetime64[us]").view(np.int64))


def timestamps(moments: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    """Give instants in UTC, missing where there is none.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970.

    Returns
    -------
    pandas.DatetimeIndex
        In UTC.
    """
    return pd.DatetimeIndex(np.ascontiguousarray(moments).view("datetime64[us]")).tz_localize("UTC")


def local_days(moments: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int64]:
    """Give the local calendar day of instants as days since 1970-01-01.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970; none missing.
    timezone : str
        Whose midnights divide the days.

    Returns
    -------
    ndarray of int64
        Days.
    """
    local = timestamps(moments).tz_convert(timezone).tz_localize(None)
    return local.to_numpy().astype("datetime64[D]").astype(np.int64)


def as_moment(as_of: Any, timezone: str) -> int:
    """Give the instant of a cutoff: a bare date is local midnight.

    Parameters
    ----------
    as_of : str, date, datetime, Timestamp or int
        As ``preparation.as_cutoff`` reads it.
    timezone : str
        In which a date, or a time without a zone, is meant.

    Returns
    -------
    int
        Microseconds since 1970 in UTC.
    """
    cutoff = as_cutoff(as_of)
    instant = pd.Timestamp(cutoff.date) if cutoff.instant is None else cutoff.instant
    if instant.tzinfo is None:
        instant = instant.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    return int(instant.tz_convert("UTC").tz_localize(None).to_datetime64().astype("datetime64[us]").astype(np.int64))
