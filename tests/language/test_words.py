"""Words of one text, with and without a segmenter."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from crmkit.core.errors import DataError, MissingExtraError
from crmkit.language import find_segmenter, segment_run, words

needs_rjieba = pytest.mark.skipif(importlib.util.find_spec("rjieba") is None, reason="rjieba is not installed")


def halves(run):
    return [run[:2], run[2:]]


def test_offsets_point_into_the_original():
    text = "Ｒefund ①00元, it’s 退款申请"
    found = words(text, segmenter=halves)
    assert [(token.text, text[token.start : token.end]) for token in found] == [
        ("refund", "Ｒefund"),
        ("100", "①00"),
        ("元", "元"),
        ("it's", "it’s"),
        ("退款", "退款"),
        ("申请", "申请"),
    ]


def test_each_word_has_its_script():
    assert [token.script for token in words("ok 退 5 あ 안녕!", signs=True)] == [
        "latin",
        "han",
        "digit",
        "hiragana",
        "hangul",
        "sign",
    ]


def test_without_a_segmenter_characters_stand_alone():
    assert [token.text for token in words("申请退款")] == list("申请退款")


def test_signs_are_given_on_request():
    assert [token.text for token in words("退款！", signs=True)] == ["退", "款", "!"]


@needs_rjieba
def test_rjieba_gives_the_words_people_read():
    assert [token.text for token in words("我想申请退款", segmenter="rjieba")] == ["我", "想", "申请", "退款"]
    assert find_segmenter("auto") is not None


def test_without_rjieba_auto_means_characters_and_the_name_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "rjieba", None)
    monkeypatch.setattr("crmkit.language._words.find_spec", lambda _name: None)
    assert find_segmenter("auto") is None
    with pytest.raises(MissingExtraError, match=r"pip install 'crmkit\[zh\]'"):
        find_segmenter("rjieba")


def test_a_segmenter_that_changes_the_text_is_refused_without_showing_it():
    with pytest.raises(DataError, match="the 4 characters it was given") as caught:
        words("申请退款", segmenter=lambda run: [run[:1]])
    assert "申" not in str(caught.value)


def test_empty_pieces_are_dropped():
    assert segment_run(lambda run: ["", run, ""], "退款") == ["退款"]


def test_an_unknown_name_is_an_error():
    with pytest.raises(ValueError, match="'auto', 'rjieba', None or a callable, got 'jieba'"):
        find_segmenter("jieba")


def test_something_else_is_an_error():
    with pytest.raises(TypeError, match="got int"):
        find_segmenter(3)


def test_bytes_are_no_text():
    with pytest.raises(TypeError, match="got bytes"):
        words(b"card")


def test_scripts_are_those_of_each_words_first_character():
    found = words("iPhone15坏了! 3g Ünal", signs=True)
    assert [token.script for token in found] == ["latin", "han", "han", "sign", "digit", "latin"]
    pieces = words("退款iPhone坏了", segmenter=lambda run: [run])
    assert [token.script for token in pieces] == ["han", "latin", "han"]
