from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import TimeSeriesSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit import DataError, metrics
from crmkit.prediction import CalibratedProbabilities, ScaledLogistic, compare_calibration

METHODS = ["sigmoid", "isotonic", "temperature", "beta"]


class Told(ClassifierMixin, BaseEstimator):
    """Gives the log-odds in its only column, bent as asked."""

    def __init__(self, slope=1.0, shift=0.0):
        self.slope = slope
        self.shift = shift

    def fit(self, X, y):  # noqa: ARG002 -- the form of an estimator
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return self.slope * np.asarray(X)[:, 0] + self.shift

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def predict_proba(self, X):
        chances = expit(self.decision_function(X))
        return np.column_stack([1 - chances, chances])


def _world(n, seed=0):
    random = np.random.default_rng(seed)
    odds = random.normal(-1.0, 1.5, n)
    return odds[:, None], np.where(random.random(n) < expit(odds), "buys", "no")


def _right(X):
    # "no" is the second label.
    return 1 - expit(X[:, 0])


@parametrize_with_checks([CalibratedProbabilities(ScaledLogistic(), cv=3)])
def test_it_behaves_as_scikit_learn_asks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_of_a_model_that_is_too_sure_become_right(method):
    X, y = _world(6000)
    # "temperature" can mend the slope alone.
    told = Told(-3.0, 0.0 if method == "temperature" else 2.0)
    model = CalibratedProbabilities(told, method=method, random_state=0).fit(X, y)
    fresh, _ = _world(4000, seed=1)
    off = np.abs(model.predict_proba(fresh)[:, 1] - _right(fresh)).mean()
    assert off < (0.03 if method == "isotonic" else 0.02)
    assert np.abs(told.fit(X, y).predict_proba(fresh)[:, 1] - _right(fresh)).mean() > 0.1
    assert model.n_calibrated_ == 6000
    assert model.predict_proba(fresh).sum(axis=1) == pytest.approx(1)


def test_a_sigmoid_is_that_of_the_log_odds():
    X, y = _world(20_000)
    curve = CalibratedProbabilities(Told(-2.0, 1.0), random_state=0).fit(X, y).curves_[0]
    assert curve.slope == pytest.approx(0.5, abs=0.03)
    assert curve.constant == pytest.approx(-0.5, abs=0.06)


def test_beta_mends_what_bends_differently_at_both_ends():
    X, y = _world(20_000)
    true = _right(X)
    bent = true**2.0 / (true**2.0 + (1 - true) ** 0.5)
    twisted = np.column_stack([logit(np.clip(bent, 1e-9, 1 - 1e-9))])
    found = {
        method: np.abs(
            CalibratedProbabilities(Told(), method=method, random_state=0).fit(twisted, y).predict_proba(twisted)[:, 1]
            - true
        ).mean()
        for method in ("beta", "sigmoid")
    }
    assert found["beta"] < 0.01 < found["sigmoid"]


