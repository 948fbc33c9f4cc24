from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import purchase_summary, rfm_table


def sales(rows, **columns):
    """Make transactions from (customer, day, amount)."""
    who, day, amount = zip(*rows, strict=True)
    return pd.DataFrame({"customer_id": list(who), "day": list(day), "amount": list(amount), **columns})


def test_cdnow_has_6696_customer_days_and_all_its_money(cdnow):
    # 6,919 rows become 6,696 customer-days (Fader and Hardie's sample); eight rows of zero spend are purchases.
    rfm = rfm_table(cdnow)
    assert len(cdnow) == 6919
    assert (cdnow["amount"] == 0).sum() == 8
    assert len(rfm) == 2357
    assert rfm["frequency"].sum() == 6696
    assert rfm["monetary"].sum() == pytest.approx(cdnow["amount"].sum())
    assert rfm["recency_days"].min() == 1


def test_purchases_of_one_day_are_one_purchase():
    rfm = rfm_table(sales([("a", 3, 5.0), ("a", 3, 7.0), ("a", 4, 1.0)]))
    assert rfm.loc["a"].tolist() == [1, 2, 13.0]


def test_a_refund_reduces_money_and_is_no_purchase():
    table = sales([("a", 0, 50.0), ("a", 5, -20.0)])
    net = rfm_table(table, cutoff=10)
    assert net.loc["a"].tolist() == [10, 1, 30.0]
    ignored = rfm_table(table, cutoff=10, refunds="ignore")
    assert ignored.loc["a"].tolist() == [10, 1, 50.0]


def test_what_is_bought_and_given_back_on_one_day_costs_nothing_but_was_a_purchase_unless_matched():
    table = sales(
        [("a", 0, 50.0), ("a", 4, 20.0), ("a", 4, -20.0)], product_id=["x", "y", "y"], order_id=["1", "2", "C3"]
    )
    assert rfm_table(table, cutoff=10).loc["a", ["frequency", "monetary"]].tolist() == [2, 50.0]
    assert rfm_table(table, cutoff=10, refunds="ignore").loc["a", "frequency"] == 2
    assert rfm_table(table, cutoff=10, refunds="match").loc["a", "frequency"] == 1


def test_a_purchase_larger_than_the_refund_of_its_day_counts():
    assert rfm_table(sales([("a", 0, 50.0), ("a", 4, 20.0), ("a", 4, -5.0)])).loc["a", "frequency"] == 2


def test_a_free_purchase_is_one_and_a_free_return_is_none():
    table = sales([("a", 0, 0.0), ("a", 1, 0.0), ("b", 0, 0.0)], quantity=[1, -1, 1], unit_price=0.0)
    assert rfm_table(table, cutoff=5)["frequency"].tolist() == [1, 1]


def test_matching_undoes_the_purchase_that_was_cancelled():
    table = sales(
        [("a", 0, 50.0), ("a", 4, 20.0), ("a", 9, -20.0)],
        quantity=[1, 2, -2],
        unit_price=[50.0, 10.0, 10.0],
        product_id=["p", "q", "q"],
    )
    assert rfm_table(table, cutoff=20).loc["a"].tolist() == [16, 2, 50.0]
    assert rfm_table(table, cutoff=20, refunds="match").loc["a"].tolist() == [20, 1, 50.0]


def test_matching_takes_a_part_off_the_very_purchase():
    table = sales(
        [("a", 0, 50.0), ("a", 4, 20.0), ("a", 6, 30.0), ("a", 9, -10.0)],
        quantity=[1, 2, 1, -1],
        unit_price=[50.0, 10.0, 30.0, 10.0],
    )
    net, match = (purchase_summary(table, cutoff=20, refunds=policy) for policy in ("net", "match"))
    assert net.loc["a", "repeat_spend"] == match.loc["a", "repeat_spend"] == 20.0
    early = table.assign(day=[0, 4, 6, 5])
    assert purchase_summary(early, cutoff=6, refunds="match").loc["a", "repeat_spend"] == 10.0


def test_matching_without_quantities_goes_by_the_amount():
    table = sales([("a", 0, 50.0), ("a", 4, 20.0), ("a", 9, -20.0), ("a", 11, -3.0)])
    assert rfm_table(table, cutoff=20, refunds="match").loc["a"].tolist() == [20, 1, 47.0]


