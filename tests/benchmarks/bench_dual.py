"""Plans of large problems: ours beside scipy's linprog and milp and, where they import, OR-tools' GLOP and PDLP."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from measure import measure, show

PROBLEM = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
from planning_problems import many_limits, nine_limits
from crmkit.remediation import DualPlanner, InfeasiblePlanError, plan, verify
problem = {problem}
"""
OURS = """
start()
made = plan(problem, {planner!r})
answer.update(value=round(made.value), gap=f"{{made.gap:.1e}}")
ratio = [(used, row.bound * (1 + 1e-9)) if row.sense == "<=" else (row.bound * (1 - 1e-9), used)
         for used, row in zip(made.used(), problem.tableau().limits)]
answer.update(kept=all(low <= high for low, high in ratio))
"""
CURVE = """
made = plan(problem)
start()
budget = problem.limits[0].limit
curve = made.what_if("budget", np.linspace(0.5, 1.5, 21) * budget)
answer.update(value=round(curve["value"].iloc[10]), gap=f"{curve['gap'].max():.1e}")
"""
WHY = """
start()
try:
    plan(problem)
except InfeasiblePlanError as error:
    answer.update(value=f"{len(error.conflict)} in conflict", gap=f"{len(error.relaxation)} changed")
"""
MODEL = """
from scipy import optimize, sparse
start()
options = problem.options()
pointer = np.append(options.start, options.n_options)
entries = (np.ones(options.n_options), np.arange(options.n_options), pointer)
groups = sparse.csr_array(entries, shape=(options.n_groups, options.n_options))
matrix = sparse.vstack([options.matrix, groups], format="csc")
bound, cost = np.concatenate([options.bound, np.ones(options.n_groups)]), -options.value
"""
LINPROG = """
made = optimize.linprog(cost, A_ub=matrix, b_ub=bound, bounds=(0, None), method={method!r})
answer.update(value=round(-made.fun), gap="fractional")
"""
MILP = """
matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
limits = optimize.LinearConstraint(matrix, -np.inf, bound)
made = optimize.milp(cost, constraints=limits, integrality=np.ones(len(cost)), bounds=optimize.Bounds(0, 1),
                     options={"mip_rel_gap": 1e-4, "time_limit": 100})
found = made.x is not None
answer.update(value=round(-made.fun) if found else "none", gap=f"{made.mip_gap:.1e}" if found else "-")
"""
ORTOOLS = """
from ortools.linear_solver import pywraplp
solver = pywraplp.Solver.CreateSolver({method!r})
share = [solver.NumVar(0, 1, "") for _ in range(matrix.shape[1])]
rows = [solver.Constraint(-solver.infinity(), float(b)) for b in bound]
entries = matrix.tocoo()
for row, column, amount in zip(entries.coords[0].tolist(), entries.coords[1].tolist(), entries.data.tolist()):
    rows[row].SetCoefficient(share[column], amount)
for column, amount in enumerate((-cost).tolist()):
    solver.Objective().SetCoefficient(share[column], amount)
solver.Objective().SetMaximization()
solver.Solve()
answer.update(value=round(solver.Objective().Value()), gap="fractional")
"""


def code(problem: str, step: str) -> str:
    """Write a script that makes a problem and does one step."""
    return PROBLEM.format(folder=str(Path(__file__).parent), problem=problem) + step


def peers(n: int) -> dict[str, dict[str, object]]:
    """Measure general solvers; the larger the problem, the fewer of them end in time."""
    found = {"scipy linprog highs-ipm": measure(code(f"nine_limits({n})", MODEL + LINPROG.format(method="highs-ipm")))}
    if n <= 10_000:
        found["scipy linprog highs-ds"] = measure(code(f"nine_limits({n})", MODEL + LINPROG.format(method="highs-ds")))
    if n <= 4_000:
        found["scipy milp, gap 1e-4"] = measure(code(f"nine_limits({n})", MODEL + MILP))
    for method in ("GLOP", "PDLP"):
        if find_spec("ortools") is not None:
            found[f"OR-tools {method}"] = measure(code(f"nine_limits({n})", MODEL + ORTOOLS.format(method=method)))
    return found


if __name__ == "__main__":
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for n in (1_000, 4_000, 10_000, 100_000):
        rows = {"crmkit auto": measure(code(f"nine_limits({n})", OURS.format(planner="auto")))}
        show(f"{n:,} cases x 8 remedies, 9 limits", rows | peers(n))
    nine = [n for n in (1_000_000, 10_000_000) if n <= largest]
    show(
        "9 limits",
        {f"crmkit auto {n:,}": measure(code(f"nine_limits({n})", OURS.format(planner="auto"))) for n in nine},
    )
    asked = {
        "what_if, 21 budgets": measure(code("nine_limits(100_000)", CURVE)),
        "no plan: conflict and change": measure(code("nine_limits(100_000, floor=0.7)", WHY)),
        "floors 1 % below that": measure(code("nine_limits(100_000, floor=0.66)", OURS.format(planner="auto"))),
    }
    show("100,000 cases, 9 limits", asked)
    kinds = [
        (kind, n, per) for n in (200_000, 1_000_000) for kind in ("cont", "int", "slack", "equal") for per in (1, 2)
    ]
    families = {
        f"crmkit auto {n:,} {kind}" + (", 2 cases a customer" if per > 1 else ""): measure(
            code(f"many_limits({n}, {kind!r}, per_customer={per})", OURS.format(planner="auto"))
        )
        for kind, n, per in kinds
        if n <= largest and (per == 1 or kind == "cont")
    }
    show("291 limits", families)
