"""A rule about items that the model does not know is not passed over in silence."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataWarning
from crmkit.testing.tables import interactions


@pytest.fixture(scope="module")
def model():
    return crmkit.create("recommender", "popularity").fit(interactions(30, 12, seed=1))


@pytest.mark.parametrize(
    "rules",
    [
        {"forbidden": ["I1", "I2"]},
        {"eligible": ["I1"]},
        {"stock": {"I1": 3}},
        {"forbidden": pd.DataFrame({"customer_id": ["c1"], "item_id": ["I1"]})},
    ],
    ids=["forbidden", "eligible", "stock", "pairs"],
)
def test_a_rule_that_names_only_strangers_is_warned_of(model, rules):
    with pytest.warns(DataWarning, match=f"{next(iter(rules))} names items .* knows none of them"):
        model.recommend(["c1"], 3, **rules)


def test_some_strangers_among_the_items_are_usual(model):
    lists = model.recommend(
        ["new"], 3, eligible=["i1", "never sold"], forbidden={"i2", "gone"}, stock={"i1": 1, "x": 1}
    )
    assert lists["item_id"].tolist() == ["i1"]


def test_a_series_of_numbers_by_item_tells_what_is_in_stock(model):
    assert model.recommend(["new"], 3, stock=pd.Series({"i1": 2, "i2": 0}))["item_id"].tolist() == ["i1"]
    assert model.recommend(["new"], 3, stock=pd.Series(["i2"]))["item_id"].tolist() == ["i2"]
