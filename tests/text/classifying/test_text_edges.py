"""Odd texts, odd labels and a third language: a right answer or a clear error, from every classifier and wrapper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import text
from crmkit.core.errors import DataError

SEVEN = crmkit.available("classifier", tags=["text"])
WRAPPED = ("calibrated", "isotonic", "rejecting", "keeping")
MAKE = {
    "calibrated": lambda: text.CalibratedTextClassifier("text-svm", cv=3, random_state=0),
    "isotonic": lambda: text.CalibratedTextClassifier("text-svm", method="isotonic", cv=3, random_state=0),
    "rejecting": lambda: text.RejectingClassifier("text-svm", precision=0.5, cv=3, random_state=0),
    "keeping": lambda: text.RejectingClassifier("text-svm", keep=1.0, cv=3, random_state=0),
}
TEXTS = ["I want my money back", "电脑坏了", "where is my card", "手机丢了"] * 6
LABELS = ["refund", "computer", "card", "phone"] * 6
ODD = {
    "html": ("<p>I want my <b>money</b>&nbsp;back</p>", "refund"),
    "full-width": ("Ｉ　ｗａｎｔ　ｍｙ　ｍｏｎｅｙ　ｂａｃｋ", "refund"),
    "white space around": (" \n\t 电脑坏了 \u3000", "computer"),
    "emoji around": ("😡😡 手机丢了 👍🏽", "phone"),
    "two scripts": ("my 电脑坏了 please", "computer"),
    "a megabyte": ("where is my card " * 60_000, "card"),
    "capitals": ("WHERE IS MY CARD", "card"),
}


def make(name):
    if name in MAKE:
        return MAKE[name]()
    small = {"n_estimators": 20} if name == "text-forest" else {}
    return crmkit.create("classifier", name, random_state=0, **small)


@pytest.fixture(scope="module")
def fitted():
    return {name: make(name).fit(TEXTS, LABELS) for name in (*SEVEN, *WRAPPED)}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_odd_texts_get_the_right_label(fitted, name, odd):
    given, expected = ODD[odd]
    allowed = [expected, "unsure"] if name in {"rejecting", "keeping"} else [expected]
    assert fitted[name].predict([given]).tolist()[0] in allowed


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_texts_without_a_known_word_get_some_answer(fitted, name):
    predicted = fitted[name].predict(["", " \t\n", "😀", None, "\x00", "<br/>", "Привет", "안녕하세요"])
    assert set(predicted) <= {*LABELS, "unsure"}
    assert len(set(predicted[:2])) == 1


def test_what_keeps_known_texts_leaves_empty_ones(fitted):
    assert fitted["keeping"].predict(["", "  ", "zzz"]).tolist() == ["unsure"] * 3


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_one_class_only_is_a_clear_error(name):
    with pytest.raises(ValueError, match="at least two classes in y, got 1 class"):
        make(name).fit(TEXTS, ["refund"] * len(TEXTS))


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_a_class_with_one_example_is_learned(name):
    model = make(name).fit([*TEXTS, "forgot the password again"], [*LABELS, "login"])
    assert "login" in model.classes_.tolist()
    if name not in {"text-forest", "text-tree"}:  # one text among 25 is no reason for a tree to split
        assert model.predict(["forgot the password again"]).tolist()[0] in {"login", "unsure"}
    assert model.predict(["where is my card"]).tolist() == ["card"]


@pytest.mark.parametrize("name", WRAPPED)
def test_only_classes_with_one_example_leave_nothing_to_try(name):
    with pytest.raises(DataError, match="no class has two texts"):
        make(name).fit(["a card", "a refund", "a phone"], ["c", "r", "p"])


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_only_empty_texts_are_a_clear_error(name):
    with pytest.raises(DataError, match="texts are empty"):
        make(name).fit([""] * 6, ["a", "b"] * 3)


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_labels_never_seen_count_as_wrong_when_scored(fitted, name):
    assert fitted[name].score(TEXTS[:4], ["weather"] * 4) == 0


def test_labels_never_seen_cannot_be_explained_or_calibrated_on(fitted):
    with pytest.raises(DataError, match="1 of the labels are none"):
        text.explain(fitted["calibrated"], ["card"], labels="weather")
    with pytest.raises(DataError, match="have others"):
        fitted["calibrated"].retune(["card"], ["weather"])


@pytest.mark.parametrize("name", [*SEVEN, *WRAPPED])
def test_errors_show_no_text(name):
    with pytest.raises((DataError, ValueError, TypeError)) as caught:
        make(name).fit(["my secret is 4711", b"my secret is 4711"], ["a", "b"])
    assert "4711" not in str(caught.value)


def test_portuguese_reviews_are_classified(data_file):
    reviews = pd.read_csv(data_file("olist/olist_order_reviews_dataset.csv"))
    reviews = reviews[reviews["review_comment_message"].notna() & (reviews["review_score"] != 3)]
    texts, good = reviews["review_comment_message"], (reviews["review_score"] > 3).to_numpy()
    train = np.arange(len(texts)) % 2 == 0
    model = text.CalibratedTextClassifier("text-svm", cv=2, random_state=0).fit(texts[train], good[train])
    # The larger class has .70 of these.
    assert model.score(texts[~train], good[~train]) >= 0.90
    assert len(text.explain(model, texts[:3])) > 3
