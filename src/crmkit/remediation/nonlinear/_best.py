"""The best intensity of each case at given prices, all cases at once, and how much better a better one could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Best", "best_intensity"]

_END = 1e-8
_EXACT = 1e-10
_NARROW = 1e-10
_ROUNDS = 80
_GOLDEN = 0.3819660112501051
_LOPSIDED = 8.0


class Best(NamedTuple):
    """The best intensities at some prices.

    Parameters
    ----------
    intensity : ndarray, shape (n_pairs,)
        Of each case.
    slack : ndarray, shape (n_pairs,)
        By how much a better intensity could be better, proved for concave responses.
    """

    intensity: Floats
    slack: Floats


def best_intensity(response: Response, prices: Floats, start: Floats | None = None) -> Best:
    """Find each case's intensity with the largest value less what it uses at the prices.

    A bracket of three points shrinks by parabolas through them, and by probes of the longer side where it is lopsided.
    What lies between the points of a concave function stays below the lines through its neighbours, which proves how
    far the best point can be above the middle one.

    Parameters
    ----------
    response : Response
        Concave in the intensity.
    prices : ndarray, shape (n_rows,)
        Of the rows that depend on the intensity.
    start : ndarray, shape (n_pairs,), or None
        Intensities near the best ones, where they are known: saves work.

    Returns
    -------
    Best
        Exact to 1e-10 of the value, or to 1e-10 of the range where there is a kink.
    """
    low, high = response.low, response.high
    width = high - low
    step = _END * width
    ends = [response.at(at).reduced(prices) for at in (low, low + step, high - step, high)]
    first, second, before, last = ends
    falls = first >= second
    rises = ~falls & (last >= before)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Beyond the nearest points the lines through the farther ones are above a concave function.
        above_low = second + np.maximum(second - last, 0.0) / (width - step) * step - first
        above_high = before + np.maximum(before - first, 0.0) / (width - step) * step - last
    intensity = np.where(falls, low, high)
    slack = np.where(width > 0, np.maximum(np.where(falls, above_low, above_high), 0.0), 0.0)
    inner = np.flatnonzero(~falls & ~rises & (width > 0))
    if len(inner):
        near = low + _GOLDEN * width if start is None else np.clip(start, low + step, high - step)
        found = _Brackets(response.take(inner), prices, near[inner], first[inner], last[inner]).shrink()
        intensity[inner], slack[inner] = found
    return Best(intensity, np.where(np.isfinite(slack), slack, np.inf))


class _Brackets:
    """Three points a case, the best of a concave function between the outer ones."""

    def __init__(self, response: Response, prices: Floats, near: Floats, first: Floats, last: Floats) -> None:
        self.response, self.prices = response, prices
        self.x = np.stack([response.low, near, response.high])
        self.f = np.stack([first, response.at(near).reduced(prices), last])
        self.narrow = _NARROW * (response.high - response.low)
        self.size = np.maximum(np.abs(self.f).max(axis=0), np.finfo(float).tiny)
        self.at = np.arange(len(near))

    def shrink(self) -> tuple[Floats, Floats]:
        """Shrink all brackets; gives the best points and how far they can be below the best."""
        n_pairs = self.x.shape[1]
        intensity, slack = np.empty(n_pairs), np.empty(n_pairs)
        for _ in range(_ROUNDS):
            above = self._above()
            wide = (self.x[2] - self.x[0]) > self.narrow
            going = wide & ~(above <= _EXACT * self.size)
            stopped = ~going
            intensity[self.at[stopped]], slack[self.at[stopped]] = self.x[1, stopped], above[stopped]
            if not going.any():
                return intensity, slack
            if stopped.any():
                self._keep(np.flatnonzero(going))
            self._probe(self._candidate())
        intensity[self.at], slack[self.at] = self.x[1], self._above()
        return intensity, slack

    def _keep(self, where: npt.NDArray[np.intp]) -> None:
        """Go on with some of the cases."""
        self.response = self.response.take(where)
        self.x, self.f = self.x[:, where], self.f[:, where]
        self.narrow, self.size, self.at = self.narrow[where], self.size[where], self.at[where]

    def _above(self) -> Floats:
        """Say how far above the middle point the lines through two points leave room for a third."""
        left, right = self.x[1] - self.x[0], self.x[2] - self.x[1]
        f_left, f_right = self.f[1] - self.f[0], self.f[1] - self.f[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.maximum(f_right * left / right, f_left * right / left))

    def _candidate(self) -> Floats:
        """Choose the next point of each bracket: strictly inside and not the middle one."""
        x, f = self.x, self.f
        left, right = x[1] - x[0], x[2] - x[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope_left, slope_right = (f[1] - f[0]) / left, (f[2] - f[1]) / right
            vertex = x[1] + (slope_left * right + slope_right * left) / (2.0 * (slope_left - slope_right))
        golden = np.where(left > right, x[1] - _GOLDEN * left, x[1] + _GOLDEN * right)
        least = 0.02 * np.minimum(left, right)
        usable = (vertex > x[0] + least) & (vertex < x[2] - least)
        near = np.where(usable, vertex, golden)
        # A parabola through a lopsided bracket moves one side only: then the long side is cut near the middle.
        near = np.where(right > _LOPSIDED * left, np.maximum(near, x[1] + 2.0 * left), near)
        near = np.where(left > _LOPSIDED * right, np.minimum(near, x[1] - 2.0 * right), near)
        near = np.where((f[1] < f[0]), x[0] + _GOLDEN * left, near)
        near = np.where((f[1] < f[2]) & (f[1] >= f[0]), x[2] - _GOLDEN * right, near)
        close = np.abs(near - x[1]) < np.maximum(least, 0.25 * self.narrow)
        away = np.where(right >= left, x[1] + np.maximum(0.05 * right, least), x[1] - np.maximum(0.05 * left, least))
        return np.asarray(np.where(close, away, near))

    def _probe(self, near: Floats) -> None:
        """Work the next points out and keep the three points around the best of each bracket."""
        value = self.response.at(near).reduced(self.prices)
        x, f = self.x, self.f
        after = near > x[1]
        points = np.where(after, np.stack([x[0], x[1], near, x[2]]), np.stack([x[0], near, x[1], x[2]]))
        values = np.where(after, np.stack([f[0], f[1], value, f[2]]), np.stack([f[0], value, f[1], f[2]]))
        # The ends are never the best: the function rises from one and falls to the other.
        middle = 1 + (values[2] > values[1])
        column = np.arange(x.shape[1])
        take = np.stack([middle - 1, middle, middle + 1])
        self.x, self.f = points[take, column], values[take, column]
