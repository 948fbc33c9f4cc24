"""The prices of a plan are said in sentences that agree with the table."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource, plan, prices_in_words

CASES = {"case_id": list("abcde"), "worth": [10.0, 8.0, 5.0, 2.5, 1.0], "vip": [False, False, False, True, True]}


def said(*limits, value="worth", language="en"):
    problem = Problem(
        CASES, [Remedy("call", value=value, uses={"hours": 1, "money": 2})], [Resource("money", np.inf), *limits]
    )
    return prices_in_words(plan(problem), language=language)


def test_a_scarce_resource_says_what_one_more_and_one_less_is_worth_and_how_far():
    assert said(Resource("hours", 2)) == [
        "money: 4 is used; there is no limit.",
        "hours: one more keeps 5 of value, up to 1 more; one less costs 8, up to 1 less.",
    ]


def test_a_resource_that_is_left_over_says_how_much_may_go():
    assert said(Resource("hours", 7))[1] == (
        "hours: 5 of 7 is used; more would keep nothing more, and 2 less would cost nothing."
    )


def test_a_cap_speaks_of_cases():
    assert said(Resource("hours", 9), Cap("call", count=3))[2] == (
        "cap call: one case more allowed keeps 2.50 of value, up to 1 more; one less costs 5, up to 1 less."
    )


def test_a_floor_says_what_it_costs_and_where_no_plan_is_left():
    sentence = said(Resource("hours", 2), Floor(where="vip", count=2, name="vip"))[2]
    assert sentence == "vip: with any more there is no plan; one less saves 9, up to 1 less."


def test_a_floor_that_is_met_anyway_costs_nothing():
    assert said(Resource("hours", 9), Floor(where="vip", count=1, name="vip"))[2] == (
        "vip: 2 get something where 1 must; asking for less would save nothing, and 1 more would cost nothing."
    )


def test_it_says_the_same_in_chinese():
    assert said(Resource("hours", 2), language="zh") == [
        "money：用了 4，没有上限。",
        "hours：多 1 可多保住价值 5，至多再加 1；少 1 损失 8，至多减少 1。",
    ]


def test_another_language_is_refused():
    with pytest.raises(ValueError, match="language must be one of 'en', 'zh', got 'fr'"):
        said(Resource("hours", 2), language="fr")


def test_what_the_sentences_promise_is_what_planning_again_gives():
    rng = np.random.default_rng(0)
    value = rng.gamma(2.0, 10.0, (40, 2))
    problem = Problem.from_arrays(value, uses={"hours": 1.0}, limits={"hours": 12.0})
    made = plan(problem, planner="lp")
    row = made.prices.loc["hours"]
    assert made.what_if("hours", [13.0])["value"].iloc[0] - made.value == pytest.approx(row["price_more"])
    assert f"keeps {row['price_more']:.1f} of value" in prices_in_words(made)[0]
