"""Plans a problem with any planner, by name or as an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import require_methods
from crmkit.core.registry import create
from crmkit.remediation._problem import Problem

if TYPE_CHECKING:
    from crmkit.remediation._plan import Plan

__all__ = ["plan"]


def plan(problem: Problem, planner: Any = "auto") -> Plan:
    """Decide which case gets which remedy.

    Parameters
    ----------
    problem : Problem
        Cases, remedies and limits.
    planner : str or object with ``plan(problem)``, default="auto"
        ``"auto"`` gives a whole plan with a proved small gap and says how it was made; ``"milp"`` searches all whole
        plans, ``"lp"`` may divide cases, ``"greedy"`` is the baseline; or any plugin of kind ``"planner"``.

    Returns
    -------
    Plan
        The plan, its bound and its prices.

    Raises
    ------
    InfeasiblePlanError
        If no plan keeps the limits: with the limits in conflict and the least change that helps.
    TypeError
        If the problem is no :class:`Problem` or the planner has no ``plan``.
    UnknownPluginError
        If there is no planner of that name.

    Examples
    --------
    >>> from crmkit.remediation import Problem, plan
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
    >>> plan(problem, planner="milp").value
    10.0
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a remediation.Problem, got {type(problem).__name__}")
    chosen = create("planner", planner) if isinstance(planner, str) else planner
    require_methods(chosen, ["plan"], role="a planner")
    made: Plan = chosen.plan(problem)
    return made