def test_a_cancellation_after_the_cutoff_undoes_nothing_before_it():
    table = sales([("a", 0, 50.0), ("a", 4, 20.0), ("a", 9, -20.0)])
    assert rfm_table(table, cutoff=9, refunds="match").loc["a", "frequency"] == 2


@pytest.mark.parametrize("policy", ["net", "ignore", "match"])
def test_customers_without_a_purchase_that_stands_are_left_out_and_counted(policy):
    table = sales([("a", 0, 50.0), ("b", 1, -5.0), ("c", 8, 5.0)])
    with pytest.warns(DataWarning, match="1 of 2 customers have no purchase"):
        rfm = rfm_table(table, cutoff=5, refunds=policy)
    assert rfm.index.tolist() == ["a"]


def test_a_refund_before_the_first_purchase_counts_in_the_total_only():
    table = sales([("a", 0, -5.0), ("a", 3, 20.0), ("a", 5, 8.0)])
    assert rfm_table(table).loc["a", "monetary"] == 23.0
    assert purchase_summary(table).loc["a", ["repeats", "repeat_spend"]].tolist() == [1, 8.0]


def test_cutoff_none_is_the_day_after_the_last_line_so_that_late_refunds_count():
    table = sales([("a", 0, 50.0), ("b", 6, 2.0), ("a", 9, -10.0)])
    assert rfm_table(table).equals(rfm_table(table, cutoff=10))
    assert rfm_table(table).loc["a", "monetary"] == 40.0
    assert rfm_table(table, refunds="ignore").equals(rfm_table(table, cutoff=7, refunds="ignore"))


@pytest.mark.parametrize("cutoff", [20240120, -100_000])
def test_a_number_that_is_no_day_of_ours_is_refused(cutoff):
    with pytest.raises(DataError, match="write a date as text"):
        rfm_table(sales([("a", 0, 50.0)]), cutoff=cutoff)


def test_ids_of_several_types_are_one_customer_by_their_text():
    table = sales([("1", 0, 5.0), ("x", 1, 2.0), ("1", 2, 7.0)])
    table["customer_id"] = [1, "x", "1"]
    assert rfm_table(table)["monetary"].to_dict() == {"1": 12.0, "x": 2.0}


def test_an_empty_table_gives_an_empty_table():
    rfm = rfm_table(sales([("a", 0, 1.0)]).iloc[:0])
    assert rfm.empty
    assert rfm.index.name == "customer_id"
    with pytest.warns(DataWarning, match="no row is before the cutoff"):
        assert purchase_summary(sales([("a", 9, 1.0)]), cutoff=9).empty


@pytest.mark.parametrize(
    "ids",
    [
        [10, 9, 1, 100, 19, 0, 2, 10**17, 11, 999_999_999_999_999_999],
        [10, 9, -1, -10, 3],
        [10**18, 10**17, 5],
        ["b", "a", "ab", "B", "客户", "顾", "é", "z" * 3],
        ["x" * 100 + "b", "x" * 100 + "a", "y"],
    ],
)
def test_customers_stand_in_the_order_of_their_ids_as_text(ids):
    table = pd.DataFrame({"customer_id": ids, "day": range(len(ids)), "amount": 1.0})
    assert rfm_table(table).index.tolist() == sorted(map(str, ids))
    objects = table.assign(customer_id=pd.Series(ids, dtype=object))
    assert rfm_table(objects).index.tolist() == sorted(map(str, ids))


def test_ids_come_out_as_text_whatever_they_were():
    rows = [(13085.0, 0, 1.0), (2.0, 1, 1.0)]
    assert rfm_table(sales(rows)).index.tolist() == ["13085", "2"]
    assert rfm_table(sales([(7, 0, 1.0)])).index.tolist() == ["7"]
    category = sales([("乙", 0, 1.0), ("a", 0, 1.0)])
    category["customer_id"] = category["customer_id"].astype("category")
    assert rfm_table(category).index.tolist() == ["a", "乙"]


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", object])
def test_nullable_and_arrow_columns_give_the_same(dtype):
    pytest.importorskip("pyarrow")
    table = sales([("a", 0, 1.0), ("b", 1, 2.0), ("a", 5, 3.0)])
    other = table.astype({"customer_id": dtype, "day": "Int64", "amount": "Float64"})
    assert rfm_table(other).to_dict() == rfm_table(table).to_dict()


