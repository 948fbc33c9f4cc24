"""Puts messages into days, weeks, months, quarters or years."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Periods", "read_periods", "read_times"]

_CODES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


class Periods(NamedTuple):
    """Which period each text is in.

    Attributes
    ----------
    place : ndarray of int64, shape (n_texts,)
        From 0, the first period with a text; -1 where there is no time.
    start : pandas.DatetimeIndex
        The first day of each period, those without any text included.
    """

    place: npt.NDArray[np.int64]
    start: pd.DatetimeIndex


def read_times(time: Any, n_texts: int, *, timezone: str | None) -> pd.Series:
    """Bring times to local wall-clock times.

    Parameters
    ----------
    time : array-like of datetimes, dates or their ISO texts, shape (n_texts,)
        Whole numbers are days since 1970-01-01, as in the column ``day``.
    n_texts : int
        How many there must be.
    timezone : str or None
        Where instants with a zone are brought to; None leaves them in their own.

    Returns
    -------
    pandas.Series of datetime64
        Without zone; missing where a time is.
    """
    if isinstance(time, str) or np.ndim(time) != 1:
        raise TypeError("time must be one-dimensional: one time a text")
    times = pd.Series(np.asarray(time) if not isinstance(time, pd.Series | pd.Index) else time).reset_index(drop=True)
    if len(times) != n_texts:
        raise ValueError(f"texts and time must be as long: {n_texts} texts and {len(times)} times")
    if pd.api.types.is_bool_dtype(times.dtype) or pd.api.types.is_float_dtype(times.dtype):
        raise TypeError(f"time must be datetimes, dates or whole days, got {times.dtype}")
    if pd.api.types.is_integer_dtype(times.dtype):
        return pd.Series(pd.to_datetime(times.to_numpy(dtype=np.int64), unit="D"))
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        try:
            times = pd.to_datetime(times, utc=timezone is not None, format="ISO8601")
        except (ValueError, TypeError):
            wrong = pd.to_datetime(times, errors="coerce", utc=True, format="ISO8601").isna() & times.notna()
            raise DataError(f"time must be datetimes, dates or ISO texts; {positions(wrong)} cannot be read") from None
    if times.dt.tz is not None:
        times = (times.dt.tz_convert(timezone) if timezone else times).dt.tz_localize(None)
    return times


def read_periods(time: Any, n_texts: int, *, by: str, timezone: str | None) -> Periods:
    """Number the periods of texts.

    Parameters
    ----------
    time : array-like, shape (n_texts,)
        See `read_times`; texts without a time are left out with a warning that counts them.
    n_texts : int
        How many there must be.
    by : {"day", "week", "month", "quarter", "year"}
        How long a period is; weeks begin on Monday.
    timezone : str or None
        See `read_times`.

    Returns
    -------
    Periods
        Where each text is, and when each period begins.

    Raises
    ------
    DataError
        If there is no text, or none has a time.
    """
    if by not in _CODES:
        raise ValueError(f"by must be one of {', '.join(map(repr, _CODES))}, got {by!r}")
    if not n_texts and not len(time):
        raise DataError("there are no texts")
    times = read_times(time, n_texts, timezone=timezone)
    missing = times.isna().to_numpy()
    if missing.all():
        raise DataError(f"none of the {n_texts} texts has a time")
    if missing.any():
        warnings.warn(f"left out, for want of a time: {positions(missing)}", DataWarning, stacklevel=3)
    ordinals = np.full(n_texts, np.iinfo(np.int64).min)
    periods = times[~missing].dt.to_period(_CODES[by])
    ordinals[~missing] = pd.PeriodIndex(periods).asi8
    first = int(ordinals[~missing].min())
    every = pd.period_range(periods.min(), periods.max(), freq=_CODES[by])
    return Periods(np.where(missing, -1, ordinals - first), pd.DatetimeIndex(every.to_timestamp(how="start")))
