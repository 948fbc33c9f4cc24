"""The planner for the worst scenarios."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from crmkit.remediation.uncertain._family import whole_near
from crmkit.remediation.uncertain._noise import Noise
from crmkit.remediation.uncertain._programme import Programme
from crmkit.remediation.uncertain._promise import Promise
from crmkit.remediation.uncertain._scenarios import draws, flat_scenarios
from crmkit.remediation.uncertain._start import start
from crmkit.remediation.uncertain._tail import Tail

if TYPE_CHECKING:
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

__all__ = ["CvarPlanner"]


class CvarPlanner(BaseEstimator):
    """The whole plan whose worst scenarios are worth most on average (conditional value at risk).

    It maximises ``(1 - weight) * mean + weight * CVaR`` over scenarios of the values: drawn from the errors of the
    remedies, or your own, such as the predictions of a model refitted on bootstrap samples. The divided plan is found
    by cuts: the mean of the worst scenarios lies below that of any fixed set of scenarios of that weight. The cases
    nearest a tie are then searched for the best whole plan under the cuts.

    Use it where a bad outcome of the whole plan matters and values err together; own errors of many cases average
    out, and the plan is then nearly that of ``auto``. ``plan.value`` stays the plan's value by the formulas and
    ``plan.bound`` what no plan's value exceeds; the objective and its own bound, for these scenarios, stand in
    ``plan.notes`` and in ``promise_``. A problem without errors and scenarios is planned as by ``auto``, and
    ``plan.notes`` say so.

    Parameters
    ----------
    level : float, default=0.1
        Which share of the scenarios is the worst. Changes the result.
    weight : float, default=1.0
        1 looks at the worst scenarios alone, 0 at the mean alone. Changes the result.
    n_scenarios : int, default=500
        How many are drawn where none are given. Changes the result.
    scenarios : array-like, shape (n_scenarios, n_cases, n_remedies), or None
        Values in each equally likely scenario; only eligible entries are read.
    random_state : int, RandomState or None, default=0
        Source of the draws.
    gap : float, default=1e-4
        Stop when the objective is proved to be within this of the best, relative to its value. Changes the result.
    nodes : int, default=100
        Nodes of branch and bound for each search of whole plans. Changes the result.
    rounds : int, default=60
        Cuts at most; the bound holds wherever they end. Changes the result.
    time_limit : float, default=600.0
        Seconds for the searches of whole plans, as a guard. Changes the result only where it is reached.

    Attributes
    ----------
    promise_ : Promise or None
        Value, bound and gap of the objective of the last plan made; None where nothing is uncertain.

    Notes
    -----
    Memory: 8 bytes a scenario and eligible pair of case and remedy. The bound is for the scenarios at hand: how the
    plan does in others is told by :func:`risk` with fresh ones.

    References
    ----------
    Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk", doi:10.21314/JOR.2000.038.

    Examples
    --------
    >>> from crmkit.remediation import CvarPlanner, Problem
    >>> problem = Problem.from_arrays([[10.0, 9.0]], uses={}, limits={})
    >>> scenarios = [[[16.0, 9.0]], [[4.0, 9.0]]]
    >>> planner = CvarPlanner(level=0.5, scenarios=scenarios)
    >>> planner.plan(problem).choice.tolist(), planner.promise_.value
    ([1], 9.0)
    """

    promise_: Promise | None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "level": [Interval(Real, 0, 1, closed="right")],
        "weight": [Interval(Real, 0, 1, closed="both")],
        "n_scenarios": [Interval(Integral, 1, None, closed="left")],
        "scenarios": ["array-like", None],
        "random_state": ["random_state"],
        "gap": [Interval(Real, 0, 1, closed="left")],
        "nodes": [Interval(Integral, 1, None, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        level: float = 0.1,
        weight: float = 1.0,
        n_scenarios: int = 500,
        scenarios: Any = None,
        random_state: Any = 0,
        gap: float = 1e-4,
        nodes: int = 100,
        rounds: int = 60,
        time_limit: float = 600.0,
    ) -> None:
        self.level = level
        self.weight = weight
        self.n_scenarios = n_scenarios
        self.scenarios = scenarios
        self.random_state = random_state
        self.gap = gap
        self.nodes = nodes
        self.rounds = rounds
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
        DataError
            If the scenarios do not fit the problem.
        ConvergenceError
            If no plan was found.
        """
        self._validate_params()
        options = problem.options()
        given = None if self.scenarios is None else flat_scenarios(problem, self.scenarios)
        noise = Noise.of(problem)
        first = start(problem, gap=float(self.gap), nodes=int(self.nodes), time_limit=0.5 * float(self.time_limit))
        if not options.n_options or (given is None and not noise.any):
            self.promise_ = None
            note = "no remedy has an error and no scenarios were given: planned as if the values were certain"
            return first.plan(first.share, "cvar", [note])
        values = given
        if values is None:
            values = draws(options.value, noise, int(self.n_scenarios), self.random_state)
        mean = np.mean(values, axis=0)
        linear = replace(options, value=(1.0 - float(self.weight)) * mean)
        terms = [Tail(options, values, float(self.level), float(self.weight))] if self.weight else []
        programme = Programme(linear, terms)
        divided = programme.solve(None, gap=0.1 * float(self.gap), rounds=int(self.rounds))
        share, bound = first.share, np.inf
        if divided is not None:
            found, bound = whole_near(
                programme,
                divided,
                gap=float(self.gap),
                nodes=int(self.nodes),
                time_limit=0.5 * float(self.time_limit),
            )
            if found is not None and programme.worth(found) > programme.worth(share):
                share = found
        worst = f"the mean of the worst {self.level:.4g} of {len(values):,} scenarios"
        what = worst if self.weight == 1 else f"{1 - self.weight:.4g} of the mean and {self.weight:.4g} of {worst}"
        worth = programme.worth(share)
        self.promise_ = Promise(what, worth, max(bound, worth))
        cost = first.bound - options.total(share)
        return first.plan(share, "cvar", [str(self.promise_), f"at most {cost:,.10g} of value is given up for it"])
