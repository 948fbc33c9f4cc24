"""Tokens of many texts at once."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import CHARACTER, MARKER, WORD, _tokens, tokenize

TEXTS = st.lists(
    st.text(
        alphabet=st.one_of(st.sampled_from("ab'’.,1２电脑！😀 \n\x00\u0301\u1161ｶﾞİé"), st.characters()), max_size=25
    ),
    max_size=6,
)


def strings(table):
    return [table.string(row) for row in range(len(table.code))]


def rows_of(table, text):
    return [table.string(row) for row in np.flatnonzero(table.text == text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Can't pay £1,000.50 now.", ["can't", "pay", "£", "1,000.50", "now", "."]),
        ("it’s fine", ["it's", "fine"]),
        ("'quoted' dogs'", ["'", "quoted", "'", "dogs", "'"]),
        ("Não recebi o cartão", ["não", "recebi", "o", "cartão"]),
        ("cafe\u0301", ["café"]),
        ("退款１００元！", ["退", "款", "100", "元", "!"]),
        ("iPhone15坏了", ["iphone15", "坏", "了"]),
        ("e-mail v2.0, ok?", ["e", "-", "mail", "v2.0", ",", "ok", "?"]),
        ("好👍🏽❤️", ["好", "👍", "🏽", "❤"]),
        ("<b>退款</b>", ["<", "b", ">", "退", "款", "<", "/", "b", ">"]),
        ("안녕 하세요", ["안녕", "하세요"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        (" \t\n", []),
        ("", []),
        ("\u0301abc", ["abc"]),
    ],
)
def test_a_text_is_cut_as_people_would(text, tokens):
    assert strings(tokenize([text])) == tokens


def test_the_sentence_that_is_one_word_to_others_has_tokens():
    sentence = "我们对客服处理退款申请的速度和态度都非常不满意"
    assert strings(tokenize([sentence])) == list(sentence)


def test_kinds_are_told_apart():
    assert tokenize(["ok电!"]).kind.tolist() == [WORD, CHARACTER, MARKER]


def test_links_join_words_over_signs_and_characters_without_gaps_only():
    table = tokenize(["我要 退款 now, please 谢谢 bye", "next"])
    linked = [table.string(row) for row in np.flatnonzero(table.linked)]
    assert linked == ["我", "退", "now", "谢"]


@given(TEXTS)
def test_together_or_alone_the_tokens_are_the_same(texts):
    table = tokenize(texts)
    assert table.n_texts == len(texts)
    for place, text in enumerate(texts):
        assert rows_of(table, place) == strings(tokenize([text]))


@given(TEXTS)
def test_offsets_point_at_what_was_read(texts):
    table = tokenize(texts, offsets=True)
    for row in range(len(table.code)):
        text = texts[table.text[row]].replace("\x00", " ")
        start, end = int(table.start[row]), int(table.end[row])
        assert 0 <= start < end <= len(text)
        read = unicodedata.normalize("NFKC", text[start:end]).lower().replace("’", "'")
        assert table.string(row) in read or table.string(row) in unicodedata.normalize("NFKC", text).lower().replace(
            "’", "'"
        )


@given(TEXTS)
def test_offsets_change_no_token(texts):
    plain, placed = tokenize(texts), tokenize(texts, offsets=True)
    assert strings(plain) == strings(placed)
    assert len(plain.start) == 0
    assert len(placed.start) == len(placed.code)


def test_offsets_are_of_each_original_text():
    table = tokenize(["①退款", "ＡＢ c"], offsets=True)
    assert list(zip(table.start.tolist(), table.end.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 3), (0, 2), (3, 4)]


def test_chunks_join_without_a_seam(monkeypatch):
    texts = ["where is my card", "退款 now", "", "my card!", "x" * 50] * 3
    whole = tokenize(texts, offsets=True)
    monkeypatch.setattr(_tokens, "_CHUNK", 20)
    pieces = tokenize(texts, offsets=True)
    assert strings(whole) == strings(pieces)
    for column in ("text", "kind", "linked", "start", "end"):
        assert np.array_equal(getattr(whole, column), getattr(pieces, column))


def test_a_megabyte_in_one_text_is_read():
    table = tokenize(["退款 refund " * 100_000])
    assert len(table.code) == 300_000
    assert table.words == ["refund"]


def test_no_texts_have_no_tokens():
    table = tokenize([])
    assert (table.n_texts, len(table.code), table.words) == (0, 0, [])


def test_repr_shows_no_text():
    assert repr(tokenize(["secret"])) == "TokenTable(1 tokens of 1 texts)"
