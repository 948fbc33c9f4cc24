"""Why no plan can keep all limits, and the least change that makes one possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._intensity_hooks import least_use_of
from crmkit.remediation._options import EXACT
from crmkit.remediation._relaxation import POSITIVE, solve_linear
from crmkit.remediation._search import for_milp, search
from crmkit.remediation._terms import Cap, Floor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["conflict", "infeasible", "least_change"]

_SECONDS = 20.0
_SMALL = 2_000


def conflict(problem: Problem, *, whole: bool = True) -> tuple[str, ...]:
    """Find limits that cannot be kept together, while leaving out any one of them leaves a plan.

    Parameters
    ----------
    problem : Problem
        What cannot be planned.
    whole : bool, default=True
        Whether cases must not be divided; False asks about divided plans, as the planner ``lp`` makes them.

    Returns
    -------
    tuple of str
        Names of the limits in the problem's order; empty where there is a plan.

    Notes
    -----
    The multipliers of an elastic linear programme name limits that contradict each other; each is then left out in turn
    and put back where the others leave a plan (a deletion filter). With more than 2,000 possible pairs of case and
    remedy "leave a plan" means a divided one where the divided problem is the one without a plan already: a whole one
    is then at most about one case a limit away. A search for a whole plan that takes more than 20 seconds counts as
    having found one, so that the set may be larger than necessary, never wrong. Remedies with an intensity count with
    the least that any intensity uses, so that a conflict is one at every intensity.

    References
    ----------
    Chinneck & Dravnieks 1991, "Locating minimal infeasible constraint sets in linear programs",
    doi:10.1287/ijoc.3.2.157.

    Examples
    --------
    >>> from crmkit.remediation import Problem, conflict
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"budget": 1.0}, limits={"budget": 1},
    ...                               floors={"at least two": (None, 2)})
    >>> conflict(problem)
    ('budget', 'at least two')
    """
    if problem.open_intensities:
        problem = least_use_of(problem)
    options = problem.options().hardest()
    rows = np.flatnonzero(_candidates(options))
    divided = not whole or (len(rows) > 0 and options.n_options > _SMALL)
    if not len(rows):
        if not whole or _possible(options, np.flatnonzero(options.limited), whole=True):
            return ()
        rows = np.flatnonzero(options.limited)
    kept = list(rows)
    for row in rows:
        without = [other for other in kept if other != row]
        if not _possible(options, np.array(without, dtype=np.intp), whole=not divided):
            kept = without
    return tuple(options.names[row] for row in kept)


def _candidates(options: Options) -> Bools:
    """Name the rows that a proof of infeasibility of the divided problem rests on; none where it is feasible."""
    proof = np.zeros(len(options.bound), dtype=bool)
    rows = np.flatnonzero(options.limited)
    if not options.n_options:
        proof[rows] = options.bound[rows] < 0
        return proof
    system, bound, cost = _elastic(options)
    # Every limit counts the same here: what matters is only which ones the proof rests on.
    result = solve_linear(np.sign(cost), system, bound, n_options=options.n_options, bounds=(0, None))
    if result.fun <= EXACT * max(1.0, float(np.max(np.abs(bound), initial=0.0))):
        return proof
    proof[rows] = np.abs(result.ineqlin.marginals[: len(rows)]) > EXACT
    return proof


def _possible(options: Options, rows: npt.NDArray[np.intp], *, whole: bool) -> bool:
    """Say whether some plan keeps these rows."""
    if np.all(options.bound[rows] >= 0):
        return True  # nothing for anybody keeps every resource and cap
    if not options.n_options:
        return False
    matrix, bound = options.system(rows)
    result = solve_linear(np.zeros(options.n_options), matrix, bound, n_options=options.n_options, bounds=(0, None))
    if result.status == 2 or not whole:
        return bool(result.status != 2)
    limits = np.full(len(options.bound), np.inf)
    limits[rows] = options.bound[rows]
    # Values do not matter here: any plan will do.
    found = search(options.with_bound(limits).without_value(), gap=np.inf, time_limit=_SECONDS)
    return not found.infeasible


def least_change(problem: Problem, *, whole: bool = True) -> dict[str, float]:
    """Find the least change of the limits that makes a plan possible.

    Changes are compared relative to the size of each limit (or, where larger, of the most that one case uses of it; a
    ratio's relative to its group), and their sum is least. The plan that keeps the changed limits proves them.

    Parameters
    ----------
    problem : Problem
        What cannot be planned.
    whole : bool, default=True
        Whether cases must not be divided.

    Returns
    -------
    dict of str to float
        What to add to each limit: above 0 for resources and caps, below 0 for floors; empty where there is a plan.

    Notes
    -----
    With up to 2,000 possible pairs of case and remedy a whole plan's change is least to one part in a thousand. With
    more it is the least change for divided plans, widened by at most about one case a limit so that a whole plan keeps
    it.
    """
    options = problem.options().hardest()
    counts = np.array([isinstance(limit, Floor | Cap) for limit in problem.limits], dtype=bool)
    short = np.maximum(-options.bound, 0.0)
    if options.n_options and options.limited.any():
        share = _elastic_share(options)
        short = _short(options, share, counts)
        if whole:
            short = _short(options, _whole_share(options, share, counts), counts)
    return {options.names[row]: float(options.sign[row] * short[row]) for row in np.flatnonzero(short)}


def _short(options: Options, share: Floats, counts: Bools) -> Floats:
    """Give what is short of each turned limit for a choice; floors and caps count cases, so that theirs is whole."""
    bound = np.where(options.limited, options.bound, np.inf)
    short = np.maximum(options.used(share) - bound, 0.0)
    short[short <= EXACT * np.maximum(1.0, np.abs(np.where(options.limited, bound, 0.0)))] = 0.0
    return np.asarray(np.where(counts, np.ceil(short - 1e-6), short))


def _elastic(options: Options) -> tuple[Any, Floats, Floats]:
    """Write the problem with limits that may be broken at a cost: ``cost``, ``matrix @ x <= bound``."""
    rows = np.flatnonzero(options.limited)
    matrix, bound = options.system(rows, elastic=True)
    size = options.extent[rows] / options.row_scale[rows]
    cost = np.concatenate([np.zeros(options.n_options), 1.0 / size])
    return matrix, bound, cost


def _elastic_share(options: Options) -> Floats:
    """Find the divided choice that breaks the limits least."""
    system, bound, cost = _elastic(options)
    result = solve_linear(cost, system, bound, n_options=options.n_options, bounds=(0, None))
    return np.asarray(result.x[: options.n_options], dtype=np.float64)


def _rounded(options: Options, divided: Floats, counts: Bools) -> Floats:
    """Make a divided choice whole in the way that breaks less: it divides at most one case a limit."""
    dropped = np.where(divided >= 1 - POSITIVE, 1.0, 0.0)
    order = np.lexsort((-divided, options.group))
    largest = order[options.start]
    filled = dropped.copy()
    filled[largest[divided[largest] > POSITIVE]] = 1.0
    size = options.extent
    ways = (dropped, filled)
    return min(ways, key=lambda share: float(np.sum(_short(options, share, counts) / size)))


def _whole_share(options: Options, divided: Floats, counts: Bools) -> Floats:
    """Find a whole choice that breaks the limits least, or little more than the divided one does."""
    if options.n_options > _SMALL:
        return _rounded(options, divided, counts)
    system, bound, cost = _elastic(options)
    n_rows = system.shape[1] - options.n_options
    upper = np.concatenate([np.ones(options.n_options), np.full(n_rows, np.inf)])
    result = milp(
        cost,
        integrality=(np.arange(system.shape[1]) < options.n_options).astype(np.int64),
        bounds=Bounds(0.0, upper),
        constraints=LinearConstraint(for_milp(system), -np.inf, bound),
        options={"time_limit": _SECONDS, "mip_rel_gap": 1e-3},
    )
    # Nothing for anybody is a choice too, if seldom the one that breaks least.
    found_x = np.zeros(system.shape[1]) if result.x is None else result.x
    return np.asarray(np.round(found_x[: options.n_options]), dtype=np.float64)


def infeasible(problem: Problem, *, whole: bool = True) -> InfeasiblePlanError:
    """Make the error that names the conflict and the least change.

    Parameters
    ----------
    problem : Problem
        What cannot be planned.
    whole : bool, default=True
        Whether cases must not be divided.

    Returns
    -------
    InfeasiblePlanError
        To be raised by a planner.
    """
    names = conflict(problem, whole=whole)
    change = least_change(problem, whole=whole)
    bounds = {row.name: row.bound for row in problem.tableau().limits}
    steps = [f"{name!r} from {bounds[name]:g} to {bounds[name] + step:.10g}" for name, step in change.items()]
    return InfeasiblePlanError(
        f"no plan can keep {_joined(names)}; the least change that makes one possible: {_joined_plain(steps)}",
        conflict=names,
        relaxation=change,
    )


def _joined(names: Sequence[str]) -> str:
    """Name limits in a sentence."""
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{_joined_plain(quoted)} together"


def _joined_plain(parts: Sequence[str]) -> str:
    """Join parts of a sentence."""
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)
