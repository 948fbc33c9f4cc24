"""One wrong change to a plan, its claims or its problem: all of 500 must be caught."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crmkit import remediation
from crmkit.core.errors import DataWarning
from crmkit.remediation import Floor, Holdout, Plan, Problem, Ratio, Resource, verify


def changed(made, **claims):
    """Give the same plan with other claims."""
    other = object.__new__(Plan)
    other.__dict__.update(made.__dict__)
    other.__dict__.update({"_cached": {"table": made.table}} | claims)
    return other


def written(made, table):
    """Give the same plan with another table."""
    return changed(made, _cached={"table": table})


def cell(column, new):
    """Make a change of one entry of a column."""

    def change(made, problem, random):
        table = made.table.copy()
        if column not in table or not len(table):
            return None
        row = int(random.integers(len(table)))
        given = new(table.loc[row, column], row, made, problem, random)
        if given is None:
            return None
        table[column] = table[column].astype(object) if isinstance(given, str) else table[column]
        table.loc[row, column] = given
        return written(made, table), problem

    return change


def another_amount(old, *_):
    """Move a number by more than rounding."""
    return float(old) + 1e-6 * max(1.0, abs(float(old))) if np.isfinite(old) else 1.0


def unlike_remedy(old, row, _, problem, random):
    """Name something else that is worth or uses something else, or is not allowed."""
    names = [*problem.remedy_names, "nothing"]
    other = str(random.choice([name for name in names if name != old]))
    table = problem.tableau()

    def facts(name):
        if name == "nothing":
            return [0.0] * (1 + len(problem.limits))
        j = problem.remedy_names.index(name)
        uses = [limit.coefficients.at(np.array([row]), np.array([j]))[0] for limit in table.limits]
        return [table.value[row, j], *uses]

    shown = [0, *(i + 1 for i, limit in enumerate(problem.limits) if isinstance(limit, Resource))]
    before, after = facts(old), facts(other)
    same = all(abs(before[i] - after[i]) < 1e-6 for i in shown if np.isfinite(after[0]))
    return None if same else other


def other_runner_up(old, row, made, problem, random):
    """Name a runner-up that does not exist or is clearly worse."""
    names = [name for name in (*problem.remedy_names, "nothing") if name not in {old, made.table.loc[row, "remedy"]}]
    ranked = made.explain(made.table.loc[row, "case_id"])["adjusted"]
    if old is None or old not in ranked.index:
        return names[0] if names else None
    worse = [name for name in names if name not in ranked.index or ranked[name] < ranked[old] - 1e-5]
    return str(random.choice(worse)) if worse else None


def held(made, problem, random):
    """Give a case that is held out a remedy."""
    can = np.argwhere(np.isfinite(problem.tableau().value) & problem.held_out[:, None])
    if not len(can):
        return None
    case, remedy = can[random.integers(len(can))]
    table = made.table.copy()
    table.loc[case, "remedy"] = problem.remedy_names[remedy]
    return written(made, table), problem


def row_lost(made, problem, random):
    """Leave a row out."""
    return written(made, made.table.drop(index=random.integers(len(made.table))).reset_index(drop=True)), problem


def row_doubled(made, problem, random):
    """Write a row twice."""
    row = made.table.iloc[[random.integers(len(made.table))]]
    return written(made, pd.concat([made.table, row], ignore_index=True)), problem


def rows_swapped(made, problem, random):
    """Write two rows in the other order."""
    if len(made.table) < 2:
        return None
    order = np.arange(len(made.table))
    one, two = random.choice(len(order), 2, replace=False)
    order[[one, two]] = order[[two, one]]
    return written(made, made.table.iloc[order].reset_index(drop=True)), problem


def column_lost(made, problem, random):
    """Leave out a column that must be there."""
    return written(made, made.table.drop(columns=str(random.choice(["case_id", "remedy"])))), problem


def claim(name, new):
    """Make a change of what a plan says of itself."""

    def change(made, problem, random):
        given = new(getattr(made, name), made, random)
        return None if given is None else (changed(made, **{name: given}), problem)

    return change


def other_choice(old, _made, random):
    """Change one entry of the choice."""
    choice = old.copy()
    row = random.integers(len(choice))
    choice[row] = -1 if choice[row] >= 0 else 0
    return choice


def wrong_price(_, made, random):
    """Turn one price round, or lose it."""
    duals = made.duals.copy()
    row = random.integers(len(duals))
    floor = isinstance(made.problem.limits[row], Floor | Ratio)
    duals[row] = random.choice([np.nan, 1.0 if floor else -1.0])
    return duals


def limited(made, problem, random):
    """Take away what the plan uses of a limit, or ask for more than it gives."""
    used = made.used()
    row = int(random.integers(len(used)))
    term = problem.limits[row]
    if isinstance(term, Floor):
        bound = float(np.floor(used[row])) + 1
    elif isinstance(term, Ratio):
        bound = float(used[row]) + 0.01
    else:
        bound = float(used[row]) * 0.99 if isinstance(term, Resource) else float(np.ceil(used[row])) - 1
        if bound < 0 or used[row] == 0:
            return None
    reach = 0.0 if term.penalty is None else term.beyond
    if term.penalty == 0 and reach > 1:
        return None  # what costs nothing is not wrong
    return made, problem.with_bounds({term.name: bound})


def rebuilt(problem, **parts):
    """Make the problem anew with other parts."""
    given = {
        "cases": problem.cases,
        "remedies": problem.remedies,
        "limits": problem.limits,
        "one_per": problem.one_per,
        "holdout": problem.holdout,
        "frequency": problem.frequency,
    } | parts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Problem(**given)


def given_case(made, random):
    """Name a case that gets a remedy, and the remedy's number."""
    some = np.flatnonzero(made.choice >= 0)
    if not len(some):
        return None
    case = int(random.choice(some))
    return case, int(made.choice[case])


