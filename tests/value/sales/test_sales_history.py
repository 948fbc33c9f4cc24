"""Opportunities become stage histories as a walk through each deal's rows would make them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import records, value
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company

STAGES = ["lead", "qualified", "proposal"]
START = pd.Timestamp("2024-01-01", tz="UTC")


def table(rows, **columns):
    """Make a history of (deal, stage, day)."""
    frame = pd.DataFrame(rows, columns=["opportunity_id", "stage", "at"])
    frame["time"] = START + pd.to_timedelta(frame.pop("at"), unit="D")
    return frame.assign(**columns)


def history(rows, *, as_of=None, columns=None, **options):
    moment = None if as_of is None else START + pd.Timedelta(days=as_of)
    return value.stage_history(table(rows, **(columns or {})), stages=STAGES, rows="history", as_of=moment, **options)


def walk(rows, as_of):
    """Walk through each deal's rows, in the order of their times and else of the table."""
    stays, status = [], {}
    for deal in sorted({row[0] for row in rows}):
        seen = sorted((row for row in rows if row[0] == deal and row[2] < as_of), key=lambda row: row[2])
        if not seen:
            continue
        state = None
        for _, stage, at in seen:
            if stage == state:
                continue
            if stays and stays[-1][0] == deal and stays[-1][3] is None:
                stays[-1][3:] = [at, stage]
            if stage in STAGES:
                stays.append([deal, stage, at, None, None])
            state = stage
        status[deal] = state if state in {"won", "lost"} else "open"
    return stays, status


def as_walked(found):
    """Give the visits in the form of the walk."""
    visits = found.visits
    days = [
        [None if pd.isna(at) else (at - START) / pd.Timedelta(days=1) for at in visits[name]]
        for name in ("entered", "left")
    ]
    after = [None if pd.isna(name) else name for name in visits["next"]]
    return [list(row) for row in zip(visits["opportunity_id"], visits["stage"], *days, after, strict=True)]


ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from([*STAGES, *STAGES, "won", "lost"]), st.integers(0, 9)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=300)
@given(ROWS, st.integers(1, 11))
@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_stays_are_those_of_a_walk_through_the_rows(rows, as_of):
    # A deal that begins with its end has no opening; what becomes of it is tested by itself.
    begins = {}
    for row in sorted(rows, key=lambda row: row[2]):
        begins.setdefault(row[0], row[1])
    rows = [row for row in rows if begins[row[0]] in STAGES]
    stays, status = walk(rows, as_of)
    if not status:
        with pytest.raises(DataError, match="no row"):
            history(rows, as_of=as_of)
        return
    found = history(rows, as_of=as_of)
    assert as_walked(found) == stays
    assert found.deals["status"].to_dict() == status
    for deal, row in found.deals.iterrows():
        own = [stay[1] for stay in stays if stay[0] == deal]
        assert row["stage"] == own[-1]
        assert row["furthest"] == max(own, key=STAGES.index)
        assert row["visits"] == len(own)
        assert row["opened"] == START + pd.Timedelta(days=next(stay[2] for stay in stays if stay[0] == deal))
        assert pd.isna(row["closed"]) == (row["status"] == "open")


@given(st.permutations(range(9)))
def test_rows_of_different_times_may_stand_in_any_order(order):
    rows = [
        *[("a", "lead", 0), ("a", "qualified", 2), ("a", "lead", 4), ("a", "won", 9)],
        *[("b", "lead", 1), ("b", "lost", 3), ("b", "proposal", 5), ("c", "lead", 7), ("c", "qualified", 8)],
    ]
    expected = history(rows)
    found = history([rows[position] for position in order])
    pd.testing.assert_frame_equal(found.visits, expected.visits)
    pd.testing.assert_frame_equal(found.deals, expected.deals)


def test_a_closing_that_was_undone_is_none():
    found = history([("a", "lead", 0), ("a", "lost", 2), ("a", "qualified", 5), ("a", "won", 7)])
    deal = found.deals.loc["a"]
    assert deal[["status", "stage", "reopened", "moved_back"]].tolist() == ["won", "qualified", 1, 0]
    assert deal["closed"] == START + pd.Timedelta(days=7)
    assert found.visits[["stage", "days", "next"]].to_numpy().tolist() == [["lead", 2, "lost"], ["qualified", 2, "won"]]


