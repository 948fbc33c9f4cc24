"""Random planning problems as arrays, and models of them written independently of the library."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

KINDS = ("continuous", "whole numbers", "all equal", "one resource", "all floors", "large values")


def _arrays(seed, n_cases=None, n_remedies=None):
    random = np.random.default_rng(seed)
    n_cases = int(random.integers(1, 40)) if n_cases is None else n_cases
    n_remedies = int(random.integers(1, 5)) if n_remedies is None else n_remedies
    shape = (n_cases, n_remedies)
    kind = KINDS[seed % len(KINDS)]
    value = random.lognormal(1, 1, shape) - random.uniform(0, 3)
    budget = random.uniform(0, 5, shape)
    if kind == "whole numbers":
        value, budget = random.integers(-2, 6, shape).astype(float), random.integers(0, 4, shape).astype(float)
    if kind == "all equal":
        value, budget = np.ones(shape), np.ones(shape)
    if kind == "large values":
        value *= 1e6
    uses = {"budget": budget, "hours": (random.random(shape) < 0.5).astype(float)}
    limits = {"budget": float(np.round(random.uniform(0, 1.2) * n_cases)), "hours": float(n_cases // 3)}
    if kind == "one resource":
        uses, limits = {"budget": uses["budget"]}, {"budget": limits["budget"]}
    if kind == "all floors":
        uses, limits = {}, {}
    floors = {
        f"floor {i}": (random.random(n_cases) < 0.4, int(random.integers(0, max(1, n_cases // 8) + 1)))
        for i in range(int(random.integers(0, 4)) + (kind == "all floors"))
    }
    caps = {"cap": (None, int(random.integers(0, n_cases + 1)))} if random.random() < 0.5 else {}
    group = random.integers(0, max(1, n_cases // 2), n_cases) if random.random() < 0.5 else None
    eligible = random.random(shape) < 0.8
    return {
        "value": value, "uses": uses, "limits": limits, "eligible": eligible, "floors": floors, "caps": caps,
        "group": group,
    }  # fmt: skip


def _model(arrays):
    """Write ``matrix @ x <= bound`` row by row."""
    n_cases, n_remedies = arrays["value"].shape
    lines, bound = [], []
    for name, uses in arrays["uses"].items():
        lines.append(uses.ravel())
        bound.append(arrays["limits"][name])
    for mask, count in arrays["floors"].values():
        lines.append(-np.repeat(mask.astype(float), n_remedies))
        bound.append(-count)
    for _, count in arrays["caps"].values():
        lines.append(np.ones(n_cases * n_remedies))
        bound.append(count)
    group = np.arange(n_cases) if arrays["group"] is None else arrays["group"]
    for number in np.unique(group):
        lines.append(np.repeat((group == number).astype(float), n_remedies))
        bound.append(1.0)
    return np.array(lines), np.array(bound)


def _solve(arrays, *, whole):
    """Give the best value, or None where there is no plan."""
    matrix, bound = _model(arrays)
    upper = arrays["eligible"].astype(float).ravel()
    result = linprog(
        -arrays["value"].ravel(),
        A_ub=matrix,
        b_ub=bound,
        bounds=np.column_stack([np.zeros_like(upper), upper]),
        method="highs",
        integrality=np.ones(len(upper)) if whole else None,
        options={"mip_rel_gap": 0.0} if whole else {},
    )
    assert result.status in {0, 2}
    return None if result.status == 2 else -result.fun


def _try_all(arrays):
    """Give the best value of all whole plans by trying each, or None where none keeps the limits."""
    matrix, bound = _model(arrays)
    n_cases, n_remedies = arrays["value"].shape
    best = None
    for choice in product(range(-1, n_remedies), repeat=n_cases):
        share = np.zeros((n_cases, n_remedies))
        for case, remedy in enumerate(choice):
            if remedy >= 0:
                share[case, remedy] = 1.0
        if np.any(share[~arrays["eligible"]]) or np.any(matrix @ share.ravel() > bound + 1e-9):
            continue
        value = float((share * arrays["value"]).sum())
        best = value if best is None else max(best, value)
    return best


@pytest.fixture(scope="session")
def random_arrays():
    """Give a function from a seed to the arguments of ``Problem.from_arrays``."""
    return _arrays


@pytest.fixture(scope="session")
def best_value():
    """Give a function from such arguments to the best value by HiGHS, whole or divided, None where there is none."""
    return _solve


@pytest.fixture(scope="session")
def best_of_all():
    """Give a function from such arguments to the best value of all whole plans, each of them tried."""
    return _try_all


@pytest.fixture(scope="session")
def planning_problems():
    """Give the module of seeded problems that the benchmarks use too."""
    path = Path(__file__).parents[1] / "benchmarks" / "planning_problems.py"
    spec = spec_from_file_location("planning_problems", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