def remedy_changed(change):
    """Change the remedy of a case that gets one."""

    def changing(made, problem, random):
        found = given_case(made, random)
        if found is None:
            return None
        remedies = list(problem.remedies)
        new = change(remedies[found[1]], problem.cases.loc[found[0], "case_id"], random)
        if new is None:
            return None
        remedies[found[1]] = new
        return made, rebuilt(problem, remedies=remedies)

    return changing


def no_longer_eligible(remedy, case_id, random):
    """Leave one case out of what a remedy is for."""
    del random
    return replace(remedy, eligible=f"({remedy.eligible}) and case_id != '{case_id}'")


def worth_more(remedy, case_id, random):
    """Let one remedy be worth more for everybody."""
    del case_id, random
    return replace(remedy, value=f"({remedy.value}) + 0.001")


def uses_more(remedy, case_id, random):
    """Let one remedy use more for everybody."""
    del case_id
    name = str(random.choice(list(remedy.uses)))
    return replace(remedy, uses={**remedy.uses, name: f"({remedy.uses[name]}) + 0.001"})


def renamed(remedy, case_id, random):
    """Call one remedy something else."""
    del case_id, random
    return replace(remedy, name=f"{remedy.name}'", parts=(*remedy.parts, remedy.name))


def case_changed(made, problem, random):
    """Let one case that gets a remedy be worth something else."""
    found = given_case(made, random)
    if found is None:
        return None
    cases = problem.cases.copy()
    columns = [name for name in cases if str(name).startswith("value_")]
    parts = problem.remedies[found[1]].parts or (problem.remedies[found[1]].name,)
    column = f"value_{parts[0].split()[-1]}"
    assert column in columns
    cases.loc[found[0], column] += 0.5
    return made, rebuilt(problem, cases=cases)


def case_lost(made, problem, random):
    """Leave a case out of the problem."""
    if problem.n_cases < 2:
        return None
    return made, rebuilt(problem, cases=problem.cases.drop(index=random.integers(problem.n_cases)))


def case_added(made, problem, random):
    """Add a case to the problem."""
    more = problem.cases.iloc[[random.integers(problem.n_cases)]].assign(case_id="new")
    return made, rebuilt(problem, cases=pd.concat([problem.cases, more], ignore_index=True))


def one_per_case_id(made, problem, random):
    """Let cases share one remedy that have two."""
    del random
    customers = problem.cases["customer_id"][made.choice >= 0]
    if problem.one_per is not None or not customers.duplicated().any():
        return None
    return made, rebuilt(problem, one_per="customer_id")


def held_out_after_all(made, problem, random):
    """Hold out cases that have a remedy."""
    other = rebuilt(problem, holdout=Holdout(0.5, random_state=int(random.integers(1_000))))
    return (made, other) if np.any(other.held_out & (made.choice >= 0)) else None


def penalty_changed(made, problem, random):
    """Ask another price for what goes beyond a limit."""
    beyond = made.prices["beyond"].to_numpy() if made.penalty > 0 else np.zeros(len(problem.limits))
    rows = np.flatnonzero(beyond > 1e-3)
    if not len(rows):
        return None
    limits = list(problem.limits)
    row = int(random.choice(rows))
    limits[row] = replace(limits[row], penalty=limits[row].penalty + 1.0)
    return made, rebuilt(problem, limits=limits)


def reach_shortened(made, problem, random):
    """Allow less beyond a limit than the plan takes."""
    beyond = made.prices["beyond"].to_numpy() if made.penalty > 0 else np.zeros(len(problem.limits))
    rows = np.flatnonzero(beyond > 1.0)
    if not len(rows):
        return None
    limits = list(problem.limits)
    row = int(random.choice(rows))
    limits[row] = replace(limits[row], beyond=float(np.ceil(beyond[row])) - 1)
    return made, rebuilt(problem, limits=limits)