def test_a_deal_may_be_first_seen_with_an_end_that_was_undone():
    found = history([("a", "lost", 0), ("a", "lead", 2), ("a", "won", 3)])
    assert found.deals.loc["a", ["status", "reopened", "opened"]].tolist() == ["won", 1, START]
    assert found.visits["days"].tolist() == [1]


def test_moving_back_and_skipping_are_kept_as_they_were():
    found = history([("a", "proposal", 0), ("a", "lead", 2), ("a", "proposal", 3)], as_of=10)
    assert found.deals.loc["a", ["moved_back", "visits", "furthest"]].tolist() == [1, 3, "proposal"]
    assert found.visits["days"].tolist() == [2, 1, 7]
    assert pd.isna(found.visits["left"].iloc[-1])


def test_rows_of_one_moment_keep_the_order_of_the_table():
    found = history([("a", "lead", 0), ("a", "qualified", 1), ("a", "lead", 1), ("a", "qualified", 1)], as_of=3)
    assert found.visits["stage"].tolist() == ["lead", "qualified", "lead", "qualified"]
    assert found.visits["days"].tolist() == [1, 0, 0, 2]


def test_equal_rows_count_once_and_are_told_of():
    rows = [("a", "lead", 0), ("a", "lead", 0), ("a", "won", 1)]
    with pytest.warns(DataWarning, match="1 rows of opportunities repeat another row"):
        found = history(rows)
    assert len(found.visits) == 1
    # A later snapshot of the same stage is no repetition, and nothing to tell of.
    assert history([("a", "lead", 0), ("a", "lead", 1), ("a", "won", 2)]).visits["days"].tolist() == [2]


