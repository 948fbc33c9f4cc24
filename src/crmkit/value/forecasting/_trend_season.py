"""Trend with season: a straight line and a sum of harmonics by discounted least squares, from every origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.value.forecasting._methods import SHORTEST, Rolled, seasonal_from

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["trend_season"]

_MOST_HARMONICS = 6
_DAMPINGS = (1.0, 0.9)
_RIDGE = 1e-10
_CELLS = 2**22
"""How many forecasts of one setting are held at once (32 MB)."""


def trend_season(
    values: Floats, first: npt.NDArray[np.intp], season: int, origins: npt.NDArray[np.intp], horizon: int
) -> Rolled:
    """Fit a line with a season around it, and carry both on.

    The season is a sum of sines and cosines: all of them for seasons of up to twelve periods (which is a mean for each
    period of the season), the six slowest for longer ones. Older periods may weigh less: no discount, and half-lives
    of two seasons and of one (24 and 12 periods without a season) are tried, each with the line carried on straight
    or damped by a tenth a period. At each origin the setting whose forecasts from earlier origins had the least
    squared error up to then, over all horizons, is taken.

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
        The variance does not grow in theory: the line is taken as known.
    """
    chunk = max(1, _CELLS // ((values.shape[1] + 1) * horizon))
    parts = [
        _chosen(values[begin : begin + chunk], first[begin : begin + chunk], season, origins, horizon)
        for begin in range(0, len(values), chunk)
    ]
    return Rolled(np.concatenate(parts), np.ones((len(values), horizon)))


def _chosen(
    values: Floats, first: npt.NDArray[np.intp], season: int, origins: npt.NDArray[np.intp], horizon: int
) -> Floats:
    """Forecast with every setting, and take from each origin the one that had erred least by then."""
    half_lives = (np.inf, 2.0 * season, 1.0 * season) if season > 1 else (np.inf, 24.0, 12.0)
    every = np.arange(values.shape[1] + 1)
    forecasts, loss = [], []
    for half_life in half_lives:
        line, slope, around = _fits(values, first, season, every, horizon, 0.5 ** (1 / half_life))
        for damping in _DAMPINGS:
            path = np.cumsum(damping ** np.arange(1, horizon + 1))
            made = line[:, :, None] + slope[:, :, None] * path + around
            forecasts.append(made[:, origins])
            loss.append(_known_loss(made, values, horizon)[:, origins])
    order = np.argmin(np.array(loss), axis=0)
    return np.asarray(np.take_along_axis(np.array(forecasts), order[None, :, :, None], axis=0)[0])


def _fits(
    values: Floats, first: npt.NDArray[np.intp], season: int, every: npt.NDArray[np.intp], horizon: int, keep: float
) -> tuple[Floats, Floats, Floats]:
    """Give from every origin the level of the line at the last known period, its slope, and the season ahead."""
    n_series, n_periods = values.shape
    n_harmonics = min(season // 2, _MOST_HARMONICS)
    time = np.arange(n_periods + horizon, dtype=np.float64)
    basis = _harmonics(time, season, n_harmonics)
    size = 2 + basis.shape[1]
    starts, own = np.unique(first, return_inverse=True)
    gram = np.zeros((len(starts), size, size))
    moment = np.zeros((n_series, size))
    line = np.full((n_series, len(every)), np.nan)
    slope = np.full((n_series, len(every)), np.nan)
    around = np.full((n_series, len(every), horizon), np.nan)
    ready = seasonal_from(season) if season > 1 else SHORTEST
    for origin in every:
        known = origin - first
        for chosen, width in ((known >= ready, size), ((known >= SHORTEST) & (known < ready), 2)):
            if not chosen.any():
                continue
            of = own[chosen]
            used, back = np.unique(of, return_inverse=True)
            lhs = gram[used][:, :width, :width]
            lhs = lhs + _RIDGE * np.trace(lhs, axis1=1, axis2=2)[:, None, None] / width * np.eye(width)
            solved = np.einsum("gij,gj->gi", np.linalg.inv(lhs)[back], moment[chosen][:, :width])
            line[chosen, origin], slope[chosen, origin] = solved[:, 0], solved[:, 1]
            ahead = basis[origin : origin + horizon, : width - 2]
            around[chosen, origin] = solved[:, 2:] @ ahead.T
        if origin == n_periods:
            break
        # The line is written from the last known period on, so that both of its terms stay of one size.
        shift = np.eye(size)
        shift[1, 0] = -1.0
        gram = keep * (shift @ gram @ shift.T)
        moment = keep * (moment @ shift.T)
        begun = starts <= origin
        row = np.concatenate([[1.0, 0.0], basis[origin]])
        gram[begun] += np.outer(row, row)
        moment += np.where((first <= origin)[:, None], values[:, origin, None] * row, 0.0)
    return line, slope, around


def _harmonics(time: Floats, season: int, n_harmonics: int) -> Floats:
    """Give sines and cosines; the fastest of an even season has no sine."""
    columns = []
    for k in range(1, n_harmonics + 1):
        angle = 2 * np.pi * k * time / season
        columns.append(np.cos(angle))
        if 2 * k != season:
            columns.append(np.sin(angle))
    return np.array(columns).T.reshape(len(time), len(columns))


def _known_loss(made: Floats, values: Floats, horizon: int) -> Floats:
    """Give the mean squared error known at every origin of all forecasts made before it."""
    n_series, n_origins, _ = made.shape
    total = np.zeros((n_series, n_origins))
    for ahead in range(1, horizon + 1):
        if ahead >= n_origins:
            break
        # The forecast made at origin o for the period o + ahead - 1 is judged when o + ahead periods are known.
        error = values[:, ahead - 1 :] - made[:, : n_origins - ahead, ahead - 1]
        total[:, ahead:] += np.nan_to_num(error**2)
    return np.cumsum(total, axis=1)
