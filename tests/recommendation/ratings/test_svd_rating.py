"""Matrix factorization."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import ConvergenceError
from crmkit.recommendation.ratings import BaselineRating, SVDRating


@pytest.fixture
def tastes(random_table):
    """Give ratings that a product of vectors makes: 80 customers, 60 items, two tastes."""
    random = np.random.default_rng(0)
    table = random_table(80, 60, 2400, seed=1)
    p, q = random.normal(size=(80, 2)), random.normal(size=(60, 2))
    c, i = (table[name].str[1:].astype(int) for name in ("customer_id", "item_id"))
    table["rating"] = np.clip(3 + 0.9 * (p[c] * q[i]).sum(axis=1) + random.normal(0, 0.1, len(table)), 0.5, 5)
    return table


def test_tastes_are_found_where_biases_find_nothing(tastes):
    train, test = tastes.iloc[:2000], tastes.iloc[2000:]
    model = SVDRating(n_factors=4, n_epochs=150, lr_all=0.02, reg_all=0.02, random_state=0).fit(train)
    error = np.sqrt(np.mean((model.predict(test) - test["rating"]) ** 2))
    yardstick = np.sqrt(np.mean((BaselineRating().fit(train).predict(test) - test["rating"]) ** 2))
    assert error < 0.35 * yardstick


def test_a_prediction_is_mean_biases_and_product(tastes):
    model = SVDRating(n_factors=3, random_state=0, scale=(-9, 9)).fit(tastes)
    asked = tastes.head(20)
    c = model.interactions_.customers.numbers_of(asked["customer_id"].to_numpy(dtype=object))
    i = model.interactions_.items.numbers_of(asked["item_id"].to_numpy(dtype=object))
    biases = model._biases
    product = (model.customer_factors_[c] * model.item_factors_[i]).sum(axis=1)
    expected = tastes["rating"].mean() + biases.customer[c] + biases.item[i] + product
    np.testing.assert_allclose(model.predict(asked), expected, atol=1e-6)
    lists = model.recommend(["c01"], 5)
    pairs = model.predict(lists[["customer_id", "item_id"]])
    np.testing.assert_allclose(lists["score"], pairs, atol=1e-5)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(tastes):
    first, again, other = (
        SVDRating(n_factors=3, n_epochs=3, random_state=seed).fit(tastes).predict(tastes) for seed in (0, 0, 1)
    )
    pd.testing.assert_series_equal(first, again)
    assert not np.allclose(first, other, atol=1e-4)


def test_without_biases_one_who_is_unknown_gets_the_mean(tastes):
    model = SVDRating(biased=False, n_factors=3, random_state=0).fit(tastes)
    pairs = pd.DataFrame({"customer_id": ["c01", "new", "c01"], "item_id": ["i01", "i01", "other"]})
    told = model.predict(pairs, details=True)
    assert told["source"].tolist() == ["factors", "mean", "mean"]
    np.testing.assert_allclose(told["rating"].iloc[1:], tastes["rating"].mean())
    asked = SVDRating(n_factors=3, random_state=0).fit(tastes).predict(pairs, details=True)
    assert asked["source"].tolist() == ["factors", "item-baseline", "customer-baseline"]


def test_single_rates_win_over_those_for_all(tastes):
    still = SVDRating(n_factors=3, lr_bu=1e-12, lr_bi=1e-12, random_state=0).fit(tastes)
    assert np.abs(still._biases.customer).max() < 1e-6
    assert np.abs(SVDRating(n_factors=3, random_state=0).fit(tastes)._biases.customer).max() > 0.05


def test_a_learning_rate_that_is_too_high_is_named(tastes):
    with pytest.raises(ConvergenceError, match="lr_all"):
        SVDRating(n_factors=3, lr_all=3.0, random_state=0).fit(tastes)


def test_vectors_begin_where_the_same_seed_of_surprise_begins(small):
    """Surprise numbers customers and items as they appear and draws all customers' vectors, then all items'."""
    model = SVDRating(n_factors=2, lr_all=1e-12, random_state=7).fit(small)
    random = np.random.RandomState(7)
    customers, items = pd.unique(small["customer_id"]), pd.unique(small["item_id"])
    p, q = random.normal(0, 0.1, (len(customers), 2)), random.normal(0, 0.1, (len(items), 2))
    np.testing.assert_allclose(model.customer_factors_, p[np.argsort(customers)], atol=1e-6)
    np.testing.assert_allclose(model.item_factors_, q[np.argsort(items)], atol=1e-6)
