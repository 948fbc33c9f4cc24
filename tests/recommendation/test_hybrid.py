"""Several recommenders as one, no worse than the best of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError
from crmkit.recommendation import ItemKNN, Popularity
from crmkit.recommendation._blend import Blend, columns_of
from crmkit.testing.tables import interactions


@pytest.fixture(scope="module")
def history():
    return interactions(120, 30, seed=5)


def hybrid(**params):
    return crmkit.create("recommender", "hybrid", random_state=0, **params)


def test_it_is_no_worse_than_its_best_part(history):
    for goal in ("all", "new"):
        model = hybrid(parts=["item-knn", "popularity", "repeat-purchase"], goal=goal).fit(history)
        table = model.validation_
        assert table["ndcg"].is_monotonic_decreasing
        assert table["candidate"].iloc[0] == model.chosen_
        assert set(table["candidate"]) == {"item-knn", "popularity", "repeat-purchase", "blend", "ranks"}
        assert (table["n_customers"] > 10).all()


def test_new_means_that_nothing_comes_back(history):
    had = set(zip(history["customer_id"], history["item_id"], strict=True))
    lists = hybrid(parts=["item-knn", "popularity"], goal="new").fit(history).recommend(n=4)
    assert not had & set(zip(lists["customer_id"], lists["item_id"], strict=True))
    again = hybrid(parts=["item-knn", "repeat-purchase"]).fit(history).recommend(n=4)
    assert had & set(zip(again["customer_id"], again["item_id"], strict=True))


def test_every_way_of_choosing_gives_its_scores(history):
    model = hybrid(parts={"near": "item-knn", "known": Popularity(window_days=None)}).fit(history)
    parts = [part._scores(np.arange(5)) for part in model.parts_.values()]
    for chosen in ("near", "known", "blend", "ranks"):
        model.chosen_ = chosen
        scores = model._scores(np.arange(5))
        assert scores.shape == parts[0].shape
        assert (np.isfinite(scores) == (np.isfinite(parts[0]) | np.isfinite(parts[1])))[:, :].all() or chosen in {
            "near",
            "known",
        }
    model.chosen_ = "near"
    np.testing.assert_array_equal(model._scores(np.arange(5)), parts[0])
    model.chosen_ = "ranks"
    order = [(-part).argsort(axis=1, kind="stable").argsort(axis=1) for part in parts]
    fused = sum(np.where(np.isfinite(part), 1 / (61 + rank), 0.0) for part, rank in zip(parts, order, strict=True))
    np.testing.assert_allclose(
        np.where(np.isfinite(model._scores(np.arange(5))), model._scores(np.arange(5)), 0), fused
    )


def test_a_blend_finds_which_part_tells():
    random = np.random.default_rng(0)
    telling, noise = random.normal(size=(200, 20)), random.normal(size=(200, 20))
    bought = np.zeros((200, 20), dtype=bool)
    bought[np.arange(200), telling.argmax(axis=1)] = True
    columns = [column.ravel() for part in (telling, noise) for column in columns_of(part, 0.1)]
    blend = Blend([0.1, 0.1]).learn(np.column_stack(columns), bought.ravel(), np.repeat(np.arange(200), 20))
    scores = blend.score([telling, noise])
    assert (scores.argmax(axis=1) == telling.argmax(axis=1)).mean() > 0.95
    assert (blend.coefficients[[1, 2, 4, 5]] >= 0).all()
    silent = np.full((1, 3), -np.inf)
    assert np.isneginf(blend.score([silent, silent])).all()


def test_parts_are_checked(history):
    with pytest.raises(DataError, match="at least two parts"):
        hybrid(parts=["item-knn"]).fit(history)
    with pytest.raises(DataError, match="two parts named 'item-knn'"):
        hybrid(parts=["item-knn", ItemKNN(shrinkage=3.0)]).fit(history)
    with pytest.raises(TypeError, match="hybrid's part 'hybrid' must be"):
        hybrid(parts=["item-knn", "hybrid"]).fit(history)
    with pytest.raises(DataError, match="choose other validation_days"):
        hybrid(parts=["item-knn", "popularity"], validation_days=3000).fit(history)
    with pytest.raises(DataError, match="needs the"):
        hybrid(parts=["item-knn", "popularity"]).fit(history.drop(columns="time"))


def test_two_customers_are_needed_to_learn_from():
    sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "day": [0, 100, 0]})
    with pytest.raises(DataError, match="fewer than two customers bought both"):
        hybrid(parts=["item-knn", Popularity(window_days=None)]).fit(sales)


def test_named_parts_read_events_as_the_hybrid_does(history):
    events = history.assign(event=np.where(np.arange(len(history)) % 3, "purchase", "view"))
    weights = {"purchase": 1.0, "view": 0.2}
    model = hybrid(parts=["item-knn", "popularity"], event_weights=weights, max_customers=20).fit(events)
    assert set(np.unique(model.parts_["item-knn"].interactions_.matrix.data)) == {0.2, 1.0}
    assert (model.validation_["n_customers"] == 20).all()
    with pytest.raises(TypeError, match="no 'because you bought'"):
        model.explain(model.recommend(["c1"]))
    assert len(model.parts_["item-knn"].explain(["c1"], ["i1"]).columns) == 4
