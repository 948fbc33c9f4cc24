"""Large problems without a plan, or nearly so: what is in conflict, and a change that helps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import Cap, DualPlanner, Floor, Problem, Ratio, Remedy, Resource, conflict, plan, verify


def tight(n, floor, seed=0):
    """Make a problem whose floors need nearly all of the hours: about 0.5 of each segment can be served."""
    random = np.random.default_rng(seed)
    shape = (n, 4)
    segment = random.integers(0, 3, n)
    return Problem.from_arrays(
        random.lognormal(3.0, 0.8, shape),
        uses={"budget": random.uniform(1.0, 5.0, shape), "hours": random.uniform(0.5, 1.0, shape)},
        limits={"budget": 2.0 * n, "hours": 0.3 * n},
        eligible=random.random(shape) < 0.7,
        floors={f"floor {s}": (segment == s, int(floor * (segment == s).sum())) for s in range(3)},
        caps={"never short": (None, n)},
    )


def changed(problem, error):
    bounds = {row.name: row.bound for row in problem.arrays().rows}
    return problem.with_bounds({name: bounds[name] + step for name, step in error.relaxation.items()})


def test_a_large_problem_without_a_plan_names_what_is_in_conflict_and_a_change_that_helps():
    problem = tight(30_000, 0.7)
    with pytest.raises(InfeasiblePlanError, match="no plan can keep") as caught:
        plan(problem, "dual")
    error = caught.value
    assert "hours" in error.conflict
    assert "never short" not in error.conflict
    # Each limit of the conflict is needed: without it the others leave a plan.
    for name in error.conflict:
        free = problem.with_bounds({name: 0.0 if name.startswith("floor") else 1e9})
        assert plan(free, "dual").gap < 1e-3
    helped = changed(problem, error)
    assert verify(plan(helped, "dual"), helped).violations == ()
    # Nine tenths of the change do not help: it is no more than about what is needed.
    bounds = {row.name: row.bound for row in problem.arrays().rows}
    nearly = problem.with_bounds({name: bounds[name] + round(0.9 * step) for name, step in error.relaxation.items()})
    with pytest.raises(InfeasiblePlanError):
        plan(nearly, "dual")


def test_the_conflict_is_that_of_the_exact_planner():
    problem = tight(3_000, 0.7)
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem, DualPlanner(core=100))
    assert caught.value.conflict == conflict(problem)


@pytest.mark.parametrize("floor", [0.5, 0.53, 0.535])
def test_a_plan_near_what_is_possible_keeps_every_limit(floor):
    problem = tight(20_000, floor)
    made = plan(problem, "dual")
    assert verify(made, problem).violations == ()
    assert made.gap < 1e-3


def test_just_beyond_what_is_possible_every_overrun_is_named():
    with pytest.raises(InfeasiblePlanError, match="'hours' from 6000 to 60") as caught:
        plan(tight(20_000, 0.54), "dual")
    assert caught.value.conflict == ("hours", "floor 0", "floor 1", "floor 2")
    assert set(caught.value.relaxation) <= set(caught.value.conflict)


@pytest.mark.parametrize("n", [300, 20_000])
def test_a_ratio_in_conflict_is_named_and_what_helps_is_proved(n):
    random = np.random.default_rng(0)
    cases = pd.DataFrame({"case_id": np.arange(n), "segment": random.integers(0, 3, n)})
    remedies = []
    for j in range(4):
        cases[f"value_{j}"] = random.lognormal(2, 1, n)
        remedies.append(Remedy(f"remedy {j}", value=f"value_{j}", uses={"hours": 1}))
    limits = [
        Resource("hours", n / 2),
        Floor("segment == 2", share=0.5, name="two"),
        Cap(where="segment == 1", share=0.01, name="few"),
        Ratio("segment == 1", least=1.0, to="segment == 2", name="fair"),
    ]
    problem = Problem(cases, remedies, limits)
    with pytest.raises(InfeasiblePlanError) as told:
        plan(problem)
    assert told.value.conflict == ("two", "few", "fair")
    bounds = {row.name: row.bound for row in problem.tableau().limits}
    eased = problem.with_bounds({name: bounds[name] + step for name, step in told.value.relaxation.items()})
    assert verify(plan(eased), eased).ok
