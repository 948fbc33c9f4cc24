from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

import crmkit
from crmkit import prediction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)
NUMBERS = X[:, 0] * X[:, 1]
SAME = {"learning_rate": 0.05, "max_iter": 150, "max_leaf_nodes": 8, "l2_regularization": 1.0, "early_stopping": False}


def test_it_is_scikit_learns_own_with_other_defaults():
    ours = crmkit.create("classifier", "boosting", random_state=0).fit(X, LABELS)
    theirs = HistGradientBoostingClassifier(**SAME, random_state=0).fit(X, LABELS)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X))
    numbers = crmkit.create("regressor", "boosting", random_state=0).fit(X, NUMBERS)
    np.testing.assert_array_equal(
        numbers.predict(X), HistGradientBoostingRegressor(**SAME, random_state=0).fit(X, NUMBERS).predict(X)
    )


@pytest.mark.parametrize(("kind", "y"), [("classifier", LABELS), ("regressor", NUMBERS)])
@pytest.mark.parametrize("n_threads", [1, None])
def test_it_uses_no_more_threads_than_it_was_given(kind, y, n_threads, monkeypatch):
    seen = []
    base = HistGradientBoostingClassifier if kind == "classifier" else HistGradientBoostingRegressor
    original = base._raw_predict

    def watched(self, *args, **kwargs):
        seen.extend(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "openmp")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(base, "_raw_predict", watched)
    with threadpoolctl.threadpool_limits(limits=2, user_api="openmp"):
        crmkit.create(kind, "boosting", n_threads=n_threads, max_iter=2).fit(X, y).predict(X)
    assert seen
    assert set(seen) == {1 if n_threads else 2}


def test_threads_change_only_the_speed():
    one = prediction.BoostingClassifier(n_threads=1, random_state=0).fit(X, LABELS)
    two = prediction.BoostingClassifier(n_threads=2, random_state=0).fit(X, LABELS)
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X))


def test_missing_values_and_categories_are_taken_as_they_are():
    frame = pd.DataFrame(
        {
            "channel": pd.Categorical(RNG.choice(["电话", "app", "shop"], 300)),
            "amount": np.where(RNG.random(300) < 0.2, np.nan, X[:, 0]),
        }
    )
    y = (frame["channel"] == "电话").astype(int)
    assert (prediction.BoostingClassifier().fit(frame, y).predict(frame) == y).all()


def test_quantiles_can_be_asked_for():
    model = prediction.BoostingRegressor(loss="quantile", quantile=0.9).fit(X[:, :1] * 0, NUMBERS)
    assert model.predict([[0.0]])[0] == pytest.approx(np.quantile(NUMBERS, 0.9), abs=0.05)
