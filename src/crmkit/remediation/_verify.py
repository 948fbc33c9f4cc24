"""Checks a plan against its problem from the formulas up; shares no code with planners but the expression language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.remediation._plan import Plan
from crmkit.remediation._recount import Column, Counts, Formulas
from crmkit.remediation._terms import NOTHING, Floor, Ratio, Resource
from crmkit.remediation._verify_before import Before
from crmkit.remediation._verify_intensities import AtIntensities

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """What checking a plan found.

    Parameters
    ----------
    ok : bool
        Nothing is wrong.
    violations : tuple of str
        What is wrong, with row positions and limits, never with what stands in the cases.
    value : float
        What the plan is worth, added up anew from the formulas, less what going beyond soft limits costs.
    bound : float
        What no plan can exceed, proved anew from the plan's prices alone; ``inf`` where only a table was given. A
        planner that searched may know a lower one.
    gap : float
        ``(bound - value) / max(1, abs(value))``.
    """

    ok: bool
    violations: tuple[str, ...]
    value: float
    bound: float
    gap: float

    def __bool__(self) -> bool:
        return self.ok


class _Facts:
    """The problem worked out anew: a column of numbers for each remedy and limit."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = problem.cases
        self.n_cases = len(self.table)
        self.names = [remedy.name for remedy in problem.remedies]
        formulas = Formulas(self.table)
        self.value = np.full((self.n_cases, len(self.names)), np.nan, order="F")
        self.use: dict[str, Counts] = {}
        taken: dict[str, dict[int, Column]] = {}
        for j, remedy in enumerate(problem.remedies):
            may = np.ones(self.n_cases, dtype=bool) if remedy.eligible is None else formulas.truths(remedy.eligible)
            for resource, formula in remedy.uses.items():
                amounts = formulas.amounts(formula)
                taken.setdefault(resource, {})[j] = amounts
                may[amounts.unknown] = False
            for error in (remedy.error, remedy.shared_error):
                may &= True if error is None else ~np.isnan(formulas.numbers(error))
            self.value[:, j] = np.where(may, formulas.numbers(remedy.value), np.nan)
        self.before = Before(problem)
        self.may = self.before.restrict(~np.isnan(self.value))
        if problem.one_per is None:
            self.group = pd.Series(np.arange(self.n_cases))
        else:
            key = self.table[problem.one_per]
            codes, uniques = pd.factorize(key.astype(object))
            lone = codes < 0  # a missing value stands for itself alone
            codes[lone] = len(uniques) + np.arange(int(lone.sum()))
            self.group = pd.Series(codes)
        self.bound: dict[str, float] = {}
        for limit in problem.limits:
            if isinstance(limit, Resource):
                self.use[limit.name] = Counts(taken.get(limit.name, {}))
                self.bound[limit.name] = float(limit.limit)
                continue
            weight, self.bound[limit.name] = self.counted(limit, formulas)
            column = Column.of(weight, np.zeros(self.n_cases, dtype=bool))
            counted = [
                j
                for j, remedy in enumerate(problem.remedies)
                if limit.remedy is None or limit.remedy in (remedy.name, *remedy.parts)
            ]
            self.use[limit.name] = Counts(dict.fromkeys(counted, column))
        self.before.write(self.value, self.use)

    def counted(self, limit: Any, formulas: Formulas) -> tuple[npt.NDArray[Any], float]:
        """Say what a remedy of each case counts against a floor, cap or ratio, and what is asked of the sum."""
        everyone = np.ones(self.n_cases, dtype=bool)
        inside = everyone if limit.where is None else formulas.truths(limit.where)
        if not isinstance(limit, Ratio):
            return inside, self.least_or_most(limit, inside)
        other = everyone if limit.to is None else formulas.truths(limit.to)
        size, against = (self.group[who & ~self.problem.held_out].nunique() for who in (inside, other))
        if not size * against:
            return np.zeros(self.n_cases), -float(limit.short)
        return np.where(inside, 1.0, 0.0) - np.where(other, limit.least * size / against, 0.0), -float(limit.short)

    def least_or_most(self, limit: Any, inside: npt.NDArray[np.bool_]) -> float:
        """Turn a floor or cap into a count."""
        if limit.count is not None:
            return float(limit.count)
        among = self.group[inside & ~self.problem.held_out].nunique() * float(limit.share)
        return float(math.ceil(among - 1e-9)) if isinstance(limit, Floor) else float(math.floor(among + 1e-9))


