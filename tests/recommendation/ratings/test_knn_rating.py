"""Ratings by neighbors, against the formulas worked out one pair at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.recommendation.ratings import BaselineRating, ItemKNNRating, UserKNNRating, _neighbors
from crmkit.recommendation.ratings._neighbors import _most

MODELS = {"item": ItemKNNRating, "customer": UserKNNRating}
SCALE = (0.5, 5.0)


def all_pairs(table):
    customers, items = [*sorted(set(table["customer_id"])), "new"], [*sorted(set(table["item_id"])), "other"]
    return pd.DataFrame([(c, i) for c in customers for i in items], columns=["customer_id", "item_id"])


@pytest.mark.parametrize("side", ["item", "customer"])
@pytest.mark.parametrize("similarity", ["msd", "cosine", "pearson", "pearson-baseline"])
@pytest.mark.parametrize("centre", ["none", "mean", "baseline"])
@pytest.mark.parametrize(("k", "min_k", "min_support"), [(40, 1, 1), (3, 1, 1), (3, 3, 2)])
def test_predictions_are_those_of_the_formula(random_table, by_hand, side, similarity, centre, k, min_k, min_support):
    """KNNBasic, KNNWithMeans and KNNBaseline of Surprise's documentation, known and unknown pairs."""
    table = random_table(12, 9, 60, seed=3, step=0.1)
    hand, pairs = by_hand(table, side=side), all_pairs(table)
    settings = {"k": k, "min_k": min_k, "min_support": min_support, "shrinkage": 5.0}
    model = MODELS[side](similarity=similarity, centre=centre, otherwise="mean", scale=SCALE, **settings).fit(table)
    told = model.predict(pairs, details=True)
    expected = [hand.predict(c, i, name=similarity, centre=centre, **settings) for c, i in pairs.to_numpy()]
    np.testing.assert_allclose(told["rating"], np.clip([r for r, _ in expected], *SCALE), atol=1e-9)
    assert told["neighbors"].tolist() == [n for _, n in expected]
    assert ((told["source"] == "neighbors") == (told["neighbors"] >= min_k)).all()


@pytest.mark.parametrize("side", ["item", "customer"])
def test_small_blocks_and_chunks_change_nothing(small, monkeypatch, side):
    pairs = all_pairs(small)
    model = MODELS[side](k=3).fit(small)
    whole = model.predict(pairs)
    monkeypatch.setattr(_neighbors, "_BLOCK_CELLS", 20)
    monkeypatch.setattr(_neighbors, "_CHUNK_CELLS", 7)
    pd.testing.assert_series_equal(whole, model.predict(pairs))


def test_a_pair_alone_is_predicted_as_among_others(small):
    pairs = all_pairs(small)
    model = ItemKNNRating(similarity="msd").fit(small)
    together = model.predict(pairs)
    alone = [model.predict(pairs.iloc[[row]]).iloc[0] for row in range(0, len(pairs), 7)]
    np.testing.assert_allclose(alone, together.iloc[::7], atol=1e-12)


def test_of_equally_similar_neighbors_those_that_stand_first_in_the_table_count():
    rows = [("a", x, 3.0) for x in ("p", "q", "r", "goal")]
    rows += [("b", "p", 1.0), ("b", "q", 2.0), ("b", "r", 4.0)]
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "rating"])
    ask = pd.DataFrame({"customer_id": ["b"], "item_id": ["goal"]})
    settings = {"similarity": "msd", "centre": "none", "k": 2}
    assert ItemKNNRating(**settings).fit(table).predict(ask).tolist() == [pytest.approx(1.5)]
    turned = table.iloc[::-1]
    assert ItemKNNRating(**settings).fit(turned).predict(ask).tolist() == [pytest.approx(3.0)]


def test_a_rating_does_not_predict_itself():
    table = pd.DataFrame(
        {"customer_id": ["a", "a", "b", "b"], "item_id": ["p", "q", "p", "q"], "rating": [5.0, 1.0, 4.0, 2.0]}
    )
    model = ItemKNNRating(similarity="msd", centre="none").fit(table)
    assert model.predict(table).tolist() == [pytest.approx(1.0), 5.0, 2.0, 4.0]


