"""Baseline ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.recommendation.ratings import BaselineRating


def every_pair(table):
    customers, items = sorted(set(table["customer_id"])), sorted(set(table["item_id"]))
    return pd.DataFrame([(c, i) for c in customers for i in items], columns=["customer_id", "item_id"])


def test_least_squares_biases_are_those_of_the_formula(small, by_hand):
    """Koren 2010, doi:10.1145/1644873.1644874, section 2.1, in the order items, customers, ten times."""
    hand = by_hand(small)
    pairs = every_pair(small)
    expected = [np.clip(hand.baseline(c, i), 0.5, 5) for c, i in pairs.to_numpy()]
    np.testing.assert_allclose(BaselineRating(scale=(0.5, 5)).fit(small).predict(pairs), expected, atol=1e-12)


def test_more_regularization_draws_biases_to_zero(small):
    loose, tight = (BaselineRating(reg_u=reg, reg_i=reg).fit(small) for reg in (0.0, 1000.0))
    assert loose.customer_biases_.abs().mean() > 10 * tight.customer_biases_.abs().mean()
    assert list(loose.item_biases_.index) == sorted(set(small["item_id"]))


def test_without_regularization_and_in_convergence_biases_are_ordinary_least_squares(small):
    model = BaselineRating(reg_u=0, reg_i=0, n_epochs=3000).fit(small)
    codes = [pd.factorize(small[name])[0] for name in ("customer_id", "item_id")]
    design = np.hstack([np.eye(code.max() + 1)[code] for code in codes])
    beyond = small["rating"] - small["rating"].mean()
    expected = design @ np.linalg.lstsq(design, beyond, rcond=None)[0] + small["rating"].mean()
    np.testing.assert_allclose(model.predict(small), np.clip(expected, *model.scale_), atol=1e-8)


def test_gradient_descent_comes_near_least_squares_of_its_own_objective(small):
    model = BaselineRating(method="sgd", n_epochs=3000, learning_rate=0.003, reg=0.1, random_state=0).fit(small)
    codes = [pd.factorize(small[name])[0] for name in ("customer_id", "item_id")]
    design = np.hstack([np.eye(code.max() + 1)[code] for code in codes])
    beyond = (small["rating"] - small["rating"].mean()).to_numpy()
    # Each rating draws its own customer and item to zero, so that a bias is drawn as often as it is rated.
    ridge = design.T @ design + 0.1 * np.diag(design.sum(axis=0))
    expected = design @ np.linalg.solve(ridge, design.T @ beyond) + small["rating"].mean()
    np.testing.assert_allclose(model.predict(small), np.clip(expected, *model.scale_), atol=0.02)


def test_one_who_is_unknown_adds_nothing_and_the_rule_is_named(small):
    model = BaselineRating().fit(small)
    pairs = pd.DataFrame({"customer_id": ["c01", "new", "c01", "new"], "item_id": ["i01", "i01", "other", "other"]})
    told = model.predict(pairs, details=True)
    assert told["source"].tolist() == ["baseline", "item-baseline", "customer-baseline", "mean"]
    both, item, customer, mean = told["rating"]
    assert mean == pytest.approx(small["rating"].mean())
    assert both - mean == pytest.approx((item - mean) + (customer - mean))


def test_the_same_seed_gives_the_same_biases_and_another_seed_others(small):
    first, again, other = (
        BaselineRating(method="sgd", learning_rate=0.05, random_state=seed).fit(small).customer_biases_
        for seed in (1, 1, 2)
    )
    pd.testing.assert_series_equal(first, again)
    assert not np.allclose(first, other)
