"""Whole plans by branch and bound, over all options or over those that can still matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit.remediation._options import EXACT

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Found", "for_milp", "search", "solve_whole"]

_TIGHTENINGS = 4


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    share : ndarray, shape (n_options,), or None
        A whole plan that keeps every limit exactly; None where none was found.
    bound : float
        No whole plan that uses only what was allowed is worth more.
    infeasible : bool
        It is proved that no whole plan uses only what was allowed.
    """

    share: Floats | None
    bound: float
    infeasible: bool


def search(
    options: Options,
    *,
    gap: float,
    time_limit: float,
    nodes: int | None = None,
    near: float | None = None,
    allowed: Bools | None = None,
    forced: Bools | None = None,
) -> Found:
    """Look for the best whole plan with HiGHS.

    The solver may break a limit by its tolerance; where exact sums show that it did, the limits concerned are
    tightened by as much and it is asked again, so that no plan is given that breaks a limit.

    Parameters
    ----------
    options : Options
        What may be chosen.
    gap : float
        Stop when the plan is proved to be within this value of the best.
    time_limit : float
        Seconds.
    nodes : int or None
        Nodes of branch and bound, each time the solver is asked; None means no limit.
    near : float or None
        About what the plan will be worth, to turn ``gap`` into the relative gap that HiGHS reads.
    allowed : ndarray of bool, shape (n_options,), or None
        Options that may be taken; None means all.
    forced : ndarray of bool, shape (n_groups,), or None
        Groups that must take an option, because taking nothing cannot be part of a better plan.

    Returns
    -------
    Found
        A plan where there is one, and a bound.
    """
    keep = np.ones(options.n_options, dtype=bool) if allowed is None else allowed
    must = np.zeros(options.n_groups, dtype=bool) if forced is None else forced
    left = np.bincount(options.group[keep], minlength=options.n_groups)
    if np.any(must & (left == 0)):
        return Found(None, -np.inf, infeasible=True)
    settled = keep & (must & (left == 1))[options.group]
    base = settled.astype(np.float64)
    part = options.take(keep & ~settled, options.bound - options.used(base))
    worth = options.gross(base)
    if not part.n_options:
        fits = options.within(base)
        return Found(base if fits else None, options.total(base) if fits else -np.inf, infeasible=not fits)
    groups = options.group[keep & ~settled][part.start]
    size = abs(near - worth) if near is not None else float(np.sum(part.best(part.value)))
    size = max(size, 1e-9 * part.scale)
    bound, proved, tightened = np.inf, False, part.bound.copy()
    for attempt in range(_TIGHTENINGS):
        picked, best, proved = solve_whole(
            part.with_bound(tightened), gap=gap / size, time_limit=time_limit, nodes=nodes, must=must[groups]
        )
        if attempt == 0:
            bound = worth + best
        if picked is None:
            return Found(None, bound, infeasible=proved and attempt == 0)
        share = base.copy()
        share[np.flatnonzero(keep & ~settled)] = picked
        if options.within(share):
            return Found(share, bound, infeasible=False)
        over = options.used(share) - options.bound - options.tier.most
        broken = over > EXACT * np.maximum(1.0, np.abs(options.bound))
        tightened[broken] -= 2.0 * over[broken]
    return Found(None, bound, infeasible=False)


def solve_whole(
    part: Options,
    *,
    gap: float,
    time_limit: float,
    nodes: int | None = None,
    must: Bools | None = None,
    divisible: int = 0,
) -> tuple[Floats | None, float, bool]:
    """Solve one whole programme with HiGHS, within its tolerances.

    Parameters
    ----------
    part : Options
        What may be chosen.
    gap : float
        Relative.
    time_limit : float
        Seconds.
    nodes : int or None
        Nodes of branch and bound.
    must : ndarray of bool, shape (n_groups,), or None
        Groups that must take an option.
    divisible : int, default=0
        How many of the last options may be taken in part.

    Returns
    -------
    tuple
        The choice, rounded, or None; a bound of its value; and whether it is proved that there is none.
    """
    rows = np.flatnonzero(part.limited)
    matrix, limit = part.system(rows)
    columns, cost, most = part.overtime(rows)
    least = np.zeros(part.n_groups) if must is None else must.astype(np.float64)
    if len(cost):
        matrix = sparse.hstack([matrix, columns], format="csr")
    limits: dict[str, Any] = {"time_limit": max(time_limit, 0.1), "mip_rel_gap": min(gap, 0.5)}
    if nodes is not None:
        limits["node_limit"] = nodes
    run: Any = milp  # its stubs know no dict of options
    result = run(
        np.concatenate([-part.value, cost]) / part.scale,
        integrality=(np.arange(part.n_options + len(cost)) < part.n_options - divisible).astype(np.int64),
        bounds=Bounds(0.0, np.append(np.ones(part.n_options), most)),
        constraints=LinearConstraint(for_milp(matrix), np.append(np.full(len(rows), -np.inf), least), limit),
        options=limits,
    )
    if result.status == 2:
        return None, -np.inf, True
    proven = result.mip_dual_bound
    best = -float(proven) * part.scale if proven is not None and np.isfinite(proven) else np.inf
    return (None if result.x is None else np.round(result.x[: part.n_options])), best, False


def for_milp(matrix: Any) -> sparse.csc_array:
    """Give a sparse matrix with the 32-bit indices that older releases of scipy's ``milp`` insist on.

    Parameters
    ----------
    matrix : sparse array
        Fewer than 2**31 entries.

    Returns
    -------
    scipy.sparse.csc_array
        The same matrix.
    """
    result = sparse.csc_array(matrix)
    result.indices, result.indptr = result.indices.astype(np.int32), result.indptr.astype(np.int32)
    return result
