"""ROUGE agrees with the usual package, reads Chinese, and gives intervals over documents."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics import bootstrap, rouge, rouge_scores
from crmkit.metrics._overlap import common_subsequence
from crmkit.metrics._porter import porter_stem
from crmkit.metrics._summary_tokens import summary_tokens

KINDS = ["rouge-1", "rouge-2", "rouge-3", "rouge-l", "rouge-lsum"]
CASES = [
    ("The courier lost my parcel.", ["My parcel was lost by the courier."]),
    ("She didn't pay £1,000.50 on-time; it's U.S. law", ["it is the u.s. law to pay 1,000.50 pounds on time"]),
    (
        "The agent refunded the order.\nThe customer thanked the agent.",
        ["The customer was refunded.\nShe thanked him.", "An agent refunds orders and gets thanked."],
    ),
    (
        "one two two three\nfour two one\nthree three five",
        ["two one two\nthree four five three\none", "five four three two one"],
    ),
    ("Café naïve — don’t “quote” ½ ™ 3.5€", ["cafe naive don't quote 3.5"]),
    (
        "Relational deliveries were happily cancelled, proceeding irregularly",
        ["he happily cancels deliveries; proceed with irregular relations"],
    ),
    ("", ["something"]),
    ("a b c d e f g", ["g f e d c b a"]),
]


# fmt: off
# Precision, recall and F of KINDS for each case without and with the stemmer, printed by rouge-score 0.1.2.
PUBLISHED = {
    False: [
        [1.0, 0.7142857, 0.8333333, 0.5, 0.3333333, 0.4, 0.0, 0.0, 0.0, 0.4, 0.2857143, 0.3333333, 0.4, 0.2857143,
         0.3333333],
        [0.7142857, 0.7142857, 0.7142857, 0.4615385, 0.4615385, 0.4615385, 0.25, 0.25, 0.25, 0.4285714, 0.4285714,
         0.4285714, 0.4285714, 0.4285714, 0.4285714],
        [0.4, 0.5714286, 0.4705882, 0.1111111, 0.1666667, 0.1333333, 0.0, 0.0, 0.0, 0.3, 0.4285714, 0.3529412, 0.4,
         0.5714286, 0.4705882],
        [0.8, 1.0, 0.8888889, 0.4444444, 0.5714286, 0.5, 0.125, 0.1666667, 0.1428571, 0.5, 0.625, 0.5555556, 0.8,
         1.0, 0.8888889],
        [0.625, 0.7142857, 0.6666667, 0.5714286, 0.6666667, 0.6153846, 0.5, 0.6, 0.5454545, 0.625, 0.7142857,
         0.6666667, 0.625, 0.7142857, 0.6666667],
        [0.2857143, 0.25, 0.2666667, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1428571, 0.125, 0.1333333, 0.1428571, 0.125,
         0.1333333],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1428571, 0.1428571, 0.1428571, 0.1428571, 0.1428571,
         0.1428571],
    ],
    True: [
        [1.0, 0.7142857, 0.8333333, 0.5, 0.3333333, 0.4, 0.0, 0.0, 0.0, 0.4, 0.2857143, 0.3333333, 0.4, 0.2857143,
         0.3333333],
        [0.7142857, 0.7142857, 0.7142857, 0.4615385, 0.4615385, 0.4615385, 0.25, 0.25, 0.25, 0.4285714, 0.4285714,
         0.4285714, 0.4285714, 0.4285714, 0.4285714],
        [0.4, 0.5714286, 0.4705882, 0.1111111, 0.1666667, 0.1333333, 0.0, 0.0, 0.0, 0.4, 0.5714286, 0.4705882, 0.4,
         0.5714286, 0.4705882],
        [0.8, 1.0, 0.8888889, 0.4444444, 0.5714286, 0.5, 0.125, 0.1666667, 0.1428571, 0.5, 0.625, 0.5555556, 0.8,
         1.0, 0.8888889],
        [0.625, 0.7142857, 0.6666667, 0.5714286, 0.6666667, 0.6153846, 0.5, 0.6, 0.5454545, 0.625, 0.7142857,
         0.6666667, 0.625, 0.7142857, 0.6666667],
        [0.7142857, 0.625, 0.6666667, 0.1666667, 0.1428571, 0.1538462, 0.0, 0.0, 0.0, 0.4285714, 0.375, 0.4,
         0.4285714, 0.375, 0.4],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1428571, 0.1428571, 0.1428571, 0.1428571, 0.1428571,
         0.1428571],
    ],
}
# fmt: on


@pytest.mark.parametrize("use_stemmer", [False, True])
def test_figures_are_those_of_the_usual_package(use_stemmer):
    table = rouge_scores(
        [candidate for candidate, _ in CASES],
        [references for _, references in CASES],
        kinds=KINDS,
        use_stemmer=use_stemmer,
    )
    np.testing.assert_allclose(table.to_numpy(), PUBLISHED[use_stemmer], rtol=0, atol=1e-6)


def test_of_several_references_the_best_f_counts():
    one, two = "the parcel is lost", "a refund was paid"
    candidate = "the refund was paid"
    assert rouge(candidate, [one, two]) == rouge(candidate, two)
    assert rouge([candidate], [[one, two]]) == rouge(candidate, two)


def test_precision_and_recall_can_be_asked_for():
    assert rouge("the parcel", "the parcel is lost", measure="precision") == 1.0
    assert rouge("the parcel", "the parcel is lost", measure="recall") == 0.5


def test_each_han_character_is_a_word_and_full_width_digits_are_digits():
    assert summary_tokens("退款１００元 ok！") == ["退", "款", "100", "元", "ok"]
    assert rouge("退款没到账", "退款还没有到账", kind="rouge-l") == pytest.approx(2 * 5 / (5 + 7))


def test_words_of_other_scripts_count_too():
    assert summary_tokens("Заказ не пришёл ٣") == ["заказ", "не", "пришёл", "٣"]
    assert summary_tokens("مُحَمَّد") == ["مُحَمَّد"]
    assert rouge("получил заказ", "не получил заказ") == pytest.approx(0.8)


def test_a_tokenizer_of_ones_own_replaces_the_usual_one():
    assert rouge("a-b", "a-b c-d", tokenizer=str.split, measure="recall") == 0.5


def test_stemming_folds_forms_of_a_word():
    assert rouge("deliveries delayed", "delivery delays") == 0.0
    assert rouge("deliveries delayed", "delivery delays", use_stemmer=True) == 1.0


@pytest.mark.parametrize(
    ("word", "stem"),
    # Porter 1980, with the departures of the natural language toolkit for the last eight.
    [
        *(("caresses", "caress"), ("ponies", "poni"), ("feed", "feed"), ("agreed", "agre"), ("plastered", "plaster")),
        *(
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("troubled", "troubl"),
            ("hopping", "hop"),
        ),
        *(("falling", "fall"), ("filing", "file"), ("happy", "happi"), ("relational", "relat"), ("rational", "ration")),
        *(("vietnamization", "vietnam"), ("electrical", "electr"), ("adoption", "adopt"), ("probate", "probat")),
        *(("controll", "control"), ("roll", "roll"), ("by", "by"), ("ties", "tie"), ("died", "die"), ("spied", "spi")),
        *(("enjoy", "enjoy"), ("skies", "sky"), ("hopefulli", "hope"), ("analogi", "analog"), ("radicalli", "radic")),
    ],
)
def test_stems_are_porters(word, stem):
    assert porter_stem(word) == stem


def test_the_corpus_mean_has_an_interval_over_documents():
    words = np.array(["parcel", "refund", "late", "broken", "courier", "size", "order", "card"])
    drawn = np.random.default_rng(0).choice(words, size=(2, 60, 8))
    candidates, references = ([" ".join(text) for text in texts] for texts in drawn)
    figure = rouge(candidates, references)
    each = rouge_scores(candidates, references, kinds=["rouge-1"])["rouge-1 f1"]
    assert isinstance(figure, Estimate)
    assert figure.n == 60
    assert figure.value == pytest.approx(each.mean())
    assert figure.low < figure.value < figure.high
    half = 1.96 * each.std() / math.sqrt(60)
    assert figure.high - figure.value == pytest.approx(half, rel=0.3)
    plain = bootstrap(np.mean, each.to_numpy())
    assert (figure.low, figure.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_one_document_has_no_interval():
    figure = rouge("a b", "a c")
    assert figure == 0.5
    assert math.isnan(figure.low)
    assert math.isnan(figure.high)


def test_the_table_keeps_the_index_of_the_candidates():
    candidates = pd.Series(["a", "b"], index=["x", "y"])
    table = rouge_scores(candidates, ["a", "c"], kinds="rouge-1")
    assert table.index.tolist() == ["x", "y"]
    assert table["rouge-1 f1"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("candidate", "reference", "options", "message"),
    [
        (["a", "b"], ["a"], {}, "2 and 1"),
        ([], [], {}, "no documents"),
        (["a", "b"], ["a", None], {}, "no reference in row 1"),
        (["a", "b"], [[], "b"], {}, "no reference in row 0"),
        (["a", "b"], "a", {}, "several candidates"),
        ("a", "a", {"kind": "rouge1"}, "rouge-lsum"),
        ("a", "a", {"kind": "rouge-0"}, "rouge-lsum"),
        ("a", "a", {"measure": "f2"}, "measure"),
        ("a", "a", {"level": 2.0}, "level"),
    ],
)
def test_what_cannot_be_measured_is_refused(candidate, reference, options, message):
    with pytest.raises(DataError, match=message):
        rouge(candidate, reference, **options)


def test_something_else_than_text_is_a_type_error_without_its_value():
    with pytest.raises(TypeError, match="row 1") as caught:
        rouge(["a", b"secret"], ["a", "b"])
    assert "secret" not in str(caught.value)


def _by_table(first, second):
    """Work the length of the longest common subsequence out by the textbook's table."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, one in enumerate(first, start=1):
        for j, other in enumerate(second, start=1):
            same = table[i - 1, j - 1] + 1 if one == other else 0
            table[i, j] = max(same, table[i - 1, j], table[i, j - 1])
    return table[-1, -1]


@given(st.text("abcd", max_size=20), st.text("abcd", max_size=20))
def test_the_longest_common_subsequence_is_the_textbooks(first, second):
    assert common_subsequence(first, second) == _by_table(first, second)
    assert common_subsequence(second, first) == common_subsequence(first, second)


@given(st.lists(st.sampled_from("abc\n"), max_size=30), st.lists(st.sampled_from("abc\n"), max_size=30))
def test_figures_lie_between_nothing_and_all(candidate, reference):
    table = rouge_scores(" ".join(candidate), " ".join(reference), kinds=KINDS)
    assert table.to_numpy().min() >= 0
    assert table.to_numpy().max() <= 1


@given(st.text("ab 款退\n", min_size=1, max_size=30).filter(summary_tokens))
def test_a_text_is_all_of_itself(text):
    assert (rouge_scores(text, text, kinds=["rouge-1", "rouge-l", "rouge-lsum"]) == 1.0).all(axis=None)


def test_long_texts_are_compared_within_seconds():
    drawn = np.random.default_rng(0).choice(list("abcdefgh"), size=(2, 20_000))
    first, second = (" ".join(text) for text in drawn)
    assert 0.4 < rouge(first, second, kind="rouge-l") < 0.8
