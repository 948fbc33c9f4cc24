"""How rows of communications are read: order, speakers, ids, what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.text import contact_figures, conversations


def at(*clock):
    return pd.to_datetime([f"2024-05-{one}" for one in clock], utc=True)


def chat(directions, minutes, **columns):
    times = pd.Timestamp("2024-05-01 09:00", tz="UTC") + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"customer_id": "a", "conversation_id": "1", "direction": directions, "time": times, **columns})


def test_rows_are_read_in_order_of_time_and_turns():
    table = chat(["out", "in", "in"], [5, 0, 0], turn=[3, 2, 1], text=["c", "b", "a"])
    assert conversations(table).loc["1", "first_response_seconds"] == 300
    with pytest.warns(DataWarning, match="turns of 1 conversations"):
        conversations(table.assign(turn=[1, 2, 3]))


def test_speakers_serve_where_there_is_no_direction():
    table = chat(["in", "out"], [0, 5]).drop(columns="direction").assign(speaker=["USER", "Agent 7"])
    assert conversations(table).loc["1", "first_response_seconds"] == 300


def test_rows_without_a_conversation_stand_alone():
    table = pd.DataFrame({"customer_id": ["a", "a"], "time": at("01", "02"), "conversation_id": [None, "7"]})
    assert conversations(table).index.tolist() == ["#0", "7"]
    with pytest.raises(DataError, match="reads like the name"):
        conversations(table.assign(conversation_id=[None, "#0"]))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer_id": [None, "a"]}, "customer_id is missing in row 0"),
        ({"customer_id": ["a", "b"], "conversation_id": "1"}, "row 1 have another customer"),
        ({"time": [pd.NaT, pd.Timestamp("2024-05-01", tz="UTC")]}, "time is missing in row 0"),
        ({"time": ["2024-05-01", "2024-05-02"]}, "must hold instants"),
        ({"duration": [-1.0, 2.0]}, "duration must be seconds"),
        ({"duration": ["long", "2"]}, "duration must be seconds"),
    ],
)
def test_rows_that_cannot_be_read_are_named(columns, message):
    table = pd.DataFrame({"customer_id": ["a", "a"], "time": at("01", "02")}).assign(**columns)
    with pytest.raises(DataError, match=message):
        conversations(table)


def test_options_are_checked():
    table = pd.DataFrame({"customer_id": ["a"], "time": at("01")})
    with pytest.raises(DataError, match="days must be"):
        conversations(table, days=0)
    with pytest.raises(DataError, match="no row before the cutoff"):
        conversations(table, cutoff="2024-01-01")
    with pytest.raises(DataError, match="has no row"):
        conversations(table.iloc[:0])
    with pytest.raises(DataError, match="timezone"):
        conversations(table, timezone="Nowhere/Else")
    with pytest.raises(DataError, match="cutoff must be a day"):
        conversations(table, cutoff="soon")
    with pytest.raises(DataError, match="topic"):
        conversations(table, type_column="topic")
    with pytest.raises(TypeError, match="the table that"):
        contact_figures([1])
    with pytest.raises(DataError, match="make it with"):
        contact_figures(table)


def test_local_times_of_a_clock_change_are_read_once():
    times = pd.to_datetime(["2024-03-31 01:30", "2024-10-27 01:30"])
    table = pd.DataFrame({"customer_id": ["a", "b"], "time": times})
    found = conversations(table, timezone="Europe/London")
    assert found["start"].dt.strftime("%H:%M").tolist() == ["01:00", "00:30"]


@pytest.mark.parametrize(
    ("column", "values", "error"),
    [("duration", [-1.0, 2.0], DataError), ("text", [b"secret", "y"], TypeError)],
)
def test_rows_are_named_by_where_they_stand_in_the_table_not_by_their_time(column, values, error):
    table = pd.DataFrame({"customer_id": ["b", "a"], "time": at("02", "01")}).assign(
        **{column: pd.Series(values, dtype=object)}
    )
    with pytest.raises(error, match="row 0"):
        conversations(table)


def test_the_speaker_tells_where_the_direction_does_not():
    table = pd.DataFrame({"customer_id": "a", "conversation_id": "1", "time": at("01", "02", "03")})
    table = table.assign(direction=[None, "?", "in"], speaker=["USER", "Agent 7", "Agent 7"])
    found = conversations(table).loc["1"]
    assert (found["customer_turns"], found["company_turns"]) == (2, 1)
