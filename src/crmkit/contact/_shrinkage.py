"""Rates of many small groups, pulled towards a mean as strongly as the data say (beta-binomial empirical Bayes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import betaln

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["pulled", "strength"]

WEAKEST, STRONGEST = 0.5, 1e6


def strength(successes: Floats, n: Floats, mean: Floats) -> float:
    """Estimate by how many observations a mean counts, by maximum likelihood of the beta-binomial distribution.

    Groups with one observation say nothing of how groups differ. Where no group has two, or groups differ no more than
    chance would have it, the answer is the strongest: all groups get the mean.
    """
    used = n > 0
    if not (n >= 2).any():
        return STRONGEST
    cells, counts = np.unique(np.stack([successes[used], n[used], mean[used]]), axis=1, return_counts=True)
    y, total, p = cells

    def loss(log_strength: float) -> float:
        a, b = np.exp(log_strength) * p, np.exp(log_strength) * (1 - p)
        return -float(counts @ (betaln(y + a, total - y + b) - betaln(a, b)))

    ends = (np.log(WEAKEST), np.log(STRONGEST))
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-4})
    # Far out the likelihood is flat, and its rounding decides nothing.
    return STRONGEST if loss(ends[1]) <= found.fun + 1e-6 else float(np.exp(found.x))


def pulled(successes: Floats, n: Floats, mean: Floats, variance: Floats, pull: float) -> tuple[Floats, Floats]:
    """Give rates after the pull and their variances, that of the mean itself included.

    With ``w = pull / (n + pull)`` the rate is ``(y + pull mean) / (n + pull)``, and its variance, by the law of total
    variance, that of the beta posterior plus ``w ** 2`` times the variance of the mean.
    """
    rate = (successes + pull * mean) / (n + pull)
    own = rate * (1 - rate) / (n + pull + 1)
    return rate, own + (pull / (n + pull)) ** 2 * variance
