from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, DataWarning, value
from crmkit.metrics import wilson

DATES = ["1997-06-01", "1997-10-01", "1998-02-01"]


@pytest.fixture(scope="module")
def moves(cdnow):
    return value.lifecycle_transitions(cdnow, DATES)


def test_nobody_is_lost_on_the_way(cdnow, moves):
    for since, until in (DATES[:2], DATES[1:]):
        step = moves[(moves["since"] == since) & (moves["until"] == until)]
        then, now = (value.lifecycle(cdnow, cutoff=date)["stage"].value_counts() for date in (since, until))
        came_from = step.groupby("before", observed=False)["customers"].sum()
        went_to = step.groupby("after", observed=False)["customers"].sum()
        for stage in then.index:
            assert came_from[stage] == then[stage]
            assert went_to[stage] == now[stage]
        assert came_from["not yet"] == now.sum() - then.sum()
        assert went_to["no longer"] == came_from["unknown"] == went_to["unknown"] == 0


def test_counts_are_those_of_a_cross_tabulation(cdnow, moves):
    then, now = (value.lifecycle(cdnow, cutoff=date)["stage"].astype(str) for date in DATES[1:])
    expected = pd.crosstab(then, now)
    step = moves[(moves["since"] == DATES[1])].pivot_table(
        index="before", columns="after", values="customers", observed=False, aggfunc="sum"
    )
    got = step.loc[expected.index, expected.columns]
    np.testing.assert_array_equal(got.to_numpy(), expected.to_numpy())


def test_shares_are_of_those_who_were_there_before_with_wilsons_interval(moves):
    some = moves[moves["n"] > 0]
    sums = some.groupby(["since", "before"], observed=True)["share"].sum()
    np.testing.assert_allclose(sums, 1)
    low, high = wilson(some["customers"], some["n"])
    np.testing.assert_allclose(some["low"], low)
    np.testing.assert_allclose(some["high"], high)
    assert moves.loc[moves["n"] == 0, ["share", "low", "high"]].isna().all().all()
    assert len(moves) == 2 * 8 * 8


def test_new_customers_come_from_not_yet():
    random = np.random.default_rng(1)
    who = np.floor(40 * random.random(500) ** 2).astype(int).astype(str)
    sales = pd.DataFrame({"customer_id": who, "day": random.integers(0, 200, 500), "amount": 1.0})
    late = pd.DataFrame({"customer_id": ["late"], "day": [280], "amount": 1.0})
    got = value.lifecycle_transitions(pd.concat([sales, late]), [200, 285], model="nbd")
    row = got[(got["before"] == "not yet") & (got["customers"] > 0)]
    assert row[["after", "customers", "n"]].to_numpy().tolist() == [["new", 1, 1]]


def test_who_has_no_purchase_left_after_a_cancellation_is_no_longer_a_customer():
    sales = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b"],
            "day": [0, 10, 5, 40],
            "product_id": "p",
            "quantity": [1.0, 1.0, 1.0, -1.0],
            "unit_price": 2.0,
        }
    )
    with pytest.warns(DataWarning):
        got = value.lifecycle_transitions(sales, [30, 60], refunds="match")
    there = got[got["customers"] > 0]
    assert there["after"].tolist().count("no longer") == 1
    assert there["customers"].sum() == 2


def test_before_anyone_bought_twice_stages_are_unknown():
    sales = pd.DataFrame({"customer_id": [*"abab"], "day": [0, 3, 20, 44], "amount": 1.0})
    with pytest.warns(DataWarning) as told:
        got = value.lifecycle_transitions(sales, [10, 50])
    messages = [str(warning.message) for warning in told]
    assert any(message.startswith("at 1970-01-11: none of the 2 customers") for message in messages)
    assert any(message.startswith("at 1970-02-20: P(alive) is missing") for message in messages)
    assert got.loc[got["before"] == "unknown", "customers"].sum() == 2


def test_a_date_without_customers_gives_them_all_as_new_since():
    sales = pd.DataFrame({"customer_id": [*"abab"], "day": [10, 13, 30, 44], "amount": 1.0})
    with (
        pytest.warns(DataWarning, match="at 1970-01-06: no row is before the cutoff"),
        pytest.warns(DataWarning, match="rhythm alone"),
    ):
        got = value.lifecycle_transitions(sales, [5, 50])
    assert got.loc[got["before"] == "not yet", "customers"].sum() == 2 == got["customers"].sum()


@pytest.mark.parametrize(
    ("cutoffs", "match"),
    [
        (["1997-10-01"], "at least two dates, got 1"),
        (["1997-10-01", "1997-10-01"], "must rise"),
        (["1997-10-01", "1997-09-01"], "must rise"),
        ("1997-10-01", "got one text"),
    ],
)
def test_dates_that_make_no_step_are_refused(cdnow, cutoffs, match):
    with pytest.raises(DataError, match=match):
        value.lifecycle_transitions(cdnow, cutoffs)


def test_a_level_that_is_none_is_refused(cdnow):
    with pytest.raises(DataError, match="level must lie between 0 and 1"):
        value.lifecycle_transitions(cdnow, DATES, level=95)