def verify(plan_or_table: Any, problem: Problem) -> Verification:
    """Check that a plan is what it says: eligible, within every limit, each case once, and its sums right.

    Everything is worked out anew from cases, remedies and limits; of the planners' code nothing is used. Give the plan
    to have its prices, bound and explanations checked too; give a table (such as one read back from a file) to check
    what would be carried out.

    Parameters
    ----------
    plan_or_table : Plan or table
        A table needs ``case_id`` and ``remedy``; ``share`` is 1 where it is absent, and other columns of a plan's table
        are checked where they are there.
    problem : Problem
        What was planned.

    Returns
    -------
    Verification
        ``ok``, ``violations``, ``value``, ``bound`` and ``gap``.

    Notes
    -----
    Limits are kept to a relative 1e-9 by whole plans and 1e-7 by divided ones. Cost: about that of making the problem.

    Examples
    --------
    >>> from crmkit.remediation import Problem, plan, verify
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
    >>> verify(plan(problem), problem).ok
    True
    >>> verify({"case_id": [0, 1], "remedy": ["remedy_0", "remedy_0"]}, problem).violations
    ("limit 'hours': 2 used of at most 1",)
    """
    told = AtIntensities.of(plan_or_table, problem)
    facts = _Facts(problem if told is None else told.words)
    made = plan_or_table if isinstance(plan_or_table, Plan) else None
    table = (made.table if made is not None else as_frame(plan_or_table, what="plan")).reset_index(drop=True)
    wrong: list[str] = [] if told is None else told.violations
    if wrong:
        return Verification(ok=False, violations=tuple(wrong), value=math.nan, bound=math.inf, gap=math.inf)
    lines = _Lines(table, facts, wrong)
    if not lines.readable:
        return Verification(ok=False, violations=tuple(wrong), value=math.nan, bound=math.inf, gap=math.inf)
    lines.check_shares()
    lines.check_limits()
    value = float(lines.worth.sum()) - lines.paid
    lines.check_written()
    bound = math.inf
    if made is not None:
        bound = _check_claims(made, facts, lines, value, wrong, told)
    return Verification(
        ok=not wrong,
        violations=tuple(wrong),
        value=value,
        bound=bound,
        gap=(bound - value) / max(1.0, abs(value)),
    )


