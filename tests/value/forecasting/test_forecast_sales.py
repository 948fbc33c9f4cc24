from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import DataError
from crmkit.value.forecasting._sales import sales_table


def as_day(date):
    return int(np.datetime64(date, "D").astype(np.int64))


def table(rows, columns=("customer_id", "day", "amount")):
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["day"] = [as_day(day) for day in frame["day"]]
    return frame


def sales(frame, **options):
    asked = {"by": [], "period": "month", "measure": "amount", "begin": None, "cutoff": None, "refunds": "net"}
    return sales_table(frame, **{**asked, **options})


THREE_MONTHS = [
    ("a", "2024-01-01", 10.0),
    ("b", "2024-01-31", 5.0),
    ("a", "2024-03-31", 7.0),
]


def test_amounts_are_added_up_by_month_and_an_empty_month_is_0():
    found = sales(table(THREE_MONTHS))
    assert found.values.tolist() == [[15.0, 0.0, 7.0]]
    assert found.starts().tolist() == [as_day("2024-01-01"), as_day("2024-02-01"), as_day("2024-03-01")]
    assert found.notes == ()


def test_periods_that_are_not_complete_are_left_out_and_said():
    rows = [("a", "2023-12-05", 99.0), *THREE_MONTHS, ("a", "2024-04-29", 99.0)]
    found = sales(table(rows))
    assert found.values.tolist() == [[15.0, 0.0, 7.0]]
    assert found.notes[0].startswith("the first month is not complete and left out: sales begin on 2023-12-05")
    assert found.notes[1].startswith("the last month is not complete and left out: the table ends on 2024-04-29")


def test_begin_and_cutoff_say_how_far_the_table_reaches():
    rows = [("a", "2023-12-05", 99.0), *THREE_MONTHS, ("a", "2024-04-29", 3.0)]
    found = sales(table(rows), begin="2023-12-01", cutoff="2024-05-01")
    assert found.values.tolist() == [[99.0, 15.0, 0.0, 7.0, 3.0]]
    assert found.notes == ()
    earlier = sales(table(rows), cutoff="2024-03-01")
    assert earlier.values.tolist() == [[15.0, 0.0]]


def test_a_cutoff_within_a_day_leaves_that_day_incomplete():
    frame = table(THREE_MONTHS)
    frame["time"] = pd.to_datetime(frame["day"], unit="D", utc=True)
    assert sales(frame, cutoff="2024-02-29T12:00+00:00").values.tolist() == [[15.0]]
    assert sales(frame, cutoff="2024-03-01T00:00+00:00").values.tolist() == [[15.0, 0.0]]


def test_a_purchase_before_eight_in_shanghai_belongs_to_that_day():
    rows = {"customer_id": ["a", "a", "a"], "time": ["2024-01-01 07:30", "2024-02-01 07:30", "2024-02-29 23:00"]}
    loaded = records.read({**rows, "amount": [1.0, 2.0, 4.0]}, records.TRANSACTIONS, timezone="Asia/Shanghai")
    assert sales(loaded.table).values.tolist() == [[1.0, 6.0]]


def test_groups_are_the_combinations_of_columns_and_a_missing_value_is_one():
    frame = table(THREE_MONTHS)
    frame["地区"] = ["华东", None, "华北"]
    found = sales(frame, by=["地区"])
    named = dict(zip(found.groups["地区"].fillna("?"), found.values.tolist(), strict=True))
    assert named == {"华东": [10.0, 0.0, 0.0], "华北": [0.0, 0.0, 7.0], "?": [5.0, 0.0, 0.0]}
    assert found.first.tolist() == [0 if name != "华北" else 2 for name in found.groups["地区"].fillna("?")]


def test_groups_of_several_columns_and_of_categories_are_those_that_occur():
    frame = table(THREE_MONTHS)
    frame["region"] = pd.Categorical(["n", "n", "s"], categories=["n", "s", "unused"])
    frame["shop"] = [1, 2, 1]
    found = sales(frame, by=["region", "shop"])
    assert found.groups.to_numpy().tolist() == [["n", 1], ["n", 2], ["s", 1]]
    assert found.values.sum(axis=1).tolist() == [10.0, 5.0, 7.0]


