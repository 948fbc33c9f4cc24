"""NFKC with the way back: what Unicode says, and offsets that hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import normalize

# Characters that join, split, widen and compose in different ways.
AWKWARD = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aé\u0301\u0327ｶﾞﾟ①ﬁ㎏Ａ１，！　\u1100\u1161\u11a8\uffa1\uffc2각İß²\u09c7\u09be\x00😀👍\ufe0f電电"
        ),
        st.characters(),
    ),
    max_size=30,
)


@given(AWKWARD)
def test_text_is_unicodes_nfkc(text):
    assert normalize(text).text == unicodedata.normalize("NFKC", text)


@given(AWKWARD)
def test_offsets_cover_the_original_in_order(text):
    clean = normalize(text)
    assert len(clean.starts) == len(clean.ends) == len(clean.text)
    assert all(0 <= a < b <= len(text) for a, b in zip(clean.starts.tolist(), clean.ends.tolist(), strict=True))
    assert all(a <= b for a, b in zip(clean.starts.tolist(), clean.starts.tolist()[1:], strict=False))
    assert clean.span(0, len(clean.text)) == (0, len(text))


@given(AWKWARD)
def test_the_original_stretch_of_a_character_normalises_to_a_text_that_has_it(text):
    clean = normalize(text)
    for place, letter in enumerate(clean.text):
        start, end = clean.span(place, place + 1)
        assert letter in unicodedata.normalize("NFKC", text[start:end])


@given(AWKWARD)
def test_lowering_keeps_the_way_back(text):
    lowered = normalize(text).lower()
    assert lowered.text == unicodedata.normalize("NFKC", text).lower()
    assert len(lowered.starts) == len(lowered.text)
    assert lowered.span(0, len(lowered.text)) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "part", "original"),
    [
        ("Ｎo.①ﬁne", "fi", "ﬁ"),
        ("价格１００元", "100", "１００"),
        ("ｶﾞｽ代", "ガ", "ｶﾞ"),
        ("cafe\u0301 ok", "é", "e\u0301"),
        ("5㎏的米", "kg", "㎏"),
        ("\u1100\u1161\u11a8국", "각", "\u1100\u1161\u11a8"),
    ],
)
def test_span_gives_the_original_stretch(text, part, original):
    clean = normalize(text)
    place = clean.text.index(part)
    start, end = clean.span(place, place + len(part))
    assert text[start:end] == original


def test_one_letter_that_lowers_to_two_has_one_origin():
    lowered = normalize("xİy").lower()
    assert [lowered.span(place, place + 1) for place in range(4)] == [(0, 1), (1, 2), (1, 2), (2, 3)]


def test_empty_stretch_stays_empty():
    clean = normalize("①退款")
    assert clean.span(1, 1) == (1, 1)
    assert clean.span(3, 3) == (3, 3)
    assert normalize("").span(0, 0) == (0, 0)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 4)])
def test_offsets_outside_are_refused(start, end):
    with pytest.raises(IndexError, match="0 <= start <= end <= 3"):
        normalize("abc").span(start, end)


def test_repr_shows_no_text():
    assert repr(normalize("secret①")) == "Normalized(7 characters to 7)"
