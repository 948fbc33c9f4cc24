"""Keywords of a corpus and of each class: the published formula, weights, languages, odd input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import text
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import stop_words
from crmkit.text.keywords._log_odds import log_odds

TEXTS = ["late parcel", "parcel lost", "refund please", "where is my refund", "退款 refund", "包裹 late"]
LABELS = ["delivery", "delivery", "money", "money", "money", "delivery"]


def in_two(run):
    return [run[place : place + 2] for place in range(0, len(run), 2)]


TERMS = text.ReadableTerms(segmenter=in_two)


def test_log_odds_are_those_of_monroe_and_others_term_by_term():
    counts, prior = np.array([[10.0, 3.0, 0.0], [2.0, 8.0, 5.0]]), 14.0
    found = log_odds(counts, prior=prior, level=0.95)
    every = counts.sum(axis=0)
    for label in (0, 1):
        mine, theirs = counts[label], counts[1 - label]
        for term in range(3):
            alpha = prior * every[term] / every.sum()
            own, rest = mine[term] + alpha, theirs[term] + alpha
            delta = np.log(own / (mine.sum() + prior - own)) - np.log(rest / (theirs.sum() + prior - rest))
            error = np.sqrt(1 / own + 1 / rest)
            assert found.value[label, term] == pytest.approx(delta)
            assert found.z[label, term] == pytest.approx(delta / error)
            assert found.low[label, term] == pytest.approx(delta - 1.959963985 * error)
            assert found.high[label, term] == pytest.approx(delta + 1.959963985 * error)


def test_a_stronger_prior_draws_rare_terms_to_no_difference():
    counts = np.array([[100.0, 2.0], [100.0, 0.0]])
    weak, strong = (log_odds(counts, prior=prior, level=0.95).value[0, 1] for prior in (1.0, 1000.0))
    assert 0 < strong < weak


def test_each_class_is_described_by_its_own_words_in_both_languages():
    table = text.keywords(TEXTS, by=LABELS, terms=TERMS)
    top = table[table["rank"] == 1].set_index("label")["term"]
    assert top.to_dict() == {"delivery": "late", "money": "refund"}
    assert set(table.loc[table["label"] == "delivery", "term"]) == {"late", "parcel", "lost", "包裹"}
    row = table[(table["label"] == "money") & (table["term"] == "refund")].iloc[0]
    assert (row["n_texts"], row["of"], row["count"], row["share"]) == (3, 3, 3, 1.0)
    assert row["log_odds_low"] < row["log_odds"] < row["log_odds_high"]
    assert row["score"] == row["z"] > 0


def test_no_class_is_described_by_what_the_others_say_more():
    table = text.keywords(["alpha", "alpha", "alpha beta"], by=[1, 1, 2])
    assert (table["z"] > 0).all()
    assert table.loc[table["label"] == 2, "term"].tolist() == ["beta"]


def test_class_tfidf_ranks_when_asked_to():
    table = text.keywords(TEXTS, by=LABELS, method="c-tf-idf", terms=TERMS)
    assert (table["score"] == table["c_tf_idf"]).all()
    for _, rows in table.groupby("label"):
        assert rows["score"].is_monotonic_decreasing
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))


def test_a_corpus_without_labels_has_keywords_by_tfidf():
    table = text.keywords(TEXTS, terms=TERMS, n=3)
    assert table["term"].tolist()[0] == "refund"
    assert len(table) == 3
    assert "label" not in table
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()


def test_weights_multiply_and_zero_leaves_out():
    plain = text.keywords(TEXTS, by=LABELS, terms=TERMS).set_index(["label", "term"])["score"]
    weighed = text.keywords(TEXTS, by=LABELS, terms=TERMS, weights={"Parcel": 3, "late": 0}).set_index(
        ["label", "term"]
    )
    assert weighed.loc[("delivery", "parcel"), "score"] == pytest.approx(3 * plain["delivery", "parcel"])
    assert weighed.loc[("delivery", "parcel"), "z"] == pytest.approx(plain["delivery", "parcel"])
    assert ("delivery", "late") not in weighed.index


def test_titles_and_first_sentences_count_more_without_changing_counts():
    texts, titles = ["alpha beta. gamma delta", "beta"], ["beta", ""]
    labels = ["a", "b"]
    plain = text.keywords(texts, by=["a", "b"], titles=titles, title_weight=1).set_index(["label", "term"])
    title = text.keywords(texts, by=labels, titles=titles, title_weight=5).set_index(["label", "term"])
    first = text.keywords(texts, by=labels, titles=titles, title_weight=1, first_weight=2).set_index(["label", "term"])
    # beta stands once in the title and once in the body: (5 + 1) / 2 of its plain weight.
    assert title["score"].get(("a", "beta"), 0) == pytest.approx(3 * plain["score"].get(("a", "beta"), 0))
    assert first.loc[("a", "alpha"), "score"] == pytest.approx(2 * plain.loc[("a", "alpha"), "score"])
    assert first.loc[("a", "gamma"), "score"] == pytest.approx(plain.loc[("a", "gamma"), "score"])
    pd.testing.assert_series_equal(title["count"].sort_index(), plain["count"].sort_index(), check_names=False)


def test_languages_can_be_told_apart():
    assert set(text.keywords(TEXTS, terms=TERMS, language="zh")["term"]) == {"退款", "包裹"}
    assert all(term.isascii() for term in text.keywords(TEXTS, terms=TERMS, language="en")["term"])


def test_stop_words_can_be_changed():
    assert "please" in set(text.keywords(TEXTS)["term"])
    assert "please" not in set(text.keywords(TEXTS, stop_words=stop_words(add=["please"]))["term"])


def test_texts_without_a_label_are_named_and_left_out():
    with pytest.warns(DataWarning, match="want of a label: row 0"):
        table = text.keywords(["late", "late parcel", "refund"], by=[None, "a", "b"], titles=["", "alpha", ""])
    assert table.groupby("label")["of"].first().to_dict() == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"by": [None] * 6}, DataError, "none of the 6 texts has a label"),
        ({"by": ["a"]}, ValueError, "6 texts and 1 labels"),
        ({"by": "label"}, TypeError, "one label a text"),
        ({"weights": {"late": -1}}, ValueError, "0 or more"),
        ({"weights": ["late"]}, TypeError, "map terms"),
        ({"method": "tfidf"}, ValueError, "method must be one of"),
        ({"n": 0}, ValueError, "n must be"),
        ({"language": "fr"}, ValueError, "language must be"),
        ({"titles": ["a"]}, ValueError, "6 texts and 1 titles"),
        ({"title_weight": -1}, ValueError, "title_weight must be 0 or more"),
        ({"prior": 0}, ValueError, "prior must be above 0"),
        ({"terms": TERMS, "stop_words": []}, ValueError, "give stop_words to terms="),
        ({"level": 2}, DataError, "level must lie"),
    ],
)
def test_wrong_options_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        text.keywords(TEXTS, **options)


@pytest.mark.parametrize("texts", [[], ["", None], ["the"], ["😀"]])
def test_nothing_to_read_is_an_error(texts):
    with pytest.raises(DataError, match="has a word left"):
        text.keywords(texts)


def test_one_class_alone_and_one_term_alone_have_no_contrast():
    assert len(text.keywords(["late", "late"], by=["a", "b"])) == 0
    texts = ["late parcel", "late refund, please", "parcel lost again"]
    with pytest.warns(DataWarning, match="one class only"):
        assert len(text.keywords(texts, by=["a"] * 3)) == 0
    ranked = text.keywords(texts, by=["a"] * 3, method="c-tf-idf", n=1)
    assert ranked[["term", "z"]].values.tolist() == [["late", 0.0]]


def test_labels_stay_what_they_are_beside_a_missing_one():
    with pytest.warns(DataWarning, match="row 1"):
        found = text.keywords(["late parcel", "again", "refund"], by=[1, None, 2])
    assert found["label"].unique().tolist() == [1, 2]
    assert {type(label) for label in found["label"].tolist()} == {int}


def test_weights_are_read_as_texts_are():
    texts = ["late parcel", "late refund"]
    assert "late" not in text.keywords(texts, weights={"ＬＡＴＥ": 0})["term"].tolist()
    assert "late" not in text.keywords_of(texts[0], weights={"Late": 0})["term"].tolist()
    assert len(text.keywords(texts, weights=dict.fromkeys(["late", "parcel", "refund"], 0))) == 0


def test_markup_is_no_word():
    texts = [
        "<div style='color:red'><p>late&nbsp;parcel</p></div>",
        "<div>退款&amp;一直没到账</div>",
        "<p>late</p>",
    ] * 2
    found = text.keywords(texts)
    assert set(found["term"]) >= {"late", "parcel", "退款"}
    assert not {"div", "style", "color", "nbsp", "amp"} & set(found["term"])
    named = text.keywords(texts, titles=["<b>Late</b>"] * 6, first_weight=2)
    assert "late" in set(named["term"])
    one = text.keywords_of(texts[0])
    assert one["term"].tolist() == ["late", "parcel"]
    assert [texts[0][row.start : row.end] for row in one.itertuples()] == ["late", "parcel"]


@pytest.mark.slow
def test_good_and_bad_reviews_are_told_by_their_words(data_file):
    reviews = pd.read_csv(data_file("waimai_10k/waimai_10k.csv"))
    table = text.keywords(reviews["review"], by=reviews["label"], n=15)
    assert {"好吃", "不错"} <= set(table.loc[table["label"] == 1, "term"])
    assert {"难吃", "小时"} <= set(table.loc[table["label"] == 0, "term"])
    assert not set(table["term"]) & stop_words()
    assert (table["log_odds_low"] > 0).all()