class _Lines:
    """The lines of a plan's table beside the facts."""

    def __init__(self, table: pd.DataFrame, facts: _Facts, wrong: list[str]) -> None:
        self.table, self.facts, self.wrong = table, facts, wrong
        self.readable, self.paid = False, 0.0
        absent = [column for column in ("case_id", "remedy") if column not in table.columns]
        if absent:
            wrong.append(f"the table has no column {', '.join(map(repr, absent))}")
            return
        self.case = pd.Index(facts.table["case_id"]).get_indexer(pd.Index(table["case_id"]))
        names = [*facts.names, NOTHING]
        self.remedy = pd.Index(names, dtype=object).get_indexer(pd.Index(table["remedy"].astype(object)))
        self.share = np.ones(len(table))
        if "share" in table.columns:
            self.share = pd.to_numeric(table["share"], errors="coerce").to_numpy(dtype=np.float64)
        self.note("case_id is none of the problem's", self.case < 0)
        self.note("remedy is none of the problem's", self.remedy < 0)
        self.note("share is no number from 0 to 1", ~((self.share >= 0) & (self.share <= 1 + 1e-9)))
        if wrong:
            return
        self.readable = True
        self.given = self.remedy < len(facts.names)
        self.column = np.where(self.given, self.remedy, 0)
        self.whole = bool(np.all((self.share == 0) | (self.share == 1)))
        allowed = np.zeros(len(table), dtype=bool)
        allowed[self.given] = facts.may[self.case[self.given], self.column[self.given]]
        self.note("the remedy is not eligible", self.given & ~allowed)
        self.ok = self.given & allowed
        self.worth = np.zeros(len(table))
        self.worth[self.ok] = facts.value[self.case[self.ok], self.column[self.ok]] * self.share[self.ok]
        self.rows = [np.flatnonzero(self.ok & (self.remedy == j)) for j in range(len(facts.names))]
        self.amount = np.zeros(facts.value.shape, order="F")
        for j, rows in enumerate(self.rows):
            self.amount[:, j] = np.bincount(self.case[rows], weights=self.share[rows], minlength=facts.n_cases)

    def of(self, counts: Counts) -> Floats:
        """Give what each line counts against a limit, times its share; 0 for nothing."""
        return counts.at(self.case, self.rows) * self.share

    def note(self, what: str, where: Any) -> None:
        """Keep a violation with its rows."""
        if np.any(where):
            self.wrong.append(f"{what}: {positions(where)}")

    def check_shares(self) -> None:
        """Each case whole, at most one remedy a group, nothing for those held out."""
        facts = self.facts
        totals = np.bincount(self.case, weights=self.share, minlength=facts.n_cases)
        self.note("shares of a case do not add up to 1 (cases by position)", ~(np.abs(totals - 1) <= 1e-7))
        if self.whole:
            ordered = len(self.case) == facts.n_cases and bool(np.all(self.case == np.arange(facts.n_cases)))
            if not ordered:
                self.wrong.append("a whole plan must have one row a case, in the order of the cases")
        held = facts.problem.held_out[self.case]
        self.note("a case that is held out gets a remedy", held & self.given)
        treated = pd.Series(np.where(self.given, self.share, 0.0)).groupby(facts.group.to_numpy()[self.case]).sum()
        crowded = treated.index[treated > 1 + 1e-7]
        if len(crowded):
            rows = self.given & np.isin(facts.group.to_numpy()[self.case], crowded)
            self.note(f"more than one remedy per {facts.problem.one_per or 'case'}", rows)
        for what, where in facts.before.violations(self.case, self.remedy, self.given, self.share, facts.group):
            self.note(what, where)

    def check_limits(self) -> None:
        """Every resource, cap, floor and ratio, and what going beyond those that are soft costs."""
        tolerance = 1e-9 if self.whole else 1e-7
        for limit in self.facts.problem.limits:
            used, bound = self.facts.use[limit.name].total(self.amount), self.facts.bound[limit.name]
            room = tolerance * max(1.0, abs(bound)) if math.isfinite(bound) else 0.0
            least = isinstance(limit, Floor | Ratio)
            over = bound - used if least else used - bound
            reach = 0.0
            if limit.penalty is not None:
                self.paid += limit.penalty * max(over, 0.0)
                reach = limit.beyond
            if least and over > reach + room:
                self.wrong.append(f"limit {limit.name!r}: {used:.10g} of at least {bound - reach:.10g}")
            if not least and over > reach + room:
                self.wrong.append(f"limit {limit.name!r}: {used:.10g} used of at most {bound + reach:.10g}")

    def check_written(self) -> None:
        """The columns that say what the lines are worth and use."""
        table, facts = self.table, self.facts
        self.check_numbers("value", self.worth)
        for limit in facts.problem.limits:
            if isinstance(limit, Resource) and f"uses_{limit.name}" in table.columns:
                self.check_numbers(f"uses_{limit.name}", self.of(facts.use[limit.name]))
        held = facts.problem.held_out[self.case]
        if "arm" in table.columns:
            right = np.where(held, "holdout", "plan")
            self.note("arm is wrong", (table["arm"].astype(object) != right).to_numpy(dtype=bool))
        if "promised" in table.columns:
            said = table["promised"].to_numpy(dtype=bool, na_value=False)
            self.note("promised is wrong", said != (facts.before.promised[self.case] >= 0))
        if "intended" in table.columns:
            same = (table["intended"].astype(object) == table["remedy"].astype(object)).to_numpy(dtype=bool)
            self.note("intended is not the remedy of a planned case", ~held & ~same)

    def check_numbers(self, column: str, numbers: Floats) -> None:
        """Compare a column, where it is there, with what the formulas give."""
        if column in self.table.columns:
            written = pd.to_numeric(self.table[column], errors="coerce").to_numpy(dtype=np.float64)
            room = 1e-9 * np.maximum(1.0, np.abs(numbers))
            self.note(f"{column} is not what the formulas give", ~(np.abs(written - numbers) <= room))


