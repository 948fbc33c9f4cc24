"""The checks of kinds for which third parties come first: a right plugin passes, a wrong one is named."""

from __future__ import annotations

import sys
import types

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit import PluginSpec, create
from crmkit.testing import ConformanceError, check_plugin


class LengthEncoder(BaseEstimator):
    """Encodes a text by its length and its share of Latin letters."""

    def encode(self, texts):
        return np.array([[len(text), sum(letter.isascii() for letter in text)] for text in texts], dtype=float)


class BatchEncoder(LengthEncoder):
    """Scales by the batch, which makes a text's vector depend on its neighbours."""

    def encode(self, texts):
        vectors = super().encode(texts)
        return vectors / max(len(vectors), 1)


class FlatEncoder(LengthEncoder):
    """Gives one number a text instead of a vector."""

    def encode(self, texts):
        return super().encode(texts)[:, 0]


class LetterTopics(BaseEstimator):
    """Two topics: Latin and the rest."""

    def fit(self, texts):
        self.n_texts_ = len(texts)
        return self

    def transform(self, texts):
        known = [text if isinstance(text, str) else "" for text in texts]
        latin = np.array([sum(letter.isascii() for letter in text) / max(len(text), 1) for text in known])
        return np.column_stack([latin, 1 - latin])

    def topics(self, n_terms):
        return pd.DataFrame({"topic": [0, 1], "terms": ["latin"[:n_terms], "other"[:n_terms]]})


class ThirdTopic(LetterTopics):
    """Shows a topic that no text can have."""

    def topics(self, n_terms):
        return pd.DataFrame({"topic": [0, 1, 2], "terms": [["a"]] * 3}).head(max(n_terms, 3))


class Crowd(LetterTopics):
    """Weighs a text by the longest one beside it."""

    def transform(self, texts):
        return super().transform(texts) * max((len(str(text)) for text in texts), default=1)


class TopicsAsText(LetterTopics):
    """Gives its topics as text."""

    def topics(self, n_terms):
        return "latin, other"[:n_terms]


class Popular(BaseEstimator):
    """Recommends what most customers bought."""

    def fit(self, interactions):
        self.items_ = interactions["item_id"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        return self

    def recommend(self, customer_ids, n):
        top = self.items_.head(n)
        parts = [
            pd.DataFrame(
                {
                    "customer_id": customer,
                    "item_id": top.index,
                    "rank": range(1, len(top) + 1),
                    "score": top.to_numpy(float),
                    "source": "popular",
                }
            )
            for customer in customer_ids
        ]
        return pd.concat(parts, ignore_index=True)


class Unranked(Popular):
    """Counts ranks from 0."""

    def recommend(self, customer_ids, n):
        lists = super().recommend(customer_ids, n)
        return lists.assign(rank=lists["rank"] - 1)


class Texted(Popular):
    """Turns customers asked for as numbers into text."""

    def recommend(self, customer_ids, n):
        lists = super().recommend(customer_ids, n)
        return lists.assign(customer_id=lists["customer_id"].astype(str))


class Lawless(Popular):
    """Takes rules and keeps to none."""

    def recommend(self, customer_ids, n, *, eligible=None, exclude="nothing"):
        del eligible, exclude
        return super().recommend(customer_ids, n)


class Boaster(Popular):
    """Gives reasons that are worth more than the score."""

    def explain(self, lists):
        return lists[["customer_id", "item_id"]].assign(because=lists["item_id"], weight=lists["score"] + 1)


class FirstSentences(BaseEstimator):
    """Keeps the first sentences."""

    def summarize(self, text, max_sentences=3):
        return ". ".join(part for part in text.split(". ")[:max_sentences])


class Everything(BaseEstimator):
    """Keeps the whole text whatever the length asked for."""

    def summarize(self, text, max_sentences=3):
        del max_sentences
        return text


class Misplaced(BaseEstimator):
    """Points one character too far."""

    def summarize(self, text, max_sentences=3):
        return create("summarizer", "lead").summarize(text.rstrip() and f" {text}", max_sentences)


class Wordy(BaseEstimator):
    """Gives one sentence more than asked for."""

    def summarize(self, text, max_sentences=3):
        return create("summarizer", "lead").summarize(text, max_sentences + 1)


class TwoMeans(BaseEstimator):
    """Gives each half of the customers the difference of their own means."""

    def fit(self, X, treatment, outcome):
        treated, half = np.asarray(treatment) == 1, X[:, 0] > 0
        self.effects_ = [outcome[treated & side].mean() - outcome[~treated & side].mean() for side in (~half, half)]
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0, self.effects_[1], self.effects_[0])[:, None]


class OneEffect(TwoMeans):
    """Gives everybody the same effect."""

    def predict(self, X):
        return np.full((len(X), 1), np.mean(self.effects_))


class MeanRegressor(BaseEstimator):
    """Predicts the mean whatever it is given."""

    def fit(self, X, y):
        self.n_features_in_ = np.asarray(X).shape[1]
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


class Eager(BaseEstimator):
    """Recognises the whole text and one character more."""

    def predict(self, texts):
        span = types.SimpleNamespace
        return [[span(start=0, end=len(text) + 1, label="all")] if text else [] for text in texts]


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch):
    module = types.ModuleType("kinds_under_test")
    for thing in list(globals().values()):
        if isinstance(thing, type) and thing.__module__ == __name__:
            setattr(module, thing.__name__, thing)
    monkeypatch.setitem(sys.modules, "kinds_under_test", module)


def spec(kind, name):
    return PluginSpec(kind=kind, name="under-test", target=f"kinds_under_test:{name}", summary="Under test.")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("encoder", "LengthEncoder"),
        ("topic-model", "LetterTopics"),
        ("recommender", "Popular"),
        ("summarizer", "FirstSentences"),
        ("uplift-model", "TwoMeans"),
    ],
)
def test_a_right_plugin_passes(kind, name, capsys):
    report = check_plugin(spec(kind, name))
    assert report.ran >= 6
    assert not report.failed
    assert f"{report.ran} checks ran" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "name", "broken"),
    [
        ("encoder", "BatchEncoder", "a_text_is_encoded_the_same_in_any_batch"),
        ("encoder", "FlatEncoder", "encodes_one_finite_row_a_text"),
        ("topic-model", "TopicsAsText", "topics_is_a_table"),
        ("topic-model", "ThirdTopic", "a_row_a_topic"),
        ("topic-model", "Crowd", "a_text_is_weighed_the_same_in_any_batch"),
        ("recommender", "Unranked", "lists_have_the_five_columns"),
        ("recommender", "Texted", "ids_keep_their_type"),
        ("recommender", "Lawless", "rules_are_never_broken"),
        ("recommender", "Boaster", "explanations_add_up"),
        ("regressor", "MeanRegressor", "learns_an_easy_task"),
        ("summarizer", "Everything", "a_summary_is_shorter"),
        ("summarizer", "Misplaced", "sentences_point_to_their_place"),
        ("summarizer", "Wordy", "no_more_sentences_than_asked"),
        ("uplift-model", "OneEffect", "finds_whom_the_treatment_helps"),
        ("entity-recognizer", "Eager", "offsets_are_half_open_and_inside"),
    ],
)
def test_a_wrong_plugin_fails_the_check_that_names_its_fault(kind, name, broken):
    with pytest.raises(ConformanceError, match=broken):
        check_plugin(spec(kind, name))


def test_a_kind_of_ones_own_is_checked_for_what_holds_for_every_plugin(capsys):
    assert check_plugin(spec("weather-forecaster", "LengthEncoder")).ran == 5
    assert "5 checks ran" in capsys.readouterr().out
