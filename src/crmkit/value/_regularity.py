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

__all__ = ["regularity", "regularity_of_days"]

_BY_DAYS = 3.5
"""What rounding to days adds to the regularity of random gaps, times the gap in days: 2.5 to 3.4 was measured over
gaps of 2 to 40 days and rates from nearly equal to very unequal."""

_METHOD = "conditional likelihood"
_REACH = 14.0
"""Logarithm of the regularity beyond which gaps are as good as those of a clock."""


_WHOLE = 1e-6


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


def regularity_of_days(x: npt.NDArray[np.float64], t_x: npt.NDArray[np.float64]) -> float:
    """Give the most regular that random gaps look because purchases are known by the day.

    Two purchases of one day are one, so no gap is shorter than a day. What counts is the gap of the frequent buyers,
    who give most of the gaps: gaps are averaged with the purchase rates as weights.

    Parameters
    ----------
    x : ndarray of float, shape (n_customers,)
        Repeat purchases; customers with fewer than two say nothing.
    t_x : ndarray of float, shape (n_customers,)
        Age at the last purchase, in days.

    Returns
    -------
    float
        1 where purchases are known to less than a day.
    """
    told = (x >= 2) & (t_x > 0)
    if not told.any() or np.abs(t_x - np.round(t_x)).max() > _WHOLE:
        return 1.0
    x, t_x = x[told], t_x[told]
    return 1.0 + _BY_DAYS * float(x @ (x / t_x)) / float(x.sum())


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function changes its sign."""
    return float(brentq(function, low, high, xtol=1e-12))
