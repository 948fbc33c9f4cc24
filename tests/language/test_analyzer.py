"""The analyser as a callable for scikit-learn's vectorizers."""

from __future__ import annotations

from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from crmkit.language import Analyzer


def test_terms_of_a_mixed_text():
    assert Analyzer(chars=(3, 3))("My 卡片!") == [
        "han:卡",
        "han:片",
        "han:卡片",
        "sign:!",
        "word:my",
        "chars: my",
        "chars:my ",
    ]


def test_signs_do_not_part_words_and_han_does():
    terms = Analyzer(chars=(0, 0), signs=False)("a, b 退 c")
    assert [term for term in terms if term.startswith("word:")] == ["word:a", "word:b", "word:a b", "word:c"]


def test_pieces_of_a_segmenter_are_counted():
    assert Analyzer(segmenter=lambda run: [run[:2], run[2:]], han=(1, 2))("申请退款") == [
        "han:申请",
        "han:退款",
        "han:申请退款",
    ]


def test_within_words_it_agrees_with_scikit_learn():
    texts = ["where is my card", "a cards card x", "refund"]
    theirs = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)).fit(texts)
    # scikit-learn takes a word shorter than n whole, which is an n-gram of its own length.
    ours = CountVectorizer(analyzer=Analyzer(chars=(2, 5))).fit(texts)
    assert {term[6:] for term in ours.vocabulary_ if term.startswith("chars:")} == set(theirs.vocabulary_)


def test_a_chinese_sentence_is_no_single_word():
    vectorizer = TfidfVectorizer(analyzer=Analyzer()).fit(["我们对客服处理退款申请的速度和态度都非常不满意"])
    assert len(vectorizer.vocabulary_) > 50
    assert "han:退款" in vectorizer.vocabulary_
