"""Cases move in bulk, once for a key, and only where they may."""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from crmkit.casework import CaseStore, Transitions
from crmkit.core.errors import DataError, MissingExtraError, PersistenceError

T1, T2, T3 = (f"2026-03-02T{hour}:00+00:00" for hour in (10, 11, 12))


def test_all_that_may_move_do_and_the_others_are_refused_with_the_reason(three):
    three.move("C2", to="rejected", actor="ann", at=T1)
    receipt = three.move(["C3", "C2", "C9", "C1", "C3"], to="classified", actor="ann", at=T2)
    assert receipt.table[["case_id", "done", "from", "to", "version"]].to_numpy().tolist() == [
        ["C3", True, "received", "classified", 2],
        ["C2", False, "rejected", "rejected", 2],
        ["C9", False, "", "", 0],
        ["C1", True, "received", "classified", 2],
        ["C3", False, "received", "received", 1],
    ]
    assert receipt.table["reason"].tolist() == [
        "",
        "there is no move from 'rejected' to 'classified'",
        "not known",
        "",
        "given twice in this call",
    ]
    assert three.cases().set_index("case_id")["state"].to_dict() == {
        "C1": "classified",
        "C2": "rejected",
        "C3": "classified",
    }
    assert (receipt.n_done, receipt.n_refused, len(receipt.refused)) == (2, 3, 3)
    assert "2 done, 3 refused" in repr(receipt)
    assert "given twice" in receipt._repr_html_()


def test_the_history_tells_who_moved_what_when_and_why(three):
    three.move(["C1"], to="classified", actor="张", at=T1, note="按流程处理", key="k1")
    row = three.history("C1").iloc[-1]
    assert row[["entry", "action", "actor", "case_id", "from", "to", "version", "note", "call"]].tolist() == [
        4, "move", "张", "C1", "received", "classified", 2, "按流程处理", "k1",
    ]  # fmt: skip
    assert row["time"] == pd.Timestamp(T1)
    assert len(three.history()) == 4
    assert len(three.history(["C2", "C3"])) == 2
    assert three.head == (4, row["hash"])


def test_personal_data_in_a_note_is_masked_before_it_is_kept(three):
    three.move(["C1"], to="classified", actor="ann", note="请打154-0000-1234")
    assert three.history("C1")["note"].iloc[-1] == "请打[mobile]"


def test_a_key_used_again_does_nothing_and_says_so(three):
    first = three.move(["C1", "C9", "C2"], to="classified", actor="ann", key="once")
    before = three.head
    again = three.move(["C1", "C9", "C2"], to="classified", actor="ann", key="once")
    assert again.repeated
    assert not first.repeated
    assert three.head == before
    pd.testing.assert_frame_equal(first.table, again.table)
    assert "nothing was done now" in repr(again)
    with pytest.raises(DataError, match="another request"):
        three.move(["C1"], to="analysed", actor="ann", key="once")


def test_a_case_changed_since_is_refused(three):
    three.move(["C1"], to="classified", actor="ann")
    for expect in (1, [1, 1], np.array([1, 1]), {"C1": 1, "C2": 1}, pd.Series([1, 1])):
        receipt = three.move(["C1", "C2"], to="escalated", actor="bob", expect=expect, key=None)
        assert receipt.table["reason"].iloc[0].startswith("changed since")
        three.move(["C2"], to="classified", actor="bob")
        if receipt.table["done"].iloc[1]:
            three.set_transitions(three.transitions, actor="nobody")
    assert three.cases("C1")["version"].item() == 2


@pytest.mark.parametrize(
    ("expect", "said"), [([1], "1 versions for 2"), ({"C1": 1}, "lacks"), (True, "got bool"), ([1, 1.5], "whole")]
)
def test_expected_versions_are_one_a_case(three, expect, said):
    with pytest.raises(DataError, match=said):
        three.move(["C1", "C2"], to="classified", actor="a", expect=expect)


def test_no_case_at_all_is_no_error(three):
    receipt = three.move([], to="classified", actor="ann", key="nothing")
    assert (receipt.n_done, receipt.n_refused) == (0, 0)
    assert three.move([], to="classified", actor="ann", key="nothing").repeated
    assert three.head[0] == 3


