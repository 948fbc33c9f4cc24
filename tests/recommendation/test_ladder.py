"""Lists are filled from the best source that has something to say."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError

SALES = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "b", "c", "d", "e", "e"],
        "item_id": ["tea", "cup", "tea", "pot", "pen", "pen", "ink", "pen"],
        "day": [100, 100, 99, 99, 98, 97, 20, 21],
    }
)
GOODS = pd.DataFrame(
    {
        "item_id": ["tea", "cup", "pot", "pen", "ink", "new"],
        "category": ["kitchen", "kitchen", "kitchen", "desk", "desk", "kitchen"],
    }
)
PEOPLE = pd.DataFrame(
    {"customer_id": ["a", "b", "c", "d", "x"], "segment": ["home", "home", "office", "office", "home"]}
)


def test_a_new_customer_gets_what_the_segment_buys_then_what_all_buy_then_anything():
    model = crmkit.create("recommender", "item-knn").fit(SALES, items=GOODS, customers=PEOPLE)
    lists = model.recommend(["x"], 10)
    assert lists["item_id"].tolist() == ["tea", "cup", "pot", "pen", "ink", "new"]
    assert lists["source"].tolist() == [*["popular in segment"] * 3, "popular", "any", "any"]
    assert lists["score"].tolist() == [2.0, 1.0, 1.0, 2.0, 1.0, 0.0]


def test_a_known_customer_gets_the_model_then_the_category():
    model = crmkit.create("recommender", "item-knn").fit(SALES, items=GOODS)
    lists = model.recommend(["a"], 10)
    assert lists[["item_id", "source"]].to_numpy().tolist() == [
        ["pot", "item-knn"],
        ["pen", "popular"],
        ["ink", "any"],
        ["new", "any"],
    ]
    again = model.recommend(["c"], 2, exclude="nothing", forbidden=["ink"])
    assert again[["item_id", "source"]].to_numpy().tolist() == [["pen", "popular in category"], ["tea", "popular"]]


def test_the_ladder_is_what_it_is_told_to_be():
    model = crmkit.create("recommender", "item-knn", fallback=()).fit(SALES)
    assert model.recommend(["x"]).empty
    assert model.recommend(["a"], 5)["item_id"].tolist() == ["pot"]
    ever = crmkit.create("recommender", "item-knn", fallback=["any"]).fit(SALES)
    assert ever.recommend(["x"], 2)[["item_id", "score"]].to_numpy().tolist() == [["pen", 3.0], ["tea", 2.0]]
    longer = crmkit.create("recommender", "item-knn", fallback="popular", popular_days=90).fit(SALES)
    assert longer.recommend(["x"], 1)["score"].tolist() == [3.0]


def test_customers_who_are_new_are_told_to_the_log(caplog):
    model = crmkit.create("recommender", "item-knn").fit(SALES)
    with caplog.at_level("INFO", logger="crmkit.recommendation"):
        model.recommend(["a", "x", "y"], 1)
    assert "2 of 3 customers have no events" in caplog.text
    assert "x" not in caplog.text.split("customers")[0]


def test_side_tables_are_checked():
    model = crmkit.create("recommender", "item-knn")
    with pytest.raises(DataError, match="stands more than once in rows 0, 1"):
        model.fit(SALES, items=pd.DataFrame({"item_id": ["tea", "tea"]}))
    with pytest.raises(DataError, match="item_id is missing in row 1"):
        model.fit(SALES, items=pd.DataFrame({"item_id": ["tea", None]}))
    with pytest.raises(DataError, match="customers need the column segment"):
        model.fit(SALES, customers=pd.DataFrame({"customer_id": ["a"]}))
    indexed = GOODS.set_index("item_id")
    assert model.fit(SALES, items=indexed).n_items_ == 6


def test_a_lists_diversity_is_bought_with_its_order():
    sales = pd.DataFrame(
        {
            "customer_id": [f"{group}{n}" for group in "pq" for n in range(8) for _ in range(4)],
            "item_id": [f"{group}{(n + k) % 5}" for group in "pq" for n in range(8) for k in range(4)],
        }
    )
    one = pd.DataFrame({"customer_id": ["z"] * 2, "item_id": ["p0", "q0"]})
    model = crmkit.create("recommender", "popularity", window_days=None).fit(pd.concat([sales, one, one.iloc[:1]]))
    plain, mixed = (model.recommend(["new"], 4, diversity=share)["item_id"].str[0].tolist() for share in (0.0, 0.7))
    assert sorted(mixed) == ["p", "p", "q", "q"]
    ranked = model.recommend(["new"], 4, diversity=1e-6)["item_id"].tolist()
    assert ranked == model.recommend(["new"], 4)["item_id"].tolist()
    assert mixed[:2] in (["p", "q"], ["q", "p"])
    assert plain != mixed
