"""Days are counted from the cutoff in whatever zone, however old an event is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.testing.tables import interactions


def in_shanghai(events):
    """Give the days as they are counted eight hours to the east."""
    there = events["time"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    return events.assign(day=there.to_numpy().astype("datetime64[D]").astype(np.int64))


@pytest.mark.parametrize("cutoff", ["2024-03-20T20:00Z", "2024-03-21T00:00Z"])
@pytest.mark.parametrize("name", ["repeat-purchase", "hybrid"])
def test_a_cutoff_in_utc_may_lie_within_a_local_day(name, cutoff):
    early = pd.DataFrame({"customer_id": ["c1"], "item_id": ["i1"], "time": [pd.Timestamp("2024-03-20T19:00Z")]})
    events = in_shanghai(pd.concat([interactions(60, 25, seed=1), early]))  # 03:00 of the 21st there
    params = {"random_state": 0} if name == "hybrid" else {}
    model = crmkit.create("recommender", name, **params).fit(events, cutoff=pd.Timestamp(cutoff))
    read = events[events["time"] < pd.Timestamp(cutoff)]
    assert model.interactions_.now > read["day"].max()
    assert np.isfinite(model.recommend(["c1"], 5)["score"]).all()


def test_events_before_1970_are_counted_back_from_the_last_of_them():
    events = interactions(30, 12, seed=1)
    old = events.assign(time=events["time"] - pd.Timedelta(days=60 * 365))
    model = crmkit.create("recommender", "popularity", window_days=30)
    lists = model.fit(events).recommend(["new"], 5)
    pd.testing.assert_frame_equal(model.fit(old).recommend(["new"], 5), lists)


@pytest.mark.parametrize("name", ["repeat-purchase", "hybrid"])
def test_a_date_that_stands_for_none_does_not_spoil_the_rhythm_of_others(name):
    events = interactions(60, 25, seed=1)
    events.loc[0, "time"] = pd.Timestamp("1900-01-01", tz="UTC")
    params = {"random_state": 0} if name == "hybrid" else {}
    model = crmkit.create("recommender", name, **params).fit(events)
    assert np.isfinite(model.recommend(None, 5)["score"]).all()
