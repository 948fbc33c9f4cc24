"""Summaries of many messages: representatives, how many they stand for, and what is not covered."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.text import summarize_many
from crmkit.text.summaries._many import _represent
from crmkit.text.summaries._terms import count_terms, weigh_terms

MESSAGES = [
    "where is my parcel",
    "my parcel is late",
    "is my parcel lost",
    "wrong size shoes",
    "shoes too big",
    "shoes too small",
    "退款一直没到账",
    "退款什么时候到账",
]


def test_each_group_has_its_message_and_its_count():
    summary = summarize_many(MESSAGES, max_sentences=3)
    assert summary.table.columns.tolist() == ["rank", "text_id", "text", "stands_for", "share"]
    assert sorted(summary.table["stands_for"]) == [2, 3, 3]
    kinds = [next(word for word in ("parcel", "shoes", "退款") if word in text) for text in summary.table["text"]]
    assert set(kinds) == {"parcel", "shoes", "退款"}
    assert summary.classes.loc[None, "covered"] == 1.0
    assert [MESSAGES[place] for place in summary.table["text_id"]] == summary.table["text"].tolist()


def test_what_no_message_stands_for_is_told():
    summary = summarize_many(MESSAGES, max_sentences=1)
    assert summary.classes.loc[None, ["n_texts", "n_chosen"]].tolist() == [8, 1]
    assert summary.classes.loc[None, "covered"] == pytest.approx(3 / 8)
    assert summary.table["share"].tolist() == [3 / 8]


def test_each_class_is_summarised_the_largest_first():
    labels = ["late"] * 3 + ["size"] * 2 + ["late", "refund", "refund"]
    summary = summarize_many(pd.Series(MESSAGES), pd.Series(labels), max_sentences=2)
    assert summary.classes.index.tolist() == ["late", "refund", "size"]
    assert summary.classes["n_texts"].tolist() == [4, 2, 2]
    assert summary.table["label"].drop_duplicates().tolist() == ["late", "refund", "size"]
    assert summary.table["rank"].tolist() == [1, 2] * 3
    sums = summary.table.groupby("label")["share"].sum()
    assert sums.to_dict() == pytest.approx(summary.classes["covered"].to_dict())
    text = str(summary)
    assert text.startswith("late: 4 texts, 100% covered\n  3 like: ")
    assert "refund: 100% of 2 covered" in summary._repr_html_()
    assert repr(summary) == "ManySummary(6 of 8 texts)"


def test_numbers_can_be_labels():
    assert summarize_many(MESSAGES[:4], [1, 1, 0, 1]).classes.index.tolist() == [1, 0]


def test_equal_messages_count_each():
    summary = summarize_many(["late parcel"] * 5 + ["wrong shoes"], max_sentences=3)
    assert summary.table["stands_for"].tolist() == [5, 1]


@pytest.mark.parametrize("texts", [["", "  ", None], ["的", "the", "!"]])
def test_messages_without_meaning_are_counted_and_stand_for_nothing(texts):
    summary = summarize_many(texts)
    assert summary.table.empty
    assert summary.classes.loc[None].tolist() == [3, 0, 0.0]


def test_no_messages_have_no_summary():
    summary = summarize_many([])
    assert summary.table.empty
    assert summary.classes.loc[None, "n_texts"] == 0


def test_greedy_choice_is_near_the_best_of_all_choices():
    """Facility location by greedy choice reaches 1 - 1/e of the best (Nemhauser et al. 1978)."""
    rng = np.random.default_rng(0)
    words = np.array(["parcel", "late", "lost", "shoes", "size", "card", "refund", "courier", "broken", "lamp"])
    weighed = weigh_terms(count_terms([" ".join(rng.choice(words, 3)) for _ in range(25)], frozenset()).counts)
    likeness = (weighed @ weighed.T).toarray()
    likeness[likeness < 0.2] = 0.0
    best = max(likeness[:, list(three)].max(axis=1).sum() for three in combinations(range(25), 3))
    chosen, counts = _represent(weighed, 3, 0.2)
    assert likeness[:, chosen].max(axis=1).sum() >= (1 - 1 / np.e) * best
    assert sum(counts) == int((likeness[:, chosen].max(axis=1) > 0).sum())


def test_html_is_looked_through():
    summary = summarize_many(["<p>broken lamp</p>", "lamp <b>broken</b>", "<p>late parcel</p>"], max_sentences=2)
    assert summary.table["stands_for"].tolist() == [2, 1]
    assert summary.table["text"].tolist() == ["<p>broken lamp</p>", "<p>late parcel</p>"]


def test_more_than_two_thousand_different_messages_are_all_represented():
    words = np.array(["parcel", "late", "lost", "shoes", "size", "card", "refund"])
    rng = np.random.default_rng(0)
    texts = [f"{' '.join(rng.choice(words, 3))} {place}" for place in range(4_500)]
    summary = summarize_many(texts, similarity=0.05)
    assert summary.classes.loc[None, "n_texts"] == 4_500
    assert summary.table["stands_for"].sum() > 2_500
    again = summarize_many(texts, similarity=0.05)
    pd.testing.assert_frame_equal(summary.table, again.table)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_sentences": 0}, ValueError, "max_sentences"),
        ({"similarity": 0.0}, ValueError, "similarity"),
        ({"similarity": 1.1}, ValueError, "similarity"),
        ({"labels": ["a"]}, ValueError, "as long"),
        ({"labels": ["a"] * 7 + [None]}, DataError, "row 7"),
        ({"texts": "one"}, TypeError, "list"),
        ({"texts": ["a", b"secret"]}, TypeError, "row 1"),
    ],
)
def test_what_cannot_be_used_is_refused(options, error, message):
    with pytest.raises(error, match=message) as caught:
        summarize_many(**{"texts": MESSAGES, **options})
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_five_messages_stand_for_most_of_a_bank_question(data_file):
    table = pd.read_csv(data_file("banking77/train.csv"))
    summary = summarize_many(table.iloc[:, 0], table.iloc[:, 1])
    assert len(summary.classes) == 77
    assert summary.classes["covered"].mean() > 0.85
    assert summary.table.groupby("label").size().max() == 5


def test_any_number_of_messages_may_stand_for_a_class():
    messages = ["late parcel", "refund please", "wrong bill", "rude driver", "screen broken", "login fails"]
    assert summarize_many(messages, max_sentences=None).classes["covered"].tolist() == [1.0]
    assert summarize_many(messages, max_sentences=2).classes["n_chosen"].tolist() == [2]
