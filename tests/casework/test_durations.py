"""Times in state, steps, service levels and ways, against small logs worked out by hand and a real one."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.casework import BusinessHours, CaseStore, durations
from crmkit.core.errors import DataError
from crmkit.metrics import kaplan_meier


@pytest.fixture
def log():
    # Case a is done in 5 hours, b is open since 3, c goes back and is done in 24.
    rows = [
        ("a", "new", "2026-03-02 09:00"),
        ("b", "new", "2026-03-03 07:00"),
        ("a", "work", "2026-03-02 10:00"),
        ("a", "done", "2026-03-02 14:00"),
        ("c", "new", "2026-03-02 08:00"),
        ("c", "work", "2026-03-02 09:00"),
        ("c", "new", "2026-03-02 19:00"),
        ("b", "work", "2026-03-03 08:00"),
        ("c", "done", "2026-03-03 08:00"),
    ]
    return pd.DataFrame(rows, columns=["case_id", "activity", "time"])


def test_durations_of_cases_count_open_ones_until_the_end(log):
    cases = durations(log, ends=["done"], as_of="2026-03-03 10:00").cases.set_index("case_id")
    assert cases["duration"].to_dict() == {"a": 5.0, "b": 3.0, "c": 24.0}
    assert cases["over"].to_dict() == {"a": True, "b": False, "c": True}
    assert cases.loc["b", "end"] is pd.NaT
    assert cases["events"].to_dict() == {"a": 3, "b": 2, "c": 4}


def test_time_in_state_counts_stays_that_go_on_as_censored(log):
    states = durations(log, ends=["done"], as_of="2026-03-03 10:00").states
    assert states.loc["work", ["stays", "cases", "open", "total"]].tolist() == [3, 3, 1, 4.0 + 10.0 + 2.0]
    assert states.loc["new", ["stays", "cases", "open", "total"]].tolist() == [4, 3, 0, 1.0 + 1.0 + 1.0 + 13.0]
    assert "done" not in states.index
    assert states["share"].sum() == pytest.approx(1.0)
    curve = kaplan_meier([2.0, 4.0, 10.0], [False, True, True])
    # At 4 hours one of the two who are left goes.
    assert curve["survival"].tolist() == [1.0, 0.5, 0.0]
    assert states.loc["work", "median"] == 4.0


def test_completed_activities_took_the_time_before_them(log):
    states = durations(log, moment="completed").states
    assert states.loc["done", "total"] == 4.0 + 13.0
    assert states.loc["work", "total"] == 1.0 + 1.0 + 1.0
    assert states["open"].sum() == 0


def test_the_bottleneck_is_the_step_that_takes_most_time(log):
    steps = durations(log, ends=["done"]).bottlenecks
    assert steps.loc[0, ["from", "to", "steps", "total"]].tolist() == ["new", "done", 1, 13.0]
    assert steps["total"].sum() == 5.0 + 24.0 + 1.0
    assert steps["cumulative"].iloc[-1] == pytest.approx(1.0)
    assert steps.set_index(["from", "to"]).loc[("new", "work"), "mean"] == 1.0


def test_a_service_level_is_a_share_with_an_interval(log):
    taken = durations(log, ends=["done"], as_of="2026-03-03 10:00")
    known = taken.within(2.5)
    assert (float(known), known.n, known.method) == (0.0, 3, "wilson")
    guessed = taken.within(5.0)
    # Of the three, b leaves unseen after 3 hours; then one of two is over at 5.
    assert (float(guessed), guessed.method) == (0.5, "kaplan-meier")
    assert guessed.low < 0.5 < guessed.high
    assert float(taken.within(25)) == 1.0
    # Nobody was watched for so long as to be over after it.
    assert np.isnan(durations(log[log["case_id"] != "c"], ends=["done"], as_of="2026-03-03 17:00").within(20))
    assert float(durations(log).within(5)) == pytest.approx(2 / 3)
    for limit in (-1, np.nan, "2"):
        with pytest.raises(DataError, match="limit"):
            taken.within(limit)


def test_throughput_leaves_no_period_out(log):
    table = durations(log, ends=["done"], as_of="2026-03-05 10:00").throughput("day")
    assert table["started"].tolist() == [2, 1, 0, 0]
    assert table["ended"].tolist() == [1, 1, 0, 0]
    assert table["open"].tolist() == [1, 1, 1, 1]
    assert table["median"].iloc[:2].tolist() == [5.0, 24.0]
    shanghai = durations(log, ends=["done"], timezone="Asia/Shanghai").throughput("month")
    assert shanghai.index.astype(str).tolist() == ["2026-03"]
    with pytest.raises(DataError, match="by must be"):
        durations(log).throughput("year")


def test_working_hours_only(log):
    hours = BusinessHours({"mon-fri": "09:00-18:00"})
    cases = durations(log, ends=["done"], hours=hours).cases.set_index("case_id")
    assert cases["duration"].to_dict() == {"a": 5.0, "b": 0.0, "c": 9.0}
    days = durations(log, ends=["done"], hours=hours, unit="day").cases.set_index("case_id")
    assert days.loc["c", "duration"] == 9 / 24


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=40))
def test_variants_equal_a_count_of_sequences(events):
    frame = pd.DataFrame(events, columns=["case_id", "activity"])
    frame["time"] = pd.Timestamp("2026-03-02T00:00Z")
    expected = Counter(frame.groupby("case_id")["activity"].agg(tuple))
    table = durations(frame).variants(None)
    assert dict(zip(table["activities"], table["cases"], strict=True)) == dict(expected)
    assert table["cases"].is_monotonic_decreasing
    cases = durations(frame).cases
    ways = frame.groupby("case_id")["activity"].agg(tuple)
    assert [table["activities"][number] for number in cases["variant"]] == ways.loc[cases["case_id"]].tolist()


def test_repeated_states_are_one_stay_where_asked():
    log = {
        "case_id": ["a"] * 4,
        "activity": ["x", "x", "y", "z"],
        "time": [f"2026-03-02T0{hour}:00Z" for hour in range(4)],
    }
    assert durations(log, ends=["z"], merge_repeats=True).states.loc["x", ["stays", "total"]].tolist() == [1, 2.0]
    assert durations(log, ends=["z"]).states.loc["x", ["stays", "total"]].tolist() == [2, 2.0]
    with pytest.raises(DataError, match="needs ends"):
        durations(log, merge_repeats=True)


def test_one_event_is_a_case_without_length():
    taken = durations({"case_id": ["a"], "activity": ["x"], "time": ["2026-03-02T00:00Z"]})
    assert taken.cases["duration"].tolist() == [0.0]
    assert len(taken.states) == len(taken.bottlenecks) == 0
    assert len(taken.variants()) == len(taken.throughput()) == 1
    assert float(taken.median) == 0.0
    assert "state" in taken._repr_html_()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"log": {"case_id": [], "activity": [], "time": []}}, "no event"),
        ({"log": {"case_id": ["a"], "activity": [None], "time": ["2026-01-01"]}}, "activity is missing in row 0"),
        ({"log": {"case_id": ["a"], "activity": ["x"], "time": ["soon"]}}, "must hold times"),
        ({"log": {"case_id": ["a"], "activity": ["x"], "time": [None]}}, "time is missing|must hold"),
        ({"case": "Case"}, "no column 'Case'"),
        ({"ends": ["x"]}, "'x' is no activity"),
        ({"unit": "year"}, "unit must be"),
        ({"moment": "x"}, "moment must be"),
        ({"as_of": "2020-01-01"}, "before as_of"),
        ({"timezone": "Mars"}, "unknown"),
    ],
)
def test_what_is_no_log_is_refused(log, change, said):
    with pytest.raises(DataError, match=said):
        durations(**{"log": log, **change})


def test_a_store_is_measured_by_its_own_history(three):
    three.move(["C1", "C2"], to="classified", actor="a", at="2026-03-02T10:00Z")
    three.assign({"agent": ["x"], "capacity": [5]}, actor="a", at="2026-03-02T10:30Z")
    assert durations(three, as_of="2026-03-02T11:00Z").cases["over"].tolist() == [False] * 3
    three.move(["C1"], to="rejected", actor="a", at="2026-03-02T12:00Z")
    taken = durations(three, as_of="2026-03-02T13:00Z")
    assert taken.states.loc["classified", ["stays", "open", "total"]].tolist() == [2, 1, 5.0]
    assert taken.states.loc["received", "total"] == 1.0 + 1.0 + 4.0
    assert taken.cases.set_index("case_id")["over"].to_dict() == {"C1": True, "C2": False, "C3": False}
    assert "2 of them open" in repr(durations(three))


def test_a_store_is_measured_in_its_own_time_zone():
    with CaseStore(":memory:", timezone="Asia/Shanghai") as store:
        store.add({"case_id": ["a"]}, actor="job", at="2026-01-31 20:00")
        store.add({"case_id": ["b"]}, actor="job", at="2026-02-01 01:00")
        own = durations(store, as_of="2026-02-01 02:00")
        assert own.throughput("month")["started"].tolist() == [1, 1]
        assert own.cases["duration"].tolist() == [6.0, 1.0]
        assert durations(store, timezone="UTC").throughput("month")["started"].iloc[0] == 2


def test_survival_and_service_level_equal_a_product_worked_out_case_by_case():
    draw = np.random.default_rng(1)
    start = pd.Timestamp("2026-01-01T00:00Z") + pd.to_timedelta(draw.integers(0, 960, 300), unit="h")
    life = draw.exponential(200, 300).round() + 1
    until = pd.Timestamp("2026-02-10T00:00Z")
    log = pd.DataFrame({"case_id": np.tile(np.arange(300), 2), "activity": np.repeat(["open", "closed"], 300)})
    log["time"] = np.concatenate([start, start + pd.to_timedelta(life, unit="h")])
    seen = np.minimum(life, (until - start).total_seconds() / 3600)
    over = start + pd.to_timedelta(life, unit="h") < until
    taken = durations(log, ends=["closed"], as_of=until)
    left = 1.0
    for moment in sorted({float(each) for each in seen[over]}):
        left *= 1 - np.sum((seen == moment) & over) / np.sum(seen >= moment)
        assert float(taken.survival.loc[moment, "survival"]) == pytest.approx(left)
        assert float(taken.within(moment)) == pytest.approx(1 - left)


def test_the_real_incidents_are_measured_in_under_five_seconds(data_file):
    path = data_file("bpi13_incidents/bpi_13_incidents.csv")
    begun = time.process_time()
    taken = durations(path, case="CaseID", activity="ActivityID", time="CompleteTimestamp", unit="day")
    tables = (taken.cases, taken.states, taken.bottlenecks, taken.survival, taken.variants(None), taken.throughput())
    assert time.process_time() - begun < 5
    cases, states, steps, _, variants, throughput = tables
    # 65,533 events of 7,554 incidents and 13 activities (Steeman 2013).
    assert (cases["events"].sum(), len(cases), len(states)) == (65_533, 7_554, 12)
    assert steps["steps"].sum() == 65_533 - 7_554
    assert variants["cases"].sum() == 7_554
    assert (throughput["started"].sum(), throughput["ended"].sum()) == (7_554, 7_554)
    # Against pandas, row by row.
    frame = pd.read_csv(path, parse_dates=["CompleteTimestamp"])
    span = frame.groupby("CaseID", sort=False)["CompleteTimestamp"].agg(lambda times: times.max() - times.min())
    assert cases["duration"].to_numpy() == pytest.approx(span.dt.total_seconds().to_numpy() / 86_400)
    ways = Counter(frame.groupby("CaseID")["ActivityID"].agg(tuple))
    assert variants["cases"].iloc[0] == max(ways.values()) == 1_749
    assert len(variants) == len(ways)
