"""What is intended for cases held out, where the prices alone do not say it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.effect import compare_plan
from crmkit.remediation import Holdout, Problem, Remedy, Resource, plan, verify


def tied(n=2_000, holdout=0.2, seed=0, **options):
    """Every voucher is worth 3 and every call 2, and there are fewer of both than cases."""
    cases = pd.DataFrame({"case_id": np.arange(n), "customer": np.arange(n) // 2})
    remedies = [Remedy("voucher", value=3.0, uses={"v": 1}), Remedy("call", value=2.0, uses={"h": 1})]
    limits = [Resource("v", n // 10), Resource("h", n // 20)]
    return Problem(cases, remedies, limits, holdout=Holdout(holdout, random_state=seed), **options)


def shares(table, arm):
    return table.loc[table["arm"] == arm, "intended"].value_counts(normalize=True)


@pytest.mark.parametrize("planner", ["auto", "lp", "dual", "greedy"])
def test_among_equals_as_many_are_intended_in_the_holdout_as_were_given(planner):
    problem = tied()
    made = plan(problem, planner)
    assert verify(made, problem).ok
    table = made.table
    np.testing.assert_allclose(shares(table, "holdout"), shares(table, "plan"), atol=1 / 400)
    assert (table.loc[table["arm"] == "holdout", "remedy"] == "nothing").all()


def test_a_hold_out_among_equals_can_be_compared():
    problem = tied()
    table = plan(problem).table
    random = np.random.default_rng(0)
    helped = (table["arm"] == "plan") & (table["intended"] != "nothing")
    outcomes = pd.DataFrame({"case_id": table["case_id"], "stayed": random.random(2_000) < 0.3 + 0.4 * helped})
    found = compare_plan(table, outcomes, outcome="stayed")
    assert found.effect.low < 0.4 < found.effect.high


def test_the_same_seed_intends_the_same_and_groups_get_one():
    first, again = plan(tied(one_per="customer")).table, plan(tied(one_per="customer")).table
    pd.testing.assert_frame_equal(first, again)
    held = first[first["arm"] == "holdout"]
    given = held[held["intended"] != "nothing"]
    assert len(given) > 20
    assert not (given["case_id"] // 2).duplicated().any()


def test_where_the_prices_say_it_nothing_is_drawn():
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"case_id": np.arange(900), "worth": random.lognormal(2, 1, 900)})
    problem = Problem(cases, [Remedy("call", value="worth", uses={"h": 1})], [Resource("h", 200)], holdout=Holdout(0.3))
    made = plan(problem)
    held = made.table[made.table["arm"] == "holdout"]
    price = made.prices.loc["h", "price_more"]
    worth = cases["worth"].to_numpy()[held["case_id"]]
    assert ((held["intended"] == "call").to_numpy() == (worth > price + 1e-6)).mean() > 0.99