@pytest.mark.parametrize(
    ("ids", "error", "said"),
    [
        (["C1", None], DataError, "missing in row 1"),
        ([""], DataError, "row 0"),
        (["a\0b"], DataError, "no database keeps"),
        (["\ud800"], DataError, "no database keeps"),
        ([1.5], TypeError, "row 0"),
        ([True], TypeError, "row 0"),
        (pd.DataFrame({"case_id": ["C1"]}), TypeError, "case_id"),
    ],
)
def test_what_is_no_id_is_named_by_position(three, ids, error, said):
    with pytest.raises(error, match=said):
        three.move(ids, to="classified", actor="ann")


def test_whole_numbers_and_chinese_are_ids(store):
    store.add(pd.DataFrame({"case_id": [1.0, 2.0]}), actor="job")
    store.add({"case_id": ["订单一", 'it\'s; "x" %s :y ?']}, actor="任务")
    assert store.move([1, 2], to="classified", actor="a").n_done == 2
    assert store.move(["订单一", 'it\'s; "x" %s :y ?'], to="classified", actor="a").n_done == 2


@pytest.mark.parametrize(
    "change", [{"to": "clasified"}, {"actor": ""}, {"actor": 3}, {"key": ""}, {"at": "x"}, {"at": 3}]
)
def test_a_wrong_argument_changes_nothing(three, change):
    with pytest.raises(DataError):
        three.move(["C1"], **{"to": "classified", "actor": "ann", **change})
    assert three.head[0] == 3


def test_a_time_without_offset_needs_the_zone_of_the_store(store_url):
    with CaseStore(store_url) as store:
        store.add({"case_id": ["C1"]}, actor="job", at="2026-03-02T00:30Z")
        with pytest.raises(DataError, match="timezone="):
            store.move(["C1"], to="classified", actor="ann", at="2026-03-02 09:00")
    with CaseStore(store_url, timezone="Asia/Shanghai") as store:
        store.move(["C1"], to="classified", actor="ann", at="2026-03-02 09:00")
        assert store.history("C1")["time"].iloc[-1] == pd.Timestamp("2026-03-02T01:00Z")
    with pytest.raises(DataError, match="unknown"):
        CaseStore(store_url, timezone="Mars")


def test_clock_changes_are_read_as_elsewhere(store_url):
    # 2026-03-29 02:30 does not exist in Berlin and is read on as 03:30; 2026-10-25 02:30 comes twice, the first counts.
    with CaseStore(store_url, timezone="Europe/Berlin") as store:
        times = pd.to_datetime(["2026-03-29 02:30", "2026-10-25 02:30", "2024-02-29 12:00"])
        store.add({"case_id": ["a", "b", "c"], "time": times}, actor="job")
        expected = ["2026-03-29T01:30Z", "2026-10-25T00:30Z", "2024-02-29T11:00Z"]
        assert store.cases()["time"].tolist() == [pd.Timestamp(each) for each in expected]


def test_nothing_happens_before_what_happened(three):
    three.move(["C1"], to="classified", actor="ann", at=T2)
    receipt = three.move(["C1"], to="analysed", actor="ann", at=T1)
    assert receipt.table["reason"].tolist() == ["changed after the time of this call"]
    three.move(["C1"], to="analysed", actor="ann", at="2100-01-01T00:00Z")
    # The clock of this machine is behind that of whoever wrote before.
    three.move(["C1"], to="planned", actor="ann")
    assert three.history("C1")["time"].is_monotonic_increasing


def test_a_held_out_case_is_never_approved(store):
    store.load_plan(
        pd.DataFrame(
            {"case_id": ["a", "b", "c"], "remedy": ["call", "nothing", "nothing"], "arm": ["plan", "holdout", "plan"]}
        ),
        actor="planner",
    )
    receipt = store.move(["a", "b", "c"], to="approved", actor="boss")
    assert receipt.table["done"].tolist() == [True, False, False]
    assert "condition" in receipt.table["reason"].iloc[1]
    assert store.move(["b", "c"], to="followed up", actor="job").n_done == 2