def test_of_rows_of_one_moment_the_last_holds():
    rows = [("a", "lead", 0), ("a", "lead", 0), ("a", "won", 1)]
    found = history(rows, columns={"amount": [1.0, 2.0, None]})
    assert found.deals.loc["a", "amount"] == 2
    with pytest.warns(DataWarning, match="1 rows"):
        found = history(rows, columns={"amount": [1.0, 1.0, None], "agent": ["x", "y", None]})
    assert found.deals.loc["a", "agent"] == "y"
    # Two amounts for one deal in a table of what stands now are no repetition.
    twice = current([("a", "lead", 0, None), ("a", "lead", 0, None), ("b", "lead", 0, None)], amount=[1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="rows='current' means one row a deal"):
        value.stage_history(twice, stages=STAGES, rows="current")


def test_nothing_at_or_after_as_of_is_seen():
    rows = [("a", "lead", 0), ("a", "qualified", 5), ("a", "won", 9), ("b", "lead", 5)]
    found = history(rows, as_of=5, columns={"amount": [1.0, 2.0, 3.0, 4.0]})
    assert found.deals.index.tolist() == ["a"]
    assert found.deals.loc["a", ["status", "stage", "amount"]].tolist() == ["open", "lead", 1.0]
    assert found.visits["days"].tolist() == [5]
    assert history(rows).as_of == START + pd.Timedelta(days=9, microseconds=1)


def test_a_row_of_a_history_that_was_recorded_later_was_not_known_then():
    rows = [("a", "lead", 0), ("a", "qualified", 2), ("a", "won", 9)]
    recorded = [START, START + pd.Timedelta(days=7), pd.NaT]
    early = history(rows, as_of=5, columns={"recorded_time": recorded})
    assert early.deals.loc["a", ["stage", "visits"]].tolist() == ["lead", 1]
    assert history(rows, as_of=8, columns={"recorded_time": recorded}).deals.loc["a", "stage"] == "qualified"
    # How a deal stands now was recorded now, whenever one asks.
    frame = current([("a", "won", 0, 3)], recorded_time=START + pd.Timedelta(days=50))
    assert value.stage_history(frame, stages=STAGES, as_of=START + pd.Timedelta(days=9)).deals["status"].tolist() == [
        "won"
    ]


def test_a_bare_date_is_local_midnight():
    # 07:30 in Shanghai on the second is 23:30 UTC on the first.
    frame = table([("a", "lead", 0), ("a", "won", 1)])
    frame["time"] = pd.to_datetime(["2024-01-01 10:00", "2024-01-02 07:30"]).tz_localize("Asia/Shanghai")
    seen = value.stage_history(frame, stages=STAGES, as_of="2024-01-02", timezone="Asia/Shanghai")
    assert seen.deals["status"].tolist() == ["open"]
    assert value.stage_history(frame, stages=STAGES, as_of="2024-01-02").deals["status"].tolist() == ["won"]
    naive = frame.assign(time=frame["time"].dt.tz_localize(None))
    same = value.stage_history(naive, stages=STAGES, as_of="2024-01-02", timezone="Asia/Shanghai")
    pd.testing.assert_frame_equal(same.deals, seen.deals)


def test_the_last_known_value_of_each_column_holds():
    rows = [("a", "lead", 0), ("a", "qualified", 1), ("a", "proposal", 2)]
    columns = {"amount": [10.0, 20.0, None], "agent": ["x", None, None], "close_time": [START, pd.NaT, pd.NaT]}
    deal = history(rows, columns=columns).deals.loc["a"]
    assert deal[["amount", "agent", "expected_close"]].tolist() == [20.0, "x", START]


def test_names_in_both_languages_and_any_spelling_are_read():
    rows = [("甲", "线索", 0), ("甲", "报价", 1), ("甲", "赢单", 2), ("乙", "线索", 0), ("乙", "丢单", 3)]
    found = value.stage_history(table(rows), stages=["线索", "报价", "赢单", "输单"])
    assert found.stages == ("线索", "报价")
    assert found.deals["status"].to_dict() == {"甲": "won", "乙": "lost"}
    rows = [("a", "LEAD ", 0), ("a", "Closed Won", 1), ("b", "ｌｅａｄ", 0), ("b", "closed_lost", 1)]
    assert value.stage_history(table(rows), stages=["Lead"]).deals["status"].tolist() == ["won", "lost"]
    rows = [("a", 1, 0), ("a", 2, 1), ("a", 9, 2)]
    assert value.stage_history(table(rows), stages=["1", "2"], won="9").deals["status"].tolist() == ["won"]
    assert value.stage_history(table([("a", 1.0, 0), ("a", 9.0, 2)]), stages=["1"], won="9").deals["status"].iloc[0]


def test_declared_words_replace_the_usual_ones():
    rows = [
        ("a", "lead", 0),
        ("a", "signed", 1),
        ("b", "lead", 0),
        ("b", "gone", 1),
        ("b", "lead", 2),
        ("b", "dead", 3),
    ]
    found = value.stage_history(table(rows), stages=["lead"], won="signed", lost=["gone", "dead"])
    assert found.deals["status"].tolist() == ["won", "lost"]
    with pytest.raises(DataError, match=r"stage is none of the declared ones.*\(rows 1, 3, 5\)"):
        value.stage_history(table(rows), stages=["lead"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": "lead"}, "stages must list the stages"),
        ({"stages": []}, "stages must name at least one stage"),
        ({"stages": ["won", "lost"]}, "stages must name at least one stage"),
        ({"stages": ["lead", "Lead"]}, "stages names one stage twice: 'Lead', 'lead'"),
        ({"stages": ["lead"], "won": "x", "lost": ["x"]}, "won and lost must be different words"),
        ({"stages": ["lead"], "rows": "snapshots"}, "rows must be one of None, 'history', 'current'"),
        ({"stages": ["lead"], "moment": "day"}, "moment must be one of 'time', 'recorded_time'"),
        ({"stages": ["lead"], "on_error": "ignore"}, "on_error must be one of"),
        ({"stages": ["lead"], "timezone": "Mars/Base"}, "timezone must be an IANA name"),
    ],
)
def test_a_wrong_declaration_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        value.stage_history(table([("a", "lead", 0)]), **options)


# Tables of how deals stand now.


def current(rows, **columns):
    """Make a table of (deal, stage, day opened, day closed or expected to close)."""
    frame = pd.DataFrame(rows, columns=["opportunity_id", "stage", "opened", "close"])
    frame["time"] = START + pd.to_timedelta(frame.pop("opened"), unit="D")
    frame["close_time"] = START + pd.to_timedelta(frame.pop("close"), unit="D")
    return frame.assign(**columns)


def test_a_table_of_what_stands_now_tells_when_deals_closed_and_not_which_stages_they_passed():
    rows = [("a", "won", 0, 9), ("b", "lost", 1, 4), ("c", "qualified", 2, 30), ("d", "lead", 3, None)]
    found = value.stage_history(current(rows), stages=STAGES, as_of=START + pd.Timedelta(days=10))
    assert found.rows == "current"
    assert found.deals["status"].tolist() == ["won", "lost", "open", "open"]
    assert found.deals["stage"].isna().tolist() == [True, True, False, False]
    assert found.deals["closed"].tolist()[:2] == [START + pd.Timedelta(days=9), START + pd.Timedelta(days=4)]
    assert found.deals["expected_close"].notna().tolist() == [False, False, True, False]
    # A deal that is in the first stage has been there since it was opened.
    assert found.visits[["opportunity_id", "stage", "days"]].to_numpy().tolist() == [["d", "lead", 7.0]]
    assert "not known" in found._repr_html_()


def test_an_expected_close_in_the_future_is_no_closing():
    rows = [("a", "lead", 0, 50), ("b", "won", 0, 50), ("c", "lost", 0, 5)]
    found = value.stage_history(current(rows), stages=STAGES, as_of=START + pd.Timedelta(days=10))
    assert found.deals["status"].tolist() == ["open", "open", "lost"]
    assert found.deals.loc["a", "expected_close"] == START + pd.Timedelta(days=50)


def test_stages_that_were_come_to_after_as_of_are_not_known_at_it():
    rows = [("a", "proposal", 0, None), ("b", "won", 0, 8), ("c", "lead", 1, None)]
    found = value.stage_history(current(rows), stages=STAGES, as_of=START + pd.Timedelta(days=5))
    assert found.deals["status"].tolist() == ["open", "open", "open"]
    assert found.deals["stage"].isna().tolist() == [True, True, False]
    later = value.stage_history(current(rows), stages=STAGES, as_of=START + pd.Timedelta(days=9))
    assert later.deals.loc["a", "stage"] == "proposal"


def test_an_outcome_beside_the_stage_tells_where_a_deal_ended():
    rows = [("a", "proposal", 0, 9), ("b", "qualified", 1, 4), ("c", "lead", 2, 3), ("d", "lead", 2, 30)]
    frame = current(rows, outcome=["Won", "输单", "lost", None])
    found = value.stage_history(frame, stages=STAGES, as_of=START + pd.Timedelta(days=10))
    assert found.deals["status"].tolist() == ["won", "lost", "lost", "open"]
    assert found.deals["stage"].tolist() == ["proposal", "qualified", "lead", "lead"]
    assert found.visits[["opportunity_id", "days", "next"]].iloc[0].tolist() == ["c", 1.0, "lost"]
    numbers = value.stage_history(frame.assign(outcome=[1, 0, 0, None]), stages=STAGES, won="1", lost="0")
    assert numbers.deals["status"].tolist() == ["won", "lost", "lost", "open"]


def test_an_outcome_in_a_history_ends_the_deal_in_the_stage_of_its_row():
    rows = [("a", "lead", 0), ("a", "qualified", 2), ("b", "lead", 1), ("b", "proposal", 3)]
    later = START + pd.Timedelta(days=6)
    columns = {"outcome": [None, "lost", "open", "won"], "close_time": [pd.NaT, later, pd.NaT, pd.NaT]}
    found = history(rows, columns=columns)
    assert found.visits[["stage", "days", "next"]].to_numpy().tolist() == [
        *[["lead", 2, "qualified"], ["qualified", 4, "lost"]],
        *[["lead", 2, "proposal"], ["proposal", 0, "won"]],
    ]


def test_snapshots_are_told_apart_by_when_they_were_recorded():
    frame = table([("a", "lead", 0), ("a", "lead", 0), ("a", "proposal", 0), ("a", "won", 0)])
    frame["recorded_time"] = START + pd.to_timedelta([1, 2, 3, 9], unit="D")
    frame["close_time"] = [START + pd.Timedelta(days=30)] * 3 + [START + pd.Timedelta(days=7)]
    with pytest.raises(DataError, match="write moment='recorded_time'"):
        value.stage_history(frame, stages=STAGES)
    found = value.stage_history(frame, stages=STAGES, moment="recorded_time")
    assert found.deals.loc["a", ["opened", "closed"]].tolist() == [START, START + pd.Timedelta(days=7)]
    # Stages begin with the first snapshot that shows them; the deal closed before the snapshot that says so.
    assert found.visits[["stage", "days"]].to_numpy().tolist() == [["lead", 2.0], ["proposal", 4.0]]
    before = value.stage_history(frame, stages=STAGES, moment="recorded_time", as_of=START + pd.Timedelta(days=8))
    assert before.deals.loc["a", ["status", "stage"]].tolist() == ["open", "proposal"]


def test_a_deal_that_closed_before_a_stage_was_recorded_was_there_for_no_time():
    frame = table([("a", "lead", 0), ("a", "proposal", 0), ("a", "won", 0)])
    frame["recorded_time"] = START + pd.to_timedelta([1, 8, 9], unit="D")
    frame["close_time"] = START + pd.Timedelta(days=5)
    found = value.stage_history(frame, stages=STAGES, moment="recorded_time")
    assert found.visits[["stage", "days"]].to_numpy().tolist() == [["lead", 7.0], ["proposal", 0.0]]
    assert (found.visits["left"] >= found.visits["entered"]).all()


def test_it_is_not_guessed_what_a_row_says_where_few_deals_have_several():
    rows = [("a", "lead", 0), ("a", "won", 1), ("b", "lead", 0), ("c", "lead", 0), ("d", "lead", 0)]
    with pytest.raises(DataError, match="1 of 4 opportunities have several rows"):
        value.stage_history(table(rows), stages=STAGES)
    assert value.stage_history(table(rows), stages=STAGES, rows="history").rows == "history"
    with pytest.raises(DataError, match="rows='current' means one row a deal, but 1 of 4"):
        value.stage_history(table(rows), stages=STAGES, rows="current")
    assert value.stage_history(table(rows[:3]), stages=STAGES).rows == "history"


def test_a_repeated_row_makes_no_history_of_a_table_of_what_stands_now():
    rows = [("a", "lead", 0, None), ("a", "lead", 0, None), ("b", "qualified", 0, None)]
    with pytest.warns(DataWarning, match="1 rows of opportunities repeat"):
        found = value.stage_history(current(rows), stages=STAGES)
    assert found.rows == "current"
    assert len(found.deals) == 2


WRONG = pd.DataFrame(
    {
        "opportunity_id": ["a", None, "b", "c", "d", "e", "f", "g", "h"],
        "time": pd.to_datetime(["2024-01-02", "2024-01-02", None, *["2024-01-02"] * 6], utc=True),
        "stage": ["lead", "lead", "lead", None, "unheard of", "won", "lost", "lead", "lead"],
        "amount": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -5.0, np.inf],
        "close_time": pd.to_datetime([None, None, None, None, None, None, "2024-01-01", None, None], utc=True),
    }
)


