"""Actual and expected repeat purchases week by week."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.value import BGNBD, tracking


@pytest.fixture(scope="module")
def cdnow_tracking(cdnow):
    return tracking(["bg-nbd"], cdnow, split="1997-10-01")


def test_every_repeat_purchase_of_cdnow_is_in_its_week(cdnow_tracking):
    # 2,457 repeats to 1997-09-30 and 1,882 purchases to 1998-06-30: 39 weeks each.
    assert cdnow_tracking["seen"].sum() == 39
    assert len(cdnow_tracking) == 78
    assert cdnow_tracking.groupby("seen")["actual"].sum().to_dict() == {False: 1882, True: 2457}
    assert cdnow_tracking["begins"].iloc[[0, -1]].dt.strftime("%Y-%m-%d").tolist() == ["1997-01-01", "1998-06-24"]


def test_what_is_expected_is_the_sum_over_the_days_customers_began(cdnow_summary, cdnow_tracking):
    model = BGNBD().fit(cdnow_summary)
    ages = cdnow_summary["age_weeks"]
    first_39 = model.expected_count(ages).sum()
    assert cdnow_tracking.loc[cdnow_tracking["seen"], "bg-nbd"].sum() == pytest.approx(first_39)
    later = model.expected_count(ages + 39).sum() - first_39
    assert cdnow_tracking.loc[~cdnow_tracking["seen"], "bg-nbd"].sum() == pytest.approx(later)


def test_bg_nbd_follows_the_weeks_it_saw_and_falls_short_after_them(cdnow_tracking):
    totals = cdnow_tracking.groupby("seen")[["actual", "bg-nbd"]].sum()
    assert totals.loc[True, "bg-nbd"] == pytest.approx(totals.loc[True, "actual"], rel=0.02)
    assert totals.loc[False, "bg-nbd"] / totals.loc[False, "actual"] - 1 == pytest.approx(-0.114, abs=0.001)


def test_cumulative_adds_up(cdnow, cdnow_tracking):
    total = tracking(["bg-nbd"], cdnow, split="1997-10-01", cumulative=True)
    assert total["actual"].iloc[-1] == 4339
    assert total["bg-nbd"].iloc[-1] == pytest.approx(cdnow_tracking["bg-nbd"].sum())
    assert total["begins"].equals(cdnow_tracking["begins"])


def test_the_unit_changes_nothing(cdnow, cdnow_tracking):
    days = tracking(["bg-nbd"], cdnow, split="1997-10-01", unit="day")
    pd.testing.assert_frame_equal(days, cdnow_tracking, rtol=1e-5)


def test_an_incomplete_last_period_is_left_out():
    sales = pd.DataFrame({"customer_id": list("aabab"), "day": [0, 8, 9, 15, 23], "amount": 1.0})
    table = tracking([], sales, split=14)
    # Days 0-6, 7-13 and 14-20; the fourth week has no end in the table.
    assert table["actual"].tolist() == [0, 1, 1]
    assert table["seen"].tolist() == [True, True, False]


def test_customers_who_begin_after_the_split_are_not_followed():
    sales = pd.DataFrame({"customer_id": ["a", "b", "b", "a"], "day": [0, 10, 12, 13], "amount": 1.0})
    assert tracking([], sales, split=7)["actual"].tolist() == [0, 1]


def test_a_model_that_does_not_know_new_customers_is_left_out_aloud(cdnow):
    class Silent(BGNBD):
        expected_count = None

    with pytest.warns(DataWarning, match="bg-nbd has no expected_count"):
        table = tracking([Silent()], cdnow, split="1997-10-01")
    assert table.columns.tolist() == ["begins", "seen", "actual"]


def test_a_table_shorter_than_a_period_is_refused():
    sales = pd.DataFrame({"customer_id": ["a", "a"], "day": [0, 5], "amount": 1.0})
    with pytest.raises(DataError, match="shorter than one period"):
        tracking([], sales, split=3, period_days=30)
    with pytest.raises(DataError, match="period_days"):
        tracking([], sales, split=3, period_days=0)
    with pytest.raises(DataError, match=r"period_days must be a whole number of at least 1, got 7\.5"):
        tracking([], sales, split=3, period_days=7.5)


@pytest.mark.parametrize("counts", [lambda times: times[1:], lambda times: times * np.nan, lambda _: 1.0])
def test_counts_that_are_none_are_named_after_their_model(counts):
    class Counter:
        def fit(self, summary):  # noqa: ARG002 -- it learns nothing
            return self

        def predict(self, summary, horizon=39):
            return pd.DataFrame({"p_alive": 1.0, "expected_purchases": float(horizon)}, index=summary.index)

        def expected_count(self, times):
            return counts(times)

    sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 9, 3], "amount": 1.0})
    with pytest.raises(DataError, match=r"Counter: expected_count\(times\) must give a finite number for each"):
        tracking(Counter(), sales, split=7, period_days=2)
