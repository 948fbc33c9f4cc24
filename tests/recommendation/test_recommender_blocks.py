"""Lists do not depend on the size of a block, nor on the order of ids where nothing is known."""

from __future__ import annotations

import pandas as pd
import pytest

import crmkit
from crmkit.testing.tables import interactions

NAMES = [name for name in crmkit.available("recommender") if not name.endswith("-rating")]


def made(name, **params):
    spec = next(spec for spec in crmkit.available() if (spec.kind, spec.name) == ("recommender", name))
    params = {**(spec.test_params[0] if spec.test_params else {}), **params}
    return crmkit.create("recommender", name, **params, **({"random_state": 0} if name in {"hybrid", "ials"} else {}))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:content knows nothing")
def test_a_memory_limit_changes_only_the_speed(name):
    events = interactions(200, 25, seed=1)
    usual = made(name).fit(events).recommend(None, 6, exclude="nothing", diversity=0.2)
    for limit in (1, "1MB", "50GB"):
        lists = made(name, memory_limit=limit).fit(events).recommend(None, 6, exclude="nothing", diversity=0.2)
        pd.testing.assert_frame_equal(lists, usual, rtol=1e-9)


def test_ease_leaves_what_nobody_else_bought_to_the_fallback():
    alone = pd.DataFrame({"customer_id": ["lone"], "item_id": ["odd"], "time": [pd.Timestamp("2024-03-01", tz="UTC")]})
    model = made("ease").fit(pd.concat([interactions(60, 25, seed=1), alone]))
    lists = model.recommend(["lone"], 4)
    assert lists["source"].tolist() == ["popular"] * 4
    assert lists["score"].is_monotonic_decreasing
    assert lists["score"].gt(1.0).all()
