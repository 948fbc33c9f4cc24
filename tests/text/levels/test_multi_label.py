"""Any number of labels a text, with a threshold for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import f1_score

import crmkit
from crmkit import text
from crmkit.core.errors import DataError
from crmkit.text.levels._multi_label import _best_threshold

WORDS = {"late": ["late", "slow"], "cold": ["cold", "frozen"], "rude": ["rude", "shouted"], "送": ["送错了", "没送"]}


def messages(n=300, seed=0):
    rng = np.random.default_rng(seed)
    sets = [{label for label in WORDS if rng.uniform() < 0.3} for _ in range(n)]
    fill = ["the", "was", "again", "very"]
    said = [[*(str(rng.choice(WORDS[label])) for label in sorted(one)), str(rng.choice(fill))] for one in sets]
    return [" ".join(rng.permutation(words)) for words in said], sets


@pytest.fixture(scope="module")
def model():
    return text.MultiLabelTextClassifier(cv=3, random_state=0).fit(*messages())


def test_every_set_of_labels_is_found_none_included(model):
    texts, sets = messages(100, seed=1)
    found = model.predict_sets(texts)
    assert np.mean([set(one) == other for one, other in zip(found, sets, strict=True)]) > 0.95
    assert () in found
    assert model.predict_sets([]) == []


def test_zeros_and_ones_give_the_same_as_sets(model):
    texts, sets = messages()
    table = pd.DataFrame([[label in one for label in sorted(WORDS)] for one in sets], columns=sorted(WORDS))
    for given in (table, table.astype(int)):
        other = text.MultiLabelTextClassifier(cv=3, random_state=0).fit(texts, given)
        assert other.classes_.tolist() == sorted(WORDS)
        assert np.array_equal(other.predict(texts), model.predict(texts))
    assert text.MultiLabelTextClassifier(cv=3).fit(texts, table.to_numpy()).classes_.tolist() == [0, 1, 2, 3]


def test_what_was_tried_agrees_with_scikit_learn_on_new_texts(model):
    texts, sets = messages(300, seed=2)
    actual = np.array([[label in one for label in model.classes_.tolist()] for one in sets])
    assert model.micro_f1_ == pytest.approx(f1_score(actual, model.predict(texts), average="micro"), abs=0.03)
    assert model.macro_f1_ == pytest.approx(f1_score(actual, model.predict(texts), average="macro"), abs=0.03)
    assert model.tried_["n"].tolist() == [sum(label in one for one in messages()[1]) for label in model.classes_]
    assert model.tried_["f1"].mean() == pytest.approx(model.macro_f1_)


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_has_the_best_f1_there_is(seed):
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=60), 1)
    has = rng.uniform(size=60) < 0.3
    best = max(f1_score(has, scores >= at) for at in set(scores))
    assert f1_score(has, scores >= _best_threshold(scores, has)) == pytest.approx(best)


def test_rare_labels_share_a_threshold():
    texts, sets = messages()
    model = text.MultiLabelTextClassifier(cv=3, random_state=0)
    tried = model.fit([*texts, "a refund"], [*sets, ["refund"]]).tried_
    assert tried["shared"].to_dict() == {**dict.fromkeys(WORDS, False), "refund": True}


def test_a_clone_and_another_vectorizer_fit_too(model):
    texts, sets = messages()
    assert np.array_equal(clone(model).fit(texts, sets).predict(texts), model.predict(texts))
    words = text.TextFeatures(chars=(0, 0))
    text.MultiLabelTextClassifier(features=words, cv=2).fit(texts, sets)
    assert not hasattr(words, "n_columns_")


def test_it_is_saved_and_comes_back_the_same(tmp_path, model):
    pytest.importorskip("skops")
    crmkit.save(model, tmp_path / "model.crmkit")
    texts, _ = messages(50, seed=3)
    assert np.array_equal(crmkit.load(tmp_path / "model.crmkit").predict(texts), model.predict(texts))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([["a"], "b"], "set, list or tuple of labels a text .*row 1 do not"),
        ([["a"], None], "row 1 do not"),
        ([[], []], "nothing to learn"),
        (np.array([[0, 1], [2, 1]]), "row 1 hold something else"),
        ([["a"]], "as long: 2 texts and 1 sets"),
    ],
)
def test_what_are_no_sets_of_labels_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        text.MultiLabelTextClassifier().fit(["one", "two"], y)
    assert issubclass(DataError, ValueError)
