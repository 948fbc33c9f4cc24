"""What customers sent back, or did not like, does not fill the lists of others."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit


@pytest.fixture
def sales():
    """Five customers buy a lamp and return it; two keep a mug."""
    bought = [(f"c{number}", "lamp", 1.0) for number in range(5)]
    returned = [(customer, item, -1.0) for customer, item, _ in bought]
    kept = [("c0", "mug", 1.0), ("c1", "mug", 1.0)]
    return pd.DataFrame(bought + returned + kept, columns=["customer_id", "item_id", "quantity"]).assign(day=100)


def test_what_was_sent_back_wholly_is_not_popular(sales):
    lists = crmkit.create("recommender", "item-knn").fit(sales).recommend(["new"], 2)
    assert lists["item_id"].tolist() == ["mug", "lamp"]
    assert lists["source"].tolist() == ["popular", "any"]


def test_what_was_rated_too_low_is_not_popular(sales):
    rated = sales[sales["quantity"] > 0].assign(rating=lambda table: table["item_id"].map({"lamp": 1.0, "mug": 5.0}))
    lists = crmkit.create("recommender", "item-knn", min_rating=4).fit(rated).recommend(["new"], 2)
    assert lists["source"].tolist() == ["popular", "any"]
    assert lists["item_id"].tolist() == ["mug", "lamp"]


def test_what_is_popular_in_a_segment_leaves_returns_out_too(sales):
    people = pd.DataFrame({"customer_id": [f"c{number}" for number in range(6)], "segment": "a"})
    lists = crmkit.create("recommender", "item-knn").fit(sales, customers=people).recommend(["c5"], 2)
    assert lists["source"].tolist() == ["popular in segment", "any"]
