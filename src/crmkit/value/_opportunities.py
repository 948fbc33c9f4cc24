"""The likelihood of purchases at discrete opportunities by customers who may have left at any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betaln, gammaln, psi

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Opportunities"]

_CELLS = 2_000_000
"""Numbers of purchases times periods that are held at once."""


@dataclass(frozen=True)
class Opportunities:
    """Distinct customers who bought at ``x`` of ``n`` opportunities, the last time at number ``t_x``.

    A customer is still there, or left at the beginning of opportunity ``k + 1`` for a ``k`` from ``t_x`` to ``n - 1``.
    The probability of leaving then does not depend on ``t_x`` beyond that ``k >= t_x``, so its sums over ``k`` are
    made once for each distinct ``x``: as sums from ``k`` to the end, whose terms fall, so that the difference of two of
    them keeps its digits. All gamma functions are of a parameter plus a whole number and are looked up in tables.

    Parameters
    ----------
    x, t_x, n : ndarray of int, shape (n_rows,)
        Of each row.
    """

    x: npt.NDArray[np.int64]
    t_x: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]

    @classmethod
    def of(cls, x: Any, t_x: Any, n: Any) -> Opportunities:
        """Make it of numbers that are whole but kept as floats."""
        whole = (np.asarray(one, dtype=np.float64).astype(np.int64) for one in np.broadcast_arrays(x, t_x, n))
        return cls(*whole)

    def stayed(self, params: tuple[float, float, float, float]) -> Floats:
        """Give the log-probability of each row's purchases and of still being there."""
        at = _lookup(gammaln, params, int(self.n.max(initial=0)))
        return self._stayed(at) - _norm(params)

    def left(self, params: tuple[float, float, float, float]) -> Floats:
        """Give the log-probability of each row's purchases and of having left; minus infinity where that cannot be."""
        return self._left(params, slopes=False)[0] - _norm(params)

    def with_slopes(self, params: tuple[float, float, float, float]) -> tuple[Floats, Floats, Floats, Floats]:
        """Give both log-probabilities, then the slopes of each by the four parameters, shape (4, n_rows)."""
        top = int(self.n.max(initial=0))
        norm, flat = _norm(params), _norm_slopes(params)[:, None]
        stayed = self._stayed(_lookup(gammaln, params, top)) - norm
        left, left_slopes = self._left(params, slopes=True)
        return stayed, left - norm, self._stayed_slopes(_lookup(psi, params, top)) - flat, left_slopes - flat

    def _stayed(self, at: _Lookup) -> Floats:
        """Add up the logarithms of B(alpha + x, beta + n - x) and B(gamma, delta + n)."""
        x, n = self.x, self.n
        return np.asarray(at.alpha[x] + at.beta[n - x] - at.both[n] + at.gamma[0] + at.delta[n] - at.leave[n])

    def _stayed_slopes(self, at: _Lookup) -> Floats:
        """Give the slopes of the same."""
        x, n = self.x, self.n
        buying, leaving = at.both[n], at.leave[n]
        return np.array([at.alpha[x] - buying, at.beta[n - x] - buying, at.gamma[0] - leaving, at.delta[n] - leaving])

    def _left(self, params: tuple[float, float, float, float], *, slopes: bool) -> tuple[Floats, Floats]:
        """Add up the chances of having left after the last purchase, times the beta functions that are left out."""
        result, gradient = np.full(len(self.x), -np.inf), np.zeros((4, len(self.x)))
        rows = np.flatnonzero(self.n > self.t_x)
        if not len(rows):
            return result, gradient
        top = int(self.n[rows].max())
        log, slope = _lookup(gammaln, params, top), _lookup(psi, params, top) if slopes else None
        counts, code = np.unique(self.x[rows], return_inverse=True)
        step = max(1, _CELLS // top)
        order = np.argsort(code, kind="stable")
        for begin in range(0, len(counts), step):
            part = order[np.searchsorted(code[order], begin) : np.searchsorted(code[order], begin + step)]
            sums, sum_slopes = _sums_to_the_end(params, counts[begin : begin + step], top, slopes=slopes)
            here, row = rows[part], code[part] - begin
            x, first, end = self.x[here], self.t_x[here], self.n[here]
            at_first = log.alpha[x] + log.beta[first - x] - log.both[first] + log.delta[first] - log.leave[first + 1]
            at_end = log.alpha[x] + log.beta[end - x] - log.both[end] + log.delta[end] - log.leave[end + 1]
            rest = np.exp(at_end - at_first)
            total = np.maximum(sums[first, row] - rest * sums[end, row], 1.0)
            result[here] = at_first + log.gamma[1] + np.log(total)
            if slope is None:
                continue
            by_end = np.array([-slope.both[end], slope.beta[end - x] - slope.both[end], -slope.leave[end + 1],
                               slope.delta[end] - slope.leave[end + 1]])  # fmt: skip
            by_first = np.array([-slope.both[first], slope.beta[first - x] - slope.both[first],
                                 -slope.leave[first + 1], slope.delta[first] - slope.leave[first + 1]])  # fmt: skip
            change = sum_slopes[first, :, row].T - rest * (
                (by_end - by_first) * sums[end, row] + sum_slopes[end, :, row].T
            )
            gradient[:, here] = by_first + change / total
            gradient[0, here] += slope.alpha[x]
            gradient[2, here] += slope.gamma[1]
        return result, gradient


@dataclass(frozen=True)
class _Lookup:
    """A function of each parameter plus 0, 1, 2, ...; ``both`` is of alpha + beta, ``leave`` of gamma + delta."""

    alpha: Floats
    beta: Floats
    both: Floats
    gamma: Floats
    delta: Floats
    leave: Floats


def _lookup(function: Callable[..., Any], params: tuple[float, float, float, float], top: int) -> _Lookup:
    """Evaluate a function for all whole numbers that can occur."""
    alpha, beta, gamma, delta = params
    k = np.arange(top + 2, dtype=np.float64)
    return _Lookup(
        function(alpha + k),
        function(beta + k),
        function(alpha + beta + k),
        function(gamma + k[:2]),
        function(delta + k),
        function(gamma + delta + k),
    )


def _norm(params: tuple[float, float, float, float]) -> float:
    """Give the logarithm of B(alpha, beta) B(gamma, delta)."""
    alpha, beta, gamma, delta = params
    return float(betaln(alpha, beta) + betaln(gamma, delta))


def _norm_slopes(params: tuple[float, float, float, float]) -> Floats:
    """Give its slopes."""
    alpha, beta, gamma, delta = params
    buying, leaving = psi(alpha + beta), psi(gamma + delta)
    return np.array([psi(alpha) - buying, psi(beta) - buying, psi(gamma) - leaving, psi(delta) - leaving])


def _sums_to_the_end(
    params: tuple[float, float, float, float], counts: npt.NDArray[np.int64], top: int, *, slopes: bool
) -> tuple[Floats, Floats]:
    """Add up the chances of leaving at k, k + 1, ..., top - 1 after ``counts`` purchases, over that at k.

    Each sum is 1 and a ratio below 1 times the next sum. The loop is over periods, backwards.

    Returns
    -------
    sums : ndarray of float, shape (top + 1, n_counts)
        0 at ``top``; before ``counts`` periods they mean nothing.
    slopes : ndarray of float, shape (top + 1, 4, n_counts)
        By the parameters; empty where they are not asked for.
    """
    alpha, beta, gamma, delta = params
    k = np.arange(top, dtype=np.float64)
    # So many purchases need as many periods; before them the sums are not read.
    free = beta + np.maximum(k[:, None] - counts, 0.0)
    bought, stayed = 1 / (alpha + beta + k), 1 / (gamma + delta + 1 + k)
    ratio = free * (bought * (delta + k) * stayed)[:, None]
    sums = np.zeros((top + 1, len(counts)))
    grown = np.zeros((top + 1, 4, len(counts))) if slopes else np.empty((0, 4, 0))
    # The slopes of the logarithm of the ratio.
    change = np.empty((4, len(counts)))
    for step in range(top - 1, -1, -1):
        then = sums[step + 1]
        sums[step] = 1 + ratio[step] * then
        if slopes:
            change[0], change[2], change[3] = -bought[step], -stayed[step], 1 / (delta + step) - stayed[step]
            change[1] = 1 / free[step] - bought[step]
            grown[step] = ratio[step] * (change * then + grown[step + 1])
    return sums, grown
