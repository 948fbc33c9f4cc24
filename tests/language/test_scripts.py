"""Scripts of characters and runs."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.language import SCRIPTS, code_points, script_ids, scripts


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("aZéßœŁ", "latin"),
        ("电脑〇々龘𠮷豈", "han"),
        ("あゔ", "hiragana"),
        ("アーヶｶ", "katakana"),
        ("가ㄱ", "hangul"),
        ("Жы", "cyrillic"),
        ("αΩ", "greek"),
        ("שלום", "hebrew"),
        ("مرحبا", "arabic"),
        ("สวัสดี", "thai"),
        ("07½Ⅳ①", "digit"),
        (".,!?。，！€😀👍🏽→_", "sign"),
        (" \t\n\u3000\u200b\x00\u200d", "space"),
        ("\u0301\ufe0f", "mark"),
        ("अ", "other"),
    ],
)
def test_each_character_has_its_script(letters, script):
    assert {SCRIPTS[number] for number in script_ids(code_points(letters))} == {script}


def test_lone_surrogates_are_spaces():
    assert SCRIPTS[script_ids(code_points("\ud800"))[0]] == "space"


@given(st.text(max_size=40))
def test_runs_cover_the_text_without_gaps(text):
    runs = scripts(text)
    assert "".join(text[run.start : run.end] for run in runs) == text
    assert all(before.script != after.script for before, after in itertools.pairwise(runs))


def test_a_text_is_cut_where_its_script_changes():
    found = [(run.start, run.end, run.script) for run in scripts("「我的」 iPhone 15 坏了，Привет 안녕 ありがとう!")]
    assert found == [
        (0, 5, "han"),
        (5, 15, "latin"),
        (15, 18, "han"),
        (18, 25, "cyrillic"),
        (25, 28, "hangul"),
        (28, 34, "hiragana"),
    ]


@pytest.mark.parametrize("text", ["123 !!", "😀", "  "])
def test_without_letters_there_is_one_common_run(text):
    assert scripts(text) == [(0, len(text), "common")]


def test_nothing_has_no_runs():
    assert scripts("") == []
