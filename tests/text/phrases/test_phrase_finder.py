"""Finding phrases in the tokens of texts, against a search place by place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.language import tokenize
from crmkit.text.phrases._finder import PhraseFinder


def spans(phrases, texts):
    table = tokenize(texts, offsets=True)
    found = PhraseFinder(phrases).find(table)
    return [
        (int(table.text[first]), texts[table.text[first]][table.start[first] : table.end[last]], phrases[phrase])
        for phrase, first, last in zip(found.phrase, found.first, found.last, strict=True)
    ]


def test_the_longest_phrase_at_a_place_counts():
    assert spans(["no", "no problem", "problem"], ["No problem, no refund"]) == [
        (0, "No problem", "no problem"),
        (0, "no", "no"),
    ]


def test_what_begins_inside_a_found_one_is_not_looked_at():
    assert spans(["不好", "好吃"], ["不好吃", "好吃"]) == [(0, "不好", "不好"), (1, "好吃", "好吃")]


def test_a_star_fits_every_ending_and_nothing_before():
    assert [
        one[1] for one in spans(["refund*", "hidden fee*"], ["refunds refunded a hidden fees prerefund refund"])
    ] == [
        "refunds",
        "refunded",
        "hidden fees",
        "refund",
    ]


def test_a_word_of_another_phrase_still_fits_its_stem():
    assert [one[2] for one in spans(["charge*", "extra charge", "charge back"], ["a charge"])] == ["charge*"]
    assert [one[2] for one in spans(["deliver*", "delivery*"], ["deliverynote delivered"])] == ["delivery*", "deliver*"]


def test_full_width_letters_emoji_and_signs_are_found():
    assert spans(["good", "😡", "12315"], ["ＧＯＯＤ😡１２３１５"]) == [
        (0, "ＧＯＯＤ", "good"),
        (0, "😡", "😡"),
        (0, "１２３１５", "12315"),
    ]


def test_a_part_of_a_word_is_no_word():
    assert spans(["late"], ["plate related late"]) == [(0, "late", "late")]


@pytest.mark.parametrize("phrase", ["", "  ", "*", "app坏了", "好, 坏"])
def test_phrases_that_could_never_be_found_are_refused(phrase):
    with pytest.raises(DataError, match="must be words of one script"):
        PhraseFinder([phrase])


def test_nothing_is_found_in_nothing():
    assert spans(["a"], []) == []
    assert spans([], ["a"]) == []
    assert spans(["a"], ["", "b"]) == []


def slowly(phrases, text):
    letters, found, place = list(text), [], 0
    while place < len(letters):
        fits = [one for one in phrases if text.startswith(one, place)]
        if fits:
            longest = max(fits, key=len)
            found.append((place, longest))
            place += len(longest)
        else:
            place += 1
    return found


@given(
    st.lists(st.text("甲乙丙", min_size=1, max_size=4), unique=True, max_size=8),
    st.lists(st.text("甲乙丙丁", max_size=20), max_size=5),
)
def test_characters_are_found_as_one_would_by_hand(phrases, texts):
    table = tokenize(texts, offsets=True)
    found = PhraseFinder(phrases).find(table)
    got = [
        (int(table.text[first]), int(table.start[first]), phrases[phrase])
        for phrase, first in zip(found.phrase, found.first, strict=True)
    ]
    assert got == [(i, place, phrase) for i, text in enumerate(texts) for place, phrase in slowly(phrases, text)]
