"""Labels of topics: terms that do not say the same, and plurals that count as one where asked."""

from __future__ import annotations

import numpy as np
import pytest

import crmkit
from crmkit import text
from crmkit.text.topics._class_terms import label_of
from crmkit.text.topics._plurals import find_plurals


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("card", "cards"), ("policy", "policies"), ("fee", "fees"), ("box", "boxes"), ("address", "addresses")),
        *(("transfer", "transferring"), ("charge", "charged"), ("need", "needed"), ("pay", "apple pay")),
        *(("退款", "退款申请"), ("快递员", "快递")),
    ],
)
def test_forms_of_a_word_and_parts_of_a_term_stand_once(one, other):
    assert label_of([one, other]) == one
    assert label_of([other, one]) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("chocolate", "late"),
        ("shipping", "pin"),
        ("car", "card"),
        ("stop", "top"),
        ("bus", "business"),
        ("thing", "th"),
    ],
)
def test_letters_in_common_are_no_word_in_common(one, other):
    assert label_of([one, other]) == f"{one} / {other}"


def test_plurals_are_found_where_the_singular_is_there():
    found = find_plurals(["cards", "card", "buses", "bus", "fees", "glass", "glasses", "news", "new", "gas", "ga"])
    assert found == {"cards": "card", "buses": "bus"}


@pytest.fixture(scope="module")
def corpus():
    return ["my card was lost", "two cards were lost", "gift cards are late", "the fees", "one gift card 退款"] * 3


def test_plurals_count_as_one_only_where_asked(corpus):
    apart = text.ReadableTerms().fit(corpus)
    merged = text.ReadableTerms(merge_plurals=True).fit(corpus)
    assert {"card", "cards"} <= set(apart.names_)
    assert "card" in merged.names_
    assert not {"cards", "gift cards"} & set(merged.names_)
    assert "fees" in merged.names_, "its singular was never seen"
    column = merged.names_.index("card")
    together = merged.transform(corpus)[:, column].toarray().ravel()
    both = [apart.names_.index(name) for name in ("card", "cards")]
    np.testing.assert_array_equal(together, apart.transform(corpus)[:, both].sum(axis=1).A1)
    assert merged.found_in_[column] == (together > 0).sum()
    assert merged.transform(["CARDS"]).toarray().sum() == 1


def test_plurals_stay_merged_in_sequences_models_and_keywords(corpus, tmp_path):
    pytest.importorskip("skops")
    terms = text.ReadableTerms(merge_plurals=True)
    model = crmkit.create("topic-model", "nmf", n_topics=2, terms=terms, random_state=0).fit(corpus)
    crmkit.save(model, tmp_path / "model.crm")
    again = crmkit.load(tmp_path / "model.crm")
    assert again.predict(["cards"]).tolist() == model.predict(["card"]).tolist()
    assert (text.coherence(again, corpus, n_terms=3, window=3)["npmi"].notna()).all()
    found = text.keywords(corpus, terms=terms).set_index("term")
    assert found.loc["card", "n_texts"] >= 6
    background = text.ReadableTerms(merge_plurals=True).fit(corpus)
    one = text.keywords_of("lost cards, card", method="tf-idf", background=background).set_index("term")
    assert one.loc["card", "count"] == 2
    assert "cards" not in one.index
