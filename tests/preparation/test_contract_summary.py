from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import contract_survival, kaplan_meier
from crmkit.preparation import contract_summary


def contracts(rows, **columns):
    """Give contracts from customer, start and end."""
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "end"]).assign(**columns)
    return frame.assign(start=pd.to_datetime(frame["start"]), end=pd.to_datetime(frame["end"]))


def row(rows, **options):
    """Give tenure, whether they left, and age of the only customer."""
    table = contract_summary(contracts(rows), **options)
    assert len(table) == 1
    return table[["tenure_periods", "churned", "age_periods"]].iloc[0].tolist()


def test_who_is_still_there_has_renewed_as_often_as_it_came_up():
    yearly = {"cutoff": "2023-01-01", "period": "year"}
    assert row([("a", "2020-03-01", None)], **yearly) == [2, False, 2]
    assert row([("a", "2022-12-31", None)], **yearly) == [0, False, 0]
    # The renewal of the cutoff's own day is not seen yet; that of the evening before is.
    assert row([("a", "2022-01-01", None)], **yearly) == [0, False, 0]
    assert row([("a", "2021-12-31", None)], **yearly) == [1, False, 1]


@pytest.mark.parametrize("end", ["2022-02-28", "2022-03-01", "2021-07-15", "2021-03-02"])
def test_who_ended_refused_the_renewal_at_the_end_of_that_period(end):
    # The last day under contract, the first one after it, and any day of the second year are one thing.
    assert row([("a", "2020-03-01", end)], cutoff="2023-01-01", period="year") == [2, True, 2]


def test_who_ended_in_a_period_that_is_not_over_is_gone_before_the_renewal_came_up():
    assert row([("a", "2022-03-01", "2022-10-15")], cutoff="2023-01-01", period="year") == [1, True, 0]
    assert row([("a", "2020-03-01", "2022-10-15")], cutoff="2023-01-01", period="year") == [3, True, 2]


@pytest.mark.parametrize("end", ["2023-01-01", "2023-06-30", "9999-12-31"])
def test_an_end_at_the_cutoff_or_later_has_not_happened_yet(end):
    frame = contracts([("a", "2020-03-01", None)]).assign(end=np.array([end], dtype="datetime64[s]"))
    assert contract_summary(frame, cutoff="2023-01-01", period="year")["churned"].tolist() == [False]
    assert contract_summary(frame, cutoff="2023-01-01", period="year")["tenure_periods"].tolist() == [2]


def test_terms_that_follow_each_other_are_one_contract():
    terms = [("a", "2020-01-01", "2020-12-31"), ("a", "2021-01-01", "2021-12-31"), ("a", "2022-01-01", "2022-12-31")]
    assert row(terms, cutoff="2022-07-01", period="year") == [2, False, 2]
    exclusive = [("a", "2021-01-01", "2022-01-01"), ("a", "2020-01-01", "2021-01-01")]
    assert row(exclusive, cutoff="2023-07-01", period="year") == [2, True, 3]
    inside = [("a", "2020-01-01", "2023-01-01"), ("a", "2021-02-01", "2021-03-01")]
    assert row(inside, cutoff="2025-01-02", period="year") == [3, True, 5]


def test_after_a_gap_only_the_latest_contract_counts_and_it_is_said():
    rows = [("a", "2019-01-01", "2020-01-01"), ("a", "2021-06-01", None), ("b", "2022-01-01", None)]
    with pytest.warns(DataWarning, match="1 customers came back after a gap") as told:
        table = contract_summary(contracts(rows), cutoff="2023-01-01", period="year")
    assert told[0].filename == __file__
    assert table["tenure_periods"].tolist() == [1, 0]
    assert row(rows[:2], cutoff="2023-01-01", period="year", grace_days=600) == [3, False, 3]


def test_who_may_still_go_on_within_the_days_of_grace_has_refused_nothing():
    rows = [("a", "2020-01-10", "2022-01-10")]
    assert row(rows, cutoff="2022-01-20", period="year", grace_days=0) == [2, True, 2]
    assert row(rows, cutoff="2022-01-20", period="year", grace_days=30) == [1, False, 1]
    assert row(rows, cutoff="2022-02-20", period="year", grace_days=30) == [2, True, 2]


