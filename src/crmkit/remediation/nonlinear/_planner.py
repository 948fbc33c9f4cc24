"""The planner for remedies whose value depends on how much of them is given."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from threadpoolctl import threadpool_limits

from crmkit.core.errors import DataError
from crmkit.remediation._plan import Plan
from crmkit.remediation.nonlinear._bent import local_plan
from crmkit.remediation.nonlinear._choice import filled, n_options
from crmkit.remediation.nonlinear._concave import Effort, large_plan, small_plan
from crmkit.remediation.nonlinear._least import impossible
from crmkit.remediation.nonlinear._outer import MOST_PAIRS, search_outside
from crmkit.remediation.nonlinear._relaxed import LARGE, bound_at, find_levels
from crmkit.remediation.nonlinear._responses import responses_of
from crmkit.remediation.nonlinear._shape import concave_cases

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._choice import Made
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]

__all__ = ["NonlinearPlanner"]

_CLOSER = 0.05
_CLOSEST = 1e-8


class NonlinearPlanner(BaseEstimator):
    """The plan of remedies and their intensities that is worth most, where value answers to intensity.

    A few levels of each intensity are planned as ordinary options; at the prices so found each case's best intensity
    is worked out exactly, levels around it are taken in, and so on, until the bound that the prices prove for all
    intensities and the worth of the levels meet. With the remedies of a whole plan chosen, intensities are polished:
    several intensities of one remedy for a case may be replaced by their mean, because values are concave and uses
    convex. That they are is checked for every case; where some are not, many levels are planned and the intensities
    chosen are improved by a solver for smooth problems, and the notes say that the plan is a local one, without a
    bound.

    Use it where a remedy has an ``intensity``; ``auto`` hands such problems over. A problem without intensities is
    planned as by ``auto``.

    Parameters
    ----------
    gap : float, default=1e-4
        Stop when the plan is proved to be within this of the best, relative to its value. The gap reached may be
        larger where limits leave room for few cases, because the bound is that of plans that divide cases among
        remedies. Changes the result.
    nodes : int, default=100
        Nodes of branch and bound for each search of whole plans. Changes the result.
    time_limit : float, default=60.0
        Seconds for each search, as a guard. Changes the result only where it is reached.

    Notes
    -----
    Cost: some six to ten times that of ``auto`` for the same problem with three levels of each remedy, in time and
    memory proportional to the number of cases.

    References
    ----------
    Dantzig & Wolfe 1960, "Decomposition principle for linear programs", doi:10.1287/opre.8.1.101.
    Byrd, Hribar & Nocedal 1999, "An interior point algorithm for large-scale nonlinear programming",
    doi:10.1137/S1052623497325107.

    Examples
    --------
    >>> from crmkit.remediation import NonlinearPlanner, Problem, Remedy, Resource
    >>> voucher = Remedy("voucher", value="worth * sqrt(intensity)", uses={"budget": "intensity"}, intensity=(1, 100))
    >>> problem = Problem({"case_id": ["a", "b"], "worth": [3.0, 4.0]}, [voucher], [Resource("budget", 50)])
    >>> NonlinearPlanner().plan(problem).table["intensity"].round(3).tolist()
    [18.0, 32.0]
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
            One remedy or nothing a case; ``plan.problem`` is the ordinary problem at the intensities planned.

        Raises
        ------
        DataError
            If a limit may be broken at a price.
        InfeasiblePlanError
            If no whole plan keeps the limits, whatever the intensities.
        ConvergenceError
            If no plan was found, and none is ruled out.
        """
        self._validate_params()
        if not problem.open_intensities:
            made = self._effort().auto().plan(problem)
            made.planner = made.planner.replace("auto", "nonlinear", 1)
            made.notes = ("no intensity is to be planned: planned as by 'auto'", *made.notes)
            return made
        # Many short operations: threads would wait for each other longer than they work.
        with threadpool_limits(limits=1):
            return self.replan(problem, None)

    def replan(self, problem: Problem, start: tuple[Floats, list[Floats]] | None) -> Plan:
        """Plan a problem with open intensities, from the prices and intensities of a similar one where there are some.

        Parameters
        ----------
        problem : Problem
            What to plan.
        start : tuple or None
            Prices in the limits' own direction, and the best intensities of each remedy's cases at them.

        Returns
        -------
        Plan
            As from :meth:`plan`.
        """
        soft = [problem.limit_names[row] for row in problem.tier().rows.tolist()]
        if soft:
            raise DataError(
                f"limits that may be broken at a price ({', '.join(map(repr, soft))}) are not planned together with "
                "intensities: make them hard, or fix intensities by at_intensities"
            )
        lines = responses_of(problem)
        bent = [~concave_cases(response) for response in lines]
        if any(each.any() for each in bent):
            return local_plan(problem, lines, bent, self._effort())
        found = find_levels(problem, lines, gap=max(_CLOSER * self.gap, _CLOSEST), start=start)
        if found is None:
            raise impossible(problem)
        shape = (problem.n_cases, len(problem.remedies))
        if n_options(found.levels.problem) > LARGE:
            made = large_plan(problem, lines, found, self._effort())
            bound, best = bound_at(problem, lines, made.duals, found.intensities)
            if bound < found.bound:
                found = found._replace(bound=bound, duals=made.duals, intensities=[each.intensity for each in best])
        else:
            made = small_plan(problem, lines, found, self._effort())
        made, bound = self._searched(problem, lines, made, found.bound)
        rest = filled(lines, found.intensities, shape)
        fixed = problem.at_intensities(np.where(np.isnan(made.intensity), rest, made.intensity))
        n_pairs = sum(response.n_pairs for response in lines)
        notes = [
            f"{n_pairs:,} pairs with an intensity, concave at 25 points of each; prices found {found.rounds} times",
            f"divided plans are proved to be worth no more than {found.bound:,.10g}",
        ]
        if bound < found.bound:
            notes.append("all choices of remedies were searched for a lower bound")
        plan = Plan.from_choice(
            fixed, made.remedy, prices=found.duals, bound=bound, planner="nonlinear", notes=notes
        ).with_chosen_intensities(bound)
        if plan.gap > self.gap:
            plan.notes = (*plan.notes, f"the gap asked for, {self.gap:g}, was not reached")
        return plan

    def _searched(self, problem: Problem, lines: list[Response], made: Made, bound: float) -> tuple[Made, float]:
        """Search a small problem whole where divided plans leave a gap."""
        few = sum(response.n_pairs for response in lines) <= MOST_PAIRS
        if not few or bound - made.value <= self.gap * max(1.0, abs(made.value)):
            return made, bound
        return search_outside(problem, lines, made, bound, self._effort())

    def _effort(self) -> Effort:
        """Give the parameters as one."""
        return Effort(float(self.gap), int(self.nodes), float(self.time_limit))
