"""A plan is loaded, given to agents, done in time or late, and comes out as a table for an evaluation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.casework import BusinessHours, CaseStore
from crmkit.core.errors import DataError
from crmkit.metrics import share
from crmkit.remediation import Holdout, Problem, Remedy, Resource, plan

T = [f"2026-03-02T{hour:02d}:00+00:00" for hour in range(24)]


@pytest.fixture(scope="module")
def made():
    cases = pd.DataFrame(
        {
            "case_id": [f"案{number}" for number in range(40)],
            "customer_id": [f"c{number % 17}" for number in range(40)],
            "amount": np.arange(40.0),
            "time": pd.Timestamp("2026-03-01T08:00Z"),
            "phone": "154-0000-1234",
        }
    )
    problem = Problem(
        cases,
        remedies=[
            Remedy("refund", value="amount", uses={"budget": "amount"}),
            Remedy("call", value=5, uses={"hours": 0.5}),
        ],
        limits=[Resource("budget", 200), Resource("hours", 5)],
        holdout=Holdout(0.2),
    )
    return plan(problem)


def test_a_plan_is_loaded_in_one_call_with_its_held_out_cases(store, made):
    receipt = store.load_plan(made, actor="planner", at=T[9])
    assert (receipt.n_done, receipt.n_refused) == (40, 0)
    cases = store.cases().set_index("case_id").loc[made.table["case_id"]]
    expected = made.table.set_index("case_id")
    for column in ("remedy", "arm", "intended"):
        assert cases[column].tolist() == expected[column].tolist()
    assert cases["value"].tolist() == expected["value"].tolist()
    assert (cases["arm"] == "holdout").sum() == 8
    refunded = cases["remedy"] == "refund"
    assert cases.loc[refunded, "uses"].map(lambda uses: uses["budget"]).sum() == pytest.approx(
        expected["uses_budget"].sum()
    )
    assert cases["amount"].tolist() == list(range(40))
    assert (cases["state"] == "planned").all()
    assert store.verify_history()


def test_the_same_plan_is_loaded_once(store, made):
    first = store.load_plan(made, actor="planner")
    again = store.load_plan(made, actor="planner")
    assert again.repeated
    pd.testing.assert_frame_equal(first.table, again.table)
    assert store.head[0] == 40


def test_cases_that_are_there_are_planned_where_they_may_be(store, made):
    ids = made.table["case_id"].tolist()
    store.add({"case_id": ids[:3], "label": ["delay"] * 3}, actor="job", at=T[8])
    store.move(ids[:2], to="classified", actor="a", at=T[8])
    store.move(ids[:1], to="analysed", actor="a", at=T[8])
    receipt = store.load_plan(made, actor="planner", at=T[9])
    assert receipt.table["done"].tolist() == [True, False, False] + [True] * 37
    first = store.cases(ids[0]).iloc[0]
    assert (first["label"], first["state"], first["version"]) == ("delay", "planned", 4)
    # A new plan for a case that is planned already replaces its remedy.
    other = pd.DataFrame({"case_id": [ids[0]], "remedy": ["voucher"], "value": [3.0]})
    assert store.load_plan(other, actor="planner", at=T[10]).n_done == 1
    assert store.cases(ids[0])["remedy"].item() == "voucher"
    assert store.history(ids[0])["detail"].iloc[-1].startswith('{"remedy": "voucher"')


def test_a_divided_plan_is_refused(store):
    table = pd.DataFrame({"case_id": ["a", "a"], "remedy": ["call", "refund"], "share": [0.5, 0.5]})
    with pytest.raises(DataError, match="whole plan"):
        store.load_plan(table, actor="planner")
    with pytest.raises(DataError, match="remedy is missing in row 0"):
        store.load_plan(pd.DataFrame({"case_id": ["a"], "remedy": [None]}), actor="planner")


def test_results_tell_what_was_done_when_and_what_came_of_it(store, made):
    store.load_plan(made, actor="planner", at=T[9])
    ids = store.cases(where="remedy != 'nothing'")["case_id"].tolist()
    idle = store.cases(where="remedy == 'nothing'")["case_id"].tolist()
    store.set_deadlines(ids, T[12], actor="job", at=T[9])
    store.move(ids, to="approved", actor="boss", at=T[10])
    store.move(ids, to="in progress", actor="job", at=T[10])
    store.move(ids[:2], to="done", actor="agent", at=T[12])
    store.move(ids[2:3], to="done", actor="agent", at=T[13])
    store.move(idle, to="followed up", actor="job", at=T[13])
    outcomes = pd.DataFrame({"case_id": [*ids[:2], idle[0]], "stayed": [True, False, True], "mark": [5, None, 2]})
    assert store.record(outcomes, actor="survey", at=T[20]).n_done == 3
    store.record({"case_id": ids[:1], "mark": [4]}, actor="survey", at=T[21])
    results = store.results().set_index("case_id")
    assert results["carried_out"].sum() == 3
    assert results.loc[ids[:4], "in_time"].tolist() == [True, True, False, pd.NA]
    assert results.loc[ids[0], "done_time"] == pd.Timestamp(T[12])
    assert results.loc[idle[0], "settled_time"] == pd.Timestamp(T[13])
    assert results.loc[ids[0], "mark"] == 4
    assert results["stayed"].notna().sum() == 3
    assert results["planned_time"].notna().all()
    assert results["uses_budget"].sum() == pytest.approx(made.table["uses_budget"].sum())
    assert set(results["arm"]) == {"plan", "holdout"}
    assert '"mark": 5' in store.history(ids[0])["detail"].iloc[-2]
    assert "phone" not in results.columns
    assert store.verify_history()
    # A reopened case is not settled any more, and settled anew when it is done again.
    store.move(ids[:1], to="reopened", actor="boss", at=T[22])
    assert store.cases(ids[0])["settled_time"].isna().item()


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"case_id": ["a"], "mark": ["good"]}, "'mark' must hold numbers"),
        ({"case_id": ["a"], "mark": [np.inf]}, "infinite in row 0"),
        ({"case_id": ["a"], "remedy": [1]}, "rename"),
        ({"mark": [1]}, "case_id"),
    ],
)
def test_outcomes_are_numbers_under_names_of_their_own(store, outcomes, said):
    with pytest.raises(DataError, match=said):
        store.record(outcomes, actor="survey")


def test_a_store_without_cases_has_empty_tables(store):
    assert len(store.results()) == len(store.cases()) == len(store.overdue()) == len(store.history()) == 0
    assert store.verify_history()
    assert store.assign({"agent": ["x"], "capacity": [3]}, actor="a").n_done == 0


def test_overdue_is_what_is_not_done_and_past_its_deadline(three):
    hours = BusinessHours()
    due = hours.deadline(pd.Series([pd.Timestamp(T[9])] * 3), [1, 2, 3])
    three.set_deadlines(["C1", "C2", "C3"], due, actor="job", at=T[9], expect=1)
    assert three.overdue(T[10])["case_id"].tolist() == []
    late = three.overdue(T[12])
    assert late["case_id"].tolist() == ["C1", "C2"]
    assert late["late_hours"].tolist() == [2.0, 1.0]
    three.move(["C1"], to="rejected", actor="a", at=T[12])
    three.set_deadlines(["C2"], [None], actor="job", at=T[12])
    assert three.overdue("2030-01-01T00:00Z")["case_id"].tolist() == ["C3"]
    assert three.overdue()["case_id"].tolist() == (["C3"] if pd.Timestamp.now(tz="UTC") > due[2] else [])
    with pytest.raises(DataError, match="got 1 for 2"):
        three.set_deadlines(["C1", "C2"], [T[9]], actor="job")


def test_the_deadline_is_found_by_an_index(tmp_path):
    with CaseStore(tmp_path / "cases.sqlite") as store, store._database.reading() as connection:
        query = "EXPLAIN QUERY PLAN SELECT * FROM crmkit_cases WHERE settled = 0 AND deadline < 5 ORDER BY deadline"
        assert "crmkit_cases_due" in str(connection.exec_driver_sql(query).all())


def test_agents_get_what_they_have_room_for_and_the_most_urgent_first(store):
    cases = pd.DataFrame(
        {
            "case_id": list("abcdefgh"),
            "queue": ["billing", "billing", "billing", None, None, "billing", "billing", "other"],
            "urgency": [0, 1, 0, 0, 0, 0, 0, 0.0],
            "deadline": pd.to_datetime([None, None, T[10], None, None, T[9], None, None], utc=True),
            "time": pd.to_datetime(T[:8]),
        }
    )
    store.add(cases, actor="job")
    agents = {"agent": ["bill", "any", "full"], "capacity": [2, 3, 0], "queue": ["billing", None, None]}
    receipt = store.assign(agents, actor="chief")
    held = store.cases().set_index("case_id")["agent"]
    assert held[held == "bill"].index.tolist() == ["c", "f"]
    assert held[held == "any"].index.tolist() == ["a", "b", "d"]
    assert receipt.refused["case_id"].tolist() == ["e", "g", "h"]
    assert receipt.reasons().to_dict() == {"no agent of its queue has room": 3}
    # Nobody has room now; a case that is settled makes some.
    assert store.assign(agents, actor="chief").n_done == 0
    store.move(["c"], to="rejected", actor="bill")
    assert store.assign(agents, actor="chief").table.query("done")["case_id"].tolist() == ["g"]
    assert store.release(["g"], actor="chief").n_done == 1
    assert store.cases(agent="bill")["case_id"].tolist() == ["c", "f"]
    assert store.assign(agents, actor="chief", states=["planned"]).n_done == 0
    assert store.verify_history()


def test_agents_are_filled_evenly_by_their_capacity(store):
    store.add({"case_id": [f"{number:03d}" for number in range(60)]}, actor="job")
    store.assign({"agent": ["x", "y", "z"], "capacity": [20, 40, 60]}, actor="chief", key="morning")
    assert store.cases()["agent"].value_counts().to_dict() == {"z": 30, "y": 20, "x": 10}
    assert store.assign({"agent": ["x", "y", "z"], "capacity": [20, 40, 60]}, actor="chief", key="morning").repeated


@pytest.mark.parametrize(
    "agents",
    [
        {"agent": ["x", "x"], "capacity": [1, 1]},
        {"agent": ["x"], "capacity": [-1]},
        {"agent": ["x"], "capacity": [1.5]},
        {"agent": ["x"], "capacity": ["many"]},
        {"agent": ["x"]},
    ],
)
def test_a_table_of_agents_that_is_none_is_refused(store, agents):
    with pytest.raises(DataError, match="agents"):
        store.assign(agents, actor="chief")


def test_a_plan_loaded_again_is_given_to_the_cases_that_were_refused_and_to_no_others(store):
    plan = pd.DataFrame({"case_id": ["a", "b", "c"], "remedy": ["call", "call", "nothing"]})
    store.add({"case_id": ["a", "b"]}, actor="job", at=T[8])
    assert store.load_plan(plan, actor="planner", at=T[9]).table["done"].tolist() == [False, False, True]
    store.move(["a"], to="classified", actor="a", at=T[9])
    store.move(["a"], to="analysed", actor="a", at=T[9])
    second = store.load_plan(plan, actor="planner", at=T[10])
    assert not second.repeated
    assert second.table["done"].tolist() == [True, False, False]
    assert second.refused["reason"].tolist()[1] == "planned by this plan already"
    # What was approved meanwhile is not drawn back by the same plan.
    store.move(["a"], to="approved", actor="boss", at=T[11])
    assert store.load_plan(plan, actor="planner", at=T[12]).n_done == 0
    assert store.cases("a")["state"].item() == "approved"
    # With a key, a call is one call, whatever it refused.
    other = plan.assign(remedy="voucher")
    assert not store.load_plan(other, actor="planner", at=T[13], key="k").repeated
    assert store.load_plan(other, actor="planner", at=T[14], key="k").repeated
    assert store.verify_history()


def test_nobody_gets_a_held_out_case_as_the_plan_left_it(store):
    plan = pd.DataFrame(
        {"case_id": list("abc"), "remedy": ["call", "nothing", "nothing"], "arm": ["plan", "holdout", "plan"]}
    )
    store.load_plan(plan, actor="planner", at=T[9])
    agents = {"agent": ["x"], "capacity": [9]}
    assert store.assign(agents, actor="chief", at=T[9]).table["case_id"].tolist() == ["a"]
    # Where something comes of it, or where it is asked for, somebody looks at it.
    store.move(["b"], to="escalated", actor="job", at=T[10])
    assert store.assign(agents, actor="chief", at=T[10]).table["case_id"].tolist() == ["b"]
    assert store.assign(agents, actor="chief", at=T[10], states=["planned"]).table["case_id"].tolist() == ["c"]


def test_a_service_level_counts_the_deadlines_that_have_passed(store):
    ids = [f"C{number}" for number in range(8)]
    queue = ["a", "a", "a", "a", "a", "b", "b", None]
    store.add({"case_id": ids, "queue": queue}, actor="job", at=T[8])
    store.set_deadlines(ids[:7], [T[10]] * 4 + [T[20]] + [T[10], T[10]], actor="job", at=T[8])
    for state in ("classified", "analysed", "planned", "approved", "in progress"):
        store.move(ids, to=state, actor="job", at=T[8])
    # In time, in time to the moment, late, open; quick though its deadline is to come; reopened; in time.
    for case_id, hour in zip(ids, [9, 10, 11, None, 9, 9, 9], strict=False):
        if hour is not None:
            store.move(case_id, to="done", actor="x", at=T[hour])
    store.move("C5", to="reopened", actor="x", at=T[11])
    whole = store.service_level(T[12])
    assert whole.loc["all", ["due", "kept", "missed", "missed_open"]].tolist() == [6, 3, 3, 2]
    expected = share(3, 6)
    assert whole.loc["all", ["share", "low", "high"]].tolist() == [expected.value, expected.low, expected.high]
    by = store.service_level(T[12], by="queue")
    assert by[["due", "kept"]].to_numpy().tolist() == [[4, 2], [2, 1]]
    assert store.service_level(T[20]).loc["all", "due"] == 7
    early = store.service_level(T[9]).loc["all"]
    assert early["due"] == 0
    assert np.isnan(early["share"])
    assert len(store.service_level(T[9], by=["queue", "state"])) == 0
    with pytest.raises(DataError, match="no column 'team'"):
        store.service_level(by="team")


def test_outcomes_may_have_any_name_and_numbers_of_any_kind(store):
    store.add({"case_id": ["a", "b"]}, actor="job", at=T[8])
    marks = pd.DataFrame({"case_id": ["a", "b"], 7: [1.5, None], "mark": pd.Series([5, 2.5], dtype=object)})
    assert store.record(marks, actor="survey", at=T[9]).n_done == 2
    assert store.results()["7"].tolist()[0] == 1.5
    assert store.results()["mark"].tolist() == [5, 2.5]


def test_what_a_classifier_finds_out_is_written_and_stands_in_the_history(three):
    found = pd.DataFrame(
        {
            "case_id": ["C1", "C2", "C9"],
            "label": ["延误", None, "x"],
            "urgency": [2, 3.5, 1],
            "queue": ["a", "b", "c"],
            "phone": "1",
        }
    )
    three.update({"case_id": ["C2"], "label": ["delay"]}, actor="classifier", at=T[9])
    receipt = three.update(found, actor="classifier", at=T[10], expect=[1, 2, 1], key="k")
    assert receipt.table["done"].tolist() == [True, True, False]
    assert three.update(found, actor="classifier", expect=[1, 2, 1], key="k").repeated
    cases = three.cases().set_index("case_id")
    # A missing cell leaves what is there.
    assert cases.loc[["C1", "C2"], "label"].tolist() == ["延误", "delay"]
    assert cases["urgency"].tolist()[:2] == [2.0, 3.5]
    assert cases.loc["C2", ["amount", "state", "version"]].tolist() == [20.0, "received", 3]
    assert three.history("C2")[["action", "detail"]].iloc[-1].tolist() == ["update", '{"queue": "b", "urgency": 3.5}']
    assert three.update(found.iloc[:1], actor="x", expect=1).refused["reason"].tolist()[0].startswith("changed since")
    with pytest.raises(DataError, match="none of its columns"):
        three.update({"case_id": ["C1"], "remedy": ["call"]}, actor="x")
    assert three.update(found.iloc[:0], actor="x").n_done == 0
    assert three.verify_history()


def test_a_case_is_given_to_an_agent_by_name(three):
    three.assign({"agent": ["x"], "capacity": [1]}, actor="chief", at=T[9])
    receipt = three.reassign(["C1", "C2"], agent="安", actor="chief", at=T[10], expect={"C1": 2, "C2": 2})
    assert receipt.table["done"].tolist() == [True, False]
    assert three.cases(agent="安")["case_id"].tolist() == ["C1"]
    assert len(three.cases(agent="x")) == 0
    with pytest.raises(DataError, match="agent"):
        three.reassign(["C1"], agent="", actor="chief")
