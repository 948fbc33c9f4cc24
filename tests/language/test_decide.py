"""The language of each text."""

from __future__ import annotations

import csv

import pytest

from crmkit.language import decide_language, decide_languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("客服态度很好", "zh"),
        ("我的iPhone坏了", "zh"),
        ("太慢了！！！ 等了100分钟 😡", "zh"),
        ("Where is my card?", "en"),
        ("card arrived", "en"),
        ("I'd like a café table", "en"),
        ("My order 订单 12345 was not delivered yet", "en"),
        ("请cancel我的order", "mixed"),
        ("Não recebi o produto", "other"),
        ("Je n'ai pas reçu ma carte", "other"),
        ("Wo ist meine Karte?", "other"),
        ("ótimo", "other"),
        ("カードが届きません", "other"),
        ("東京の店で買いました", "other"),
        ("카드가 아직 안 왔어요", "other"),
        ("Где моя карта", "other"),
        ("12345 !!", "other"),
        ("<html><body><div>洗衣机&nbsp;坏了</div></body></html>", "zh"),
        ("<p style='color: red'>card &amp; account</p>", "en"),
        ("<br>&nbsp;", "other"),
        ("", "other"),
    ],
)
def test_a_text_is_decided_as_a_reader_would(text, language):
    assert decide_language(text) == language


def test_missing_texts_are_other():
    assert decide_languages([None, "退款"]).tolist() == ["other", "zh"]


def test_no_texts_have_no_language():
    assert decide_languages([]).tolist() == []


def test_bytes_are_no_text():
    with pytest.raises(TypeError, match="got bytes"):
        decide_language(b"x")


def test_two_thousand_reviews_are_chinese(data_file):
    with data_file("waimai_10k/waimai_10k.csv").open(encoding="utf-8", newline="") as file:
        reviews = [row["review"] for row in csv.DictReader(file)][:2000]
    assert set(decide_languages(reviews)) == {"zh"}


def test_bank_messages_are_english(data_file):
    with data_file("banking77/train.csv").open(encoding="utf-8", newline="") as file:
        messages = [row["text"] for row in csv.DictReader(file)]
    assert set(decide_languages(messages)) == {"en"}


def test_portuguese_is_mostly_other_and_never_chinese(data_file):
    with data_file("olist/olist_order_reviews_dataset.csv").open(encoding="utf-8", newline="") as file:
        reviews = [row["review_comment_message"] for row in csv.DictReader(file)]
    decided = decide_languages([review for review in reviews if len(review.split()) >= 5])
    assert set(decided) <= {"en", "other"}
    assert (decided == "other").mean() > 0.95
