from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import days_in, purchase_summary, rfm_table, time_split
from crmkit.preparation.units import unit_of


def test_cdnow_has_the_published_counts(cdnow):
    # Fader, Hardie and Lee 2005: calibration to 1997-09-30, 39 weeks.
    summary = purchase_summary(cdnow, cutoff="1997-10-01")
    assert len(summary) == 2357
    assert summary["repeats"].sum() == 2457
    assert (summary["repeats"] == 0).sum() == 1411
    assert (summary["repeats"] > 0).sum() == 946
    # The holdout to 1998-06-30 has 1,882 purchases.
    holdout = time_split(cdnow, "1997-10-01", until="1998-07-01").after
    assert rfm_table(holdout, cutoff="1998-07-01")["frequency"].sum() == 1882


def test_cdnow_is_the_published_summary_row_by_row(cdnow, data_file):
    published = pd.read_csv(data_file("cdnow/cdnow_customers_summary.csv"))
    summary = purchase_summary(cdnow, cutoff="1997-10-01")
    assert summary["repeats"].tolist() == published["frequency"].tolist()
    # The publisher rounds to two decimals.
    assert np.allclose(summary["last_purchase_weeks"], published["recency"], atol=0.006)
    assert np.allclose(summary["age_weeks"], published["T"], atol=0.006)


def test_the_mean_spend_of_repeat_buyers_is_the_published_one(cdnow):
    summary = purchase_summary(cdnow, cutoff="1997-10-01")
    # Fader and Hardie 2013: 35.08 over 946 repeat buyers.
    assert summary.loc[summary["repeats"] > 0, "repeat_spend"].mean() == pytest.approx(35.078, abs=5e-4)
    assert (summary.loc[summary["repeats"] == 0, "repeat_spend"] == 0).all()


@pytest.mark.parametrize(("unit", "length"), [("day", 1.0), ("week", 7.0), ("month", 30.4375)])
def test_the_unit_stands_in_the_names_and_scales_the_ages(unit, length):
    table = pd.DataFrame({"customer_id": ["a", "a"], "day": [0, 14], "amount": [1.0, 1.0]})
    summary = purchase_summary(table, cutoff=29, unit=unit)
    columns = ["repeats", f"last_purchase_{unit}s", f"age_{unit}s", "repeat_spend", "first_spend", "gap_evenness"]
    assert list(summary.columns) == columns
    assert summary.iloc[0, 1] == pytest.approx(14 / length)
    assert summary.iloc[0, 2] == pytest.approx(28 / length)
    assert unit_of(summary.columns) == unit
    assert days_in(unit) == length


def test_a_customer_of_the_last_day_is_of_age_zero():
    table = pd.DataFrame({"customer_id": ["a", "b"], "day": [0, 5], "amount": [1.0, 1.0]})
    assert purchase_summary(table).loc["b"].tolist() == [0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_refund_is_taken_off_the_latest_purchase_before_it():
    days, amounts = [0, 5, 6, 9], [10.0, 20.0, -4.0, 40.0]
    table = pd.DataFrame({"customer_id": "a", "day": days, "amount": amounts})
    assert purchase_summary(table).loc["a", "repeat_spend"] == (16.0 + 40.0) / 2
    # Of the first purchase it says nothing of the repeats.
    first = table.assign(day=[0, 5, 3, 9])
    assert purchase_summary(first).loc["a", "repeat_spend"] == 30.0
    assert purchase_summary(first).loc["a", "first_spend"] == 6.0


def test_an_unknown_unit_is_refused_and_two_units_are_none():
    table = pd.DataFrame({"customer_id": ["a"], "day": [0], "amount": [1.0]})
    with pytest.raises(DataError, match="unit must be one of"):
        purchase_summary(table, unit="fortnight")
    both = [*purchase_summary(table, unit="day").columns, *purchase_summary(table, unit="week").columns]
    assert unit_of(both) is None
    assert unit_of(["repeats"]) is None


def test_an_instant_within_a_day_sees_that_day_in_part():
    time = pd.to_datetime(["2024-03-01T10:00Z", "2024-03-08T09:00Z", "2024-03-08T16:00Z"])
    day = time.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    table = pd.DataFrame({"customer_id": "a", "time": time, "day": day, "amount": [1.0, 2.0, 4.0]})
    summary = purchase_summary(table, cutoff="2024-03-08T12:00Z")
    assert summary.loc["a"].tolist() == [1, 1.0, 1.0, 2.0, 1.0, 1.0]


def test_online_retail_is_told_to_start_mid_life(online_retail):
    with (
        pytest.warns(DataWarning, match=r"middle of its customers' lives: 22% of them"),
        pytest.warns(DataWarning, match="69 of 4,383"),
    ):
        summary = purchase_summary(online_retail, cutoff="2010-12-10")
    assert len(summary) == 4314


def test_gap_evenness_is_the_geometric_over_the_arithmetic_mean_of_the_gaps():
    days = {"clock": [3, 10, 17, 24, 31], "uneven": [0, 1, 9], "one": [5, 40], "none": [2]}
    table = pd.DataFrame([(name, day, 1.0) for name, each in days.items() for day in each])
    summary = purchase_summary(table.set_axis(["customer_id", "day", "amount"], axis=1), unit="month")
    assert summary["gap_evenness"].to_dict() == pytest.approx(
        {"clock": 1.0, "none": 0.0, "one": 1.0, "uneven": np.sqrt(1 * 8) / 4.5}
    )


def test_gap_evenness_and_the_other_columns_give_the_sum_of_the_logarithms_of_the_gaps(cdnow):
    summary = purchase_summary(cdnow, cutoff="1997-10-01", unit="day")
    repeated = summary[summary["repeats"] > 0]
    assert (repeated["gap_evenness"] <= 1).all()
    mean = repeated["last_purchase_days"] / repeated["repeats"]
    got = repeated["repeats"] * np.log(mean * repeated["gap_evenness"])
    seen = cdnow[cdnow["day"] < 10135].drop_duplicates(["customer_id", "day"]).sort_values(["customer_id", "day"])
    gaps = seen.groupby("customer_id")["day"].diff().dropna()
    assert got.sum() == pytest.approx(np.log(gaps).sum(), rel=1e-12)
