"""Random problems of all features without a plan: the conflict and the change, against models solved by HiGHS."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import (
    Cap,
    DualPlanner,
    Floor,
    Holdout,
    Problem,
    Remedy,
    Resource,
    packages,
    plan,
    verify,
)
from crmkit.remediation.dual import _planner


def drawn(seed, n=None):
    """Draw cases with resources, floors and caps (also of one remedy), packages, one_per and a hold-out."""
    random = np.random.default_rng(seed)
    n = int(random.integers(8, 30)) if n is None else n
    n_remedies = int(random.integers(1, 5))
    cases = {"case_id": np.arange(n), "customer": random.integers(0, max(1, int(n * 0.7)), n)}
    remedies = []
    for j in range(n_remedies):
        cost = random.integers(0, 4, n).astype(float) if seed % 3 == 0 else random.uniform(0.1, 5, n)
        cases |= {f"v{j}": random.normal(3, 3, n), f"b{j}": cost}
        cases |= {f"h{j}": random.uniform(0.2, 1, n) * (random.random(n) < 0.7), f"e{j}": random.random(n) < 0.75}
        uses = {"budget": f"b{j}", "hours": f"h{j}"}
        remedies.append(Remedy(f"r{j}", value=f"v{j}", uses=uses, eligible=f"e{j}"))
    if seed % 2 and n_remedies > 1:
        remedies = packages(remedies, excludes=[("r0", "r1")] if seed % 4 == 1 else [])
    limits = [Resource("budget", float(np.round(random.uniform(0.1, 1.2) * n, 1)))]
    limits.append(Resource("hours", float(np.round(random.uniform(0.05, 0.4) * n, 1))))

    def some_remedy(chance):
        return None if random.random() < chance else f"r{int(random.integers(n_remedies))}"

    for i in range(int(random.integers(1, 4))):
        cases[f"m{i}"] = random.random(n) < random.uniform(0.2, 0.7)
        count = int(random.integers(1, max(2, int(0.4 * n))))
        limits.append(Floor(where=f"m{i}", count=count, remedy=some_remedy(0.6), name=f"f{i}"))
    for i in range(int(random.integers(0, 3))):
        where = None if random.random() < 0.5 else "m0"
        limits.append(Cap(some_remedy(0.5), count=int(random.integers(0, n // 2)), where=where, name=f"c{i}"))
    holdout = Holdout(0.2) if seed % 5 == 0 else None
    one_per = "customer" if seed % 4 >= 2 else None
    return Problem(pd.DataFrame(cases), remedies, limits, one_per=one_per, holdout=holdout)


class Model:
    """Which limits can be kept together, from the columns of the cases, without the library's arrays."""

    def __init__(self, problem):
        cases, n = problem.cases, problem.n_cases
        group = cases["customer"].to_numpy() if problem.one_per else np.arange(n)
        upper, rows = [], {limit.name: [] for limit in problem.limits}
        for remedy in problem.remedies:
            parts = remedy.parts or (remedy.name,)
            numbers = [part[1:] for part in parts]
            upper.append(np.all([cases[f"e{j}"] for j in numbers], axis=0) & ~problem.held_out)
            for limit in problem.limits:
                if isinstance(limit, Resource):
                    line = sum(cases[f"{limit.name[0]}{j}"].to_numpy() for j in numbers)
                else:
                    inside = np.ones(n) if limit.where is None else cases[limit.where].to_numpy()
                    line = inside * (limit.remedy is None or limit.remedy in parts)
                rows[limit.name].append(np.asarray(line, dtype=float))
        self.upper = np.concatenate(upper).astype(float)
        pairs = (np.unique(np.tile(group, len(upper)), return_inverse=True)[1], np.arange(len(self.upper)))
        self.members = sparse.csr_array((np.ones(len(self.upper)), pairs))
        self.sign = {limit.name: -1.0 if isinstance(limit, Floor) else 1.0 for limit in problem.limits}
        self.rows = {name: np.concatenate(lines) for name, lines in rows.items()}
        self.bound = {row.name: row.bound for row in problem.arrays().rows}
        self.names = tuple(self.bound)

    def possible(self, names, *, whole):
        """Say whether some plan keeps these limits."""
        lines = [self.members, *(sparse.csr_array(self.sign[name] * self.rows[name][None, :]) for name in names)]
        bound = [np.ones(self.members.shape[0]), [self.sign[name] * self.bound[name] for name in names]]
        matrix = sparse.vstack(lines, format="csc")
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
        result = milp(
            np.zeros(len(self.upper)),
            integrality=np.full(len(self.upper), int(whole)),
            bounds=Bounds(0, self.upper),
            constraints=LinearConstraint(matrix, -np.inf, np.concatenate(bound)),
        )
        assert result.status in {0, 2}
        return result.status == 0


def helped(problem, change):
    """Give the problem with the limits changed as proposed; the sums of a resource may round the other way."""
    bounds = {row.name: row.bound for row in problem.arrays().rows}
    rounding = {name: 1e-9 * max(1.0, bounds[name]) if name in {"budget", "hours"} else 0.0 for name in change}
    return problem.with_bounds({name: bounds[name] + step + rounding[name] for name, step in change.items()})


def check(problem, planner, seed, *, whole, whole_conflict):
    """Check what is said of a problem without a plan; False where it has one."""
    model = Model(problem)
    if model.possible(model.names, whole=whole):
        assert verify(plan(problem, planner), problem).ok, seed
        return False
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem, planner)
    conflict, change = caught.value.conflict, caught.value.relaxation
    if whole_conflict is not None:
        assert conflict, seed
        assert not model.possible(conflict, whole=whole_conflict), seed
        for name in conflict:
            assert model.possible([other for other in conflict if other != name], whole=whole_conflict), (seed, name)
    assert change, seed
    assert all(step * model.sign[name] > 0 for name, step in change.items()), seed
    better = helped(problem, change)
    assert verify(plan(better, planner), better).violations == (), seed
    return True


@pytest.mark.parametrize(
    ("planner", "n"), [("lp", None), ("milp", None), ("auto", None), (DualPlanner(core=5), 40)], ids=str
)
def test_conflicts_are_irreducible_and_changes_help_whoever_plans(planner, n):
    whole = planner != "lp"
    told = [
        check(drawn(seed, n), planner, seed, whole=whole, whole_conflict=whole)
        for seed in range(50 if n is None else 30)
    ]
    assert sum(told) >= 20


def test_what_prices_alone_prove_of_large_problems_is_so(monkeypatch):
    # No problem counts as small enough to be asked of HiGHS as a whole.
    monkeypatch.setattr(_planner, "_EXACT_OPTIONS", 0)
    told = 0
    for seed in range(30):
        problem = drawn(seed, 60)
        model = Model(problem)
        divided = model.possible(model.names, whole=False)
        if divided and not model.possible(model.names, whole=True):
            told += check(problem, DualPlanner(core=5), seed, whole=True, whole_conflict=None)
        elif not divided:
            told += check(problem, DualPlanner(core=5), seed, whole=True, whole_conflict=False)
    assert told >= 15


def test_no_floor_is_brought_below_nobody(monkeypatch):
    monkeypatch.setattr(_planner, "_EXACT_OPTIONS", 0)
    problem = Problem.from_arrays(
        np.ones((200, 1)), uses={"u": 1.0}, limits={"u": 0.0}, floors={"f": (np.arange(200) < 2, 1)}
    )
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem, DualPlanner(core=5))
    assert caught.value.relaxation.get("f", 0.0) >= -1.0
    better = helped(problem, caught.value.relaxation)
    assert verify(plan(better, DualPlanner(core=5)), better).ok
