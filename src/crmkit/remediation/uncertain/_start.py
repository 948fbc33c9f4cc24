"""The plan without uncertainty, from which every planner under uncertainty starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._completion import complete
from crmkit.remediation._conflict import infeasible
from crmkit.remediation._plan import Plan
from crmkit.remediation._relaxation import relax

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation._relaxation import Relaxed

__all__ = ["Start", "start"]


@dataclass(frozen=True)
class Start:
    """A whole plan of the values as they are.

    Parameters
    ----------
    problem : Problem
        What is planned.
    relaxed : Relaxed
        The divided plan.
    share : ndarray, shape (n_options,)
        The whole plan.
    bound : float
        What no whole plan's value can exceed.
    """

    problem: Problem
    relaxed: Relaxed
    share: npt.NDArray[np.float64]
    bound: float

    def plan(self, share: npt.NDArray[np.float64], planner: str, notes: Sequence[str]) -> Plan:
        """Give a whole plan with the bound and the prices of the values as they are."""
        made = Plan.from_shares(self.problem, share, relaxed=self.relaxed, planner=planner, notes=notes)
        return made.with_bound(self.bound)


def start(problem: Problem, *, gap: float, nodes: int, time_limit: float) -> Start:
    """Plan the values as they are.

    Parameters
    ----------
    problem : Problem
        What is planned.
    gap : float
        Stop when the plan is proved to be within this of the best, relative to its value.
    nodes : int
        Nodes of branch and bound for each search.
    time_limit : float
        Seconds.

    Returns
    -------
    Start
        The plan.

    Raises
    ------
    InfeasiblePlanError
        If no whole plan keeps the limits.
    ConvergenceError
        If none was found.
    """
    options = problem.options()
    relaxed = relax(options)
    if relaxed is None:
        raise infeasible(problem)
    done = complete(options, relaxed, gap=gap, nodes=nodes, time_limit=time_limit)
    if done.infeasible:
        raise infeasible(problem)
    if done.share is None:
        raise ConvergenceError(
            f"no whole plan was found in {nodes:,} nodes and {time_limit:g} seconds; raise nodes and time_limit",
            parameter="nodes",
        )
    return Start(problem, relaxed, done.share, done.bound)
