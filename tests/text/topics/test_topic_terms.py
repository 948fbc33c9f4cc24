"""Words that people read: both languages, no stop words, no halves."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import crmkit
from crmkit import text
from crmkit.core.errors import DataError
from crmkit.language import stop_words
from crmkit.text.topics._cohesion import cutter, learn_words
from crmkit.text.topics._pieces import find_joins, read_pieces

RJIEBA = importlib.util.find_spec("rjieba") is not None
needs_rjieba = pytest.mark.skipif(not RJIEBA, reason="rjieba is not installed")


def names(texts, **options):
    return text.ReadableTerms(min_df=1, **options).fit(texts).names_


def test_english_and_chinese_are_read_from_the_same_column():
    found = names(
        ["refund the order 12", "退款退款", "请退款 refund"],
        segmenter=lambda run: [run[i : i + 2] for i in range(0, len(run), 2)],
    )
    assert found == ["order", "refund", "请退", "退款"]


def test_stop_words_numbers_single_letters_and_signs_are_no_terms():
    assert names(["The card is not a B 12,5 !! 😀 card's"]) == ["card", "card's"]


def test_stop_words_can_be_changed_and_switched_off():
    texts = ["the card is lost"]
    assert names(texts, stop_words=stop_words(add=["lost"])) == ["card"]
    assert names(texts, stop_words=[]) == ["card", "is", "lost", "the"]
    with pytest.raises(TypeError, match="array-like"):
        text.ReadableTerms(stop_words="the").fit(texts)


def test_chinese_of_stop_characters_alone_is_no_term():
    # 就是, "that is", is in no list, but 就 and 是 are.
    assert names(["就是难吃"], segmenter=lambda run: [run[:2], run[2:]]) == ["难吃"]


def test_chinese_words_of_one_character_count_on_request():
    cut = list
    with pytest.raises(DataError, match="no"):
        text.ReadableTerms(segmenter=cut).fit(["慢"])
    assert names(["慢"], segmenter=cut, shortest=1) == ["慢"]


def test_words_that_stand_only_together_are_joined_and_others_not():
    others = ["failed", "pending", "ready", "gone", "here today", "wrong"]
    texts = [f"apple pay {one}" for one in others] + [f"card {one}" for one in others] + ["pay by card"]
    found = names(texts)
    assert "apple pay" in found
    assert "apple" not in found
    assert "card" in found
    assert "apple" in names(texts, joined=False)


def test_a_text_sent_many_times_joins_nothing():
    assert names(["parcel arrived late"] * 50) == ["arrived", "late", "parcel"]


def test_at_most_three_pieces_make_one_term():
    texts = [f"{one} alpha beta gamma delta epsilon {one}" for one in ("a1", "b2", "c3", "d4", "e5", "f6")]
    longest = max(len(name.split()) for name in names(texts))
    assert longest == 3
    assert "alpha beta gamma" in names(texts)


def test_a_pair_is_joined_only_where_seven_in_ten_of_the_rarer_meet():
    texts = (
        [f"w{n}a gift card" for n in range(7)] + [f"w{n}b gift" for n in range(3)] + [f"w{n}c card" for n in range(9)]
    )
    pieces = read_pieces(texts, list)
    allowed = np.ones(len(pieces.names), dtype=bool)
    assert find_joins(pieces, allowed) == [["gift", "card"]]
    fewer = read_pieces([*texts, "gift again"], list)
    assert find_joins(fewer, np.ones(len(fewer.names), dtype=bool)) == []


def test_counting_unseen_texts_tells_terms_never_learned():
    terms = text.ReadableTerms().fit(["late parcel", "lost parcel"])
    counts, every = terms.count(["parcel parcel rocket", "", None])
    assert counts.toarray()[:, terms.names_.index("parcel")].tolist() == [2, 0, 0]
    assert every.tolist() == [3, 0, 0]


def test_terms_too_rare_or_too_common_are_left_out():
    texts = [f"card problem{n % 2}" for n in range(10)] + ["card rare"]
    assert names(texts, max_df=0.6) == ["problem0", "problem1", "rare"]
    assert text.ReadableTerms(min_df=2).fit(texts).names_ == ["card", "problem0", "problem1"]


def test_the_default_least_count_grows_with_the_corpus():
    rare = ["rareword here", "rareword there"]
    assert "rareword" in text.ReadableTerms().fit([f"card {n % 7}x" for n in range(500)] + rare).names_
    assert "rareword" not in text.ReadableTerms().fit([f"card {n % 7}x" for n in range(1500)] + rare).names_


@pytest.mark.parametrize("texts", [[], [""], ["the of and", "的 了"], ["12 !! 😀"]])
def test_nothing_to_count_is_an_error_that_says_so(texts):
    with pytest.raises(DataError, match=f"none of the {len(texts)} texts has a word"):
        text.ReadableTerms().fit(texts)


def test_wrong_segmenters_are_refused():
    with pytest.raises(ValueError, match="segmenter must be"):
        text.ReadableTerms(segmenter="jieba").fit(["退款"])


def test_a_missing_segmenter_falls_back_only_where_it_may(monkeypatch):
    monkeypatch.setattr("crmkit.language._words.find_spec", lambda _: None)
    terms = text.ReadableTerms().fit(["refund 退款"])
    assert terms.segmenter_ == "cohesion"


@needs_rjieba
def test_rjieba_gives_words_where_it_is_installed():
    terms = text.ReadableTerms().fit(["申请退款，一直没有收到"])
    assert terms.segmenter_ == "rjieba"
    assert {"申请", "退款", "收到"} <= set(terms.names_)


def test_reader_can_be_cloned_and_saved(tmp_path):
    pytest.importorskip("skops")
    texts = [f"包裹{n}没有送到 apple pay {w}" for n, w in enumerate(["late", "lost", "gone", "fast", "slow", "here"])]
    for segmenter in ("cohesion", "auto"):
        terms = text.ReadableTerms(segmenter=segmenter).fit(texts)
        crmkit.save(terms, tmp_path / "terms.crm")
        again = crmkit.load(tmp_path / "terms.crm")
        assert (again.transform(texts) != terms.transform(texts)).nnz == 0
        assert clone(terms).fit(texts).names_ == terms.names_


def test_cohesion_finds_words_whose_neighbours_vary():
    texts = [a + "外卖" + b for a in "甲乙丙丁" for b in "戊己庚辛"] + ["甲乙", "丙丁", "戊己", "庚辛"] * 4
    found = {word for word in learn_words(texts, min_count=5, cohesion=0.5) if len(word) > 1}
    assert found == {"外卖"}


def test_a_run_that_is_always_part_of_a_longer_one_is_no_word():
    texts = [a + "送餐员" + b for a in "甲乙丙丁" for b in "戊己庚辛"]
    found = {word for word in learn_words(texts, min_count=5, cohesion=0.5) if len(word) > 1}
    assert found == {"送餐员"}


def test_words_do_not_begin_or_end_with_a_particle():
    texts = [a + "的外卖" + b for a in "甲乙丙丁" for b in "戊己庚辛"]
    assert not [word for word in learn_words(texts, min_count=5, cohesion=0.5) if "的" in word and len(word) > 1]


def test_no_chinese_gives_no_words_and_unseen_characters_stand_alone():
    assert learn_words(["refund please"]) == {}
    assert cutter({})("退款") == ["退", "款"]


def test_cutting_is_exact_and_linear():
    cut = cutter({"退款": -1.0, "申请": -1.0, "退": -4.0, "款": -4.0})
    assert cut("申请退款退") == ["申请", "退款", "退"]
    run = "申请退款" * 20_000
    assert "".join(cut(run)) == run


@pytest.mark.slow
@needs_rjieba
def test_frequent_words_found_by_cohesion_are_words_of_the_dictionary(data_file):
    # Measured: .795 of the 200 most frequent terms of 11,987 reviews are left whole by rjieba; the rest are phrases.
    import rjieba

    reviews = pd.read_csv(data_file("waimai_10k/waimai_10k.csv"))["review"]
    terms = text.ReadableTerms(segmenter="cohesion").fit(reviews)
    best = np.argsort(-terms.found_in_, kind="stable")[:200]
    words = [terms.names_[place] for place in best if not terms.names_[place].isascii()]
    whole = sum(len(rjieba.cut(word)) == 1 for word in words)
    assert whole / len(words) > 0.75
    assert not set(words) & stop_words()


def test_markup_is_no_term():
    texts = ["<div><p>late&nbsp;parcel</p></div>", "<div style='a'>refund &amp; parcel</div>"] * 3
    assert text.ReadableTerms().fit(texts).names_ == ["late", "parcel", "refund"]