def test_too_few_neighbors_leave_the_rule_that_was_declared(small):
    pair = pd.DataFrame({"customer_id": ["c01", "new"], "item_id": ["i01", "i01"]})
    expected = {
        ("none", "mean"): ["mean", "mean"],
        ("none", "baseline"): ["baseline", "item-baseline"],
        ("mean", "mean"): ["item-mean", "mean"],
        ("mean", "baseline"): ["item-mean", "item-baseline"],
        ("baseline", "mean"): ["baseline", "item-baseline"],
    }
    for (centre, otherwise), sources in expected.items():
        model = ItemKNNRating(min_k=100, centre=centre, otherwise=otherwise).fit(small)
        assert model.predict(pair, details=True)["source"].tolist() == sources
    told = UserKNNRating(min_k=100, centre="mean").fit(small).predict(pair, details=True)
    assert told["source"].tolist() == ["customer-mean", "item-baseline"]
    mean_of = small.groupby("customer_id")["rating"].mean()
    assert told["rating"].iloc[0] == pytest.approx(mean_of["c01"])


def test_a_baseline_with_other_settings_is_used(small):
    pair = pd.DataFrame({"customer_id": ["c01", "c02"], "item_id": ["other", "other"]})
    loose = BaselineRating(reg_u=0.0, reg_i=0.0)
    model = ItemKNNRating(baseline=loose).fit(small)
    np.testing.assert_allclose(model.predict(pair), BaselineRating(reg_u=0.0, reg_i=0.0).fit(small).predict(pair))
    assert not np.allclose(model.predict(pair), ItemKNNRating().fit(small).predict(pair))


def test_reasons_add_up_to_the_rating(small):
    pairs = all_pairs(small)
    pairs = pairs[pairs["item_id"] != "other"].reset_index(drop=True)
    model = ItemKNNRating(similarity="msd", k=3, scale=SCALE).fit(small)
    pairs = pairs[pairs["customer_id"] != "new"].reset_index(drop=True)
    reasons = model.explain(pairs["customer_id"], pairs["item_id"])
    totals = reasons.groupby(["customer_id", "item_id"])["weight"].sum()
    expected = model.predict(pairs)
    np.testing.assert_allclose(totals.loc[list(pairs.itertuples(index=False, name=None))], expected, atol=1e-9)
    named = reasons.dropna(subset="because")
    rated = set(zip(small["customer_id"], small["item_id"], strict=True))
    assert set(zip(named["customer_id"], named["because"], strict=True)) <= rated
    assert named.groupby(["customer_id", "item_id"]).size().max() == 3


def test_customers_are_no_reason_that_can_be_named(small):
    model = UserKNNRating().fit(small)
    with pytest.raises(TypeError, match="no sums"):
        model.explain(["c01"], ["i01"])


def test_similar_refuses_who_is_unknown(small):
    model = ItemKNNRating().fit(small)
    with pytest.raises(ValueError, match="does not know the item_id in row 1"):
        model.similar(["i01", "secret"])
    with pytest.raises(ValueError, match="at least 1"):
        model.similar(["i01"], n=0)
    assert model.similar([], n=2).empty


@given(
    rows=st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]), min_size=6, max_size=6), min_size=1, max_size=5
    ),
    k=st.integers(1, 8),
)
def test_the_most_similar_are_chosen_as_by_a_stable_sort(rows, k):
    similar = np.array(rows)
    chosen = _most(similar.copy(), k)
    for row, marks in zip(similar, chosen, strict=True):
        best = [place for place in np.argsort(-row, kind="stable")[:k] if row[place] > 0]
        assert np.flatnonzero(marks).tolist() == sorted(best)


@pytest.mark.parametrize("side", ["item", "customer"])
@pytest.mark.parametrize("similarity", ["msd", "pearson"])
def test_a_scale_far_from_zero_is_as_good_as_one_near_it(random_table, side, similarity):
    table = random_table(12, 9, 60, seed=3)
    far, pairs = table.assign(rating=table["rating"] + 1e6), all_pairs(table)
    near, away = (
        MODELS[side](similarity=similarity, centre="mean", k=3).fit(ratings).predict(pairs, details=True)
        for ratings in (table, far)
    )
    np.testing.assert_allclose(away["rating"] - 1e6, near["rating"], atol=1e-6)
    assert away["neighbors"].tolist() == near["neighbors"].tolist()


def test_a_wide_scale_leaves_nobody_without_neighbors(random_table):
    """1 / (1 + mean squared difference) falls with the square of the scale, and its proportions do not."""
    table = random_table(12, 9, 60, seed=3, step=0.1)
    pairs, settings = all_pairs(table), {"similarity": "msd", "centre": "none", "k": 3}
    wide, wider = (
        ItemKNNRating(**settings).fit(table.assign(rating=table["rating"] * times)).predict(pairs, details=True)
        for times in (1e5, 1e9)
    )
    assert wider["neighbors"].tolist() == wide["neighbors"].tolist()
    assert wider["neighbors"].max() == 3
    np.testing.assert_allclose(wider["rating"] / 1e4, wide["rating"], rtol=1e-6)
