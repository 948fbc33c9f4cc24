"""Features of texts: the analyser's terms, counted fast and weighed once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from crmkit.core.errors import DataError
from crmkit.language import Analyzer
from crmkit.text import TextFeatures, TextSVM, explain

MIXED = [
    "Where is my card? It hasn't arrived!",
    "我要退款，退款一直没到账",
    "请帮我cancel我的order 12,345",
    "my card my card 👍👍",
    "",
    "ＲＥＦＵＮＤ please",
    "カードが届きません",
]
TEXTS = st.lists(
    st.text(alphabet=st.one_of(st.sampled_from("ab c'1.电脑！😀é"), st.characters()), max_size=20),
    min_size=1,
    max_size=6,
)


def assert_counts_agree(texts, others, **params):
    """Compare with scikit-learn counting the analyser's terms."""
    slow = CountVectorizer(analyzer=Analyzer(**params)).fit(texts)
    fast = TextFeatures(weighting="count", **params).fit(texts)
    names = fast.get_feature_names_out().tolist()
    assert sorted(names) == sorted(slow.vocabulary_)
    order = [slow.vocabulary_[name] for name in names]
    assert np.array_equal(fast.transform(others).toarray(), slow.transform(others).toarray()[:, order])


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"words": (1, 3), "chars": (3, 4), "han": (2, 4)},
        {"chars": (0, 0), "signs": False},
        {"han": (1, 2), "segmenter": lambda run: [run[:2], run[2:]]},
    ],
)
def test_counts_are_those_of_the_analyser(params):
    assert_counts_agree(MIXED[:4], MIXED, **params)


@given(TEXTS, TEXTS)
def test_counts_are_those_of_the_analyser_for_any_text(texts, others):
    try:
        TextFeatures().fit(texts)
    except DataError:
        assert not any(Analyzer()(text) for text in texts)
        return
    assert_counts_agree(texts, others)


def test_on_latin_words_it_is_scikit_learns_tfidf():
    texts = ["where is my card", "cancel my card please", "refund please"]
    ours = TextFeatures(chars=(0, 0)).fit_transform(texts).toarray()
    theirs = TfidfVectorizer(ngram_range=(1, 2)).fit_transform(texts).toarray()
    assert np.allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1))


def test_tfidf_is_applied_once():
    values = TextFeatures(chars=(0, 0)).fit_transform(["card card refund", "card later"])
    # By hand: idf = ln((1 + n) / (1 + df)) + 1; terms of the first text: card 2, refund, card card, card refund.
    rare = np.log(3 / 2) + 1
    weights = np.array([2.0, rare, rare, rare])
    assert np.allclose(np.sort(values[0].data), np.sort(weights / np.linalg.norm(weights)))


def test_each_block_has_its_scripts_share_as_squared_length():
    features = TextFeatures().fit(MIXED)
    letters = [name.startswith("chars:") for name in features.get_feature_names_out()]
    squares = features.transform(["card", "退款", "card 退款款款", "!"]).power(2).toarray()
    assert squares[:, letters].sum(axis=1) == pytest.approx([1.0, 0.0, 0.5, 0.0])
    assert squares.sum(axis=1) == pytest.approx([1.5, 1.0, 1.25, 1.0])


def test_characters_within_words_count_by_the_root_of_tfidf():
    texts = ["ab ab", "ab c", "d"]
    ours = TextFeatures(chars=(2, 2)).fit(texts)
    letters = [name.startswith("chars:") for name in ours.get_feature_names_out()]
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 2)).fit_transform(texts).toarray()
    roots = np.sqrt(theirs / theirs.sum(axis=1, keepdims=True))
    assert np.allclose(np.sort(ours.transform(texts).toarray()[:, letters], axis=1), np.sort(roots, axis=1))


def test_fit_and_transform_agree():
    features = TextFeatures()
    assert np.allclose(features.fit_transform(MIXED).toarray(), features.transform(MIXED).toarray())


def test_unknown_terms_count_for_nothing():
    assert TextFeatures().fit(["card"]).transform(["退款", "zzz"]).nnz == 0


