"""Cases in bulk on SQLite, the check of their history, and durations of a real event log."""

from __future__ import annotations

from measure import DATA, best_of, show

STORE = """
import os, tempfile
from crmkit.casework import CaseStore
folder = tempfile.TemporaryDirectory()
store = CaseStore(os.path.join(folder.name, "cases.sqlite"))
ids = [f"C{{number:07d}}" for number in range(100_000)]
cases = {{"case_id": ids, "customer_id": [f"k{{number % 5000}}" for number in range(100_000)]}}
{before}
start()
{step}
"""
ADD = 'receipt = store.add(cases, actor="job", key="add")'
MOVE = 'receipt = store.move(ids, to="classified", actor="job", key="move")'
COUNT = "answer.update(done=receipt.n_done)"
STEPS = {
    "add 100,000 cases": ("", f"{ADD}; {COUNT}"),
    "move 100,000 cases": (ADD, f"{MOVE}; {COUNT}"),
    "the same move again": (f"{ADD}; {MOVE}", f"{MOVE}; assert receipt.repeated; {COUNT}"),
    "verify 200,000 entries": (f"{ADD}; {MOVE}", "result = store.verify_history(); answer.update(done=result.entries)"),
}
DURATIONS = """
from crmkit.casework import durations
start()
taken = durations({path!r}, case="CaseID", activity="ActivityID", time="CompleteTimestamp", unit="day")
taken.cases, taken.states, taken.bottlenecks, taken.survival, taken.throughput(), taken.within(5)
answer.update(done=len(taken.variants(None)))
"""

if __name__ == "__main__":
    rows = {name: best_of(3, STORE.format(before=before, step=step)) for name, (before, step) in STEPS.items()}
    show("A store of cases on SQLite", rows)
    path = DATA / "bpi13_incidents" / "bpi_13_incidents.csv"
    if path.exists():
        show("Durations of 65,533 events", {"all tables": best_of(3, DURATIONS.format(path=str(path)))})
