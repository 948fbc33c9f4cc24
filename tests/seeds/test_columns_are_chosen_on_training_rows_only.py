"""Columns chosen on all rows before cross-validation make noise look like a signal."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline

import crmkit
from crmkit import metrics


@pytest.fixture(scope="module")
def noise():
    rng = np.random.default_rng(0)
    return rng.normal(size=(200, 2000)), np.repeat([0, 1], 100)


# The slower selectors see fewer columns and folds: their mistake would be the same.
@pytest.mark.parametrize(
    ("selector", "n_columns", "folds"),
    [("k-best", 2000, 5), ("information-gain", 300, 2), ("recursive-elimination", 2000, 2)],
)
def test_noise_columns_do_not_predict(noise, selector, n_columns, folds):
    X, y = noise
    params = {"random_state": 0} if selector == "information-gain" else {}
    choose = crmkit.create("feature-selector", selector, k=20, **params)
    model = make_pipeline(choose, crmkit.create("classifier", "logistic"))
    result = metrics.cross_validate(model, X[:, :n_columns], y, evaluators="accuracy", cv=folds)
    assert result["accuracy"] <= 0.60
    assert result["accuracy"].low <= 0.5


def test_the_same_columns_chosen_on_all_rows_would_seem_to_predict(noise):
    # What the tests above guard against: the mistake is large on this very table.
    X, y = noise
    chosen = SelectKBest(k=20).fit_transform(X, y)
    cheated = metrics.cross_validate(crmkit.create("classifier", "logistic"), chosen, y, evaluators="accuracy")
    assert cheated["accuracy"] > 0.70


def test_each_fold_chooses_from_its_own_training_rows(noise):
    X, y = noise
    model = make_pipeline(crmkit.create("feature-selector", "k-best", k=20), crmkit.create("classifier", "logistic"))
    result = metrics.cross_validate(model, X, y, evaluators="accuracy", keep_models=True)
    for fold, fitted in enumerate(result.models):
        train = ~result.predictions["fold"].eq(fold).to_numpy()
        expected = SelectKBest(k=20).fit(X[train], y[train]).get_support()
        assert (fitted[0].get_support() == expected).all()
