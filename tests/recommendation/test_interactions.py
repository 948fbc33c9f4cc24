"""Events become one matrix: ids, kinds, refunds, days and what cannot be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.recommendation._ids import Ids, as_ids, number_ids
from crmkit.recommendation._interactions import read_events, read_interactions


def matrix_of(table, *, event_weights=None, cutoff=None, **params):
    learned = read_interactions(read_events(pd.DataFrame(table), event_weights=event_weights, cutoff=cutoff), **params)
    return pd.DataFrame(learned.matrix.toarray(), learned.customers.values, learned.items.values)


def test_text_ids_are_found_by_number_and_numbers_by_text():
    texts, numbers = Ids(np.array(["07", "7", "a"], dtype=object)), Ids(np.array([7, 12]))
    assert texts.numbers_of(as_ids([7, 8])[0]).tolist() == [1, -1]
    assert numbers.numbers_of(as_ids(["12", "07", "x", " 7", "7"])[0]).tolist() == [1, -1, -1, -1, 0]
    assert as_ids([13085.0, None])[0].tolist() == [13085, 0]


@pytest.mark.parametrize(
    ("column", "numbers", "distinct"),
    [
        (["b", None, "a", "b"], [1, -1, 0, 1], ["a", "b"]),
        ([30, 4, 4], [1, 0, 0], [4, 30]),
        ([13085.0, np.nan], [0, -1], [13085]),
        (["李", "", "李"], [0, -1, 0], ["李"]),
        ([1, "1", "x"], [0, 0, 1], ["1", "x"]),
        (pd.Categorical(["b", "a", None], categories=["c", "b", "a"]), [1, 0, -1], ["a", "b"]),
        ([True, False], [1, 0], ["False", "True"]),
        ([1.5, 2.0], [0, 1], ["1.5", "2.0"]),
    ],
    ids=["text", "numbers", "floats", "Chinese", "mixed", "categories", "bool", "fractions"],
)
def test_ids_are_numbered_in_order(column, numbers, distinct):
    got, ids = number_ids(pd.Series(column))
    assert got.tolist() == numbers
    assert ids.values.tolist() == distinct


def test_one_id_in_place_of_many_is_refused():
    with pytest.raises(TypeError, match="put it in a list"):
        as_ids("a")


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_and_ids_of_other_libraries_are_read(library):
    module = pytest.importorskip(library)
    columns = {"customer_id": ["a", "a", "b"], "item_id": ["x", "y", "x"]}
    table = module.DataFrame(columns) if library == "polars" else module.table(columns)
    asked = module.Series(["b"]) if library == "polars" else module.chunked_array([["b"]])
    lists = crmkit.create("recommender", "item-knn").fit(table).recommend(asked, 1)
    assert lists[["customer_id", "item_id"]].to_numpy().tolist() == [["b", "y"]]


def test_product_id_stands_in_for_item_id():
    assert list(matrix_of({"customer_id": ["a"], "product_id": [5]}).columns) == [5]
    with pytest.raises(DataError, match="item_id, or in product_id"):
        matrix_of({"customer_id": ["a"], "thing": [5]})


def test_kinds_of_event_weigh_what_was_declared():
    table = {"customer_id": ["a", "a", "b"], "item_id": ["x", "x", "x"], "event": ["view", "purchase", "view"]}
    weights = {"view": 0.1, "purchase": 1.0}
    assert matrix_of(table, event_weights=weights).to_numpy().ravel() == pytest.approx([1.0, 0.1])
    assert matrix_of(table, event_weights=weights, values="count").to_numpy().ravel() == pytest.approx([1.1, 0.1])
    logs = matrix_of(table, event_weights=weights, values="log").to_numpy().ravel()
    assert logs == pytest.approx(np.log1p([1.1, 0.1]))


def test_only_purchases_are_had_where_there_are_purchases():
    table = {"customer_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "event": ["view", "purchase", "view"]}
    model = crmkit.create("recommender", "popularity", window_days=None, event_weights={"view": 0.1, "purchase": 1})
    assert model.fit(table).recommend(["a"])["item_id"].tolist() == ["x"]


def test_a_kind_without_a_weight_is_named():
    table = {"customer_id": ["a", "a"], "item_id": ["x", "y"], "event": ["view", "zoom"]}
    with pytest.raises(DataError, match="say nothing of 'zoom'; they name view"):
        matrix_of(table, event_weights={"view": 1})
    with pytest.raises(DataError, match=r"several kinds of event \(view, zoom\)"):
        matrix_of(table)
    with pytest.raises(DataError, match="event is missing in row 1"):
        matrix_of({**table, "event": ["view", None]})
    with pytest.raises(DataError, match="no column 'event'"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"]}, event_weights={"view": 1})
    with pytest.raises(DataError, match="finite"):
        matrix_of(table, event_weights={"view": 1, "zoom": float("nan")})


def test_a_refund_takes_back_its_share():
    table = {"customer_id": ["a"] * 5, "item_id": ["x", "x", "x", "y", "y"], "quantity": [10, 10, -10, 3, -3]}
    table["customer_id"], table["item_id"] = [*table["customer_id"], "a"], [*table["item_id"], "z"]
    table["quantity"] = [*table["quantity"], 1]
    assert matrix_of(table, values="count").to_numpy().tolist() == [[1.0, 0.0, 1.0]]
    assert matrix_of(table).to_numpy().tolist() == [[1.0, 0.0, 1.0]]
    amounts = {**table, "amount": table.pop("quantity")}
    assert matrix_of(amounts, values="count").to_numpy().tolist() == [[1.0, 0.0, 1.0]]


def test_what_was_sent_back_is_not_offered_as_new():
    table = {"customer_id": ["a", "a", "b"], "item_id": ["x", "x", "y"], "quantity": [1, -1, 1]}
    model = crmkit.create("recommender", "popularity", window_days=None).fit(table)
    assert model.recommend(["a"])["item_id"].tolist() == ["y"]


def test_a_table_of_refunds_alone_is_refused():
    with pytest.raises(DataError, match="nothing to learn from"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"], "quantity": [-1]})


def test_rows_without_customer_or_item_are_set_aside_and_counted():
    table = {"customer_id": ["a", None, "b"], "item_id": ["x", "x", None]}
    with pytest.warns(DataWarning, match="2 of 3 rows have no customer_id or no item_id and are set aside: rows 1, 2"):
        model = crmkit.create("recommender", "item-knn").fit(table)
    assert model.set_aside_ == {"no customer_id": 1, "no item_id": 1}
    with pytest.warns(DataWarning), pytest.raises(DataError, match="no event"):
        matrix_of({"customer_id": [None], "item_id": ["x"]})


def test_windows_half_lives_and_cutoffs_count_from_the_cutoff():
    table = {"customer_id": ["a", "a", "a"], "item_id": ["x", "y", "z"], "day": [0, 90, 100]}
    assert matrix_of(table, window_days=11).to_numpy().tolist() == [[0.0, 1.0, 1.0]]
    assert matrix_of(table, half_life_days=10).to_numpy()[0] == pytest.approx([2.0**-10, 0.5, 1.0])
    assert list(matrix_of(table, cutoff="1970-04-11").columns) == ["x", "y"]
    aged = matrix_of(table, cutoff="1970-04-11", half_life_days=9).to_numpy()[0]
    assert aged == pytest.approx([2.0 ** (-99 / 9), 2.0 ** (-9 / 9)])
    with pytest.raises(DataError, match="need the column time or day"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"]}, window_days=3)


def test_low_ratings_are_not_learned_from_but_are_had():
    table = {"customer_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "rating": [5.0, 1.0, 4.0]}
    assert matrix_of(table, min_rating=4).to_numpy().tolist() == [[1.0, 0.0], [1.0, 0.0]]
    model = crmkit.create("recommender", "popularity", window_days=None, min_rating=4).fit(table)
    assert model.recommend(["a"]).empty
    with pytest.raises(DataError, match="needs the column rating"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"]}, min_rating=4)
    with pytest.raises(DataError, match="quantity must hold numbers"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"], "quantity": ["one"]})
    with pytest.raises(DataError, match="infinite in row 0"):
        matrix_of({"customer_id": ["a"], "item_id": ["x"], "quantity": [np.inf]})


def test_ids_come_back_in_the_type_asked_for():
    model = crmkit.create("recommender", "item-knn").fit({"customer_id": ["7", "7", "8"], "item_id": [1, 2, 1]})
    lists = model.recommend([8])
    assert lists["customer_id"].tolist() == [8]
    assert lists["item_id"].tolist() == [2]
    assert model.recommend(["8", "8"])["customer_id"].tolist() == ["8"]
    with pytest.raises(DataError, match="an id is missing in row 1"):
        model.recommend(["8", None])


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = crmkit.create("recommender", "item-knn").fit({"customer_id": ["7", "8"], "item_id": [1, 1]})
    with pytest.raises(DataError):
        model.fit({"customer_id": ["7"], "item_id": [1], "quantity": [-1]})
    assert model.n_customers_ == 2
