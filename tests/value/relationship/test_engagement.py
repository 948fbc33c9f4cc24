from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, value
from crmkit.datasets import make_company


def _visits(**columns):
    return pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [9, 39, 39], **columns})


def test_a_contact_of_a_half_life_ago_counts_a_half():
    got = value.engagement(_visits(), cutoff=40, half_life_days=30)
    assert got["engagement"].tolist() == [1.5, 1.0]
    assert got["contacts"].tolist() == [2, 1]
    assert got["contact_days"].tolist() == [1, 1]


def test_rows_from_the_cutoff_on_change_nothing():
    pd.testing.assert_frame_equal(value.engagement(_visits(), cutoff=39), value.engagement(_visits()[:1], cutoff=39))


def test_without_a_cutoff_it_is_the_day_after_the_last_row():
    pd.testing.assert_frame_equal(value.engagement(_visits()), value.engagement(_visits(), cutoff=40))


def test_kinds_count_as_declared_and_others_do_not_count():
    got = value.engagement(_visits(event=["visit", "order", "rant"]), cutoff=40, kind_weights={"visit": 2, "order": 5})
    assert got["engagement"].tolist() == [1 + 5, 0]
    assert got["contacts"].tolist() == [2, 0]
    assert np.isnan(got["contact_days"].iloc[1])
    by_channel = value.engagement(_visits(channel=["web", "web", "app"]), cutoff=40, kind_weights={"app": 1})
    assert by_channel["contacts"].tolist() == [0, 1]
    named = value.engagement(_visits(what=["x", "y", "y"]), cutoff=40, kind="what", kind_weights={"y": 1})
    assert named["contacts"].tolist() == [1, 1]


def test_being_written_to_is_no_engagement_unless_asked_for():
    table = _visits(direction=["out", "呼入", None])
    assert value.engagement(table, cutoff=40)["contacts"].tolist() == [1, 0]
    assert value.engagement(table, cutoff=40, inbound_only=False)["contacts"].tolist() == [2, 1]


def test_a_conversation_of_a_day_is_one_contact_and_its_best_row_counts():
    table = pd.DataFrame(
        {
            "customer_id": [*"aaaab"],
            "day": [39, 39, 38, 39, 39],
            "conversation_id": ["v1", "v1", "v1", None, "v1"],
            "event": ["chat", "call", "chat", "chat", "chat"],
        }
    )
    got = value.engagement(table, cutoff=40, half_life_days=1, kind_weights={"chat": 1, "call": 3})
    assert got["contacts"].tolist() == [3, 1]
    assert got["engagement"].tolist() == [3 + 0.5 + 1, 1]


def test_it_reads_the_tables_of_a_company():
    company = make_company(300, seed=1)
    events, talks = value.engagement(company.events), value.engagement(company.communications)
    assert events["contacts"].sum() == len(company.events)
    inbound = company.communications[company.communications["direction"] == "in"]
    conversations = inbound.groupby(["customer_id", "conversation_id", "day"]).ngroups
    assert talks["contacts"].sum() == conversations
    alive = company.truth.customers["alive"].reindex(events.index)
    assert events.loc[alive, "engagement"].mean() > events.loc[~alive, "engagement"].mean()


def test_an_empty_table_gives_an_empty_table():
    got = value.engagement(_visits()[:0])
    assert got.shape == (0, 3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"half_life_days": 0}, "half_life_days must be"),
        ({"half_life_days": float("nan")}, "half_life_days must be"),
        ({"half_life_days": "30"}, "half_life_days must be"),
        ({"half_life_days": None}, "half_life_days must be"),
        ({"kind": "what"}, "events has no column 'what'"),
        ({"kind_weights": {"visit": 1}}, "kind_weights need a column of kinds"),
        ({"kind_weights": {"call": 1, "visit": -1}}, "kind_weights must be finite numbers of at least 0; visit is not"),
        ({"kind_weights": 3}, "kind_weights must map kinds to numbers, got int"),
    ],
)
def test_what_cannot_be_is_refused(options, match):
    with pytest.raises(DataError, match=match):
        value.engagement(_visits(), **options)


def test_missing_ids_and_days_are_named_by_position():
    with pytest.raises(DataError, match="events: customer_id is missing in row 1"):
        value.engagement(pd.DataFrame({"customer_id": ["a", None], "day": [1, 2]}))
    with pytest.raises(DataError, match="events: day is missing in row 0"):
        value.engagement(pd.DataFrame({"customer_id": ["a", "b"], "day": [None, 2.0]}))


def test_a_contact_early_in_the_morning_of_shanghai_is_one_of_the_last_day_at_most():
    # The cutoff is 08:00 in Shanghai; the contact half an hour earlier is of the day that has begun there.
    time = pd.to_datetime(["2024-01-01T23:30Z", "2023-12-31T02:00Z"])
    local = time.tz_convert("Asia/Shanghai").tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    events = pd.DataFrame({"customer_id": ["a", "b"], "time": time, "day": local})
    got = value.engagement(events, cutoff="2024-01-02T00:00+00:00", half_life_days=2)
    assert got["engagement"].tolist() == [1.0, 0.5]
    assert got["contact_days"].tolist() == [1, 3]


def test_days_before_1970_end_with_the_last_of_them():
    events = pd.DataFrame({"customer_id": ["a", "b"], "day": [-20_000, -20_030]})
    assert value.engagement(events)["engagement"].tolist() == [1.0, 0.5]


def test_weights_may_be_numbers_of_numpy():
    got = value.engagement(_visits(event="visit"), cutoff=40, kind_weights={"visit": np.int64(2)})
    assert got["engagement"].tolist() == [3.0, 2.0]
