"""Brings moments to whole microseconds since 1970 in UTC, and back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MISSING", "as_instant", "as_instants", "as_zone", "from_instants", "now"]

MISSING = int(np.iinfo(np.int64).min)
"""What stands for a missing instant (NaT) among the microseconds."""

_FIRST = int(np.datetime64("1800-01-01", "us").astype(np.int64))
_END = int(np.datetime64("2200-01-01", "us").astype(np.int64))


def as_zone(timezone: str | None) -> ZoneInfo | None:
    """Give the zone of a name.

    Parameters
    ----------
    timezone : str or None
        A name of the IANA database.

    Returns
    -------
    ZoneInfo or None
        None for None.

    Raises
    ------
    DataError
        If there is no such zone.
    """
    if timezone is None:
        return None
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError, TypeError):
        raise DataError(f"timezone {timezone!r} is unknown: give a name such as 'Asia/Shanghai'") from None


def now() -> int:
    """Give this moment.

    Returns
    -------
    int
        Microseconds.
    """
    return pd.Timestamp.now(tz="UTC").value // 1000


def as_instant(moment: Any, zone: ZoneInfo | None, *, what: str = "at") -> int:
    """Read one moment.

    Parameters
    ----------
    moment : str, datetime, Timestamp or datetime64
        With its offset; without one it is in ``zone``.
    zone : ZoneInfo or None
        None refuses moments without an offset.
    what : str, default="at"
        Its name in messages.

    Returns
    -------
    int
        Microseconds.

    Raises
    ------
    DataError
        If it is none, missing, outside the years 1800 to 2199, or naive without a zone.
    """
    if not isinstance(moment, str | dt.date | np.datetime64):
        raise DataError(f"{what} must be a time such as '2026-03-01T09:00+08:00', got {type(moment).__name__}")
    try:
        stamp = pd.Timestamp(moment)
    except (ValueError, OverflowError):
        raise DataError(f"{what} must be a time such as '2026-03-01T09:00+08:00'") from None
    return int(as_instants(pd.Series([stamp]), zone, what=what)[0])


def as_instants(column: Any, zone: ZoneInfo | None, *, what: str, missing: bool = False) -> npt.NDArray[np.int64]:
    """Read a column of moments.

    An hour that a clock change left out is moved forward by the change; one that it repeated is the first of the two.

    Parameters
    ----------
    column : Series of datetime
        With a time zone; without one it is in ``zone``.
    zone : ZoneInfo or None
        None refuses a column without a time zone.
    what : str
        Its name in messages.
    missing : bool, default=False
        Whether a missing moment is allowed; it is ``MISSING``.

    Returns
    -------
    ndarray of int64, shape (n,)
        Microseconds.

    Raises
    ------
    DataError
        If the column holds no times, or one is missing or outside the years 1800 to 2199, by position.
    """
    series = column if isinstance(column, pd.Series) else pd.Series(column)
    if not pd.api.types.is_datetime64_any_dtype(series.dtype):
        if not series.isna().all():
            raise DataError(f"{what} must hold times, not {series.dtype}; read the table with records.read")
        series = series.astype("datetime64[us, UTC]")
    index = pd.DatetimeIndex(series)
    if index.tz is None:
        if zone is None:
            raise DataError(f"{what} has no time zone: give times with their offset, or name the zone with timezone=")
        shifted = index.tz_localize(zone, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward")
        walls = index.as_unit("us").asi8
        back = shifted.tz_localize(None).as_unit("us").asi8
        gap = (walls != back) & (walls != MISSING)
        index = shifted.tz_convert("UTC")
        micros = index.as_unit("us").asi8.copy()
        # pandas moves to the end of the gap; the clock that was not put forward reads on by the minutes past it.
        for place in np.flatnonzero(gap):
            moment = pd.Timestamp(int(walls[place]), unit="us").to_pydatetime().replace(tzinfo=zone, fold=0)
            micros[place] = pd.Timestamp(moment.astimezone(dt.UTC)).value // 1000
    else:
        micros = index.tz_convert("UTC").as_unit("us").asi8.copy()
    absent = micros == MISSING
    if absent.any() and not missing:
        raise DataError(f"{what} is missing in {positions(absent)}")
    outside = ~absent & ((micros < _FIRST) | (micros >= _END))
    if outside.any():
        raise DataError(f"{what} is outside the years 1800 to 2199 in {positions(outside)}")
    return np.asarray(micros, dtype=np.int64)


def from_instants(micros: Any) -> pd.DatetimeIndex:
    """Give times in UTC.

    Parameters
    ----------
    micros : array-like of int or None
        Microseconds; None and ``MISSING`` are missing.

    Returns
    -------
    pandas.DatetimeIndex
        With microseconds.
    """
    whole = np.array([MISSING if each is None else each for each in micros], dtype=np.int64)
    return pd.DatetimeIndex(whole.view("datetime64[us]")).tz_localize("UTC")
