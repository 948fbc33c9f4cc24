"""Plans with eight remedies, a budget, three staff-hour rows and five floors: ours beside scipy's linprog and milp."""

from __future__ import annotations

import sys

from measure import measure, show

PROBLEM = """
import numpy as np
from crmkit.remediation import Problem, plan, verify
random = np.random.default_rng(0)
n, k = {n}, 8
value = random.lognormal(3.0, 0.8, (n, 1)) * random.uniform(0.2, 1.0, (n, k))
uses = {{"budget": random.uniform(1.0, 20.0, (n, k))}}
for staff in range(3):
    uses[f"hours_{{staff}}"] = np.where(random.random((n, k)) < 0.4, random.uniform(0.1, 1.0, (n, k)), 0.0)
limits = {{"budget": 3.0 * n, "hours_0": 0.08 * n, "hours_1": 0.08 * n, "hours_2": 0.08 * n}}
segment = random.integers(0, 5, n)
floors = {{f"segment_{{s}}": (segment == s, int(0.35 * (segment == s).sum())) for s in range(5)}}
eligible = random.random((n, k)) < 0.7
problem = Problem.from_arrays(value, uses=uses, limits=limits, eligible=eligible, floors=floors)
"""
OURS = (
    PROBLEM
    + """
start()
made = plan(problem, planner={planner!r})
answer.update(value=round(made.value), gap=f"{{made.gap:.1e}}", ok=verify(made, problem).ok)
"""
)
SCIPY = (
    PROBLEM
    + """
from scipy import optimize, sparse
start()
arrays = problem.arrays()
flat = np.flatnonzero(arrays.eligible.ravel())
case = flat // k
blocks = [sparse.csr_array((np.ones(len(flat)), (case, np.arange(len(flat)))), shape=(n, len(flat)))]
bounds = [np.ones(n)]
for row in arrays.rows:
    sign = 1.0 if row.sense == "<=" else -1.0
    blocks.append(sparse.csr_array(sign * row.coefficients.toarray().ravel()[flat][None, :]))
    bounds.append([sign * row.bound])
matrix, bound = sparse.vstack(blocks).tocsc(), np.concatenate(bounds)
cost = -arrays.value.ravel()[flat]
{solve}
"""
)
LINPROG = """
made = optimize.linprog(cost, A_ub=matrix, b_ub=bound, bounds=(0, 1), method={method!r})
answer.update(value=round(-made.fun), gap="fractional")
"""
MILP = """
limits = optimize.LinearConstraint(matrix, -np.inf, bound)
whole, options = np.ones(len(cost)), {"mip_rel_gap": 1e-4, "time_limit": 120}
made = optimize.milp(cost, constraints=limits, integrality=whole, bounds=optimize.Bounds(0, 1), options=options)
answer.update(value=round(-made.fun), gap=f"{made.mip_gap:.1e}")
"""

if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[1:]] or [1_000, 10_000]
    for n in sizes:
        show(
            f"{n:,} cases x 8 remedies",
            {
                **{f"crmkit {p}": measure(OURS.format(n=n, planner=p)) for p in ("auto", "lp", "milp", "greedy")},
                "scipy linprog highs-ds": measure(SCIPY.format(n=n, solve=LINPROG.format(method="highs-ds"))),
                "scipy linprog highs-ipm": measure(SCIPY.format(n=n, solve=LINPROG.format(method="highs-ipm"))),
                "scipy milp, gap 1e-4": measure(SCIPY.format(n=n, solve=MILP)),
            },
        )
