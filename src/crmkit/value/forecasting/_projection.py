"""From a table of series to forecasts that add up, with their intervals and the evaluation they rest on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.value.forecasting._intervals import choice_uncertainty, offsets
from crmkit.value.forecasting._reconcile import reconcile
from crmkit.value.forecasting._rolling_origin import Rolling, never_negative, roll

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value.forecasting._settings import Settings

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Projection", "project"]


@dataclass(frozen=True)
class Projection:
    """Forecasts of series, and of their total where it was asked for.

    Parameters
    ----------
    values : ndarray of float, shape (n_series, n_periods)
        The series.
    first : ndarray of int, shape (n_series,)
        The period in which each begins.
    rolling : Rolling
        What every method forecast for them.
    forecast, low, high : ndarray of float, shapes (n_series, horizon) and (n_levels, n_series, horizon)
        From the end of the history.
    total : Projection or None
        Of the sum of the series, forecast as a series of its own; its ``forecast`` is the sum of the others'.
    summed_errors : ndarray of float, shape (1, n_origins, horizon), or None
        Of a total: the errors that the sum of the groups' forecasts had.
    weight : float
        Of a total: what its own forecast counted against the sum of the groups'.
    scale : float
        By which every value, forecast and error here is to be multiplied.
    """

    values: Floats
    first: Ints
    rolling: Rolling
    forecast: Floats
    low: Floats
    high: Floats
    total: Projection | None = None
    summed_errors: Floats | None = None
    weight: float = 0.0
    scale: float = 1.0


def project(values: Floats, first: Ints, settings: Settings, *, total: bool) -> Projection:
    """Forecast series, and their total.

    Parameters
    ----------
    values : ndarray of float, shape (n_series, n_periods)
        One series a row, on one calendar; what lies before a series begins is not read.
    first : ndarray of int, shape (n_series,)
        The period in which each series begins.
    settings : Settings
        What is asked for.
    total : bool
        Whether the sum of the series is forecast too, and the series made to add up to it.

    Returns
    -------
    Projection
        Forecasts, divided by its ``scale``.
    """
    # Squares of huge or tiny numbers would leave the range of floating point; a power of two changes no digit.
    largest = float(np.abs(values).max(initial=0.0))
    scale = float(np.exp2(np.floor(np.log2(largest)))) if largest > 0 else 1.0
    found = replace(_project(values / scale, first, settings, total=total), scale=scale)
    return found if found.total is None else replace(found, total=replace(found.total, scale=scale))


def _project(values: Floats, first: Ints, settings: Settings, *, total: bool) -> Projection:
    """Forecast scaled series."""
    rolling = roll(values, first, settings.season, settings.horizon, settings.methods)
    forecast, errors = rolling.of_chosen(rolling.forecasts), rolling.of_chosen(rolling.errors)
    factor = choice_uncertainty(rolling)
    floor = never_negative(values, first)[:, -1]
    if not total:
        return _with_intervals(values, first, rolling, (forecast, errors, factor), settings, floor)
    summed = values.sum(axis=0, keepdims=True)
    begun = np.array([int(first.min())])
    direct = roll(summed, begun, settings.season, settings.horizon, settings.methods)
    n_origins = max(len(rolling.origins), len(direct.origins))
    rolling, direct = (_aligned(one, n_origins, values.shape[1]) for one in (rolling, direct))
    joined = reconcile(
        forecast,
        rolling.of_chosen(rolling.errors),
        direct.of_chosen(direct.forecasts)[0],
        direct.of_chosen(direct.errors)[0],
        how=settings.reconcile,
        floor=floor,
    )
    made = joined.forecasts.sum(axis=0, keepdims=True)
    whole = _with_intervals(
        summed,
        begun,
        direct,
        (made, joined.total_errors[None], choice_uncertainty(direct)),
        settings,
        never_negative(summed, begun)[:, -1],
    )
    whole = replace(whole, summed_errors=joined.total_errors[None], weight=joined.weight)
    parts = _with_intervals(values, first, rolling, (joined.forecasts, joined.errors, factor), settings, floor)
    return replace(parts, total=whole)


def _with_intervals(
    values: Floats,
    first: Ints,
    rolling: Rolling,
    made: tuple[Floats, Floats, Floats],
    settings: Settings,
    floor: npt.NDArray[np.bool_],
) -> Projection:
    """Put intervals around forecasts."""
    forecast, errors, factor = made
    below, above = offsets(errors, rolling.of_chosen(rolling.growth), rolling.wander, settings.levels, factor)
    low, high = forecast + below, forecast + above
    low = np.where(floor[:, None], np.maximum(low, 0.0), low)
    return Projection(values, first, rolling, forecast, low, high)


def _aligned(rolling: Rolling, n_origins: int, n_periods: int) -> Rolling:
    """Let the origins begin earlier, with errors missing there."""
    more = n_origins - len(rolling.origins)
    if more == 0:
        return rolling
    earlier = np.full((*rolling.errors.shape[:2], more, rolling.errors.shape[3]), np.nan)
    origins = np.arange(n_periods - n_origins, n_periods)
    return replace(rolling, errors=np.concatenate([earlier, rolling.errors], axis=2), origins=origins)
