from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, DataWarning, value
from crmkit.value.relationship._loyalty import LOYALTY_HALVES, LOYALTY_WEIGHTS

PARTS = ["repeat", "recency", "regularity", "tenure", "breadth"]


@pytest.fixture
def sales():
    random = np.random.default_rng(0)
    who = np.floor(30 * random.random(400) ** 2).astype(int)
    return pd.DataFrame(
        {
            "customer_id": who.astype(str),
            "day": random.integers(0, 365, 400),
            "amount": random.gamma(2, 10, 400),
            "product_id": random.integers(0, 12, 400).astype(str),
        }
    )


def test_every_part_is_worked_out_by_hand():
    table = pd.DataFrame(
        {"customer_id": [*"aaaab"], "day": [0, 10, 30, 60, 85], "amount": 5.0, "product_id": [*"xyxzx"]}
    )
    got = value.loyalty(table, cutoff=100).loc["a"]
    gaps = np.array([10, 20, 30])
    variation = gaps.var(ddof=1) / gaps.mean() ** 2
    expected = {
        "repeat": 3 / (3 + 3),
        "recency": 0.5 ** (40 / 90),
        "regularity": 2 / (2 + 2) / (1 + variation),
        "tenure": 100 / 465,
        "breadth": 2 / 7,
    }
    assert got[PARTS].to_dict() == pytest.approx(expected)
    assert got["loyalty"] == pytest.approx(sum(LOYALTY_WEIGHTS[part] * expected[part] for part in PARTS))


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_a_half_at_its_declared_amount(part):
    # 4 purchases 90 days apart, the last one 90 days ago, of 6 products, by someone who came 365 days ago.
    days, products = [0, 92, 183, 275, 275, 275], ["p1", "p2", "p3", "p4", "p5", "p6"]
    table = pd.DataFrame({"customer_id": "a", "day": days, "amount": 1.0, "product_id": products})
    got = value.loyalty(table, cutoff=365, weights={part: 1})
    assert got[part].iloc[0] == pytest.approx(0.5, abs=0.001)
    assert got.columns.tolist() == ["loyalty", part]


def test_it_does_not_depend_on_who_else_is_in_the_table(sales):
    everyone = value.loyalty(sales, cutoff=365)
    for customer in ["0", "7"]:
        alone = value.loyalty(sales[sales["customer_id"] == customer], cutoff=365)
        pd.testing.assert_frame_equal(alone, everyone.loc[[customer]])


def test_all_parts_and_the_index_lie_between_0_and_1(sales):
    got = value.loyalty(sales, cutoff=365)
    assert got.columns.tolist() == ["loyalty", *PARTS]
    assert ((got >= 0) & (got <= 1)).all().all()
    assert got.index.name == "customer_id"
    assert got.index.is_monotonic_increasing


def test_rows_from_the_cutoff_on_change_nothing(sales):
    before = sales[sales["day"] < 200]
    pd.testing.assert_frame_equal(value.loyalty(sales, cutoff=200), value.loyalty(before, cutoff=200))


def test_a_one_time_buyer_has_neither_repeats_nor_regularity_nor_breadth():
    got = value.loyalty(pd.DataFrame({"customer_id": ["a"], "day": [0], "amount": 1.0, "product_id": "p"}), cutoff=10)
    assert got[["repeat", "regularity", "breadth"]].to_numpy().tolist() == [[0, 0, 0]]
    assert got["loyalty"].iloc[0] > 0


def test_a_clock_is_more_regular_than_bursts():
    clock = pd.DataFrame({"customer_id": "clock", "day": np.arange(0, 100, 10), "amount": 1.0})
    bursts = pd.DataFrame({"customer_id": "bursts", "day": [0, 1, 2, 3, 4, 86, 87, 88, 89, 90], "amount": 1.0})
    got = value.loyalty(pd.concat([clock, bursts]), cutoff=100, weights={"regularity": 1})["regularity"]
    assert got["clock"] == pytest.approx(8 / 10)
    assert got["bursts"] < got["clock"] / 4


