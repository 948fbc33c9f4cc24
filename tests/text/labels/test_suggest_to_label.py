"""What is suggested teaches more than what is drawn at random."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import mean
from crmkit.text import MultiLabelTextClassifier, TextNaiveBayes, TextSVM, suggest_to_label

CARD = [f"my card {number} has not arrived" for number in range(20)]
REFUND = [f"请给订单{number}退款" for number in range(10)]
STAFF = [f"the agent {number} was rude on the phone" for number in range(5)]
POOL = CARD + REFUND + STAFF


def kinds(positions):
    return [0 if row < 20 else 1 if row < 30 else 2 for row in positions]


def test_on_the_first_day_each_group_gives_its_most_typical_text():
    found = suggest_to_label(POOL, 3)
    assert kinds(found["position"]) == [0, 1, 2]
    assert found["group_size"].tolist() == [20, 10, 5]
    assert found["uncertainty"].isna().all()


@pytest.mark.parametrize("as_mask", [False, True])
def test_groups_with_a_label_come_last(as_mask):
    labelled = np.isin(np.arange(len(POOL)), [3]) if as_mask else [3]
    assert 0 not in kinds(suggest_to_label(POOL, 2, labelled=labelled)["position"])


def test_what_is_uncertain_comes_first():
    model = TextSVM(random_state=0).fit(CARD[:5] + REFUND[:5], ["card"] * 5 + ["refund"] * 5)
    found = suggest_to_label(POOL, 4, classifier=model)
    assert kinds(found["position"])[0] == 2
    assert found["uncertainty"].is_monotonic_decreasing
    assert found["uncertainty"].between(0, 1).all()


def test_suggestions_differ_from_each_other():
    model = TextNaiveBayes().fit(CARD[:5] + REFUND[:5], ["card"] * 5 + ["refund"] * 5)
    pool = ["hello there"] * 3 + ["Hello there!"] * 3 + ["另外一件事", "my card", "退款"]
    found = suggest_to_label(pool, 3, classifier=model)
    assert len({pool[row].lower().strip("!") for row in found["position"]}) == 3


def test_many_classes_and_a_decision_function_work():
    model = TextSVM(random_state=0).fit(["a card", "refund", "rude agent"], ["c", "r", "s"])
    assert len(suggest_to_label(POOL, 5, classifier=model)) == 5


def test_empty_and_labelled_texts_and_their_copies_are_never_suggested():
    pool = ["", "  ", "one thing", "One thing!", "another matter", None]
    assert suggest_to_label(pool, 9, labelled=[3])["position"].tolist() == [4]


def test_a_pool_smaller_than_wanted_is_given_whole():
    assert sorted(suggest_to_label(["a b", "c d", "e f"], 10)["position"]) == [0, 1, 2]


@pytest.mark.parametrize("classifier", [None, "fitted"])
def test_the_same_seed_gives_the_same_suggestions(classifier):
    model = None if classifier is None else TextNaiveBayes().fit(["my card", "退款"], ["c", "r"])
    first, second = (suggest_to_label(POOL, 6, classifier=model, random_state=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_as_many_come_as_wanted_even_where_texts_are_alike():
    pool = [f"card {number}" for number in range(40)] + ["!" * length for length in range(1, 20)]
    found = suggest_to_label(pool, 30)
    assert found["position"].nunique() == 30


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n": 0}, ValueError, "from 1"),
        ({"n": 1.5}, ValueError, "whole number"),
        ({"labelled": [2]}, ValueError, "from 0 to 1"),
        ({"labelled": [-1]}, ValueError, "from 0 to 1"),
        ({"labelled": [True]}, ValueError, "mask"),
        ({"labelled": [0.5]}, TypeError, "positions or a mask"),
        ({"labelled": [0, 1]}, DataError, "nothing is left|no text is left"),
        ({"classifier": object()}, TypeError, "decision_function"),
    ],
)
def test_wrong_arguments_are_said(options, error, match):
    with pytest.raises(error, match=match):
        suggest_to_label(["one", "two"], **{"n": 1, **options})


@pytest.mark.slow
def test_labels_where_they_teach_the_most_beat_labels_at_random(data_file):
    train, test = (pd.read_csv(data_file(f"banking77/{name}.csv")) for name in ("train", "test"))
    gains = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        pool = train.iloc[rng.permutation(len(train))[:2500]]
        texts, labels = pool["text"].to_numpy(), pool["category"].to_numpy()

        def accuracy(rows, texts=texts, labels=labels):
            model = crmkit.create("classifier", "text-svm", random_state=0).fit(texts[rows], labels[rows])
            return model, model.score(test["text"][::2], test["category"][::2])

        rows = np.empty(0, dtype=np.int64)
        model = None
        for _ in range(2):
            found = suggest_to_label(texts, 154, classifier=model, labelled=rows, random_state=seed)
            rows = np.concatenate([rows, found["position"]])
            model, reached = accuracy(rows)
        gains.append(reached - accuracy(rng.permutation(len(texts))[:308])[1])
    # Eight draws, each of five rounds, gained .06 to .10 at every round (docs/labels.md).
    assert mean(gains).low > 0
    assert min(gains) > 0.03


def test_a_table_is_taken_as_the_classifier_takes_it():
    frame = pd.DataFrame({"message": POOL, "channel": ["phone", "chat"] * 17 + ["phone"]}, index=[7] * len(POOL))
    model = TextSVM(text_column="message", random_state=0).fit(frame[:30], ["card"] * 20 + ["refund"] * 10)
    assert model.columns_ == ["channel"]
    found = suggest_to_label(frame, 4, classifier=model)
    assert kinds(found["position"])[0] == 2
    first = suggest_to_label(frame.rename(columns={"message": "text"}), 3)
    assert first.equals(suggest_to_label(POOL, 3))
    with pytest.raises(DataError, match="no column 'text'"):
        suggest_to_label(frame, 3)


def test_of_several_labels_a_text_the_least_sure_counts():
    sets = [{"card"}] * 20 + [{"refund"}] * 10
    model = MultiLabelTextClassifier(cv=2, random_state=0).fit(CARD + REFUND, sets)
    found = suggest_to_label(POOL, 4, classifier=model)
    assert kinds(found["position"])[0] == 2
    assert found["uncertainty"].between(0, 1).all()
    one = MultiLabelTextClassifier(cv=2, random_state=0).fit(CARD + REFUND, [{"card"}] * 20 + [set()] * 10)
    assert kinds(suggest_to_label(POOL, 4, classifier=one)["position"])[0] == 2
