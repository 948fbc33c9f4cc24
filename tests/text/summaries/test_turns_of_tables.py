"""Turns of a table of communications: their order and their speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.text import ConversationSummarizer, LeadSummarizer, summarize_conversations

TABLE = {"direction": ["out", "in", "in"], "text": ["We will refund it.", "It is broken.", "I want a refund."]}


def said(**columns):
    return ConversationSummarizer().summarize({**TABLE, **columns}).turns["text"].tolist()


def test_turns_written_as_text_are_numbers():
    assert said(turn=["10", "9", "1"]) == TABLE["text"][::-1]
    with pytest.raises(DataError, match="turn is no number in row 1"):
        said(turn=["1", "second", "3"])


@pytest.mark.parametrize("turn", [[None] * 3, [np.nan] * 3, [2, None, 1]])
def test_times_serve_where_turns_are_missing(turn):
    times = pd.to_datetime(["2024-05-01 00:05", "2024-05-01 00:01", "2024-04-30 23:59"], utc=True)
    assert said(turn=turn, time=times) == TABLE["text"][::-1]
    assert ConversationSummarizer().summarize({**TABLE, "turn": turn, "time": times}).turns["turn"].tolist() == [
        2,
        1,
        0,
    ]


def test_rows_without_any_turn_or_time_are_read_as_they_stand():
    assert said(turn=[None] * 3, time=[None] * 3) == TABLE["text"]


def test_equal_turns_keep_the_order_of_the_table():
    assert said(turn=[1, 1, 0]) == [TABLE["text"][2], *TABLE["text"][:2]]


def test_the_direction_tells_roles_where_names_do_not():
    summary = ConversationSummarizer().summarize({**TABLE, "turn": [3, 2, 1], "speaker": ["Ann", "Bob", "Bob"]})
    assert summary.roles == {"Ann": "agent", "Bob": "customer"}
    assert summary.roles_are_known
    assert summary.answer.speaker == "Ann"


def test_the_direction_tells_who_speaks_where_no_name_is_given():
    summary = ConversationSummarizer().summarize({**TABLE, "speaker": [None, "", None], "agent": ["Mary", None, None]})
    assert summary.turns["speaker"].tolist() == ["Mary", "customer", "customer"]
    assert summary.roles == {"Mary": "agent", "customer": "customer"}


def test_rows_are_named_by_their_place_in_the_whole_table():
    table = pd.DataFrame(
        {"conversation_id": ["a", "b", "a", "b"], "turn": [1, 2, 2, 1], "text": pd.Series(list("wxyz"), dtype=object)}
    )
    with pytest.raises(DataError, match="table: turn is missing in row 3"):
        summarize_conversations(table.assign(turn=[1, 2, 2, None]))
    with pytest.raises(TypeError, match="row 3: bytes"):
        summarize_conversations(table.assign(text=["w", "x", "y", b"z"]))


def test_each_conversation_is_ordered_by_what_it_has():
    table = pd.DataFrame(
        {
            "conversation_id": ["chat", "chat", "mail", "mail"],
            "turn": [2, 1, None, None],
            "time": pd.to_datetime([None, None, "2024-05-02", "2024-05-01"], utc=True),
            "text": ["Second.", "First.", "Later.", "Sooner."],
        }
    )
    short = summarize_conversations(table, LeadSummarizer())["summary"]
    assert short.to_dict() == {"chat": "First.\nSecond.", "mail": "Sooner.\nLater."}
