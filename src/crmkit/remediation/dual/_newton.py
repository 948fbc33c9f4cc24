"""Prices that minimise the smoothed bound, by Newton's method within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation.dual._sweep import sweep

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation.dual._sweep import Swept

    Floats = npt.NDArray[np.float64]

__all__ = ["Descent", "box_step"]

_ROUNDS = 25
_REACH = 3.0
_SAMPLED = 20_000
_STEPS = 40
_HALVINGS = 20


def box_step(curvature: Floats, gradient: Floats, low: Floats, high: Floats) -> Floats:
    """Minimise ``gradient . d + d . curvature d / 2`` over ``low <= d <= high`` by projected Newton steps.

    Parameters
    ----------
    curvature : ndarray of shape (n_rows, n_rows)
        Positive definite.
    gradient, low, high : ndarray, shape (n_rows,)
        With ``low <= 0 <= high``.

    Returns
    -------
    ndarray, shape (n_rows,)
        Never worse than 0; the minimum to about one part in a thousand of what is gained.

    References
    ----------
    Bertsekas 1982, "Projected Newton methods for optimization problems with simple constraints",
    doi:10.1137/0320018.
    """
    step = np.zeros(len(gradient))
    slope, value = gradient.copy(), 0.0
    for _ in range(_STEPS):
        held = ((step <= low) & (slope >= 0)) | ((step >= high) & (slope <= 0))
        free = np.flatnonzero(~held)
        if not len(free):
            break
        way = np.linalg.solve(curvature[np.ix_(free, free)], -slope[free])
        before = value
        for halvings in range(_HALVINGS):
            trial = step.copy()
            trial[free] = np.clip(step[free] + 0.5**halvings * way, low[free], high[free])
            bent = curvature @ trial
            reached = float(gradient @ trial + 0.5 * trial @ bent)
            if reached < value:
                step, slope, value = trial, gradient + bent, reached
                break
        if before - value <= 1e-3 * -value:
            break
    return step


class Descent:
    """Follows the minimum of the smoothed bound as the width of smoothing shrinks.

    Parameters
    ----------
    blocks : Blocks
        The problem, or a sample of it.
    prices : ndarray, shape (n_rows,)
        Where to start.
    top : ndarray, shape (n_rows,)
        Prices are kept from 0 to this.
    size : ndarray, shape (n_rows,)
        A typical coefficient of each row.

    Attributes
    ----------
    damping : float
        What is added to the scaled curvature; carried over to the next descent it saves steps.
    below : float
        A bound lower than this is low enough: the descent ends there.
    bound, best : float, ndarray
        The lowest bound seen and the prices that prove it.
    near : int
        Groups near a tie in the last pass.
    any_plan : bool
        End as soon as some shared choice keeps every row that may have a price.
    kept : bool
        Some shared choice did.
    settled : bool
        Every descent came to its minimum; False where one ran out of steps on the way.
    """

    def __init__(self, blocks: Blocks, prices: Floats, top: Floats, size: Floats) -> None:
        self.blocks, self.prices, self.top, self.size = blocks, np.clip(prices, 0.0, top), top, size
        self.damping = 1e-3
        self.below = -np.inf
        self.any_plan = False
        self.kept = False
        self.settled = True
        self.near = 0
        self.bound = np.inf
        self.best = self.prices

    def _sweep(self, prices: Floats, width: float) -> Swept:
        """Go through the cases once and keep the best bound."""
        every = max(1, -(-self.near // _SAMPLED))
        found = sweep(self.blocks, prices, width, every=every, size=self.size)
        self.near = found.near
        if found.bound < self.bound:
            self.bound, self.best = found.bound, prices
        self.kept |= bool(np.all(found.gradient[self.top > 0] >= 0))
        return found

    @property
    def done(self) -> bool:
        """Whether what was asked is known."""
        return self.bound < self.below or (self.any_plan and self.kept)

    def at(self, width: float, *, closeness: float = 0.02) -> Swept:
        """Go to the minimum for one width, until what a step promises is a small part of what smoothing adds.

        Parameters
        ----------
        width : float
            Of smoothing.
        closeness : float, default=0.02
            How small a part.

        Returns
        -------
        Swept
            The pass at the prices found.
        """
        now = self._sweep(self.prices, width)
        reach = _REACH
        for _ in range(_ROUNDS):
            if self.done:
                break
            # A row that no near group uses has no curvature: one typical use stands in for it.
            scale = 1.0 / np.sqrt(np.maximum(now.scale, self.size**2 / width))
            bent = now.curvature * scale[:, None] * scale
            bent[np.diag_indices(len(scale))] += self.damping
            slope = now.gradient * scale
            far = reach * width / self.size
            low, high = np.maximum(-self.prices, -far) / scale, np.minimum(self.top - self.prices, far) / scale
            step = box_step(bent, slope, low, high)
            promised = -float(slope @ step + 0.5 * step @ bent @ step)
            if promised <= closeness * (now.smooth - now.bound) + 1e-13 * abs(now.bound):
                break
            trial = np.clip(self.prices + scale * step, 0.0, self.top)
            then = self._sweep(trial, width)
            kept = (now.smooth - then.smooth) / promised
            if kept > 1e-3:
                self.prices, now = trial, then
            if kept > 0.7:
                self.damping, reach = max(self.damping * 0.1, 1e-7), min(2 * reach, _REACH)
            elif kept < 0.25:
                self.damping, reach = self.damping * 3, reach * (0.5 if kept > 1e-3 else 0.25)
            if self.damping > 1e6:
                break
        else:
            self.settled = False
        self.near = now.near
        return now
