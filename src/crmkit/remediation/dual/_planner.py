"""The planner for large problems."""

from __future__ import annotations

from numbers import Integral, Real
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from threadpoolctl import threadpool_limits

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._completion import complete
from crmkit.remediation._conflict import infeasible
from crmkit.remediation._options import EXACT
from crmkit.remediation._plan import Plan
from crmkit.remediation._relaxation import relax
from crmkit.remediation._steps import lowered
from crmkit.remediation.dual._core import Surroundings
from crmkit.remediation.dual._finish import FEW_ROWS, finish
from crmkit.remediation.dual._improve import improve
from crmkit.remediation.dual._least_change import Feasibility, impossible
from crmkit.remediation.dual._prices import find_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.core.errors import InfeasiblePlanError
    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation._problem import Problem
    from crmkit.remediation.dual._core import Core
    from crmkit.remediation.dual._prices import Found

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["DualPlanner"]

_CORE_A_ROW = 4
_EXCHANGED_A_ROW = 16
_EXACT_OPTIONS = 60_000
_CURVE_GAP = 1e-4


class _Made(NamedTuple):
    """A whole plan by position, what proves it, and how far the core's divided plan is from the best."""

    choice: npt.NDArray[np.int16]
    bound: float
    prices: Floats
    core: Core
    off: float


class DualPlanner(BaseEstimator):
    """A whole plan with a proved gap for problems of up to many millions of cases.

    Prices of the limits are found first: for given prices each case is decided by itself, so that one pass over the
    cases gives a bound on every plan and its slope. The bound is smoothed (what is nearly tied is shared) and
    minimised by Newton's method, on samples first, while the smoothing shrinks. Then the cases nearest a tie are
    solved exactly by HiGHS under what all others leave of the limits, first divided and then whole, and a last pass
    at the best prices proves how far the plan can be from the best.

    Use it for more than about 5,000 cases; ``auto`` does. It assumes that few cases are near a tie at the best prices,
    or that very many are exactly tied; between the two, gaps are larger.

    Parameters
    ----------
    gap : float or None, default=None
        Stop when the plan is proved to be within this of the best, relative to its value; the gap reached may be
        larger (``plan.gap``). None means half of what one case is worth. Changes the result.
    core : int, default=600
        Customers (or cases) nearest a tie that are solved exactly, at least; four for each limit where that is more.
        Problems that have no more are solved as a whole. Changes the result a little.
    nodes : int, default=100
        Nodes of branch and bound for each search of the core. Changes the result.
    time_limit : float, default=60.0
        Seconds after which searches end in any case. Changes the result only where it is reached.

    Notes
    -----
    Cost: about 15 passes over the cases, in time and memory proportional to their number; what is in work at a time
    are 32,768 cases. With hundreds of limits the search of the core takes a few seconds more.

    References
    ----------
    Sinha & Zoltners 1979, "The multiple-choice knapsack problem", doi:10.1287/opre.27.3.503.
    Nesterov 2005, "Smooth minimization of non-smooth functions", doi:10.1007/s10107-004-0552-5.

    Examples
    --------
    >>> from crmkit.remediation import DualPlanner, Problem
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1.5})
    >>> DualPlanner().plan(problem).value
    10.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gap": [Interval(Real, 0, 1, closed="left"), None],
        "core": [Interval(Integral, 1, None, closed="left")],
        "nodes": [Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, *, gap: float | None = None, core: int = 600, nodes: int = 100, time_limit: float = 60.0
    ) -> None:
        self.gap = gap
        self.core = core
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
            If no plan keeps the limits, or no whole one was found: with a change of the limits that helps.
        ConvergenceError
            If the search of a small problem ended before any plan was found; of a large one a plan is given that keeps
            the limits, with the gap that it has.
        """
        self._validate_params()
        # Many short operations: threads would wait for each other longer than they work.
        with threadpool_limits(limits=1):
            return self._planned(problem)

    def _planned(self, problem: Problem, start: Floats | None = None) -> Plan:
        """Plan, from known prices of the problem's limits where there are some."""
        blocks = problem.blocks().whole()
        size = max(int(self.core), _CORE_A_ROW * blocks.n_rows)
        if size >= blocks.n_groups or not problem.n_cases:
            return self._small(problem, "the problem was solved as a whole")
        order, blocks = blocks.order, blocks.sorted()
        first = None if start is None else np.maximum(start[blocks.rows] * blocks.sign, 0.0)
        found = find_prices(blocks, enough=size, start=first)
        made = self._whole(problem, blocks, found, size)
        if made is not None:
            # A curve needs no plan better than its eye can see.
            curve = DualPlanner(gap=max(self.gap or 0.0, _CURVE_GAP), core=self.core, time_limit=self.time_limit)
            return _as_plan(problem, blocks, order, made, curve._planned)
        if int(np.isfinite(blocks.value).sum()) <= _EXACT_OPTIONS:
            return self._small(problem, "no plan was found near the prices, so that the problem was solved as a whole")
        short = Feasibility(blocks, size).shortfall()
        if short.over.any():
            raise impossible(problem, blocks, short)
        # A plan that keeps the limits and no more; its gap says so.
        choice = _by_case(order, short.choice)
        notes = ["no plan was found near the best prices: this one keeps the limits, whatever it is worth"]
        return Plan.from_choice(
            problem, choice, prices=blocks.full(found.best), bound=found.bound, planner="dual", notes=notes
        )

    def _small(self, problem: Problem, note: str) -> Plan:
        """Plan a problem as a whole."""
        options = problem.options()
        relaxed = relax(options)
        if relaxed is None:
            raise infeasible(problem)
        gap = 1e-4 if self.gap is None else float(self.gap)
        done = complete(options, relaxed, gap=gap, nodes=int(self.nodes), time_limit=float(self.time_limit))
        if done.infeasible:
            raise infeasible(problem)
        if done.share is None:
            raise ConvergenceError(
                f"no whole plan was found in {self.nodes:,} nodes and {self.time_limit:g} seconds; raise nodes and "
                "time_limit, or take planner 'lp'",
                parameter="nodes",
            )
        plan = Plan.from_shares(problem, done.share, relaxed=relaxed, planner="dual", notes=[note, done.note])
        return plan.with_bound(done.bound)

    def _whole(self, problem: Problem, blocks: Blocks, found: Found, size: int) -> _Made | None:
        """Make a whole plan at known prices; None where none was found."""
        typical, _ = blocks.sizes()
        around = Surroundings(blocks, found.prices, found.width, size)
        room = EXACT * np.maximum(1.0, np.abs(blocks.bound))
        possible = False
        end = perf_counter() + float(self.time_limit)
        while perf_counter() < end:
            core = around.solve(typical)
            if core is None and not possible:
                feasibility = Feasibility(blocks, size)
                if feasibility.proved:
                    raise self._conflict(problem, blocks, feasibility)
                possible = True
            if core is None:
                if around.everything or len(around.groups) * blocks.n_remedies > _EXACT_OPTIONS:
                    return None
                around.grow()
                continue
            core = around.settle(core, typical)
            bound = min(found.bound, around.bound)
            done = finish(
                core.options,
                core.relaxed,
                gap=(1.0 if self.gap is None else 0.5) * self._enough(blocks, bound),
                typical=typical,
                nodes=int(self.nodes),
                time_limit=0.5 * (end - perf_counter()),
            )
            if done is not None:
                choice = core.fixed
                taken = np.flatnonzero(done > 0)
                choice[core.options.case[taken]] = core.options.remedy[taken]
                _drop_idle(blocks, choice)
                if np.all(blocks.used(choice) <= blocks.bound + blocks.tier.most + room):
                    made = self._proved(blocks, found, core, choice)
                    return self._improved(blocks, made, around, 0.5 * (end - perf_counter()))
            if around.everything or len(around.groups) * blocks.n_remedies > _EXACT_OPTIONS:
                return None
            around.grow()
        return None

    def _proved(self, blocks: Blocks, found: Found, core: Core, choice: npt.NDArray[np.int16]) -> _Made:
        """Prove what no plan can exceed by the better one of two sets of prices."""
        bound, prices = found.bound, found.best
        own = blocks.dual(core.relaxed.prices)
        if own <= bound:
            bound, prices = own, core.relaxed.prices
        divided = core.worth + core.relaxed.value
        return _Made(choice, bound, prices, core, max(own - divided, 0.0) / max(abs(divided), blocks.sizes()[0]))

    def _improved(self, blocks: Blocks, made: _Made, around: Surroundings, time_limit: float) -> _Made:
        """Exchange where there are so many limits that the search leaves much of them."""
        enough = self._enough(blocks, made.bound)
        if blocks.n_rows <= FEW_ROWS:
            return made
        groups = np.union1d(around.groups, around.nearest(_EXCHANGED_A_ROW * blocks.n_rows))
        choice = improve(blocks, made.choice, groups, made.prices, enough=enough, time_limit=time_limit)
        return made._replace(choice=choice)

    def _enough(self, blocks: Blocks, bound: float) -> float:
        """Say which distance from the bound is small enough."""
        return 0.5 * blocks.sizes()[0] if self.gap is None else float(self.gap) * max(blocks.sizes()[0], abs(bound))

    def _conflict(self, problem: Problem, blocks: Blocks, feasibility: Feasibility) -> InfeasiblePlanError:
        """Say which limits cannot be kept together."""
        if int(np.isfinite(blocks.value).sum()) <= _EXACT_OPTIONS:
            return infeasible(problem)
        return impossible(problem, blocks, feasibility.shortfall())


