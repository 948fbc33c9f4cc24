from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as peer

import crmkit
from crmkit import DataError, PluginSpec, UnknownPluginError, metrics
from crmkit.testing import check_plugin

EVALUATORS = [spec for spec in crmkit.available() if spec.kind == "evaluator"]


def _worst(actual, predicted):
    return np.max(np.abs(actual - predicted))


@pytest.mark.parametrize("spec", EVALUATORS, ids=lambda spec: spec.name)
def test_every_evaluator_says_which_way_is_better(spec):
    assert isinstance(spec.facts["greater_is_better"], bool)
    assert spec.inputs


@pytest.mark.parametrize("spec", EVALUATORS, ids=lambda spec: spec.name)
def test_every_evaluator_passes_the_kit(spec):
    assert not check_plugin(spec).failed


@pytest.mark.parametrize("name", ["csat", "nps", "ces", "preference"])
def test_evaluators_of_marks_give_an_estimate(name):
    got = crmkit.create("evaluator", name)([5, 4, 1])
    assert isinstance(got, crmkit.Estimate)
    assert got.n == 3


@pytest.mark.parametrize(
    ("named", "greater", "responses"),
    [
        ("rmse", False, ("predict",)),
        ("f1", True, ("predict",)),
        ("log-loss", False, ("predict_proba",)),
        ("roc-auc", True, ("decision_function", "predict_proba")),
        ("crmkit:accuracy", True, ("predict",)),
        ("neg_mean_squared_error", True, ("predict",)),
        ("neg_log_loss", True, ("predict_proba",)),
        (peer.f1_score, True, ("predict",)),
        (peer.log_loss, False, ("predict_proba",)),
        (peer.roc_auc_score, True, ("decision_function", "predict_proba")),
        (peer.mean_absolute_error, False, ("predict",)),
        (peer.hamming_loss, False, ("predict",)),
        (peer.cohen_kappa_score, True, ("predict",)),
        (peer.mean_tweedie_deviance, False, ("predict",)),
        (partial(peer.fbeta_score, beta=2), True, ("predict",)),
        (peer.make_scorer(peer.mean_squared_error, greater_is_better=False), True, ("predict",)),
        (metrics.rmse, False, ("predict",)),
        (_worst, None, ("predict",)),
        (metrics.evaluator(_worst, greater_is_better=False), False, ("predict",)),
    ],
)
def test_whatever_names_a_figure_says_its_direction_and_response(named, greater, responses):
    got = metrics.resolve(named)
    assert got.greater_is_better is greater
    assert got.responses == responses


def test_a_spec_that_is_not_installed_serves():
    spec = PluginSpec(
        kind="evaluator",
        name="median-error",
        target="sklearn.metrics:median_absolute_error",
        summary="Median error.",
        inputs=("actual", "predicted"),
        facts={"response": "predict", "greater_is_better": False},
    )
    got = metrics.resolve(spec)
    assert got.name == "median-error"
    assert got.value([1.0, 2.0, 3.0], [1.0, 2.0, 9.0]) == 0


def test_a_negated_scorer_gives_the_negated_figure_and_interval():
    actual, predicted = np.arange(20.0), np.arange(20.0) + np.tile([1, 3], 10)
    plain = metrics.resolve(metrics.mse).estimate(actual, predicted)
    negated = metrics.resolve(peer.make_scorer(metrics.mse, greater_is_better=False)).estimate(actual, predicted)
    assert (negated, negated.low, negated.high) == (-plain, -plain.high, -plain.low)
    outsider = metrics.resolve("neg_mean_squared_error").estimate(actual, predicted)
    assert outsider == pytest.approx(-plain)
    assert outsider.low < outsider < outsider.high
    assert outsider.method == "bootstrap"


def test_options_reach_the_figure():
    actual, predicted = ["yes", "no", "no"], ["yes", "yes", "no"]
    f1 = metrics.resolve(crmkit.create("evaluator", "f1", average="binary", positive="yes"))
    assert f1.value(actual, predicted) == pytest.approx(2 / 3)
    beta = metrics.resolve(partial(peer.fbeta_score, beta=2, pos_label="yes"))
    assert beta.value(actual, predicted, classes=np.array(["no", "yes"])) == pytest.approx(5 / 6)


def test_outsiders_learn_which_of_two_named_labels_is_positive():
    actual, predicted = np.array(["no", "yes", "yes"]), np.array(["no", "yes", "no"])
    got = metrics.resolve(peer.f1_score).value(actual, predicted, classes=np.array(["no", "yes"]))
    assert got == pytest.approx(2 / 3)
    macro = metrics.resolve("f1_macro").value(actual, predicted, classes=np.array(["no", "yes"]))
    assert macro == pytest.approx(peer.f1_score(actual, predicted, average="macro"))


def test_only_the_figure_is_worked_out_where_no_interval_is_wanted():
    rng = np.random.default_rng(0)
    actual, predicted = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    got = metrics.resolve("f1")
    assert got.value(actual, predicted) == got.estimate(actual, predicted).value


@pytest.mark.parametrize(
    ("named", "error", "match"),
    [
        ("csat", DataError, "a figure of ratings, not of actual and predicted"),
        ("silhouette", DataError, "a figure of table, labels"),
        ("acuracy", UnknownPluginError, "nearest: accuracy.*scikit-learn's scorers"),
        (7, DataError, "got int"),
        (peer.f1_score.__class__, DataError, "got type"),
    ],
)
def test_what_is_no_figure_of_predictions_is_refused(named, error, match):
    with pytest.raises(error, match=match):
        metrics.resolve(named)


def test_a_mapping_names_the_figures():
    got = metrics.resolve_all({"error": "mae", "worst": _worst})
    assert [one.name for one in got] == ["error", "worst"]
    assert got[0].greater_is_better is False


@pytest.mark.parametrize(
    ("evaluators", "match"), [([], "at least one"), (["f1", metrics.f1], "two evaluators have one name")]
)
def test_lists_without_names_of_their_own_are_refused(evaluators, match):
    with pytest.raises(DataError, match=match):
        metrics.resolve_all(evaluators)


@pytest.mark.parametrize("wrong", [{"response": "transform"}, {"response": ()}, {"pool": "all"}])
def test_a_wrapped_function_must_say_what_exists(wrong):
    with pytest.raises(DataError, match="must be"):
        metrics.evaluator(_worst, greater_is_better=False, **wrong)


def test_a_function_without_a_signature_serves():
    got = metrics.evaluator(max, greater_is_better=True)
    assert got.name == "max"
    assert got.function is max