def contacted_too_often(made, problem, random):
    """Let a customer who gets a remedy have been contacted often enough before."""
    found = given_case(made, random)
    if not problem.frequency or found is None:
        return None
    rule = problem.frequency[0]
    who = problem.cases.loc[found[0], "customer_id"]
    more = pd.DataFrame(
        {"customer_id": [who] * rule.most, "time": pd.to_datetime(["2024-03-30"] * rule.most, utc=True)}
    )
    history = pd.concat([rule.history, more], ignore_index=True)
    return made, rebuilt(problem, frequency=[replace(rule, history=history)])


CHANGES = {
    "another remedy": cell("remedy", unlike_remedy),
    "no such remedy": cell("remedy", lambda *_: "bribe"),
    "no such case": cell("case_id", lambda *_: "nobody"),
    "half a case": cell("share", lambda *_: 0.5),
    "less than nothing": cell("share", lambda *_: -1.0),
    "no share": cell("share", lambda *_: np.nan),
    "value": cell("value", another_amount),
    "uses of budget": cell("uses_budget", another_amount),
    "uses of hours": cell("uses_hours", another_amount),
    "lead": cell("lead", lambda old, *_: old + 1e-4 * max(1.0, abs(old)) if np.isfinite(old) else 0.0),
    "runner-up": cell("runner_up", other_runner_up),
    "arm": cell("arm", lambda old, *_: "plan" if old == "holdout" else "holdout"),
    "intended": cell("intended", lambda *_: "bribe"),
    "held out": held,
    "row lost": row_lost,
    "row doubled": row_doubled,
    "rows swapped": rows_swapped,
    "column lost": column_lost,
    "value claimed": claim("value", lambda old, *_: old + 1e-6 * max(1.0, abs(old))),
    "penalty claimed": claim("penalty", lambda old, *_: old + 1e-3),
    "bound below value": claim("bound", lambda _, made, __: made.value - 1e-6 * max(1.0, abs(made.value))),
    "bound that is no number": claim("bound", lambda *_: np.nan),
    "choice": claim("choice", other_choice),
    "price": claim("_duals", wrong_price),
    "limit": limited,
    "not eligible any more": remedy_changed(no_longer_eligible),
    "worth more": remedy_changed(worth_more),
    "uses more": remedy_changed(uses_more),
    "renamed": remedy_changed(renamed),
    "case changed": case_changed,
    "case lost": case_lost,
    "case added": case_added,
    "one per customer": one_per_case_id,
    "held out after all": held_out_after_all,
    "penalty": penalty_changed,
    "reach": reach_shortened,
    "contacted too often": contacted_too_often,
}


@pytest.fixture(scope="module")
def plans(planning_problems):
    """Plan problems with everything in them."""
    return [remediation.plan(planning_problems.mixed(seed, 6 + seed, may_fail=False)) for seed in range(48)]


def test_five_hundred_wrong_changes_are_all_caught(plans):
    random = np.random.default_rng(0)
    caught, missed = Counter(), []
    while sum(caught.values()) + len(missed) < 500:
        name = list(CHANGES)[int(random.integers(len(CHANGES)))]
        number = int(random.integers(len(plans)))
        found = CHANGES[name](plans[number], plans[number].problem, random)
        if found is None:
            continue
        if verify(*found).ok:
            missed.append((name, number))
        caught[name] += 1
    assert not missed
    assert set(caught) == set(CHANGES)
    assert min(caught.values()) >= 2


def promise_broken(made, problem, random):
    """Give a case nothing that was promised something."""
    if not len(problem.promised.case):
        return None
    row = int(random.choice(problem.promised.case))
    table = made.table.copy()
    table.loc[row, ["remedy", "value", "lead"]] = ["nothing", 0.0, 0.0]
    return written(made, table), problem


def test_wrong_changes_to_updated_plans_are_all_caught(plans):
    random = np.random.default_rng(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # values are missing on purpose
        updated = [made.update(made.problem.cases.iloc[: 4 + number]) for number, made in enumerate(plans[:16])]
    assert all(verify(made, made.problem).ok for made in updated)
    changes = [*list(CHANGES.values())[:24], cell("promised", lambda old, *_: not old), promise_broken]
    caught = 0
    while caught < 100:
        made = updated[int(random.integers(len(updated)))]
        found = changes[int(random.integers(len(changes)))](made, made.problem, random)
        if found is not None:
            assert not verify(*found).ok
            caught += 1


def test_what_was_not_changed_is_right(plans):
    for made in plans:
        checked = verify(made, made.problem)
        assert checked.ok, checked.violations
        assert verify(made.table, rebuilt(made.problem)).ok
