"""What is personal data is found where it stands, what only looks like it is left alone."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crmkit
from crmkit import privacy
from crmkit.core.errors import DataError
from crmkit.datasets import make_company

# GB 11643-1999 gives 11010519491231002X as its own example; the cards are the test numbers of the card schemes.
FOUND = [
    ("请打15400001234联系我", "mobile", "15400001234"),
    ("手机：１５４００００１２３４。", "mobile", "１５４００００１２３４"),
    ("154-0000-1234", "mobile", "154-0000-1234"),
    ("我的号码154 0000 1234谢谢", "mobile", "154 0000 1234"),
    ("致电+8615400001234，急", "mobile", "+8615400001234"),
    ("+86 154 0000 1234", "mobile", "+86 154 0000 1234"),
    ("0086-15400001234", "mobile", "0086-15400001234"),
    ("电话15400001234.", "mobile", "15400001234"),
    ("(15400001234)", "mobile", "15400001234"),
    ("2024年2月29日15400001234打来", "mobile", "15400001234"),
    ("https://example.com/?phone=15400001234&x=1", "mobile", "15400001234"),
    ("电话1：15400001234", "mobile", "15400001234"),
    ("1.15400001234", "mobile", "15400001234"),
    ("VX15400001234", "mobile", "15400001234"),
    ("Tel15400001234", "mobile", "15400001234"),
    ("座机010-88880000转123", "landline", "010-88880000转123"),
    ("打(0571)88880000吧", "landline", "(0571)88880000"),
    ("0571 8888 0000", "landline", "0571 8888 0000"),
    ("传真：021-88880000-12", "landline", "021-88880000-12"),
    ("02088880000找我", "landline", "02088880000"),
    ("+86 10 8888 0000", "landline", "+86 10 8888 0000"),
    ("call +1 202 555 0143 now", "international-phone", "+1 202 555 0143"),
    ("(202) 555-0143", "international-phone", "(202) 555-0143"),
    ("+1 202 555 0143 2 pieces", "international-phone", "+1 202 555 0143"),
    ("+1 (202) 555-0143", "international-phone", "+1 (202) 555-0143"),
    ("+12025550143", "international-phone", "+12025550143"),
    ("1-202-555-0143", "international-phone", "1-202-555-0143"),
    ("202-555-0143", "international-phone", "202-555-0143"),
    ("英国+447700900123的", "international-phone", "+447700900123"),
    ("0044 7700 900123", "international-phone", "0044 7700 900123"),
    ("我的邮箱c1@example.com谢谢", "email", "c1@example.com"),
    ("写给first.last+tag@mail.example.co.uk。", "email", "first.last+tag@mail.example.co.uk"),
    ("邮箱ｃ１＠ｅｘａｍｐｌｅ．ｃｏｍ", "email", "ｃ１＠ｅｘａｍｐｌｅ．ｃｏｍ"),
    ("<a_b@example.org>,", "email", "a_b@example.org"),
    ("15400001234@example.com", "email", "15400001234@example.com"),
    ("身份证11010519491231002X，", "id-card", "11010519491231002X"),
    ("身份证号：110105 19491231 002x", "id-card", "110105 19491231 002x"),
    ("卡号4111111111111111尽快", "bank-card", "4111111111111111"),
    ("4111 1111 1111 1111", "bank-card", "4111 1111 1111 1111"),
    ("卡6200-0000-0000-0005", "bank-card", "6200-0000-0000-0005"),
    ("4111 1111 1111 1111 50元", "bank-card", "4111 1111 1111 1111"),
    ("Amex 378282246310005.", "bank-card", "378282246310005"),
    ("Amex 3782 822463 10005", "bank-card", "3782 822463 10005"),
    ("Mastercard 2223003122003222", "bank-card", "2223003122003222"),
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_it_is_found_whole_and_at_its_place(text, kind, value):
    table = privacy.find([text])
    assert table["kind"].tolist() == [kind]
    assert text[table["start"][0] : table["end"][0]] == value


LEFT_ALONE = [
    "",
    "订单号15400001234",
    "订单15400001234还没到",
    "运单号：15400001234",
    "order no. 15400001234 is late",
    "invoice #15400001234",
    "流水号 15400001234",
    "SO15400001234",
    "15400001234567",
    "115400001234",
    "金额15400001234元",
    "¥15400001234",
    "RMB 15400001234",
    "15400001234.50",
    "2024-15400001234",
    "15400001234-01",
    "12,15400001234",
    "0.15400001234",
    "2024-02-29 12:30:45",
    "20240229123045",
    "2024/02/29-2024/03/31",
    "版本 10.15.7.1234",
    "v1.2.3-20240229",
    "1,234,567,890",
    "12400001234",
    "积分+1234567",
    "+20% 优惠",
    "110105194912310021",  # the check digit is wrong
    "110105194913310020",  # there is no month 13
    "000105194912310029",
    "4111111111111112",  # the Luhn sum is wrong
    "交易编号4111111111111111",
    "0000000000000000",
    "1234567812345670",  # the Luhn sum is right, but nobody issues such cards
    "icon@2x.png",
    "user@localhost",
    "@example.com",
    "a@b",
    "见第3章第15节，共400页",
    "400-123-4567890123",
    "192.168.100.200:8080",
    "尺寸 1540*0001*234",
    "3.14159265358979",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_like_it_is_left_alone(text):
    assert privacy.find([text]).empty


def test_each_kind_of_a_text_is_found_once_in_its_order():
    text = "我15400001234或c1@example.com，身份证11010519491231002X"
    assert privacy.find([text, "无", text])[["text_id", "kind"]].to_numpy().tolist() == [
        [position, kind] for position in (0, 2) for kind in ("mobile", "email", "id-card")
    ]


@pytest.mark.parametrize("between", ["/", ",", "、", " ", "-", "，", "或"])
def test_both_of_two_numbers_side_by_side_are_found(between):
    text = f"15400001234{between}15400001235"
    assert privacy.find([text], show=True)["text"].tolist() == ["15400001234", "15400001235"]


def test_values_are_shown_only_where_asked_for():
    assert list(privacy.find(["15400001234"])) == ["text_id", "kind", "start", "end"]
    assert privacy.find(["x 15400001234"], show=True)["text"].tolist() == ["15400001234"]


def test_kinds_can_be_chosen_and_unknown_ones_are_refused():
    assert privacy.find(["15400001234 c1@example.com"], kinds="email")["kind"].tolist() == ["email"]
    with pytest.raises(DataError, match="called 'passport'; there are email, id-card"):
        privacy.find([], kinds=["email", "passport"])


def test_no_texts_give_an_empty_table_with_the_same_types():
    empty, full = privacy.find([]), privacy.find(["15400001234"])
    assert empty.dtypes.tolist() == full.dtypes.tolist()
    assert empty.empty


def test_missing_texts_and_every_container_are_taken():
    texts = ["15400001234", None, "c1@example.com"]
    for given_as in (
        texts,
        np.array(texts, dtype=object),
        pd.Series(texts, index=[5, 6, 7]),
        pd.array(texts, dtype="string"),
    ):
        assert privacy.find(given_as)["text_id"].tolist() == [0, 2]
    with pytest.raises(TypeError, match="put it in a list"):
        privacy.find("15400001234")


@settings(deadline=None, max_examples=150)
@given(
    st.text(alphabet="请我谢 ，.:a", max_size=8),
    st.text(alphabet="请我谢，。！ ", max_size=8),
    st.integers(0, 10**8 - 1),
)
def test_a_mobile_number_is_found_between_any_han_text(before, after, number):
    value = f"154{number:08d}"
    before = before.rstrip("a")
    text = before + value + after
    table = privacy.find([text], kinds=["mobile"])
    assert [text[start:end] for start, end in zip(table["start"], table["end"], strict=True)] == [value]


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_offsets_lie_in_the_text_and_do_not_overlap(text):
    table = privacy.find([text + "15400001234", "１" + text])
    for position, length in ((0, len(text) + 11), (1, len(text) + 1)):
        rows = table[table["text_id"] == position]
        assert (rows["start"] < rows["end"]).all()
        assert (rows["end"] <= length).all()
        assert (rows["start"].to_numpy()[1:] >= rows["end"].to_numpy()[:-1]).all()


def test_random_long_numbers_pass_the_identity_check_rarely():
    rng = np.random.default_rng(0)
    texts = ["".join(map(str, row)) for row in rng.integers(0, 10, (20_000, 18))]
    share = len(privacy.find(texts, kinds=["id-card"])) / len(texts)
    assert share < 0.001


HOSTILE = {
    "digits": "1" * 1_000_000,
    "digits and spaces": "1234 " * 200_000,
    "mobile-like": "1540000123" * 100_000,
    "mobiles": "15400001234 " * 83_000,
    "plus signs": "+1 " * 333_000,
    "letters": "a" * 1_000_000,
    "at signs": "a@" * 500_000,
    "labels": "a@" + "a." * 500_000,
    "brackets": "(010)" * 200_000,
    "full-width digits": "１" * 1_000_000,
    "codes": "order no " * 110_000 + "15400001234",
    "separators": "1 - " * 250_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_million_hostile_characters_take_seconds(name):
    begun = time.process_time()
    privacy.find([HOSTILE[name]])
    whole = time.process_time() - begun
    assert whole < 8.0


def test_the_numbers_left_in_simulated_messages_are_all_found():
    company = make_company(1_500, seed=3)
    truth = company.truth.communications
    left = truth[truth["personal_kind"].notna()]
    assert len(left) > 80
    table = privacy.find(company.communications["text"])
    found = {(row.text_id, row.start, row.end) for row in table.itertuples()}
    expected = {(row.Index, row.personal_start, row.personal_end) for row in left.itertuples()}
    assert found == expected


def test_the_recognizer_gives_half_open_entities():
    recognizer = crmkit.create("entity-recognizer", "personal-data")
    assert recognizer.predict(["写c1@example.com", "无"]) == [[privacy.Entity(1, 15, "email")], []]
    only = crmkit.create("entity-recognizer", "personal-data", kinds=["mobile"])
    assert only.predict(["写c1@example.com"]) == [[]]
    assert only.get_params() == {"kinds": ["mobile"]}
    with pytest.raises(ValueError, match="kinds"):
        type(only)(kinds=3).predict(["x"])


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("5555555555554444", True),  # Mastercard's test number
        ("6011111111111117", True),  # Discover's
        ("3530111333300000", True),  # JCB's
        ("30569309025904", True),  # Diners'
        ("6222222222222222", False),
        ("4111 1111", False),
        ("", False),
    ],
)
def test_cards_are_told_by_issuer_and_sum(digits, expected):
    assert privacy.is_bank_card(digits) is expected


@pytest.mark.parametrize("digits", ["", "1101051949123100", "11010518491231002X", "99010519491231002X"])
def test_identity_numbers_need_length_date_and_province(digits):
    assert not privacy.is_id_card(digits)
