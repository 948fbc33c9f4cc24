"""Ids come out as they were meant, whatever a table made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.recommendation._ids import as_ids
from crmkit.testing.tables import interactions


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, 2.0]),
        [1.0, 2.0],
        np.array([1.0, 2.0]),
        pd.array([1, 2], dtype="Int64"),
        pd.array([1, 2], dtype="Float64"),
        pd.array([1, 2], dtype="UInt8"),
    ],
)
def test_whole_numbers_of_any_dtype_are_whole_numbers(column):
    ids, missing = as_ids(column)
    assert ids.dtype == np.int64
    assert ids.tolist() == [1, 2]
    assert not missing.any()


def test_reading_ids_leaves_the_column_as_it_was():
    column = pd.Series([1.0, np.nan, 3.0])
    ids, missing = as_ids(column)
    assert ids.tolist() == [1, 0, 3]
    assert missing.tolist() == [False, True, False]
    assert column.isna().tolist() == [False, True, False]


def test_a_table_with_ids_as_decimals_is_read_and_asked_like_any_other():
    events = interactions(30, 12, seed=1)
    numbers = events.assign(**{name: events[name].str[1:].astype(float) for name in ("customer_id", "item_id")})
    model = crmkit.create("recommender", "item-knn").fit(numbers)
    lists = model.recommend([1.0, 2.0], 2)
    assert lists["customer_id"].tolist() == [1, 1, 2, 2]
    assert set(lists["item_id"]) <= set(range(12))


def test_an_empty_table_of_eligible_pairs_leaves_nothing_to_give():
    model = crmkit.create("recommender", "popularity").fit(interactions(30, 12, seed=1))
    nothing = pd.DataFrame({"customer_id": [], "item_id": []})
    assert model.recommend(["c1"], 3, eligible=nothing).empty
    assert len(model.recommend(["c1"], 3, forbidden=nothing)) == 3


def test_empty_shelves_leave_nothing_to_give():
    model = crmkit.create("recommender", "popularity").fit(interactions(30, 12, seed=1))
    assert model.recommend(["c1"], 3, stock={}).empty
    assert model.recommend(["c1"], 3, stock=[]).empty
