from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import DataError, metrics


def _day(text):
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def test_new_customers_count_neither_as_retained_nor_as_lost():
    before, after = ["a", "b", "c", "d"], ["a", "b", "c", "new", "newer"]
    assert metrics.retention(before, after) == 0.75
    assert metrics.churn_rate(before, after) == 0.25
    assert metrics.churn_rate(before, after).n == 4


def test_a_customer_listed_twice_counts_once():
    assert metrics.retention(pd.Series(["a", "a", "b"]), ["a", "a"]) == 0.5


def test_all_may_be_lost():
    got = metrics.churn_rate(["a", "b"], [])
    assert got == got.high == 1
    assert got.low < 0.5


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        ([], ["a"], "before is empty"),
        (["a", None], ["a"], "before is missing in row 1"),
        (["a"], ["b", None], "after is missing in row 1"),
        ([1, 2], ["1", "2"], "ids of different kinds"),
        ("ab", ["a"], "got one str"),
        (["a"], "ab", "got one str"),
    ],
)
def test_ids_that_cannot_be_matched_are_refused(before, after, match):
    for figure in (metrics.retention, metrics.churn_rate):
        with pytest.raises(DataError, match=match):
            figure(before, after)


class TestRepeatPurchase:
    def test_young_customers_are_left_out_and_told(self):
        sales = pd.DataFrame({"customer_id": ["back", "back", "gone", "young"], "day": [0, 30, 0, 80]})
        got = metrics.repeat_purchase(sales, horizon_days=30, cutoff=100)
        assert got == 0.5
        assert got.n == 2
        assert got.method == "wilson; 1 customers seen for less than 30 days left out"

    def test_the_horizon_includes_its_last_day_and_not_the_next(self):
        sales = pd.DataFrame({"customer_id": ["in", "in", "out", "out"], "day": [0, 30, 0, 31]})
        assert metrics.repeat_purchase(sales, horizon_days=30) == 0.5

    def test_a_customer_is_old_enough_once_the_last_day_of_the_horizon_was_seen(self):
        sales = pd.DataFrame({"customer_id": ["a"], "day": [0]})
        assert metrics.repeat_purchase(sales, horizon_days=30, cutoff=31).n == 1
        with pytest.raises(DataError, match="no customer was seen for 30 days"):
            metrics.repeat_purchase(sales, horizon_days=30, cutoff=30)

    def test_two_purchases_on_one_day_and_refunds_are_no_repeat(self):
        sales = pd.DataFrame({"customer_id": list("aabb"), "day": [0, 0, 0, 5], "amount": [1.0, 2.0, 9.0, -9.0]})
        assert metrics.repeat_purchase(sales, horizon_days=10, cutoff=99) == 0

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60)), min_size=1, max_size=40))
    def test_it_agrees_with_counting_customer_by_customer(self, events):
        sales = pd.DataFrame(events, columns=["customer_id", "day"])
        days = {who: sorted(set(sales.loc[sales["customer_id"] == who, "day"])) for who in set(sales["customer_id"])}
        old = [each for each in days.values() if each[0] + 20 < 50 and each[0] < 50]
        if not old:
            return
        back = [len(each) > 1 and each[1] - each[0] <= 20 and each[1] < 50 for each in old]
        got = metrics.repeat_purchase(sales, horizon_days=20, cutoff=50)
        assert (got, got.n) == (pytest.approx(np.mean(back)), len(old))

    def test_a_horizon_of_no_days_is_refused(self):
        with pytest.raises(DataError, match="at least 1"):
            metrics.repeat_purchase(pd.DataFrame({"customer_id": ["a"], "day": [0]}), horizon_days=0)


