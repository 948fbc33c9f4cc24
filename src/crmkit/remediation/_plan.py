"""A plan: which case gets which remedy, what that is worth, and what it proves about every other plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.remediation._assigner import Assigner
from crmkit.remediation._handed_in import as_choice, as_duals
from crmkit.remediation._intensity_hooks import near_levels, rechosen_for
from crmkit.remediation._options import EXACT
from crmkit.remediation._plan_tables import Lines, explanation, plan_table, price_table, use_of
from crmkit.remediation._ranking import adjusted_table
from crmkit.remediation._relaxation import Relaxed, relax
from crmkit.remediation._terms import NOTHING
from crmkit.remediation._what_if import what_if, what_if_replanned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.core.estimate import Estimate
    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem
    from crmkit.remediation._promised import Promised

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Plan"]


class Plan:
    """Which case gets which remedy, with its worth, its proof and its prices.

    Planners make plans by :meth:`from_choice` (whole) or :meth:`from_shares` (divided). Everything that explains a plan
    is a function of the problem and the prices, so that it reads the same for every planner; prices are worked out
    when they are first asked for.

    Attributes
    ----------
    problem : Problem
        What was planned.
    choice : ndarray of int, shape (n_cases,)
        Number of the remedy each case gets, -1 for nothing; of a divided case the largest part.
    value : float
        What the plan keeps, over doing nothing, in the cases' currency, less ``penalty``. Cases held out are not
        counted.
    penalty : float
        What going beyond soft limits costs; 0 where all limits are kept.
    bound : float
        What no plan can exceed, proved; ``inf`` where nothing is known.
    gap : float
        ``(bound - value) / max(1, abs(value))``.
    planner : str
        Who made it; ``"auto (…)"`` says what was chosen.
    notes : tuple of str
        How it was made, in words.
    fractional : bool
        Whether some case is divided among remedies.
    intensities_chosen : bool
        Whether the intensities at which ``problem`` stands were planned too, so that ``bound`` holds for all of them.

    Examples
    --------
    >>> from crmkit.remediation import Plan, Problem
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
    >>> Plan.from_choice(problem, [0, -1], bound=10.0)
    Plan(2 cases: remedy_0 1, nothing 1; value 10, bound 10, gap 0; planner 'from choice')
    """

    problem: Problem
    choice: Ints
    value: float
    penalty: float
    bound: float
    planner: str
    notes: tuple[str, ...]
    fractional: bool
    intensities_chosen: bool

    def __init__(
        self,
        problem: Problem,
        case: Ints,
        remedy: Ints,
        share: Floats,
        *,
        bound: float,
        duals: Floats | None,
        relaxed: Relaxed | None,
        planner: str,
        notes: Sequence[str],
    ) -> None:
        self.problem = problem
        n_cases = problem.n_cases
        if problem.promised is not None:
            remedy = _with_promised(problem.promised, case, remedy)
        self.fractional = len(case) != n_cases
        if self.fractional:
            order = np.lexsort((-share, case))
            self.choice = remedy[order][np.unique(case[order], return_index=True)[1]]
        else:
            self.choice = remedy
        given = remedy >= 0
        worth = np.zeros(len(case))
        # What is promised is open to no planner, so that its worth stands in the tableau alone.
        value = problem.worth() if problem.promised is None else problem.tableau().value
        worth[given] = share[given] * value[case[given], remedy[given]]
        self._lines = Lines(case, remedy, share, worth)
        self.penalty = self._paid()
        self.value = float(np.sum(worth)) - self.penalty
        self.planner = planner
        self.notes = tuple(notes)
        self._duals = duals
        self._relaxed = relaxed
        self._core: tuple[Options, Relaxed, Ints] | None = None
        self._replan: Callable[[Problem, Floats], Plan] | None = None
        self._cached: dict[str, Any] = {}
        self.intensities_chosen = False
        bound = bound + problem.fixed
        if duals is not None:
            bound = min(bound, problem.bound_at(duals))
        # Sums in another order differ in the last digits; a plan is never worth more than its own bound.
        close = bound < self.value <= bound + EXACT * max(1.0, abs(bound))
        self.bound = self.value if close else float(bound)

    @classmethod
    def from_choice(
        cls,
        problem: Problem,
        choice: Any,
        *,
        prices: Any = None,
        bound: float | None = None,
        planner: str = "from choice",
        notes: Sequence[str] = (),
    ) -> Self:
        """Make a plan of one choice a case: the door for authors of planners.

        Limits are not checked here but by :func:`verify`.

        Parameters
        ----------
        problem : Problem
            What was planned.
        choice : array-like of int, shape (n_cases,)
            Number of the remedy each case gets, -1 for nothing.
        prices : array-like of float, shape (n_limits,), or None
            What one more unit of each limit is worth, in the order of the limits: >= 0 for resources and caps, <= 0
            for floors. They prove a bound and rank the remedies of each case; where None, they are worked out from the
            divided plan when they are first needed.
        bound : float or None
            What no plan can exceed, where it is known; the lower one of this and the prices' own is kept. Of a
            problem in which remedies are promised (:meth:`update`) choice and bound are of what is open besides.
        planner : str, default="from choice"
            Who made it.
        notes : sequence of str, default=()
            How it was made, in words.

        Returns
        -------
        Plan
            A whole plan.

        Raises
        ------
        DataError
            If the choice has another length, is out of range or not eligible, or the prices have the wrong sign.

        Examples
        --------
        >>> from crmkit.remediation import Plan, Problem
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
        >>> Plan.from_choice(problem, [0, -1], prices=[4.0]).bound
        10.0
        """
        remedy = as_choice(problem, choice)
        duals = None if prices is None else as_duals(problem, prices)
        return cls(
            problem,
            np.arange(problem.n_cases),
            remedy,
            np.ones(problem.n_cases),
            bound=np.inf if bound is None else float(bound),
            duals=duals,
            relaxed=None,
            planner=planner,
            notes=notes,
        )

    @classmethod
    def from_shares(
        cls, problem: Problem, share: Floats, *, relaxed: Relaxed, planner: str, notes: Sequence[str] = ()
    ) -> Self:
        """Make a plan of shares of the problem's options, whole or divided, with the divided plan's prices.

        Parameters
        ----------
        problem : Problem
            What was planned.
        share : ndarray, shape (n_options,)
            Share of each of ``problem.options()``.
        relaxed : Relaxed
            The divided plan, whose prices and bound are taken.
        planner : str
            Who made it.
        notes : sequence of str, default=()
            How it was made, in words.

        Returns
        -------
        Plan
            Divided where some share is between 0 and 1.
        """
        options = problem.options()
        taken = np.flatnonzero(share > 0)
        case, remedy, part = options.case[taken], options.remedy[taken], share[taken]
        nothing = 1.0 - np.bincount(case, weights=part, minlength=problem.n_cases)
        idle = np.flatnonzero(nothing > EXACT)
        case = np.concatenate([case, idle])
        remedy = np.concatenate([remedy, np.full(len(idle), -1)])
        part = np.concatenate([part, nothing[idle]])
        order = np.lexsort((np.where(remedy < 0, len(problem.remedies), remedy), case))
        return cls(
            problem,
            case[order].astype(np.intp),
            remedy[order].astype(np.intp),
            np.asarray(part[order], dtype=np.float64),
            bound=relaxed.bound,
            duals=relaxed.prices * options.sign,
            relaxed=relaxed,
            planner=planner,
            notes=notes,
        )

    def with_bound(self, bound: float) -> Self:
        """Keep a lower bound where one was proved, for planners; gives the plan itself.

        Parameters
        ----------
        bound : float
            What no plan can exceed.

        Returns
        -------
        Plan
            This plan.
        """
        self.bound = max(min(self.bound, float(bound) + self.problem.fixed), self.value)
        return self

    def with_chosen_intensities(self, bound: float) -> Self:
        """Say that the intensities of the problem were planned too, for planners; gives the plan itself.

        Parameters
        ----------
        bound : float
            What no plan can exceed, whatever its intensities: more than the prices prove for those planned.

        Returns
        -------
        Plan
            This plan.
        """
        self.bound, self.intensities_chosen = max(float(bound), self.value), True
        return self

    def with_core(
        self, options: Options, relaxed: Relaxed, rows: Ints, replan: Callable[[Problem, Floats], Plan]
    ) -> Self:
        """Keep the part of a large problem that decides its prices, for planners; gives the plan itself.

        Parameters
        ----------
        options : Options
            The part, under what all others leave of the limits.
        relaxed : Relaxed
            Its divided plan.
        rows : ndarray of int
            Which of the problem's limits each row of the part is.
        replan : callable
            Plans a similar problem, from this plan's :attr:`duals`.

        Returns
        -------
        Plan
            This plan.
        """
        self._core, self._replan = (options, relaxed, rows), replan
        return self

    def get_state(self) -> dict[str, Any]:
        """Give everything the plan consists of, prices included, for saving without pickle.

        Returns
        -------
        dict
            The problem, arrays, numbers and text.
        """
        return {
            "problem": self.problem,
            "case": self._lines.case,
            "remedy": self._lines.remedy,
            "share": self._lines.share,
            "bound": self.bound,
            "duals": self.duals,
            "planner": self.planner,
            "notes": list(self.notes),
            "intensities_chosen": self.intensities_chosen,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make a plan again from what :meth:`get_state` gave.

        Parameters
        ----------
        state : dict
            The state.

        Returns
        -------
        Plan
            The same plan; its table of prices is worked out anew when it is asked for.
        """
        made = cls(
            state["problem"],
            state["case"],
            state["remedy"],
            state["share"],
            bound=state["bound"] - state["problem"].fixed,
            duals=state["duals"],
            relaxed=None,
            planner=state["planner"],
            notes=state["notes"],
        )
        return made.with_chosen_intensities(state["bound"]) if state.get("intensities_chosen") else made

    @property
    def gap(self) -> float:
        """How far the plan can be from the best: ``(bound - value) / max(1, abs(value))``."""
        return (self.bound - self.value) / max(1.0, abs(self.value))

    @property
    def duals(self) -> Floats:
        """What one more unit of each limit is worth, one number a limit; see :attr:`prices` for both sides."""
        if self._duals is None:
            relaxed = self.relaxed()
            self._duals = relaxed.prices * self.problem.options().sign
        return self._duals

    def relaxed(self) -> Relaxed:
        """Give the divided plan, solving it where the planner did not; all prices 0 where there is none."""
        if self._relaxed is None:
            options = self.problem.options()
            found = relax(options)
            blank = Relaxed(np.zeros(options.n_options), np.zeros(len(options.bound)), 0.0, np.inf)
            self._relaxed = blank if found is None else found
        return self._relaxed

    def _paid(self) -> float:
        """Add up what going beyond limits costs."""
        tier = self.problem.tier()
        return tier.cost(self._beyond()) if len(tier.rows) else 0.0

    def _beyond(self) -> Floats:
        """Say how far each limit is gone beyond, below 0 where there is room."""
        limits = self.problem.tableau().limits
        sign = np.array([1.0 if limit.sense == "<=" else -1.0 for limit in limits])
        return sign * (self.used() - np.array([limit.bound for limit in limits], dtype=np.float64))

    def used(self) -> Floats:
        """Say how much of each limit the plan uses.

        Returns
        -------
        ndarray, shape (n_limits,)
            In the limits' own units: cases for floors and caps.
        """
        limits = self.problem.tableau().limits
        return np.array([np.sum(use_of(self._lines, limit.coefficients)) for limit in limits], dtype=np.float64)

    @property
    def table(self) -> pd.DataFrame:
        """One row a case in the order of the cases; a divided case has a row for each part.

        Columns: ``case_id``, ``remedy`` (``"nothing"`` where none), ``share``, ``intensity`` (only where remedies have
        intensities; missing for nothing and for remedies without one), ``value`` (times the share),
        ``uses_<resource>`` (times the share), ``runner_up`` and ``lead`` (the next best at the plan's prices and how
        far it is behind; missing and ``inf`` where there was no other choice; below 0 where a limit or a promise
        forbade the better one to this case), ``arm`` (``"plan"`` or ``"holdout"``) and ``intended``: the remedy of a
        planned case; for a case held out what the plan's prices would have given it, whose value is not counted. A plan
        made by :meth:`update` also says in ``promised`` what was promised before.
        """
        if "table" not in self._cached:
            self._cached["table"] = plan_table(self.problem, self._lines, self._ranking())
        found: pd.DataFrame = self._cached["table"]
        return found

    def _ranking(self) -> Floats:
        """Price-adjusted values of every case, also of those held out."""
        if "ranking" not in self._cached:
            tableau = self.problem.tableau()
            self._cached["ranking"] = adjusted_table(tableau.value, tableau.rows, self.duals)
        found: Floats = self._cached["ranking"]
        return found

    @property
    def summary(self) -> pd.DataFrame:
        """What each remedy amounts to: ``cases`` (divided ones by share), ``value`` and ``uses_<resource>``."""
        table = self.table
        uses = [column for column in table.columns if column.startswith("uses_")]
        sums = table.groupby("remedy", sort=False)[["share", "value", *uses]].sum()
        order = [*self.problem.remedy_names, NOTHING]
        return sums.reindex(order, fill_value=0.0).rename(columns={"share": "cases"}).rename_axis("remedy")

    @property
    def prices(self) -> pd.DataFrame:
        """What one unit more or less of each limit is worth, a row a limit.

        Columns: ``used`` (by this plan), ``limit``, ``price_less`` and ``price_more``: by how much the best value
        changes with the limit, per unit, below and above it (>= 0 for resources and caps, <= 0 for floors; infinite
        where a step to that side leaves no plan), ``valid_from`` and ``valid_to``: from where to where the limit may
        move while these hold, and ``unit``. They are exact for the plan in which cases may be divided; a whole plan
        follows them up to the size of one case. Of a plan made by ``dual`` they are those of the cases it solved
        exactly (``plan.notes`` say how near to the best that is): where several price systems prove the plan, the two
        sides may lie further apart than all cases together would show.
        """
        if "prices" not in self._cached:
            core = near_levels(self) if self._core is None and self.intensities_chosen else self._core
            if core is None:
                options = self.problem.options()
                core = options, self.relaxed(), np.arange(len(options.bound))
            self._cached["prices"] = price_table(self.problem, *core, self.used())
        found: pd.DataFrame = self._cached["prices"]
        return found

    def explain(self, case_id: Any) -> pd.DataFrame:
        """Rank what could be done for one case by its value less what it takes from others at the plan's prices.

        Parameters
        ----------
        case_id : object
            As in the cases.

        Returns
        -------
        pandas.DataFrame
            Indexed by remedy, best first, ``"nothing"`` included: ``value``; ``price_of_<limit>`` for each limit that
            has a price (what is taken from others; below 0 where a floor is helped); ``adjusted``, by which they are
            ranked; ``chosen`` (the share given). Remedies that are not eligible are left out. With ``one_per``,
            nothing is worth what the group can get in another of its cases.

        Raises
        ------
        KeyError
            If there is no such case.

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
        >>> plan(problem).explain(1).index.tolist()
        ['nothing', 'remedy_0']
        """
        return explanation(self.problem, self._lines, self._ranking(), self.duals, case_id)

    def what_if(self, limit: str, values: Iterable[float]) -> pd.DataFrame:
        """Plan again with other values of one limit.

        Parameters
        ----------
        limit : str
            Its name; a floor or cap given as a share is set as a whole number, as :attr:`prices` shows it.
        values : iterable of float
            What it would be.

        Returns
        -------
        pandas.DataFrame
            Indexed by the values: ``value`` of a plan, ``bound`` that no plan can exceed, ``gap``; NaN, ``-inf`` and
            NaN where no plan keeps the limits. Whole plans where this plan is whole, divided ones where it is divided.
            Each row holds what the whole curve proves: a plan under a tighter limit is one under a looser one too,
            and the prices of each point prove a bound at all others.

        Raises
        ------
        DataError
            If there is no such limit.

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
        >>> plan(problem).what_if("hours", [0, 1, 2])["value"].tolist()
        [0.0, 10.0, 14.0]
        """
        if isinstance(values, str | bytes):
            raise TypeError(f"values must be numbers, got {type(values).__name__}")
        given = list(np.atleast_1d(np.asarray(list(values) if isinstance(values, Iterable) else values, dtype=float)))
        replan = self._replan if self._replan is not None or not self.intensities_chosen else rechosen_for(self)
        if replan is not None:
            return what_if_replanned(self, replan, limit, given)
        return what_if(self, limit, given)

    def waterfall(self, order: Iterable[str] | Mapping[str, str | Sequence[str]] | None = None) -> pd.DataFrame:
        """Say what each limit costs: from what could be kept without any, limit by limit, to what this plan keeps.

        Parameters
        ----------
        order : iterable of str, mapping of str to str or sequence of str, or None
            The limits' names in the order in which they are brought in; None is the order in which they were given.
            A mapping brings in several at once under one label, such as all rows of hours. Each limit once.

        Returns
        -------
        pandas.DataFrame
            Indexed by limit, from ``"everything"`` (no limit at all) to ``"whole cases"`` (the plan itself):
            ``value`` (with this limit and all before it), ``cost`` (by how much it fell there: the costs add up to the
            whole way), ``alone`` (what this limit would cost if it were the only one) and ``last`` (what leaving out
            only this one would bring). All are of divided plans; the last step is what is lost because cases are not
            divided, and by a planner that does not find the best plan. ``one_per``, eligibility and the hold-out hold
            everywhere.

        Raises
        ------
        DataError
            If the order does not name each limit once.
        InfeasiblePlanError
            If no plan keeps the limits.
        DataError
            If the plan chose intensities: at these every limit would seem to cost next to nothing.

        Notes
        -----
        The order matters: where two limits share a cost, the first of them bears it; where one makes the other dear
        (a floor, once there is little money), the last one does. ``alone`` and ``last`` do not depend on the order, and
        ``last`` is what lifting a limit would bring now: 0 for one that is not used up. Costs are never below 0,
        unless the plan itself breaks a limit.
        Cost: about three linear programmes a limit; of large problems as many searches for prices, which start from
        those of the plan (100,000 cases and nine limits: about six CPU seconds).

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0, "budget": 3.0},
        ...                               limits={"hours": 1, "budget": 4.5})
        >>> plan(problem).waterfall()["cost"].tolist()
        [0.0, 4.0, 0.0, 0.0]
        >>> plan(problem).waterfall(["budget", "hours"])["cost"].tolist()
        [0.0, 2.0, 2.0, 0.0]
        """
        from crmkit.remediation._waterfall import waterfall

        if self.problem.intensities is not None:
            raise DataError(
                "the plan chose intensities that suit its limits; at these every limit would seem to cost next to "
                "nothing: ask what_if, which chooses them anew"
            )
        return waterfall(self, order)

    def assign(self, new_cases: Any) -> pd.DataFrame:
        """Give new cases the remedy that is best at the plan's prices, as long as what is left lasts.

        New cases are taken in their order. Resources and caps keep to what this plan leaves of them; floors make
        remedies cheaper, as in the plan. A group of ``one_per`` that has a remedy gets no second one.

        Parameters
        ----------
        new_cases : table
            With the columns that the problem's formulas name.

        Returns
        -------
        pandas.DataFrame
            ``case_id``, ``remedy``, ``value``, ``uses_<resource>`` and ``adjusted`` (0 for nothing), in input order.

        Raises
        ------
        DataError
            If a column is missing.

        Warns
        -----
        DataWarning
            If something is missing, once, with counts.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Remedy, Resource, plan
        >>> cases = {"case_id": ["a", "b"], "worth": [10.0, 4.0]}
        >>> problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 3)])
        >>> plan(problem).assign({"case_id": ["c", "d"], "worth": [5.0, 7.0]})["remedy"].tolist()
        ['call', 'nothing']
        """
        return self.assigner()._assigned(new_cases)  # noqa: SLF001 -- called at the depth at which warnings point to the caller

    def assigner(self) -> Assigner:
        """Give what assigns new cases call after call, each from what the calls before it have left.

        Returns
        -------
        Assigner
            It starts from what this plan leaves; each is counted by itself.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Remedy, Resource, plan
        >>> cases = {"case_id": ["a", "b"], "worth": [10.0, 4.0]}
        >>> problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 3)])
        >>> plan(problem).assigner()
        Assigner(0 new cases so far; left: hours 1)
        """
        if "assigner" not in self._cached:
            # A group of which some case is held out must stay without a remedy.
            has = (self.choice >= 0) | self.problem.closed
            self._cached["assigner"] = Assigner(self.problem, self.duals, self.used(), self.choice, has)
        fresh: Assigner = self._cached["assigner"].copy()
        return fresh

    def update(self, cases: Any, *, promised: Any = None, planner: Any = "auto") -> Plan:
        """Plan anew for the cases there are now, keeping what was promised.

        A promised remedy stands, whatever its case would be worth now: with the worth and the uses as planned. What it
        takes is taken from resources and caps, and it counts for floors. Everything else is planned anew under what is
        left, from this plan's prices. Cases held out stay so, and of new ones the same share is drawn.

        Parameters
        ----------
        cases : table
            All cases there are now, with the same columns: some may be new, some gone, some changed. What was promised
            to a case that is gone stays used: the new problem's resources, and its floors and caps given as counts, are
            less by that.
        promised : array-like of case ids, or None
            Which cases keep the remedy that this plan gave them; None means all that have one. What was promised in an
            earlier update stands in any case.
        planner : str or object with ``plan(problem)``, default="auto"
            As in :func:`plan`; ``"auto"`` and ``"dual"`` start from this plan's prices.

        Returns
        -------
        Plan
            Of a new problem of these cases (``.problem``); its table has a column ``promised``.

        Raises
        ------
        DataError
            If this plan divides cases, a promised case had no remedy, or two promises are of one group.
        InfeasiblePlanError
            If promises alone break a limit, or nothing keeps all limits beside them.

        Warns
        -----
        DataWarning
            If something is missing, once, with counts.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Remedy, Resource, plan
        >>> remedies = [Remedy("call", value="worth", uses={"hours": 1})]
        >>> made = plan(Problem({"case_id": ["a", "b"], "worth": [10.0, 4.0]}, remedies, [Resource("hours", 2)]))
        >>> later = made.update({"case_id": ["a", "b", "c"], "worth": [1.0, 4.0, 7.0]}, promised=["a"])
        >>> later.table[["case_id", "remedy", "promised"]].values.tolist()
        [['a', 'call', True], ['b', 'nothing', False], ['c', 'call', False]]
        """
        from crmkit.remediation._update import update

        return update(self, cases, promised=promised, planner=planner)

    def stability(self, n: int = 200, *, random_state: Any = 0, exact: bool = False) -> Estimate:
        """Say which share of the cases would get another remedy if the values were a little different.

        Parameters
        ----------
        n : int, default=200
            How often the values are moved by their standard errors, at least 2.
        random_state : int, RandomState or None, default=0
            Source of the draws.
        exact : bool, default=False
            Plan anew for each draw, against this plan. Otherwise each draw is decided at this plan's prices, against
            what they decide for the values as they are: far faster, and an overestimate where errors are shared,
            because prices would move along.

        Returns
        -------
        Estimate
            The share among the cases that are not held out, with a 95 % interval over the draws.

        Raises
        ------
        DataError
            If no remedy has an error, or the plan divides cases.
        ValueError
            If ``n`` is below 2.

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={}, errors=[[1.0], [4.0]])
        >>> 0.05 < plan(problem).stability() < 0.11
        True
        """
        from crmkit.remediation.uncertain._stability import stability

        return stability(self, n=n, random_state=random_state, exact=exact)

    def __repr__(self) -> str:
        return (
            f"Plan({self.problem.n_cases:,} cases: {self._counts()}; value {self.value:,.6g}, bound {self.bound:,.6g}, "
            f"gap {self.gap:.2g}; planner {self.planner!r})"
        )

    def _counts(self) -> str:
        """Say how many cases get what."""
        counts = np.bincount(self.choice + 1, minlength=len(self.problem.remedies) + 1)
        parts = [f"{name} {count:,}" for name, count in zip(self.problem.remedy_names, counts[1:], strict=True)]
        return ", ".join([*parts, f"{NOTHING} {counts[0]:,}"])

    def _repr_html_(self) -> str:
        """Show the plan in a notebook: what each remedy amounts to, and what is used of each limit."""
        summary = self.summary
        rows = [[name, *line] for name, line in zip(summary.index, summary.to_numpy().tolist(), strict=True)]
        remedies = html.table(
            ["remedy", *summary.columns],
            rows,
            caption=f"Plan: value {html.cell(self.value)}, at most {html.cell(self.bound)}, gap {self.gap:.2g} "
            f"({self.planner})",
        )
        limits = [
            [row.name, row.sense, float(used), row.bound]
            for row, used in zip(self.problem.tableau().limits, self.used(), strict=True)
        ]
        return remedies + html.table(["limit", "", "used", "bound"], limits, caption="Limits")


def _with_promised(promised: Promised, case: Ints, remedy: Ints) -> Ints:
    """Give promised cases their remedy, where planners gave them nothing."""
    there = np.full(int(case.max(initial=-1)) + 1, -1, dtype=np.intp)
    there[promised.case] = promised.remedy
    return np.where(there[case] >= 0, there[case], remedy)
