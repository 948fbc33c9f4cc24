from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.preparation import orders


def lines(rows):
    """Make order lines from (customer, product, day, quantity, price)."""
    table = pd.DataFrame(rows, columns=["customer_id", "product_id", "day", "quantity", "unit_price"])
    names = [f"{'C' if quantity < 0 else ''}{number}" for number, quantity in enumerate(table["quantity"])]
    return table.assign(order_id=names)


def pairs(found):
    """Give (cancellation, order, quantity) of every match."""
    columns = found.matches[["cancellation_line", "order_line", "quantity"]]
    return [tuple(row) for row in columns.to_numpy().tolist()]


def test_a_cancellation_takes_the_latest_earlier_order_of_its_kind():
    found = orders(lines([("a", "p", 0, 2, 5.0), ("a", "p", 3, 2, 5.0), ("a", "p", 8, 2, 5.0), ("a", "p", 5, -2, 5.0)]))
    assert pairs(found) == [(3, 1, 2.0)]
    assert found.matches.loc[0, "days_between"] == 2
    assert found.matches.loc[0, "amount"] == 10.0
    assert found.unmatched.empty


def test_two_cancellations_never_take_one_order_twice():
    rows = [("a", "p", 0, 2, 5.0), ("a", "p", 3, 2, 5.0), ("a", "p", 5, -2, 5.0), ("a", "p", 6, -2, 5.0)]
    assert pairs(orders(lines([*rows, ("a", "p", 7, -2, 5.0)]))) == [(2, 1, 2.0), (3, 0, 2.0)]


@pytest.mark.parametrize(
    "cancelled",
    [("b", "p", 5, -2, 5.0), ("a", "q", 5, -2, 5.0), ("a", "p", 5, -2, 4.0), ("a", "p", -1, -2, 5.0)],
    ids=["customer", "product", "price", "earlier"],
)
def test_another_customer_product_price_or_an_earlier_day_is_no_match(cancelled):
    found = orders(lines([("a", "p", 0, 2, 5.0), cancelled]))
    assert found.matches.empty
    assert found.unmatched[["line", "quantity"]].to_numpy().tolist() == [[1, 2.0]]


def test_an_order_of_the_same_quantity_comes_before_a_later_one_of_another():
    found = orders(lines([("a", "p", 0, 12, 1.0), ("a", "p", 2, 3, 1.0), ("a", "p", 5, -12, 1.0)]))
    assert pairs(found) == [(2, 0, 12.0)]
    assert found.matches["exact"].all()


def test_a_part_is_taken_from_the_latest_and_what_is_left_stays_listed():
    found = orders(lines([("a", "p", 0, 4, 1.0), ("a", "p", 2, 3, 1.0), ("a", "p", 5, -9, 1.0)]))
    assert pairs(found) == [(2, 0, 4.0), (2, 1, 3.0)]
    assert not found.matches["exact"].any()
    assert found.unmatched.loc[0, ["order_id", "quantity", "amount"]].tolist() == ["C2", 2.0, 2.0]
    assert found.table.set_index("order_id")["unmatched"].to_dict() == {"0": 0.0, "1": 0.0, "C2": 2.0}


def test_lines_of_one_instant_were_bought_before_they_were_cancelled():
    assert pairs(orders(lines([("a", "p", 0, -2, 5.0), ("a", "p", 0, 2, 5.0)]))) == [(0, 1, 2.0)]


def test_the_time_decides_within_a_day():
    table = lines([("a", "p", 0, -2, 5.0), ("a", "p", 0, 2, 5.0)])
    table["time"] = pd.to_datetime(["1970-01-01T08:00", "1970-01-01T09:00"])
    assert orders(table).matches.empty
    assert "time" in orders(table).table.columns


def test_lines_are_added_up_to_orders_of_one_customer():
    table = lines([("b", "p", 0, 2, 5.0), ("b", "q", 1, 1, 3.0), ("a", "p", 9, -1, 5.0), ("b", "p", 4, -1, 5.0)])
    table["order_id"] = ["1", "1", "C2", "C2"]
    result = orders(table).table
    assert result[["order_id", "customer_id", "day", "lines", "quantity", "amount"]].to_numpy().tolist() == [
        ["C2", "a", 9, 1, -1.0, -5.0],
        ["1", "b", 0, 2, 3.0, 13.0],
        ["C2", "b", 4, 1, -1.0, -5.0],
    ]
    assert result["cancelled"].tolist() == [0.0, 5.0, 0.0]
    assert result["is_cancellation"].tolist() == [True, False, True]


