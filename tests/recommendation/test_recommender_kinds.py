"""Kinds of event count as declared, whatever they are called."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit
from crmkit import recommendation
from crmkit.core.errors import DataError
from crmkit.testing.tables import interactions


@pytest.fixture
def events():
    """One customer who ordered tea and looked at a mug, and another who ordered both and a pot."""
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b", "b"],
            "item_id": ["tea", "mug", "tea", "mug", "pot"],
            "event": ["order", "view", "order", "order", "order"],
            "day": [1, 2, 2, 2, 3],
        }
    )


def knn(**weights):
    return crmkit.create("recommender", "item-knn", event_weights=weights)


def test_what_was_only_looked_at_may_be_discovered_where_the_kind_that_buys_is_named(events):
    all_kinds = knn(order=1.0, view=0.1).fit(events)
    orders = knn(order=1.0, view=0.1).fit(events, events="order")
    assert all_kinds.recommend(["a"], 5)["item_id"].tolist() == ["pot"]
    assert set(orders.recommend(["a"], 5)["item_id"]) == {"mug", "pot"}


def test_purchases_need_no_name(events):
    renamed = events.assign(event=events["event"].replace("order", "purchase"))
    assert set(knn(purchase=1.0, view=0.1).fit(renamed).recommend(["a"], 5)["item_id"]) == {"mug", "pot"}


def test_a_kind_of_which_nothing_is_known_is_refused(events):
    with pytest.raises(DataError, match=r"events names 'oder'.*order, view"):
        knn(order=1.0, view=0.1).fit(events, events=["oder"])


def test_kinds_cannot_be_named_where_there_are_none(events):
    with pytest.raises(DataError, match="no column 'event'"):
        crmkit.create("recommender", "item-knn").fit(events.drop(columns="event"), events="order")


def test_kinds_may_be_numbers(events):
    numbered = events.assign(event=events["event"].map({"order": 1, "view": 2}))
    model = crmkit.create("recommender", "item-knn", event_weights={1: 1.0, 2: 0.1}).fit(numbered, events="1")
    named = knn(order=1.0, view=0.1).fit(events, events="order")
    pd.testing.assert_frame_equal(model.recommend(["a"], 5), named.recommend(["a"], 5))


def test_a_window_in_which_nothing_happened_is_named():
    with pytest.raises(DataError, match="older than the window of 30 days"):
        crmkit.create("recommender", "popularity").fit(interactions(30, 12, seed=1), cutoff="2030-01-01")


def test_a_memory_limit_may_come_from_numpy():
    events = interactions(30, 12, seed=1)
    limit = events.memory_usage(deep=True).sum()  # numpy.int64
    assert len(crmkit.create("recommender", "item-knn", memory_limit=limit).fit(events).recommend(["c1"], 2)) == 2


def test_evaluation_has_models_learn_which_kinds_buy():
    events = interactions(60, 25, seed=1)
    kinds = events.assign(event=["view" if place % 3 else "order" for place in range(len(events))])
    model = crmkit.create("recommender", "item-knn", event_weights={"order": 1.0, "view": 0.1})
    purchases = kinds.assign(event=kinds["event"].replace("order", "purchase"))
    other = crmkit.create("recommender", "item-knn", event_weights={"purchase": 1.0, "view": 0.1})
    judged = []
    for table, learner, named in ((kinds, model, ("order",)), (purchases, other, None)):
        found = recommendation.evaluate({"knn": learner}, table, cutoffs="2024-03-01", events=named, random_state=0)
        judged.append(found.table.drop(columns="split"))
    pd.testing.assert_frame_equal(*judged)
