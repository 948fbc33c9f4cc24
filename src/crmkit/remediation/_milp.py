"""The planner that searches all whole plans."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._conflict import infeasible
from crmkit.remediation._plan import Plan
from crmkit.remediation._relaxation import relax
from crmkit.remediation._search import search

if TYPE_CHECKING:
    from crmkit.remediation._problem import Problem

__all__ = ["IntegerPlanner"]


class IntegerPlanner(BaseEstimator):
    """The best whole plan by branch and bound over all options, with HiGHS.

    It makes no use of the problem's structure, so that it is the yardstick for those that do. Use ``auto`` first: it
    gives the same value sooner. The time limit is kept by the search; a plan with a larger gap is given when it ends.

    Parameters
    ----------
    gap : float, default=1e-6
        Stop when the plan is proved to be within this of the best, relative to its value. Changes the result.
    time_limit : float, default=60.0
        Seconds. Changes the result only where the search does not end in time.

    Notes
    -----
    Cost: grows fast; 1,000 cases with 8 remedies and 9 limits may take the whole time limit.

    Examples
    --------
    >>> from crmkit.remediation import IntegerPlanner, Problem
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1.5})
    >>> IntegerPlanner().plan(problem).value
    10.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gap": [Interval(Real, 0, 1, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, gap: float = 1e-6, time_limit: float = 60.0) -> None:
        self.gap = gap
        self.time_limit = time_limit

    def plan(self, problem: Problem, /) -> Plan:
        """Plan a problem.

        Parameters
        ----------
        problem : Problem
            What to plan.

        Returns
        -------
        Plan
            One remedy or nothing a case.

        Raises
        ------
        InfeasiblePlanError
            If no whole plan keeps the limits.
        ConvergenceError
            If the time ran out before any plan was found.
        """
        self._validate_params()
        options = problem.options()
        relaxed = relax(options)
        if relaxed is None:
            raise infeasible(problem)
        found = search(
            options,
            gap=self.gap * options.size(relaxed.value),
            time_limit=float(self.time_limit),
            near=relaxed.value,
        )
        if found.infeasible:
            raise infeasible(problem)
        if found.share is None:
            raise ConvergenceError(
                f"no whole plan was found in {self.time_limit:g} seconds; raise time_limit or take planner 'lp'",
                parameter="time_limit",
            )
        plan = Plan.from_shares(problem, np.asarray(found.share), relaxed=relaxed, planner="milp")
        return plan.with_bound(options.whole(found.bound))