def _check_claims(
    made: Plan, facts: _Facts, lines: _Lines, value: float, wrong: list[str], told: AtIntensities | None
) -> float:
    """Check what a plan says of itself beyond its lines, and prove the bound of its prices."""
    room = 1e-9 * max(1.0, abs(value))
    if not abs(made.value - value) <= room:
        wrong.append(f"value is said to be {made.value:.10g}; the lines add up to {value:.10g}")
    if not abs(made.penalty - lines.paid) <= room:
        wrong.append(f"penalty is said to be {made.penalty:.10g}; what goes beyond the limits costs {lines.paid:.10g}")
    if not made.bound >= value - room:
        wrong.append(f"bound is said to be {made.bound:.10g}, below the value {value:.10g}")
    if lines.whole and np.array_equal(lines.case, np.arange(facts.n_cases)):
        lines.note("choice is not what the table says", np.where(lines.given, lines.remedy, -1) != made.choice)
    named = dict(zip(made.problem.limit_names, made.duals, strict=True))
    strangers = [limit.name for limit in facts.problem.limits if limit.name not in named]
    if strangers or len(named) != len(facts.problem.limits):
        odd = strangers or [name for name in named if name not in facts.problem.limit_names]
        wrong.append(f"the plan was made for other limits: look at {odd[0]!r}")
        return math.inf
    duals = {limit.name: named[limit.name] for limit in facts.problem.limits}
    adjusted = np.where(facts.may, facts.value, -np.inf)
    stands = np.flatnonzero(facts.before.promised >= 0)
    promised = facts.before.promised[stands]
    bound = float(facts.value[stands, promised].sum())
    for limit in facts.problem.limits:
        price = float(duals[limit.name])
        if not math.isfinite(price) or (price > 0 if isinstance(limit, Floor | Ratio) else price < 0):
            wrong.append(f"the price of {limit.name!r} has the wrong sign: it proves nothing")
            return math.inf
        if price:
            facts.use[limit.name].charge(price, adjusted)
            left = facts.bound[limit.name] - facts.before.used(facts.use[limit.name])
            bound += price * (max(left, 0.0) if isinstance(limit, Floor) else left)
            dearer = abs(price) - (math.inf if limit.penalty is None else limit.penalty)
            # What may be bought at less than it is worth at these prices is part of the bound.
            bound += dearer * limit.beyond if dearer > 1e-12 * abs(price) else 0.0
    best = pd.Series(np.max(adjusted, axis=1, initial=-np.inf))
    open_ = ~facts.problem.held_out & ~facts.before.settled(facts.group)
    most = best if told is None else pd.Series(np.max(adjusted + told.lift(duals), axis=1, initial=-np.inf))
    planned = most[open_].groupby(facts.group[open_]).max()
    bound += float(planned.clip(lower=0.0).sum())
    # The same prices in another order of adding differ in the last digits.
    if bound < value - 1e-7 * max(1.0, abs(value)):
        wrong.append(
            f"the prices prove that no plan is worth more than {bound:.10g}, but the lines add up to {value:.10g}"
        )
    _check_ranking(facts, lines, adjusted, best)
    return max(bound, value)


def _check_ranking(facts: _Facts, lines: _Lines, adjusted: Floats, best: pd.Series) -> None:
    """Check runner-up, lead and what was intended for those held out."""
    table = lines.table
    top = best.groupby(facts.group).transform("max")
    leader = best.groupby(facts.group).transform("idxmax") if len(best) else best
    others = best.where(leader != best.index, -np.inf).groupby(facts.group).transform("max")
    nothing = np.where(leader == best.index, others, top).astype(np.float64)
    every = np.column_stack([adjusted, np.maximum(nothing, 0.0)])[lines.case]
    row = np.arange(len(table))
    own = every[row, lines.remedy].copy()
    every[row, lines.remedy] = -np.inf
    second = every.max(axis=1, initial=-np.inf)
    alone = ~np.isfinite(second)
    room = 1e-7 * np.maximum(1.0, np.abs(np.where(alone, 0.0, second)))
    if "lead" in table.columns:
        lead = pd.to_numeric(table["lead"], errors="coerce").to_numpy(dtype=np.float64)
        with np.errstate(invalid="ignore"):
            right = np.where(alone, np.isposinf(lead), np.abs(lead - (own - second)) <= room + 1e-9 * np.abs(own))
        lines.note("lead is not what the prices give", ~right.astype(bool))
    if "runner_up" in table.columns:
        runner = pd.Index([*facts.names, NOTHING], dtype=object).get_indexer(
            pd.Index(table["runner_up"].astype(object))
        )
        named = runner >= 0
        worth = every[row, np.maximum(runner, 0)]
        with np.errstate(invalid="ignore"):
            right = np.where(alone, ~named & table["runner_up"].isna(), named & (np.abs(worth - second) <= room))
        lines.note("runner_up is not the next best at the prices", ~right.astype(bool))
    if "intended" in table.columns:
        held = facts.problem.held_out[lines.case]
        meant = pd.Index([*facts.names, NOTHING], dtype=object).get_indexer(pd.Index(table["intended"].astype(object)))
        worth = np.column_stack([adjusted, np.zeros(len(adjusted))])[lines.case, meant]
        named = held & (meant >= 0) & (meant < len(facts.names))
        peak = top.to_numpy()[lines.case]
        with np.errstate(invalid="ignore"):
            room = 1e-7 * np.maximum(1.0, np.abs(peak))
            off = named & ~((worth >= -room) & (np.abs(worth - peak) <= room))
        group = facts.group.to_numpy()[lines.case]
        count = pd.Series(named).groupby(group).transform("sum").to_numpy()
        off |= held & ((meant < 0) | (count > 1) | ((count == 0) & (peak > 1e-7)))
        lines.note("intended is not what the prices would give a case held out", off)
