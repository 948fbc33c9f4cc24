"""Who came back, against comparing every pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.text import conversations, repeat_contacts


def at(*clock):
    return pd.to_datetime([f"2024-05-{one}" for one in clock], utc=True)


def three_days(days=("01 00:00", "03 00:00", "20 00:00"), **columns):
    return pd.DataFrame({"customer_id": "a", "direction": "in", "time": at(*days), **columns})


def test_edges_of_the_table_are_unknown():
    found = conversations(three_days(), days=7)
    assert found["repeat_days"].tolist()[:2] == [2.0, 17.0]
    assert found["resolved"].tolist() == [False, True, pd.NA]
    assert found["first_contact"].tolist() == [pd.NA, False, True]
    later = conversations(three_days(), days=7, cutoff="2024-06-01")
    assert later["resolved"].tolist() == [False, True, True]


def test_only_the_same_type_is_a_repeat():
    table = three_days(type=["bill", "fault", "bill"])
    assert conversations(table)["repeat_days"].tolist()[0] == 19.0
    assert conversations(table, same_type=False)["repeat_days"].tolist()[0] == 2.0
    assert conversations(table, type_column=None)["repeat_days"].tolist()[0] == 2.0
    assert conversations(three_days(type=[None, None, "bill"]))["repeat_days"].tolist()[0] == 2.0


def test_what_the_company_begins_is_no_repeat():
    found = conversations(three_days(direction=["in", "out", "in"]), days=30)
    assert found["repeat_days"].tolist()[0] == 19.0
    only = conversations(three_days(direction=["out", "in", "in"]), days=30)
    assert np.isnan(only["previous_days"].iloc[1])


def test_overlapping_conversations_repeat_after_no_days():
    table = pd.DataFrame(
        {
            "customer_id": "a",
            "conversation_id": ["1", "1", "2"],
            "direction": "in",
            "time": at("01 00:00", "03 00:00", "02 00:00"),
        }
    )
    found = conversations(table)
    assert found.loc["1", "repeat_days"] == 0
    assert found.loc["1", "repeat_id"] == "2"


def brute(table, same_type):
    rows = []
    for i, one in table.iterrows():
        own = table[(table["customer_id"] == one["customer_id"])]
        if same_type:
            own = own[(own["type"] == one["type"]) | (own["type"].isna() & pd.isna(one["type"]))]
        mine = own[own["began"] != "company"]
        after = [
            (row["start"], j)
            for j, row in mine.iterrows()
            if (row["start"], order(table, j)) > (one["start"], order(table, i))
        ]
        before = [
            row["end"]
            for j, row in mine.iterrows()
            if (row["start"], order(table, j)) < (one["start"], order(table, i))
        ]
        day = pd.Timedelta(days=1)
        repeat = max((min(after)[0] - one["end"]) / day, 0) if after else np.nan
        previous = max((one["start"] - max(before)) / day, 0) if before else np.nan
        rows.append((repeat, previous))
    return np.array(rows)


def order(table, name):
    return table.index.get_loc(name)


@pytest.mark.parametrize("same_type", [True, False])
@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_repeats_agree_with_comparing_every_pair(same_type, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    owner = rng.integers(0, 3, n)
    table = pd.DataFrame(
        {
            "customer_id": [f"c{one % 2}" for one in owner],
            "conversation_id": [f"v{one}-{rng.integers(0, 3)}" for one in owner],
            "time": pd.Timestamp("2024-05-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 20, n), unit="D"),
            "direction": rng.choice(["in", "out"], n),
            "type": rng.choice(np.array(["x", "y", None], dtype=object), n),
        }
    )
    found = conversations(table, same_type=same_type)
    expected = brute(found, same_type)
    np.testing.assert_allclose(found["repeat_days"], expected[:, 0])
    np.testing.assert_allclose(found["previous_days"], expected[:, 1])


def test_repeats_are_listed_with_both_channels(company, known):
    listed = repeat_contacts(known, 14)
    assert len(listed)
    assert (listed["days"] <= 14).all()
    assert listed.equals(repeat_contacts(company.communications, 14, timezone="Asia/Shanghai"))
    row = listed.iloc[0]
    assert row["repeat_channel"] == known.loc[row["repeat_id"], "channel"]
    assert row["customer_id"] == known.loc[row["repeat_id"], "customer_id"]


def test_options_of_a_table_that_is_made_already_are_refused(known):
    with pytest.raises(TypeError, match=r"same_type: hand it to text\.conversations"):
        repeat_contacts(known, same_type=False)
