"""Messages say what their truth says, in enough ways that nothing gives a topic away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from crmkit.datasets import make_company
from crmkit.datasets._messages import PHRASES
from crmkit.datasets._phrases import SENTIMENTS, TOPICS


@pytest.fixture(scope="module")
def company():
    return make_company(6_000, seed=11)


@pytest.fixture(scope="module")
def inbound(company):
    both = pd.concat([company.communications, company.truth.communications], axis=1)
    return both[both["direction"] == "in"].reset_index(drop=True)


def test_every_topic_and_sentiment_occurs_in_both_languages(inbound):
    counts = pd.crosstab(inbound["language"], inbound["topic"])
    assert set(counts.columns) == set(TOPICS)
    assert (counts > 50).all(axis=None)
    assert set(inbound["sentiment"]) == set(SENTIMENTS)


def test_a_message_holds_a_phrase_of_its_topic(inbound):
    plain = inbound[~inbound["vague"] & (inbound["text"] != "") & inbound["second_topic"].isna()]
    held = 0
    for (language, topic), rows in plain.groupby(["language", "topic"]):
        ends = [phrase.partition("{n}")[0].strip() for phrase in PHRASES[language].cores[topic][1]]
        held += rows["text"].str.lower().apply(lambda text, ends=ends: any(end.lower() in text for end in ends)).sum()
    assert held / len(plain) > 0.93  # the rest has a slip of the pen


def test_the_same_text_is_rare_and_some_are_empty(inbound):
    assert inbound["text"].nunique() / len(inbound) > 0.9
    assert 0.005 < (inbound["text"] == "").mean() < 0.02
    assert inbound["text"].notna().all()


def test_no_word_belongs_to_one_topic_alone_often_enough_to_give_it_away(inbound):
    english = inbound[(inbound["language"] == "en") & ~inbound["vague"]]
    words = english["text"].str.lower().str.findall(r"[a-z]+").explode()
    topics = english["topic"].loc[words.index]
    table = pd.crosstab(words.to_numpy(), topics.to_numpy())
    share = table.max(axis=1) / table.sum(axis=1)
    common = table.sum(axis=1) > len(english) * 0.05
    assert share[common].max() < 0.95


def test_topics_can_be_learnt_but_not_perfectly(inbound):
    half = np.arange(len(inbound)) % 2 == 0
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LinearSVC())
    model.fit(inbound["text"][half], inbound["topic"][half])
    accuracy = (model.predict(inbound["text"][~half]) == inbound["topic"][~half]).mean()
    assert 0.85 < accuracy < 0.99


def test_labels_are_partly_there_and_partly_wrong(inbound):
    labelled = inbound["label"].notna()
    assert labelled.mean() == pytest.approx(0.6, abs=0.02)
    assert (inbound["label"] != inbound["topic"])[labelled].mean() == pytest.approx(0.03, abs=0.01)


def test_complaints_have_one_message_of_their_cause(company, inbound):
    messages = inbound[inbound["case_id"].notna()].set_index("case_id")
    assert messages.index.is_unique
    causes = company.truth.cases["cause"]
    assert messages.index.isin(causes.index).all()
    assert len(messages) == len(causes)
    known = causes[causes != "other"]
    assert (messages.loc[known.index, "topic"] == known).all()
    assert (messages["sentiment"] == "negative").mean() > 0.8


def test_personal_data_stands_where_the_truth_says(inbound, company):
    left = inbound[inbound["personal_kind"].notna()]
    assert len(left) > 100
    customers = company.customers.loc[left["customer_id"]]
    for (_, message), (_, customer) in zip(left.iterrows(), customers.iterrows(), strict=True):
        assert (
            message["text"][message["personal_start"] : message["personal_end"]] == customer[message["personal_kind"]]
        )


def test_replies_follow_their_message_in_its_language(company):
    both = pd.concat([company.communications, company.truth.communications], axis=1)
    first = both[both["turn"] == 0].set_index("conversation_id")
    replies = both[both["turn"] == 1].set_index("conversation_id")
    assert first.index.is_unique
    assert replies.index.is_unique
    asked = first.loc[replies.index]
    assert (replies["time"] >= asked["time"]).all()
    assert (replies["language"] == asked["language"]).all()
    assert (replies["direction"] == "out").all()
    assert replies["agent"].notna().all()
    assert replies["label"].isna().all()


def test_only_calls_have_a_duration(inbound):
    assert inbound["duration"].notna().equals(inbound["channel"] == "call")


def test_some_messages_mix_the_languages(inbound):
    han = inbound["text"].str.contains(r"[\u4e00-\u9fff]", regex=True)
    latin = inbound["text"].str.contains(r"[a-z]{3}", regex=True)
    assert (han & latin & (inbound["language"] == "en")).sum() > 20
    assert (han & latin & (inbound["language"] == "zh")).sum() > 100


def test_comments_fit_the_satisfaction(company):
    written = company.feedback["text"].notna()
    assert written.mean() == pytest.approx(0.4, abs=0.03)
    marks = company.feedback.loc[written].groupby("text")["score"].mean()
    assert marks[["never again", "不满意"]].max() < 3 < marks[["love it", "满意"]].min()
