"""Conversations, repeats, figures and joins, against brute force and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company
from crmkit.metrics import contact_cost, contact_rate, first_contact_resolution, mean, wilson
from crmkit.text import (
    contact_costs,
    contact_figures,
    contact_volume,
    contacts_per,
    conversations,
    repeat_contacts,
    satisfaction_after,
)


@pytest.fixture(scope="module")
def company():
    return make_company(150, seed=4)


@pytest.fixture(scope="module")
def known(company):
    return conversations(company.communications, timezone="Asia/Shanghai")


def at(*clock):
    return pd.to_datetime([f"2024-05-{one}" for one in clock], utc=True)


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


def test_figures_of_a_group_are_those_of_its_rows(known):
    figures = contact_figures(known, "channel", days=14).set_index(["channel", "figure"])
    chats = known[known["channel"] == "chat"]
    answered = figures.loc[("chat", "answered")]
    count = int(chats["answered"].sum())
    assert answered["value"] == pytest.approx(count / len(chats))
    assert (answered["low"], answered["high"]) == pytest.approx(tuple(float(x) for x in wilson(count, len(chats))))
    firsts = chats[
        ~(chats["previous_days"] <= 14) & (chats["previous_days"].notna() | (chats["seen_before_days"] >= 14))
    ]
    expected = first_contact_resolution(
        firsts["repeat_days"], firsts["followed_days"], days=14, groups=firsts["customer_id"]
    )
    row = figures.loc[("chat", "first_contact_resolution")]
    assert (row["value"], row["n"], row["low"]) == pytest.approx((expected.value, expected.n, expected.low))
    repeated = figures.loc[("chat", "repeat_contact")]
    assert repeated["low"] <= repeated["value"] <= repeated["high"]


def test_a_figure_of_nothing_has_no_rows(known):
    figures = contact_figures(known[known["channel"] == "chat"]).set_index("figure")
    assert figures.loc["handling_seconds", "n"] == 0
    assert np.isnan(figures.loc["handling_seconds", "value"])
    assert set(contact_figures(known, ["channel", "agent"]).columns) >= {"channel", "agent", "figure", "n"}


def test_costs_follow_channel_and_time(known):
    channels = known["channel"].dropna().unique()
    prices = {"channel": channels, "per_contact": [1.0] * len(channels), "per_minute": (channels == "call") * 2.0}
    priced = contact_costs(known, prices)
    calls = priced["channel"] == "call"
    assert (priced.loc[~calls, "cost"] == 1).all()
    np.testing.assert_allclose(priced.loc[calls, "cost"], 1 + 2 * priced.loc[calls, "handling_seconds"] / 60)
    figures = contact_figures(priced).set_index("figure")
    assert figures.loc["cost", "value"] == pytest.approx(contact_cost(priced["cost"]).value)
    enough = priced[priced["followed_days"] >= 7]
    settled = ~(enough["repeat_days"] <= 7)
    assert figures.loc["cost_per_resolved", "value"] == pytest.approx(enough["cost"].sum() / settled.sum())
    assert figures.loc["cost_per_resolved", "n"] == len(enough)


def test_a_mapping_of_prices_will_do_and_gaps_are_refused(known):
    flat = contact_costs(known, dict.fromkeys(known["channel"].dropna().unique(), 2.5))
    assert (flat["cost"] == 2.5).all()
    with pytest.raises(DataError, match="no price for the channels"):
        contact_costs(known, {"chat": 1.0})
    with pytest.raises(DataError, match="more than one row"):
        contact_costs(known, {"channel": ["chat", "chat"], "per_contact": [1, 2]})
    with pytest.raises(DataError, match="row 0"):
        contact_costs(known, {"channel": ["chat"], "per_contact": [-1]})
    with pytest.raises(DataError, match="per_contact or per_minute"):
        contact_costs(known, pd.DataFrame({"channel": ["chat"]}))


def test_each_answer_counts_once_and_for_the_last_conversation(company, known):
    joined = satisfaction_after(known, company.feedback, days=10)
    used = 0
    day = pd.Timedelta(days=1)
    best = {}
    for _, answer in company.feedback.sort_values("time").iterrows():
        own = known[(known["customer_id"] == answer["customer_id"]) & (known["end"] <= answer["time"])]
        if len(own) and (answer["time"] - own["end"].max()) / day <= 10:
            latest = own.index[own["end"].to_numpy() == own["end"].max()][-1]
            best.setdefault(latest, answer["score"])
            used += 1
    assert used
    there = joined["satisfaction"].dropna()
    assert there.to_dict() == best
    assert (joined["satisfaction_days"].dropna() <= 10).all()
    figures = contact_figures(joined).set_index("figure")
    assert figures.loc["satisfaction", "value"] == pytest.approx(mean(there).value)


def test_answers_that_name_their_conversation_are_believed(known):
    marks = {"conversation_id": [known.index[3], "none such"], "score": [2, 5]}
    joined = satisfaction_after(known, marks)
    assert joined["satisfaction"].dropna().to_dict() == {known.index[3]: 2.0}
    assert joined["satisfaction_days"].isna().all()


def test_questions_are_not_mixed(known):
    marks = {"conversation_id": list(known.index[:2]), "score": [2, 5], "question": ["a", "b"]}
    with pytest.raises(DataError, match="several questions"):
        satisfaction_after(known, marks)
    assert satisfaction_after(known, marks, question="b")["satisfaction"].dropna().tolist() == [5.0]
    with pytest.raises(DataError, match="score is no number in row 0"):
        satisfaction_after(known, {"conversation_id": ["1"], "score": ["good"]})


def test_contacts_of_everyone_are_counted(company, known):
    counts = contacts_per(known, company.customers)
    assert counts.sum() == len(known)
    assert len(counts) == len(company.customers)
    assert (counts == 0).any()
    assert mean(counts.to_numpy()).value == pytest.approx(len(known) / len(company.customers))
    orders = contacts_per(known.assign(order_id="o1"), {"order_id": ["o1", "o1", "o2"]}, key="order_id")
    assert orders.to_dict() == {"o1": len(known), "o2": 0}
    with pytest.raises(DataError, match="among: customer_id is missing in row 1"):
        contacts_per(known, ["a", None])


def test_hours_are_those_of_local_clocks():
    # London put its clocks back at 02:00 on 2024-10-27: the hour from 1 to 2 came twice; on 03-31 it was left out.
    times = pd.to_datetime(["2024-10-27 00:10", "2024-10-27 01:10", "2024-10-28 01:30"], utc=True)
    found = conversations(pd.DataFrame({"customer_id": "a", "time": times}))
    volume = contact_volume(found, "hour", timezone="Europe/London")
    assert volume.loc[1, "contacts"] == 3
    assert volume.loc[1, "exposure"] == 3
    assert volume.loc[2, "exposure"] == 2
    assert volume["exposure"].sum() == 49
    assert volume["contacts"].sum() == 3
    spring = contact_volume(found, "hour", timezone="Europe/London", first="2024-10-27", until="2024-10-28")
    assert spring.loc[1, "rate"] == 1
    assert spring.loc[1, "days"] == 1


def test_an_hour_that_was_left_out_has_no_exposure():
    times = pd.to_datetime(["2024-03-31 00:10", "2024-03-31 12:00"], utc=True)
    volume = contact_volume(
        conversations(pd.DataFrame({"customer_id": "a", "time": times})), "hour", timezone="Europe/London"
    )
    assert 1 not in volume.index
    assert len(volume) == 23
    assert volume["exposure"].sum() == 23


@pytest.mark.parametrize(
    "by", ["weekday", "month", "week", "day", "channel", ["weekday", "hour"], ["month", "channel"]]
)
def test_rates_agree_with_counting_days_one_by_one(known, by):
    volume = contact_volume(known, by, timezone="Asia/Shanghai")
    names = [by] if isinstance(by, str) else by
    local = known["start"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    days = pd.date_range(local.min().normalize(), local.max().normalize())

    def parts(stamps):
        stamps = pd.Series(stamps)
        return pd.DataFrame(
            {
                "hour": stamps.dt.hour,
                "weekday": stamps.dt.day_of_week,
                "day": stamps.dt.normalize(),
                "week": stamps.dt.normalize() - pd.to_timedelta(stamps.dt.day_of_week, unit="D"),
                "month": stamps.dt.to_period("M").dt.to_timestamp(),
            }
        )

    mine = parts(local.reset_index(drop=True)).assign(channel=known["channel"].to_numpy())
    each = parts(days if "hour" not in names else pd.date_range(days[0], days[-1] + pd.Timedelta(hours=23), freq="h"))
    calendar = [name for name in names if name != "channel"]
    for key in list(volume.index)[:: max(1, len(volume) // 12)]:
        values = dict(zip(names, key if len(names) > 1 else (key,), strict=True))
        of_kind = each[
            np.logical_and.reduce([each[name] == values[name] for name in calendar] or [each["day"].notna()])
        ]
        rows = mine[np.logical_and.reduce([mine[name] == values[name] for name in names])]
        counts = rows["day"].value_counts().reindex(of_kind["day"].unique(), fill_value=0)
        expected = contact_rate(counts.to_numpy())
        row = volume.loc[key]
        assert row["contacts"] == len(rows)
        assert (row["rate"], row["low"], row["high"]) == pytest.approx(
            (expected.value, expected.low, expected.high), nan_ok=True
        )
    assert volume["contacts"].sum() == len(known)
    assert volume["share"].sum() == pytest.approx(1)


def test_work_is_averaged_where_it_is_known(known):
    volume = contact_volume(known, "channel")
    calls = known.loc[known["channel"] == "call", "handling_seconds"]
    assert volume.loc["call", "handling_seconds"] == pytest.approx(calls.mean())
    assert volume.loc["call", "handling_n"] == len(calls)
    assert volume.loc["chat", "handling_n"] == 0
    crossed = contact_volume(known, ["channel", "weekday"])
    assert crossed["handling_n"].sum() == len(calls)
    silent = contact_volume(known[known["channel"] == "chat"], "weekday")
    assert (silent["handling_n"] == 0).all()


def test_volume_refuses_what_it_cannot_count(known):
    with pytest.raises(DataError, match="or one of hour"):
        contact_volume(known, "minute")
    with pytest.raises(DataError, match="by must name"):
        contact_volume(known, [])
    with pytest.raises(DataError, match="first must lie before until"):
        contact_volume(known, first="2024-01-02", until="2024-01-02")
    with pytest.raises(DataError, match="until must be a day"):
        contact_volume(known, until="2024-01-02 10:00")
    with pytest.raises(DataError, match="no conversation began"):
        contact_volume(known, first="2030-01-01", until="2030-02-01")


def test_missing_kinds_are_a_group_of_their_own():
    found = conversations(three_days(type=["bill", None, None]))
    volume = contact_volume(found, "type")
    assert volume["contacts"].sum() == 3
    assert contact_figures(found, "type")["type"].isna().any()


def test_the_same_table_in_another_order_gives_the_same(company, known):
    shuffled = company.communications.sample(frac=1, random_state=0)
    again = conversations(shuffled, timezone="Asia/Shanghai").reindex(known.index)
    pd.testing.assert_frame_equal(again, known)
