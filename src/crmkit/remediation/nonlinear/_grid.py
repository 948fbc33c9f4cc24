"""The best of many levels for responses of any shape, with finer levels around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]

__all__ = ["best_on_grid", "grid"]

_SECTIONS = 30
_GOLDEN = 0.6180339887498949


def grid(response: Response, n_levels: int) -> list[Floats]:
    """Give evenly spaced levels of the range, both ends among them."""
    width = response.high - response.low
    return [response.low + share * width for share in np.linspace(0.0, 1.0, n_levels)]


def best_on_grid(response: Response, prices: Floats, n_levels: int) -> Floats:
    """Find each case's best intensity at the prices: the best level, and the best between its neighbours.

    Parameters
    ----------
    response : Response
        Of any shape.
    prices : ndarray, shape (n_rows,)
        Of the rows that depend on the intensity.
    n_levels : int
        At least 2.

    Returns
    -------
    ndarray, shape (n_pairs,)
        The best near the best level; a narrow peak between two levels is not seen.
    """
    best, most = response.low.copy(), np.full(response.n_pairs, -np.inf)
    for level in grid(response, n_levels):
        value = response.at(level).reduced(prices)
        better = value > most
        best[better], most[better] = level[better], value[better]
    step = (response.high - response.low) / (n_levels - 1)
    low, high = np.maximum(best - step, response.low), np.minimum(best + step, response.high)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = response.at(left).reduced(prices), response.at(right).reduced(prices)
    for _ in range(_SECTIONS):
        lower = at_left >= at_right
        low, high = np.where(lower, low, left), np.where(lower, right, high)
        near = np.where(lower, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        value = response.at(near).reduced(prices)
        left, right = np.where(lower, near, right), np.where(lower, left, near)
        at_left, at_right = np.where(lower, value, at_right), np.where(lower, at_left, value)
    middle = np.where(at_left >= at_right, left, right)
    return np.where(np.maximum(at_left, at_right) > most, middle, best)
