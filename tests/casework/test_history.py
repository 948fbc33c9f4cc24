"""Whatever is altered in the history is found at its entry."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
import sqlalchemy as sa

from crmkit.casework import CaseStore
from crmkit.core.errors import PersistenceError

COLUMNS = {
    "time": "UPDATE crmkit_history SET time = time + 1 WHERE entry = 4",
    "action": "UPDATE crmkit_history SET action = 'mova' WHERE entry = 4",
    "actor": "UPDATE crmkit_history SET actor = 'mallory' WHERE entry = 4",
    "case_id": "UPDATE crmkit_history SET case_id = 'C3' WHERE entry = 4",
    "source": "UPDATE crmkit_history SET source = 'analysed' WHERE entry = 4",
    "target": "UPDATE crmkit_history SET target = 'planned' WHERE entry = 4",
    "version": "UPDATE crmkit_history SET version = version + 1 WHERE entry = 4",
    "note": "UPDATE crmkit_history SET note = 'x' WHERE entry = 4",
    "detail": "UPDATE crmkit_history SET detail = '{}' WHERE entry = 4",
    "call": "UPDATE crmkit_history SET call = 'k' WHERE entry = 4",
    "hash": "UPDATE crmkit_history SET hash = 'x' || substr(hash, 2) WHERE entry = 4",
    "entry": "UPDATE crmkit_history SET entry = entry + 100 WHERE entry = 4",
}


def without_guard(url):
    """Give a connection on which the history can be changed, as whoever owns the database could."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:") if "://" in url else f"sqlite:///{url}")
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS crmkit_history_no_update")
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS crmkit_history_no_delete")
    else:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS crmkit_history_append_only ON crmkit_history")
    return connection


@contextlib.contextmanager
def tampering(url):
    connection = without_guard(url)
    yield connection
    connection.commit()
    connection.engine.dispose()
    connection.close()


@pytest.fixture
def moved(three):
    three.move(["C1", "C2"], to="classified", actor="ann", note="fine")
    three.move(["C2", "C3"], to="escalated", actor="bob", key="once")
    return three


def test_an_untouched_history_is_right(moved):
    result = moved.verify_history()
    assert result
    assert (result.entries, result.first, result.mismatched) == (7, None, 0)
    assert moved.head == (7, result.hash)
    assert "nothing was altered" in repr(result)
    assert "nothing was altered" in result._repr_html_()


@pytest.mark.parametrize("column", COLUMNS)
def test_one_altered_cell_is_found_at_its_entry(moved, store_url, column):
    with tampering(store_url) as connection:
        connection.exec_driver_sql(COLUMNS[column])
    result = moved.verify_history()
    assert not result
    assert result.first == 4
    assert "entry 4" in repr(result)


def test_every_altered_entry_is_named(moved, store_url):
    with tampering(store_url) as connection:
        connection.exec_driver_sql("UPDATE crmkit_history SET actor = 'x' WHERE entry IN (2, 5)")
    assert moved.verify_history().altered == (2, 5)


@pytest.mark.parametrize(("entry", "first"), [(3, 3), (7, 7)])
def test_a_removed_entry_is_found(moved, store_url, entry, first):
    with tampering(store_url) as connection:
        connection.execute(sa.text("DELETE FROM crmkit_history WHERE entry = :entry"), {"entry": entry})
    assert moved.verify_history().first == first


def test_a_case_put_into_another_state_beside_the_history_is_counted(moved, store_url):
    with tampering(store_url) as connection:
        connection.exec_driver_sql("UPDATE crmkit_cases SET state = 'closed' WHERE case_id = 'C1'")
        connection.exec_driver_sql("DELETE FROM crmkit_cases WHERE case_id = 'C2'")
    result = moved.verify_history()
    assert result.mismatched == 2
    assert "2 cases" in repr(result)


def test_a_history_written_anew_is_found_by_a_head_noted_elsewhere(moved, tmp_path):
    noted = moved.head
    assert moved.verify_history(expect=noted)
    with CaseStore(tmp_path / "forged.sqlite") as forged:
        forged.add({"case_id": [f"C{number}" for number in range(7)]}, actor="job")
        assert forged.verify_history()
        result = forged.verify_history(expect=noted)
        assert not result
        assert result.first == 7
        assert not forged.verify_history(expect=(99, "x"))


@pytest.mark.parametrize("statement", ["UPDATE crmkit_history SET actor = 'x'", "DELETE FROM crmkit_history"])
def test_the_database_itself_refuses_to_change_the_history(moved, statement):
    with pytest.raises(PersistenceError), moved._database.writing() as (connection, _, _):
        connection.exec_driver_sql(statement)
    assert moved.verify_history()


