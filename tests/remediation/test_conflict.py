"""What is said when no plan keeps all limits: an irreducible conflict and a change that helps."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import CrmkitError, InfeasiblePlanError
from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource, conflict, plan, verify


def freed(problem, names):
    """Give the problem without some of its limits."""
    loose = {row.name: (0.0 if row.sense == ">=" else 1e9) for row in problem.arrays().rows if row.name in names}
    return problem.with_bounds(loose)


def relaxed(problem, change):
    bounds = {row.name: row.bound for row in problem.arrays().rows}
    return problem.with_bounds({name: bounds[name] + step for name, step in change.items()})


@pytest.mark.parametrize("planner", ["lp", "milp"])
def test_conflicts_are_irreducible_and_relaxations_work_on_random_problems(planner, random_arrays, best_value):
    seen = 0
    for seed in range(90):
        arrays = random_arrays(seed)
        if best_value(arrays, whole=planner == "milp") is not None:
            continue
        seen += 1
        problem = Problem.from_arrays(**arrays)
        with pytest.raises(InfeasiblePlanError) as caught:
            plan(problem, planner)
        names, change = caught.value.conflict, caught.value.relaxation
        assert names, seed
        others = [name for name in problem.limit_names if name not in names]
        with pytest.raises(InfeasiblePlanError):
            plan(freed(problem, others), planner)
        for name in names:
            assert plan(freed(problem, [*others, name]), planner).value is not None, (seed, name)
        assert change, seed
        changed = relaxed(problem, change)
        assert verify(plan(changed, planner), changed).ok, seed
        for row in problem.arrays().rows:
            step = change.get(row.name, 0.0)
            assert step >= 0.0 if row.sense == "<=" else step <= 0.0
    assert seen >= 10


def test_the_relaxation_is_the_least():
    problem = Problem.from_arrays(
        np.ones((10, 1)), uses={"budget": 10.0}, limits={"budget": 50.0}, floors={"f": (None, 6)}
    )
    with pytest.raises(InfeasiblePlanError, match=r"'f' from 6 to 5") as caught:
        plan(problem)
    # One of six (17 %) is less than ten of fifty (20 %).
    assert caught.value.relaxation == {"f": -1.0}
    assert isinstance(caught.value, CrmkitError)


def test_a_floor_that_too_few_cases_can_meet_stands_alone():
    cases = {"case_id": [1, 2, 3], "vip": [True, True, False], "amount": [5.0, 500.0, 5.0]}
    problem = Problem(
        cases,
        [Remedy("call", value=1.0, eligible="amount < 100")],
        [Resource("hours", 3), Floor(where="vip", share=1.0)],
    )
    with pytest.raises(InfeasiblePlanError, match="no plan can keep 'floor where vip'; ") as caught:
        plan(problem)
    assert caught.value.conflict == ("floor where vip",)
    assert caught.value.relaxation == {"floor where vip": -1.0}


def test_one_per_can_make_a_floor_impossible():
    problem = Problem(
        {"case_id": [1, 2, 3], "customer_id": ["a", "a", "b"]},
        [Remedy("call", value=1.0)],
        [Floor(count=3)],
        one_per="customer_id",
    )
    assert conflict(problem) == ("floor",)


def test_a_cap_against_a_floor():
    problem = Problem(
        {"case_id": [1, 2, 3]},
        [Remedy("call", value=1.0), Remedy("mail", value=0.5)],
        [Cap("call", count=1), Cap("mail", count=0), Floor(count=2), Resource("unused", 5)],
    )
    assert conflict(problem) == ("cap call", "cap mail", "floor")


def test_a_problem_that_can_be_planned_has_no_conflict():
    assert conflict(Problem.from_arrays([[1.0]], uses={"u": 1.0}, limits={"u": 1.0})) == ()
    assert conflict(Problem.from_arrays(np.zeros((0, 1)), uses={}, limits={})) == ()


def test_floors_without_any_case_are_told():
    problem = Problem.from_arrays(np.zeros((0, 1)), uses={}, limits={}, floors={"f": (None, 1), "g": (None, 0)})
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem)
    assert caught.value.conflict == ("f",)
    assert caught.value.relaxation == {"f": -1.0}
