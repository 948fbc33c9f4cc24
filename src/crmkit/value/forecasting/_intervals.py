"""Intervals of forecasts from the errors that the same method made from earlier origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.value.forecasting._rolling_origin import Rolling

    Floats = npt.NDArray[np.float64]

__all__ = ["choice_uncertainty", "error_variance", "offsets"]

_BORROWED = 2.0
"""How many errors the variance one period nearer counts for: enough to steady horizons seen a few times only."""

_SHAPE_FROM = 10.0
"""Origins at which the shape of the errors is believed as much as the normal one."""


def error_variance(errors: Floats, growth: Floats, wander: Floats) -> tuple[Floats, Floats]:
    """Give the variance of the forecast error at each horizon, and its degrees of freedom.

    At each horizon the mean squared error from all origins is joined with the variance one period nearer, carried on
    as the method's theory lets it grow. Errors from origins next to each other share most of their periods. Where the
    series wanders, so that errors grow with the horizon, they share most of their size too, and count as so many times
    fewer as the variance has grown; where it does not, each is news.

    Parameters
    ----------
    errors : ndarray of float, shape (n_series, n_origins, horizon)
        Missing where not known.
    growth : ndarray of float, shape (n_series, horizon)
        Variance by the method's theory, relative to one period ahead.
    wander : ndarray of float, shape (n_series, horizon)
        The same by exponential smoothing, which says how far the level itself moves.

    Returns
    -------
    variance, freedom : ndarray of float, shape (n_series, horizon)
        Missing where there is no error at all.
    """
    count = np.isfinite(errors).sum(axis=1).astype(np.float64)
    squared = np.nansum(errors**2, axis=1) / np.maximum(count, 1.0)
    variance = np.where(count > 0, squared, np.nan)
    freedom = np.where(count > 0, count, np.nan)
    for ahead in range(1, errors.shape[2]):
        grown = np.divide(variance[:, ahead - 1], variance[:, 0], out=np.ones(len(count)), where=variance[:, 0] > 0)
        own = count[:, ahead] / np.clip(np.maximum(wander[:, ahead], grown), 1.0, ahead + 1.0)
        borrowed = np.minimum(_BORROWED, freedom[:, ahead - 1])
        carried = variance[:, ahead - 1] * growth[:, ahead] / growth[:, ahead - 1]
        variance[:, ahead] = (own * squared[:, ahead] + borrowed * carried) / (own + borrowed)
        freedom[:, ahead] = np.maximum(own + borrowed, 1.0)
    return variance, freedom


def choice_uncertainty(rolling: Rolling) -> Floats:
    """Give the factor by which the variance grows because the method was chosen by the same errors.

    The least of several errors is too small, the more so the fewer origins there are. So each method counts with a
    weight, the likelihood of its errors relative to the best one's, and the variance around the chosen forecast is the
    weighted mean of the methods' variances and of the squared distances between their forecasts: where methods that
    erred nearly alike disagree about the future, the interval is wider.

    Parameters
    ----------
    rolling : Rolling
        Forecasts and errors.

    Returns
    -------
    ndarray of float, shape (n_series, horizon)
        At least about 1; 1 where nothing can be said.
    """
    loss = rolling.mean_squared
    least = rolling.of_chosen(loss)
    n_origins = np.isfinite(rolling.of_chosen(rolling.errors)[:, :, 0]).sum(axis=1)
    horizon = rolling.errors.shape[-1]
    # Origins as far apart as the root of the horizon are taken to err independently.
    independent = n_origins / np.sqrt(horizon + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.exp(-0.5 * independent * np.log(loss / least))
    weight = np.where(np.isfinite(weight), weight, 0.0)
    weight[rolling.chosen, np.arange(len(least))] = 1.0
    weight /= weight.sum(axis=0)
    wander = rolling.wander
    variance = np.array([error_variance(*pair, wander)[0] for pair in zip(rolling.errors, rolling.growth, strict=True)])
    apart = (rolling.forecasts - rolling.of_chosen(rolling.forecasts)) ** 2
    both = np.nansum(weight[:, :, None] * np.nan_to_num(variance + apart), axis=0)
    own = rolling.of_chosen(variance)
    return np.asarray(np.divide(both, own, out=np.ones_like(both), where=own > 0))


def offsets(
    errors: Floats, growth: Floats, wander: Floats, levels: Sequence[float], factor: Floats | None = None
) -> tuple[Floats, Floats]:
    """Give the ends of the intervals, relative to the forecast.

    The quantiles are those of Student's t, bent towards the quantiles of the errors themselves (each divided by the
    standard deviation of its horizon), the more the more independent errors there are: errors of sales are skewed.

    Parameters
    ----------
    errors : ndarray of float, shape (n_series, n_origins, horizon)
        Missing where not known.
    growth, wander : ndarray of float, shape (n_series, horizon)
        As for ``error_variance``.
    levels : sequence of float
        Nominal coverages.
    factor : ndarray of float, shape (n_series, horizon), or None
        By which the variance grows for other reasons; what it adds has the normal shape.

    Returns
    -------
    low, high : ndarray of float, shape (n_levels, n_series, horizon)
        ``low`` is never above 0 and ``high`` never below; missing where a series has no error to learn from.
    """
    if errors.shape[1] == 0:
        unknown = np.full((len(levels), len(errors), errors.shape[2]), np.nan)
        return unknown, unknown.copy()
    variance, freedom = error_variance(errors, growth, wander)
    own = variance if factor is None else variance * np.minimum(factor, 1.0)
    added = np.zeros_like(variance) if factor is None else variance * np.maximum(factor - 1.0, 0.0)
    shape = np.divide(errors, np.sqrt(variance)[:, None, :], out=np.zeros_like(errors), where=variance[:, None, :] > 0)
    shape = np.where(np.isfinite(errors), shape, np.nan).reshape(len(errors), -1)
    shape = np.sort(shape, axis=1)
    trust = freedom / (freedom + _SHAPE_FROM)
    ends = []
    for level in levels:
        tail = (1 + level) / 2
        normal = ndtri(tail)
        below = np.minimum((1 - trust) * -normal + trust * _quantile(shape, 1 - tail)[:, None], 0.0)
        above = np.maximum((1 - trust) * normal + trust * _quantile(shape, tail)[:, None], 0.0)
        # Few errors leave the standard deviation itself unsure, which is what Student's t allows for.
        wider = stdtrit(np.where(np.isfinite(freedom), freedom, 1.0), tail) / normal
        reach = [wider * np.sqrt(own * side**2 + added * normal**2) for side in (below, above)]
        ends.append((-reach[0], reach[1]))
    low, high = (np.array(side) for side in zip(*ends, strict=True))
    return low, high


def _quantile(ordered: Floats, share: float) -> Floats:
    """Give a quantile of each row that is sorted with its missing values last; 0 for a row without any value.

    numpy's own ``nanquantile`` takes one row after the other.
    """
    count = np.isfinite(ordered).sum(axis=1)
    place = np.maximum(count - 1, 0) * share
    before = np.floor(place).astype(np.intp)
    after = np.minimum(before + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(ordered, side[:, None], axis=1)[:, 0] for side in (before, after))
    return np.where(count > 0, low + (place - before) * (high - low), 0.0)
