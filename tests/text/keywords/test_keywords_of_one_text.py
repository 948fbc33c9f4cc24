"""Keywords of one text: three methods, offsets, weights, odd texts."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import text
from crmkit.core.errors import DataError
from crmkit.text.keywords._single import _terms, _walk

ENGLISH = "The parcel is late. Where is the late parcel? Nobody answers the hotline about the parcel. Send a refund."
METHODS = ("textrank", "rake", "tf-idf")
CORPUS = text.ReadableTerms(min_df=1).fit(["late train", "late again", "late bus", "parcel here", "hotline busy late"])


def in_two(run):
    return [run[place : place + 2] for place in range(0, len(run), 2)]


@pytest.mark.parametrize("method", METHODS)
def test_offsets_point_to_the_first_occurrence(method):
    found = text.keywords_of(ENGLISH, method=method, background=CORPUS if method == "tf-idf" else None)
    assert len(found)
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert found["score"].is_monotonic_decreasing
    for row in found.itertuples():
        assert ENGLISH[row.start : row.end].lower() == row.term
        assert ENGLISH.lower().index(row.term) == row.start


def test_textrank_prefers_what_stands_beside_much():
    beside = "A late parcel, a lost parcel and a broken parcel. The parcel courier waits. Refund."
    assert text.keywords_of(beside, n=1)["term"].tolist() == ["parcel"]


def test_textrank_is_the_walk_solved_exactly():
    reader = text.ReadableTerms().learn_words([ENGLISH])
    found = _terms(ENGLISH, reader)
    names = sorted({term.text for term in found})
    codes = np.array([names.index(term.text) for term in found])
    links = np.zeros((len(names), len(names)))
    for one, first in enumerate(found):
        for other, second in enumerate(found):
            near = one < other and first.ended == second.ended and second.first - first.first < 3
            if near and codes[one] != codes[other]:
                links[codes[one], codes[other]] += 1
                links[codes[other], codes[one]] += 1
    degree = links.sum(axis=0)
    step = np.where(degree > 0, links / np.where(degree > 0, degree, 1), 1 / len(names))
    exact = np.linalg.solve(np.eye(len(names)) - 0.85 * step, np.full(len(names), 0.15 / len(names)))
    np.testing.assert_allclose(_walk(found, codes, len(names)), exact, atol=1e-8)


def test_rake_scores_are_degree_over_frequency_summed():
    found = text.keywords_of("Petrol station, declined at petrol station. Petrol!", method="rake").set_index("term")
    # petrol: degree 2 + 2 + 1 over 3 times; station: 2 + 2 over 2.
    assert found.loc["petrol station", "score"] == pytest.approx(5 / 3 + 2)
    assert found.loc["petrol", "score"] == pytest.approx(5 / 3)
    assert found.loc["petrol station", "count"] == 2


def test_tfidf_prefers_what_the_corpus_says_less():
    found = text.keywords_of("late refund", method="tf-idf", background=CORPUS).set_index("term")["score"]
    assert found["refund"] == pytest.approx(np.log(6 / 1) + 1)
    assert found["late"] == pytest.approx(np.log(6 / 5) + 1)
    again = text.keywords_of("late refund", method="tf-idf", background=["late train", "late again", "parcel"])
    assert again["term"].tolist() == ["refund", "late"]


def test_chinese_and_english_are_read_together():
    reader = text.ReadableTerms(segmenter=in_two, min_df=1).fit(["退款 refund"])
    found = text.keywords_of("退款包裹 and my refund，退款", method="tf-idf", background=reader)
    assert set(found["term"]) == {"退款", "包裹", "refund"}
    assert set(text.keywords_of("退款包裹 refund", method="tf-idf", background=reader, language="zh")["term"]) == {
        "退款",
        "包裹",
    }


def test_terms_the_corpus_joins_are_joined():
    words = ["late", "lost", "gone", "fast", "slow", "wrong"]
    reader = text.ReadableTerms(min_df=1).fit([f"apple pay {word}" for word in words])
    found = text.keywords_of("Apple Pay failed", method="tf-idf", background=reader)
    row = found[found["term"] == "apple pay"].iloc[0]
    assert (row["start"], row["end"]) == (0, 9)


def test_weights_titles_and_first_sentences_raise_terms():
    plain = text.keywords_of(ENGLISH).set_index("term")["score"]
    weighed = text.keywords_of(ENGLISH, weights={"refund": 4, "late": 0}).set_index("term")["score"]
    assert weighed["refund"] == pytest.approx(4 * plain["refund"])
    assert "late" not in weighed
    titled = text.keywords_of(ENGLISH, title="Refund", title_weight=3).set_index("term")["score"]
    assert titled["refund"] == pytest.approx(3 * plain["refund"])
    assert titled["hotline"] == pytest.approx(plain["hotline"])
    first = text.keywords_of(ENGLISH, first_weight=2).set_index("term")["score"]
    assert first["parcel"] == pytest.approx(2 * plain["parcel"])
    assert first["refund"] == pytest.approx(plain["refund"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("empty", ["", " \n", "the of", "😀 !!", "12 34", "的了"])
def test_a_text_without_words_has_no_keywords(method, empty):
    found = text.keywords_of(empty, method=method, background=CORPUS if method == "tf-idf" else None)
    assert len(found) == 0
    assert list(found.columns) == ["rank", "term", "score", "count", "start", "end"]


@pytest.mark.parametrize("method", METHODS)
def test_one_word_is_its_own_keyword(method):
    found = text.keywords_of("Refund", method=method, background=CORPUS if method == "tf-idf" else None)
    assert found["term"].tolist() == ["refund"]


def test_a_megabyte_is_read_in_seconds():
    found = text.keywords_of(ENGLISH * 10_000, n=10)
    assert found["count"].max() == 30_000


def test_wrong_calls_are_refused():
    with pytest.raises(TypeError, match="text must be str"):
        text.keywords_of([ENGLISH])
    with pytest.raises(ValueError, match="method must be"):
        text.keywords_of(ENGLISH, method="yake")
    with pytest.raises(ValueError, match="background="):
        text.keywords_of(ENGLISH, method="tf-idf")
    with pytest.raises(TypeError, match="n must be a whole number, got float"):
        text.keywords_of(ENGLISH, n=2.0)
    with pytest.raises(ValueError, match="n must be"):
        text.keywords_of(ENGLISH, n=0)
    with pytest.raises(ValueError, match="first_weight must be"):
        text.keywords_of(ENGLISH, first_weight=-1)
    with pytest.raises(ValueError, match="give stop_words to the"):
        text.keywords_of(ENGLISH, method="tf-idf", background=CORPUS, stop_words=["late"])
    with pytest.raises(DataError):
        text.keywords_of(ENGLISH, method="tf-idf", background=[""])
