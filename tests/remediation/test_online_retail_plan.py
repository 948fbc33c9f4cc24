"""The cancelled orders of Online Retail II: which remedy for each, and no customer's value counted twice."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataWarning, InfeasiblePlanError
from crmkit.remediation import Cap, Floor, Holdout, Problem, Remedy, Resource, make_cases, plan, verify


@pytest.fixture(scope="module")
def sales(data_file):
    raw = pd.read_parquet(
        data_file("online_retail_ii/online_retail_II_2009_2010.parquet"),
        columns=["Customer ID", "InvoiceDate", "Invoice", "Quantity", "Price"],
    )
    raw = raw[raw["Customer ID"].notna()]
    return pd.DataFrame(
        {
            "customer_id": raw["Customer ID"].astype(float).astype(int).astype(str),
            "time": pd.to_datetime(raw["InvoiceDate"]),
            "order_id": raw["Invoice"].astype(str),
            "amount": raw["Quantity"].astype(float) * raw["Price"].astype(float),
        }
    )


@pytest.fixture(scope="module")
def customers(sales):
    """Those who ever bought something, with a stand-in for their lifetime value."""
    bought = sales[sales["amount"] > 0]
    by_customer = bought.groupby("customer_id")
    return pd.DataFrame(
        {
            "recency_days": (pd.Timestamp("2010-12-10") - by_customer["time"].max()).dt.days,
            "lifetime_value": 0.3 * by_customer["amount"].sum(),
        }
    )


@pytest.fixture(scope="module")
def cases(sales, customers):
    with pytest.warns(DataWarning, match="of 4,372 cases: 75 have a customer who is not in the customer table"):
        return make_cases(sales, by="order_id", where=sales["order_id"].str.startswith("C"), customers=customers)


def made_problem(cases, budget=20_000, hours=200, **more):
    with pytest.warns(DataWarning, match="75 of 4,372 cases have something missing"):
        return Problem(
            cases,
            remedies=[
                Remedy("refund", value="0.30 * lifetime_value - amount", uses={"budget": "amount"},
                       eligible="amount <= 200"),
                Remedy("call", value="0.18 * lifetime_value", uses={"senior_hours": 0.25}),
                Remedy("voucher", value="0.12 * lifetime_value - 10", uses={"budget": 10}),
            ],
            limits=[
                Resource("budget", budget), Resource("senior_hours", hours), Cap("voucher", count=300),
                Floor(where="recency_days <= 60", share=0.2, name="recent"),
            ],
            one_per="customer_id",
            **more,
        )  # fmt: skip


def test_the_cases_with_a_value_are_4297_of_1729_customers(cases):
    known = cases[cases["lifetime_value"].notna()]
    assert len(cases) == 4_372
    assert len(known) == 4_297
    assert known["customer_id"].nunique() == 1_729
    assert known["customer_id"].value_counts().max() == 65
    assert (cases["amount"] > 0).all()


@pytest.mark.parametrize(("budget", "hours"), [(20_000, 200), (3_000, 40), (0, 100)])
def test_the_plan_is_proved_quick_and_never_counts_a_customer_twice(cases, budget, hours):
    problem = made_problem(cases, budget, hours)
    began = perf_counter()
    made = plan(problem)
    assert perf_counter() - began < 20.0
    assert made.gap <= 1e-4
    assert verify(made, problem).violations == ()
    treated = cases[made.choice >= 0]
    assert treated["customer_id"].is_unique
    recent = cases["recency_days"] <= 60
    assert (made.choice[recent.to_numpy()] >= 0).sum() >= 0.2 * cases.loc[recent, "customer_id"].nunique()
    assert made.table.loc[made.table["remedy"] == "refund", "uses_budget"].le(200.0).all()


def test_planning_beats_the_baseline_and_prices_are_what_one_more_brings(cases):
    problem = made_problem(cases, 3_000, 40)
    made, baseline = plan(problem), plan(problem, "greedy")
    assert verify(baseline, problem).ok
    assert made.value > 1.02 * baseline.value
    divided = plan(problem, "lp")
    for name in ("budget", "senior_hours"):
        line = made.prices.loc[name]
        step = min(1.0, line["valid_to"] - line["limit"])
        more = plan(problem.with_bounds({name: line["limit"] + step}), "lp").value
        assert line["price_more"] > 0
        assert (more - divided.value) / step == pytest.approx(line["price_more"], rel=0.01)


def test_a_hold_out_of_whole_customers_is_left_alone(cases):
    problem = made_problem(cases, 3_000, 40, holdout=Holdout(0.1, random_state=7))
    made = plan(problem)
    assert verify(made, problem).ok
    arms = made.table["arm"].to_numpy()
    held = set(cases.loc[arms == "holdout", "customer_id"])
    assert held.isdisjoint(cases.loc[arms == "plan", "customer_id"])
    assert np.all(made.choice[arms == "holdout"] == -1)
    assert len(held) == pytest.approx(0.1 * cases["customer_id"].nunique(), abs=1)


def test_what_cannot_be_planned_is_told_with_a_change_that_works(cases):
    problem = made_problem(cases, 500, 0)
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem)
    assert caught.value.conflict == ("budget", "senior_hours", "recent")
    bounds = {row.name: row.bound for row in problem.arrays().rows}
    changed = problem.with_bounds({name: bounds[name] + step for name, step in caught.value.relaxation.items()})
    assert verify(plan(changed), changed).ok
