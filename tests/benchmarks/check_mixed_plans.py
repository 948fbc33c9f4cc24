"""Five hundred small problems with everything in them: do dual, milp, lp and a model of its own agree?"""

from __future__ import annotations

import sys
from collections import Counter
from time import process_time

from planning_problems import mixed, own_model

from crmkit import remediation
from crmkit.core.errors import ConvergenceError
from crmkit.remediation import DualPlanner, InfeasiblePlanError, IntegerPlanner, verify

PLANNERS = {"lp": "lp", "milp": IntegerPlanner(time_limit=10.0), "dual": DualPlanner(), "auto": "auto"}


def check(seed: int) -> Counter[str]:
    """Plan one problem by every planner and count what happened."""
    problem = mixed(seed, may_fail=seed % 3 > 0)
    told: Counter[str] = Counter()
    divided, whole = own_model(problem, whole=False), own_model(problem, whole=True, gap=1e-4, seconds=20.0)
    made = {}
    for name, planner in PLANNERS.items():
        expected = divided if name == "lp" else whole
        try:
            made[name] = remediation.plan(problem, planner)
        except InfeasiblePlanError:
            told["infeasible" if expected is None else f"WRONGLY infeasible: {name}"] += 1
            continue
        except ConvergenceError:
            told[f"no plan in time: {name}"] += 1
            continue
        if expected is None:
            told[f"WRONGLY planned: {name}"] += 1
            continue
        size = max(1.0, abs(expected[0]))
        told["verified" if verify(made[name], problem).ok else f"WRONG: {name}"] += 1
        above, below = made[name].value <= expected[1] + 1e-7 * size, made[name].bound >= expected[0] - 1e-7 * size
        told["within the proved gaps" if above and below else f"DISAGREES: {name}"] += 1
        if name == "lp":
            close = abs(made[name].value - expected[0]) <= 1e-9 * size
            told["lp to 1e-9" if close else "lp NOT to 1e-9"] += 1
    whole_plans = [each for name, each in made.items() if name != "lp"]
    agree = all(
        one.value <= other.bound + 1e-7 * max(1.0, abs(other.bound)) for one in whole_plans for other in whole_plans
    )
    told["whole plans agree" if agree else "whole plans DISAGREE"] += 1
    return told


def main() -> None:
    """Check a range of seeds and print the counts."""
    first, last = (int(word) for word in sys.argv[1:3]) if len(sys.argv) > 2 else (0, 500)
    begin, counts = process_time(), Counter[str]()
    for seed in range(first, last):
        counts += check(seed)
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    print(f"{last - first} problems, {process_time() - begin:.0f} CPU seconds")


if __name__ == "__main__":
    main()