def test_without_products_breadth_is_left_out_and_the_weights_shared_out_anew(sales):
    with pytest.warns(
        DataWarning, match=r"breadth is left out, and the weights are repeat 0\.353, recency 0\.294"
    ) as told:
        got = value.loyalty(sales.drop(columns="product_id"), cutoff=365)
    assert told[0].filename == __file__
    assert got.columns.tolist() == ["loyalty", *PARTS[:4]]
    expected = value.loyalty(sales, cutoff=365, weights={part: LOYALTY_WEIGHTS[part] for part in PARTS[:4]})
    pd.testing.assert_frame_equal(got, expected)


def test_breadth_alone_without_products_is_refused(sales):
    with pytest.raises(DataError, match="breadth alone counts"):
        value.loyalty(sales[["customer_id", "day", "amount"]], weights={"breadth": 1})


def test_breadth_counts_another_column_where_asked(sales):
    shops = sales.assign(shop=np.where(sales["day"] % 2, "north", "south"))
    got = value.loyalty(shops, weights={"breadth": 1}, breadth_by="shop")
    assert set(got["breadth"].round(3)) <= {0.0, round(1 / 6, 3)}
    with pytest.raises(DataError, match="no column 'branch'"):
        value.loyalty(shops, breadth_by="branch")


def test_refunds_and_missing_products_add_no_breadth_and_no_purchase():
    table = pd.DataFrame(
        {"customer_id": "a", "day": [0, 5, 6], "amount": [5.0, -5.0, 3.0], "product_id": ["x", "y", None]}
    )
    got = value.loyalty(table, cutoff=10)
    assert got["breadth"].tolist() == [0]
    assert got["repeat"].tolist() == [1 / 4]


def test_customers_with_refunds_only_are_left_out_and_counted():
    table = pd.DataFrame({"customer_id": [*"ab"], "day": [0, 5], "amount": [5.0, -5.0], "product_id": "x"})
    with pytest.warns(DataWarning, match="1 of 2 customers have no purchase"):
        assert value.loyalty(table, cutoff=10).index.tolist() == ["a"]


def test_an_empty_table_gives_an_empty_table():
    empty = pd.DataFrame({"customer_id": pd.Series(dtype=str), "day": pd.Series(dtype="int64"), "amount": []})
    with pytest.warns(DataWarning, match="breadth"):
        got = value.loyalty(empty)
    assert got.shape == (0, 5)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"weights": {"love": 1}}, "weights are for repeat, recency, regularity, tenure, breadth, got love"),
        ({"weights": {"repeat": -1}}, "repeat is not"),
        ({"weights": {"repeat": float("inf")}}, "repeat is not"),
        ({"weights": {"repeat": "much"}}, "repeat is not"),
        ({"weights": {"repeat": None}}, "repeat is not"),
        ({"weights": {"repeat": 0}}, "weights are all 0"),
        ({"weights": [1, 2]}, "weights must map parts to numbers, got list"),
        ({"halves": {"love": 1}}, "halves are for"),
        ({"halves": {"tenure": 0}}, "halves must be finite numbers above 0; tenure is not"),
        ({"halves": {"recency": None}}, "halves must be finite numbers above 0; recency is not"),
        ({"halves": 3}, "halves must map parts to amounts, got int"),
    ],
)
def test_weights_and_scales_that_cannot_be_are_refused(sales, options, match):
    with pytest.raises(DataError, match=match):
        value.loyalty(sales, **options)


def test_weights_need_not_sum_to_one(sales):
    tenfold = {part: 10 * weight for part, weight in LOYALTY_WEIGHTS.items()}
    pd.testing.assert_frame_equal(value.loyalty(sales, weights=tenfold), value.loyalty(sales))


def test_the_declared_scales_are_those_of_the_documentation():
    assert dict(LOYALTY_HALVES) == {"repeat": 3, "recency": 90, "regularity": 2, "tenure": 365, "breadth": 5}
    assert sum(LOYALTY_WEIGHTS.values()) == pytest.approx(1)


def test_a_million_rows_take_seconds():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "customer_id": random.integers(0, 200_000, 1_000_000),
            "day": random.integers(0, 730, 1_000_000),
            "amount": 1.0,
            "product_id": random.integers(0, 3_000, 1_000_000),
        }
    )
    begin = time.process_time()
    assert len(value.loyalty(table)) > 190_000
    assert time.process_time() - begin < 8
