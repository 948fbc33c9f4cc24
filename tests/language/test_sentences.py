"""Sentences of Chinese, Latin and mixed text."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("很好。下次再来！真的吗？", ["很好。", "下次再来！", "真的吗？"]),
        ("他说：“太慢了。”我同意。", ["他说：“太慢了。”", "我同意。"]),
        ("等了两个小时……终于到了", ["等了两个小时……", "终于到了"]),
        ("好吃!下次再来?会的", ["好吃!", "下次再来?", "会的"]),
        ("收到了.很好", ["收到了.", "很好"]),
        ("I paid. it failed again! Why?", ["I paid.", "it failed again!", "Why?"]),
        ("It cost 3.50 at www.shop.com/a?b=1 today.", ["It cost 3.50 at www.shop.com/a?b=1 today."]),
        ("Mr. Li and Dr. Wu called. No. 5 is lost.", ["Mr. Li and Dr. Wu called.", "No. 5 is lost."]),
        ("Cards, cash etc. are lost. I live in the U.K. Please help.", None),
        ("J. Smith wrote (again.) Then left.", ["J. Smith wrote (again.)", "Then left."]),
        ("Well... maybe. Hmm... No", ["Well... maybe.", "Hmm...", "No"]),
        ("first line\nsecond line\r\n\r\nthird", ["first line", "second line", "third"]),
        ("1. Open the app\n2. Log in", ["1. Open the app", "2. Log in"]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("送到了3.包装好", ["送到了3.包装好"]),
        ("no end", ["no end"]),
        ("So do I. Thanks", ["So do I.", "Thanks"]),
        ("半角｡全角．完", ["半角｡", "全角．", "完"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, expected):
    expected = expected or (
        ["Cards, cash etc. are lost.", "I live in the U.K.", "Please help."] if text.strip() else []
    )
    assert [one.text for one in sentences(text)] == expected


@given(st.text(alphabet=st.one_of(st.sampled_from("ab .!?。！？…\n“”)退款3A"), st.characters()), max_size=60))
def test_nothing_but_white_space_is_lost(text):
    found = sentences(text)
    assert all(text[one.start : one.end] == one.text for one in found)
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))
    assert "".join("".join(one.text for one in found).split()) == "".join(text.split())


@pytest.mark.parametrize("sentence", ["My parcel is late. ", "Mr. ", "a... b ", "等了3.5小时。"])
def test_a_long_text_is_cut_in_time_linear_in_its_length(sentence):
    """Each full stop once looked at the whole rest of the text: a megabyte took twenty seconds."""
    text = sentence * (400_000 // len(sentence))
    started = time.process_time()
    sentences(text)
    assert time.process_time() - started < 4


def test_bytes_are_no_text():
    with pytest.raises(TypeError, match="got bytes"):
        sentences(b"x")
