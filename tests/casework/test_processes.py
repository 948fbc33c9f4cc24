"""Many processes at a store at one time, and processes that are killed."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import time

import pytest

from crmkit.casework import CaseStore, Transitions

# Each process opens the store for itself; a fork spares it the import of everything else.
FORK = multiprocessing.get_context("fork")


def work(url, number, n_calls, counts):
    """Try to move the same cases as all others, each call twice, and add cases of its own and cases of everybody."""
    moved = 0
    with CaseStore(url) as store:
        for turn in range(n_calls):
            ids = [f"C{(turn * 5 + place) % 100:03d}" for place in range(20)]
            receipt = store.move(ids, to="classified", actor=f"p{number}", key=f"{number}/{turn}")
            again = store.move(ids, to="classified", actor=f"p{number}", key=f"{number}/{turn}")
            assert again.repeated
            assert again.n_done == receipt.n_done
            moved += receipt.n_done
            store.add({"case_id": [f"own {number} {turn}", f"all {turn}"]}, actor=f"p{number}")
    counts.put(moved)


def test_eight_processes_lose_and_double_nothing(store_url):
    n_processes, n_calls = 8, 6
    with CaseStore(store_url) as store:
        store.add({"case_id": [f"C{number:03d}" for number in range(100)]}, actor="job")
    counts = FORK.SimpleQueue()
    runs = [FORK.Process(target=work, args=(store_url, number, n_calls, counts)) for number in range(n_processes)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0] * n_processes
    moved = sum(counts.get() for _ in runs)
    touched = {(turn * 5 + place) % 100 for turn in range(n_calls) for place in range(20)}
    with CaseStore(store_url) as store:
        history = store.history()
        assert moved == len(touched) == (history["action"] == "move").sum()
        assert history.loc[history["action"] == "move", "case_id"].is_unique
        assert len(store.cases()) == 100 + n_processes * n_calls + n_calls
        assert (store.cases(state="classified")["version"] == 2).all()
        assert store.verify_history()


def to_and_fro(path, ready):
    """Move all cases between two states until killed."""
    with CaseStore(path) as store:
        ids = store.cases()["case_id"].tolist()
        first = int(store.cases(ids[:1])["state"].item() == "received")
        ready.set()
        for turn in itertools.count(first):
            store.move(ids, to="classified" if turn % 2 else "received", actor="mover")


def kill_and_look(path, n_kills, seed, n_cases=300):
    """Kill a process that moves all cases to and fro, look at the store each time, and count the calls."""
    moves = [("received", "classified"), ("classified", "received"), ("classified", "closed")]
    draw = random.Random(seed)  # noqa: S311 -- when to kill
    with CaseStore(path, transitions=Transitions(moves, ends=["closed"], settled=[])) as store:
        store.add({"case_id": [f"C{number:04d}" for number in range(n_cases)]}, actor="job")
    entries = n_cases
    for _ in range(n_kills):
        ready = FORK.Event()
        mover = FORK.Process(target=to_and_fro, args=(str(path), ready))
        mover.start()
        assert ready.wait(60)
        time.sleep(draw.random() * 0.1)
        os.kill(mover.pid, signal.SIGKILL)
        mover.join()
        with CaseStore(path) as store:
            result = store.verify_history()
            assert result, result
            # A call is whole or not at all: all cases stand together, and the entries are those of whole calls.
            cases = store.cases()
            assert len(cases) == n_cases
            assert cases["case_id"].is_unique
            assert cases["state"].nunique() == 1
            assert result.entries % n_cases == 0
            assert result.entries >= entries
            entries = result.entries
    return entries // n_cases - 1


def test_a_killed_process_leaves_a_store_that_opens_and_verifies(tmp_path):
    assert kill_and_look(tmp_path / "cases.sqlite", 20, seed=1) > 0


@pytest.mark.slow
@pytest.mark.skipif("CRMKIT_KILLS" not in os.environ, reason="two minutes: set CRMKIT_KILLS=200")
def test_two_hundred_killed_processes_leave_a_store_that_opens_and_verifies(tmp_path):
    # A new file now and then, so that checking the history does not take longer and longer.
    n_kills = int(os.environ["CRMKIT_KILLS"])
    calls = [kill_and_look(tmp_path / f"{turn}.sqlite", 20, seed=turn) for turn in range(n_kills // 20)]
    assert min(calls) > 0
