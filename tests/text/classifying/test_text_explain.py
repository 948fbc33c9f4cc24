"""Explanations add up to the score and point into the original text."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

import crmkit
from crmkit import text
from crmkit.core.errors import DataError

LINEAR = ("text-svm", "text-logistic", "text-ridge", "text-naive-bayes")
TEXTS = [
    "Where is my card? It’s lost",
    "我要退款，退款一直没到账！",
    "请帮我cancel我的order 12,345",
    "ＲＥＦＵＮＤ ① please 👍🏽",
    "the card, the card",
    "",
]


def fitted(name, n_classes=3, **params):
    labels = ["card", "refund", "order"][:n_classes]
    train = [*TEXTS[:3], "new card please", "退款 refund", "order 订单"]
    y = [labels[place % n_classes] for place in range(6)]
    return crmkit.create("classifier", name, random_state=0, **params).fit(train, y)


def score_of_label(model, texts, places):
    scores = model.decision_function(texts)
    if scores.ndim == 1:
        return np.where(places == 1, scores, -scores)
    return scores[np.arange(len(places)), places]


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("segmenter", [None, lambda run: [run[:2], run[2:]]])
def test_weights_add_up_to_the_score(name, n_classes, segmenter):
    model = fitted(name, n_classes)
    found = text.explain(model, TEXTS, segmenter=segmenter)
    places = np.searchsorted(model.classes_, model.predict(TEXTS))
    total = found.groupby("text_id")["weight"].sum().to_numpy()
    assert total == pytest.approx(score_of_label(model, TEXTS, places), rel=1e-9, abs=1e-9)
    assert found.groupby("text_id")["label"].first().tolist() == model.predict(TEXTS).tolist()


@pytest.mark.parametrize("name", LINEAR)
def test_any_label_can_be_explained(name):
    model = fitted(name)
    for place, label in enumerate(model.classes_):
        total = text.explain(model, TEXTS, labels=label).groupby("text_id")["weight"].sum().to_numpy()
        assert total == pytest.approx(model.decision_function(TEXTS)[:, place], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "features",
    [
        text.TextFeatures(min_df=2),
        text.TextFeatures(sublinear=True, signs=False),
        text.TextFeatures(weighting="count", chars=(0, 0)),
        text.TextFeatures(segmenter=lambda run: [run[:2], run[2:]], han=(1, 2)),
    ],
)
def test_any_setting_of_the_features_adds_up(features):
    model = fitted("text-svm", features=features)
    found = text.explain(model, TEXTS, segmenter=None)
    places = np.searchsorted(model.classes_, model.predict(TEXTS))
    assert found.groupby("text_id")["weight"].sum().to_numpy() == pytest.approx(score_of_label(model, TEXTS, places))


def test_spans_are_stretches_of_the_original():
    found = text.explain(fitted("text-svm"), TEXTS, segmenter=None)
    words = found[found["end"] > 0]
    assert all(TEXTS[row.text_id][row.start : row.end] == row.span for row in words.itertuples())
    assert words[words["text_id"] == 3]["span"].tolist() == ["ＲＥＦＵＮＤ", "①", "please", "👍", "🏽"]
    assert found.columns.tolist() == ["text_id", "label", "start", "end", "span", "weight"]


def test_the_word_that_decides_weighs_most():
    model = text.TextSVM(random_state=0).fit(["my card please", "my refund please"] * 2, ["card", "refund"] * 2)
    found = text.explain(model, ["my refund please"])
    assert found.loc[found["weight"].idxmax(), "span"] == "refund"
    against = text.explain(model, ["my refund please"], labels="card")
    assert against.loc[against["weight"].idxmin(), "span"] == "refund"


def test_weights_of_characters_become_those_of_words():
    model = fitted("text-svm")
    letters = text.explain(model, ["我要退款"], segmenter=None)
    words = text.explain(model, ["我要退款"], segmenter=lambda run: [run[:2], run[2:]])
    assert words["span"].tolist() == ["", "我要", "退款"]
    assert words["weight"].iloc[2] == pytest.approx(letters["weight"].iloc[3:5].sum())


def test_columns_beside_the_text_have_rows_of_their_own():
    frame = pd.DataFrame({"text": ["please help"] * 6, "channel": ["phone", "chat"] * 3})
    model = text.TextLogistic().fit(frame, ["a", "b"] * 3)
    found = text.explain(model, frame[:2])
    assert found.groupby("text_id")["weight"].sum().to_numpy() == pytest.approx(
        np.abs(model.decision_function(frame[:2]))
    )
    assert found["span"].tolist()[:4] == ["", "channel=phone", "please", "help"]
    assert (found.loc[found["span"].str.startswith("channel="), "weight"] > 0).all()


def test_no_texts_have_no_rows():
    assert len(text.explain(fitted("text-svm"), [])) == 0


@pytest.mark.parametrize("name", ["text-tree", "text-forest", "text-mlp"])
def test_only_linear_classifiers_are_explained(name):
    with pytest.raises(TypeError, match="needs a linear text classifier"):
        text.explain(fitted(name), TEXTS)


def test_other_features_are_not_explained():
    model = text.TextSVM(features=TfidfVectorizer()).fit(["card", "refund"], ["c", "r"])
    with pytest.raises(TypeError, match="TfidfVectorizer does not say where"):
        text.explain(model, ["card"])


def test_labels_that_are_not_its_own_are_refused():
    model = fitted("text-svm")
    with pytest.raises(DataError, match="1 of the labels are none"):
        text.explain(model, ["card"], labels="unknown")
    with pytest.raises(DataError, match="2 texts, got shape \\(1,\\)"):
        text.explain(model, ["card", "refund"], labels=["card"])


def test_five_hundred_real_messages_add_up(data_file):
    with data_file("banking77/train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::12]
    texts, labels = [row["text"] for row in rows], [row["category"] for row in rows]
    model = text.TextNaiveBayes().fit(texts, labels)
    total = text.explain(model, texts).groupby("text_id")["weight"].sum().to_numpy()
    assert total == pytest.approx(model.decision_function(texts).max(axis=1), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("columns", [None, ["channel"]])
def test_many_texts_are_explained_as_a_few_are(monkeypatch, columns):
    table = pd.DataFrame({"text": TEXTS, "channel": ["phone", "chat", "chat", "phone", "mail", "chat"]})
    model = text.TextSVM(columns=columns, random_state=0).fit(table, ["card", "refund", "order"] * 2)
    at_once = text.explain(model, table)
    monkeypatch.setattr("crmkit.text.classifying._explain._BATCH", 2)
    pd.testing.assert_frame_equal(text.explain(model, table), at_once)