def test_tables_of_arrow_and_polars_give_the_same():
    arrow = pytest.importorskip("pyarrow")
    table = sales([("a", 0, 1.0), ("b", 1, 2.0), ("a", 5, -3.0)])
    table["time"] = pd.to_datetime(table["day"], unit="D", utc=True)
    expected = rfm_table(table, cutoff="1970-01-06T00:00Z", refunds="match")
    same = [table.convert_dtypes(dtype_backend="pyarrow"), arrow.Table.from_pandas(table)]
    for other in same:
        assert rfm_table(other, cutoff="1970-01-06T00:00Z", refunds="match").to_dict() == expected.to_dict()
    polars = pytest.importorskip("polars")
    assert rfm_table(polars.from_pandas(table), cutoff=5).to_dict() == rfm_table(table, cutoff=5).to_dict()


def test_the_amount_is_quantity_times_price_where_it_is_absent():
    table = pd.DataFrame({"customer_id": ["a"], "day": [0], "quantity": [3], "unit_price": [2.5]})
    assert rfm_table(table).loc["a", "monetary"] == 7.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": [1.0, np.nan]}, "amount is missing or infinite in row 1"),
        ({"amount": [np.inf, 1.0]}, "amount is missing or infinite in row 0"),
        ({"amount": ["1", "2"]}, "amount must hold numbers"),
        ({"customer_id": ["a", None]}, "customer_id is missing in row 1"),
        ({"currency": ["GBP", "EUR"]}, "2 currencies"),
    ],
)
def test_what_cannot_be_used_is_named_by_column_and_row(change, message):
    with pytest.raises(DataError, match=message):
        rfm_table(sales([("a", 0, 1.0), ("b", 1, 2.0)]).assign(**change))


def test_messages_hold_no_ids():
    table = sales([("secret-id", 0, np.nan)])
    with pytest.raises(DataError) as caught:
        rfm_table(table)
    assert "secret" not in str(caught.value)


def test_missing_columns_and_unknown_policies_are_told():
    with pytest.raises(DataError, match="customer_id"):
        rfm_table(pd.DataFrame({"day": [0]}))
    with pytest.raises(DataError, match=r"no column 'amount'.*records.read"):
        rfm_table(pd.DataFrame({"customer_id": ["a"], "day": [0]}))
    with pytest.raises(DataError, match="refunds must be one of"):
        rfm_table(sales([("a", 0, 1.0)]), refunds="subtract")


events = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.sampled_from([5.0, 10.0, 0.0, -5.0, -10.0])),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(events)
def test_net_is_what_a_plain_loop_gives(rows):
    expected = {}
    for who in sorted({row[0] for row in rows}):
        days = {}
        for _, day, amount in (row for row in rows if row[0] == who):
            days.setdefault(day, []).append(amount)
        bought = [day for day, lines in days.items() if any(line >= 0 for line in lines)]
        if bought:
            expected[who] = (13 - max(bought), len(bought), sum(map(sum, days.values())))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        rfm = rfm_table(sales(rows), cutoff=13)
    assert {who: tuple(row) for who, row in zip(rfm.index, rfm.to_numpy().tolist(), strict=True)} == expected


@settings(deadline=None)
@given(events, st.sampled_from(["net", "ignore", "match"]))
def test_rfm_and_summary_have_the_same_customers_and_agree(rows, policy):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        rfm = rfm_table(sales(rows), cutoff=13, refunds=policy)
        summary = purchase_summary(sales(rows), cutoff=13, unit="day", refunds=policy)
    assert rfm.index.equals(summary.index)
    assert (rfm["frequency"] - 1).tolist() == summary["repeats"].tolist()
    recency = summary["age_days"] - summary["last_purchase_days"] + 1
    assert rfm["recency_days"].tolist() == recency.tolist()
    assert not set(rfm.columns) & set(summary.columns)


def test_online_retail_takes_well_under_a_second(online_retail):
    begin = time.process_time()
    with pytest.warns(DataWarning, match="69 of 4,383 customers"):
        rfm = rfm_table(online_retail, cutoff="2010-12-10", refunds="net")
    spent = time.process_time() - begin
    assert len(rfm) == 4314
    assert spent < 2
    # What was paid less what was given back, of those who stay in the table.
    kept = online_retail[online_retail["customer_id"].isin(rfm.index)]
    assert rfm["monetary"].sum() == pytest.approx(kept["amount"].sum())
