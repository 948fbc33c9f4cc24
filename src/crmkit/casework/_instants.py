"""Brings moments to whole microseconds since 1970 in UTC, and back."""

from __future__ import annotations

import datetime as dt
import re
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

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?")
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
    return int(as_instants(pd.Series([moment], dtype=object), zone, what=what)[0])


def _as_times(series: pd.Series, what: str) -> pd.Series:
    """Read times that stand as text or as Python's own, in one form only: what a date means is not guessed."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series
    known = series.notna().to_numpy(dtype=bool)
    if not known.any():
        return pd.Series(pd.NaT, index=series.index, dtype="datetime64[us, UTC]")
    cells = series.astype(object).to_numpy()[known].tolist()
    texts = [cell if isinstance(cell, str) else None for cell in cells]
    found = [None if text is None else _ISO.fullmatch(text.strip()) for text in texts]
    wrong = np.zeros(len(series), dtype=bool)
    wrong[known] = [
        form is None and not (text is None and isinstance(cell, dt.date | np.datetime64))
        for cell, text, form in zip(cells, texts, found, strict=True)
    ]
    if wrong.any():
        raise DataError(f"{what} must hold times such as '2026-03-01T09:00+08:00'; it does not in {positions(wrong)}")
    offsets = [
        getattr(cell, "tzinfo", None) is not None if form is None else form[1] is not None
        for cell, form in zip(cells, found, strict=True)
    ]
    if any(offsets) != all(offsets):
        raise DataError(f"{what} must hold times that all have an offset, or all have none")
    mixed = series.where(series.notna(), None).astype(object)
    try:
        read = pd.to_datetime(mixed, utc=all(offsets), format="ISO8601" if any(texts) else None)
    except (ValueError, OverflowError):
        raise DataError(f"{what} must hold times: a day or an hour in it does not exist") from None
    return pd.Series(read, index=series.index)


def as_instants(column: Any, zone: ZoneInfo | None, *, what: str, missing: bool = False) -> npt.NDArray[np.int64]:
    """Read a column of moments.

    An hour that a clock change left out is moved forward by the change; one that it repeated is the first of the two.

    Parameters
    ----------
    column : Series of datetime, or of text in ISO 8601
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
    index = pd.DatetimeIndex(_as_times(column if isinstance(column, pd.Series) else pd.Series(column), what))
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