def test_new_cases_are_added_once(three):
    receipt = three.add({"case_id": ["C3", "C4", "C4"], "customer_id": ["z", "z", "y"]}, actor="job")
    assert receipt.table["reason"].tolist() == ["in the store already", "", "given twice in this call"]
    assert three.cases(["C3", "C4"])["customer_id"].tolist() == ["b", "z"]
    again = {"case_id": ["C5"], "time": pd.to_datetime(["2026-03-01T00:00Z"])}
    assert not three.add(again, actor="job", key="n").repeated
    assert three.add(again, actor="job", key="n").repeated


@pytest.mark.parametrize(
    "column",
    [
        {"amount": ["x", "1"]},
        {"amount": [np.inf, 1]},
        {"label": [1.5, "a"]},
        {"label": ["a", "b\0"]},
        {"time": ["2026", "2026"]},
    ],
)
def test_a_column_that_cannot_be_kept_is_refused(store, column):
    with pytest.raises((DataError, TypeError), match="cases: "):
        store.add({"case_id": ["a", "b"], **column}, actor="job")
    assert len(store.cases()) == 0


def test_columns_that_a_store_does_not_know_are_left_out(store):
    store.add({"case_id": ["a"], "phone": ["15400001234"], "evidence": ['{"row": 3}']}, actor="job")
    assert "phone" not in store.cases().columns
    assert store.cases()["evidence"].tolist() == ['{"row": 3}']


def test_cases_are_chosen_by_state_agent_queue_and_condition(three):
    three.move(["C1"], to="classified", actor="a")
    assert three.cases(state="classified")["case_id"].tolist() == ["C1"]
    assert three.cases(state=["classified", "received"])["case_id"].tolist() == ["C1", "C2", "C3"]
    assert three.cases(where="amount > 5 and not settled")["case_id"].tolist() == ["C1", "C2"]
    assert len(three.cases(agent="x")) == len(three.cases(queue="x")) == len(three.cases([])) == 0
    with pytest.raises(DataError, match="no state"):
        three.cases(state="x")
    with pytest.raises(DataError, match="condition"):
        three.cases(where="amount + 1")
    assert "received" in three._repr_html_()


def test_a_company_changes_its_moves(three):
    own = Transitions([("received", "classified"), ("classified", "closed")], ends=["closed"], settled=[])
    three.move(["C1"], to="escalated", actor="a")
    with pytest.raises(DataError, match="1 in 'escalated'"):
        three.set_transitions(own, actor="boss")
    three.move(["C1"], to="classified", actor="a")
    three.set_transitions(own, actor="boss", at="2100-01-01T00:00Z")
    assert three.transitions == own
    assert three.history()["action"].iloc[-1] == "transitions"
    assert three.move(["C1"], to="analysed".replace("analysed", "closed"), actor="a").n_done == 1
    assert three.verify_history()
    with pytest.raises(TypeError):
        three.set_transitions([("a", "b")], actor="boss")


def test_a_store_keeps_its_own_moves(store_url):
    own = Transitions([("received", "closed")], ends=["closed"], settled=[])
    CaseStore(store_url, transitions=own).close()
    with CaseStore(store_url) as store:
        assert store.transitions == own
    with pytest.raises(DataError, match="other transitions"):
        CaseStore(store_url, transitions=Transitions())
    with pytest.raises(TypeError):
        CaseStore(store_url, transitions="x")


def test_a_store_of_another_version_is_refused(store_url):
    import sqlalchemy as sa

    CaseStore(store_url).close()
    engine = sa.create_engine(store_url if "://" in store_url else f"sqlite:///{store_url}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE crmkit_meta SET content = '99' WHERE name = 'schema'")
    engine.dispose()
    with pytest.raises(PersistenceError, match=r"version 99.*version 1"):
        CaseStore(store_url)


