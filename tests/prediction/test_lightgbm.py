"""Boosting by LightGBM: the same names and parameters, deterministic, saved as text."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import DataError, MissingExtraError, PluginLoadError, prediction
from crmkit.prediction import _lightgbm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4))
LABELS = np.where(X[:, 0] * X[:, 1] + 0.3 * RNG.normal(size=400) > 0, "stay", "go")
NUMBERS = X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=400)


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    try:
        _lightgbm.lightgbm()
    except (MissingExtraError, PluginLoadError) as error:
        pytest.skip(str(error))


def _made(kind="classifier", **parameters):
    return crmkit.create(kind, "boosting", engine="lightgbm", **parameters)


def test_it_predicts_about_what_scikit_learn_does():
    ours = _made().fit(X, LABELS)
    theirs = crmkit.create("classifier", "boosting").fit(X, LABELS)
    assert np.corrcoef(ours.decision_function(X), theirs.decision_function(X))[0, 1] > 0.97
    assert np.abs(ours.predict_proba(X) - theirs.predict_proba(X)).mean() < 0.05
    assert ours.classes_.tolist() == ["go", "stay"]
    assert ours.n_iter_ == theirs.n_iter_ == 150
    number = _made("regressor").fit(X, NUMBERS).predict(X)
    assert np.corrcoef(number, crmkit.create("regressor", "boosting").fit(X, NUMBERS).predict(X))[0, 1] > 0.98


def test_more_than_two_labels():
    labels = np.digitize(X[:, 0], [-0.5, 0.5])
    model = _made(max_iter=40).fit(X, labels)
    assert (model.predict(X) == labels).mean() > 0.95
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert model.decision_function(X).shape == (400, 3)


def test_the_same_call_gives_the_same_model_on_one_thread_and_on_two():
    given = {"max_features": 0.5, "random_state": 3, "max_iter": 40}
    one, again, two = (_made(n_threads=n, **given).fit(X, LABELS).predict_proba(X) for n in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    np.testing.assert_allclose(one, two, atol=1e-12)
    other = _made(**given | {"random_state": 4}).fit(X, LABELS).predict_proba(X)
    assert not np.array_equal(one, other)


def test_it_is_saved_as_text_and_loaded_without_pickle(tmp_path):
    table = pd.DataFrame({"plan": RNG.choice(["a", "b", "c"], 400), "age": np.where(X[:, 2] > 1, np.nan, X[:, 0])})
    model = _made(max_iter=20).fit(table, LABELS)
    crmkit.save(model, tmp_path / "model.crmkit")
    np.testing.assert_array_equal(
        crmkit.load(tmp_path / "model.crmkit").predict_proba(table), model.predict_proba(table)
    )


def test_weights_of_labels_and_rows_multiply():
    heavy = _made(class_weight={"go": 5.0, "stay": 1.0}, max_iter=30).fit(X, LABELS)
    rows = _made(max_iter=30).fit(X, LABELS, np.where(LABELS == "go", 5.0, 1.0))
    np.testing.assert_allclose(heavy.predict_proba(X), rows.predict_proba(X))
    assert heavy.predict_proba(X)[:, 0].mean() > _made(max_iter=30).fit(X, LABELS).predict_proba(X)[:, 0].mean()


def test_it_stops_early_where_asked_to():
    model = _made(max_iter=500, early_stopping=True, random_state=0).fit(X, LABELS)
    assert 0 < model.n_iter_ < 500


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "gamma", "poisson", "quantile"])
def test_every_loss_means_the_same(loss):
    amounts = np.exp(X[:, 0])
    given = {"loss": loss, "quantile": 0.9 if loss == "quantile" else None}
    ours, theirs = _made("regressor", **given).fit(X, amounts), prediction.BoostingRegressor(**given).fit(X, amounts)
    assert ours.predict(X).mean() == pytest.approx(theirs.predict(X).mean(), rel=0.1)
    assert np.corrcoef(ours.predict(X), theirs.predict(X))[0, 1] > 0.9


def test_effects_are_kept_rising():
    model = _made("regressor", monotonic_cst=[1, 0, 0, 0]).fit(X, -X[:, 0])
    line = np.column_stack([np.linspace(-2, 2, 50), np.zeros((50, 3))])
    assert (np.diff(model.predict(line)) >= -1e-12).all()


def test_codes_of_categories_have_no_order():
    codes = RNG.integers(0, 20, 400).astype(float)
    odd = (codes % 2 == 1).astype(int)
    given = {"max_iter": 3, "max_leaf_nodes": 2, "learning_rate": 0.5}
    known = _made(categorical_features=[0], **given).fit(codes[:, None], odd)
    assert (known.predict(codes[:, None]) == odd).mean() > (
        _made(**given).fit(codes[:, None], odd).predict(codes[:, None]) == odd
    ).mean()
    with pytest.raises(DataError, match="in tables, categories are found by their type"):
        _made(categorical_features=["code"]).fit(pd.DataFrame({"code": codes}), odd)


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'crmkit\[boost\]'"):
        _made().fit(X, LABELS)


def test_a_library_that_does_not_load_is_told_apart_from_one_that_is_absent(monkeypatch):
    def refuse(*_):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(_lightgbm, "require_extra", refuse)
    with pytest.raises(PluginLoadError, match="install OpenMP") as caught:
        _made().fit(X, LABELS)
    assert isinstance(caught.value.__cause__, OSError)


def test_fitting_anew_by_the_other_engine_forgets_the_first():
    model = _made(max_iter=10).fit(X, LABELS)
    theirs = model.set_params(engine="scikit-learn").fit(X, LABELS)
    assert not hasattr(theirs, "booster_")
    assert theirs.n_iter_ == 10
    assert theirs.predict(X).shape == (400,)


@pytest.mark.parametrize("constraint", [{"a[1],{": 1}, [1, 0]])
def test_an_effect_may_be_made_to_rise_by_name_or_place(constraint):
    table = pd.DataFrame({"a[1],{": X[:, 0], "b": X[:, 1]})
    noisy = table["a[1],{"] + RNG.normal(size=400)
    model = _made("regressor", monotonic_cst=constraint).fit(table, noisy)
    steps = pd.DataFrame({"a[1],{": np.linspace(-2, 2, 50), "b": 0.0})
    assert (np.diff(model.predict(steps)) >= 0).all()
    free = _made("regressor").fit(table, noisy)
    assert (np.diff(free.predict(steps)) < 0).any()


@pytest.mark.parametrize("constraint", [[1, 0], [1, 0, 0, 7], {"unknown": 1}])
def test_constraints_that_do_not_fit_are_refused_as_scikit_learn_does(constraint):
    table = pd.DataFrame(X, columns=list("abcd"))
    with pytest.raises(ValueError, match="monotonic_cst") as theirs:
        crmkit.create("classifier", "boosting", monotonic_cst=constraint).fit(table, LABELS)
    with pytest.raises(ValueError, match="monotonic_cst") as ours:
        _made(monotonic_cst=constraint).fit(table, LABELS)
    assert str(ours.value) == str(theirs.value)


def test_what_does_not_fit_the_labels_or_columns_is_refused():
    with pytest.raises(DataError, match="monotonic_cst is for numbers and two labels"):
        _made(monotonic_cst=[1, 0, 0, 0]).fit(X, np.digitize(X[:, 0], [-0.5, 0.5]))
    with pytest.raises(DataError, match="class_weight names labels that y does not have: 'leave'"):
        _made(class_weight={"leave": 2.0}).fit(X, LABELS)
    for places in ([7], [-1], [True, False]):
        with pytest.raises(DataError, match="categorical_features do not fit the 4 columns"):
            _made(categorical_features=places).fit(X, LABELS)


def test_words_where_numbers_are_predicted_are_refused_without_being_shown():
    with pytest.raises(DataError, match="y holds something else than numbers: to predict labels, take a classifier"):
        _made("regressor").fit(X, LABELS)