def test_a_temperature_changes_no_label():
    X, y = make_classification(600, 8, n_informative=5, n_classes=3, random_state=0)
    svm = crmkit.create("classifier", "svm")
    model = CalibratedProbabilities(svm, method="temperature", random_state=0).fit(X, y)
    assert (model.predict(X) == svm.fit(X, y).decision_function(X).argmax(axis=1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_more_than_two_labels_sum_to_one(method):
    X, y = make_classification(600, 8, n_informative=5, n_classes=3, random_state=0)
    model = CalibratedProbabilities("svm", method=method, random_state=0).fit(X[:400], y[:400])
    chances = model.predict_proba(X[400:])
    assert chances.sum(axis=1) == pytest.approx(1)
    assert (chances > 0).all()
    assert metrics.log_loss(y[400:], chances, labels=[0, 1, 2]) < 0.9


def test_nothing_is_certain_on_the_highest_step_of_a_staircase():
    X, y = _world(300)
    chances = (
        CalibratedProbabilities(Told(-5), method="isotonic", random_state=0).fit(X, y).predict_proba([[-6.0], [6.0]])
    )
    assert (chances > 0).all()
    assert (chances.max(axis=1) > 0.97).all()


def test_time_folds_calibrate_on_later_rows_only():
    X, y = _world(900)
    model = CalibratedProbabilities(Told(-3.0), cv=TimeSeriesSplit(2)).fit(X, y)
    assert model.n_calibrated_ == 600


def test_a_customers_rows_stay_together():
    who = np.repeat(np.arange(150), 4)
    random = np.random.default_rng(0)
    people, labels = random.normal(size=(150, 3))[who], random.integers(0, 2, 150)[who]
    tree = crmkit.create("classifier", "tree", min_samples_leaf=1, random_state=0)
    apart = CalibratedProbabilities(tree, random_state=0).fit(people, labels, groups=who)
    mixed = CalibratedProbabilities(tree, random_state=0).fit(people, labels)
    assert np.abs(apart.predict_proba(people) - 0.5).mean() < 0.1
    assert np.abs(mixed.predict_proba(people) - 0.5).mean() > 0.4


def test_customer_tables_go_through_and_are_saved(tmp_path):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"plan": random.choice(["a", "b"], 300), "age": np.where(random.random(300) < 0.1, np.nan, 40.0)}
    )
    y = (table["plan"] == "a") ^ (random.random(300) < 0.2)
    for method in METHODS:
        model = CalibratedProbabilities("forest", method=method, cv=3, random_state=0)
        model.set_params(estimator=crmkit.create("classifier", "forest", n_estimators=10, random_state=0)).fit(table, y)
        assert model.feature_names_in_.tolist() == ["plan", "age"]
        crmkit.save(model, tmp_path / "model.crmkit")
        again = crmkit.load(tmp_path / "model.crmkit")
        np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))


def test_before_and_after_stand_in_one_table_with_intervals():
    X, y = _world(1500)
    table = compare_calibration(Told(-3.0, 2.0), X, y, cv=3)
    assert table.index.tolist() == ["as it is", *METHODS]
    assert (table["brier_low"] < table["brier"]).all()
    assert table.loc["sigmoid", "ece"] < table.loc["as it is", "ece"] / 2
    assert table.loc["sigmoid", "brier_high"] < table.loc["as it is", "brier"]
    grouped = compare_calibration(
        Told(-3.0), X, y, methods=["sigmoid"], evaluators="brier", groups=np.arange(1500) // 3, cv=3
    )
    assert grouped.columns.tolist() == ["brier", "brier_low", "brier_high"]


class NoScore(ClassifierMixin, BaseEstimator):
    """Only says which label."""

    def fit(self, X, y):  # noqa: ARG002 -- the form of an estimator
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class _Empty:
    def split(self, X, y, groups):  # noqa: ARG002 -- the form of a splitter
        return []


def test_what_cannot_be_calibrated_is_refused():
    X, y = _world(40)
    with pytest.raises(TypeError, match="neither decision_function nor predict_proba"):
        CalibratedProbabilities(NoScore()).fit(X, y)
    with pytest.raises(DataError, match="one row only"):
        CalibratedProbabilities(Told()).fit(X[:10], ["a"] * 9 + ["b"])
    with pytest.raises(DataError, match="one class only"):
        CalibratedProbabilities(Told()).fit(X, ["a"] * 40)
    with pytest.raises(DataError, match="no fold tests a row"):
        CalibratedProbabilities(Told(), cv=_Empty()).fit(X, y)
    with pytest.raises(DataError, match="does not train on every label"):
        CalibratedProbabilities(ScaledLogistic(), cv=TimeSeriesSplit(2)).fit(
            X, np.repeat(["a", "b", "c"], [10, 10, 20])
        )


def test_a_fold_without_a_label_is_said_in_our_words_before_it_is_fitted():
    X = np.random.default_rng(0).normal(size=(120, 2))
    with pytest.raises(DataError, match="a fold does not train on every label"):
        CalibratedProbabilities("logistic", cv=TimeSeriesSplit(3)).fit(X, np.arange(120) > 80)
    with pytest.raises(DataError, match="y holds one class only"):
        CalibratedProbabilities("logistic").fit(X, np.ones(120))
