"""Turns discounted sums over time into weighted sums of a few cumulative forecasts, the same for all customers."""

from __future__ import annotations

from math import ceil, isinf, log, log1p
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["schedule"]

_EXACT = 4096
"""Periods that are added one by one; the terms after them change so slowly that their sum is an integral."""

_SPENT = 40.0
"""An endless horizon ends where money is worth exp(-40) of what it is now."""

_LEGENDRE = 200


def schedule(
    horizon: float, years: float, annual_discount_rate: float, *, origin: float = 1.0, tolerance: float = 1e-9
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give times and weights such that the weighted cumulative purchases at them are the discounted sum.

    The purchases of each period are discounted from its end. Their sum is linear in the cumulative purchases at the
    ends of the periods, which are a smooth function of time: beyond a few periods they are interpolated from Chebyshev
    points of ``log(origin + time)``, whose weights are worked out once for all customers.

    Parameters
    ----------
    horizon : float
        In periods; a part of a period is discounted from its own end. May be infinite.
    years : float
        Length of a period.
    annual_discount_rate : float
        Greater than -1; positive for an infinite horizon.
    origin : float, default=1.0
        How long before the cutoff the forecast, continued backwards, has its first pole.
    tolerance : float, default=1e-9
        Of the interpolation, relative.

    Returns
    -------
    times, weights : ndarray of float, shape (n_times,)
        In periods.

    Raises
    ------
    DataError
        If the horizon is infinite and nothing is discounted.
    """
    if horizon == 0:
        return np.zeros(1), np.zeros(1)
    ends, weights = _sum_to(horizon, years * log1p(annual_discount_rate))
    reach = log1p(float(ends[-1]) / origin)
    # The forecast is analytic in a strip of half-width pi around this axis, which says how many points it takes.
    half = 2 * np.pi / reach
    n_nodes = ceil(-log(tolerance) / log(half + np.sqrt(1 + half**2)))
    if len(ends) <= n_nodes:
        return ends, weights
    angle = np.pi * (np.arange(n_nodes) + 0.5) / n_nodes
    nodes = origin * np.expm1((np.cos(angle) + 1) / 2 * reach)
    place = 2 * np.log1p(ends / origin) / reach - 1
    # Barycentric interpolation at Chebyshev points of the first kind.
    strength = (-1.0) ** np.arange(n_nodes) * np.sin(angle)
    distance = place[:, None] - np.cos(angle)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = strength / distance
        basis = terms / terms.sum(axis=1, keepdims=True)
    hit = distance == 0
    basis[hit.any(axis=1)] = hit[hit.any(axis=1)]
    return nodes, weights @ basis


def _sum_to(horizon: float, force: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the times of the cumulative purchases in the discounted sum, and their weights."""
    if isinf(horizon):
        if force <= 0:
            raise DataError("horizon may be infinite only where annual_discount_rate is positive")
        last = _SPENT / force
    else:
        last = horizon
    exact = min(ceil(last), _EXACT)
    ends = np.arange(1, exact + 1, dtype=np.float64)
    if ceil(last) <= _EXACT:
        # What a horizon without end leaves out at its end is below rounding.
        ends[-1] = last
        discount = np.exp(-force * ends)
        return ends, discount - np.append(discount[1:], 0.0)
    # The weight of the cumulative purchases at k is discount(k) - discount(k + 1); at the end, all of discount(end).
    before_last = ceil(last) - 1.0
    nodes, widths = np.polynomial.legendre.leggauss(_LEGENDRE)
    low, high = np.log(exact + 0.5), np.log(max(before_last - 0.5, exact + 0.5))
    times = np.exp(low + (nodes + 1) / 2 * (high - low))
    between = widths / 2 * (high - low) * times * np.exp(-force * times)
    discount = np.exp(-force * np.array([before_last, last]))
    times = np.concatenate([ends, times, [before_last, last]])
    step = -np.expm1(-force)
    weights = np.concatenate([np.exp(-force * ends) * step, between * step, [discount[0] - discount[1], discount[1]]])
    if before_last == exact:
        # There is nothing between, and the last whole period is one of those added one by one.
        weights[exact - 1] = 0.0
    return times, weights