def test_rare_terms_are_left_out():
    features = TextFeatures(min_df=2, chars=(0, 0)).fit(["my card", "my money", "退款"])
    assert features.get_feature_names_out().tolist() == ["word:my"]
    assert features.transform(["my card"]).shape == (1, 1)


def test_sublinear_counts_grow_slowly():
    many = TextFeatures(chars=(0, 0), words=(1, 1), sublinear=True).fit(["card", "refund"])
    card, refund = many.transform(["card card card refund"]).toarray()[0]
    assert card / refund == pytest.approx(1 + np.log(3))


def test_no_texts_give_no_rows():
    features = TextFeatures().fit(MIXED)
    assert features.transform([]).shape == (0, features.n_columns_)


@pytest.mark.parametrize("texts", [["", " \n"], [None], []])
def test_nothing_to_learn_is_an_error(texts):
    with pytest.raises(DataError, match="none of the"):
        TextFeatures().fit(texts)


def test_a_min_df_no_term_reaches_says_so():
    with pytest.raises(DataError, match="lower min_df"):
        TextFeatures(min_df=3).fit(["a", "b"])


@pytest.mark.parametrize("params", [{"words": (2, 1)}, {"words": (0, 1)}, {"chars": (0, 3)}, {"han": (1, 11)}])
def test_orders_that_mean_nothing_are_refused(params):
    with pytest.raises(ValueError, match="1 <= fewest <= most <= 10"):
        TextFeatures(**params).fit(MIXED)


@pytest.mark.parametrize("params", [{"weighting": "idf"}, {"min_df": 0}, {"words": 2}])
def test_wrong_parameters_are_refused_as_scikit_learn_does(params):
    with pytest.raises(ValueError, match="parameter of TextFeatures"):
        TextFeatures(**params).fit(MIXED)


def test_a_table_is_no_list_of_texts():
    with pytest.raises(TypeError, match="got a table"):
        TextFeatures().fit(pd.DataFrame({"text": MIXED}))


def test_one_text_and_numbers_and_two_dimensions_are_refused():
    with pytest.raises(TypeError, match="put it in a list"):
        TextFeatures().fit("card")
    with pytest.raises(TypeError, match="got NoneType"):
        TextFeatures().fit(None)
    with pytest.raises(ValueError, match="one-dimensional"):
        TextFeatures().fit(np.array([["card"]], dtype=object))


def test_before_fit_it_says_so():
    with pytest.raises(NotFittedError):
        TextFeatures().transform(["card"])


def test_it_clones_with_its_parameters():
    assert clone(TextFeatures(han=(2, 2), min_df=3)).get_params()["han"] == (2, 2)


def without_s(word):
    return word.removesuffix("s")


def test_forms_of_a_word_count_as_one_with_a_stemmer():
    features = TextFeatures(chars=(0, 0), words=(1, 1), stemmer=without_s).fit(["refund", "my refunds"])
    assert features.get_feature_names_out().tolist() == ["word:my", "word:refund"]
    one, other = features.transform(["refund", "refunds"]).toarray()
    assert np.array_equal(one, other)


def test_stemmed_words_are_explained_by_the_words_that_were_written():
    model = TextSVM(features=TextFeatures(stemmer=without_s), random_state=0)
    model.fit(["my refunds", "refund it", "my cards", "card lost"], ["refund", "refund", "card", "card"])
    found = explain(model, ["Refunds now"])
    assert found["span"].tolist()[1:] == ["Refunds", "now"]
    assert found["weight"].sum() == pytest.approx(model.decision_function(["Refunds now"])[0], abs=1e-9)


def test_english_stems_count_as_one():
    pytest.importorskip("snowballstemmer", reason="the extra stem is not installed")
    features = TextFeatures(chars=(0, 0), words=(1, 1), stemmer="english").fit(["charged", "charging", "退款"])
    assert features.get_feature_names_out().tolist() == ["word:charg", "han:款", "han:退", "han:退款"]
