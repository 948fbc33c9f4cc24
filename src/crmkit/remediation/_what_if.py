"""What a plan would keep if one limit were another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._completion import complete
from crmkit.remediation._curve import Point, tightened
from crmkit.remediation._options import EXACT
from crmkit.remediation._relaxation import relax_near
from crmkit.remediation._terms import Floor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["what_if", "what_if_replanned"]

_GAP = 2e-4
_NODES = 50
_SECONDS = 30.0


def what_if(plan: Plan, limit: str, values: Sequence[float]) -> pd.DataFrame:
    """Plan again for each value of one limit, each time starting from the plan before.

    Parameters
    ----------
    plan : Plan
        What was planned; whole plans are made where it is whole, divided ones where it is divided.
    limit : str
        Which limit.
    values : sequence of float
        What it would be.

    Returns
    -------
    pandas.DataFrame
        Indexed by the values: ``value``, ``bound``, ``gap``, as all points together prove them.

    Raises
    ------
    DataError
        If there is no such limit.
    """
    problem, near, points = plan.problem, plan.relaxed(), []
    for amount in values:
        options = problem.with_bounds({limit: float(amount)}).options()
        relaxed = relax_near(options, near)
        if relaxed is None:
            points.append(_nowhere(amount))
            continue
        near = relaxed
        value, share, bound = relaxed.value, relaxed.share, relaxed.bound
        if not plan.fractional:
            done = complete(options, relaxed, gap=_GAP, nodes=_NODES, time_limit=_SECONDS)
            value, bound = (np.nan if done.share is None else done.value), done.bound
            share = relaxed.share if done.share is None else done.share
        row = problem.limit_names.index(limit)
        used, price = options.sign[row] * np.array([options.used(share)[row], relaxed.prices[row]])
        used, fixed = used + problem.promised_use()[row], problem.fixed
        proved = relaxed.bound + fixed if _follows(problem, row, amount) else np.inf
        points.append(Point(amount, value + fixed, used, bound + fixed, proved, price))
    return _curve(plan, points, limit)


def what_if_replanned(
    plan: Plan, replan: Callable[[Problem, Floats], Plan], limit: str, values: Sequence[float]
) -> pd.DataFrame:
    """Plan a large problem again for each value of one limit, from the prices of the plan before.

    Parameters
    ----------
    plan : Plan
        What was planned.
    replan : callable
        Plans a similar problem from known prices.
    limit : str
        Which limit.
    values : sequence of float
        What it would be.

    Returns
    -------
    pandas.DataFrame
        As from :func:`what_if`.

    Raises
    ------
    DataError
        If there is no such limit.
    """
    duals, points = plan.duals, []
    for amount in values:
        problem = plan.problem.with_bounds({limit: float(amount)})
        try:
            made = replan(problem, duals)
        except InfeasiblePlanError:
            points.append(_nowhere(amount))
            continue
        duals = made.duals
        points.append(_of_plan(made, limit, amount))
    return _curve(plan, points, limit)


def _follows(problem: Problem, row: int, amount: float) -> bool:
    """Say whether what prices prove at a value of a limit moves with it: not where promises alone meet a floor."""
    return not isinstance(problem.limits[row], Floor) or amount >= problem.promised_use()[row]


def _nowhere(amount: float) -> Point:
    """Say that no plan keeps the limits there."""
    return Point(amount, np.nan, np.nan, -np.inf, np.inf, 0.0)


def _of_plan(plan: Plan, limit: str, amount: float) -> Point:
    """Say what a plan proves; its value only where it keeps its limits, which nobody has checked before."""
    problem, used = plan.problem, plan.used()
    row = problem.limit_names.index(limit)
    bounds = np.array([each.bound for each in problem.tableau().limits])
    sign = np.array([1.0 if each.sense == "<=" else -1.0 for each in problem.tableau().limits])
    room = EXACT * np.maximum(1.0, np.abs(np.where(np.isfinite(bounds), bounds, 0.0)))
    given = np.bincount(problem.group[plan.choice >= 0])
    most = sign * bounds + problem.tier().most
    keeps = bool(np.all(sign * used <= most + room)) and (plan.fractional or given.max(initial=0) <= 1)
    follows = _follows(problem, row, amount) and not plan.intensities_chosen
    proved = problem.bound_at(plan.duals) if follows else np.inf
    return Point(amount, plan.value if keeps else np.nan, float(used[row]), plan.bound, proved, float(plan.duals[row]))


def _curve(plan: Plan, points: Sequence[Point], limit: str) -> pd.DataFrame:
    """Bring the points to what they prove together with the plan itself."""
    term = plan.problem.tableau().limits[plan.problem.limit_names.index(limit)] if points else None
    if term is None:
        return tightened([], [], limit, floor=False)
    return tightened(points, [_of_plan(plan, limit, term.bound)], limit, floor=term.sense == ">=")
