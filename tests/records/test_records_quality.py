"""Data quality in one table."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import binomtest

from crmkit import records


def pick(report, **wanted):
    for name, value in wanted.items():
        report = report[report[name] == value]
    assert len(report) == 1, report
    return report.iloc[0]


@pytest.fixture
def tables():
    customers = records.read(
        {"customer_id": ["a", "b", "b"], "city": ["杭州", None, "x"]}, records.CUSTOMERS, on_error="set-aside"
    )
    sales = records.read(
        {
            "customer_id": ["a", "a", "z", None, "a"],
            "time": ["2024-05-01", "2024-05-01", "2024-05-04", "2024-05-04", "never"],
            "order_id": ["o1", "o1", "o2", "o3", "o4"],
            "quantity": [2, 2, 1, 1, 1],
            "unit_price": [3, 3, 1, 1, 1],
            "amount": [6, 6, 2, 1, 1],
        },
        records.TRANSACTIONS,
        on_error="set-aside",
    )
    calls = records.read(
        {
            "customer_id": ["a", "b", "a", "a"],
            "time": ["2024-05-01 00:00", "2024-05-05 00:00", "2024-05-06 00:00", "2024-05-06 12:00"],
            "recorded_time": ["2024-05-01 02:00", "2024-05-05 04:00", "2024-05-05 23:00", None],
            "channel": ["phone", "phone", "chat", "chat"],
            "case_id": ["k1", "k2", None, None],
        },
        records.COMMUNICATIONS,
    )
    cases = records.read(
        {
            "case_id": ["k1"],
            "customer_id": ["a"],
            "time": ["2024-05-03"],
            "closed_time": ["2024-05-02"],
            "order_id": ["o9"],
        },
        records.CASES,
    )
    return {"customers": customers, "sales": sales, "calls": calls, "cases": cases}


def test_completeness_counts_rows_set_aside_too(tables):
    report = records.quality(tables)
    row = pick(report, table="sales", check="cell filled", column="customer_id")
    assert (row["n"], row["count"]) == (5, 4)
    assert row["share"] == 0.8
    row = pick(report, table="customers", check="cell filled", column="city")
    assert (row["n"], row["count"]) == (3, 2)


def test_uniqueness_is_of_keys_or_of_lines(tables):
    report = records.quality(tables)
    row = pick(report, table="customers", dimension="uniqueness")
    assert (row["column"], row["n"], row["count"]) == ("customer_id", 3, 2)
    row = pick(report, table="sales", dimension="uniqueness")
    assert (row["n"], row["count"]) == (3, 2)


def test_validity_counts_every_reason(tables):
    report = records.quality(tables)
    assert pick(report, table="sales", check="row valid")["count"] == 3
    assert pick(report, table="sales", check="set aside: missing", column="customer_id")["count"] == 1
    assert pick(report, table="sales", check="set aside: not a date or time", column="time")["count"] == 1


def test_orphans_point_at_no_row_of_another_table(tables):
    report = records.quality(tables)
    row = pick(report, table="sales", check="orphan: not in customers")
    assert (row["n"], row["count"]) == (3, 1)
    assert pick(report, table="calls", check="orphan: not in cases")["count"] == 1
    assert pick(report, table="cases", check="orphan: not in sales")["count"] == 1
    assert report[(report["table"] == "customers") & (report["dimension"] == "consistency")].empty


def test_contradictions_within_a_row_are_counted(tables):
    report = records.quality(tables)
    row = pick(report, table="sales", check="differs from quantity x unit_price")
    assert (row["n"], row["count"]) == (3, 1)
    assert pick(report, table="cases", check="before time")["count"] == 1


def test_an_amount_that_reading_worked_out_is_not_checked_against_itself():
    source = {"customer_id": ["a"], "time": ["2024-05-01"], "quantity": [2], "unit_price": [3]}
    report = records.quality({"sales": records.read(source, records.TRANSACTIONS)})
    assert "differs from quantity x unit_price" not in set(report["check"])


def test_timeliness_gives_the_newest_event_and_the_lag_of_recording(tables):
    report = records.quality(tables, as_of="2024-05-08")
    assert pick(report, table="sales", check="newest event")["value"] == pd.Timestamp("2024-05-04", tz="UTC")
    assert pick(report, table="sales", check="days since newest event")["value"] == 4.0
    lag = pick(report, table="calls", check="hours of lag, median")
    assert (lag["n"], lag["value"]) == (3, 2.0)
    assert pick(report, table="calls", check="recorded before it happened")["count"] == 1


def test_without_a_moment_ages_go_from_the_newest_event_of_all(tables):
    report = records.quality(tables)
    assert pick(report, table="calls", check="days since newest event")["value"] == 0.0
    assert pick(report, table="sales", check="days since newest event")["value"] == 2.5


def test_events_after_the_moment_are_counted(tables):
    report = records.quality(tables, as_of=pd.Timestamp("2024-05-05 12:00", tz="Asia/Shanghai"))
    assert pick(report, table="calls", check="after the moment of measuring")["count"] == 2


def test_silent_days_are_counted_per_channel(tables):
    report = records.quality(tables)
    row = pick(report, table="calls", check="silent days of phone")
    assert (row["n"], row["count"]) == (5, 3)
    assert pick(report, table="calls", check="longest silence of phone, days")["value"] == 3
    assert pick(report, table="calls", check="silent days of chat")["count"] == 0
    row = pick(report, table="sales", check="silent days")
    assert (row["n"], row["count"]) == (4, 2)


def test_shares_have_wilson_intervals_and_values_have_none(tables):
    report = records.quality(tables, level=0.9)
    row = pick(report, table="sales", check="cell filled", column="customer_id")
    expected = binomtest(4, 5).proportion_ci(0.9, method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert report.loc[report["check"] == "newest event", ["share", "low", "high"]].isna().all().all()


def test_a_bare_frame_is_measured_without_a_schema():
    report = records.quality({"stock": pd.DataFrame({"sku": ["a", None], "tags": [["x"], ["x"]]})})
    assert report["dimension"].unique().tolist() == ["completeness", "uniqueness"]
    assert pick(report, column="sku")["count"] == 1


def test_tables_without_events_have_no_timeliness():
    nothing = {"item_id": ["x"], "rating": [3], "customer_id": ["a"], "time": [None]}
    report = records.quality({"ratings": records.read(nothing, records.RATINGS)})
    assert "timeliness" not in set(report["dimension"])
    bare = pd.DataFrame({"customer_id": ["a"], "time": pd.to_datetime(["2024-05-01"], utc=True)})
    assert "silent days" not in set(records.quality({"t": bare})["check"])
    assert "silent days" not in set(records.quality({"t": bare.assign(day=pd.array([None], dtype="Int64"))})["check"])


def test_a_customer_table_may_carry_its_id_as_index():
    frame = pd.DataFrame({"city": ["x"]}, index=pd.Index(["a"], name="customer_id"))
    assert pick(records.quality({"customers": frame}), column="customer_id", check="cell filled")["count"] == 1


def test_a_channel_with_times_but_no_days_is_left_out():
    frame = pd.DataFrame(
        {
            "channel": ["web", "shop"],
            "day": pd.array([19844, None], dtype="Int64"),
            "time": pd.to_datetime(["2024-05-01", None], utc=True),
        }
    )
    report = records.quality({"t": frame})
    assert [check for check in report["check"] if check.startswith("silent")] == ["silent days of web"]


def test_a_frame_named_as_a_schema_is_checked_against_it():
    report = records.quality({"CUSTOMERS": {"customer_id": ["a", "a"]}, "x": {"customer_id": ["a", "b"]}})
    assert pick(report, table="CUSTOMERS", dimension="uniqueness")["count"] == 1
    assert pick(report, table="x", dimension="consistency")["count"] == 1


def test_an_empty_table_has_counts_of_zero_and_no_share():
    empty = records.read({"customer_id": [], "time": [], "amount": []}, records.TRANSACTIONS)
    report = records.quality({"sales": empty})
    assert (report["n"] == 0).all()
    assert report["share"].isna().all()
    assert report["low"].isna().all()


def test_no_cell_of_personal_data_is_shown():
    people = records.read({"customer_id": ["a"], "phone": ["13800138000"], "name": ["王磊"]}, records.CUSTOMERS)
    shown = records.quality({"customers": people}).to_string()
    assert "13800138000" not in shown
    assert "王磊" not in shown
