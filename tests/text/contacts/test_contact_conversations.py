"""Turns, waits and shares of conversations, by hand and against the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.text import conversations


def chat(directions, minutes, **columns):
    times = pd.Timestamp("2024-05-01 09:00", tz="UTC") + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"customer_id": "a", "conversation_id": "1", "direction": directions, "time": times, **columns})


def test_messages_in_a_row_are_one_wait():
    found = conversations(chat(["in", "in", "out", "out", "in", "out"], [0, 1, 5, 6, 10, 12])).loc["1"]
    assert found["first_response_seconds"] == 300
    assert found["median_response_seconds"] == (300 + 120) / 2
    assert found["longest_response_seconds"] == 300
    assert (found["turns"], found["customer_turns"], found["company_turns"]) == (6, 3, 3)
    assert found["answered"]


def test_an_open_question_is_not_answered_by_silence():
    found = conversations(chat(["in"], [0])).loc["1"]
    assert not found["answered"]
    assert np.isnan(found["first_response_seconds"])


def test_a_later_open_question_leaves_the_first_answered():
    found = conversations(chat(["in", "out", "in"], [0, 5, 10])).loc["1"]
    assert found["answered"]
    assert found["median_response_seconds"] == 300


def test_what_the_company_says_first_answers_nothing():
    found = conversations(chat(["out", "in"], [0, 5])).loc["1"]
    assert found["began"] == "company"
    assert not found["answered"]


def test_without_directions_nothing_is_said_of_waits():
    found = conversations(chat(["?", "?"], [0, 5], text=["a", "b"])).loc["1"]
    assert found["answered"] is pd.NA
    assert np.isnan(found["talk_share"])
    assert pd.isna(found["began"])


def test_calls_are_answered_as_they_happen():
    table = chat(["in", "out"], [0, 60], duration=[120.0, np.nan], channel="call")
    found = conversations(table).loc["1"]
    assert found["answered"]
    assert np.isnan(found["first_response_seconds"])
    assert found["handling_seconds"] == 120
    written = conversations(table, live=[]).loc["1"]
    assert written["first_response_seconds"] == 3600
    with pytest.raises(TypeError, match="live must be a list"):
        conversations(table, live="call")


def test_talk_is_counted_in_words_and_han_characters():
    found = conversations(chat(["in", "out"], [0, 1], text=["我要退款！", "It's done."])).loc["1"]
    assert found["talk_share"] == 2 / 6


def test_the_agent_of_most_rows_is_taken():
    table = chat(["in", "out", "out", "out", "out"], range(5), agent=[None, "x", "y", "y", "x"])
    found = conversations(table).loc["1"]
    assert (found["agent"], found["agents"]) == ("x", 2)


def test_every_row_is_in_one_conversation(company, known):
    messages = company.communications
    assert known["turns"].sum() == len(messages)
    assert len(known) == messages["conversation_id"].nunique()
    first = messages.sort_values("time").groupby("conversation_id")["time"].first()
    assert (known["start"] == first.reindex(known.index)).all()


def test_first_responses_agree_with_the_rows(company, known):
    messages = company.communications
    written = messages[messages["conversation_id"].isin(known.index[known["handling_seconds"].isna()])]
    pairs = written.pivot_table(index="conversation_id", columns="turn", values="time", aggfunc="first")
    wait = (pairs[1] - pairs[0]).dt.total_seconds()
    pd.testing.assert_series_equal(
        known["first_response_seconds"].reindex(wait.index), wait, check_names=False, check_exact=False
    )


def test_the_same_table_in_another_order_gives_the_same(company, known):
    shuffled = company.communications.sample(frac=1, random_state=0)
    again = conversations(shuffled, timezone="Asia/Shanghai").reindex(known.index)
    pd.testing.assert_frame_equal(again, known)


def test_further_columns_are_carried_along_once():
    table = chat(["in", "out"], [0, 1], mood=[None, "glad"])
    found = conversations(table, keep=["mood", "mood"])
    assert found.columns[-1] == "mood"
    assert found.loc["1", "mood"] == "glad"
    assert conversations(table).columns.tolist() == found.columns[:-1].tolist()


@pytest.mark.parametrize("name", ["channel", "type", "repeat_days", "customer_id"])
def test_a_column_that_the_result_has_is_not_replaced(name):
    table = chat(["in"], [0]).assign(**{name: "1"})
    with pytest.raises(DataError, match=f"the result has '{name}' of its own"):
        conversations(table, keep=[name])
    with pytest.raises(TypeError, match="keep must be a list"):
        conversations(table, keep=name)


def test_midnight_and_the_leap_day_are_times_like_others():
    times = pd.to_datetime(["2024-02-28 23:59", "2024-03-01 00:01"], utc=True)
    found = conversations(chat(["in", "out"], [0, 1]).assign(time=times)).loc["1"]
    assert found["first_response_seconds"] == 24 * 3600 + 120
    assert found["span_seconds"] == 24 * 3600 + 120


def test_markup_is_no_talk():
    found = conversations(chat(["in", "out"], [0, 1], text=["<p>late again</p>", "<div>sorry &amp; done</div>"])).loc[
        "1"
    ]
    assert found["talk_share"] == 2 / 4
