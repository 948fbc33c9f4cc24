"""Whether a period differs from those before it, with p-values that hold far out in the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["alarm_p_values", "coarse"]

_MOST_VALUES = 64
_ENOUGH = 20
"""A permutation test stops when so many draws were as extreme: its p-value is then known well enough."""

_DOUBTFUL = 20.0
"""P-values of Student's t below so many times the limit are worked out by permutation."""


def coarse(score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Replace scores of many different values by the means of at most 64 bins of equal size.

    Parameters
    ----------
    score : ndarray, shape (n_rows,)
        Finite.

    Returns
    -------
    ndarray, shape (n_rows,)
        The same where there are few different values.
    """
    codes = np.unique(score, return_inverse=True)[1].reshape(-1)
    if int(codes.max()) < _MOST_VALUES:
        return score
    # The largest values weigh most in a mean: halving bins toward the top keeps them apart.
    cuts = np.unique(np.quantile(score, np.concatenate([np.linspace(0, 0.9, 48)[1:], 1 - 0.1 * 0.7 ** np.arange(16)])))
    bins = np.searchsorted(cuts, score, side="left")
    return np.asarray((np.bincount(bins, weights=score) / np.maximum(np.bincount(bins), 1))[bins], dtype=np.float64)


def alarm_p_values(
    counts: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    sums: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    limit: float,
    *,
    cost: float = 1.0,
    wander: float = 0.0,
    random_state: int = 0,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compare each period with all since the last alarm.

    Student's t is right in the middle and wrong far out, where an alarm that must be rare is decided: with 30 skewed
    numbers a period it would give three times the false alarms. So p-values near the limit are worked out by drawing
    the period's rows anew from all rows compared, which is exact if nothing changed, whatever the distribution.

    Parameters
    ----------
    counts : ndarray of int, shape (n_periods, n_values)
        Rows of each period and (coarse) score; a period of zeros is not compared.
    values : ndarray, shape (n_values,)
        The scores.
    sums : tuple of ndarray, shape (n_periods,)
        Sum and sum of squares of the exact scores.
    limit : float
        P-values below it are alarms, after which the comparison starts anew.
    cost : float, default=1.0
        How many rows are worth one independent row.
    wander : float, default=0.0
        Standard deviation of the periods' true means that is nothing to be told of, in the scores' unit.
    random_state : int, default=0
        Of the draws.

    Returns
    -------
    expected, p_value : ndarray, shape (n_periods,)
        NaN where there is nothing to compare with.

    References
    ----------
    Besag, J., & Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.
    doi:10.1093/biomet/78.2.301
    """
    rng = np.random.default_rng(random_state)
    n = counts.sum(axis=1)
    expected, p_value = np.full(len(n), np.nan), np.full(len(n), np.nan)
    before, moments = np.zeros(len(values), dtype=np.int64), np.zeros(4)
    for at in np.flatnonzero(n > 0):
        now = np.array([n[at], sums[0][at], sums[1][at], float(n[at]) ** 2], dtype=np.float64)
        if moments[0] > 0:
            expected[at] = moments[1] / moments[0]
            p_value[at] = _t(moments, now, cost, wander)
            if p_value[at] < _DOUBTFUL * limit:
                least = p_value[at] if cost > 1 or wander > 0 else 0.0
                p_value[at] = max(least, _redrawn(before, counts[at], values, limit, rng))
            if p_value[at] < limit:
                before, moments = np.zeros_like(before), np.zeros(4)
        before, moments = before + counts[at], moments + now
    return expected, p_value


def _t(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64], cost: float, wander: float) -> float:
    """Give Student's p-value of two means of one variance; 1 where nothing varies."""
    means = before[1] / before[0], now[1] / now[0]
    within = before[2] + now[2] - before[0] * means[0] ** 2 - now[0] * means[1] ** 2
    rows = before[0] + now[0]
    # Each earlier period wandered by itself: their mean does so less.
    own = wander**2 * (1 + before[3] / before[0] ** 2)
    # Rounding leaves a trace of variance where all scores of a side are equal.
    if within <= 1e-12 * (before[2] + now[2]):
        if own == 0:
            return 0.0 if abs(means[1] - means[0]) > 1e-9 * (abs(means[0]) + abs(means[1])) else 1.0
        within = 0.0
    freedom = max(rows / cost - 2, 1.0)
    error = np.sqrt(within / (rows - 2) * cost * (1 / before[0] + 1 / now[0]) + own) if rows > 2 else np.inf
    return float(2 * stdtr(freedom, -abs(means[1] - means[0]) / error))


def _redrawn(
    before: npt.NDArray[np.int64],
    now: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    limit: float,
    rng: np.random.Generator,
) -> float:
    """Give the share of draws of the period's rows, from all rows, whose mean is as far from that of all."""
    there = before + now > 0
    pool, values = (before + now)[there], values[there]
    size = int(now.sum())
    middle = float(pool @ values) / float(pool.sum())
    distance = abs(float(now[there] @ values) / size - middle) * (1 - 1e-9)
    most = int(np.ceil(_ENOUGH / limit))
    drawn = extreme = 0
    while drawn < most:
        batch = min(max(1000, drawn), most - drawn, 20_000)
        means = rng.multivariate_hypergeometric(pool, size, size=batch, method="marginals") @ values / size
        hits = np.cumsum(np.abs(means - middle) >= distance)
        if extreme + hits[-1] >= _ENOUGH:
            stop = int(np.searchsorted(hits, _ENOUGH - extreme)) + 1
            return _ENOUGH / (drawn + stop)
        drawn, extreme = drawn + batch, extreme + int(hits[-1])
    return (extreme + 1) / (drawn + 1)
