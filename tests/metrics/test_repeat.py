from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import DataError, metrics


@pytest.fixture(scope="module")
def visits(cdnow):
    """Give the purchases without their amounts, so that the eight free ones count too."""
    return cdnow[["customer_id", "day"]]


def _brute_force(events, end):
    """Work Kaplan-Meier out customer by customer and day by day."""
    days = {}
    for who, day in events:
        if day < end:
            days.setdefault(who, set()).add(day)
    waits = []
    for each in days.values():
        first, *more = sorted(each)
        waits.append((more[0] - first, True) if more else (end - 1 - first, False))
    left, curve = 1.0, {}
    for day in sorted({wait for wait, _ in waits}):
        at_risk = sum(wait >= day for wait, _ in waits)
        back = sum(wait == day and again for wait, again in waits)
        left *= 1 - back / at_risk
        curve[day] = (at_risk, back, 1 - left)
    return curve


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60)), min_size=1, max_size=40))
def test_the_curve_is_that_of_counting_customer_by_customer(events):
    sales = pd.DataFrame(events, columns=["customer_id", "day"])
    got = metrics.repeat_purchase_curve(sales, cutoff=61)
    expected = _brute_force(events, 61)
    assert got.index.tolist() == list(expected)
    np.testing.assert_allclose(got[["at_risk", "events", "repeated"]], list(expected.values()), atol=1e-12)
    assert ((got["low"] <= got["repeated"] + 1e-12) & (got["repeated"] <= got["high"] + 1e-12)).all()


def test_without_censoring_both_methods_give_the_same_share(visits):
    # Everyone in this table first bought at least 15 months before its end.
    by_share = metrics.repeat_purchase(visits, horizon_days=300)
    by_curve = metrics.repeat_purchase(visits, horizon_days=300, method="kaplan-meier")
    assert float(by_curve) == pytest.approx(float(by_share), abs=1e-12)
    assert by_curve.n == by_share.n == 2357
    assert by_curve.low == pytest.approx(by_share.low, abs=0.003)


def test_the_young_narrow_the_interval_and_the_curve_says_the_same(visits):
    # In April 1997 everyone has been seen for some days, few for the whole quarter.
    share = metrics.repeat_purchase(visits, horizon_days=80, cutoff="1997-04-20")
    curve = metrics.repeat_purchase(visits, horizon_days=80, cutoff="1997-04-20", method="kaplan-meier")
    assert curve.n == 2357 > 2 * share.n
    assert curve.high - curve.low < share.high - share.low
    table = metrics.repeat_purchase_curve(visits, cutoff="1997-04-20")
    assert float(curve) == pytest.approx(table.loc[:80, "repeated"].iloc[-1])
    assert curve.method.startswith("kaplan-meier; ")
    # What then came shows which was right: the whole table, with everyone followed to the end.
    truth = metrics.repeat_purchase(visits, horizon_days=80)
    assert curve.low < truth < curve.high


def test_one_cohort_in_the_middle_of_nowhere():
    sales = pd.DataFrame({"customer_id": ["a"], "day": [5]})
    got = metrics.repeat_purchase_curve(sales, cutoff=10)
    assert got.index.tolist() == [4]
    assert got["repeated"].tolist() == [0]
    assert got["high"].iloc[0] == pytest.approx(0.975)


def test_two_purchases_on_one_day_and_refunds_are_no_repeat():
    sales = pd.DataFrame({"customer_id": [*"aabb"], "day": [0, 0, 0, 5], "amount": [1.0, 2.0, 9.0, -9.0]})
    assert metrics.repeat_purchase_curve(sales, cutoff=99)["events"].sum() == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "km"}, "method must be 'followed' or 'kaplan-meier'"),
        ({"method": "kaplan-meier", "horizon_days": 99}, "no customer was seen for 99 days"),
        ({"horizon_days": 0}, "horizon_days must be at least 1"),
        ({"level": 0}, "level must lie"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, match):
    sales = pd.DataFrame({"customer_id": [*"ab"], "day": [0, 50]})
    with pytest.raises(DataError, match=match):
        metrics.repeat_purchase(sales, **{"horizon_days": 10, **options})


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match="transactions is empty"):
        metrics.repeat_purchase_curve(pd.DataFrame({"customer_id": [], "day": []}))


def test_cohort_rates_are_the_cells_of_the_cohort_table_with_their_intervals(visits):
    shares, rates = metrics.cohort(visits), metrics.cohort_rates(visits)
    wide = rates.reset_index().pivot_table(index="cohort", columns="periods_later", values="share")
    np.testing.assert_allclose(wide, shares.loc[wide.index, wide.columns])
    low, high = metrics.wilson(rates["customers"], rates["n"])
    np.testing.assert_allclose(rates["low"], low)
    np.testing.assert_allclose(rates["high"], high)
    assert rates.index.names == ["cohort", "periods_later"]
    assert rates["n"].groupby("cohort").first().sum() == 2357


def test_cohort_rates_leave_out_cells_that_have_not_ended_and_empty_cohorts():
    sales = pd.DataFrame({"customer_id": [*"abac"], "day": [0, 5, 40, 70]})
    got = metrics.cohort_rates(sales, cutoff="1970-04-01")
    assert got.reset_index()[["periods_later", "customers", "n"]].to_numpy().tolist() == [[1, 1, 2], [2, 0, 2]]
