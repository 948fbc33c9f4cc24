"""Small problems with uncertain values, every plan of which can be tried."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from crmkit.remediation import Problem


def _problem(seed):
    """Make up to six cases and three remedies; some problems have no plan, some no errors."""
    random = np.random.default_rng(seed)
    n_cases, n_remedies = int(random.integers(1, 7)), int(random.integers(1, 4))
    shape = (n_cases, n_remedies)
    more = {}
    value = random.lognormal(1.5, 0.6, shape) - 1
    uses = random.uniform(0, 4, shape)
    limit = float(random.uniform(1, 8))
    eligible = random.random(shape) < 0.85
    if random.random() < 0.4:
        more["floors"] = {"floor": (random.random(n_cases) < 0.6, 1)}
    if random.random() < 0.4:
        more["group"] = random.integers(0, max(1, n_cases - 1), n_cases)
    if random.random() < 0.85:
        more["errors"] = random.uniform(0, 4, shape)
    if random.random() < 0.7:
        more["shared_errors"] = random.uniform(0, 2, shape)
    return Problem.from_arrays(value, uses={"budget": uses}, limits={"budget": limit}, eligible=eligible, **more)


def _every_plan(problem):
    """Give cases and remedies of every whole plan within the limits."""
    arrays = problem.arrays()
    n_cases, n_remedies = arrays.value.shape
    rows = [(row.coefficients.toarray(), row.sense, row.bound) for row in arrays.rows]
    for choice in product(range(-1, n_remedies), repeat=n_cases):
        chosen = np.array(choice)
        case = np.flatnonzero(chosen >= 0)
        remedy = chosen[case]
        if not arrays.eligible[case, remedy].all() or len(np.unique(arrays.group[case])) < len(case):
            continue
        used = [(counts[case, remedy].sum(), sense, bound) for counts, sense, bound in rows]
        if all(use <= bound + 1e-9 if sense == "<=" else use >= bound - 1e-9 for use, sense, bound in used):
            yield case, remedy


@pytest.fixture(scope="session")
def small_problem():
    """Give a function from a seed to a problem."""
    return _problem


@pytest.fixture(scope="session")
def best_by_trying():
    """Give a function from a problem and an objective to the best objective of all plans, None where there is none."""

    def best(problem, objective):
        return max((objective(case, remedy) for case, remedy in _every_plan(problem)), default=None)

    return best