def test_every_row_that_cannot_be_used_is_named_in_one_error():
    with pytest.raises(DataError) as told:
        value.stage_history(WRONG, stages=STAGES)
    for part in (
        "opportunity_id is missing (row 1)",
        "time is missing (row 2)",
        "stage is missing (row 3)",
        "stage is none of the declared ones, nor a word for won or lost (row 4)",
        "the deal is closed but close_time is missing (row 5)",
        "close_time is before the deal was opened (row 6)",
        "amount is negative or infinite (rows 7, 8)",
    ):
        assert part in str(told.value)
    assert "unheard" not in str(told.value)


def test_deals_that_cannot_be_used_can_be_set_aside_whole():
    with pytest.warns(DataWarning, match=r"7 opportunities \(8 rows\) are left out: .*row 6"):
        found = value.stage_history(WRONG, stages=STAGES, on_error="set-aside")
    assert found.deals.index.tolist() == ["a"]
    rows = [("a", "lead", 0), ("a", "nonsense", 1), ("b", "lead", 0), ("b", "won", 1)]
    with pytest.warns(DataWarning, match=r"1 opportunities \(2 rows\)"):
        found = history(rows, on_error="set-aside")
    assert found.deals.index.tolist() == ["b"]


def test_stage_and_outcome_must_not_contradict_each_other():
    rows = [("a", "won", 0, 1), ("b", "lead", 0, 1)]
    with pytest.raises(DataError, match=r"stage and outcome contradict each other \(row 0\)"):
        value.stage_history(current(rows, outcome=["lost", "lost"]), stages=STAGES)
    with pytest.raises(DataError, match=r"outcome is no word for won, lost or open .*\(row 1\)"):
        value.stage_history(current(rows, outcome=["won", "perhaps"]), stages=STAGES)


