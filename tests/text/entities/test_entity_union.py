"""Several recognisers answer as one, and the first in the list is right."""

from __future__ import annotations

import pytest
from sklearn.base import BaseEstimator

import crmkit
from crmkit.core.errors import DataError
from crmkit.privacy import Entity
from crmkit.text import EntityUnion, Gazetteer, find_entities


class Whole(BaseEstimator):
    """Takes each text for one name."""

    def __init__(self, spare=0):
        self.spare = spare

    def predict(self, texts):
        return [[Entity(0, len(text), "all")] if text else [] for text in texts][self.spare :]


def test_what_stands_first_has_the_last_word():
    names = Gazetteer().fit({"product": ["小米"]})
    texts = ["买小米", "买华为", ""]
    assert EntityUnion([names, Whole()]).predict(texts) == [[Entity(1, 3, "product")], [Entity(0, 3, "all")], []]
    assert EntityUnion([Whole(), names]).predict(texts) == [[Entity(0, 3, "all")], [Entity(0, 3, "all")], []]


def test_finds_that_share_nothing_all_stay_in_the_order_of_the_text():
    both = EntityUnion([crmkit.create("entity-recognizer", "personal-data"), Gazetteer().fit({"product": ["小米"]})])
    assert both.predict(["小米，15400001234"]) == [[Entity(0, 2, "product"), Entity(3, 14, "mobile")]]


def test_several_labels_at_one_place_stay_together():
    names = Gazetteer().fit({"a": ["小米"], "b": ["小米"]})
    assert len(EntityUnion([names, Whole()]).predict(["小米"])[0]) == 2


def test_what_is_no_recogniser_is_refused():
    with pytest.raises(DataError, match="at least one"):
        EntityUnion([]).predict(["a"])
    with pytest.raises(TypeError, match=r"recognizers\[0\] needs predict"):
        EntityUnion([object()]).predict(["a"])
    with pytest.raises(DataError, match=r"recognizers\[0\] gave 0 lists for 1 texts"):
        EntityUnion([Whole(spare=1)]).predict(["a"])


def test_finds_become_a_table():
    names = Gazetteer().fit({"product": ["小米"]})
    table = find_entities(names, ["", "买小米"], show=True)
    assert table.to_dict("records") == [{"text_id": 1, "start": 1, "end": 3, "label": "product", "text": "小米"}]
    empty = find_entities(names, [])
    assert len(empty) == 0
    assert empty.dtypes.equals(find_entities(names, ["小米"]).dtypes)


def test_scores_are_refused_where_there_are_none():
    with pytest.raises(DataError, match="no scores"):
        find_entities(Gazetteer().fit(["小米"]), ["小米"], scores=True)
