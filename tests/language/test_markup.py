"""HTML looked through without moving a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import blank_markup


def test_blanking_moves_nothing():
    text = "<!DOCTYPE html><div class='x'>a</div><!-- no --><SCRIPT>b</SCRIPT>c"
    blank = blank_markup(text)
    assert len(blank) == len(text)
    assert blank.split() == ["a", "c"]
    assert [blank.index(letter) for letter in "ac"] == [text.index(">a") + 1, len(text) - 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AT&amp;T &lt;b&gt; caf&eacute; &nbsp;x", ["AT", "T", "b", "caf", "x"]),
        ("a&#160;b&#x4e2d;c", ["a", "b", "c"]),
        ("R&D; Q&A &madeup; a & b", ["R&D;", "Q&A", "&madeup;", "a", "&", "b"]),
    ],
)
def test_entities_that_html_has_are_blanked_where_asked(text, words):
    assert blank_markup(text, entities=True).split() == words
    assert len(blank_markup(text, entities=True)) == len(text)


def test_entities_stay_unless_they_are_white_space():
    assert blank_markup("a&nbsp;b&amp;c") == "a      b&amp;c"


@given(st.text(alphabet="<>/&;!-pbdiv 退款a", max_size=60), st.booleans())
def test_any_text_keeps_its_length_and_what_is_left_its_place(text, entities):
    blank = blank_markup(text, entities=entities)
    assert len(blank) == len(text)
    assert all(left == right for left, right in zip(blank, text, strict=True) if not left.isspace())
