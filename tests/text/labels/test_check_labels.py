"""Duplicates, conflicts and leaks are found before anything is trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.text import check_labels
from crmkit.text.labels._near import Shingles, near_pairs
from crmkit.text.labels._same import word_keys


@pytest.fixture(scope="module")
def banking(data_file):
    train, test = (pd.read_csv(data_file(f"banking77/{name}.csv")) for name in ("train", "test"))
    return check_labels(train["text"], train["category"], test["text"], test["category"], near=None)


def test_25_test_texts_of_banking77_stand_in_train(banking):
    assert banking.counts["leak"] == 25


def test_no_class_of_banking77_is_small_or_unseen(banking):
    assert (banking.n_classes, banking.counts["small class"], banking.counts["unseen label"]) == (77, 0, 0)


def test_waimai_has_70_duplicate_rows_and_19_texts_with_both_labels(data_file):
    reviews = pd.read_csv(data_file("waimai_10k/waimai_10k.csv"))
    found = check_labels(reviews["review"], reviews["label"], near=None)
    assert (found.counts["duplicate"], found.n_conflicting, found.counts["conflicting labels"]) == (70, 19, 44)


def rows_of(found, problem, *columns):
    table = found.table[found.table["problem"] == problem]
    return table[list(columns)].to_numpy().tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is it?", "where  is\nit"),
        ("退款！", "退款"),
        ("ＣＡＲＤ １２", "card 12"),
        ("It’s late", "it's late"),
        ("👍👍", "👍 👍"),
    ],
)
def test_case_width_space_and_signs_make_no_difference(one, other):
    found = check_labels(["other words", one, other], ["a", "b", "b"], min_class=1)
    assert rows_of(found, "duplicate", "part", "position", "other_part", "other_position", "similarity") == [
        ["train", 2, "train", 1, 1.0]
    ]


@pytest.mark.parametrize(("one", "other"), [("card 12", "card 21"), ("👍", "👎"), ("cafe", "café"), ("退款", "退货")])
def test_other_words_are_no_duplicates(one, other):
    assert check_labels([one, other], ["a", "a"], min_class=1, near=0.99).ok


def test_all_rows_of_a_conflict_are_listed_with_the_first_of_them():
    found = check_labels(["a b", "c", "A b!", "a, b", "C"], ["x", "y", "z", "x", "y"], min_class=1)
    assert rows_of(found, "conflicting labels", "position", "other_position", "other_label") == [
        [0, 0, "x"],
        [2, 0, "x"],
        [3, 0, "x"],
    ]
    assert found.n_conflicting == 1


def test_a_leak_names_the_training_row_and_its_label():
    found = check_labels(["refund me", "card"], ["r", "c"], ["new", "Refund me!", "new"], ["c", "x", "c"], min_class=1)
    assert rows_of(found, "leak", "part", "position", "label", "other_part", "other_position", "other_label") == [
        ["test", 1, "x", "train", 0, "r"]
    ]
    assert rows_of(found, "duplicate", "part", "position", "other_part", "other_position") == [["test", 2, "test", 0]]
    assert rows_of(found, "unseen label", "position", "label") == [[1, "x"]]


def test_a_near_duplicate_goes_with_its_most_similar_earlier_row():
    texts = [
        "my card has still not arrived today",
        "other",
        "my card has still not arrived toda",
        "my card has still not arrived today ok",
    ]
    found = check_labels(texts, ["a", "b", "a", "c"], min_class=1)
    assert rows_of(found, "near duplicate", "position", "other_position") == [[2, 0]]
    assert rows_of(found, "near duplicate, other label", "position", "other_position") == [[3, 0]]


def test_a_near_leak_goes_with_a_training_row():
    found = check_labels(["my card has still not arrived"], ["a"], ["my card has still not arrive"] * 2, min_class=1)
    assert rows_of(found, "near leak", "part", "position", "other_part", "other_position") == [["test", 0, "train", 0]]


def test_empty_texts_and_missing_labels_are_reported_not_refused():
    found = check_labels(["", " \n\u3000", None, "word"], ["a", None, "b", np.nan], min_class=1)
    assert rows_of(found, "empty text", "position") == [[0], [1], [2]]
    assert rows_of(found, "missing label", "position") == [[1], [3]]
    assert found.counts["duplicate"] == 0


def test_a_small_class_is_one_row():
    found = check_labels(["one", "two", "three"], [7, 7, 8], min_class=2)
    assert rows_of(found, "small class", "position", "label") == [[2, 8]]


def test_nothing_wrong_is_said():
    found = check_labels(["card lost", "refund missing"], ["a", "b"], min_class=1)
    assert found.ok
    assert str(found).endswith("nothing found")
    assert repr(found) == "LabelCheck(nothing found)"
    assert found.table["position"].dtype == np.int64


def test_no_texts_at_all_are_nothing_wrong():
    assert check_labels([], []).ok


def test_what_is_shown_holds_no_text_and_no_label():
    found = check_labels(["secret words", "Secret words", ""], ["hush1", "hush2", "hush1"], ["secret words"], ["hush3"])
    for shown in (str(found), repr(found), found._repr_html_()):
        assert "secret" not in shown.lower()
        assert "hush" not in shown


def test_dropping_keeps_the_first_of_equal_rows_but_not_what_is_in_doubt():
    found = check_labels(["a", "A", "b", "B", ""], ["x", "x", "x", "y", "x"], ["a"], min_class=1)
    assert found.drop("duplicate").tolist() == [True, False, True, False, True]
    assert found.drop("conflicting labels").tolist() == [True, True, False, False, True]
    assert found.drop("leak", "empty text").tolist() == [False, True, True, True, False]
    assert found.drop().all()
    with pytest.raises(ValueError, match="there are: empty text"):
        found.drop("duplicates")


@pytest.mark.parametrize("form", [list, np.array, pd.Series, lambda texts: pd.Series(texts, dtype="string")])
def test_texts_and_labels_come_in_any_form(form):
    found = check_labels(form(["a b", "A b"]), form(["x", "y"]), min_class=1)
    assert found.counts["conflicting labels"] == 2


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        ((["a"], ["x", "y"]), {}, ValueError, "1 texts and 2 labels"),
        ((["a"], ["x"], None, ["x"]), {}, ValueError, "without test_texts"),
        ((["a"], ["x"]), {"near": 0.5}, ValueError, r"over 0\.5"),
        ((["a", "b"], ["x", ["x", "y"]]), {}, ValueError, "row 1"),
        (("a", ["x"]), {}, TypeError, "put it in a list"),
    ],
)
def test_wrong_arguments_are_said(arguments, options, error, match):
    with pytest.raises(error, match=match):
        check_labels(*arguments, **options)


@settings(max_examples=30)
@given(st.lists(st.text("abc退款", min_size=1, max_size=12), min_size=2, max_size=12, unique=True))
def test_near_pairs_agree_with_comparing_every_pair(texts):
    keys = word_keys(np.array(texts, dtype=object))
    keys = list(dict.fromkeys(keys))

    def runs(key):
        whole = f"\x02{key}\x03"
        return {whole[place : place + 3] for place in range(len(whole) - 2)}

    expected = {}
    for right in range(len(keys)):
        for left in range(right):
            one, other = runs(keys[left]), runs(keys[right])
            share = len(one & other) / len(one | other)
            if share >= 0.9:
                expected[left, right] = share
    left, right, similarity = near_pairs(Shingles(keys), 0.9)
    assert dict(
        zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True)
    ) == pytest.approx(expected)


def test_in_a_crowd_everyone_still_has_a_near_twin():
    keys = [
        f"dear customer your parcel number {number:04d} is on its way to you and will be there soon"
        for number in range(300)
    ]
    right = near_pairs(Shingles(keys), 0.7)[1]
    assert set(right.tolist()) == set(range(1, 300))
