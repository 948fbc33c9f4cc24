"""Rates of many small groups, pulled towards a mean as strongly as the data say (beta-binomial empirical Bayes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import betaln

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["pulled", "spread", "strength"]

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


def spread(successes: Floats, n: Floats, mean: Floats) -> float:
    """Estimate how far the rates of groups differ, as the share of ``mean (1 - mean)`` that their variance is.

    A strength ``s`` is a share of ``1 / (1 + s)``. What counts for an interval is not the likeliest share, which is
    often none at all, but the mean of all that the counts allow. Before them it is expected to be about a tenth (the
    prior Beta(1, 9)), which decides where no group has two observations, and hardly anything where many have.
    """
    used = n > 0
    cells, counts = np.unique(np.stack([successes[used], n[used], mean[used]]), axis=1, return_counts=True)
    y, total, p = cells
    shares = np.geomspace(1e-6, 0.9, 80)
    strengths = (1 - shares) / shares
    fits = np.array(
        [counts @ (betaln(y + s * p, total - y + s * (1 - p)) - betaln(s * p, s * (1 - p))) for s in strengths]
    )
    # Points stand as far apart as they are large.
    weights = np.exp(fits - fits.max()) * (1 - shares) ** 8 * shares
    return float(weights @ shares / weights.sum())


def pulled(
    successes: Floats, n: Floats, mean: Floats, variance: Floats, pull: float, share: float
) -> tuple[Floats, Floats]:
    """Give rates after the pull and the mean squares of their errors, that of the mean itself included.

    With ``w = pull / (n + pull)`` the rate is ``(y + pull mean) / (n + pull)``. Its error is ``1 - w`` times that of
    the group's own share of successes, plus ``w`` times how far the group lies from the mean (by ``spread``), plus
    ``w`` times the error of the mean. Where ``share`` is ``1 / (1 + pull)`` this is the variance of the beta posterior.
    """
    rate = (successes + pull * mean) / (n + pull)
    weight = pull / (n + pull)
    size = 1 / share - 1
    whole = rate * (1 - rate) * (n + size) / (n + size + 1) / (1 - share)
    own = (1 - weight) ** 2 * (1 - share) / np.maximum(n, 1) + weight**2 * share
    return rate, whole * own + weight**2 * variance
