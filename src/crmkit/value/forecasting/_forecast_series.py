"""Forecasts series that are already a regular table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.value.forecasting._projection import project
from crmkit.value.forecasting._rolling_origin import METHODS
from crmkit.value.forecasting._settings import settings_of
from crmkit.value.forecasting._tables import forecast_of, told_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.value.forecasting._result import Forecast

__all__ = ["forecast_series"]


def forecast_series(
    series: Any,
    *,
    horizon: int,
    season: int = 1,
    methods: Sequence[str] = tuple(METHODS),
    levels: Sequence[float] = (0.80, 0.95),
    total: bool = False,
    reconcile: str = "combined",
) -> Forecast:
    """Forecast series that are already a regular table.

    Parameters
    ----------
    series : Series, table or array-like of float
        One series, or a column each; rows are consecutive periods. Missing values before a series begins are allowed,
        elsewhere not. Where the index is of periods, or of times at a regular distance, it is carried on; else the
        places are counted from 0, of times with a warning.
    horizon : int
        Periods to forecast.
    season : int, default=1
        Periods a season; 1 for none.
    methods : sequence of str
        As for ``forecast``.
    levels : sequence of float, default=(0.80, 0.95)
        Nominal coverages of the intervals.
    total : bool, default=False
        Whether the series add up to something: then their total is forecast too, and they are made to add up to it.
    reconcile : {"combined", "bottom-up"}, default="combined"
        As for ``forecast``.

    Returns
    -------
    Forecast
        With the group column ``series``: the name of each column.

    Raises
    ------
    DataError
        If the table is empty or holds what is no finite number, its periods leave a gap, or its times do not rise,
        naming positions.

    Warns
    -----
    DataWarning
        As for ``forecast``, and if the times of the index are not at a regular distance.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import forecast_series
    >>> level = pd.Series([20.0, 22.0, 21.0, 19.0, 20.0, 23.0, 21.0, 18.0, 20.0, 21.0, 19.0, 22.0, 20.0, 21.0])
    >>> forecast_series(level, horizon=2).table[["period", "method", "forecast"]].round(1)
       period                 method  forecast
    0      14  exponential-smoothing      20.5
    1      15  exponential-smoothing      20.5
    """
    frame = _wide(series)
    settings = settings_of(horizon, season, methods, levels, reconcile)
    values = frame.to_numpy(dtype=np.float64).T
    known = np.isfinite(values)
    first = np.argmax(known, axis=1)
    gap = (~known & (np.arange(values.shape[1]) >= first[:, None])) | ~known.any(axis=1, keepdims=True)
    if gap.any():
        raise DataError(f"series: a value after the beginning is missing or infinite in {positions(gap.any(axis=0))}")
    found = project(np.where(known, values, 0.0), first.astype(np.intp), settings, total=total)
    notes = told_of(found, settings)
    groups = pd.DataFrame({"series": frame.columns})
    index = _carried_on(frame.index, settings.horizon)
    return forecast_of(found, groups, index, settings, None, notes, ("series", "step"))


def _wide(series: Any) -> pd.DataFrame:
    """Bring series to a frame of floats."""
    if isinstance(series, pd.Series):
        frame = series.to_frame("series" if series.name is None else series.name)
    elif isinstance(series, dict) or hasattr(series, "columns"):
        frame = as_frame(series, what="series")
    else:
        array = np.asarray(series)
        if array.ndim not in {1, 2}:
            raise DataError(f"series must be one series, or a column each, got an array of {array.ndim} dimensions")
        frame = pd.DataFrame(array if array.ndim == 2 else array.reshape(-1, 1))
        frame.columns = ["series"] if array.ndim == 1 else [str(place) for place in range(frame.shape[1])]
    if not len(frame) or not frame.shape[1]:
        raise DataError("series is empty: there is no history to forecast from")
    odd = [str(name) for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if odd:
        raise DataError(f"series must hold numbers; these columns do not: {', '.join(odd)}")
    return frame.astype("float64")


def _carried_on(index: pd.Index, horizon: int) -> pd.Index:
    """Carry an index on; places where it says nothing regular."""
    _check_rising(index)
    if isinstance(index, pd.PeriodIndex):
        return index.append(pd.period_range(index[-1] + 1, periods=horizon, freq=index.freq))
    rule = _rule(index) if isinstance(index, pd.DatetimeIndex) and len(index) > 2 else None
    if rule is not None:
        return index.append(pd.date_range(index[-1], periods=horizon + 1, freq=rule)[1:])
    if isinstance(index, pd.DatetimeIndex) and len(index) > 2:
        warnings.warn(
            "the times of the series are not at a regular distance: its rows are taken for consecutive periods, and "
            "places are counted instead",
            DataWarning,
            stacklevel=3,
        )
    return pd.RangeIndex(len(index) + horizon)


def _check_rising(index: pd.Index) -> None:
    """Refuse periods with a gap, and times that are missing, repeated or out of order: the last row is the present."""
    if not isinstance(index, pd.PeriodIndex | pd.DatetimeIndex):
        return
    wrong = np.asarray(index.isna())
    if wrong.any():
        raise DataError(f"series: the index is missing in {positions(wrong)}")
    if isinstance(index, pd.PeriodIndex):
        wrong = np.asarray(index != pd.period_range(index[0], periods=len(index), freq=index.freq))
        if wrong.any():
            raise DataError(
                f"series: the periods of the index do not follow each other from row {int(np.argmax(wrong))} on: sort "
                "the rows, and write 0 where nothing was sold"
            )
        return
    wrong[1:] = np.diff(index.asi8) <= 0
    if wrong.any():
        raise DataError(f"series: the times of the index do not rise in {positions(wrong)}: sort the rows by time")


def _rule(index: pd.DatetimeIndex) -> Any:
    """Give the rule by which times follow each other: equal steps, working days, or months, quarters or years."""
    if index.freq is not None:
        return index.freq
    # Local midnights are a day apart, even where the clock is put forward in between.
    for clock in (index.tz_localize(None), index.tz_convert("UTC").tz_localize(None) if index.tz else index):
        steps = np.unique(np.diff(clock.to_numpy()))
        if len(steps) == 1:
            whole = index.tz is not None and steps[0] % np.timedelta64(1, "D") == np.timedelta64(0)
            return pd.DateOffset(days=int(steps[0] / np.timedelta64(1, "D"))) if whole else pd.Timedelta(steps[0])
    for rule in ("B", "MS", "ME", "QS", "QE", "YS", "YE"):
        if pd.date_range(index[0], periods=len(index), freq=rule, unit=index.unit).equals(index):
            return rule
    return None