def test_names_of_different_types_are_different_groups():
    frame = table(THREE_MONTHS)
    frame["shop"] = [1, "1", "x"]
    assert sorted(sales(frame, by=["shop"]).values.sum(axis=1).tolist()) == [5.0, 7.0, 10.0]


REFUND = [("a", "2024-01-01", 10.0), ("b", "2024-01-31", 5.0), ("a", "2024-02-05", -10.0), ("b", "2024-02-29", 4.0)]


@pytest.mark.parametrize(
    ("refunds", "expected"), [("net", [15.0, -6.0]), ("ignore", [15.0, 4.0]), ("match", [5.0, 4.0])]
)
def test_refunds_follow_the_policy(refunds, expected):
    assert sales(table(REFUND), refunds=refunds).values.tolist() == [expected]


@pytest.mark.parametrize(("refunds", "expected"), [("net", [2.0, 1.0]), ("match", [1.0, 1.0])])
def test_a_refund_is_no_purchase_and_a_purchase_wholly_undone_is_none_either(refunds, expected):
    assert sales(table(REFUND), measure="purchases", refunds=refunds).values.tolist() == [expected]


def test_purchases_of_one_customer_on_one_day_are_one():
    rows = [("a", "2024-01-01", 1.0), ("a", "2024-01-01", 2.0), ("b", "2024-01-01", 3.0), ("a", "2024-01-31", 1.0)]
    assert sales(table(rows), measure="purchases").values.tolist() == [[3.0]]
    assert sales(table(rows), measure="customers").values.tolist() == [[2.0]]


def test_what_counts_in_two_groups_is_said():
    rows = [("a", "2024-01-01", 1.0, "x"), ("a", "2024-01-01", 2.0, "y"), ("b", "2024-01-31", 3.0, "x")]
    frame = table(rows, ("customer_id", "day", "amount", "kind"))
    found = sales(frame, by=["kind"], measure="purchases")
    assert found.values.tolist() == [[2.0], [1.0]]
    assert found.notes == (
        "1 of 3 purchases count in more than one group: the total is the sum of the groups, so that it adds up",
    )


def test_what_cancels_out_but_for_rounding_is_0():
    rows = [("a", "2024-01-01", 0.1), ("a", "2024-01-02", 0.2), ("a", "2024-01-31", -0.3)]
    assert sales(table(rows)).values.tolist() == [[0.0]]


def test_nothing_is_lost_between_rows_and_table():
    rng = np.random.default_rng(0)
    n = 2_000
    frame = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 50, n).astype(str),
            "day": np.concatenate([[as_day("2023-01-02")], rng.integers(19_360, 19_723, n - 1)]),
            "amount": rng.normal(5, 10, n),
            "shop": rng.integers(0, 7, n),
        }
    )
    for period in ("day", "week", "month", "quarter", "year"):
        found = sales(frame, by=["shop"], period=period, begin="2023-01-01", cutoff="2024-01-01")
        inside = frame
        if period == "week":
            inside = frame[(frame["day"] >= as_day("2023-01-02")) & (frame["day"] < as_day("2024-01-01"))]
        assert found.values.sum() == pytest.approx(inside["amount"].sum())
        assert found.values.sum(axis=1) == pytest.approx(inside.groupby("shop")["amount"].sum().to_numpy())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"measure": "profit"}, "measure must be one of 'amount', 'purchases', 'customers', got 'profit'"),
        ({"refunds": "maybe"}, "refunds must be one of"),
        ({"by": ["shopp"]}, "no column 'shopp'"),
        ({"period": "year"}, "no year with sales is complete"),
        ({"cutoff": "2020-01-01"}, "no month with sales is complete"),
    ],
)
def test_what_cannot_be_added_up_is_refused(options, match):
    with pytest.raises(DataError, match=match):
        sales(table(THREE_MONTHS), **options)


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match="transactions is empty"):
        sales(table(THREE_MONTHS).iloc[:0])
