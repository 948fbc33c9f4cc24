"""Checks the choice and the prices that an outsider's planner hands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["as_choice", "as_duals"]


def as_choice(problem: Problem, choice: Any) -> Ints:
    """Check a choice."""
    given = np.asarray(choice)
    if given.shape != (problem.n_cases,):
        raise DataError(
            f"choice must have one entry for each of the {problem.n_cases:,} cases, got shape {given.shape}"
        )
    if given.size and given.dtype.kind not in "iu":
        raise DataError(f"choice must hold whole numbers (-1 for nothing), got {given.dtype}")
    remedy = given.astype(np.intp)
    if np.any((remedy < -1) | (remedy >= len(problem.remedies))):
        raise DataError(f"choice must be from -1 (nothing) to {len(problem.remedies) - 1}")
    some = np.flatnonzero(remedy >= 0)
    wrong = some[~np.isfinite(problem.worth()[some, remedy[some]])]
    if len(wrong):
        raise DataError(f"choice gives remedies that are not eligible: {len(wrong):,} cases, first in row {wrong[0]}")
    return remedy


def as_duals(problem: Problem, prices: Any) -> Floats:
    """Check prices and drop the rounding of their sign."""
    given = np.asarray(prices, dtype=np.float64)
    limits = problem.tableau().limits
    if given.shape != (len(limits),) or not np.all(np.isfinite(given)):
        raise DataError(f"prices must be one finite number for each of the {len(limits)} limits")
    sign = np.array([1.0 if limit.sense == "<=" else -1.0 for limit in limits])
    blocks = problem.blocks()
    typical, sizes = blocks.sizes()
    size = np.ones(len(limits))
    size[blocks.rows] = sizes
    turned = given * sign
    wrong = turned * size < -1e-6 * typical
    if wrong.any():
        names = ", ".join(repr(limits[row].name) for row in np.flatnonzero(wrong))
        raise DataError(f"prices must be >= 0 for resources and caps and <= 0 for floors; not so for {names}")
    limited = np.zeros(len(limits), dtype=bool)
    limited[blocks.rows] = True
    kept = problem.tier().clip(np.where(limited, np.maximum(turned, 0.0), 0.0))
    return np.asarray(kept * sign, dtype=np.float64)
