"""Rolls the origin of every method over the history, measures the errors, and chooses a method for each series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.value.forecasting._exponential_smoothing import exponential_smoothing
from crmkit.value.forecasting._methods import SHORTEST, seasonal_from
from crmkit.value.forecasting._seasonal_naive import seasonal_naive
from crmkit.value.forecasting._trend_season import trend_season

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.value.forecasting._methods import Rolled

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["METHODS", "NAIVE", "SMOOTHED_FROM", "Rolling", "never_negative", "roll"]

NAIVE, SMOOTHING = "seasonal-naive", "exponential-smoothing"

METHODS: dict[str, Callable[..., Rolled]] = {
    NAIVE: seasonal_naive,
    "trend-season": trend_season,
    SMOOTHING: exponential_smoothing,
}

SMOOTHED_FROM = SHORTEST + 2
"""Periods from which on methods with parameters are tried: with fewer there is nothing to judge them by."""

_MOST_ORIGINS = 120
_FEWEST_ORIGINS = 8
# In a long series the errors of its first forecasts, made from little, say nothing of the next ones.
_LEFT_OUT = 0.4
_EQUAL = 1e-9


@dataclass(frozen=True)
class Rolling:
    """Forecasts of every method for every series, and their errors from earlier origins.

    Parameters
    ----------
    names : tuple of str, length n_methods
        The methods, the seasonal naive first.
    forecasts : ndarray of float, shape (n_methods, n_series, horizon)
        From the end of the history; missing where a method was not tried.
    errors : ndarray of float, shape (n_methods, n_series, n_origins, horizon)
        Actual less forecast, of all methods from the same origins; missing where it is not known.
    growth : ndarray of float, shape (n_methods, n_series, horizon)
        How each method's own theory lets the variance grow with the horizon.
    origins : ndarray of int, shape (n_origins,)
        Numbers of periods known.
    season : ndarray of int, shape (n_series,)
        The season used for each series: 1 where there are fewer than two seasons of it.
    tried : ndarray of bool, shape (n_methods, n_series)
        Whether the series is long enough for the method.
    chosen : ndarray of int, shape (n_series,)
        The method with the least squared error; the seasonal naive where none is better, or nothing can be measured.
    """

    names: tuple[str, ...]
    forecasts: Floats
    errors: Floats
    growth: Floats
    origins: Ints
    season: Ints
    tried: npt.NDArray[np.bool_]
    chosen: Ints

    @property
    def mean_squared(self) -> Floats:
        """Mean squared error over origins and horizons, shape (n_methods, n_series); missing where not measured."""
        known = np.isfinite(self.errors).sum(axis=(2, 3))
        total = np.nansum(self.errors**2, axis=(2, 3))
        return np.asarray(np.divide(total, known, out=np.full(total.shape, np.nan), where=known > 0))

    @property
    def wander(self) -> Floats:
        """Growth of the variance by exponential smoothing, else by the chosen method, shape (n_series, horizon)."""
        own = self.of_chosen(self.growth)
        if SMOOTHING not in self.names:
            return own
        place = self.names.index(SMOOTHING)
        return np.where(self.tried[place][:, None], self.growth[place], own)

    def of_chosen(self, per_method: Floats) -> Floats:
        """Take each series' entry of its chosen method."""
        return np.asarray(per_method[self.chosen, np.arange(len(self.chosen))])


def roll(values: Floats, first: Ints, season: int, horizon: int, methods: Sequence[str]) -> Rolling:
    """Forecast every series by every method, from the end of the history and from earlier origins.

    From each origin only the periods before it are used, parameters included. All methods of a series are judged from
    the same origins: from two seasons and two periods on, or four tenths of the series, whichever is later, but at
    least the last eight where there are as many, and at most the last 120. The squared error is averaged over origins
    and periods ahead: it is the mean that is forecast, so that totals add up.

    Parameters
    ----------
    values : ndarray of float, shape (n_series, n_periods)
        One series a row, on one calendar.
    first : ndarray of int, shape (n_series,)
        The period in which each series begins.
    season : int
        Periods a season; 1 for none.
    horizon : int
        Periods to forecast.
    methods : sequence of str
        Names in ``METHODS``, the seasonal naive among them.

    Returns
    -------
    Rolling
        Forecasts and errors.
    """
    n_series, n_periods = values.shape
    length = n_periods - first
    own_season = np.where(length >= 2 * season, season, 1)
    smoothed = length >= SMOOTHED_FROM
    start = first + _first_origin(length, own_season, smoothed)
    origins = np.arange(int(start.min(initial=n_periods)), n_periods + 1)
    shape = (len(methods), n_series, len(origins), horizon)
    made = np.full(shape, np.nan)
    growth = np.ones((len(methods), n_series, horizon))
    tried = np.zeros((len(methods), n_series), dtype=bool)
    for used in np.unique(own_season):
        for place, name in enumerate(methods):
            rows = (own_season == used) & (smoothed | (name == NAIVE))
            if rows.any():
                rolled = METHODS[name](values[rows], first[rows], int(used), origins, horizon)
                made[place, rows], growth[place, rows] = rolled.forecasts, rolled.growth
                tried[place, rows] = True
    # What had never fallen below 0 is not forecast to.
    floor = never_negative(values, first)[:, origins - 1]
    made = np.where(floor[None, :, :, None], np.maximum(made, 0.0), made)
    errors = _errors(values, made[:, :, :-1], origins[:-1])
    errors[:, origins[None, :-1] < start[:, None]] = np.nan
    rolling = Rolling(
        tuple(methods), made[:, :, -1], errors, growth, origins[:-1], own_season, tried, np.zeros(n_series, np.intp)
    )
    return _choose(rolling)


def never_negative(values: Floats, first: Ints) -> npt.NDArray[np.bool_]:
    """Say of every series and period whether the series had never fallen below 0 by then."""
    begun = np.arange(values.shape[1]) >= first[:, None]
    return np.asarray(np.minimum.accumulate(np.where(begun, values, 0.0), axis=1) >= 0)


def _first_origin(length: Ints, season: Ints, smoothed: npt.NDArray[np.bool_]) -> Ints:
    """Give the number of periods of each series from which on it is evaluated."""
    least = np.where(smoothed, np.maximum(season + 1, SHORTEST), season)
    full = np.where(season > 1, [seasonal_from(int(one)) for one in season], SHORTEST)
    wanted = np.maximum(full, (_LEFT_OUT * length).astype(np.intp))
    begun = np.where(smoothed, np.minimum(wanted, length - _FEWEST_ORIGINS), season)
    return np.maximum(np.maximum(least, begun), length - _MOST_ORIGINS)


def _errors(values: Floats, made: Floats, origins: Ints) -> Floats:
    """Give actual less forecast; missing for periods yet to come."""
    n_periods = values.shape[1]
    target = origins[:, None] + np.arange(made.shape[-1])
    actual = np.where(target < n_periods, values[:, np.minimum(target, n_periods - 1)], np.nan)
    return actual - made


def _choose(rolling: Rolling) -> Rolling:
    """Take the method with the least squared error; an earlier one where they are equal but for rounding."""
    loss = np.where(np.isnan(rolling.mean_squared), np.inf, rolling.mean_squared)
    best = np.zeros(loss.shape[1], dtype=np.intp)
    least = loss[0].copy()
    for place in range(1, len(loss)):
        better = loss[place] < least * (1 - _EQUAL) - np.finfo(float).tiny
        best[better], least[better] = place, loss[place][better]
    return replace(rolling, chosen=best)
