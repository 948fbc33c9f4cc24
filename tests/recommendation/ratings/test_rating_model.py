"""What every rating recommender does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import spec_of
from crmkit.recommendation.ratings import ItemKNNRating
from crmkit.recommendation.ratings._model import SOURCES
from crmkit.testing import parametrize_with_plugin_checks

NAMES = ["baseline-rating", "user-knn-rating", "item-knn-rating", "svd-rating"]


def make(name, **params):
    if name == "svd-rating":
        params = {"n_factors": 4, "random_state": 0, **params}
    return crmkit.create("recommender", name, **params)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@parametrize_with_plugin_checks([spec_of("recommender", name) for name in NAMES])
def test_rating_recommenders_conform(check):
    check()


def test_predictions_stand_at_the_index_of_the_pairs(small, name):
    model = make(name).fit(small)
    pairs = small.sample(frac=1, random_state=0).set_index(pd.Index(np.arange(len(small)) * 10))
    rating = model.predict(pairs)
    assert rating.name == "rating"
    assert rating.index.equals(pairs.index)
    straight = model.predict(small)
    by_pair = dict(zip(zip(small["customer_id"], small["item_id"], strict=True), straight, strict=True))
    assert rating.tolist() == [
        pytest.approx(by_pair[pair]) for pair in zip(pairs["customer_id"], pairs["item_id"], strict=True)
    ]


def test_predictions_keep_to_the_scale_and_say_where_they_were_held(random_table, name):
    table = random_table(30, 20, 400, seed=4)
    table["rating"] = np.where(table["rating"] > 3, 5.0, 0.5)
    settings = {"lr_all": 0.05, "n_epochs": 60} if name == "svd-rating" else {}
    settings = {"reg_u": 0, "reg_i": 0} if name == "baseline-rating" else settings
    told = make(name, scale=(0.5, 5), **settings).fit(table).predict(table, details=True)
    assert told["rating"].between(0.5, 5).all()
    held = told[told["held"]]
    assert len(held)
    assert held["rating"].isin([0.5, 5.0]).all()
    assert set(told["source"]) <= set(SOURCES)


def test_no_pairs_give_no_ratings(small, name):
    model = make(name).fit(small)
    assert model.predict(small.iloc[:0]).empty
    assert list(model.predict(small.iloc[:0], details=True).columns) == ["rating", "source", "neighbors", "held"]


def test_equal_ratings_are_predicted_for_everyone(small, name):
    model = make(name).fit(small.assign(rating=4.0))
    pairs = pd.DataFrame({"customer_id": ["c01", "c01", "new"], "item_id": ["i01", "i02", "other"]})
    assert model.scale_ == (4.0, 4.0)
    assert model.predict(pairs).tolist() == [4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    "rows", [[("c", "i", 3.0)], [("c", "i", 3.0), ("c", "j", 5.0)], [("c", "i", 3.0), ("d", "i", 5.0)]]
)
def test_one_rating_one_customer_and_one_item_are_enough(name, rows):
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "rating"])
    model = make(name, scale=(1, 5)).fit(table)
    rating = model.predict({"customer_id": ["c", "d", "x"], "item_id": ["i", "j", "y"]})
    assert rating.between(1, 5).all()
    assert rating.iloc[2] == pytest.approx(table["rating"].mean())


def test_ids_may_be_chinese_text_or_numbers(small, name):
    customers = {old: f"客户{place}" for place, old in enumerate(sorted(set(small["customer_id"])))}
    chinese = small.assign(customer_id=small["customer_id"].map(customers), item_id="茶" + small["item_id"])
    numbers = small.assign(
        customer_id=small["customer_id"].str[1:].astype(int), item_id=small["item_id"].str[1:].astype(int)
    )
    texts = numbers.astype({"customer_id": str, "item_id": str})
    expected = make(name).fit(small).predict(small)
    for table in (chinese, numbers):
        np.testing.assert_allclose(make(name).fit(table).predict(table), expected, atol=1e-4)
    np.testing.assert_allclose(make(name).fit(numbers).predict(texts), expected, atol=1e-4)
    lists = make(name).fit(numbers).recommend([1], 2)
    assert lists["item_id"].dtype == np.int64
    assert make(name).fit(chinese).recommend(["客户1"], 2)["item_id"].str.startswith("茶").all()


def test_missing_ids_of_pairs_are_named_by_row(small, name):
    model = make(name).fit(small)
    with pytest.raises(DataError, match="missing in row 1"):
        model.predict({"customer_id": ["c01", None], "item_id": ["i01", "i01"]})
    with pytest.raises(DataError, match="no column 'customer_id'"):
        model.predict(small[["item_id"]])


def test_who_is_not_fitted_says_so(small, name):
    with pytest.raises(NotFittedError):
        make(name).predict(small)


def test_lists_hold_the_unrated_items_of_highest_predicted_rating(small, name):
    model = make(name, fallback=()).fit(small)
    items = sorted(set(small["item_id"]))
    lists = model.recommend(["c01", "c05"], 3)
    for customer, got in lists.groupby("customer_id"):
        unrated = sorted(set(items) - set(small.loc[small["customer_id"] == customer, "item_id"]))
        rating = model.predict({"customer_id": [customer] * len(unrated), "item_id": unrated})
        best = sorted(rating, reverse=True)[:3]
        assert set(got["item_id"]) <= set(unrated)
        assert got["score"].tolist() == pytest.approx(best, abs=1e-5)
        assert got["score"].is_monotonic_decreasing
        assert set(got["source"]) <= set(SOURCES)


def test_all_lists_at_once_are_those_of_one_at_a_time(small, name, monkeypatch):
    model = make(name).fit(small)
    together = model.recommend(None, 4)
    monkeypatch.setattr(type(model), "_PAIRS", 1)
    one_by_one = pd.concat([model.recommend([customer], 4) for customer in sorted(set(small["customer_id"]))])
    pd.testing.assert_frame_equal(together, one_by_one.reset_index(drop=True), check_exact=False, atol=1e-5)


def test_a_new_customer_gets_what_is_popular(small, name):
    lists = make(name).fit(small).recommend(["new"], 2)
    assert lists["source"].tolist() == ["popular", "popular"]
    assert lists["item_id"].iloc[0] in small["item_id"].value_counts().index[:3]


def test_an_item_that_nobody_has_rated_is_as_good_as_unknown(small, name):
    listed = pd.DataFrame({"item_id": [*sorted(set(small["item_id"])), "fresh"]})
    model = make(name).fit(small, items=listed)
    pairs = {"customer_id": ["c01", "c01"], "item_id": ["fresh", "never heard of"]}
    told = model.predict(pairs, details=True)
    assert told["rating"].iloc[0] == told["rating"].iloc[1]
    assert len(set(told["source"])) == 1
    lists = model.recommend(["c01"], 100)
    assert lists.set_index("item_id")["source"].get("fresh") == "any"


def test_ratings_from_the_cutoff_on_are_not_read(small, name):
    days = np.arange(len(small))
    timed = small.assign(time=pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(days, unit="D"))
    before = make(name).fit(timed.iloc[:40]).predict(small)
    cut = make(name).fit(timed, cutoff=timed["time"].iloc[40])
    assert cut.n_ratings_ == 40
    np.testing.assert_allclose(cut.predict(small), before)


def test_a_model_is_saved_without_pickle_and_loaded_as_it_was(small, name, tmp_path):
    model = make(name).fit(small)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    pairs = pd.DataFrame({"customer_id": ["c01", "c02", "new"], "item_id": ["i01", "other", "i02"]})
    pd.testing.assert_frame_equal(model.predict(pairs, details=True), loaded.predict(pairs, details=True))
    pd.testing.assert_frame_equal(model.recommend(["c03"], 3), loaded.recommend(["c03"], 3))


def test_fitting_again_that_fails_leaves_the_model_as_it_was(small, name):
    model = make(name).fit(small)
    before = model.predict(small)
    with pytest.raises(DataError):
        model.fit(small.assign(rating=np.inf))
    pd.testing.assert_series_equal(model.predict(small), before)


def test_a_clone_has_the_parameters_and_nothing_learned(small, name):
    model = clone(make(name, scale=(0, 9)).fit(small))
    assert model.scale == (0, 9)
    with pytest.raises(NotFittedError):
        model.predict(small)


def test_illegal_parameters_are_named(small, name):
    with pytest.raises(ValueError, match="duplicates"):
        make(name, duplicates="first").fit(small)
    with pytest.raises(ValueError, match="memory limit"):
        make(name, memory_limit="much").fit(small)


def test_counts_say_what_became_of_the_rows(small, name):
    rows = pd.concat([small, small.iloc[:2].assign(rating=1.0), small.iloc[:1].assign(rating=np.nan)])
    with pytest.warns(DataWarning):
        model = make(name).fit(rows)
    assert (model.n_ratings_, model.n_replaced_) == (60, 2)
    assert model.set_aside_["no rating"] == 1
    assert model.mean_ == pytest.approx(rows["rating"].dropna().iloc[2:].mean())


def test_models_are_listed_by_what_they_predict():
    assert {spec.name for spec in crmkit.available(tags={"rating"})} == set(NAMES)
    assert isinstance(crmkit.create("recommender", "item-knn-rating"), ItemKNNRating)
