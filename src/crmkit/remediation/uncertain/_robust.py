"""The planner for the worst case."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.remediation.uncertain._budgeted import BudgetFamily
from crmkit.remediation.uncertain._ellipsoid import EllipsoidFamily
from crmkit.remediation.uncertain._family import best_of_family
from crmkit.remediation.uncertain._noise import Noise
from crmkit.remediation.uncertain._promise import Promise
from crmkit.remediation.uncertain._start import start

if TYPE_CHECKING:
    from crmkit.remediation._options import Options
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem
    from crmkit.remediation.uncertain._family import Family

__all__ = ["RobustPlanner", "default_budget", "robust_family"]

_ONE_IN_TWENTY = 1.6448536269514722


class RobustPlanner(BaseEstimator):
    """The whole plan that is worth most when the values turn out against it, within what their errors allow.

    ``kind="budget"``: at most ``budget`` cases turn out worse by ``size`` standard errors of their own, and every
    remedy by ``size`` of its shared errors. Solved as a family of ordinary problems in one threshold.
    ``kind="ellipsoidal"``: the plan's value less ``size`` standard errors of the plan, in which the cases' own errors
    average out and shared errors do not. Solved as a family of problems in one standard error. Both search the family
    by intervals, so that the bound holds for every whole plan.

    Use it where a plan must keep a promise; take ``ellipsoidal`` where errors are known to be independent, ``budget``
    where only their sizes are. ``plan.value`` stays the plan's value by the formulas and ``plan.bound`` what no plan's
    value exceeds; the worst case and its own bound stand in ``plan.notes`` and in ``promise_``. A problem without
    errors is planned as by ``auto``, and ``plan.notes`` say so.

    Parameters
    ----------
    budget : float or None, default=None
        How many cases turn out worse, for ``kind="budget"``; None takes ``1 + 1.645 * sqrt(n)`` for ``n`` groups with
        an eligible remedy, at most ``n``: where own errors are independent, symmetric and never beyond ``size``
        standard errors, a plan then falls below its worst case by them at most about once in twenty. Changes the
        result.
    kind : {"budget", "ellipsoidal"}, default="budget"
        What the worst case is.
    size : float, default=2.0
        How many standard errors. Changes the result.
    gap : float, default=1e-4
        Stop when the worst case is proved to be within this of the best one, relative to its value. Changes the result.
    nodes : int, default=100
        Nodes of branch and bound for each search of whole plans. Changes the result.
    solves : int, default=60
        Programmes of the family that are solved at most. More prove smaller gaps. Changes the result.
    time_limit : float, default=600.0
        Seconds, as a guard. Changes the result only where it is reached.

    Attributes
    ----------
    promise_ : Promise or None
        Value, bound and gap of the worst case of the last plan made; None where the problem has no errors.

    Notes
    -----
    Cost: that of ``auto`` once, then up to ``solves`` linear programmes that start from each other. Problems of up to
    300 groups are searched whole; larger ones are bounded by divided plans.

    References
    ----------
    Bertsimas & Sim 2003, "Robust discrete optimization and network flows", doi:10.1007/s10107-003-0396-4.
    Bertsimas & Sim 2004, "The price of robustness", doi:10.1287/opre.1030.0065.

    Examples
    --------
    >>> from crmkit.remediation import Problem, RobustPlanner
    >>> problem = Problem.from_arrays([[10.0, 9.0]], uses={}, limits={}, errors=[[4.0, 1.0]])
    >>> planner = RobustPlanner(budget=1, size=1)
    >>> planner.plan(problem).choice.tolist(), planner.promise_.value
    ([1], 8.0)
    """

    promise_: Promise | None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "budget": [Interval(Real, 0, None, closed="left"), None],
        "kind": [StrOptions({"budget", "ellipsoidal"})],
        "size": [Interval(Real, 0, None, closed="left")],
        "gap": [Interval(Real, 0, 1, closed="left")],
        "nodes": [Interval(Integral, 1, None, closed="left")],
        "solves": [Interval(Integral, 1, None, closed="left")],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        budget: float | None = None,
        kind: str = "budget",
        size: float = 2.0,
        gap: float = 1e-4,
        nodes: int = 100,
        solves: int = 60,
        time_limit: float = 600.0,
    ) -> None:
        self.budget = budget
        self.kind = kind
        self.size = size
        self.gap = gap
        self.nodes = nodes
        self.solves = solves
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
            If none was found.
        """
        self._validate_params()
        noise = Noise.of(problem)
        first = start(problem, gap=float(self.gap), nodes=int(self.nodes), time_limit=0.5 * float(self.time_limit))
        if not noise.any or not self.size:
            self.promise_ = None
            note = "no remedy has an error: planned as if the values were certain"
            return first.plan(first.share, f"robust ({self.kind})", [note])
        options = problem.options()
        family, what = robust_family(options, noise, kind=self.kind, budget=self.budget, size=float(self.size))
        proved = best_of_family(
            family,
            first.share,
            first.relaxed,
            gap=float(self.gap),
            nodes=int(self.nodes),
            solves=int(self.solves),
            time_limit=0.5 * float(self.time_limit),
        )
        self.promise_ = Promise(what, proved.value, proved.bound)
        cost = first.bound - options.total(proved.share)
        notes = [
            str(self.promise_),
            f"{proved.solved} programmes were solved",
            f"at most {cost:,.10g} of value is given up for it",
        ]
        return first.plan(proved.share, f"robust ({self.kind})", notes)


def default_budget(n_groups: int) -> float:
    """Give the number of deviating cases that own errors exceed about once in twenty."""
    return float(min(n_groups, 1.0 + _ONE_IN_TWENTY * np.sqrt(n_groups)))


def robust_family(
    options: Options, noise: Noise, *, kind: str, budget: float | None, size: float
) -> tuple[Family, str]:
    """Give the family of problems of a worst case, and the worst case in words.

    Parameters
    ----------
    options : Options
        What may be chosen.
    noise : Noise
        Its errors.
    kind : str
        ``"budget"`` or ``"ellipsoidal"``.
    budget : float or None
        As in :class:`RobustPlanner`.
    size : float
        How many standard errors.

    Returns
    -------
    tuple
        Family and words.
    """
    if kind == "ellipsoidal":
        return EllipsoidFamily(options, noise, size), f"value less {size:g} standard errors of the plan"
    count = default_budget(options.n_groups) if budget is None else float(budget)
    shifted = replace(options, value=options.value - size * noise.shared)
    what = f"value with {count:,.4g} cases worse by {size:g} standard errors"
    if noise.shared.any():
        what += f" and every remedy by {size:g} shared errors"
    return BudgetFamily(shifted, size * noise.own, count), what
