"""The conformance checks pass what is right and name what is wrong."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, ClusterMixin

import crmkit
from crmkit import PluginSpec
from crmkit.catalogue import SPECS
from crmkit.testing import ConformanceError, check_plugin, parametrize_with_plugin_checks, plugin_checks


class HonestSegmenter(ClusterMixin, BaseEstimator):
    """Splits at the mean of the first column."""

    def __init__(self, n_parts=2, random_state=None):
        self.n_parts = n_parts
        self.random_state = random_state

    def fit(self, X, y=None):  # noqa: ARG002 -- scikit-learn's signature
        self.cut_ = float(np.nanmean(np.asarray(X, dtype=float)[:, 0]))
        self.labels_ = self.predict(X)
        return self

    def predict(self, X):
        return (np.asarray(X, dtype=float)[:, 0] > self.cut_).astype(int)


class FloatLabels(HonestSegmenter):
    """Gives floats."""

    def predict(self, X):
        return super().predict(X).astype(float)


class Restless(HonestSegmenter):
    """Moves its cut at every prediction."""

    def predict(self, X):
        self.cut_ = float(np.mean(np.asarray(X, dtype=float)[:, 0]))
        return super().predict(X)


class Careless(HonestSegmenter):
    """Changes the caller's array."""

    def fit(self, X, y=None):  # noqa: ARG002 -- scikit-learn's signature
        X = np.asarray(X)
        X += 1
        return super().fit(X)


class Random(HonestSegmenter):
    """Ignores its seed."""

    def predict(self, X):
        return np.random.default_rng().integers(0, 2, len(X))


class Stubborn(HonestSegmenter):
    """Takes a number of segments and ignores it."""


class NoMethods:
    """Does nothing."""


class ConstantClassifier(ClassifierMixin, BaseEstimator):
    """Always answers with the first label."""

    def fit(self, X, y):  # noqa: ARG002 -- scikit-learn's signature
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1.0)


def upside_down(actual, predicted):
    """Share of wrong answers."""
    return float(np.mean(np.asarray(actual) != np.asarray(predicted)))


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch):
    module = types.ModuleType("plugins_under_test")
    for thing in (
        HonestSegmenter,
        FloatLabels,
        Restless,
        Careless,
        Random,
        Stubborn,
        NoMethods,
        ConstantClassifier,
        upside_down,
    ):
        setattr(module, thing.__name__, thing)
    monkeypatch.setitem(sys.modules, "plugins_under_test", module)


def spec(name, kind="segmenter", **given):
    given = {"tags": {"inductive"} if kind == "segmenter" else (), "summary": "Under test.", **given}
    return PluginSpec(kind=kind, name="under-test", target=f"plugins_under_test:{name}", **given)


def failed(report_or_error):
    return {
        line.split(":")[0].removeprefix("  - ")
        for line in str(report_or_error).splitlines()[1:]
        if line.startswith("  - ")
    }


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("FloatLabels", "labels_are_integers_one_a_row"),
        ("Restless", "prediction_places_without_moving"),
        ("Careless", "input_is_left_alone"),
        ("Random", "same_seed_gives_the_same_labels"),
        ("NoMethods", "has_the_methods"),
    ],
)
def test_a_broken_segmenter_fails_the_check_that_names_its_fault(name, broken):
    with pytest.raises(ConformanceError) as caught:
        check_plugin(spec(name))
    assert broken in failed(caught.value)


def test_a_segmenter_that_ignores_the_number_of_segments_is_told():
    with pytest.raises(ConformanceError) as caught:
        check_plugin(spec("Stubborn", facts={"n_segments": "n_parts"}))
    assert "number_of_segments_is_obeyed" in failed(caught.value)


def test_a_classifier_that_learns_nothing_and_gives_no_probabilities_is_told():
    with pytest.raises(ConformanceError) as caught:
        check_plugin(spec("ConstantClassifier", "classifier"))
    assert {"learns_an_easy_task", "probabilities_sum_to_one"} <= failed(caught.value)


def test_an_evaluator_that_points_the_wrong_way_is_told():
    given = {"inputs": ("actual", "predicted"), "facts": {"greater_is_better": True}}
    with pytest.raises(ConformanceError) as caught:
        check_plugin(spec("upside_down", "evaluator", **given))
    assert failed(caught.value) == {"prefers_the_right_predictions"}
    right = {**given, "facts": {"greater_is_better": False}}
    assert check_plugin(spec("upside_down", "evaluator", **right)).failed == ()


def test_a_spec_with_an_unknown_default_or_no_summary_is_told():
    with pytest.raises(ConformanceError) as caught:
        check_plugin(spec("HonestSegmenter", defaults={"n_pieces": 2}, summary=" "))
    assert {"defaults_are_parameters", "summary_is_a_sentence"} <= failed(caught.value)


def test_the_number_of_checks_is_printed(capsys):
    report = check_plugin(next(s for s in SPECS if s.name == "kmeans"))
    assert f"segmenter 'kmeans' (api 1): {report.ran} checks ran, 0 failed" in capsys.readouterr().out
    assert report.ran >= 15


def test_an_own_estimator_runs_scikit_learns_checks_too():
    names = [name for name, _ in plugin_checks(spec("HonestSegmenter"))]
    assert sum(name.startswith("scikit-learn:") for name in names) > 30


def test_an_expected_failure_is_counted_and_one_that_passes_is_a_failure():
    known = dict.fromkeys(
        [r.name for r in _results("FloatLabels") if r.status == "failed"], "labels are floats for a reason"
    )
    assert check_plugin(spec("FloatLabels"), expected_failures=known).failed == ()
    with pytest.raises(ConformanceError, match="take it off the list"):
        check_plugin(spec("FloatLabels"), expected_failures={**known, "has_the_methods": "wrongly listed"})
    with pytest.raises(ConformanceError, match="no check of that name"):
        check_plugin(spec("FloatLabels"), expected_failures={**known, "no_such_check": "wrongly listed"})


def _results(name):
    from crmkit.testing.conformance import _run

    return [_run(check_name, check, None) for check_name, check in plugin_checks(spec(name))]


def test_every_parameter_set_of_the_spec_is_checked():
    names = [name for name, _ in plugin_checks(spec("HonestSegmenter", test_params=({"n_parts": 2}, {"n_parts": 3})))]
    assert "has_the_methods[0]" in names
    assert "has_the_methods[1]" in names


def test_a_plugin_that_cannot_be_imported_says_so_at_once():
    with pytest.raises(crmkit.PluginLoadError):
        check_plugin(PluginSpec(kind="segmenter", name="x", target="no_such_module:X", summary="X."))


@parametrize_with_plugin_checks([s for s in SPECS if s.name == "kmeans"])
def test_the_decorator_gives_one_case_a_check(check):
    check()
