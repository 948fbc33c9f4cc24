"""Probabilities from the scores of any classifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestCentroid

import crmkit
from crmkit import metrics, text
from crmkit.core.errors import DataError
from crmkit.testing.text_checks import TEXT_CHECKS
from crmkit.text.rejecting._temperature import fit_temperature, soften

NAMES = crmkit.available("classifier", tags=["text"])
WORDS = {"card": ["card", "pin", "chip"], "refund": ["refund", "money", "back"], "login": ["login", "password", "app"]}


def messages(n=60, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(WORDS), n)
    other = rng.choice(list(WORDS), n)
    told = np.where(rng.uniform(size=n) < noise, other, labels)
    fill = ["please", "help", "my", "the", "now", "again"]
    return [f"{rng.choice(fill)} {rng.choice(WORDS[kind])} {rng.choice(fill)}" for kind in told], labels


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_the_list_for_text_classifiers_passes(check, method):
    check(lambda: text.CalibratedTextClassifier("text-svm", method=method, cv=3))


@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_can_be_calibrated(name):
    texts, labels = messages()
    model = text.CalibratedTextClassifier(name, cv=2, random_state=0).fit(texts, labels)
    chances = model.predict_proba(texts)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert model.predict(texts).tolist() == model.classes_[chances.argmax(axis=1)].tolist()


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_the_temperature_that_made_the_labels_is_found_again(temperature):
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 3, (20_000, 4))
    chances = soften(scores, temperature)
    codes = (chances.cumsum(axis=1) < rng.uniform(size=(20_000, 1))).sum(axis=1)
    assert fit_temperature(scores, codes) == pytest.approx(temperature, rel=0.05)


def test_two_classes_get_one_sigmoid():
    rng = np.random.default_rng(2)
    margin = rng.normal(0, 2, 5_000)
    codes = (rng.uniform(size=5_000) < 1 / (1 + np.exp(-3 * margin))).astype(int)
    scores = np.column_stack([-margin, margin])
    assert 2 / fit_temperature(scores, codes) == pytest.approx(3, rel=0.1)


def test_scores_without_a_mistake_are_not_made_certain():
    scores = np.tile([[1.0, -1.0], [-1.0, 1.0]], (50, 1))
    chances = soften(scores, fit_temperature(scores, np.tile([0, 1], 50)))
    assert 0.98 < chances.max() < 1


def test_equal_scores_are_no_error():
    assert np.isfinite(fit_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0])))


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_probabilities_are_nearer_to_what_happens(method):
    texts, labels = messages(600)
    new, actual = messages(600, seed=1)
    model = text.CalibratedTextClassifier("text-naive-bayes", method=method, random_state=0).fit(texts, labels)
    error = metrics.ece(actual, model.predict_proba(new))
    assert error < metrics.ece(actual, model.estimator_.predict_proba(new))
    assert error < 0.10


def test_a_temperature_changes_no_label():
    texts, labels = messages()
    model = text.CalibratedTextClassifier(random_state=0).fit(texts, labels)
    assert model.predict(texts).tolist() == model.estimator_.predict(texts).tolist()


def test_the_weights_of_an_explanation_add_up_to_the_score_within():
    texts, labels = messages()
    model = text.CalibratedTextClassifier(random_state=0).fit(texts, labels)
    found = text.explain(model, texts[:5])
    scores = model.decision_function(texts[:5])
    assert found.groupby("text_id")["weight"].sum().to_numpy() == pytest.approx(scores.max(axis=1))
    assert found.groupby("text_id")["label"].first().tolist() == model.predict(texts[:5]).tolist()


def test_a_class_with_one_text_is_learned_and_not_tried():
    texts, labels = messages()
    model = text.CalibratedTextClassifier(random_state=0).fit([*texts, "天气真好"], [*labels, "weather"])
    assert model.predict(["天气真好"]).tolist() == ["weather"]
    with pytest.raises(DataError, match="no class has two texts"):
        text.CalibratedTextClassifier(random_state=0).fit(["a card", "a refund"], ["c", "r"])


def test_tables_with_columns_beside_the_text_are_taken():
    frame = pd.DataFrame({"text": ["help me"] * 40, "channel": ["phone", "chat"] * 20})
    model = text.CalibratedTextClassifier(random_state=0).fit(frame, ["a", "b"] * 20)
    assert model.predict(frame).tolist() == ["a", "b"] * 20
    assert text.explain(model, frame[:1]).shape[0] > 1


def test_search_reaches_the_classifier_within():
    texts, labels = messages()
    model = text.CalibratedTextClassifier(text.TextSVM(random_state=0), cv=2, random_state=0)
    search = GridSearchCV(model, {"estimator__C": [0.1, 1.0]}, cv=2, error_score="raise").fit(texts, labels)
    assert search.best_params_["estimator__C"] == search.best_estimator_.estimator_.C


def test_retuning_on_texts_held_back_changes_only_the_temperature():
    texts, labels = messages(200)
    model = text.CalibratedTextClassifier(random_state=0).fit(texts, labels)
    before, scores = model.temperature_, model.decision_function(texts)
    model.retune(*messages(300, seed=5, noise=0.9))
    assert model.temperature_ > before
    assert np.array_equal(model.decision_function(texts), scores)
    with pytest.raises(DataError, match="1 have others"):
        model.retune(["x"], ["weather"])


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_it_is_saved_and_comes_back_the_same(tmp_path, method):
    pytest.importorskip("skops")
    texts, labels = messages()
    model = text.CalibratedTextClassifier(method=method, random_state=0).fit(texts, labels)
    crmkit.save(model, tmp_path / "model.crmkit")
    back = crmkit.load(tmp_path / "model.crmkit")
    assert np.array_equal(back.predict_proba(texts), model.predict_proba(texts))


def test_a_classifier_without_scores_is_refused():
    texts, labels = messages()

    class Silent(NearestCentroid):
        decision_function = None
        predict_proba = None

        def fit(self, _, y):
            self.classes_ = np.unique(y)
            return self

    with pytest.raises(TypeError, match="neither decision_function nor predict_proba"):
        text.CalibratedTextClassifier(Silent()).fit(texts, labels)


@pytest.mark.slow
def test_one_temperature_makes_bank_messages_honest(data_file):
    train = pd.read_csv(data_file("banking77/train.csv"))
    test = pd.read_csv(data_file("banking77/test.csv"))
    model = text.CalibratedTextClassifier("text-svm", random_state=0).fit(train["text"], train["category"])
    # Measured elsewhere on the same set: .816 as the softmax of the scores, .035 after one out-of-fold temperature.
    assert metrics.ece(test["category"], model.predict_proba(test["text"])) <= 0.040
    raw = soften(model.decision_function(test["text"]), 1.0)
    assert metrics.ece(test["category"], raw) > 0.75
    assert model.score(test["text"], test["category"]) >= 0.912
