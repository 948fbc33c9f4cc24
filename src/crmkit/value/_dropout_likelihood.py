"""The likelihood of customers who buy with Erlang gaps and may leave right after a purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln, psi

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective

__all__ = ["STAGES_MOST", "negative_log_likelihood", "unseen_stages", "usual_starts"]

STAGES_MOST = 50
"""Stages of a gap: with more, the sums of their weights could overflow for customers with thousands of purchases."""


def usual_starts(rate: float) -> list[list[float]]:
    """Give log-parameters ``r``, ``alpha``, ``a``, ``b`` to begin with: usual shapes at a rate, then rarer ones.

    Parameters
    ----------
    rate : float
        Stages in a unit of time, of which a purchase takes one or more.

    Returns
    -------
    list of list of float
        Four starting points.
    """
    shapes = [(0.5, 0.8, 2.5), (1.0, 0.3, 6.0), (0.2, 1.5, 1.5), (3.0, 0.1, 20.0)]
    return [[float(np.log(value)) for value in (r, r / rate, a, b)] for r, a, b in shapes]


def negative_log_likelihood(x: Any, t_x: Any, T: Any, weights: Any, *, k: int, at_first: bool) -> Objective:
    """Prepare the negative log-likelihood of ``r``, ``alpha``, ``a`` and ``b`` and its gradient.

    A gap is a sum of ``k`` exponential stages at the customer's rate, which is gamma distributed (``r``, ``alpha``).
    The customer leaves after a purchase with a probability of their own, beta distributed (``a``, ``b``). What has not
    ended yet counts as well: a customer who stayed has gone through fewer than ``k`` stages since the last purchase.
    Left out is ``(k - 1)`` times the sum of the logarithms of the gaps less the logarithm of ``(k - 1)!`` for each,
    which does not depend on the parameters.

    Parameters
    ----------
    x, t_x, T, weights : ndarray of float, shape (n_customers,)
        Repeat purchases, age at the last one, age, and how many customers are like that.
    k : int
        Stages of a gap; 1 is a Poisson process.
    at_first : bool
        Whether customers may leave right after their first purchase, or only after repeats.

    Returns
    -------
    callable
        From the logarithms of the four parameters to the value and its gradient.
    """
    counts, code = np.unique(x, return_inverse=True)
    per_count = np.bincount(code, weights)
    total = weights.sum()
    occasions = counts + at_first
    may_have_left = x + at_first > 0
    before = np.maximum(x + at_first - 1.0, 0.0)

    def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        r, alpha, a, b = np.exp(theta)
        shape = r + k * x
        end, last = alpha + T, alpha + t_x
        log_end, log_last = np.log(end), np.log(last)
        unseen, by_shape, by_share = unseen_stages(shape, (T - t_x) / end, k)
        stayed = np.log(unseen) - shape * log_end
        left = np.where(may_have_left, np.log(a) - np.log(b + before) - shape * log_last, -np.inf)
        either = np.logaddexp(stayed, left)
        w_left = weights * np.exp(left - either)
        w_stayed = weights - w_left
        by_count = (
            gammaln(r + k * counts) - gammaln(r)
            + gammaln(a + b) - gammaln(a + b + occasions) + gammaln(b + occasions) - gammaln(b)
        )  # fmt: skip
        value = per_count @ by_count + total * r * theta[1] + weights @ either
        shared = per_count @ (psi(a + b) - psi(a + b + occasions))
        per_stage = w_stayed / unseen
        gradient = np.array(
            [
                per_count @ (psi(r + k * counts) - psi(r)) + total * theta[1] + per_stage @ by_shape
                - w_stayed @ log_end - w_left @ log_last,
                total * r / alpha - shape @ (w_stayed / end + w_left / last)
                - per_stage @ (by_share * (T - t_x) / end**2),
                shared + w_left.sum() / a,
                shared + per_count @ (psi(b + occasions) - psi(b)) - w_left @ (1 / (b + before)),
            ]
        )  # fmt: skip
        return -float(value), -gradient * np.exp(theta)

    return objective


def unseen_stages(
    shape: npt.NDArray[np.float64], share: npt.NDArray[np.float64], k: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sum the weights of 0, 1, ..., k - 1 stages gone through since the last purchase.

    Parameters
    ----------
    shape : ndarray of float
        Shape of the gamma distribution of a customer's rate as known at the last purchase.
    share : ndarray of float
        Time since the last purchase over ``alpha + T``, in [0, 1).
    k : int
        Stages of a gap.

    Returns
    -------
    total, by_shape, by_share : ndarray of float
        The sum of ``share^j (shape)_j / j!``, which is at least 1, and its derivatives.
    """
    total, by_shape, by_share = np.ones_like(shape), np.zeros_like(shape), np.zeros_like(shape)
    weight, slope = np.ones_like(shape), np.zeros_like(shape)
    for j in range(1, k):
        reach = shape + (j - 1)
        by_share += reach * weight
        slope = (slope * reach + weight) * (share / j)
        weight = weight * reach * (share / j)
        total += weight
        by_shape += slope
    return total, by_shape, by_share
