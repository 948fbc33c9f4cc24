"""How regular the gaps between purchases are, estimated from each customer's shares of their own time."""

from __future__ import annotations

from math import exp, inf, nan
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, psi
from scipy.stats import chi2

from crmkit.core.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["regularity"]

_METHOD = "conditional likelihood"
_REACH = 14.0
"""Logarithm of the regularity beyond which gaps are as good as those of a clock."""


def regularity(
    x: npt.NDArray[np.float64], gap_evenness: npt.NDArray[np.float64] | None, *, level: float = 0.95
) -> tuple[Estimate, float]:
    """Estimate the shape of gamma distributed gaps, and test whether they are random.

    Given how often a customer bought again and how long that took, the gaps' shares of that time are Dirichlet
    distributed with the regularity as the only parameter: neither the rates, nor who left, nor where the table ends
    matter. Wheat and Morrison compare two adjacent gaps; this is the same idea for all gaps of a customer, and with two
    gaps each it is the maximum likelihood of their model.

    Parameters
    ----------
    x : ndarray of float, shape (n_customers,)
        Repeat purchases; customers with fewer than two say nothing.
    gap_evenness : ndarray of float, shape (n_customers,), or None
        Geometric over arithmetic mean of each customer's gaps; None where it is not known.
    level : float, default=0.95
        Coverage of the interval, which is that of the likelihood ratio.

    Returns
    -------
    estimate : Estimate
        1 is random (exponential gaps), more is more regular, infinity a clock; not a number where nobody bought twice
        again, or nothing is known of the gaps.
    p_value : float
        Of random gaps, by the likelihood ratio.

    References
    ----------
    Wheat, R. D. and Morrison, D. G. (1990), doi:10.1287/mksc.9.2.87.
    """
    told = x >= 2
    n = 0 if gap_evenness is None else int(told.sum())
    if gap_evenness is None or n == 0:
        return Estimate(nan, n=0, low=nan, high=nan, level=level, method=_METHOD), nan
    gaps, weights = np.unique(x[told], return_counts=True)
    log_shares = float(x[told] @ (np.log(gap_evenness[told]) - np.log(x[told])))

    def log_likelihood(log_shape: float) -> float:
        shape = exp(log_shape)
        return float(weights @ (gammaln(shape * gaps) - gaps * gammaln(shape))) + shape * log_shares

    def score(log_shape: float) -> float:
        shape = exp(log_shape)
        return float((weights * gaps) @ (psi(shape * gaps) - psi(shape))) + log_shares

    if score(_REACH) >= 0:
        return Estimate(inf, n=n, low=inf, high=inf, level=level, method=_METHOD), 0.0
    best = _root(score, -_REACH, _REACH)
    most = log_likelihood(best)
    drop = chi2.ppf(level, 1) / 2

    def beyond(log_shape: float) -> float:
        return log_likelihood(log_shape) - most + drop

    low = exp(_root(beyond, -_REACH, best)) if beyond(-_REACH) < 0 else 0.0
    high = exp(_root(beyond, best, _REACH)) if beyond(_REACH) < 0 else inf
    p_value = float(chi2.sf(2 * max(most - log_likelihood(0.0), 0.0), 1))
    return Estimate(exp(best), n=n, low=low, high=high, level=level, method=_METHOD), p_value


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function changes its sign."""
    return float(brentq(function, low, high, xtol=1e-12))
