"""Plans anew what is not promised yet, from the prices of the plan that stands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.remediation._auto import LARGE
from crmkit.remediation._holdout import draw
from crmkit.remediation._intensities import has_intensities
from crmkit.remediation._key_kinds import check_kinds
from crmkit.remediation._planning import plan as plan_anew
from crmkit.remediation._promised import Promised, less_spent, still_held
from crmkit.remediation._tableau import group_codes
from crmkit.remediation._terms import Resource
from crmkit.remediation.dual import DualPlanner

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["update"]


def update(plan: Plan, cases: Any, *, promised: Any, planner: Any) -> Plan:
    """Plan anew for the cases there are now; see :meth:`Plan.update`.

    Parameters
    ----------
    plan : Plan
        The plan that stands.
    cases : table
        The cases there are now.
    promised : array-like of case ids, or None
        Which of the plan's remedies stand; None means all.
    planner : str or object
        Who plans the rest.

    Returns
    -------
    Plan
        Of a new problem.
    """
    problem = plan.problem
    if has_intensities(problem.remedies):
        raise DataError(
            "promises of remedies with an intensity are not kept: plan new cases with what is left, or assign them"
        )
    if plan.fractional:
        raise DataError("this plan divides cases, and part of a remedy cannot be promised: make a whole plan first")
    frame = problem.new_cases(cases)
    earlier = pd.Index(problem.cases["case_id"])
    check_kinds("case_id", [("cases", frame["case_id"]), ("plan", earlier)])
    if problem.one_per in frame:
        check_kinds(str(problem.one_per), [("cases", frame[problem.one_per]), ("plan", problem.cases[problem.one_per])])
    at = earlier.get_indexer(pd.Index(frame["case_id"])).astype(np.intp)
    stands = _which(plan, earlier, promised)
    later, spent = _later(plan, at, stands)
    problem = problem.continued(frame, less_spent(problem.limits, spent), later, _held(problem, frame, at, later))
    made = _planned(problem, plan, planner)
    made.notes = (*made.notes, *_notes(later, at, stands))
    return made


def _which(plan: Plan, earlier: pd.Index, promised: Any) -> Bools:
    """Say which cases of the plan keep their remedy."""
    given = plan.choice >= 0
    if promised is None:
        return given
    if isinstance(promised, str | bytes):
        raise TypeError("promised must be a list of case ids, got one text: put it in a list")
    ids = pd.Index(list(promised))
    at = earlier.get_indexer(ids) if len(ids) else np.zeros(0, dtype=np.intp)
    if np.any(at < 0):
        raise DataError(f"promised: no case of the plan, in {positions(at < 0)}")
    if not np.all(given[at]):
        raise DataError(f"promised: the plan gave the case nothing, in {positions(~given[at])}")
    stands = np.zeros(len(given), dtype=bool)
    stands[at] = True
    if plan.problem.promised is not None:
        stands[plan.problem.promised.case] = True
    return stands


def _later(plan: Plan, at: Ints, stands: Bools) -> tuple[Promised, dict[str, float]]:
    """Collect what stands, and what of it cases have used that are no longer there."""
    problem, choice = plan.problem, plan.choice
    limits = problem.tableau().limits
    there = np.zeros(problem.n_cases, dtype=bool)
    there[at[at >= 0]] = True
    case = np.flatnonzero(np.append(stands, False)[at])  # -1 is a new case
    was = at[case]
    gone = np.flatnonzero(stands & ~there)
    resources = [row for row, term in zip(limits, problem.limits, strict=True) if isinstance(term, Resource)]
    old = problem.promised
    away = ~there if problem.holdout is not None else np.zeros(problem.n_cases, dtype=bool)
    seen = problem.cases.loc[away, problem.keys].assign(held_out=problem.held_out[away])
    if old is not None:
        seen = pd.concat([old.seen, seen], ignore_index=True)
    later = Promised(
        case=case,
        remedy=choice[was],
        value=problem.tableau().value[was, choice[was]],
        uses={row.name: row.coefficients.at(was, choice[was]) for row in resources},
        gone=problem.given_before(np.where(stands & ~there, choice, -1)),
        seen=seen.drop_duplicates(ignore_index=True),
        rounds=1 if old is None else old.rounds + 1,
    )
    return later, {row.name: float(np.sum(row.coefficients.at(gone, choice[gone]))) for row in limits}


def _held(problem: Problem, frame: pd.DataFrame, at: Ints, later: Promised) -> Bools:
    """Draw the same share of new cases; those held out before stay so."""
    one_per = problem.one_per
    if problem.holdout is None:
        return np.zeros(len(frame), dtype=bool)
    group = np.arange(len(frame)) if one_per is None else group_codes(frame[one_per])
    held, known = still_held(problem.cases, problem.held_out, later, frame, at, one_per)
    new = np.flatnonzero(~known)
    # With one seed for all rounds a single new case a day would be held out always or never.
    seed = np.random.SeedSequence([int(problem.holdout.random_state), later.rounds]).generate_state(1)
    rule = dataclasses.replace(problem.holdout, random_state=int(seed[0]))
    held[new] = draw(rule, frame.iloc[new].reset_index(drop=True), group[new])
    held[later.case] = False
    return held


def _planned(problem: Problem, plan: Plan, planner: Any) -> Plan:
    """Plan what is open, from the prices of the plan before where the planner can."""
    warm = planner in ("auto", "dual") if isinstance(planner, str) else False
    many = int(np.count_nonzero(np.isfinite(problem.worth()))) > LARGE
    if not warm or not (many or planner == "dual"):
        return plan_anew(problem, planner)
    with threadpool_limits(limits=1):
        made = DualPlanner()._planned(problem, plan.duals)  # noqa: SLF001 -- the same planner, with a start
    made.planner = "auto (dual)" if planner == "auto" else made.planner
    return made


def _notes(later: Promised, at: Ints, stands: Bools) -> list[str]:
    """Say what stands and what changed."""
    gone = int(np.count_nonzero(stands)) - len(later.case)
    notes = [
        f"{len(later.case):,} promised remedies stand; {int(np.count_nonzero(at < 0)):,} of {len(at):,} cases are new"
    ]
    if gone:
        notes.append(
            f"{gone:,} promised cases are gone; resources, and floors and caps as counts, are less by their use"
        )
    return notes