@pytest.fixture(scope="module")
def subscriptions():
    """Give 2,000 monthly contracts begun over three years, of whom one in twenty refuses each renewal."""
    random = np.random.default_rng(0)
    start = random.integers(18_000, 19_000, 2000)
    end = (start.astype("datetime64[D]").astype("datetime64[M]") + random.geometric(0.05, 2000)).astype("datetime64[D]")
    end = end.astype(np.int64) + 27
    return pd.DataFrame({"customer_id": np.arange(2000), "start": np.minimum(start, end - 1), "end": end})


def test_a_table_without_those_who_left_before_it_began_is_told(subscriptions):
    whole = contract_summary(subscriptions, cutoff=19_100)
    taken_over = subscriptions[subscriptions["end"] >= 18_600]
    with pytest.warns(DataWarning, match=r"no contract ends before 2020-12-28.* seem to be missing") as told:
        rows = contract_summary(taken_over, cutoff=19_100)
    assert told[0].filename == __file__
    new = subscriptions[subscriptions["start"] >= 18_600]
    rates = [
        (table["churned"].sum() / table["tenure_periods"].sum())
        for table in (whole, rows, contract_summary(new, cutoff=19_100))
    ]
    assert rates[0] == pytest.approx(0.05, abs=0.005)
    assert rates[1] < 0.8 * rates[0]
    assert rates[2] == pytest.approx(0.05, abs=0.005)


def test_a_cohort_whose_first_renewal_is_years_ahead_is_missing_nobody():
    frame = contracts([(f"c{number}", "2015-01-01", None if number % 2 else "2019-12-31") for number in range(400)])
    table = contract_summary(frame, cutoff="2021-01-01", period="year")
    assert table["churned"].sum() == 200


def test_short_months_and_leap_days_renew_on_their_last_day():
    assert row([("a", "2023-01-31", None)], cutoff="2023-03-01") == [1, False, 1]
    assert row([("a", "2023-01-31", None)], cutoff="2023-02-28") == [0, False, 0]
    assert row([("a", "2024-02-29", None)], cutoff="2025-03-01", period="year") == [1, False, 1]


def test_prices_are_those_of_the_latest_term_and_each_period_begun_is_paid():
    frame = contracts(
        [("a", "2020-01-01", "2020-12-31"), ("a", "2021-01-01", None), ("b", "2020-01-01", "2021-12-31")],
        fee=[10.0, 12.0, 5.0],
    )
    table = contract_summary(frame, cutoff="2022-07-01", period="year", price="fee")
    assert table["frequency"].tolist() == [3, 2]
    assert table["monetary_value"].tolist() == [12.0, 5.0]
    assert "frequency" not in contract_summary(frame, cutoff="2022-07-01").columns


def test_customers_who_start_later_are_left_out_and_rows_come_in_the_order_of_ids():
    frame = contracts([("客户二", "2021-01-01", None), ("b", "2023-01-01", None), ("a", "2020-01-01", None)])
    assert contract_summary(frame, cutoff="2022-01-01").index.tolist() == ["a", "客户二"]
    with pytest.warns(DataWarning, match="no contract starts before the cutoff"):
        assert len(contract_summary(frame, cutoff="2001-01-01")) == 0
    assert len(contract_summary(frame.iloc[:0], cutoff="2001-01-01", period="week")) == 0


def test_other_columns_day_numbers_time_zones_and_ids_of_numbers_are_read():
    frame = pd.DataFrame({"customer_id": [7.0, 8.0], "from": [0, 10], "to": pd.array([None, 40], dtype="Int64")})
    table = contract_summary(frame, cutoff=100, period="week", start="from", end="to")
    assert table["tenure_periods"].tolist() == [14, 5]
    assert table.index.tolist() == ["7", "8"]
    zone = pd.DataFrame(
        {
            "customer_id": ["a"],
            "start": pd.to_datetime(["2020-12-31T20:00Z"]).tz_convert("Asia/Shanghai"),
            "end": [pd.NaT],
        }
    )
    assert contract_summary(zone, cutoff="2021-02-01")["tenure_periods"].tolist() == [0]
    assert contract_summary(zone, cutoff="2021-02-02")["tenure_periods"].tolist() == [1]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (contracts([("a", "2020-01-02", "2020-01-01")]), {}, "end is before start in row 0"),
        (contracts([("a", None, "2020-01-01")]), {}, "start is missing in row 0"),
        (contracts([(None, "2020-01-01", None)]), {}, "customer_id is missing"),
        (contracts([("a", "2020-01-01", None)]).astype({"start": str}), {}, "pandas.to_datetime"),
        (pd.DataFrame({"customer_id": ["a"], "start": [0.5], "end": [3]}), {}, "whole days since 1970-01-01; row 0"),
        (contracts([("a", "2020-01-01", None)]).drop(columns="end"), {}, "no column 'end'"),
        (contracts([("a", "2020-01-01", None)], fee=[np.nan]), {"price": "fee"}, "fee is missing or infinite"),
        (contracts([("a", "2020-01-01", None)]), {"period": "fortnight"}, "period must be one of"),
        (contracts([("a", "2020-01-01", None)]), {"grace_days": -1}, "grace_days"),
        (contracts([("a", "2020-01-01", None)]), {"grace_days": 1.5}, "grace_days"),
    ],
)
def test_what_cannot_be_read_is_told_by_column_and_row(frame, options, message):
    with pytest.raises(DataError, match=message):
        contract_summary(frame, cutoff="2022-01-01", **options)


