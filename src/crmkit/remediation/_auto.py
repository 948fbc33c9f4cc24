"""The planner for everyday use: a whole plan with a proved small gap, and a word on how it was made."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._completion import complete
from crmkit.remediation._conflict import infeasible
from crmkit.remediation._intensity_hooks import plan_intensities
from crmkit.remediation._plan import Plan
from crmkit.remediation._relaxation import relax
from crmkit.remediation.dual import DualPlanner

if TYPE_CHECKING:
    from crmkit.remediation._problem import Problem

__all__ = ["LARGE", "AutoPlanner"]

_USUAL_GAP = 1e-4
LARGE = 40_000  # above so many possible pairs of case and remedy prices by passes are found sooner than by HiGHS


class AutoPlanner(BaseEstimator):
    """A whole plan with a proved gap: the linear programme first, then a search where it leaves something open.

    The linear programme gives the prices and a bound; it divides at most as many cases as there are limits. The cases
    near a tie are searched for the best whole plan. Options that the prices prove to be in no better plan are dropped,
    and the rest is searched until the gap is as small as asked or the nodes are used up. With more than 40,000 possible
    pairs of case and remedy (5,000 cases with eight remedies) the work is handed to :class:`DualPlanner`, and where a
    remedy has an intensity, to :class:`NonlinearPlanner`.
    ``plan.planner`` and ``plan.notes`` say what was done.

    Parameters
    ----------
    gap : float, default=1e-4
        Stop when the plan is proved to be within this of the best, relative to its value. Changes the result.
    nodes : int, default=100
        Nodes of branch and bound for each search after the linear programme; more find better plans of hard problems
        more slowly. They end a search at the same point on every machine. Changes the result.
    time_limit : float, default=60.0
        Seconds after which the searches end in any case. Changes the result only where it is reached.

    Notes
    -----
    Cost: that of the linear programme (see :class:`LinearPlanner`) and a few seconds of search; the search is longest
    for a few hundred to a few thousand cases, where no plan comes within 1e-4 of the bound easily. Above 40,000 pairs
    that of :class:`DualPlanner`: about two seconds for a million cases and nine limits.

    Examples
    --------
    >>> from crmkit.remediation import AutoPlanner, Problem
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1.5})
    >>> AutoPlanner().plan(problem).planner
    'auto (lp + search)'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gap": [Interval(Real, 0, 1, closed="left")],
        "nodes": [Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, gap: float = 1e-4, nodes: int = 100, time_limit: float = 60.0) -> None:
        self.gap = gap
        self.nodes = nodes
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
        if problem.open_intensities:
            return plan_intensities(problem, gap=self.gap, nodes=self.nodes, time_limit=self.time_limit)
        if int(np.count_nonzero(np.isfinite(problem.worth()))) > LARGE:
            return self._large(problem)
        options = problem.options()
        relaxed = relax(options)
        if relaxed is None:
            raise infeasible(problem)
        done = complete(options, relaxed, gap=float(self.gap), nodes=int(self.nodes), time_limit=float(self.time_limit))
        if done.infeasible:
            raise infeasible(problem)
        if done.share is None:
            raise ConvergenceError(
                f"no whole plan was found in {self.nodes:,} nodes and {self.time_limit:g} seconds; raise nodes and "
                "time_limit, or take planner 'lp'",
                parameter="nodes",
            )
        how = "lp" if done.note.startswith("the divided plan") else "lp + search"
        plan = Plan.from_shares(problem, done.share, relaxed=relaxed, planner=f"auto ({how})", notes=[done.note])
        return plan.with_bound(done.bound)

    def _large(self, problem: Problem) -> Plan:
        """Plan by prices, to half of what one case is worth or to a gap smaller than usual where one is asked for."""
        gap = self.gap if self.gap < _USUAL_GAP else None
        plan = DualPlanner(gap=gap, nodes=self.nodes, time_limit=self.time_limit).plan(problem)
        plan.planner = "auto (dual)"
        return plan
