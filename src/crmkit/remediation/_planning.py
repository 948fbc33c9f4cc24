"""Plans a problem with any planner, by name or as an object."""

from __future__ import annotations

from typing import Any

from crmkit.core.checks import require_methods
from crmkit.core.errors import PluginError
from crmkit.core.registry import create
from crmkit.remediation._plan import Plan
from crmkit.remediation._problem import Problem

__all__ = ["plan"]


def plan(problem: Problem, planner: Any = "auto") -> Plan:
    """Decide which case gets which remedy.

    Parameters
    ----------
    problem : Problem
        Cases, remedies and limits.
    planner : str or object with ``plan(problem)``, default="auto"
        ``"auto"`` gives a whole plan with a proved small gap and says how it was made; ``"dual"`` is for large
        problems, ``"milp"`` searches all whole plans, ``"lp"`` may divide cases, ``"greedy"`` is the baseline; or any
        plugin of kind ``"planner"``.

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
    PluginError
        If the planner gives anything but a plan.

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
    made = chosen.plan(problem)
    if not isinstance(made, Plan):
        raise PluginError(f"planner {type(chosen).__name__} must give a remediation.Plan, got {type(made).__name__}")
    if made.bound < made.value - 1e-6 * max(1.0, abs(made.value)):
        raise PluginError(f"planner {type(chosen).__name__} gave a bound below the value of its own plan")
    return made