class TestCohort:
    SALES = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c", "c", "d"],
            "day": [
                _day(d)
                for d in [
                    "2024-01-31",
                    "2024-02-29",
                    "2024-03-01",
                    "2024-01-01",
                    "2024-02-01",
                    "2024-03-09",
                    "2024-03-10",
                ]
            ],
        }
    )

    def test_cells_that_had_not_ended_are_missing_not_zero(self):
        table = metrics.cohort(self.SALES, values="customers")
        # The table ends within March: no cell of March is complete.
        expected = [[2.0, 1.0], [1.0, np.nan], [np.nan, np.nan]]
        np.testing.assert_array_equal(table.to_numpy(), expected)
        assert [str(period) for period in table.index] == ["2024-01", "2024-02", "2024-03"]
        assert (table.index.name, table.columns.name) == ("cohort", "periods_later")

    def test_a_later_cutoff_completes_them(self):
        table = metrics.cohort(self.SALES, cutoff="2024-04-01", values="customers")
        expected = [[2.0, 1.0, 1.0], [1.0, 1.0, np.nan], [1.0, np.nan, np.nan]]
        np.testing.assert_array_equal(table.to_numpy(), expected)

    def test_the_day_before_the_end_of_the_month_does_not_complete_it(self):
        assert metrics.cohort(self.SALES, cutoff="2024-03-31").loc["2024-03"].isna().all()

    def test_shares_are_of_the_cohort(self):
        table = metrics.cohort(self.SALES, cutoff="2024-04-01")
        assert table.loc["2024-01"].tolist() == [1, 0.5, 0.5]

    def test_a_cohort_without_customers_has_no_share(self):
        sales = pd.DataFrame({"customer_id": ["a", "b"], "day": [_day("2024-01-05"), _day("2024-03-05")]})
        table = metrics.cohort(sales, cutoff="2024-05-01")
        assert table.loc["2024-02"].isna().all()
        assert metrics.cohort(sales, cutoff="2024-05-01", values="customers").loc["2024-02", 0] == 0

    @pytest.mark.parametrize(
        ("period", "first", "later"),
        [
            ("day", "1969-12-31", "1970-01-01"),
            ("week", "2023-12-25/2023-12-31", "2024-01-01/2024-01-07"),
            ("month", "2023-12", "2024-01"),
            ("quarter", "2023Q4", "2024Q1"),
            ("year", "2023", "2024"),
        ],
    )
    def test_periods_are_those_of_the_calendar(self, period, first, later):
        days = [-1, 0] if period == "day" else [_day("2023-12-31"), _day("2024-01-01")]
        sales = pd.DataFrame({"customer_id": ["a", "a"], "day": days})
        table = metrics.cohort(sales, period=period, cutoff="2026-01-01" if period != "day" else 1, values="customers")
        assert str(table.index[0]) == first
        assert table.iloc[0, :2].tolist() == [1, 1]
        assert str(table.index[0] + 1) == later

    def test_time_serves_where_there_is_no_day(self):
        times = pd.to_datetime(["2024-01-31 23:59", "2024-02-01 00:00"]).tz_localize("UTC")
        sales = pd.DataFrame({"customer_id": ["a", "a"], "time": times})
        assert metrics.cohort(sales, cutoff="2024-03-01", values="customers").iloc[0].tolist() == [1, 1]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(19_700, 20_000)), min_size=1, max_size=40))
    def test_counts_agree_with_pandas_periods(self, events):
        sales = pd.DataFrame(events, columns=["customer_id", "day"])
        table = metrics.cohort(sales, cutoff=21_000, values="customers")
        month = pd.PeriodIndex(pd.to_datetime(sales["day"], unit="D"), freq="M")
        born = month.asi8[:, None][:, 0]
        first = pd.Series(born).groupby(sales["customer_id"]).transform("min").to_numpy()
        cells = set(zip(sales["customer_id"], first, born - first, strict=True))
        for row, period in enumerate(table.index):
            for later in range(3):
                expected = sum(1 for _, start, gap in cells if start == period.ordinal and gap == later)
                assert table.iloc[row, later] == expected

    def test_real_purchases_keep_the_shape_of_a_triangle(self, data_file):
        names = ["customer_id", "date", "cds", "amount"]
        path = data_file("cdnow/CDNOW_master.txt")
        sales = pd.read_csv(path, sep=r"\s+", names=names, dtype=str, skiprows=1)
        sales["time"] = pd.to_datetime(sales.pop("date"), format="%Y%m%d")
        # A row of 0.00 dollars is a purchase in Fader & Hardie's counts, so the amounts are left out.
        del sales["amount"]
        table = metrics.cohort(sales, cutoff="1998-07-01", values="customers")
        # Everyone in CDNOW first bought in January to March 1997 (Fader & Hardie 2001).
        assert [str(period) for period in table.index] == ["1997-01", "1997-02", "1997-03"]
        assert table[0].sum() == 23_570
        assert table.notna().sum(axis=1).tolist() == [18, 17, 16]

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"period": "decade"}, "period must be one of 'day', 'week'"),
            ({"values": "euros"}, "'share' or 'customers'"),
            ({"cutoff": "2024-01-01 12:00"}, "cutoff must be a day"),
            ({"cutoff": "soon"}, "cutoff must be a day"),
            ({"cutoff": "2000-01-01"}, "no purchase"),
        ],
    )
    def test_options_that_mean_nothing_are_refused(self, options, match):
        with pytest.raises(DataError, match=match):
            metrics.cohort(self.SALES, **options)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"day": [1]}, "no column 'customer_id'"),
        ({"customer_id": ["a"]}, "no column 'time'"),
        ({"customer_id": ["a", None], "day": [1, 2]}, "customer_id is missing in row 1"),
        ({"customer_id": ["a", "b"], "day": [1, None]}, "day must be whole days .* row 1"),
        ({"customer_id": ["a"], "time": ["2024-01-01"]}, "time must hold instants"),
        ({"customer_id": ["a", "b"], "time": [pd.Timestamp("2024-01-01"), pd.NaT]}, "time is missing in row 1"),
        ({"customer_id": [], "day": []}, "transactions is empty"),
        ({"customer_id": ["a"], "day": [1], "amount": [0.0]}, "holds no purchase"),
    ],
)
def test_tables_that_cannot_be_counted_are_refused(table, match):
    for function in (metrics.cohort, metrics.repeat_purchase):
        with pytest.raises(DataError, match=match):
            function(pd.DataFrame(table))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, "much"])
