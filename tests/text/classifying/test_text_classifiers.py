"""The seven text classifiers: the common list, and what each must hold of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import crmkit
from crmkit import text
from crmkit.core.errors import DataError, UnknownPluginError
from crmkit.testing.text_checks import TEXT_CHECKS

NAMES = (
    "text-forest",
    "text-logistic",
    "text-mlp",
    "text-naive-bayes",
    "text-ridge",
    "text-svm",
    "text-tree",
)
COMPUTERS = ["这是一条关于电脑的文本", "这是一条关于手机的文本"] * 2
KINDS = ["电脑", "手机"] * 2


def make(name, **params):
    return crmkit.create("classifier", name, random_state=0, **params)


def test_all_seven_are_listed():
    assert crmkit.available("classifier", tags=["text"]) == NAMES


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_the_list_for_text_classifiers_passes(name, check):
    small = {"n_estimators": 20} if name == "text-forest" else {}
    check(lambda: crmkit.create("classifier", name, **small))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "text-tree"])
@pytest.mark.parametrize("seed", range(3))
def test_a_tablet_computer_is_a_computer(name, seed):
    model = crmkit.create("classifier", name, random_state=seed).fit(COMPUTERS, KINDS)
    assert model.predict(["这是一条关于平板电脑的文本"]).tolist() == ["电脑"]


@pytest.mark.parametrize("name", NAMES)
def test_strange_texts_get_the_right_answer(name):
    model = make(name).fit(["I want my money back", "电脑坏了", "where is my card", "手机丢了"] * 4, [0, 1, 2, 3] * 4)
    strange = [
        "<p>I want my <b>money</b> back</p>",
        "Ｉ　ｗａｎｔ　ｍｙ　ｍｏｎｅｙ　ｂａｃｋ",
        "  电脑坏了  \n\t",
        "电脑坏了😡",
        "where is my card " * 60_000,
    ]
    assert model.predict(strange).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_columns_beside_the_text_decide_where_the_text_cannot(name):
    frame = pd.DataFrame(
        {
            "text": ["please help"] * 20,
            "channel": ["phone", "chat"] * 10,
            "time": pd.date_range("2024-01-01", periods=20, freq="D", tz="UTC"),
            "customer_id": [str(place) for place in range(20)],
        }
    )
    labels = ["urgent", "later"] * 10
    model = make(name).fit(frame, labels)
    assert model.columns_ == ["channel", "time"]
    assert model.predict(frame).tolist() == labels
    assert len(model.predict(frame.assign(channel="letter"))) == 20


def test_text_alone_ignores_the_columns():
    frame = pd.DataFrame({"text": ["card", "refund"] * 3, "channel": ["a", "b"] * 3})
    model = make("text-svm", columns=None).fit(frame, frame["text"])
    assert model.columns_ == []
    assert np.array_equal(
        model.decision_function(["card"]),
        make("text-svm").fit(frame["text"], frame["text"]).decision_function(["card"]),
    )


def test_other_columns_and_another_name_for_the_text():
    frame = pd.DataFrame({"message": ["same"] * 8, "amount": [1.0, 500.0] * 4})
    model = make("text-logistic", columns=["amount"], text_column="message").fit(frame, [0, 1] * 4)
    assert model.predict(frame[:2]).tolist() == [0, 1]
    with pytest.raises(DataError, match="no column 'text'"):
        make("text-svm").fit(frame, [0, 1] * 4)


def test_polars_and_mappings_are_tables_too():
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    columns = {"text": ["card", "refund"] * 3, "channel": ["a", "b"] * 3}
    expected = make("text-svm").fit(columns, columns["text"]).decision_function(columns)
    frame = polars.DataFrame(columns)
    assert np.allclose(make("text-svm").fit(frame, frame["text"].to_list()).decision_function(frame), expected)


def test_pyarrow_columns_are_texts():
    pyarrow = pytest.importorskip("pyarrow")
    texts = pyarrow.chunked_array([["card", None], ["refund", "refund"]])
    labels = pyarrow.array(["a", "a", "b", "b"])
    assert make("text-svm").fit(texts, labels).predict(pyarrow.array(["card"])).tolist() == ["a"]


def test_a_list_where_columns_were_used_is_an_error():
    frame = pd.DataFrame({"text": ["card", "refund"], "channel": ["a", "b"]})
    model = make("text-svm").fit(frame, ["x", "y"])
    with pytest.raises(DataError, match="fitted with the columns channel"):
        model.predict(["card"])
    with pytest.raises(DataError, match="no column 'channel'"):
        model.predict(frame[["text"]])


def test_columns_without_a_table_and_a_wrong_word_are_errors():
    with pytest.raises(DataError, match="channel are asked for, but X is no table"):
        make("text-svm", columns=["channel"]).fit(["card", "refund"], ["x", "y"])
    with pytest.raises(ValueError, match="columns must be 'auto', None or a list of names"):
        make("text-svm", columns="channel").fit(pd.DataFrame({"text": ["card", "refund"]}), ["x", "y"])


class Lengths:
    """An encoder that needs no fitting."""

    def encode(self, texts):
        return np.array([[len(one), one.count("!")] for one in texts], dtype=float).reshape(-1, 2)


class Learned(Lengths):
    """An encoder that is fitted first."""

    def fit(self, texts):
        self.mean_ = np.mean([len(one) for one in texts])
        return self

    def encode(self, texts):
        return super().encode(texts) - self.mean_


@pytest.mark.parametrize("name", [name for name in NAMES if name != "text-naive-bayes"])
@pytest.mark.parametrize("encoder", [Lengths(), Learned()])
def test_an_encoder_replaces_the_features(name, encoder):
    texts = ["hi", "a much longer text", "yo", "another rather long text"] * 3
    model = make(name, features=encoder).fit(texts, [0, 1] * 6)
    assert model.predict(texts).tolist() == [0, 1] * 6
    assert not hasattr(encoder, "mean_")


@pytest.mark.parametrize("name", NAMES)
def test_a_vectorizer_replaces_the_features_and_stays_as_it_was(name):
    vectorizer = TfidfVectorizer()
    model = make(name, features=vectorizer).fit(["my card", "my refund"] * 3, ["c", "r"] * 3)
    assert model.predict(["card"]).tolist() == ["c"]
    assert not hasattr(vectorizer, "vocabulary_")


def test_columns_stand_beside_an_encoders_vectors():
    frame = pd.DataFrame({"text": ["same"] * 8, "channel": ["a", "b"] * 4})
    assert make("text-svm", features=Lengths()).fit(frame, [0, 1] * 4).predict(frame[:2]).tolist() == [0, 1]


def test_an_encoder_that_gives_too_little_or_no_numbers_is_refused():
    class Short(Lengths):
        def encode(self, texts):
            return super().encode(texts)[:-1]

    class Missing(Lengths):
        def encode(self, texts):
            return super().encode(texts) * np.nan

    with pytest.raises(DataError, match="one row a text: 2 texts, got shape \\(1, 2\\)"):
        make("text-svm", features=Short()).fit(["a", "b"], [0, 1])
    with pytest.raises(DataError, match="no numbers in rows 0, 1"):
        make("text-svm", features=Missing()).fit(["a", "b"], [0, 1])


def test_what_is_neither_encoder_nor_vectorizer_is_refused():
    with pytest.raises(TypeError, match="int has neither"):
        make("text-svm", features=3).fit(["a", "b"], [0, 1])
    with pytest.raises(UnknownPluginError):
        make("text-svm", features="no-such-encoder").fit(["a", "b"], [0, 1])


def test_naive_bayes_refuses_what_cannot_be_counts():
    with pytest.raises(DataError, match="naive Bayes needs counts"):
        make("text-naive-bayes", features=Learned()).fit(["a", "bbb"], [0, 1])


def test_naive_bayes_counts_and_never_weighs():
    model = make("text-naive-bayes").fit(["card card", "refund"], ["c", "r"])
    assert model.features_.weighting == "count"
    assert model.features_.weights_ == {}


def test_naive_bayes_scores_are_log_odds():
    model = make("text-naive-bayes").fit(["card card", "refund"], ["c", "r"])
    chances = model.predict_proba(["card", "refund now"])
    assert model.decision_function(["card", "refund now"]) == pytest.approx(np.log(chances[:, 1] / chances[:, 0]))


def test_class_weights_are_by_label():
    texts, labels = ["same text"] * 5, ["a", "a", "a", "b", "b"]
    assert make("text-svm", columns=None).fit(texts, labels).predict(["same text"]).tolist() == ["a"]
    weighted = make("text-svm", class_weight={"b": 10.0}).fit(texts, labels)
    assert weighted.predict(["same text"]).tolist() == ["b"]
    with pytest.raises(ValueError, match="class_weight names 1 labels that are not in y"):
        make("text-svm", class_weight={"c": 2.0}).fit(texts, labels)
    with pytest.raises(ValueError, match="weights that are not negative"):
        make("text-svm", class_weight={"b": -1.0}).fit(texts, labels)


@pytest.mark.parametrize("name", ["text-tree", "text-forest"])
def test_terms_are_chosen_within_the_fit(name):
    rng = np.random.default_rng(0)
    words = np.array([f"w{place}" for place in range(2_000)])
    noise = [" ".join(rng.choice(words, 20)) for _ in range(200)]
    labels = rng.integers(0, 2, 200)
    small = {"n_estimators": 30} if name == "text-forest" else {}
    model = make(name, n_features=20, **small)
    assert cross_val_score(model, noise, labels, cv=5).mean() <= 0.62
    fitted = model.fit(noise, labels)
    assert fitted.learner_.n_features_in_ == 20


def test_negative_vectors_are_chosen_by_the_f_test():
    signs = FunctionTransformer(lambda texts: np.array([[len(one) % 3 - 1.0, one.count("a") - 0.5] for one in texts]))
    model = make("text-tree", features=make_pipeline(signs), n_features=1)
    model.fit(["good", "bad", "god", "bat", "hood!", "aah"], [1, 0, 1, 0, 1, 0])
    assert model.selector_.get_support().tolist() == [False, True]
    assert model.predict(["so bad"]).tolist() == [0]


def test_the_network_projects_on_the_directions_asked_for():
    texts = [f"{word} {other}" for word in ("card", "refund") for other in ("now", "later", "today", "please")] * 2
    model = make("text-mlp", n_components=3).fit(texts, [one.split()[0] for one in texts])
    assert model.directions_.n_components == 3
    assert model.learner_.n_features_in_ == 3
    assert model.predict(["my card"]).tolist() == ["card"]


def test_a_class_with_one_example_is_learned():
    model = make("text-svm").fit(["card", "my card", "refund"], ["c", "c", "r"])
    assert model.predict(["refund"]).tolist() == ["r"]


@pytest.mark.parametrize("name", NAMES)
def test_only_empty_texts_are_an_error(name):
    with pytest.raises(DataError, match="all 2 texts are empty"):
        make(name).fit(["", None], ["a", "b"])


def test_no_texts_are_an_error():
    with pytest.raises(ValueError, match="needs texts to learn from"):
        make("text-svm").fit([], [])


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (["a", None], DataError, "no label in row 1"),
        (pd.Series(["a", pd.NA], dtype="string"), DataError, "no label in row 1"),
        ([0.5, 1.2], ValueError, "Unknown label type: continuous"),
        (np.array([1, "a"], dtype=object), TypeError, "all text or all numbers"),
        (["a", float("nan")], DataError, "no label in row 1"),
        (["a", 1], TypeError, "all text or all numbers"),
        ([{"a"}, {"b"}], TypeError, "MultiLabelTextClassifier takes several"),
        (np.array([["a", "b"], ["c", "d"]]), ValueError, "one label a text"),
        (pd.to_datetime(["2024-01-01", "2024-01-02"]), TypeError, "labels as text"),
    ],
)
def test_labels_that_are_none_are_refused(y, error, message):
    with pytest.raises(error, match=message):
        make("text-svm").fit(["card", "refund"], y)


def test_labels_in_a_column_or_a_category_are_taken():
    texts = ["card", "refund"]
    assert make("text-svm").fit(texts, pd.DataFrame({"label": ["c", "r"]})).predict(["card"]).tolist() == ["c"]
    assert make("text-svm").fit(texts, pd.Series(["c", "r"], dtype="category")).predict(["card"]).tolist() == ["c"]
    assert make("text-svm").fit(texts, pd.Series([1.0, 2.0])).predict(["card"]).tolist() == [1.0]


def test_text_ridge_is_a_classifier():
    model = make("text-ridge").fit(["card", "refund", "hello"], [10, 20, 30])
    assert set(model.predict(["card", "something in between", ""]).tolist()) <= {10, 20, 30}


def test_no_texts_have_no_scores():
    model = make("text-logistic").fit(["card", "refund"], ["c", "r"])
    assert model.decision_function([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 2)


def test_wrong_parameters_are_refused_as_scikit_learn_does():
    with pytest.raises(ValueError, match="'C' parameter of TextSVM"):
        text.TextSVM(C=-1).fit(["card", "refund"], ["c", "r"])


def test_batches_join_without_a_seam(monkeypatch):
    frame = pd.DataFrame(
        {"text": ["card", "refund", "my card", "退款", ""] * 3, "channel": ["a", "b", "a", "b", "c"] * 3}
    )
    model = make("text-logistic").fit(frame, ["c", "r", "c", "r", "r"] * 3)
    whole, labels = model.predict_proba(frame), model.predict(frame)
    monkeypatch.setattr("crmkit.text.classifying._input._BATCH", 4)
    assert np.allclose(model.predict_proba(frame), whole)
    assert np.array_equal(model.predict(frame), labels)


def test_wrong_vectors_are_named_by_their_row_in_any_batch(monkeypatch):
    class Sometimes(Lengths):
        def encode(self, texts):
            values = super().encode(texts)
            values[[one == "bad" for one in texts]] = np.nan
            return values

    model = make("text-svm", features=Sometimes()).fit(["a", "bbb"], [0, 1])
    monkeypatch.setattr("crmkit.text.classifying._input._BATCH", 2)
    with pytest.raises(DataError, match="no numbers in row 3"):
        model.predict(["a", "b", "c", "bad"])


def test_columns_do_not_replace_the_texts():
    frame = pd.DataFrame({"text": ["", " "], "channel": ["a", "b"]})
    with pytest.raises(DataError, match="all 2 texts are empty"):
        make("text-svm").fit(frame, [0, 1])
