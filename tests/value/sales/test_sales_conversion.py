"""Conversion of stages and win rates are those of a walk through the deals, with and without those still open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crmkit import metrics, value
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company

STAGES = ["lead", "qualified", "proposal"]
START = pd.Timestamp("2024-01-01", tz="UTC")
AS_OF = 20


def table(rows, **columns):
    frame = pd.DataFrame(rows, columns=["opportunity_id", "stage", "at"])
    frame["time"] = START + pd.to_timedelta(frame.pop("at"), unit="D")
    return frame.assign(**columns)


def history(rows, **columns):
    moment = START + pd.Timedelta(days=AS_OF)
    return value.stage_history(table(rows, **columns), stages=STAGES, rows="history", as_of=moment)


def deals_of(rows):
    """Give each deal's states in order of time, once each, without closings that were undone."""
    deals = {}
    for deal in dict.fromkeys(row[0] for row in rows):
        own = sorted((row for row in rows if row[0] == deal), key=lambda row: row[2])
        own = [row for place, row in enumerate(own) if not place or row[1] != own[place - 1][1]]
        deals[deal] = [(stage, at) for _, stage, at in own[:-1] if stage in STAGES] + [own[-1][1:]]
    return deals


def passage(states, stage):
    """Say when one deal came to a stage, and what became of it."""
    rank = {**{name: number for number, name in enumerate(STAGES)}, "won": 9}
    inside = [place for place, (name, _) in enumerate(states) if name == stage]
    if not inside:
        return None
    start = states[inside[0]][1]
    for name, at in states[inside[0] + 1 :]:
        if rank.get(name, -1) > rank[stage]:
            return at - start, "moved_on"
    last, at = states[-1]
    return (at - start, "lost") if last == "lost" else (AS_OF - start, "open")


# Several rows of one deal at one moment are told apart by their order; distinct moments keep the walk simple.
ROWS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([*STAGES, *STAGES, "won", "lost"]), st.integers(0, 19)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: (row[0], row[2]),
)


@settings(max_examples=200)
@given(ROWS)
def test_counts_are_those_of_a_walk_through_the_deals(rows):
    begins = {}
    for row in sorted(rows, key=lambda row: row[2]):
        begins.setdefault(row[0], row[1])
    # A deal that begins with its end has no opening.
    rows = [row for row in rows if begins[row[0]] in STAGES]
    assume(rows)
    found = value.stage_conversion(history(rows))
    deals = deals_of(rows)
    assert found.index.tolist() == STAGES
    for number, stage in enumerate(STAGES):
        passed = {deal: passage(states, stage) for deal, states in deals.items()}
        results = [each[1] for each in passed.values() if each]
        row = found.loc[stage]
        assert row["entered"] == len(results)
        for name in ("moved_on", "lost", "open"):
            assert row[name] == results.count(name)
        skipped = 0
        for deal, states in deals.items():
            names = [name for name, _ in states]
            opens = [STAGES.index(name) for name in names if name in STAGES]
            beyond = max(opens) > number or names[-1] == "won"
            skipped += passed[deal] is None and opens[0] <= number and beyond
        assert row["skipped"] == skipped
        decided = row["moved_on"] + row["lost"]
        assert row["n"] == decided
        timed = [each for each in passed.values() if each]
        if decided:
            plain = metrics.share(row["moved_on"], int(decided))
            assert row[["conversion", "conversion_low", "conversion_high"]].tolist() == pytest.approx(
                [plain, plain.low, plain.high]
            )
            causes = [None if each[1] == "open" else each[1] for each in timed]
            ever = metrics.eventual_share(metrics.cumulative_incidence([each[0] for each in timed], causes), "moved_on")
            assert row[["ever", "ever_low", "ever_high"]].tolist() == pytest.approx([ever, ever.low, ever.high])
        else:
            assert row[["conversion", "ever"]].isna().all()


