"""The verifier finds every change that makes a plan wrong."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataWarning
from crmkit.remediation import Cap, Floor, Holdout, Plan, Problem, Remedy, Resource, plan, verify


def made_problem(n_cases=120, seed=0):
    random = np.random.default_rng(seed)
    cases = pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(n_cases)],
            "customer_id": [f"k{i}" for i in random.integers(0, n_cases // 2, n_cases)],
            "worth": random.lognormal(3, 1, n_cases),
            "amount": random.uniform(1, 30, n_cases),
            "vip": random.random(n_cases) < 0.3,
            "region": random.choice(["north", "south"], n_cases),
        }
    )
    return Problem(
        cases,
        [
            Remedy("refund", value="0.6 * worth - amount / 10", uses={"budget": "amount"}, eligible="amount <= 25"),
            Remedy("call", value="0.3 * worth", uses={"hours": 0.25}),
            Remedy("voucher", value="0.2 * worth - 1", uses={"budget": 5, "hours": 0.05}),
        ],
        [
            Resource("budget", 250),
            Resource("hours", 5),
            Cap("voucher", count=20),
            Floor(where="vip", share=0.5, name="vips"),
        ],
        one_per="customer_id",
        holdout=Holdout(0.1, by="region", random_state=3),
    )


@pytest.fixture(scope="module")
def problem():
    return made_problem()


@pytest.fixture(scope="module")
def made(problem):
    return plan(problem)


def tampered(made, **changes):
    """Give the same plan with another table or another claim."""
    other = object.__new__(Plan)
    other.__dict__.update(made.__dict__)
    other.__dict__.update(changes)
    return other


def with_table(made, table):
    return tampered(made, _cached={**made._cached, "table": table})


@pytest.mark.parametrize("planner", ["auto", "milp", "lp", "greedy"])
def test_plans_of_all_planners_are_right_also_with_hold_out_and_groups(problem, planner):
    made = plan(problem, planner)
    found = verify(made, problem)
    assert found.violations == ()
    assert found
    assert found.value == pytest.approx(made.value)
    assert found.bound >= made.value
    assert verify(made.table, problem).ok


@pytest.fixture(scope="module")
def made_by(problem):
    return {planner: plan(problem, planner) for planner in ("auto", "milp", "lp", "greedy")}


@pytest.mark.parametrize("planner", ["auto", "milp", "lp", "greedy"])
@pytest.mark.parametrize("seed", range(200))
def test_any_one_tampered_row_is_caught(problem, made_by, planner, seed):
    random = np.random.default_rng(seed)
    table = made_by[planner].table.copy()
    row = int(random.integers(len(table)))
    column = str(random.choice(table.columns))
    old = table.loc[row, column]
    names = ["refund", "call", "voucher", "nothing", "bribe", None]
    choices = {
        "case_id": ["c0", "c1", "nobody", None],
        "remedy": names,
        "share": [0.0, 0.5, 1.01, -1.0, np.nan],
        "runner_up": names,
        "arm": ["plan", "holdout", None],
        "intended": names,
    }
    if column in choices:
        new = random.choice(np.array([c for c in choices[column] if c != old and c is not old], dtype=object))
    else:
        new = [old + 0.01 * max(1.0, abs(old)), -old - 1.0, np.nan][int(random.integers(3))]
    table[column] = table[column].astype(object)
    table.loc[row, column] = new
    found = verify(with_table(made_by[planner], table), problem)
    assert not found.ok, (row, column, old, new)
    assert found.violations
    assert not any(str(case) in text for text in found.violations for case in ("c0", "nobody"))


def test_rows_left_out_doubled_or_in_another_order_are_caught(problem, made):
    table = made.table
    for wrong in (table.iloc[1:], pd.concat([table, table.iloc[:1]]), table.iloc[::-1], table.iloc[:0]):
        assert not verify(with_table(made, wrong), problem).ok
        assert not verify(wrong, problem).ok


@pytest.mark.parametrize("claim", ["value", "bound", "choice", "prices", "signs"])
def test_a_wrong_claim_is_caught(problem, made, claim):
    changes = {
        "value": {"value": made.value + 1.0},
        "bound": {"bound": made.value - 1.0},
        "choice": {"choice": np.where(np.arange(len(made.choice)) == 5, 1 - made.choice, made.choice)},
        "prices": {"_duals": made.duals * 0.0},
        "signs": {"_duals": -made.duals},
    }[claim]
    assert not verify(tampered(made, **changes), problem).ok


@pytest.mark.parametrize(
    ("limit", "bound", "text"),
    [
        ("budget", 100.0, "used of at most 100"),
        ("hours", 1.0, "used of at most 1"),
        ("cap voucher", 0.0, "used of at most 0"),
        ("vips", 60.0, "of at least 60"),
    ],
)
def test_a_plan_for_other_limits_is_caught(problem, made, limit, bound, text):
    changed = problem.with_bounds({limit: bound})
    found = verify(made.table, changed)
    if not found.ok:
        assert all(limit in violation for violation in found.violations)
        assert text in found.violations[0]
    else:
        assert limit == "cap voucher"
        assert "voucher" not in made.table["remedy"].tolist()


def test_two_remedies_for_one_customer_are_caught(problem, made):
    customers = problem.cases["customer_id"]
    customer = next(
        c for c in customers[made.choice >= 0] if ((customers == c) & (made.choice < 0) & ~problem.held_out).any()
    )
    mates = np.flatnonzero((customers == customer).to_numpy() & (made.choice < 0))
    table = made.table[["case_id", "remedy"]].copy()
    table.loc[mates[0], "remedy"] = "call"
    found = verify(table, problem)
    assert any("more than one remedy per customer_id" in text for text in found.violations)


def test_a_remedy_for_a_case_held_out_is_caught(problem, made):
    table = made.table[["case_id", "remedy"]].copy()
    table.loc[int(np.flatnonzero(problem.held_out)[0]), "remedy"] = "call"
    assert any("held out" in text for text in verify(table, problem).violations)


def test_a_remedy_that_is_not_eligible_is_caught(problem, made):
    table = made.table[["case_id", "remedy"]].copy()
    row = int(np.flatnonzero((problem.cases["amount"] > 25).to_numpy() & ~problem.held_out)[0])
    table.loc[row, "remedy"] = "refund"
    assert any("not eligible" in text for text in verify(table, problem).violations)


def test_a_table_without_its_columns_and_one_that_is_no_table():
    problem = Problem.from_arrays([[1.0]], uses={}, limits={})
    found = verify({"case": [0]}, problem)
    assert not found.ok
    assert "no column 'case_id', 'remedy'" in found.violations[0]
    with pytest.raises(TypeError, match="plan must be a DataFrame"):
        verify(7, problem)


def test_shares_of_a_divided_plan_are_checked():
    problem = Problem.from_arrays([[3.0], [2.0]], uses={"u": 1.0}, limits={"u": 1.5})
    made = plan(problem, "lp")
    assert made.fractional
    assert verify(made, problem).ok
    table = made.table.copy()
    table.loc[1, "share"] = 0.6
    assert any("add up to 1" in text for text in verify(with_table(made, table), problem).violations)


def test_a_plan_written_to_a_file_and_read_back_is_verified(tmp_path, problem, made):
    made.table.to_csv(tmp_path / "plan.csv", index=False)
    assert verify(tmp_path / "plan.csv", problem).ok


def test_missing_values_are_not_eligible_for_the_verifier_too():
    cases = {"case_id": [1, 2, 3], "worth": [5.0, None, 2.0], "vip": [True, True, None]}
    with pytest.warns(DataWarning):
        problem = Problem(cases, [Remedy("call", value="worth", eligible="vip")], [Cap(count=2)])
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["call", "nothing", "nothing"]
    assert verify(made, problem).ok
    for row in (1, 2):
        table = made.table[["case_id", "remedy"]].copy()
        table.loc[row, "remedy"] = "call"
        assert not verify(table, problem).ok


def test_a_number_is_not_taken_for_a_column_of_that_name():
    cases = pd.DataFrame({"case_id": [1, 2], "0.5": [9.0, 9.0], "worth": [3.0, 2.0]})
    problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 0.5})], [Resource("hours", 1)])
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["call", "call"]
    assert verify(made, problem).violations == ()


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(0)
    n, slots = 20_000, 40
    cases = pd.DataFrame({"case_id": np.arange(n), "slot": random.integers(0, slots, n), "worth": random.random(n)})
    cases["hours"] = np.where(random.random(n) < 0.1, np.nan, 0.5)
    uses = {f"hours {s}": f"hours * (slot == {s})" for s in range(slots)}
    remedies = [Remedy(name, value=f"{k} * worth", uses=uses) for k, name in enumerate("abcd", start=1)]
    limits = [*(Resource(f"hours {s}", 50) for s in range(slots)), Floor(where="slot == 7", count=20, name="seventh")]
    with pytest.warns(DataWarning):
        return Problem(cases, remedies, limits)


def test_hundreds_of_limits_take_no_more_memory_than_a_few_tables_of_the_remedies(many, many_planned):
    table = many_planned.table
    tracemalloc.start()
    try:
        assert verify(table, many).ok
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * 8 * many.n_cases * len(many.remedies)


@pytest.fixture(scope="module")
def many_planned(many):
    return plan(many)


@pytest.mark.parametrize("seed", range(30))
def test_changes_of_a_plan_with_many_limits_are_caught(many, many_planned, seed):
    random = np.random.default_rng(seed)
    made = many_planned
    table = made.table.copy()
    row = int(random.integers(len(table)))
    column = ["value", "remedy", f"uses_hours {random.integers(40)}"][seed % 3]
    if column == "remedy":
        table.loc[row, column] = "d" if table.loc[row, "remedy"] == "c" else "c"
    else:
        table.loc[row, column] += 0.25
    found = verify(with_table(made, table), many)
    assert not found.ok, (row, column)


def test_a_plan_made_for_more_or_fewer_limits_is_a_violation():
    cases = {"case_id": [1, 2], "worth": [3.0, 2.0]}
    remedies = [Remedy("call", value="worth", uses={"hours": 1})]
    made = plan(Problem(cases, remedies, [Resource("hours", 2)]))
    more = Problem(cases, remedies, [Resource("hours", 2), Cap(count=2, name="few")])
    fewer = Problem(cases, [Remedy("call", value="worth")])
    assert verify(made, more).violations == ("the plan was made for other limits: look at 'few'",)
    assert "the plan was made for other limits: look at 'hours'" in verify(made, fewer).violations
