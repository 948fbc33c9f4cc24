"""Coherence against brute force, the choice of a number, counts over time, topics within classes."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer

from crmkit import text
from crmkit.core.errors import DataError, DataWarning

POOLS = ("refund money invoice amount", "parcel courier late address", "password login account code")
WORDS = ["alpha", "beta", "gamma", "delta", "zeta"]


def corpus(n=150):
    random = np.random.default_rng(0)
    labels = [place % 3 for place in range(n)]
    return [" ".join(random.choice(POOLS[label].split(), 3, replace=False)) for label in labels], labels


def brute_npmi(topic, documents):
    """Bouma's formula, pair by pair."""
    values = []
    for a, b in combinations(topic, 2):
        both = sum(a in words and b in words for words in documents) / len(documents)
        p_a, p_b = (sum(one in words for words in documents) / len(documents) for one in (a, b))
        if p_a == 0 or p_b == 0 or both == 1:
            continue
        values.append(-1.0 if both == 0 else math.log(both / (p_a * p_b)) / -math.log(both))
    return sum(values) / len(values) if values else math.nan


documents = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9), min_size=1, max_size=12)


@settings(max_examples=30)
@given(documents)
def test_coherence_is_what_brute_force_gives(words):
    texts = [" ".join(one) for one in words]
    terms = text.ReadableTerms(min_df=1, joined=False).fit(texts)
    found = text.coherence([WORDS, WORDS[:2]], texts, terms=terms)["npmi"]
    expected = [brute_npmi(topic, [set(one) for one in words]) for topic in (WORDS, WORDS[:2])]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=30)
@given(documents, st.integers(2, 5))
def test_coherence_in_windows_is_what_brute_force_gives(words, window):
    texts = [" ".join(one) for one in words]
    terms = text.ReadableTerms(min_df=1, joined=False).fit(texts)
    windows = [set(one[at : at + window]) for one in words for at in range(max(len(one) - window, 0) + 1)]
    found = text.coherence([WORDS], texts, terms=terms, window=window)["npmi"]
    np.testing.assert_allclose(found, [brute_npmi(WORDS, windows)], atol=1e-12)


def test_terms_together_by_chance_have_no_coherence():
    texts = ["alpha beta", "alpha gamma", "delta beta", "delta gamma"]
    assert text.coherence([["alpha", "beta"]], texts)["npmi"].tolist() == pytest.approx([0.0])


def test_terms_that_are_nowhere_are_left_out_and_counted():
    table = text.coherence([["alpha", "beta", "rocket"], ["rocket", "alpha"]], ["alpha beta", "alpha beta", "gamma"])
    assert table["n_pairs"].tolist() == [1, 0]
    assert table["npmi"].isna().tolist() == [False, True]


def test_coherence_of_a_model_and_what_it_refuses():
    texts, _ = corpus()
    model = text.NMFTopics(3, random_state=0).fit(texts)
    assert (text.coherence(model, texts, n_terms=3)["npmi"] > 0.3).all()
    with pytest.raises(ValueError, match="n_terms must be at least 2"):
        text.coherence(model, texts, n_terms=1)
    with pytest.raises(ValueError, match="window must be"):
        text.coherence(model, texts, window=1)
    with pytest.raises(TypeError, match="order of words"):
        text.coherence([["a", "b"]], texts, window=5, terms=CountVectorizer().fit(texts))
    with pytest.raises(TypeError, match="list of lists"):
        text.coherence(["alpha", "beta"], texts)
    with pytest.raises(TypeError, match=r"topics\(\) needs a column 'terms'"):
        text.coherence(Plain().fit(texts), texts)


class Plain(BaseEstimator):
    """A model of someone else's: long or short."""

    def __init__(self, n_topics=2):
        self.n_topics = n_topics

    def fit(self, texts):
        self.n_texts_ = len(texts)
        return self

    def transform(self, texts):
        long = np.array([len(one) > 10 for one in texts], dtype=float)
        return np.column_stack([long, 1 - long])

    def topics(self, n_terms):
        return pd.DataFrame({"n": [n_terms] * 2})


def test_the_number_that_was_put_in_is_recommended_with_a_reason():
    texts, _ = corpus()
    choice = text.choose_topics(text.NMFTopics(), texts, [2, 3], n_terms=4, random_state=0)
    assert choice.n_topics == 3
    assert choice.table.loc[3, "stability"] == 1
    assert choice.table.loc[2, "stability"] < 1
    assert "stab" in choice.reason
    assert len(choice.model.labels_) == 3
    assert "3 topics" in str(choice)
    with pd.option_context("display.width", 40, "display.max_columns", 4):
        assert all(name in str(choice) for name in choice.table.columns)
    assert "<table" in choice._repr_html_()