def test_the_open_deals_correct_a_share_that_counting_gets_wrong():
    """Deals move on within days and are lost after weeks: the recent ones show only their successes."""
    rng = np.random.default_rng(5)
    n = 4_000
    opened, moves = rng.random(n) * 200, rng.random(n) < 0.5
    ends = opened + np.where(moves, rng.exponential(5, n), rng.exponential(40, n))
    rows = [(str(deal), "lead", opened[deal]) for deal in range(n)]
    rows += [(str(deal), "qualified" if moves[deal] else "lost", ends[deal]) for deal in range(n) if ends[deal] < 200]
    found = value.stage_conversion(table(rows), stages=["lead", "qualified"], as_of=START + pd.Timedelta(days=200)).loc[
        "lead"
    ]
    assert found["conversion_low"] > 0.52
    assert found["ever_low"] < 0.5 < found["ever_high"] + 0.01
    assert found["undecided"] < 0.02


def test_groups_are_told_apart_and_a_missing_one_is_a_group():
    rows = [
        ("a", "lead", 0),
        ("a", "qualified", 1),
        ("b", "lead", 0),
        ("b", "lost", 2),
        ("c", "lead", 3),
        ("c", "won", 4),
    ]
    columns = {"agent": ["x", "x", "y", "y", None, None], "region": ["n", "n", "n", "n", "s", "s"]}
    found = value.stage_conversion(history(rows, **columns), by="agent")
    assert found.index.names == ["agent", "stage"]
    assert found.loc[("x", "lead"), "conversion"] == 1
    assert found.loc[("y", "lead"), "conversion"] == 0
    assert found["entered"].to_numpy().reshape(3, 3).tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert found.index.get_level_values("agent").isna().sum() == 3
    both = value.stage_conversion(history(rows, **columns), by=["region", "agent"])
    assert both.index.names == ["region", "agent", "stage"]
    assert both["entered"].sum() == found["entered"].sum() == value.stage_conversion(history(rows))["entered"].sum()
    pd.testing.assert_frame_equal(
        value.stage_conversion(history(rows, **columns), by=["agent"]).reset_index(drop=True),
        found.reset_index(drop=True),
    )
    with pytest.raises(DataError, match="no column 'agnt' \\(nearest: 'agent'\\)"):
        value.stage_conversion(history(rows, **columns), by="agnt")
    with pytest.raises(DataError, match="by must name at least one column"):
        value.stage_conversion(history(rows, **columns), by=[])


def current(outcome):
    return pd.DataFrame(
        {
            "opportunity_id": ["a", "b", "c", "d", "e"],
            "stage": ["proposal", "qualified", "lead", "qualified", "lead"],
            "time": START,
            "close_time": [START + pd.Timedelta(days=day) for day in (3, 4, 5, 40, 40)],
            "outcome": outcome,
            "amount": [10.0, 20.0, 30.0, 40.0, 50.0],
        }
    )


def test_where_only_the_stage_reached_is_known_deals_count_in_every_stage_before_it():
    frame = current(["won", "lost", "lost", None, None])
    found = value.stage_conversion(frame, stages=STAGES, as_of=START + pd.Timedelta(days=9))
    assert found["entered"].tolist() == [5, 3, 1]
    assert found["moved_on"].tolist() == [3, 1, 1]
    assert found["lost"].tolist() == [1, 1, 0]
    assert found["open"].tolist() == [1, 1, 0]
    # Only those in the first stage have a time: one lost, one open.
    assert found.loc["lead", "ever"] == 0
    assert found["ever"].isna().tolist() == [False, True, True]


def test_deals_that_show_only_their_end_are_in_no_stage():
    frame = current(None).assign(stage=["won", "lost", "lost", "qualified", "lead"])
    with pytest.warns(DataWarning, match="3 of 3 closed opportunities show only how they ended"):
        found = value.stage_conversion(frame, stages=STAGES, as_of=START + pd.Timedelta(days=9))
    # Counting the open deals that passed a stage, without the lost ones, would make every conversion 1.
    assert found["entered"].tolist() == [1, 0, 0]
    assert found["conversion"].isna().all()
    with pytest.raises(DataError, match="stage_conversion needs their history"):
        value.stage_conversion(frame.iloc[:4], stages=STAGES)


