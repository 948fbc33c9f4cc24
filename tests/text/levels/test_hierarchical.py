"""Two levels of labels: the parent always fits, and its probability is the sum over its labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import text
from crmkit.core.errors import DataError

PARENTS = {"lost": "card", "late": "card", "missing": "refund", "wrong": "refund"}
WORDS = {"lost": "card lost gone", "late": "card waiting slow", "missing": "refund absent", "wrong": "refund amount"}


def messages(n=160, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice([*WORDS, "hello"], n)
    return [" ".join(rng.permutation(WORDS.get(label, "hello there").split())) for label in labels], labels


@pytest.fixture(params=["flat", "top-down"])
def model(request):
    return text.HierarchicalTextClassifier(PARENTS, method=request.param, cv=3, random_state=0).fit(*messages())


def test_both_levels_are_learned(model):
    texts, labels = messages(seed=1)
    assert model.score(texts, labels) == 1
    assert model.predict_parent(texts).tolist() == [PARENTS.get(label, label) for label in labels]
    assert model.parent_classes_.tolist() == ["card", "hello", "refund"]


def test_the_parent_always_fits_and_its_probability_is_the_sum(model):
    strange = ["card refund", "refund lost", "", "hello card waiting amount", "今天天气真好"]
    labels, parents = model.predict(strange), model.predict_parent(strange)
    assert parents.tolist() == [PARENTS.get(label, label) for label in labels]
    chances, upper = model.predict_proba(strange), model.predict_parent_proba(strange)
    assert chances.sum(axis=1) == pytest.approx(1)
    for place, parent in enumerate(model.parent_classes_):
        mine = [PARENTS.get(label, label) == parent for label in model.classes_]
        assert upper[:, place] == pytest.approx(chances[:, mine].sum(axis=1))


def test_scores_of_parents_are_not_given_for_those_of_labels(model):
    assert not hasattr(model, "decision_function")


def test_one_parent_only_and_parents_of_two_kinds_are_errors():
    texts, labels = messages()
    with pytest.raises(DataError, match="one parent"):
        text.HierarchicalTextClassifier(dict.fromkeys([*WORDS, "hello"], "all")).fit(texts, labels)
    with pytest.raises(DataError, match="of one kind"):
        text.HierarchicalTextClassifier({"lost": 1}).fit(texts, labels)
    with pytest.raises(DataError, match="within parent 0 of parent_classes_: no class has two texts"):
        text.HierarchicalTextClassifier({"a": "p", "b": "p", "c": "q"}, method="top-down", cv=2).fit(
            ["one", "two", "three", "four"], ["a", "b", "c", "c"]
        )


def test_it_is_saved_and_comes_back_the_same(tmp_path, model):
    pytest.importorskip("skops")
    crmkit.save(model, tmp_path / "model.crmkit")
    texts, _ = messages(seed=2)
    assert np.array_equal(crmkit.load(tmp_path / "model.crmkit").predict_proba(texts), model.predict_proba(texts))


@pytest.mark.slow
def test_flat_and_top_down_are_near_each_other_on_bank_messages(data_file):
    train = pd.read_csv(data_file("banking77/train.csv")).iloc[::4]
    test = pd.read_csv(data_file("banking77/test.csv"))
    # The first word of an intent ("card", "top", "transfer", …) stands for its parent.
    parents = {label: label.lower().split("_")[0] for label in train["category"].unique()}
    scores = {}
    for method in ("flat", "top-down"):
        model = text.HierarchicalTextClassifier(parents, method=method, cv=2, random_state=0)
        scores[method] = model.fit(train["text"], train["category"]).score(test["text"], test["category"])
    assert min(scores.values()) > 0.78
    assert scores["flat"] == pytest.approx(scores["top-down"], abs=0.02)