def _as_plan(
    problem: Problem, blocks: Blocks, order: Ints | None, made: _Made, replan: Callable[[Problem, Floats], Plan]
) -> Plan:
    """Write what was made as a plan of the problem's cases."""
    choice = _by_case(order, made.choice)
    # Where no limit has a penalty, the value of a whole plan is a multiple of what all values are multiples of.
    bound = made.bound if len(blocks.tier.rows) else lowered(made.bound, blocks.step())
    notes = [
        f"prices from {blocks.n_groups:,} groups; the {made.core.options.n_groups:,} nearest a tie were solved exactly",
        f"the divided plan is proved best to {made.off:.0e} of its value",
    ]
    plan = Plan.from_choice(problem, choice, prices=blocks.full(made.prices), bound=bound, planner="dual", notes=notes)
    return plan.with_core(made.core.options, made.core.relaxed, blocks.rows, replan)


def _drop_idle(blocks: Blocks, choice: npt.NDArray[np.int16]) -> None:
    """Take back what is worth nothing and no floor counts, in place: tied with nothing, it may have been drawn."""
    given = np.flatnonzero(choice >= 0)
    idle = given[blocks.value[blocks.case_at(given), choice[given]] <= 0]
    least = blocks.entries(idle, choice[idle].astype(np.intp)).min(axis=1).toarray().ravel()
    choice[idle[least >= 0]] = -1


def _by_case(order: Ints | None, choice: npt.NDArray[np.int16]) -> npt.NDArray[np.intp]:
    """Bring a choice by position to the order of the cases."""
    if order is None:
        return choice.astype(np.intp)
    result = np.empty(len(choice), dtype=np.intp)
    result[order] = choice
    return result
