"""Plans with intensities: ours at many sizes, and scipy's solvers on intensities alone at sizes they can do."""

from __future__ import annotations

import sys

from measure import measure, show

PROBLEM = """
import numpy as np
import pandas as pd
from crmkit.remediation import Floor, Problem, Remedy, Resource, plan, verify
random, n = np.random.default_rng(0), {n}
cases = pd.DataFrame(dict(
    case_id=np.arange(n), worth=random.lognormal(4, 0.8, n), s1=random.uniform(5, 40, n), s2=random.uniform(5, 30, n),
    rate=random.uniform(0.05, 0.3, n), segment=random.integers(0, 5, n)))
"""
THREE = (
    PROBLEM
    + """
remedies = [
    Remedy("voucher", value="0.4 * worth * (1 - exp(-intensity / s1)) - intensity", uses=dict(budget="intensity"),
           intensity=(5, 50)),
    Remedy("call", value="rate * worth * log(1 + intensity / s2)", uses=dict(hours="intensity / 60", budget=2),
           intensity=(3, 30)),
    Remedy("gift", value="rate * worth * sqrt(intensity / 10)", uses=dict(budget="intensity + 0.01 * intensity**2"),
           intensity=(2, "20 + s2")),
    Remedy("letter", value="0.05 * worth - 1", uses=dict(budget=1))]
limits = [Resource("budget", 6 * n), Resource("hours", 0.05 * n)]
limits += [Floor(where=f"segment == {{s}}", share={floor}, name=f"segment {{s}}") for s in range(5)]
problem = Problem(cases, remedies, limits)
start()
made = plan(problem)
answer.update(value=round(made.value, 1), gap=f"{{made.gap:.1e}}")
"""
)
ONE = (
    PROBLEM
    + """
voucher = Remedy("voucher", value="worth * (1 - exp(-intensity / s1))", uses=dict(budget="intensity"),
                 intensity=(0, 50))
problem = Problem(cases, [voucher], [Resource("budget", 3.0 * n)])
worth, s1 = cases["worth"].to_numpy(), cases["s1"].to_numpy()
start()
"""
)
OURS = (
    ONE
    + """
made = plan(problem)
answer.update(value=round(made.value, 3), gap=f"{{made.gap:.1e}}")
"""
)
SCIPY = (
    ONE
    + """
from scipy import optimize, sparse
def minus(x):
    return -np.sum(worth * (1 - np.exp(-x / s1)))
def slope(x):
    return -worth / s1 * np.exp(-x / s1)
def bend(x):
    return sparse.diags_array(worth / s1**2 * np.exp(-x / s1))
budget = optimize.LinearConstraint(sparse.csr_array(np.ones((1, n))), -np.inf, 3.0 * n)
sums = dict(type="ineq", fun=lambda x: 3.0 * n - x.sum(), jac=lambda x: -np.ones(n))
first = np.full(n, 3.0)
{solve}
answer.update(value=round(-made.fun, 3), over=f"{{made.x.sum() - 3.0 * n:.1e}}")
"""
)
TRUST = """
made = optimize.minimize(minus, first, jac=slope, hess=bend, method="trust-constr", bounds=[(0, 50)] * n,
                         constraints=budget, options=dict(maxiter=500, gtol=1e-8))
"""
SLSQP = """
made = optimize.minimize(minus, first, jac=slope, method="SLSQP", bounds=[(0, 50)] * n, constraints=sums,
                         options=dict(maxiter=500, ftol=1e-9))
"""

if __name__ == "__main__":
    for n in [int(size) for size in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        rows = {f"crmkit, floors of {floor:.0%}": measure(THREE.format(n=n, floor=floor)) for floor in (0.5, 0.9)}
        show(f"{n:,} cases, 3 remedies with an intensity and 1 without, budget, hours, 5 floors", rows)
    for n in (300, 2_000):
        show(
            f"{n:,} cases, 1 remedy from 0 to 50, a budget: no choice but of intensities",
            {
                "crmkit": measure(OURS.format(n=n)),
                "scipy trust-constr": measure(SCIPY.format(n=n, solve=TRUST), timeout=60),
                "scipy SLSQP": measure(SCIPY.format(n=n, solve=SLSQP), timeout=60),
            },
        )
