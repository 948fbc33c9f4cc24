"""Plans under other limits, with intensities chosen anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from crmkit.remediation.nonlinear._planner import NonlinearPlanner
from crmkit.remediation.nonlinear._relaxed import bound_at
from crmkit.remediation.nonlinear._responses import responses_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["rechosen"]


def rechosen(problem: Problem) -> Callable[[Problem, Floats], Plan]:
    """Give a function that plans a problem under other limits with intensities chosen anew, for what-if.

    Parameters
    ----------
    problem : Problem
        With open intensities or fixed ones.

    Returns
    -------
    callable
        From a problem with the same remedies, and prices, to a plan.
    """
    opened = problem.with_open_intensities()

    def again(other: Problem, duals: Floats) -> Plan:
        bounds = {limit.name: limit.bound for limit in other.tableau().limits}
        before = opened.tableau().limits
        asked = opened.with_bounds(
            {limit.name: bounds[limit.name] for limit in before if limit.bound != bounds[limit.name]}
        )
        lines = responses_of(asked)
        with threadpool_limits(limits=1):
            _, best = bound_at(asked, lines, duals, [None] * len(lines))
            return NonlinearPlanner().replan(asked, (duals, [each.intensity for each in best]))

    return again
