"""Terms used alike get near vectors, and texts can be told apart by them."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import mean
from crmkit.text import FixedVectors, FrozenEncoder, JoinedFeatures, TextSVM, WordVectors, read_vectors
from crmkit.text.vectors._cooccurrence import count_neighbours, factorize, positive_information
from crmkit.text.vectors._terms import cut, learn_joins, pair_codes

ENGLISH = ["where is my parcel now", "where is my package now", "please refund the order", "refund the fee at once"] * 5
CHINESE = ["快递还没有到", "包裹还没有到", "我要申请退款", "退款一直没到账"] * 5


def test_terms_used_alike_are_similar():
    vectors = WordVectors(dimensions=6, window=2).fit(ENGLISH)
    assert vectors.similar("parcel", 1)["term"].tolist() == ["package"]
    assert vectors.similar("Parcel", 1)["similarity"].iloc[0] > vectors.similar("refund", 1)["similarity"].iloc[0]


def test_similar_gives_terms_cosines_and_counts_without_the_term_itself():
    vectors = WordVectors(dimensions=6).fit(ENGLISH)
    found = vectors.similar("parcel", 100)
    assert list(found.columns) == ["term", "similarity", "count"]
    assert "parcel" not in set(found["term"])
    assert len(found) == len(vectors.terms_) - 1
    assert found["similarity"].is_monotonic_decreasing
    assert found["similarity"].between(-1.0001, 1.0001).all()
    assert found.set_index("term")["count"]["refund"] == 10


def test_several_words_are_taken_together():
    found = WordVectors(dimensions=6).fit(ENGLISH).similar("my parcel", 3)
    assert not {"my", "parcel"} & set(found["term"])


def test_a_term_nobody_used_is_an_error_that_does_not_repeat_it():
    with pytest.raises(DataError, match="no part of the term") as caught:
        WordVectors(dimensions=3).fit(ENGLISH).similar("secret", 3)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("term", "n", "error"), [("parcel", 0, ValueError), (3, 1, TypeError)])
def test_wrong_questions_are_refused(term, n, error):
    with pytest.raises(error):
        WordVectors(dimensions=3).fit(ENGLISH).similar(term, n)


def test_chinese_characters_that_stick_together_are_terms():
    vectors = WordVectors(dimensions=6).fit(CHINESE)
    assert "快递" in vectors.terms_
    assert vectors.similar("快递", 1)["term"].tolist() == ["包裹"]


def test_a_segmenter_gives_the_words():
    vectors = WordVectors(dimensions=4, segmenter=lambda run: [run[:2], run[2:]]).fit(CHINESE)
    assert {"快递", "还没有到"} <= set(vectors.terms_)


@pytest.mark.skipif(find_spec("rjieba") is None, reason="crmkit[zh] is not installed")
def test_what_auto_found_is_kept_for_saving(tmp_path):
    vectors = WordVectors(dimensions=4, segmenter="auto").fit(CHINESE)
    crmkit.save(vectors, tmp_path / "vectors.crmkit")
    assert crmkit.load(tmp_path / "vectors.crmkit").fixed().segmenter == "rjieba"


def test_encoding_is_the_weighted_mean_of_terms_at_length_one():
    table = np.array([[1.0, 0.0], [0.0, 1.0]])
    vectors = FixedVectors(["often", "rarely"], table, counts=[999, 1])
    weights = 0.01 / (0.01 + np.array([0.999, 0.001]))
    expected = weights / np.linalg.norm(weights)
    np.testing.assert_allclose(vectors.encode(["often, rarely!"])[0], expected)


def test_the_common_direction_is_taken_out():
    vectors = FixedVectors(["a", "b"], np.array([[1.0, 1.0], [1.0, -1.0]]), common=[1.0, 0.0])
    np.testing.assert_allclose(vectors.encode(["a", "b", "a b", "c"]), [[0, 1], [0, -1], [0, 0], [0, 0]], atol=1e-12)


def test_texts_about_the_same_are_nearer_than_others():
    one, same, other = WordVectors(dimensions=6).fit(ENGLISH).encode(["my parcel", "my package", "the fee"])
    assert one @ same > one @ other


@settings(max_examples=20)
@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_text_has_a_finite_vector_of_its_own(texts):
    vectors = WordVectors(dimensions=5).fit(ENGLISH + CHINESE)
    found = vectors.encode(texts)
    assert found.shape == (len(texts), 5)
    lengths = np.linalg.norm(found, axis=1)
    assert np.all(np.isclose(lengths, 1) | (lengths == 0))
    for text, vector in zip(texts, found, strict=True):
        np.testing.assert_allclose(vectors.encode([text])[0], vector, atol=1e-9)


def test_neighbours_are_counted_as_a_loop_counts_them():
    rng = np.random.default_rng(0)
    code, text = rng.integers(0, 6, 40), np.sort(rng.integers(0, 5, 40))
    window = 3
    expected = np.zeros((6, 6))
    for i in range(40):
        for j in range(40):
            if i != j and text[i] == text[j] and abs(i - j) <= window:
                expected[code[i], code[j]] += (window + 1 - abs(i - j)) / window
    np.testing.assert_allclose(count_neighbours(code, text, 6, window).toarray(), expected)


def test_information_agrees_with_its_formula():
    counts = np.array([[0.0, 4.0, 1.0], [4.0, 2.0, 0.0], [1.0, 0.0, 8.0]])
    smooth = counts.sum(axis=0) ** 0.75
    share = counts / counts.sum()
    with np.errstate(divide="ignore"):
        # Levy, Goldberg and Dagan 2015, equations 1 and 3, and the smoothing of section 3.2.
        pmi = np.log(share / np.outer(counts.sum(axis=1) / counts.sum(), smooth / smooth.sum())) - np.log(1.5)
    found = positive_information(sparse.csr_matrix(counts), 1.5).toarray()
    np.testing.assert_allclose(found, np.maximum(pmi, 0))


def test_all_dimensions_give_the_matrix_back():
    matrix = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])
    vectors = factorize(sparse.csr_matrix(matrix), 3, 0)
    np.testing.assert_allclose(vectors @ vectors.T, matrix, atol=1e-5)


def test_more_dimensions_than_terms_are_zero():
    vectors = WordVectors(dimensions=50).fit(ENGLISH)
    assert vectors.vectors_.shape[1] == 50
    assert not vectors.vectors_[:, len(vectors.terms_) :].any()


def test_rare_terms_are_left_out_and_frequent_ones_come_first():
    vectors = WordVectors(dimensions=3, min_count=10).fit(ENGLISH)
    assert set(vectors.terms_) == {"where", "is", "my", "now", "refund", "the"}
    assert (np.diff(vectors.counts_) <= 0).all()


@pytest.mark.parametrize("texts", [[], ["", " "], ["word"] * 9, ["all words differ here"]])
def test_texts_without_neighbours_are_refused(texts):
    with pytest.raises(DataError, match="no two terms"):
        WordVectors().fit(texts)


@pytest.mark.parametrize(
    "wrong", [{"dimensions": 0}, {"window": 0}, {"shift": 0.5}, {"min_count": 0}, {"segmenter": 3}]
)
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(ValueError):
        WordVectors(**wrong).fit(ENGLISH)


def test_not_fitted_is_said():
    for ask in (lambda v: v.encode(["a"]), lambda v: v.similar("a"), lambda v: v.fixed()):
        with pytest.raises(NotFittedError):
            ask(WordVectors())


@pytest.mark.parametrize("fixed", [False, True])
def test_saved_and_loaded_it_says_the_same(tmp_path, fixed):
    vectors = WordVectors(dimensions=6).fit(ENGLISH + CHINESE)
    vectors = vectors.fixed() if fixed else vectors
    crmkit.save(vectors, tmp_path / "vectors.crmkit")
    loaded = crmkit.load(tmp_path / "vectors.crmkit")
    np.testing.assert_array_equal(loaded.encode(ENGLISH + CHINESE), vectors.encode(ENGLISH + CHINESE))
    pd.testing.assert_frame_equal(loaded.similar("parcel"), vectors.similar("parcel"))


def test_a_saved_classifier_keeps_its_vectors(tmp_path):
    vectors = WordVectors(dimensions=6).fit(ENGLISH + CHINESE).fixed()
    model = TextSVM(features=JoinedFeatures(vectors), random_state=0).fit(
        ENGLISH, ["where", "where", "money", "money"] * 5
    )
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    np.testing.assert_array_equal(loaded.decision_function(ENGLISH), model.decision_function(ENGLISH))


def test_joining_takes_pairs_that_stick_and_the_first_of_overlapping_ones():
    joins = pair_codes(["退款", "款到", "x", "长长的"])
    table = cut(["我退款到了 now"], None, joins)
    assert [table.names[code] for code in table.code] == ["我", "退款", "到", "了", "now"]
    assert set(learn_joins(["退款", "退款", "退货", "款"] * 3, 3)) == set(pair_codes(["退款", "退货"]))
    assert not len(learn_joins(["only words"], 1))


def test_joining_never_reaches_into_the_next_text():
    table = cut(["我退", "款到", "退款"], None, pair_codes(["退款"]))
    assert [(table.names[code], text) for code, text in zip(table.code, table.text, strict=True)] == [
        ("我", 0),
        ("退", 0),
        ("款", 1),
        ("到", 1),
        ("退款", 2),
    ]


@pytest.mark.parametrize(
    ("words", "array", "counts", "match"),
    [
        (["a"], np.ones((2, 3)), None, "1 words, 2 vectors"),
        (["a", "a"], np.ones((2, 3)), None, "again in row 1"),
        (["a"], np.array([[np.nan]]), None, "not finite in row 0"),
        (["a"], np.ones(3), None, "one row a word"),
        (["a"], np.ones((1, 2), dtype=int), None, "fraction"),
        (["a"], np.ones((1, 2)), [1, 2], "2 counts"),
    ],
)
def test_what_is_no_table_of_vectors_is_refused(words, array, counts, match):
    with pytest.raises(DataError, match=match):
        WordVectors.from_vectors(words, array, counts=counts)


def test_what_is_shown_says_sizes_only():
    assert repr(WordVectors.from_vectors(["secret"], np.ones((1, 3)))) == "FixedVectors(1 words, 3 dimensions)"


def test_vectors_can_be_written_and_read_again(tmp_path):
    learned = WordVectors(dimensions=4).fit(ENGLISH + CHINESE)
    learned.write(tmp_path / "own.bin", binary=True)
    loaded = read_vectors(tmp_path / "own.bin")
    assert loaded.terms_ == learned.terms_
    np.testing.assert_array_equal(loaded.vectors_, learned.vectors_)
    # Counts and the common direction are not in the format: a text's vector is the plain mean.
    assert loaded.similar("parcel")["term"].tolist() == learned.similar("parcel")["term"].tolist()


def test_vectors_given_are_kept_not_copied():
    array = np.ones((2, 3), dtype=np.float32)
    vectors = WordVectors.from_vectors(["a", "b"], array)
    assert vectors.vectors_ is array
    assert clone(vectors) is vectors
    assert clone(TextSVM(features=vectors)).features is vectors


def test_upper_case_words_of_others_are_found():
    vectors = WordVectors.from_vectors(["Paris", "card"], np.eye(2))
    np.testing.assert_array_equal(vectors.encode(["PARIS", "Card"]), np.eye(2))
    assert vectors.similar("paris", 5)["term"].tolist() == ["card"]
    assert vectors.similar("paris")["count"].isna().all()


def test_a_vector_of_zeros_is_similar_to_nothing():
    vectors = WordVectors.from_vectors(["a", "b", "c"], np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]))
    assert vectors.similar("a")["term"].tolist() == ["c"]


class FolderModel:
    """Stands in for a sentence model read from a local folder: encode, and nothing else."""

    def __init__(self, folder):
        self.table = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self.width = len(next(iter(self.table.values())))

    def encode(self, texts):
        rows = [[self.table[word] for word in text.lower().split() if word in self.table] for text in texts]
        return np.array([np.mean(row, axis=0) if row else np.zeros(self.width) for row in rows], dtype=np.float32)


@pytest.fixture
def folder_model(tmp_path):
    words = {"parcel": [1.0, 0.0], "package": [0.9, 0.1], "refund": [0.0, 1.0], "reimburse": [0.1, 0.9]}
    (tmp_path / "words.json").write_text(json.dumps(words), encoding="utf-8")
    return FolderModel(tmp_path)


@pytest.mark.parametrize("name", ["text-svm", "text-logistic", "text-ridge", "text-forest", "text-mlp"])
def test_any_object_with_encode_replaces_the_features(folder_model, name):
    seeded = {} if name == "text-logistic" else {"random_state": 0}
    model = crmkit.create("classifier", name, features=folder_model, **seeded)
    model.fit(["parcel one", "my parcel", "refund it", "refund me"] * 3, ["p", "p", "r", "r"] * 3)
    # Neither word was in training: only the vectors know them.
    assert model.predict(["package", "reimburse"]).tolist() == ["p", "r"]


def test_the_joined_features_have_terms_and_then_vectors(folder_model):
    joined = JoinedFeatures(folder_model, weight=0.25).fit(["parcel", "refund"])
    plain = joined.features_.transform(["package and parcel", "nothing"])
    both = joined.transform(["package and parcel", "nothing"])
    assert both.shape[1] == plain.shape[1] + 2
    np.testing.assert_array_equal(both[:, :-2].toarray(), plain.toarray())
    np.testing.assert_allclose(np.linalg.norm(both[:, -2:].toarray(), axis=1), [0.25, 0.0])


def test_joined_features_fit_what_learns_and_take_plugins_by_name():
    for encoder in (WordVectors(dimensions=4), "word-vectors"):
        joined = JoinedFeatures(encoder).fit(ENGLISH)
        assert joined.transform(ENGLISH[:2]).shape[0] == 2
        assert joined.encoder_ is not encoder


@pytest.mark.parametrize(
    ("answer", "match"),
    [([[1.0]], "one row a text"), ([[np.nan], [1.0]], "no numbers in row 0"), ([1.0, 2.0], "one row")],
)
def test_an_encoder_that_answers_wrongly_is_named(answer, match):
    class Wrong:
        def encode(self, _):
            return np.array(answer)

    with pytest.raises(DataError, match=match):
        JoinedFeatures(Wrong()).fit(["a", "b"]).transform(["a", "b"])


class Trained(FolderModel):
    """Has a fit of its own that texts alone cannot be handed to, and cannot be copied."""

    def fit(self, _objectives, _epochs):
        raise AssertionError

    def __deepcopy__(self, memo):
        raise AssertionError

    def encode(self, texts, *, double=False):
        return super().encode(texts) * (1 + double)


@pytest.mark.usefixtures("folder_model")
def test_a_frozen_encoder_is_neither_fitted_nor_copied(tmp_path):
    encoder = FrozenEncoder(Trained(tmp_path), double=True)
    assert encoder.encode(["parcel"]).tolist() == [[2.0, 0.0]]
    for features in (encoder, JoinedFeatures(encoder)):
        model = clone(TextSVM(features=features, random_state=0)).fit(["parcel", "refund"], ["p", "r"])
        assert model.predict(["package"]).tolist() == ["p"]
    assert repr(encoder) == "FrozenEncoder(Trained)"


class Objectives(FolderModel):
    """Has a fit that takes no texts."""

    def fit(self, _objectives, _epochs):
        raise AssertionError


class Silent(FolderModel):
    """Has a fit that trains in place and gives nothing back."""

    def fit(self, _texts):
        return None


@pytest.mark.usefixtures("folder_model")
@pytest.mark.parametrize(
    ("encoder", "match"),
    [(Objectives, r"Objectives.fit failed on a list of texts.*FrozenEncoder"), (Silent, "fit gave no encoder back")],
)
def test_a_fit_of_another_meaning_is_told_with_the_way_out(tmp_path, encoder, match):
    for features in (encoder(tmp_path), JoinedFeatures(encoder(tmp_path))):
        with pytest.raises(TypeError, match=match):
            TextSVM(features=features).fit(["parcel", "refund"], ["p", "r"])


def test_what_learns_and_cannot_says_why_itself():
    with pytest.raises(DataError, match="no two terms seen 3 times"):
        TextSVM(features=WordVectors()).fit(["parcel", "refund"], ["p", "r"])
    with pytest.raises(ValueError, match="dimensions"):
        TextSVM(features=WordVectors(dimensions=0)).fit(["parcel", "refund"], ["p", "r"])


def test_what_cannot_encode_is_refused():
    with pytest.raises(TypeError, match="got the class WordVectors"):
        TextSVM(features=WordVectors).fit(["parcel", "refund"], ["p", "r"])
    with pytest.raises(TypeError, match="encode"):
        FrozenEncoder(object())
    with pytest.raises(TypeError, match="encode"):
        JoinedFeatures(object()).fit(["a"])


@pytest.mark.slow
def test_beside_terms_vectors_of_unlabelled_texts_help_a_little_with_five_labels_a_class(data_file):
    train, test = (pd.read_csv(data_file(f"banking77/{name}.csv")) for name in ("train", "test"))
    vectors = WordVectors().fit(train["text"]).fixed()
    gains = []
    for seed in range(4):
        few = train.groupby("category").sample(5, random_state=seed)
        alone, beside = (
            TextSVM(features=features, random_state=0)
            .fit(few["text"], few["category"])
            .score(test["text"], test["category"])
            for features in (None, JoinedFeatures(vectors))
        )
        gains.append(beside - alone)
    # Eight draws gave the gain that docs/word-vectors.md reports.
    assert mean(gains).low > 0
