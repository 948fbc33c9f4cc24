"""Any number of labels a text, with a threshold for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
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
        (None, "the target y is None"),
        ([{"a"}, {None}], "not missing; not so in row 1"),
        ([{float("nan")}, {"a"}], "not missing; not so in row 0"),
    ],
)
def test_what_are_no_sets_of_labels_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        text.MultiLabelTextClassifier().fit(["one", "two"], y)
    assert issubclass(DataError, ValueError)


def test_labels_are_all_text_or_all_numbers():
    with pytest.raises(TypeError, match="all text or all numbers"):
        text.MultiLabelTextClassifier().fit(["one", "two"], [{"a"}, {1}])


def test_sparse_zeros_and_ones_and_lists_of_arrow_are_labels_too(model):
    texts, sets = messages()
    table = np.array([[label in one for label in sorted(WORDS)] for one in sets])
    other = text.MultiLabelTextClassifier(cv=3, random_state=0).fit(texts, sparse.csr_matrix(table.astype(int)))
    assert np.array_equal(other.predict(texts), model.predict(texts))
    pyarrow = pytest.importorskip("pyarrow")
    other = text.MultiLabelTextClassifier(cv=3, random_state=0).fit(texts, pyarrow.array([sorted(one) for one in sets]))
    assert other.predict_sets(texts) == model.predict_sets(texts)


def test_columns_beside_the_text_are_learned_from_and_asked_for():
    texts, sets = messages()
    through = np.where([("rude" in one) for one in sets], "phone", "chat")
    frame = pd.DataFrame({"message": [said.replace("rude", "").replace("shouted", "") for said in texts]})
    frame = frame.assign(channel=through).set_index(np.zeros(len(frame), dtype=int))
    model = text.MultiLabelTextClassifier(text_column="message", cv=3, random_state=0).fit(frame, sets)
    assert model.columns_ == ["channel"]
    assert model.tried_.loc["rude", "f1"] == 1
    alone = text.MultiLabelTextClassifier(columns=None, text_column="message", cv=3, random_state=0).fit(frame, sets)
    assert alone.tried_.loc["rude", "f1"] < 0.9
    with pytest.raises(DataError, match="fitted with the columns channel"):
        model.predict(frame["message"])


def test_an_encoder_gives_the_features():
    texts, sets = messages()
    model = text.MultiLabelTextClassifier(features=text.WordVectors(dimensions=10), cv=2, random_state=0)
    assert model.fit(texts, sets).coef_.shape == (4, 10)
    # Giving the label to every text would have .46.
    assert model.tried_.loc["cold", "f1"] > 0.7


def test_each_label_given_is_explained_and_the_nearest_where_none_is(model):
    texts = ["late and cold", "the was", "rude"]
    assert model.predict_sets(texts) == [("cold", "late"), (), ("rude",)]
    found = text.explain(model, texts)
    assert found.groupby("text_id", sort=False)["label"].unique().map(list).tolist()[0] == ["cold", "late"]
    assert len(found.loc[found["text_id"] == 1, "label"].unique()) == 1
    sums = found.groupby(["text_id", "label"])["weight"].sum()
    scores = model.decision_function(texts)
    for (row, label), total in sums.items():
        assert total == pytest.approx(scores[row, model.classes_.tolist().index(label)])
    words = found[found["end"] > 0].sort_values("weight").groupby(["text_id", "label"])["span"].last()
    assert words[(0, "late")] == "late"
    assert words[(0, "cold")] == "cold"
    one = text.explain(model, texts, labels="late")
    assert one.loc[one["text_id"] == 0, "weight"].sum() == pytest.approx(sums[(0, "late")])


def test_columns_are_among_the_explanations():
    texts, sets = messages()
    frame = pd.DataFrame({"text": texts, "channel": ["phone" if "rude" in one else "chat" for one in sets]})
    model = text.MultiLabelTextClassifier(cv=2, random_state=0).fit(frame, sets)
    found = text.explain(model, frame[:20], labels="rude")
    assert np.allclose(
        found.groupby("text_id")["weight"].sum(),
        model.decision_function(frame[:20])[:, model.classes_.tolist().index("rude")],
    )
    assert {"channel=phone", "channel=chat"} <= set(found["span"])
