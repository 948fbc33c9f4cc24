"""Intensities of responses that are not concave, improved from a plan in hand by a solver for smooth problems."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, NonlinearConstraint, minimize

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.nonlinear._polish import Chosen

    Floats = npt.NDArray[np.float64]

__all__ = ["MOST_PAIRS", "climb"]

MOST_PAIRS = 2_000
"""With more chosen pairs the plan in hand is kept: the solver's matrices would be too large."""

_STEP, _WIDE_STEP = 1e-6, 1e-4
_ITERATIONS = 200
_HALVINGS = 40


class _Smooth:
    """Value and uses in intensities brought to [0, 1], with their slopes and bends by differences."""

    def __init__(self, chosen: Chosen, rows: npt.NDArray[np.intp]) -> None:
        self.chosen, self.rows = chosen, rows
        sizes = [response.n_pairs for response in chosen.responses]
        self.begin = np.cumsum([0, *sizes])
        self.low = np.concatenate([response.low for response in chosen.responses])
        self.width = np.concatenate([response.high for response in chosen.responses]) - self.low
        value, _ = self.each(self.shares(chosen.intensity))
        self.scale = max(float(np.mean(np.abs(value))), 1e-300)
        self.size = np.maximum(np.abs(chosen.room[rows]), 1e-9)

    def shares(self, intensity: list[Floats]) -> Floats:
        """Bring intensities to [0, 1]."""
        flat = np.concatenate(intensity)
        return np.asarray(np.divide(flat - self.low, self.width, out=np.zeros(len(flat)), where=self.width > 0))

    def split(self, share: Floats) -> list[Floats]:
        """Give intensities, one array for each response."""
        flat = self.low + np.clip(share, 0.0, 1.0) * self.width
        return [
            np.clip(flat[self.begin[i] : self.begin[i + 1]], response.low, response.high)
            for i, response in enumerate(self.chosen.responses)
        ]

    def each(self, share: Floats) -> tuple[Floats, Floats]:
        """Give value and uses of each pair; what is unknown is worth very little."""
        value = np.zeros(len(share))
        uses = np.zeros((len(self.rows), len(share)))
        for i, (response, at) in enumerate(zip(self.chosen.responses, self.split(share), strict=True)):
            worth = response.at(at)
            part = slice(self.begin[i], self.begin[i + 1])
            value[part] = np.maximum(worth.value, -1e12)
            for row, use in zip(response.rows, worth.uses, strict=True):
                uses[self.rows == row, part] = use
        return value, uses

    def slopes(self, share: Floats) -> tuple[Floats, Floats]:
        """Give the slopes by two-sided differences inside, by one-sided ones at the ends."""
        up, down = np.minimum(share + _STEP, 1.0), np.maximum(share - _STEP, 0.0)
        more, less = self.each(up), self.each(down)
        return (more[0] - less[0]) / (up - down), (more[1] - less[1]) / (up - down)

    def bends(self, share: Floats) -> tuple[Floats, Floats]:
        """Give the second differences."""
        middle = np.clip(share, _WIDE_STEP, 1.0 - _WIDE_STEP)
        more, at, less = (self.each(middle + step) for step in (_WIDE_STEP, 0.0, -_WIDE_STEP))
        return (
            (more[0] - 2.0 * at[0] + less[0]) / _WIDE_STEP**2,
            (more[1] - 2.0 * at[1] + less[1]) / _WIDE_STEP**2,
        )


def climb(chosen: Chosen) -> list[Floats]:
    """Improve the intensities of a choice of remedies by a trust-region method, and keep the limits exactly.

    Parameters
    ----------
    chosen : Chosen
        Smooth responses and intensities that keep the limits.

    Returns
    -------
    list of ndarray
        Intensities that keep the limits and are worth no less; the best nearby, not the best of all.

    References
    ----------
    Byrd, Hribar & Nocedal 1999, "An interior point algorithm for large-scale nonlinear programming",
    doi:10.1137/S1052623497325107.
    """
    varying = np.zeros(len(chosen.room), dtype=bool)
    for response in chosen.responses:
        varying[response.rows] = response.n_pairs > 0
    rows = np.flatnonzero(varying & np.isfinite(chosen.room))
    smooth = _Smooth(chosen, rows)
    start = smooth.shares(chosen.intensity)
    constraints: list[Any] = []
    if len(rows):
        # The solver keeps limits to its own tolerance only; a hair less leaves room for that.
        upper = chosen.room[rows] / smooth.size - 1e-10
        limit: Any = NonlinearConstraint  # its stubs know no Hessian with multipliers
        constraints.append(
            limit(
                lambda x: smooth.each(x)[1].sum(axis=1) / smooth.size,
                -np.inf,
                upper,
                jac=lambda x: sparse.csr_array(smooth.slopes(x)[1] / smooth.size[:, None]),
                hess=lambda x, v: sparse.diags_array((v / smooth.size) @ smooth.bends(x)[1]),
            )
        )
    run: Any = minimize  # its stubs know no sparse Hessians
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = run(
            lambda x: -float(np.sum(smooth.each(x)[0])) / smooth.scale,
            start,
            jac=lambda x: -smooth.slopes(x)[0] / smooth.scale,
            hess=lambda x: sparse.diags_array(-smooth.bends(x)[0] / smooth.scale),
            method="trust-constr",
            bounds=Bounds(0.0, 1.0),
            constraints=constraints,
            options={"maxiter": _ITERATIONS, "gtol": 1e-9, "xtol": 1e-12},
        )
    best = list(chosen.intensity)
    most, _ = chosen.worth(best)
    share = 1.0
    for _ in range(_HALVINGS):
        tried = smooth.split(start + share * (np.asarray(result.x) - start))
        value, used = chosen.worth(tried)
        if chosen.within(used):
            return tried if value > most else best
        share *= 0.5 if share < 0.99 else 0.999
    return best
