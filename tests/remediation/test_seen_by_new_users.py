"""What people who had not built it ran into: ties, small units, keys of another kind, columns without anything."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from crmkit import remediation
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import (
    Cap,
    Frequency,
    GreedyPlanner,
    InfeasiblePlanError,
    Problem,
    Ratio,
    Remedy,
    Resource,
    make_cases,
    verify,
)
from crmkit.remediation._steps import common_step, lowered


def all_equal(value: float, n: int = 20_000, **more) -> Problem:
    """Make cases all worth the same, with little money and few hours."""
    random = np.random.default_rng(4)
    budget, hours = np.zeros((n, 6)), np.zeros((n, 6))
    for j in range(6):
        budget[:, j] = random.uniform(1, 20, n) if j % 2 else 0.0
        hours[:, j] = random.choice([0, 0.25, 0.5], n)
    limits = {"budget": 0.75 * n, "hours": 0.045 * n}
    return Problem.from_arrays(np.full((n, 6), value), uses={"budget": budget, "hours": hours}, limits=limits, **more)


@pytest.mark.parametrize("value", [10.0, 7.3])
def test_prices_are_right_where_all_values_are_equal(value):
    problem = all_equal(value)
    made, divided = remediation.plan(problem), remediation.plan(problem, "lp")
    assert made.planner == "auto (dual)"
    assert made.bound <= divided.value * (1 + 1e-9)
    for column in ("price_less", "price_more"):
        assert made.prices[column].tolist() == pytest.approx(divided.prices[column].tolist(), rel=1e-6)
    assert made.bound / value == pytest.approx(np.rint(made.bound / value))
    assert made.bound - made.value <= 2.5 * value


def test_a_search_that_ends_far_from_the_best_prices_is_settled():
    problem = all_equal(10.0, penalties={"budget": 2.0, "hours": (30.0, 100.0)})
    made = remediation.plan(problem)
    divided = remediation.plan(problem, "lp")
    assert verify(made, problem).ok
    assert made.value == pytest.approx(divided.value, rel=1e-4)
    assert made.penalty == pytest.approx(divided.penalty, abs=30.0)


@pytest.mark.parametrize("planner", ["auto", "milp", "dual"])
def test_units_do_not_matter_for_how_good_a_plan_is(planner):
    random = np.random.default_rng(0)
    value, cost = random.lognormal(0, 1, (60, 3)), random.uniform(1, 5, (60, 3))
    kept = []
    for unit in (1.0, 1e-6, 1e6):
        problem = Problem.from_arrays(value * unit, uses={"budget": cost}, limits={"budget": 50.0})
        kept.append(remediation.plan(problem, planner).value / unit)
    assert kept == pytest.approx([kept[0]] * 3, rel=2e-4)


def test_steps_of_values():
    assert common_step(np.array([10.0, 20.0, 0.0, -30.0])) == 10.0
    assert common_step(np.array([7.3, 7.3, 0.0])) == 7.3
    assert common_step(np.array([7.3, 14.6])) == 0.0
    assert common_step(np.array([1e300, 2e300])) == 0.0
    assert common_step(np.array([6.0]), 4.0) == 2.0
    assert common_step(np.array([0.0])) == np.inf
    assert lowered(19.999, 5.0) == 15.0
    assert lowered(20.0 - 1e-9, 5.0) == 20.0
    assert lowered(3.5, np.inf) == 3.5


def test_a_ratio_that_the_greedy_planner_cannot_keep_is_told():
    cases = {"case_id": [1, 2], "new": [1, 0], "worth": [3.0, 2.0]}
    limits = [Resource("hours", 0), Ratio("new == 1", least=1.0, short=-1)]
    problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits)
    with pytest.raises(InfeasiblePlanError):
        GreedyPlanner().plan(problem)


def test_numbers_as_customers_meet_whatever_column_they_stand_in():
    sales = pd.DataFrame(
        {
            "customer_id": [17, 17, 18],
            "order_id": ["a", "b", "c"],
            "amount": [5.0, 6.0, 7.0],
            "time": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01"], utc=True),
        }
    )
    cases = make_cases(sales, by="order_id")
    remedies = [Remedy("call", value="amount")]
    rule = Frequency(sales, most=2, days=7, at="2024-01-03T00:00+00:00")
    problem = Problem(cases, remedies, one_per="customer_id", frequency=rule)
    assert remediation.plan(problem).choice.tolist() == [-1, -1, 0]
    text = sales.assign(customer_id=sales["customer_id"].astype(str))
    with pytest.raises(DataError, match="numbers in the cases and no numbers in the history"):
        Problem(cases, remedies, one_per="customer_id", frequency=Frequency(text, most=2, days=7, at=rule.at))
    new = {"case_id": ["n"], "customer_id": ["18"], "amount": [1.0]}
    with pytest.raises(DataError, match="numbers in the plan and no numbers in the new cases"):
        remediation.plan(problem).assign(new | {"time": pd.to_datetime(["2024-01-04"], utc=True)})
    with pytest.raises(DataError, match="customer_id holds"):
        remediation.plan(problem).update(cases.assign(customer_id=["17", "17", "18"]))


def test_a_plan_for_other_limits_is_a_violation():
    cases = {"case_id": [1, 2], "worth": [3.0, 2.0]}
    remedies = [Remedy("call", value="worth", uses={"hours": 1})]
    made = remediation.plan(Problem(cases, remedies, [Resource("hours", 2)]))
    more = Problem(cases, remedies, [Resource("hours", 2), Cap(count=2, name="few")])
    fewer = Problem(cases, [Remedy("call", value="worth")])
    assert verify(made, more).violations == ("the plan was made for other limits: look at 'few'",)
    assert "the plan was made for other limits: look at 'hours'" in verify(made, fewer).violations


@pytest.mark.parametrize("empty", [[np.nan], [None]])
def test_a_column_of_which_nothing_is_known_is_missing(empty):
    cases = {"case_id": [1, 2], "worth": [3.0, 2.0], "segment": ["x", "y"]}
    made = remediation.plan(Problem(cases, [Remedy("call", value="worth", eligible="segment == 'x'")]))
    for other in ({"segment": empty, "worth": [1.0]}, {"segment": ["x"], "worth": empty}):
        with pytest.warns(DataWarning, match="1 of 1 cases"):
            assert made.assign({"case_id": ["n"], **other})["remedy"].tolist() == ["nothing"]


def test_arrays_of_yes_and_no_must_say_which():
    with pytest.raises(DataError, match="the mask of 'few' is missing in row 0"):
        Problem.from_arrays([[1.0], [2.0]], uses={}, limits={}, caps={"few": ([np.nan, 0], 0)})
    with pytest.raises(DataError, match="eligible is missing in row 1"):
        Problem.from_arrays([[1.0], [2.0]], uses={}, limits={}, eligible=[[1], [np.nan]])


def test_remedies_named_by_numbers_are_read():
    problem = Problem.from_options({"case_id": [1, 1], "remedy": [10, 20], "value": [1.0, 2.0]})
    assert remediation.plan(problem).table["remedy"].tolist() == ["20"]


def test_terms_and_problems_can_be_copied_and_sent_to_other_processes():
    remedy = Remedy("call", value="worth", uses={"hours": 1})
    problem = Problem({"case_id": [1], "worth": [2.0]}, [remedy], [Resource("hours", 1)])
    assert copy.deepcopy(remedy) == remedy
    assert asdict(remedy)["uses"] == {"hours": 1}
    assert remediation.plan(pickle.loads(pickle.dumps(problem))).value == 2.0  # noqa: S301 -- of our own making, as joblib does
