"""A recommender that was saved gives the lists it gave before."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit
from crmkit.testing.tables import interactions

NAMES = [name for name in crmkit.available("recommender") if not name.endswith("-rating")]


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_it_gives_the_same_lists(name, tmp_path):
    history = interactions(30, 12, seed=2)
    names = sorted(set(history["item_id"]))
    goods = pd.DataFrame({"item_id": names, "name": [f"thing {one}" for one in names], "category": "all"})
    people = pd.DataFrame({"customer_id": ["c1", "new"], "segment": ["s", "s"]})
    model = crmkit.create("recommender", name).fit(history, items=goods, customers=people)
    model.recommend(["c1"], 2, diversity=0.5)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    rules = {"exclude": {"all": 30}, "diversity": 0.2, "stock": names[2:]}
    pd.testing.assert_frame_equal(
        loaded.recommend(["c1", "c2", "new"], 4, **rules), model.recommend(["c1", "c2", "new"], 4, **rules)
    )
