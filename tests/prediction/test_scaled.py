"""Models that standardise inside: the unit of a column changes nothing, and figures come in original units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import crmkit
from crmkit import prediction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
LABELS = np.where(X[:, 0] + 0.5 * RNG.normal(size=120) > 0, "stay", "go")
NUMBERS = 5000 + 900 * X[:, 0] - 300 * X[:, 1] + 50 * RNG.normal(size=120)
UNITS = np.array([1e6, 1e-3, 1.0])

CLASSIFIERS = {"logistic": {}, "svm": {}, "mlp": {"random_state": 0, "max_iter": 300}}
REGRESSORS = {"ridge": {}, "svr": {}, "mlp": {"random_state": 0, "max_iter": 300}}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_unit_of_a_column_changes_no_label(name):
    plain = crmkit.create("classifier", name, **CLASSIFIERS[name]).fit(X, LABELS)
    scaled = crmkit.create("classifier", name, **CLASSIFIERS[name]).fit(X * UNITS + 7, LABELS)
    assert (plain.predict(X) == scaled.predict(X * UNITS + 7)).mean() > 0.99
    assert (plain.predict(X) == LABELS).mean() > 0.8


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_unit_of_a_column_or_of_the_target_changes_no_prediction(name):
    plain = crmkit.create("regressor", name, **REGRESSORS[name]).fit(X, NUMBERS)
    scaled = crmkit.create("regressor", name, **REGRESSORS[name]).fit(X * UNITS + 7, NUMBERS / 1e4)
    assert scaled.predict(X * UNITS + 7) * 1e4 == pytest.approx(plain.predict(X), rel=0.01)
    assert np.corrcoef(plain.predict(X), NUMBERS)[0, 1] > 0.9


def test_logistic_is_scikit_learns_on_scaled_columns():
    ours = prediction.ScaledLogistic(C=0.3).fit(X * UNITS, LABELS)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000)).fit(X * UNITS, LABELS)
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X))
    assert ours.classes_.tolist() == ["go", "stay"]
    assert ours.n_iter_ == theirs[-1].n_iter_


def test_coefficients_stand_in_original_units():
    table = X * UNITS + 3
    logistic = prediction.ScaledLogistic().fit(table, LABELS)
    assert table @ logistic.coef_[0] + logistic.intercept_[0] == pytest.approx(logistic.decision_function(table))
    ridge = prediction.ScaledRidge().fit(table, NUMBERS)
    assert table @ ridge.coef_ + ridge.intercept_ == pytest.approx(ridge.predict(table))


def test_coefficients_of_sparse_tables_stand_in_original_units():
    table = sparse.csr_matrix(np.where(X > 0.5, X, 0) * UNITS)
    logistic = prediction.ScaledLogistic().fit(table, LABELS)
    ridge = prediction.ScaledRidge().fit(table, NUMBERS)
    assert table @ logistic.coef_[0] + logistic.intercept_[0] == pytest.approx(logistic.decision_function(table))
    assert table @ ridge.coef_ + ridge.intercept_ == pytest.approx(ridge.predict(table))


def test_ridge_is_scikit_learns_on_scaled_columns():
    theirs = make_pipeline(StandardScaler(), Ridge(alpha=5)).fit(X, NUMBERS)
    assert prediction.ScaledRidge(alpha=5).fit(X, NUMBERS).predict(X) == pytest.approx(theirs.predict(X))


def test_support_vectors_are_scikit_learns_on_scaled_columns():
    theirs = make_pipeline(StandardScaler(), SVC(C=2)).fit(X, LABELS)
    ours = prediction.ScaledSVC(C=2).fit(X, LABELS)
    assert ours.decision_function(X) == pytest.approx(theirs.decision_function(X))


def test_a_constant_column_does_no_harm():
    table = np.column_stack([X, np.full(120, 7.0)])
    assert prediction.ScaledLogistic().fit(table, LABELS).predict_proba(table) == pytest.approx(
        prediction.ScaledLogistic().fit(X, LABELS).predict_proba(X), abs=1e-4
    )


def test_weights_stand_for_repeated_rows():
    weights = RNG.integers(1, 4, 120)
    repeated = np.repeat(np.arange(120), weights)
    weighted = prediction.ScaledRidge(alpha=0).fit(X, NUMBERS, sample_weight=weights)
    assert weighted.predict(X) == pytest.approx(
        prediction.ScaledRidge(alpha=0).fit(X[repeated], NUMBERS[repeated]).predict(X)
    )


def test_names_of_columns_are_kept_and_checked():
    frame = pd.DataFrame(X, columns=["recency_days", "frequency", "monetary"])
    model = prediction.ScaledLogistic().fit(frame, LABELS)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["monetary", "frequency", "recency_days"]])


def test_a_perceptron_gives_probabilities():
    model = crmkit.create("classifier", "mlp", random_state=0, early_stopping=True).fit(X, LABELS)
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert model.n_iter_ >= 1


@pytest.mark.parametrize("attribute", ["coef_", "intercept_", "n_iter_"])
def test_nothing_is_known_before_fitting(attribute):
    with pytest.raises(NotFittedError):
        getattr(prediction.ScaledLogistic(), attribute)


@pytest.mark.parametrize(
    ("kind", "name", "wrong"),
    [
        ("classifier", "logistic", {"C": 0}),
        ("classifier", "svm", {"kernel": "precomputed"}),
        ("classifier", "mlp", {"max_iter": 0}),
        ("regressor", "ridge", {"alpha": -1}),
        ("regressor", "svr", {"epsilon": -0.1}),
        ("classifier", "boosting", {"n_threads": 0}),
    ],
)
def test_parameters_that_mean_nothing_are_refused(kind, name, wrong):
    y = LABELS if kind == "classifier" else NUMBERS
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter of"):
        crmkit.create(kind, name, **wrong).fit(X, y)
