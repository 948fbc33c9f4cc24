"""Phones, e-mails and names in the form in which equal ones are equal."""

from __future__ import annotations

import pytest

from crmkit.records._contact_keys import email_key, name_key, phone_key, untagged_email


@pytest.mark.parametrize(
    "text",
    [
        *("13800138000", "138 0013 8000", "138-0013-8000", "+86 13800138000", "+86-138-0013-8000", "008613800138000"),
        *(
            "8613800138000",
            "１３８００１３８０００",
            "(+86)13800138000",
            "tel:+8613800138000",
            "013800138000",
            "+8613800138000转8",
        ),
    ],
)
def test_a_mainland_mobile_has_one_key_however_written(text):
    assert phone_key(text) == "+8613800138000"


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("+44 20 7946 0018", None, "+442079460018"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("020 7946 0018", "44", "+442079460018"),
        ("0044 20 7946 0018 ext. 5", None, "+442079460018"),
        ("010-8888 1234", "86", "+861088881234"),
        ("010-8888 1234", None, "national 01088881234"),
        ("13800138000", "44", "+4413800138000"),
    ],
)
def test_other_numbers_go_by_their_country_code(text, code, key):
    assert phone_key(text, country_code=code) == key


@pytest.mark.parametrize("text", [None, "", "unknown", "12345", "00000000000", "1" * 16, "11111111"])
def test_what_is_no_number_has_no_key(text):
    assert phone_key(text) is None


@pytest.mark.parametrize(
    "text", ["Wang@Mail.CN", " wang@mail.cn ", "ｗａｎｇ＠ｍａｉｌ．ｃｎ", "mailto:wang@mail.cn", "王 <wang@mail.cn>"]
)
def test_an_address_has_one_key_however_written(text):
    assert email_key(text) == "wang@mail.cn"


@pytest.mark.parametrize(
    "text", [None, "", "wang", "wang@", "@mail.cn", "a b@mail.cn", "noreply@shop.cn", "x@example.com"]
)
def test_what_is_no_address_or_nobodys_has_no_key(text):
    assert email_key(text) is None


def test_tags_and_dots_are_left_in_the_key_and_out_of_the_hint():
    assert email_key("w.ang+shop@gmail.com") == "w.ang+shop@gmail.com"
    assert untagged_email("w.ang+shop@gmail.com") == untagged_email("wang@googlemail.com") == "wang@gmail.com"
    assert untagged_email("w.ang+shop@mail.cn") == "w.ang@mail.cn"
    assert untagged_email(None) is None


def test_a_name_is_compared_by_its_letters():
    assert name_key(" Wang, Lei ") == name_key("ＷＡＮＧ ＬＥＩ") == "wanglei"
    assert name_key("王 磊") == "王磊"
    assert name_key("--") is None
    assert name_key(None) is None