_contract = st.tuples(st.integers(15_000, 16_000), st.integers(1, 900), st.booleans())


@given(st.lists(_contract, min_size=1, max_size=30), st.sampled_from(["month", "quarter", "year"]))
def test_it_is_what_anniversaries_give_one_customer_at_a_time(rows, period):
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    limit = 16_300
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number:03d}" for number in range(len(rows))],
            "start": [start for start, _, _ in rows],
            "end": pd.array([start + length if ended else None for start, length, ended in rows], dtype="Int64"),
        }
    )
    table = contract_summary(frame, cutoff=limit, period=period, grace_days=0)
    for got, (start, length, ended) in zip(table.itertuples(), rows, strict=True):
        begin, end = (pd.Timestamp(np.datetime64(day, "D")) for day in (start, start + length))
        cutoff = pd.Timestamp(np.datetime64(limit, "D"))
        dates = [begin + pd.DateOffset(months=months * number) for number in range(1, 60)]
        churned = ended and end < cutoff
        assert got.churned == churned
        assert got.age_periods == sum(date < cutoff for date in dates)
        # The renewal that was refused is the first one on the end or after it.
        refused = next(number for number, date in enumerate(dates, start=1) if date >= end)
        assert got.tenure_periods == (refused if churned else got.age_periods)


def test_its_curve_is_that_of_the_dates_where_contracts_end_with_their_periods():
    random = np.random.default_rng(0)
    start = random.integers(18_000, 18_300, 500)
    end = start + 7 * random.integers(1, 40, 500)
    frame = pd.DataFrame({"customer_id": np.arange(500), "start": start, "end": end})
    table = contract_summary(frame, cutoff=18_400, period="week", grace_days=0)
    by_period = kaplan_meier(table["tenure_periods"], table["churned"])["survival"]
    by_day = contract_survival(frame, cutoff=18_400)["survival"]
    common = by_period.index[by_period.index > 0]
    assert by_period[common].to_numpy() == pytest.approx(
        by_day.reindex(7 * common, method="ffill").to_numpy(), abs=0.02
    )


def test_who_left_in_a_period_that_is_not_over_counts_with_those_who_stay_in_it_or_not_at_all():
    # Three in ten leave each year, on any day of it.
    random = np.random.default_rng(0)
    start = random.integers(18_000, 18_000 + 3 * 365, 20_000)
    year = random.geometric(0.3, len(start)) - 1
    end = start + 365 * year + random.integers(1, 360, len(start))
    frame = pd.DataFrame({"customer_id": np.arange(len(start)), "start": start, "end": end})
    table = contract_summary(frame, cutoff=18_000 + 3 * 365, period="year")
    seen = table[["tenure_periods", "age_periods"]].min(axis=1)
    curve = kaplan_meier(seen, table["churned"] & (table["tenure_periods"] <= table["age_periods"]))
    assert curve["survival"].loc[[1, 2]].to_numpy() == pytest.approx([0.7, 0.49], abs=0.015)
    one_sided = kaplan_meier(table["tenure_periods"], table["churned"])["survival"]
    assert one_sided[2] < 0.43


def test_a_date_is_read_as_a_cutoff_like_its_text():
    frame = contracts([("a", "2020-01-01", None)])
    pd.testing.assert_frame_equal(
        contract_summary(frame, cutoff=dt.date(2021, 3, 1)), contract_summary(frame, cutoff="2021-03-01")
    )