def test_a_close_date_on_the_day_of_opening_is_not_before_it():
    frame = current([("a", "won", 0, 0)])
    frame["time"] = START + pd.Timedelta(hours=15)
    deal = value.stage_history(frame, stages=STAGES).deals.loc["a"]
    assert deal["closed"] == deal["opened"]
    # The same instants lie on two days in New York.
    with pytest.raises(DataError, match="before the deal was opened"):
        value.stage_history(frame, stages=STAGES, timezone="America/New_York")


def test_two_currencies_cannot_be_added_up():
    with pytest.raises(DataError, match="in 2 currencies"):
        history([("a", "lead", 0), ("b", "lead", 0)], columns={"currency": ["EUR", "CNY"]})
    assert history([("a", "lead", 0), ("b", "lead", 0)], columns={"currency": ["EUR", None]}).deals.shape[0] == 2


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"stage": ["lead"], "time": [START]}), "no column 'opportunity_id'"),
        (table([("a", "lead", 0)]).drop(columns="time"), "no column 'time'"),
        (table([("a", "lead", 0)]).assign(time="2024-01-01"), "time must hold times, got"),
        (table([("a", "lead", 0)]).assign(amount="12"), "amount must hold numbers"),
        (table([("a", "lead", 0)]).iloc[:0], "holds no row that can be used"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        value.stage_history(frame, stages=STAGES)


def test_what_records_read_gives_is_read_and_a_column_of_nothing_is_no_obstacle(tmp_path):
    company = make_company(300, seed=2)
    path = tmp_path / "deals.csv"
    company.opportunity_history.drop(columns="day").to_csv(path, index=False)
    loaded = records.read(path, records.OPPORTUNITIES, timezone="Asia/Shanghai").table
    found = value.stage_history(loaded, stages=[*STAGES, "negotiation"])
    expected = value.stage_history(company.opportunity_history, stages=[*STAGES, "negotiation"])
    assert found.deals["status"].tolist() == expected.deals["status"].tolist()
    assert np.allclose(found.visits["days"], expected.visits["days"], atol=2e-5)
    empty = company.opportunity_history.assign(close_time=None, amount=None)
    assert value.stage_history(empty, stages=[*STAGES, "negotiation"]).deals["amount"].isna().all()


@pytest.mark.parametrize("dtype", ["datetime64[ns, UTC]", "datetime64[us, UTC]", "datetime64[s, UTC]"])
def test_times_of_any_resolution_are_read(dtype):
    rows = [("a", "lead", 0), ("a", "won", 3)]
    frame = table(rows)
    found = value.stage_history(frame.assign(time=frame["time"].astype(dtype)), stages=STAGES)
    assert found.visits["days"].tolist() == [3.0]


def test_categories_and_integer_ids_are_read():
    frame = table([(1, "lead", 0), (1, "won", 3), (2, "lead", 1)])
    frame["stage"] = frame["stage"].astype("category")
    found = value.stage_history(frame.assign(amount=pd.array([1, None, 2], dtype="Int64")), stages=STAGES)
    assert found.deals["amount"].to_dict() == {1: 1.0, 2: 2.0}


def test_a_column_with_the_name_of_a_figure_is_told_of():
    frame = table([("a", "lead", 0), ("a", "won", 2)], status="vip", region="north", amount=1.0)
    with pytest.warns(DataWarning, match="figures of these names: status; rename") as told:
        found = value.stage_history(frame, stages=STAGES)
    assert told[0].filename == __file__
    assert found.deals[["status", "region"]].to_numpy().tolist() == [["won", "north"]]
    with pytest.warns(DataWarning, match="figures of these names: status; rename") as told:
        value.win_rate(frame, stages=STAGES, by="region")
    assert told[0].filename == __file__


def test_ids_may_stand_in_the_index():
    frame = table([("a", "lead", 0), ("a", "won", 3)])
    found = value.stage_history(frame.set_index("opportunity_id"), stages=STAGES)
    pd.testing.assert_frame_equal(found.deals, value.stage_history(frame, stages=STAGES).deals)


def test_tables_of_arrow_are_read():
    pytest.importorskip("pyarrow")
    frame = table([("a", "lead", 0), ("a", "won", 3), ("b", "lead", 1)], amount=[1, None, 2], agent=["x", None, "y"])
    expected = value.stage_history(frame, stages=STAGES)
    found = value.stage_history(frame.convert_dtypes(dtype_backend="pyarrow"), stages=STAGES)
    assert found.visits["days"].tolist() == expected.visits["days"].tolist()
    assert found.deals["status"].tolist() == expected.deals["status"].tolist()
    assert found.deals["amount"].tolist() == [1.0, 2.0]
    assert value.win_rate(found, by="agent").index.tolist() == ["x", "y"]


def test_warnings_point_at_the_line_that_called():
    rows = [("a", "lead", 0), ("a", "lead", 0), ("a", "won", 1), ("b", "nonsense", 0)]
    with pytest.warns(DataWarning) as told:
        value.stage_history(table(rows), stages=STAGES, rows="history", on_error="set-aside")
    assert [warning.filename for warning in told] == [__file__] * 2


def test_a_history_shows_counts_and_no_deal():
    found = history([("secret", "lead", 0), ("secret", "won", 3)], columns={"agent": ["Ann", "Ann"]})
    assert repr(found) == (
        "StageHistory(deals=1, open=0, won=1, lost=0, stages=['lead', 'qualified', 'proposal'], "
        "as_of=2024-01-04T00:00:00.000001+00:00)"
    )
    assert "secret" not in found._repr_html_()
    assert "Ann" not in found._repr_html_()


def test_a_million_deals_need_no_loop_so_a_hundred_thousand_rows_take_well_under_a_second():
    import time

    n = 25_000
    rows = pd.DataFrame(
        {
            "opportunity_id": np.repeat(np.arange(n), 4),
            "stage": np.tile(["lead", "qualified", "proposal", "won"], n),
            "time": START + pd.to_timedelta(np.tile(np.arange(4), n), unit="D"),
        }
    )
    begin = time.process_time()
    found = value.stage_history(rows, stages=STAGES)
    assert time.process_time() - begin < 2
    assert len(found.visits) == 3 * n


def test_incidents_become_the_stays_that_a_walk_through_the_file_gives(data_file):
    events = pd.read_csv(data_file("bpi13_incidents/bpi_13_incidents.csv"), dtype=str)
    frame = pd.DataFrame(
        {
            "opportunity_id": events["CaseID"],
            "stage": events["ActivityID"],
            "time": pd.to_datetime(events["CompleteTimestamp"], utc=True),
        }
    )
    # The incidents end in 5 or 9; the names of the codes are lost, so the order of the others is that of the numbers.
    stages = [str(code) for code in range(1, 14) if code not in {5, 9}]
    with pytest.warns(DataWarning, match="repeat another row"):
        found = value.stage_history(frame, stages=stages, won="5", lost="9")
    assert len(found.deals) == 7_554
    expected = []
    # A stable sort: times are cut to minutes, and rows of one minute stand in the order in which they happened.
    by_time = frame.sort_values("time", kind="stable").groupby("opportunity_id", sort=False)
    for incident in frame["opportunity_id"].unique():
        own = by_time.get_group(incident)
        state, entered = None, None
        for stage, at in zip(own["stage"], own["time"], strict=True):
            if stage == state:
                continue
            if state in stages:
                expected.append((state, entered, at, stage))
            state, entered = stage, at
        if state in stages:
            expected.append((state, entered, pd.NaT, None))
    visits = found.visits
    assert len(visits) == len(expected)
    assert visits["stage"].tolist() == [stay[0] for stay in expected]
    assert visits["entered"].tolist() == [stay[1] for stay in expected]
    left = pd.Series([stay[2] for stay in expected])
    assert (visits["left"].isna() == left.isna()).all()
    assert visits["left"].dropna().tolist() == left.dropna().tolist()
    names = {"5": "won", "9": "lost"}
    assert visits["next"].dropna().tolist() == [names.get(stay[3], stay[3]) for stay in expected if stay[3]]