def test_a_store_opened_to_be_read_is_not_written(store_url):
    with CaseStore(store_url) as store:
        store.add({"case_id": ["C1"]}, actor="job")
    with CaseStore(store_url, read_only=True) as store:
        assert store.cases()["case_id"].tolist() == ["C1"]
        assert store.verify_history()
        with pytest.raises(PersistenceError, match="read only"):
            store.move(["C1"], to="classified", actor="a")


def test_a_file_that_cannot_be_a_store_is_refused_in_words(tmp_path):
    (tmp_path / "text.sqlite").write_text("this is no database, " * 100)
    with pytest.raises(PersistenceError, match="no SQLite database"):
        CaseStore(tmp_path / "text.sqlite")
    with pytest.raises(PersistenceError, match="no such file"):
        CaseStore(tmp_path / "folder" / "a.sqlite")
    with pytest.raises(PersistenceError, match="no such file"):
        CaseStore(tmp_path / "a.sqlite", read_only=True)
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(PersistenceError, match="no store of cases"):
        CaseStore(tmp_path / "empty.sqlite", read_only=True)
    with pytest.raises(DataError, match="not in mysql"):
        CaseStore("mysql://host/db")


def test_another_writer_is_waited_for_and_no_longer(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path, busy_timeout=0.2) as store:
        store.add({"case_id": ["C1"]}, actor="job")
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(PersistenceError, match="busy_timeout"):
            store.move(["C1"], to="classified", actor="a")
        assert store.cases()["state"].tolist() == ["received"]
        holder.execute("ROLLBACK")
        holder.close()
        assert store.move(["C1"], to="classified", actor="a").n_done == 1


def test_a_full_disk_keeps_nothing_of_the_call(tmp_path):
    with CaseStore(tmp_path / "cases.sqlite") as store:
        store.add({"case_id": [str(number) for number in range(50)]}, actor="job")
        import sqlalchemy as sa

        def small(connection, _record, _proxy):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")

        sa.event.listen(store._database.engine, "checkout", small)
        with pytest.raises(PersistenceError, match="disk is full"):
            store.add({"case_id": [f"new {number}" for number in range(5_000)]}, actor="job")
        assert len(store.cases()) == 50
        assert store.verify_history()


def test_messages_and_reprs_show_no_values_of_cases(three):
    assert "C1" not in repr(three)
    assert "password" not in repr(CaseStore(":memory:"))
    receipt = three.move(["secret-id"], to="classified", actor="a")
    assert "secret-id" not in repr(receipt) + receipt._repr_html_()
    with pytest.raises(DataError) as caught:
        three.add({"case_id": ["C8"], "amount": ["13800001111x"]}, actor="job")
    assert "13800001111" not in str(caught.value)


@pytest.mark.parametrize(("module", "url"), [("sqlalchemy", ":memory:"), ("psycopg", "postgresql://host/db")])
def test_what_is_not_installed_is_named_with_its_command(monkeypatch, module, url):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'crmkit\[db\]'"):
        CaseStore(url)


def test_a_server_that_is_not_there_is_said_without_the_password():
    pytest.importorskip("psycopg")
    with pytest.raises(PersistenceError) as caught:
        CaseStore("postgresql://someone:secret@127.0.0.1:1/cases")
    assert "cannot be reached" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_key_of_refused_cases_gives_the_same_receipt_again(three):
    first = three.move(["C7", "C8"], to="classified", actor="a", key="k")
    again = three.move(["C7", "C8"], to="classified", actor="a", key="k")
    assert again.repeated
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.refused["reason"].tolist() == ["not known", "not known"]


def test_threads_share_a_store_in_memory(tmp_path):
    for url in (":memory:", tmp_path / "cases.sqlite"):
        with CaseStore(url) as store, ThreadPoolExecutor(4) as pool:
            store.add({"case_id": [f"C{number}" for number in range(40)]}, actor="job")
            calls = [[f"C{number}" for number in range(start, start + 5)] for start in range(0, 40, 5)]
            receipts = list(pool.map(lambda ids: store.move(ids, to="classified", actor="a"), calls))
            assert sum(receipt.n_done for receipt in receipts) == 40
            assert store.verify_history().entries == 80


