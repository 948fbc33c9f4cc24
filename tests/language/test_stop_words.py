"""Stop words of both languages."""

from __future__ import annotations

import pytest

from crmkit.language import stop_words


def test_both_is_the_union():
    assert stop_words() == stop_words("zh") | stop_words("en")


def test_lists_hold_function_words_and_no_content_words():
    assert {"the", "of", "don't", "would"} <= stop_words("en")
    assert {"something", "nobody", "everyone", "whatever", "however", "except"} <= stop_words("en")
    assert {"的", "因为", "我们", "吗"} <= stop_words("zh")
    assert not {"refund", "card", "退款", "客服", "好"} & stop_words()


def test_comments_are_no_words():
    assert not any(word.startswith("#") for word in stop_words())
    assert "English" not in stop_words()


def test_the_lists_can_be_changed_without_changing_the_box():
    assert "please" in stop_words("en", add=["please"])
    assert "not" not in stop_words("en", remove=["not"])
    assert "please" not in stop_words("en")
    assert "not" in stop_words("en")


def test_an_unknown_language_is_an_error():
    with pytest.raises(ValueError, match="'zh', 'en' or 'both', got 'de'"):
        stop_words("de")


def test_one_str_is_no_list():
    with pytest.raises(TypeError, match="lists of words"):
        stop_words(add="please")