def test_the_same_seed_gives_the_same_choice():
    texts, _ = corpus(60)
    model = text.LSAKMeansTopics(n_init=1)
    first, second = (text.choose_topics(model, texts, [2, 4], n_terms=3, random_state=1).table for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_choosing_refuses_what_cannot_be_compared():
    texts, _ = corpus(9)
    model = text.NMFTopics()
    with pytest.raises(ValueError, match="2 or more, got none"):
        text.choose_topics(model, texts, [])
    with pytest.raises(ValueError, match=r"2 or more, got \[1, 2\]"):
        text.choose_topics(model, texts, range(1, 3))
    with pytest.raises(ValueError, match="n_runs"):
        text.choose_topics(model, texts, [2], n_runs=1)
    with pytest.raises(DataError, match="need more than 9 texts"):
        text.choose_topics(model, texts, [8])


def test_stability_says_so_where_nothing_can_be_coherent():
    texts = [f"word{chr(97 + place)}" for place in range(12)] * 3
    choice = text.choose_topics(text.NMFTopics(), texts, [2, 3], random_state=0)
    assert choice.table["coherence"].isna().all() or (choice.table["coherence"] <= 0).all()
    assert choice.reason


@pytest.fixture(scope="module")
def model():
    return text.NMFTopics(3, random_state=0).fit(corpus()[0])


def test_every_text_counts_once_in_its_month(model):
    texts, labels = corpus(90)
    time = pd.to_datetime(["2026-01-31", "2026-02-01", "2026-04-30"] * 30)
    table = text.topics_over_time(model, [*texts, ""], [*time, pd.Timestamp("2026-04-01")])
    assert table["n_texts"].sum() == 91
    assert (
        table["period"].unique().tolist()
        == pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]).tolist()
    )
    for (period, _), rows in table.groupby(["period", "of"]):
        assert rows["n_texts"].sum() == rows["of"].iloc[0], period
    april = table[table["period"] == "2026-04-01"].set_index("topic")
    assert april.loc[-1, ["n_texts", "label"]].tolist() == [1, "(no topic)"]
    assert labels.count(0) == 30
    full = table[table["of"] > 0]
    assert ((full["low"] <= full["share"]) & (full["share"] <= full["high"])).all()
    assert table.loc[table["of"] == 0, "share"].isna().all()


@pytest.mark.parametrize(
    ("by", "periods"),
    [("day", 60), ("week", 10), ("month", 3), ("quarter", 1), ("year", 1)],
)
def test_periods_are_of_the_length_asked_for(model, by, periods):
    texts = corpus(2)[0]
    # Saturday, 31 January 2026 to Tuesday, 31 March 2026.
    table = text.topics_over_time(model, texts, ["2026-01-31", "2026-03-31"], by)
    assert table["period"].nunique() == periods


def test_the_calendar_is_of_the_zone_asked_for(model):
    texts = corpus(1)[0]
    time = pd.to_datetime(["2026-01-31T17:00:00Z"])
    assert text.topics_over_time(model, texts, time)["period"][0] == pd.Timestamp("2026-01-01")
    local = text.topics_over_time(model, texts, time, timezone="Asia/Shanghai")
    assert local["period"][0] == pd.Timestamp("2026-02-01")
    strings = text.topics_over_time(model, texts, ["2026-01-31T17:00:00+00:00"], timezone="Asia/Shanghai")
    assert strings["period"][0] == pd.Timestamp("2026-02-01")


def test_whole_numbers_are_days(model):
    table = text.topics_over_time(model, corpus(1)[0], [20_512])
    assert table["period"][0] == pd.Timestamp("2026-02-01")


def test_texts_without_a_time_are_named_and_left_out(model):
    texts = corpus(3)[0]
    with pytest.warns(DataWarning, match="left out, for want of a time: row 1"):
        table = text.topics_over_time(model, texts, ["2026-01-01", None, "2026-01-02"])
    assert table["n_texts"].sum() == 2


@pytest.mark.parametrize(
    ("time", "error", "match"),
    [
        ([None, None], DataError, "none of the 2 texts has a time"),
        (["2026-01-01", "soon"], DataError, "row 1 cannot be read"),
        (["2026-01-01"], ValueError, "2 texts and 1 times"),
        ([0.5, 1.5], TypeError, "got float64"),
        ("2026-01-01", TypeError, "one-dimensional"),
    ],
)
def test_wrong_times_are_refused_without_showing_them(model, time, error, match):
    with pytest.raises(error, match=match) as caught:
        text.topics_over_time(model, corpus(2)[0], time)
    assert "soon" not in str(caught.value)


def test_an_unknown_period_is_refused_and_a_strangers_model_has_numbers(model):
    with pytest.raises(ValueError, match="by must be one of 'day'"):
        text.topics_over_time(model, ["late"], ["2026-01-01"], "hour")
    table = text.topics_over_time(Plain(), ["short", "rather a long one"], ["2026-01-01"] * 2)
    assert table["label"].tolist() == ["topic 0", "topic 1", "(no topic)"]
    assert table["n_texts"].tolist() == [1, 1, 0]


def test_topics_within_a_class_are_of_its_texts_alone():
    money = ["refund late", "refund refused"] * 5
    post = ["parcel late", "parcel broken"] * 5
    table, models = text.topics_within(text.NMFTopics(2, random_state=0), money + post, ["money"] * 10 + ["post"] * 10)
    assert table.index.names == ["class", "topic"]
    assert {term for terms in table.loc["money", "terms"] for term in terms} == {"refund", "late", "refused"}
    assert models["post"].n_texts_ == 10


def test_small_classes_are_named_and_none_left_is_an_error():
    texts = ["refund late", "refund refused", "parcel late"]
    with pytest.warns(DataWarning, match=r"'post' \(1 texts\)"):
        table, _ = text.topics_within(text.NMFTopics(2), texts, ["money", "money", "post"])
    assert table.index.get_level_values("class").unique().tolist() == ["money"]
    with pytest.raises(DataError, match="no class has enough texts"):
        text.topics_within(text.NMFTopics(2), texts, ["a", "b", "c"])


@pytest.mark.parametrize("function", [text.topics_over_time, text.new_topics])
def test_no_texts_at_all_are_told(function):
    model = text.NMFTopics(2, random_state=0).fit(["late parcel", "parcel lost", "refund the order", "my refund"])
    with pytest.raises(DataError, match="there are no texts"):
        function(model, [], [])