def test_win_rates_by_count_and_amount():
    rows = [("a", "won", 10), ("b", "lost", 4), ("c", "lost", 5), ("d", "lead", 6), ("e", "won", 9), ("f", "lost", 8)]
    frame = pd.DataFrame(rows, columns=["opportunity_id", "stage", "close"])
    frame["time"] = START
    frame["close_time"] = START + pd.to_timedelta(frame.pop("close"), unit="D")
    frame["amount"] = [100.0, 50.0, 50.0, 70.0, 300.0, None]
    with pytest.warns(DataWarning, match="1 of 5 closed opportunities have no amount"):
        row = value.win_rate(frame, stages=STAGES, as_of=START + pd.Timedelta(days=AS_OF)).loc["all"]
    assert row[["deals", "won", "lost", "open", "n"]].tolist() == [6, 2, 3, 1, 5]
    assert row["win_rate"] == 0.4
    assert row[["amount_won", "amount_decided", "amount_rate"]].tolist() == [400, 500, 0.8]
    # Linearised: n / (n - 1) times the sum of squared money-weighted deviations, over the money.
    money, won = np.array([100.0, 50, 50, 300]), np.array([1, 0, 0, 1])
    half = 1.959964 * np.sqrt(4 / 3 * np.sum((money * (won - 0.8)) ** 2)) / 500
    assert row["amount_rate_low"] == pytest.approx(max(0.8 - half, 0), rel=1e-5)
    assert row["amount_rate_high"] == pytest.approx(min(0.8 + half, 1), rel=1e-5)


def test_one_decided_deal_has_no_interval_by_amount_and_none_has_no_rate():
    frame = current(["won", None, None, None, None])
    one = value.win_rate(frame, stages=STAGES, as_of=START + pd.Timedelta(days=9)).loc["all"]
    assert one["amount_rate"] == 1
    assert np.isnan(one["amount_rate_low"])
    none = value.win_rate(current(None), stages=STAGES, as_of=START + pd.Timedelta(days=9)).loc["all"]
    assert none[["win_rate", "ever", "amount_rate"]].isna().all()
    assert none["undecided"] == 1


def test_the_win_rate_needs_no_history_and_is_the_same_with_one():
    company = make_company(2_000, seed=3)
    stages = [*STAGES, "negotiation"]
    options = {"stages": stages, "timezone": "Asia/Shanghai", "as_of": company.truth.parameters["cutoff"]}
    plain = value.win_rate(company.opportunities, **options)
    pd.testing.assert_frame_equal(plain, value.win_rate(company.opportunity_history, **options))
    truth = company.truth.opportunities["win_probability"].mean()
    assert plain.loc["all", "ever_low"] < truth < plain.loc["all", "ever_high"]
    # Losses come sooner than wins, so that counting the decided is too low here.
    assert plain.loc["all", "win_rate"] < plain.loc["all", "ever"]


def test_a_history_is_not_read_a_second_time():
    made = history([("a", "lead", 0), ("a", "won", 1)])
    with pytest.raises(DataError, match="as_of cannot be changed in a StageHistory"):
        value.win_rate(made, as_of=START)
    with pytest.raises(DataError, match="stages= must list the stages"):
        value.win_rate(table([("a", "lead", 0)]))
    with pytest.raises(DataError, match="level must lie between 0 and 1"):
        value.stage_conversion(made, level=2)


def test_warnings_of_reading_point_at_the_caller():
    rows = [("a", "lead", 0), ("a", "lead", 0), ("a", "won", 1)]
    with pytest.warns(DataWarning, match="repeat") as told:
        value.stage_conversion(table(rows), stages=STAGES)
    assert told[0].filename == __file__
