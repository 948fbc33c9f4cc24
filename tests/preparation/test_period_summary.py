from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.preparation import period_summary, rfm_table
from crmkit.value import BGBB, GammaGamma

FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}


def sales(rows):
    """Give transactions from customer, date and amount."""
    frame = pd.DataFrame(rows, columns=["customer_id", "time", "amount"])
    return frame.assign(time=pd.to_datetime(frame["time"], format="ISO8601"))


@pytest.fixture
def gifts():
    """Give the gifts of three people over some years."""
    return sales(
        [
            ("a", "2019-12-24", 20.0),
            ("a", "2020-12-20", 30.0),
            ("a", "2020-12-24", 10.0),
            ("a", "2022-01-01", 5.0),
            ("b", "2021-06-01", 5.0),
            ("c", "2019-01-01", 1.0),
            ("c", "2019-12-31", 2.0),
        ]
    )


def test_each_period_after_the_first_counts_once_and_its_spend_is_added_up(gifts):
    table = period_summary(gifts, cutoff="2023-01-01", period="year")
    assert table.loc["a"].to_dict() == {
        "repeats": 2,
        "last_purchase_periods": 3,
        "age_periods": 3,
        "repeat_spend": 22.5,
        "first_spend": 20.0,
        "period": "year",
    }
    assert table.loc["b", ["repeats", "last_purchase_periods", "age_periods", "repeat_spend"]].tolist() == [
        0,
        0,
        1,
        0.0,
    ]
    assert table.loc["c", ["repeats", "age_periods", "first_spend"]].tolist() == [0, 3, 3.0]
    assert table.index.name == "customer_id"


def test_new_year_s_eve_and_new_year_s_day_are_two_periods_of_the_calendar():
    table = sales(
        [("a", "2021-12-31", 1.0), ("a", "2022-01-01", 1.0), ("b", "2021-01-01", 1.0), ("b", "2021-12-31", 1.0)]
    )
    assert period_summary(table, cutoff="2022-02-01", period="month")["repeats"].tolist() == [1, 1]
    assert period_summary(table, cutoff="2023-01-01", period="year")["repeats"].tolist() == [1, 0]


def test_a_last_period_that_is_not_over_is_left_out_and_said(gifts):
    with pytest.warns(
        DataWarning, match=r"last year is not over at the cutoff \(1 of its 365 days are\): .* its 1 rows"
    ) as told:
        cut = period_summary(gifts, cutoff="2022-01-02", period="year")
    assert "'2022-01-01'" in str(told[0].message)
    assert told[0].filename == __file__
    pd.testing.assert_frame_equal(cut, period_summary(gifts, cutoff="2022-01-01", period="year"))
    assert cut["age_periods"].tolist() == [2, 0, 2]


def test_without_a_cutoff_it_is_the_day_after_the_last_line(gifts):
    with pytest.warns(DataWarning, match="last month is not over"):
        table = period_summary(gifts, period="month")
    pd.testing.assert_frame_equal(table, period_summary(gifts, cutoff="2022-01-01", period="month"))
    ended = gifts.assign(time=gifts["time"].replace(pd.Timestamp("2022-01-01"), pd.Timestamp("2022-01-31")))
    assert period_summary(ended, period="month").loc["a", "last_purchase_periods"] == 25


def test_customers_first_seen_in_a_period_that_is_not_over_are_left_out():
    table = sales([("a", "2021-01-05", 1.0), ("b", "2021-02-05", 1.0)])
    with pytest.warns(DataWarning, match="not over"):
        assert period_summary(table, cutoff="2021-02-20").index.tolist() == ["a"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(18_000, 18_900), st.integers(1, 9)), min_size=1, max_size=40),
    st.sampled_from(list(FREQUENCIES)),
)
def test_it_is_what_periods_of_pandas_give_one_customer_at_a_time(rows, period):
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"]).astype({"customer_id": str, "amount": float})
    end = pd.Timestamp("2022-01-03") if period == "week" else pd.Timestamp("2022-01-01")
    table = period_summary(frame, cutoff=end, period=period)
    frame["number"] = pd.PeriodIndex(frame["day"].to_numpy().astype("datetime64[D]"), freq=FREQUENCIES[period]).astype(
        "int64"
    )
    over = pd.Period(end, freq=FREQUENCIES[period]).ordinal
    for customer, group in frame.groupby("customer_id"):
        first, row = group["number"].min(), table.loc[customer]
        later = group[group["number"] > first]
        assert row["repeats"] == later["number"].nunique()
        assert row["last_purchase_periods"] == group["number"].max() - first
        assert row["age_periods"] == over - 1 - first
        assert row["first_spend"] == group.loc[group["number"] == first, "amount"].sum()
        if len(later):
            assert row["repeat_spend"] == pytest.approx(later.groupby("number")["amount"].sum().mean())