def test_one_altered_byte_of_the_file_is_found_at_its_entry(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path) as store:
        store.add({"case_id": [f"C{number:04d}" for number in range(2_000)]}, actor="job")
        for number in range(40):
            store.move([f"C{number:04d}"], to="classified", actor=f"agent-{number:04d}-名")
        with store._database.reading() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    whole = path.read_bytes()
    for number in (0, 17, 39):
        for byte in (0x5A, 0xFF):
            content = bytearray(whole)
            place = whole.index(f"agent-{number:04d}-名".encode()) + 3
            content[place] = byte
            path.write_bytes(bytes(content))
            with CaseStore(path) as store:
                assert store.verify_history().altered == (2_001 + number,)
    path.write_bytes(whole)
    with CaseStore(path) as store:
        assert store.verify_history()


def test_any_altered_byte_of_an_entry_is_found_at_it_or_where_it_cannot_be_read_any_more(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path) as store:
        store.add({"case_id": [f"C{number:04d}" for number in range(200)]}, actor="job")
        for number in range(9):
            store.move([f"C{number:04d}"], to="classified", actor=f"agent-{number}-名", note="x" * 40)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    whole = path.read_bytes()
    place = whole.index("agent-4-名".encode())
    # From the entry after it, which lies before it in the file, to its own hash: lengths, numbers, texts.
    for at in range(place - 40, place + 150, 5):
        content = bytearray(whole)
        content[at] ^= 0x80 if at % 2 else 0x03
        path.write_bytes(bytes(content))
        with CaseStore(path) as store:
            result = store.verify_history()
        assert not result
        assert set(result.altered) & {204, 205, 206}, (at - place, result)


def test_missing_entries_are_named_and_those_after_them_are_not_blamed(moved, store_url):
    with tampering(store_url) as connection:
        connection.exec_driver_sql("DELETE FROM crmkit_history WHERE entry IN (2, 4, 5)")
        connection.exec_driver_sql("UPDATE crmkit_history SET actor = 'x' WHERE entry = 7")
    result = moved.verify_history()
    assert result.altered == (2, 4, 7)
    assert "entry 2 is missing" in repr(result)
    assert "entry 4 to 5 is missing" in repr(result)


def test_the_head_of_an_empty_history_may_be_noted(store):
    assert store.verify_history(expect=store.head)
    noted = store.head
    store.add({"case_id": ["C1"]}, actor="job")
    assert store.verify_history(expect=noted)
    assert not store.verify_history(expect=(0, "f" * 64))


def test_an_entry_replaced_past_the_guard_is_found(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path) as store:
        store.add({"case_id": ["C1", "C2", "C3"]}, actor="job")
        connection = sqlite3.connect(path)
        connection.execute(
            "INSERT OR REPLACE INTO crmkit_history SELECT entry, time, action, 'mallory', case_id, source, target, "
            "version, note, detail, call, hash FROM crmkit_history WHERE entry = 2"
        )
        connection.commit()
        connection.close()
        assert store.verify_history().altered == (2,)


def test_a_store_whose_rows_or_tables_are_missing_is_said_to_be_damaged(moved, store_url):
    with tampering(store_url) as connection:
        connection.exec_driver_sql("UPDATE crmkit_meta SET content = '[' WHERE name = 'transitions'")
        connection.exec_driver_sql("DELETE FROM crmkit_head")
    for call in (
        lambda: moved.head,
        moved.verify_history,
        lambda: moved.add({"case_id": ["C9"]}, actor="job"),
        lambda: moved.transitions,
    ):
        with pytest.raises(PersistenceError, match="damaged"):
            call()
    with tampering(store_url) as connection:
        connection.exec_driver_sql("DROP TABLE crmkit_calls")
    with pytest.raises(PersistenceError, match=r"missing|damaged"):
        moved.add({"case_id": ["C9"]}, actor="job", key="k")


def test_a_cell_of_another_kind_is_found_at_its_entry(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path) as store:
        store.add({"case_id": ["C1", "C2", "C3"]}, actor="job")
        with tampering(str(path)) as connection:
            connection.exec_driver_sql("UPDATE crmkit_history SET version = x'ff', actor = 7 WHERE entry = 2")
        assert store.verify_history().altered == (2,)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "cases.sqlite"
    with CaseStore(path) as store:
        store.add({"case_id": [f"C{number}" for number in range(2_000)]}, actor="job")
    content = bytearray(path.read_bytes())
    content[8_192:] = b"\xff" * (len(content) - 8_192)
    path.write_bytes(bytes(content))
    with pytest.raises(PersistenceError, match=r"damaged|refused"), CaseStore(path) as store:
        store.verify_history()