def test_an_amount_that_is_no_number_is_named_by_row(wrong):
    sales = pd.DataFrame({"customer_id": ["a", "b"], "day": [0, 3], "amount": pd.Series([5.0, wrong], dtype=object)})
    for figure in (metrics.repeat_purchase, metrics.cohort):
        with pytest.raises(DataError, match="amount is missing, infinite or no number in row 1"):
            figure(sales)


def test_a_horizon_of_text_is_refused():
    with pytest.raises(DataError, match="horizon_days must be at least 1"):
        metrics.repeat_purchase(pd.DataFrame({"customer_id": ["a"], "day": [0]}), horizon_days="90")


def test_days_may_be_dates_and_parts_of_days_are_named_by_row():
    sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 20, 5]})
    expected = metrics.cohort(sales, cutoff=100)
    for dates in (pd.to_datetime(sales["day"], unit="D"), pd.to_datetime(sales["day"], unit="D").astype("M8[ns]")):
        pd.testing.assert_frame_equal(metrics.cohort(sales.assign(day=dates), cutoff=100), expected)
    for wrong in ([0.0, 20.5, 5.0], [0.0, np.inf, 5.0]):
        with pytest.raises(DataError, match=r"day must be whole days since 1970-01-01; it is not in row 1"):
            metrics.repeat_purchase(sales.assign(day=wrong), cutoff=100)
    with pytest.raises(DataError, match="day must be whole days"):
        metrics.repeat_purchase(sales.assign(day=True), cutoff=100)


@pytest.mark.parametrize("cutoff", [20_240_120, -20_240_120])
def test_a_date_written_as_a_number_is_no_cutoff(cutoff):
    sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 20, 5]})
    for figure in (metrics.cohort, metrics.repeat_purchase, metrics.repeat_purchase_curve):
        with pytest.raises(DataError, match="outside the years 1800 to 2199"):
            figure(sales, cutoff=cutoff)
    contracts = pd.DataFrame({"customer_id": ["a"], "start": [0], "end": [20]})
    with pytest.raises(DataError, match="outside the years 1800 to 2199"):
        metrics.contract_churn(contracts, cutoff=cutoff)
    with pytest.raises(DataError, match="cutoff must be a day such as"):
        metrics.cohort(sales, cutoff=True)
