"""Names of a list are found as whole words, the longest that fits, with offsets into the text as it was given."""

from __future__ import annotations

import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.privacy import Entity
from crmkit.text import Gazetteer


def found(finder, text):
    """Give what stands where something was found."""
    return [(text[one.start : one.end], one.label) for one in finder.predict([text])[0]]


@given(
    st.lists(st.text(alphabet="啊吧次", min_size=2, max_size=4), min_size=1, max_size=6),
    st.lists(st.text(alphabet="啊吧次大", max_size=14), max_size=5),
)
def test_the_longest_name_is_found_from_the_left_as_by_a_regular_expression(names, texts):
    pattern = re.compile("|".join(sorted(set(names), key=len, reverse=True)))
    expected = [[Entity(*match.span(), "name") for match in pattern.finditer(text)] for text in texts]
    assert Gazetteer().fit(names).predict(texts) == expected


@given(
    st.lists(st.text(alphabet="啊吧b ", min_size=2, max_size=4), min_size=1, max_size=6),
    st.lists(st.text(alphabet="啊吧bc ", max_size=14), max_size=5),
)
def test_all_names_are_found_where_asked_as_by_trying_every_place(names, texts):
    clean = {re.sub(" +", " ", name).strip() for name in names}
    clean = {name for name in clean if len(name) >= 2}
    if not clean:
        return
    finder = Gazetteer(overlap="all", min_length=2).fit(sorted(clean))

    def glued(text, place):
        return 0 < place < len(text) and text[place - 1 : place + 1] in {"bb", "bc", "cb", "cc"}

    for text, entities in zip(texts, finder.predict(texts), strict=True):
        folded = re.sub(" +", " ", text)
        tried = [
            (place, folded.startswith(name, place), name)
            for place in range(len(folded))
            for name in clean
            if folded.startswith(name, place) and not glued(folded, place) and not glued(folded, place + len(name))
        ]
        assert sorted(re.sub(" +", " ", text[one.start : one.end]) for one in entities) == sorted(n for *_, n in tried)


def test_names_are_found_however_they_are_written():
    finder = Gazetteer().fit({"product": ["iPhone 15 Pro", "Ｍｉ　Ｂａｎｄ", "Café"]})
    assert found(finder, "浦东的ＩＰＨＯＮＥ 15\n pro坏了") == [("ＩＰＨＯＮＥ 15\n pro", "product")]
    assert found(finder, "my mi  band!") == [("mi  band", "product")]
    assert found(finder, "the CAFE\u0301 is") == [("CAFE\u0301", "product")]


def test_case_counts_where_asked():
    finder = Gazetteer(case_sensitive=True).fit(["US"])
    assert found(finder, "US or us") == [("US", "name")]


@pytest.mark.parametrize("text", ["apple", "snapp", "app2", "2app", "iPhone 155", "appé", "ap p"])
def test_a_name_within_a_word_is_not_found(text):
    assert found(Gazetteer().fit(["app", "iPhone 15"]), text) == []


def test_beside_han_signs_and_emoji_a_word_ends():
    assert len(found(Gazetteer().fit(["app"]), "打开app吧，app，😀app😀(app)")) == 4


def test_a_name_under_several_labels_is_found_under_each():
    finder = Gazetteer().fit({"shop": ["花园"], "dish": ["花园"]})
    assert finder.predict(["花园"]) == [[Entity(0, 2, "dish"), Entity(0, 2, "shop")]]


def test_offsets_count_code_points():
    assert Gazetteer().fit(["小米"]).predict(["😀𠮷小米"]) == [[Entity(2, 4, "name")]]


def test_columns_of_a_table_are_labels():
    table = pd.DataFrame({"product": ["小米手环", None, "Kindle"], "branch": ["浦东店", "", None]})
    finder = Gazetteer().fit(table)
    assert finder.labels_ == ["branch", "product"]
    assert finder.n_names_ == 3
    assert found(finder, "浦东店的kindle") == [("浦东店", "branch"), ("kindle", "product")]
    assert Gazetteer().fit(table["product"].dropna()).labels_ == ["name"]
    assert Gazetteer().fit({"product": {"Kindle", "小米手环"}}).n_names_ == 2


def test_names_marked_in_texts_are_taken_in():
    finder = Gazetteer().fit(["我在北京", "去Berlin"], [[(2, 4, "city")], [(1, 7, "city")]])
    assert found(finder, "从berlin到北京") == [("berlin", "city"), ("北京", "city")]


def test_short_names_are_left_out_with_a_warning_that_does_not_say_them():
    with pytest.warns(DataWarning, match="1 names of 'product'.*row 1") as warned:
        finder = Gazetteer().fit({"product": ["茶壶", "茶"]})
    assert "茶" not in str(warned[0].message)
    assert found(finder, "茶和茶壶") == [("茶壶", "product")]
    assert found(Gazetteer(min_length=1).fit(["茶"]), "茶") == [("茶", "name")]


@pytest.mark.parametrize("names", [[], {"product": []}, ["", None, "  "], {}])
def test_no_name_is_an_error(names):
    with pytest.raises(DataError, match="no name"):
        Gazetteer().fit(names)


def test_before_fitting_nothing_is_found():
    with pytest.raises(NotFittedError):
        Gazetteer().predict(["a"])


@pytest.mark.parametrize("text", ["", " ", "\u0301小米", "\x00", "\ud800", "a\x00b", "\u200b"])
def test_strange_texts_have_no_wrong_offsets(text):
    for one in Gazetteer().fit(["小米", "a b"]).predict([text])[0]:
        assert 0 <= one.start < one.end <= len(text)


def test_a_clone_keeps_the_names_and_leaves_the_first_alone():
    finder = Gazetteer().fit(["小米"])
    copy = clone(finder)
    assert copy.predict(["小米"]) == finder.predict(["小米"])
    copy.fit(["华为"])
    assert finder.predict(["小米华为"]) == [[Entity(0, 2, "name")]]


def test_it_is_saved_and_loaded(tmp_path):
    finder = Gazetteer(overlap="all").fit({"a": ["小米", "小米手环"], "b": ["小米"]})
    crmkit.save(finder, tmp_path / "names")
    assert crmkit.load(tmp_path / "names").predict(["小米手环"]) == finder.predict(["小米手环"])


def test_its_repr_names_nobody():
    assert "王小明" not in repr(Gazetteer().fit(["王小明"]))


def test_a_hundred_thousand_names_are_found_in_many_texts_in_seconds():
    rng = np.random.RandomState(0)
    letters = rng.randint(0x4E00, 0x4E00 + 2500, size=(100_000, 5))
    names = ["".join(map(chr, row)) for row in letters.tolist()]
    texts = [f"我的{name}坏了 please help" for name in names[:20_000]]
    finder = Gazetteer().fit(names)
    begin = time.process_time()
    entities = finder.predict(texts)
    assert time.process_time() - begin < 5
    assert all(Entity(2, 7, "name") in one for one in entities)


def test_a_text_made_to_be_slow_is_not():
    finder = Gazetteer().fit(["啊" * 5, "啊" * 40])
    begin = time.process_time()
    assert len(finder.predict(["啊" * 100_000])[0]) == 2500
    assert time.process_time() - begin < 5
