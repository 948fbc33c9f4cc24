"""The plan in which cases may be divided (a linear programme), with the price of every limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from crmkit.core.errors import ConvergenceError

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["POSITIVE", "Relaxed", "margins", "relax", "relax_near", "solve_linear"]

POSITIVE = 1e-7
"""A share below this counts as none: it is the solver's rounding."""

_TOLERANCE = 1e-9
_SMALL = 20_000  # below so many options the whole programme is as fast as a part of it
_LARGE = 20_000  # above so many options the interior-point method (with crossover) is faster than the simplex method


@dataclass(frozen=True)
class Relaxed:
    """An optimal divided plan.

    Parameters
    ----------
    share : ndarray, shape (n_options,)
        How much of each option is taken.
    prices : ndarray, shape (n_rows,)
        A multiplier >= 0 of each turned row; 0 where there is no limit.
    value : float
        What it is worth.
    bound : float
        What no plan can exceed, from the prices alone.
    """

    share: Floats
    prices: Floats
    value: float
    bound: float


def solve_linear(cost: Floats, matrix: Any, bound: Floats, *, n_options: int, **more: Any) -> Any:
    """Call HiGHS, the simplex method or the interior-point method with crossover, and the other one where one fails.

    Parameters
    ----------
    cost : ndarray
        What to minimise.
    matrix, bound : sparse array, ndarray
        ``matrix @ x <= bound``.
    n_options : int
        Size, by which the method is chosen.
    **more
        Other arguments of :func:`scipy.optimize.linprog`.

    Returns
    -------
    OptimizeResult
        With status 0 (solved), 2 (infeasible) or 3 (unbounded).

    Raises
    ------
    ConvergenceError
        If neither method ends with one of these.
    """
    run: Any = linprog  # its stubs know no sparse arrays
    methods = ["highs-ipm", "highs-ds"] if n_options > _LARGE else ["highs-ds", "highs-ipm"]
    tolerances = {"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE}
    result = None
    for options in (tolerances, {}):
        for method in methods:
            result = run(cost, A_ub=matrix, b_ub=bound, method=method, options=options, **more)
            if result.status in {0, 2, 3}:
                return result
    raise ConvergenceError(f"the linear programme could not be solved: {getattr(result, 'message', '')}")


def relax(options: Options) -> Relaxed | None:
    """Solve the divided plan exactly; None where no plan keeps the limits.

    Parameters
    ----------
    options : Options
        What may be chosen.

    Returns
    -------
    Relaxed or None
        A vertex: at most as many divided groups as there are limits.
    """
    limited = options.limited
    prices = np.zeros(len(options.bound))
    if not options.n_options:
        return _of_nothing(options, prices)
    rows = np.flatnonzero(limited)
    scale = options.row_scale[rows]
    matrix, bound = options.system(rows)
    columns, cost, most = options.overtime(rows)
    result = solve_linear(
        np.concatenate([-options.value, cost]) / options.scale,
        sparse.hstack([matrix, columns], format="csr") if len(cost) else matrix,
        bound,
        n_options=options.n_options,
        bounds=np.column_stack(
            [np.zeros(options.n_options + len(cost)), np.append(np.full(options.n_options, np.inf), most)]
        )
        if len(cost)
        else (0, None),
    )
    if result.status == 2:
        return None
    share = np.clip(result.x[: options.n_options], 0.0, 1.0)
    share[share < _TOLERANCE] = 0.0
    share[share > 1 - _TOLERANCE] = 1.0
    n_rows = int(limited.sum())
    prices[limited] = np.maximum(-result.ineqlin.marginals[:n_rows], 0.0) * options.scale / scale
    prices = options.tier.clip(prices)
    value = options.total(share)
    return Relaxed(share, prices, value, max(options.dual(prices), value))


def _of_nothing(options: Options, prices: Floats) -> Relaxed | None:
    """Give the plan that does nothing, where that keeps the limits: what is missing at soft ones is paid for."""
    if not options.within(np.zeros(0)):
        return None
    prices = np.where(options.bound < 0, options.tier.penalty, prices)
    prices[~np.isfinite(prices)] = 0.0
    value = options.total(np.zeros(0))
    return Relaxed(np.zeros(0), prices, value, max(options.dual(prices), value))


def margins(options: Options, prices: Floats) -> Floats:
    """Say how much better the best of each group (nothing included) is than its second best at these prices.

    Parameters
    ----------
    options : Options
        What may be chosen.
    prices : ndarray, shape (n_rows,)
        Multipliers >= 0.

    Returns
    -------
    ndarray, shape (n_groups,)
        0 where two are tied.
    """
    adjusted = options.adjusted(prices)
    best = options.best(adjusted)
    loss = best[options.group] - adjusted
    # The loss of "nothing" is the best itself; the one option whose loss is 0 is left out once.
    order = np.lexsort((loss, options.group))
    first = order[options.start]
    smallest = loss[first]
    rest = loss.copy()
    rest[first] = np.inf
    second = np.minimum.reduceat(rest, options.start) if options.n_groups else np.zeros(0)
    return np.where(smallest > 0, smallest, np.minimum(second, best))


def relax_near(options: Options, near: Relaxed) -> Relaxed | None:
    """Solve the divided plan starting from that of a similar problem, as exactly as :func:`relax`.

    Groups whose choice is clear at the known prices keep it; the others are solved, and the answer is proved by its
    prices on all groups. Groups that the new prices contradict are added until the proof holds.

    Parameters
    ----------
    options : Options
        What may be chosen, under the new bounds.
    near : Relaxed
        The divided plan of the same options under other bounds.

    Returns
    -------
    Relaxed or None
        As from :func:`relax`.
    """
    if options.n_options <= _SMALL:
        return relax(options)
    divided = np.zeros(options.n_groups, dtype=bool)
    divided[options.group[(near.share > POSITIVE) & (near.share < 1 - POSITIVE)]] = True
    kept = np.where(near.share >= 1 - POSITIVE, 1.0, 0.0)
    order = np.argsort(margins(options, near.prices), kind="stable")
    size = 600
    open_groups = divided.copy()
    open_groups[order[:size]] = True
    while not open_groups.all():
        inside = open_groups[options.group]
        fixed = np.where(inside, 0.0, kept)
        part = relax(options.take(inside, options.bound - options.used(fixed)))
        if part is None:
            size *= 4
            open_groups[order[:size]] = True
            continue
        share = fixed
        share[inside] = part.share
        value, bound = options.total(share), options.dual(part.prices)
        if bound - value <= 1e-10 * options.size(value):
            return Relaxed(share, part.prices, value, max(bound, value))
        adjusted = options.adjusted(part.prices)
        chosen = np.bincount(options.group, weights=adjusted * share, minlength=options.n_groups)
        wrong = ~open_groups & (options.best(adjusted) - chosen > 1e-12 * options.scale)
        if not wrong.any():
            break
        open_groups |= wrong
    return relax(options)
