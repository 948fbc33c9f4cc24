"""New cases by the prices of a plan: whole tables and one at a time, beside a plain argmax that keeps no limit."""

from __future__ import annotations

import sys
from pathlib import Path

from measure import best_of, show

PLANNED = """
import sys, time
sys.path.insert(0, {folder!r})
import numpy as np, pandas as pd
from planning_problems import many_limits, nine_limits
from crmkit.remediation import Plan, plan
problem = {problem}(100_000)
made = plan(problem)
wide = problem.with_bounds({{limit.name: limit.limit * {room} for limit in problem.limits if hasattr(limit, "limit")}})
made = Plan.from_choice(wide, made.choice, prices=made.duals)
new = {problem}({n}, seed=1).cases.assign(case_id=lambda cases: cases["case_id"] + 10_000_000)
stream = made.assigner()
stream.copy().assign(new.iloc[:1])
"""
TABLE = """
start()
cpu = time.process_time()
given = stream.assign(new)
cpu = time.process_time() - cpu
answer.update(cases_a_second=f"{{len(new) / cpu:,.0f}}", given=int((given["remedy"] != "nothing").sum()))
"""
ONE = """
pieces = [new.iloc[i:i + 1] for i in range(1_000)]
start()
cpu = time.process_time()
given = sum(stream.assign(piece)["remedy"].item() != "nothing" for piece in pieces)
cpu = time.process_time() - cpu
answer.update(cases_a_second=f"{{len(pieces) / cpu:,.0f}}", given=given)
"""
PLAIN = """
names = np.array([*wide.remedy_names, "nothing"], dtype=object)
start()
cpu = time.process_time()
value = np.column_stack([np.where(new[f"may_{{j}}"], new[f"value_{{j}}"], -np.inf) for j in range(8)])
best = value.argmax(axis=1)
worth = value[np.arange(len(new)), best]
given = pd.DataFrame({{"case_id": new["case_id"], "remedy": names[np.where(worth > 0, best, -1)],
                      "value": np.maximum(worth, 0)}})
cpu = time.process_time() - cpu
answer.update(cases_a_second=f"{{len(new) / cpu:,.0f}}", given=int((given["remedy"] != "nothing").sum()))
"""
STEPS = {
    "9 limits, all fits": ("nine_limits", 1_000_000, 20, TABLE),
    "9 limits, half fits": ("nine_limits", 1_000_000, 5, TABLE),
    "9 limits, nothing left": ("nine_limits", 1_000_000, 1, TABLE),
    "9 limits, one at a time": ("nine_limits", 1_000_000, 20, ONE),
    "291 limits, all fits": ("many_limits", 100_000, 20, TABLE),
    "291 limits, runs out": ("many_limits", 100_000, 1.5, TABLE),
    "plain argmax, no limits": ("nine_limits", 1_000_000, 20, PLAIN),
}


def main() -> None:
    """Measure each step in a process of its own; arguments choose steps by a word in their name."""
    rows = {}
    for name, (problem, n, room, step) in STEPS.items():
        if all(word in name for word in sys.argv[1:]):
            code = (PLANNED + step).format(folder=str(Path(__file__).parent), problem=problem, n=n, room=room)
            rows[name] = best_of(2, code)
    show("New cases at the prices of a plan for 100,000 cases", rows)


if __name__ == "__main__":
    main()