@pytest.mark.parametrize("wait", [-1, float("nan"), float("inf"), "60"])
def test_a_time_to_wait_is_seconds(wait):
    with pytest.raises(DataError, match="busy_timeout"):
        CaseStore(":memory:", busy_timeout=wait)


def test_a_change_has_not_yet_to_come():
    soon, late = (pd.Timestamp.now(tz="UTC") + pd.Timedelta(minutes=minutes) for minutes in (4, 6))
    with CaseStore(":memory:") as store:
        store.add({"case_id": ["C1"]}, actor="job", at=soon)
        for call in (
            lambda: store.move(["C1"], to="classified", actor="a", at=late),
            lambda: store.assign({"agent": ["x"], "capacity": [1]}, actor="a", at="2040-01-01T00:00Z"),
            lambda: store.set_transitions(store.transitions, actor="a", at=late),
        ):
            with pytest.raises(DataError, match="future"):
                call()
        assert store.head[0] == 1
        assert len(store.overdue("2100-01-01T00:00Z")) == 0
    with CaseStore(":memory:", clock_slack=600) as store:
        assert store.add({"case_id": ["C1"]}, actor="job", at=late).n_done == 1
    for slack in (-1, np.nan, "1"):
        with pytest.raises(DataError, match="clock_slack"):
            CaseStore(":memory:", clock_slack=slack)


def test_what_is_settled_by_new_rules_was_so_since_it_came_there(three):
    three.set_deadlines(["C1", "C2"], T2, actor="job", at=T1)
    three.move(["C1"], to="classified", actor="a", at=T1)
    three.move(["C2"], to="classified", actor="a", at=T3)
    three.assign({"agent": ["x"], "capacity": [9]}, actor="a", at=T3)
    usual = three.transitions
    three.set_transitions(Transitions(usual.table, settled=["classified", *usual.settled]), actor="boss", at=T3)
    results = three.results()
    assert results["settled_time"].tolist() == [pd.Timestamp(T1), pd.Timestamp(T3), pd.NaT]
    assert results["in_time"].tolist() == [True, False, pd.NA]
    three.set_transitions(usual, actor="boss", at=T3)
    assert three.cases()["settled_time"].isna().all()


def test_versions_may_be_given_by_id_of_any_kind(store):
    store.add({"case_id": [1, 2, 3]}, actor="job")
    seen = store.cases().set_index("case_id")["version"]
    store.move([2], to="classified", actor="a")
    receipt = store.move([3, 2], to="escalated", actor="a", expect=seen)
    assert receipt.table["done"].tolist() == [True, False]
    assert store.move([1], to="escalated", actor="a", expect={1: 1}).n_done == 1
    with pytest.raises(DataError, match="lacks the ids of row 0"):
        store.move([9], to="escalated", actor="a", expect=seen)


def test_one_id_of_numpy_is_an_id(store):
    store.add({"case_id": [5]}, actor="job")
    assert store.move(np.int64(5), to="classified", actor="a").n_done == 1
    assert store.move(5.0, to="analysed", actor="a").n_done == 1
    with pytest.raises(DataError, match="missing in row 0"):
        store.move(None, to="analysed", actor="a")


def test_text_that_no_database_keeps_is_named_by_its_row_and_not_shown(store):
    with pytest.raises(DataError, match=r"evidence.*row 1") as caught:
        store.add(
            {"case_id": ["a", "b"], "evidence": pd.Series(["x", "13800001111 \ud800"], dtype=object)}, actor="job"
        )
    assert "13800001111" not in str(caught.value)
    with pytest.raises(DataError, match="label"):
        store.add({"case_id": ["a"], "label": pd.Series(["投诉\ud800"], dtype=object)}, actor="job")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_store_that_was_open_before_a_fork_serves_both(store_url):
    with CaseStore(store_url) as store:
        store.add({"case_id": ["C1", "C2"]}, actor="job")
        child = multiprocessing.get_context("fork").Process(
            target=lambda: store.move(["C1"], to="classified", actor="child")
        )
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert store.move(["C1", "C2"], to="classified", actor="a").n_done == 1
        assert store.verify_history()
