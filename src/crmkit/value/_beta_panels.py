"""Quadrature over a beta distribution for functions that change fast near 0: panels that grow from a fine first one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaln

from crmkit.value._beta_expectation import beta_rule

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["beta_panels"]

_NODES = 24
_PER_PANEL = 16
_RATIO = 3.0
_FIRST = 4.0

_CONCENTRATED = 6.0
"""A first parameter above this leaves so little weight near 0 that one rule over the whole interval does."""

_WHOLE = 128
_NEGLIGIBLE = 1e-19


def beta_panels(a: float, b: float, sharpness: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give nodes and weights for the mean of a function over a Beta(a, b).

    A function such as ``(1 + p sharpness / s)^-s`` changes where ``p`` is of the order of ``1 / sharpness``, which one
    Gaussian rule cannot reach. The first panel is that wide and takes the power of ``p`` into its weight; each
    next one is three times as wide as all before it; the last, from one half on, takes in the power of ``1 - p``.

    Parameters
    ----------
    a, b : float
        Parameters of the distribution, positive.
    sharpness : float
        One over the distance from 0 on which the function changes.

    Returns
    -------
    nodes, weights : ndarray of float, shape (n_nodes,)
        In (0, 1); nodes whose weight is below rounding are left out.
    """
    if a > _CONCENTRATED:
        return beta_rule(a, b, _WHOLE)
    log_beta = betaln(a, b)
    first = min(0.5, _FIRST / (b + sharpness))
    s, w = _rule(a, 1.0)
    nodes, weights = [first * s], [w / a * np.exp(a * np.log(first) + (b - 1) * np.log1p(-first * s) - log_beta)]
    if first < 0.5:
        n_panels = int(np.ceil(np.log(0.5 / first) / np.log(_RATIO)))
        edges = np.geomspace(first, 0.5, n_panels + 1)
        at, width = _legendre()
        half = np.diff(edges)[:, None] / 2
        p = (edges[:-1, None] + half * (at + 1)).ravel()
        nodes.append(p)
        weights.append((half * width).ravel() * np.exp((a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - log_beta))
    s, w = _rule(1.0, b)
    p = (1 + s) / 2
    nodes.append(p)
    weights.append(w / b * np.exp((a - 1) * np.log(p) - b * np.log(2) - log_beta))
    p, weight = np.concatenate(nodes), np.concatenate(weights)
    kept = weight > _NEGLIGIBLE
    return p[kept], weight[kept]


@lru_cache(maxsize=1024)
def _rule(a: float, b: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keep the rules of the panels at both ends, which many customers share."""
    return beta_rule(a, b, _NODES)


@lru_cache(maxsize=1)
def _legendre() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keep the rule of the panels between."""
    nodes, weights = np.polynomial.legendre.leggauss(_PER_PANEL)
    return nodes, weights