def test_products_in_another_column_and_products_unknown():
    table = lines([("a", "p", 0, 2, 5.0), ("a", "p", 3, -2, 5.0)]).rename(columns={"product_id": "StockCode"})
    assert len(orders(table, product="StockCode").matches) == 1
    table["StockCode"] = [None, None]
    assert orders(table, product="StockCode").matches.empty
    assert len(orders(table).matches) == 1, "without a product column price and quantity decide"
    with pytest.raises(DataError, match="no column 'sku'"):
        orders(table, product="sku")


def test_without_quantities_a_line_is_one_unit_of_its_amount():
    table = pd.DataFrame({"customer_id": "a", "order_id": ["1", "2"], "day": [0, 1], "amount": [9.5, -9.5]})
    found = orders(table)
    assert found.matches["amount"].tolist() == [9.5]
    assert "quantity" not in found.table.columns


def test_without_prices_the_amount_of_a_unit_decides():
    table = lines([("a", "p", 0, 4, 5.0), ("a", "p", 3, -1, 5.0)]).assign(amount=[20.0, -5.0])
    assert pairs(orders(table.drop(columns="unit_price"))) == [(1, 0, 1.0)]


def test_quantities_by_weight_are_matched():
    found = orders(lines([("a", "p", 0, 0.75, 8.0), ("a", "p", 3, -0.25, 8.0)]))
    assert found.matches["amount"].tolist() == [2.0]


def test_an_order_without_an_id_is_named_by_row():
    table = lines([("a", "p", 0, 1, 5.0), ("a", "p", 3, 1, 5.0)]).assign(order_id=["1", None])
    with pytest.raises(DataError, match="order_id is missing in row 1"):
        orders(table)
    with pytest.raises(DataError, match="no column 'order_id'"):
        orders(table.drop(columns="order_id"))


def test_it_prints_what_people_ask_first():
    found = orders(lines([("a", "p", 0, 1, 5.0), ("a", "p", 3, -1, 5.0), ("a", "p", 4, -1, 5.0)]))
    assert "cancelled lines matched: 1" in repr(found)
    assert '<td>cancelled orders</td><td class="number">2</td>' in found._repr_html_()


def by_hand(rows):
    """Match with plain loops: exact quantities first, then units from the latest order downwards."""
    order = sorted(range(len(rows)), key=lambda row: (rows[row][2], rows[row][3] < 0, row))
    left = [row[3] for row in rows]
    found = {}
    for exact in (True, False):
        piles = {}
        for row in order:
            who, product, _, quantity, price = rows[row]
            if left[row] == 0 or (not exact and left[row] != quantity):
                continue
            kind = (who, product, price, abs(quantity) if exact else None)
            pile = piles.setdefault(kind, [])
            if quantity > 0:
                pile.append(row)
                continue
            while pile and left[row] < 0:
                units = min(left[pile[-1]], -left[row])
                found[row, pile[-1]] = units
                left[row] += units
                left[pile[-1]] -= units
                if left[pile[-1]] == 0:
                    pile.pop()
    return sorted((*pair, float(units)) for pair, units in found.items())


row = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from("pq"),
    st.integers(0, 6),
    st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 5]),
    st.sampled_from([1.0, 2.5]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(row, min_size=1, max_size=40))
def test_the_arrays_do_what_plain_loops_do(rows):
    found = orders(lines(rows))
    assert pairs(found) == by_hand(rows)
    cancelled = -sum(quantity for *_, quantity, _ in rows if quantity < 0)
    assert found.matches["quantity"].sum() + found.unmatched["quantity"].sum() == cancelled


def test_every_cancelled_pound_of_online_retail_is_matched_or_listed(online_retail):
    begin = time.process_time()
    found = orders(online_retail)
    spent = time.process_time() - begin
    back = -online_retail.loc[online_retail["amount"] < 0, "amount"].sum()
    assert found.matches["amount"].sum() + found.unmatched["amount"].sum() == pytest.approx(back)
    assert found.table["amount"].sum() == pytest.approx(online_retail["amount"].sum())
    assert (found.matches["days_between"] >= 0).all()
    taken = np.bincount(found.matches["order_line"], found.matches["quantity"], minlength=len(online_retail))
    assert (taken <= np.maximum(online_retail["quantity"], 0) + 1e-9).all()
    assert spent < 4