def test_refunds_follow_the_policies_of_purchase_summary():
    table = sales(
        [("a", "2021-01-05", 10.0), ("a", "2021-02-05", 20.0), ("a", "2021-03-09", -20.0), ("b", "2021-01-02", -3.0)]
    )
    with pytest.warns(DataWarning, match="1 of 2 customers have no purchase"):
        net = period_summary(table, cutoff="2021-04-01")
    assert net.loc["a", ["repeats", "repeat_spend"]].tolist() == [1, 0.0]
    with pytest.warns(DataWarning, match="1 of 2 customers have no purchase"):
        ignored = period_summary(table, cutoff="2021-04-01", refunds="ignore")
    assert ignored.loc["a", ["repeats", "repeat_spend"]].tolist() == [1, 20.0]
    with pytest.warns(DataWarning, match="wholly cancelled"):
        matched = period_summary(table, cutoff="2021-04-01", refunds="match")
    assert matched.loc["a", "repeats"] == 0
    with pytest.raises(DataError, match="refunds must be one of"):
        period_summary(table, cutoff="2021-04-01", refunds="never")


def test_a_refund_after_the_last_purchase_moves_the_default_cutoff_unless_it_is_ignored():
    table = sales([("a", "2021-01-05", 10.0), ("a", "2021-02-28", 10.0), ("a", "2021-03-31", -10.0)])
    assert period_summary(table).loc["a", "age_periods"] == 2
    assert period_summary(table, refunds="ignore").loc["a", "age_periods"] == 1


def test_a_purchase_early_in_shanghai_belongs_to_the_month_that_has_begun_there():
    time = pd.to_datetime(["2021-01-15T02:00Z", "2021-01-31T23:30Z"]).tz_convert("Asia/Shanghai")
    table = pd.DataFrame({"customer_id": ["客户", "客户"], "time": time, "amount": [1.0, 2.0]})
    assert period_summary(table, cutoff="2021-03-01").loc["客户", ["repeats", "age_periods"]].tolist() == [1, 1]


def test_an_instant_sees_nothing_after_it_and_its_own_day_is_not_over():
    table = sales([("a", "2021-01-15", 1.0), ("a", "2021-02-10", 2.0), ("a", "2021-02-28 18:00", 4.0)])
    with pytest.warns(DataWarning, match="27 of its 28 days"):
        noon = period_summary(table, cutoff="2021-02-28T12:00")
    assert noon.loc["a", ["repeats", "age_periods"]].tolist() == [0, 0]
    midnight = period_summary(table, cutoff=pd.Timestamp("2021-03-01"))
    assert midnight.loc["a", ["repeats", "age_periods"]].tolist() == [1, 1]


def test_leap_days_are_days_of_february():
    table = sales([("a", "2024-01-31", 1.0), ("a", "2024-02-29", 1.0), ("a", "2025-02-28", 1.0)])
    assert period_summary(table, cutoff="2025-03-01")["last_purchase_periods"].tolist() == [13]


def test_an_empty_table_and_one_without_rows_before_the_cutoff_give_no_customers(gifts):
    assert len(period_summary(gifts.iloc[:0], cutoff="2022-01-01", period="year")) == 0
    assert len(period_summary(gifts.iloc[:0], period="day")) == 0
    with pytest.warns(DataWarning, match="no row is before the cutoff"):
        assert len(period_summary(gifts, cutoff="2001-01-01", period="year")) == 0


def test_an_unknown_period_and_missing_columns_are_refused(gifts):
    with pytest.raises(DataError, match="period must be one of 'day', 'week', 'month', 'quarter', 'year'"):
        period_summary(gifts, period="fortnight")
    with pytest.raises(DataError, match="no column 'customer_id'"):
        period_summary(gifts.drop(columns="customer_id"))


def test_days_are_the_purchase_days_of_the_rfm_table(online_retail):
    with pytest.warns(DataWarning) as told:
        table = period_summary(online_retail, cutoff="2010-12-10", period="day")
    with pytest.warns(DataWarning, match="69 of 4,383 customers have no purchase"):
        rfm = rfm_table(online_retail, cutoff="2010-12-10")
    left_out, mid_life = (str(one.message) for one in told)
    assert left_out.startswith("69 of 4,383 customers have no purchase")
    assert mid_life.startswith("the table starts in the middle of its customers' lives")
    assert table.index.equals(rfm.index)
    assert (table["repeats"] + 1 == rfm["frequency"]).all()
    assert (table["age_periods"] - table["last_purchase_periods"] + 1 == rfm["recency_days"]).all()


def test_online_retail_by_month_hides_who_left_behind_its_season(online_retail):
    with pytest.warns(DataWarning) as told:
        table = period_summary(online_retail, cutoff="2010-12-10")
    messages = [str(one.message) for one in told]
    assert any("the last month is not over at the cutoff (9 of its 31 days are)" in message for message in messages)
    assert (table["age_periods"] <= 11).all()
    assert (table["last_purchase_periods"] >= table["repeats"]).all()
    # Ever more buy towards Christmas: what the model sees is that nobody leaves.
    with pytest.raises(ConvergenceError, match=r"gamma is not identified.* no customer who left"):
        BGBB().fit(table)


def test_spend_models_read_the_mean_of_a_repeat_period_and_the_first_one(cdnow):
    table = period_summary(cdnow, cutoff="1997-10-01")
    for first in ("ignore", "use"):
        spend = GammaGamma(first_purchase=first).fit(table[table["first_spend"] > 0]).predict(table)["expected_spend"]
        assert spend.between(0, 10_000, inclusive="neither").all()
