"""Exponential smoothing with additive errors, damped trend and season, of all series and all origins in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from crmkit.value.forecasting._methods import SHORTEST, Rolled, seasonal_from

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["exponential_smoothing"]

_LEVEL = (0.02, 0.05, 0.1, 0.16, 0.25, 0.35, 0.5, 0.65, 0.8, 0.95)
# The slope's smoothing as a share of the level's, and its damping; the first is a level without a slope.
_SLOPE = ((0.0, 0.0), (0.05, 0.9), (0.05, 0.98), (0.2, 0.9), (0.2, 0.98))
# The season's smoothing as a share of what the level leaves.
_SEASON = (0.0, 0.1, 0.25, 0.5)
_MOVING = 0.4
"""Smoothing of the level from which on it counts as wandering."""
_CELLS = 2**22
"""How many numbers of the seasonal state are held at once (32 MB)."""


@dataclass(frozen=True)
class _Candidates:
    """Settings tried, an entry each."""

    level: Floats
    slope: Floats
    damping: Floats
    season: Floats
    seasonal: npt.NDArray[np.bool_]
    n_parameters: npt.NDArray[np.int64]


def _candidates(season: int) -> _Candidates:
    """List the settings: without a season, and with one where there is any."""
    rows = [(a, a * b, phi, 0.0, False) for a, (b, phi) in product(_LEVEL, _SLOPE)]
    if season > 1:
        rows += [(a, a * b, phi, (1 - a) * g, True) for a, (b, phi), g in product(_LEVEL, _SLOPE, _SEASON)]
    level, slope, damping, of_season, seasonal = (np.array(column) for column in zip(*rows, strict=True))
    # Level and variance; slope, its start and damping; the seasonal states and their smoothing.
    count = 3 + 3 * (slope > 0) + np.where(seasonal, season - 1 + (of_season > 0), 0)
    return _Candidates(level, slope, damping, of_season, seasonal, count)


def exponential_smoothing(
    values: Floats, first: npt.NDArray[np.intp], season: int, origins: npt.NDArray[np.intp], horizon: int
) -> Rolled:
    """Smooth level, slope and season, and carry them on.

    The models are those with additive errors of Hyndman et al. (2008): level alone or with a damped slope, without or
    with an additive season. All settings of a grid are filtered side by side, and at each origin the one with the
    least corrected information criterion over the periods before it is taken: the likelihood is that of normal errors,
    so that it is the sum of squared one-step errors that counts. One pass gives the forecasts from every origin as if
    the method had been fitted anew there. The starting states are those of a least-squares line with season through
    the first periods (two seasons, or ten periods).

    Parameters
    ----------
    values : ndarray of float, shape (n_series, n_periods)
        One series a row, on one calendar.
    first : ndarray of int, shape (n_series,)
        The period in which each series begins.
    season : int
        Periods a season; 1 for none.
    origins : ndarray of int, shape (n_origins,)
        Numbers of periods known, ascending.
    horizon : int
        Periods to forecast.

    Returns
    -------
    Rolled
        Forecasts, missing where fewer than ten periods are known; a season is used from two seasons and two periods on.

    References
    ----------
    Hyndman, R. J., Koehler, A. B., Ord, J. K. and Snyder, R. D. (2008), Forecasting with Exponential Smoothing,
    doi:10.1007/978-3-540-71918-2.
    """
    tried = _candidates(season)
    chunk = max(1, _CELLS // (len(tried.level) * season))
    forecasts = np.full((len(values), len(origins), horizon), np.nan)
    growth = np.ones((len(values), horizon))
    for begin in range(0, len(values), chunk):
        rows = slice(begin, begin + chunk)
        forecasts[rows], growth[rows] = _filter(values[rows], first[rows], season, origins, horizon, tried)
    return Rolled(forecasts, growth)


def _filter(
    values: Floats,
    first: npt.NDArray[np.intp],
    season: int,
    origins: npt.NDArray[np.intp],
    horizon: int,
    tried: _Candidates,
) -> tuple[Floats, Floats]:
    """Filter a chunk of series with every setting; give forecasts from every origin, and growth at the last."""
    n_series, n_periods = values.shape
    level, slope, state = _start(values, first, season, tried)
    squared = np.zeros_like(level)
    forecasts = np.full((n_series, len(origins), horizon), np.nan)
    best = np.zeros(n_series, dtype=np.intp)
    place = dict(zip(origins.tolist(), range(len(origins)), strict=True))
    everyone = bool((first == 0).all())
    for period in range(n_periods + 1):
        if period in place:
            known = period - first
            best = _best(squared, known, season, tried)
            row = np.arange(n_series)
            path = _ahead(tried.damping[best], horizon)
            seasons = state[(period + np.arange(horizon)) % season][:, row, best].T
            found = level[row, best][:, None] + path * slope[row, best][:, None] + seasons
            forecasts[:, place[period]] = np.where((known >= SHORTEST)[:, None], found, np.nan)
        if period == n_periods:
            break
        now = period % season
        drift = tried.damping * slope
        error = values[:, period, None] - level - drift - state[now]
        if not everyone:
            # Before a series begins there is nothing to learn, and no error.
            begun = (first <= period)[:, None]
            error = np.where(begun, error, 0.0)
            drift = np.where(begun, drift, 0.0)
            slope = np.where(begun, drift, slope)
        else:
            slope = drift
        squared += error * error
        level += drift + tried.level * error
        slope = slope + tried.slope * error
        if season > 1:
            state[now] += tried.season * error
    return forecasts, _growth(tried, best, season, horizon)


def _start(
    values: Floats, first: npt.NDArray[np.intp], season: int, tried: _Candidates
) -> tuple[Floats, Floats, Floats]:
    """Give the states before the first period: a line, and where there are two seasons a season around it."""
    n_series, n_periods = values.shape
    level = np.zeros((n_series, len(tried.level)))
    slope = np.zeros_like(level)
    state = np.zeros((season, *level.shape))
    trending = tried.slope > 0
    for seasonal in (False, True) if season > 1 else (False,):
        window = min(2 * season if seasonal else SHORTEST, n_periods)
        column = np.minimum(first[:, None] + np.arange(window), n_periods - 1)
        head = np.take_along_axis(values, column, axis=1)
        middle, rise = _line(head, season if seasonal and window == 2 * season else 1)
        chosen = tried.seasonal == seasonal
        level[:, chosen & ~trending] = middle[:, None]
        level[:, chosen & trending] = (middle - rise * (window + 1) / 2)[:, None]
        slope[:, chosen & trending] = rise[:, None]
        if not seasonal or window < 2 * season:
            continue
        for around, moving in zip(_first_seasons(head, season, middle, rise), (False, True), strict=True):
            places = np.flatnonzero(chosen & ((tried.level >= _MOVING) == moving))
            for offset in range(season):
                at = (first + offset) % season
                state[at[:, None], np.arange(n_series)[:, None], places[None, :]] = around[:, offset, None]
    return level, slope, state


def _line(head: Floats, season: int) -> tuple[Floats, Floats]:
    """Give the mean of the first periods, and the slope: by least squares, or between two whole seasons."""
    middle = head.mean(axis=1)
    if season > 1:
        halves = head.reshape(len(head), 2, season).mean(axis=2)
        return middle, (halves[:, 1] - halves[:, 0]) / season
    centred = np.arange(head.shape[1]) - (head.shape[1] - 1) / 2
    return middle, np.asarray(head @ centred / max(float(centred @ centred), 1.0))


def _first_seasons(head: Floats, season: int, middle: Floats, rise: Floats) -> tuple[Floats, Floats]:
    """Give the season of the first two, for a level that stays on its line and for one that wanders.

    Around a line each period of the season is a mean. Of a level that wanders, that would leave the slow ups and downs
    in the season, and a step where one season meets the next; there the mean steps from period to period are added up.
    """
    time = np.arange(2 * season) - season + 0.5
    left = head - middle[:, None] - rise[:, None] * time
    resting = left.reshape(len(head), 2, season).mean(axis=1)
    step = np.diff(head, axis=1, prepend=np.nan).reshape(len(head), 2, season)
    mean_step = np.nanmean(step, axis=1)
    wandering = np.cumsum(mean_step - mean_step.mean(axis=1, keepdims=True), axis=1)
    return resting, wandering - wandering.mean(axis=1, keepdims=True)


def _best(squared: Floats, known: npt.NDArray[np.intp], season: int, tried: _Candidates) -> npt.NDArray[np.intp]:
    """Choose each series' setting by the corrected information criterion."""
    n = np.maximum(known, 1).astype(np.float64)[:, None]
    k = tried.n_parameters[None, :]
    # A series fitted to the last digit would else have a criterion of minus infinity for every setting.
    floor = 1e-14 * np.maximum(squared.max(axis=1, keepdims=True), 1e-30)
    penalty = 2.0 * k + 2.0 * k * (k + 1) / np.maximum(n - k - 1, 0.5)
    criterion = n * np.log(squared / n + floor) + penalty
    if season > 1:
        criterion[:, tried.seasonal] += np.where(known < seasonal_from(season), np.inf, 0.0)[:, None]
    return np.asarray(np.argmin(criterion, axis=1))


def _ahead(damping: Floats, horizon: int) -> Floats:
    """Give the sum of the powers of each damping up to each period ahead."""
    return np.cumsum(damping[:, None] ** np.arange(1, horizon + 1), axis=1)


def _growth(tried: _Candidates, best: npt.NDArray[np.intp], season: int, horizon: int) -> Floats:
    """Give the variance of the forecast error, relative to one period ahead."""
    steps = np.arange(1, horizon)
    weight = tried.level[best][:, None] + tried.slope[best][:, None] * _ahead(tried.damping[best], horizon)[:, :-1]
    if season > 1:
        weight = weight + tried.season[best][:, None] * (steps % season == 0)
    grown = np.ones((len(best), horizon))
    grown[:, 1:] += np.cumsum(weight**2, axis=1)
    return grown
