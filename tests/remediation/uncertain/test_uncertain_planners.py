"""Planners for the worst case and the worst scenarios against trying every plan."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from crmkit.core.errors import DataError, InfeasiblePlanError
from crmkit.core.registry import spec_of
from crmkit.remediation import CvarPlanner, Problem, RobustPlanner, plan, risk, scenarios, verify
from crmkit.testing import check_plugin

EXACT = {"gap": 1e-9, "nodes": 1_000}


def errors_of(problem):
    own, shared = problem.errors()
    blank = np.zeros(problem.arrays().value.shape)
    return blank if own is None else own, blank if shared is None else shared


def budget_objective(problem, budget, size):
    """Written from the definition: the largest deviations, the last one in part, and every shared error."""
    own, shared = errors_of(problem)
    value = problem.arrays().value

    def objective(case, remedy):
        deviations = np.sort(size * own[case, remedy])[::-1]
        whole = int(budget)
        lost = deviations[:whole].sum() + (budget - whole) * (deviations[whole] if whole < len(deviations) else 0.0)
        return float((value[case, remedy] - size * shared[case, remedy]).sum() - lost)

    return objective


def ellipsoid_objective(problem, size):
    own, shared = errors_of(problem)
    value = problem.arrays().value

    def objective(case, remedy):
        together = sum(shared[case, remedy][remedy == j].sum() ** 2 for j in range(value.shape[1]))
        return float(value[case, remedy].sum() - size * np.sqrt((own[case, remedy] ** 2).sum() + together))

    return objective


def cvar_objective(drawn, level, weight):
    def objective(case, remedy):
        outcomes = np.sort(drawn[:, case, remedy].sum(axis=1))
        count = level * len(outcomes)
        whole = int(count + 1e-9)
        tail = outcomes[:whole].sum() + (count - whole) * (outcomes[whole] if whole < len(outcomes) else 0.0)
        return float((1 - weight) * outcomes.mean() + weight * tail / count)

    return objective


def check(planner, problem, objective, best_by_trying, seed):
    best = best_by_trying(problem, objective)
    if best is None:
        with pytest.raises(InfeasiblePlanError):
            planner.plan(problem)
        return
    made = planner.plan(problem)
    assert verify(made, problem).violations == (), seed
    case = np.flatnonzero(made.choice >= 0)
    assert objective(case, made.choice[case]) == pytest.approx(best, abs=1e-6), seed
    if planner.promise_ is not None:
        assert planner.promise_.value == pytest.approx(best, abs=1e-6), seed
        assert best - 1e-6 <= planner.promise_.bound <= best + 1e-5, seed
        assert str(planner.promise_) == made.notes[0]


@pytest.mark.parametrize("seed", range(20))
def test_robust_by_budget_is_the_best_of_all_plans(seed, small_problem, best_by_trying):
    random = np.random.default_rng(1_000 + seed)
    problem = small_problem(seed)
    budget, size = float(random.choice([0, 1, 2, 1.5, 3])), float(random.uniform(0.3, 3))
    planner = RobustPlanner(budget=budget, size=size, solves=2_000, **EXACT)
    check(planner, problem, budget_objective(problem, budget, size), best_by_trying, seed)


@pytest.mark.parametrize("seed", range(20))
def test_robust_by_ellipsoid_is_the_best_of_all_plans(seed, small_problem, best_by_trying):
    problem = small_problem(seed)
    size = float(np.random.default_rng(2_000 + seed).uniform(0.3, 3))
    planner = RobustPlanner(kind="ellipsoidal", size=size, solves=2_000, **EXACT)
    check(planner, problem, ellipsoid_objective(problem, size), best_by_trying, seed)


@pytest.mark.parametrize("seed", range(20))
def test_cvar_is_the_best_of_all_plans(seed, small_problem, best_by_trying):
    random = np.random.default_rng(3_000 + seed)
    problem = small_problem(seed)
    value = problem.arrays().value
    shape = (23, *value.shape)
    drawn = np.where(np.isfinite(value), value, 0.0) + random.normal(0, 3, shape)
    drawn += random.normal(0, 2, (23, 1, value.shape[1]))
    level, weight = float(random.choice([0.1, 0.2, 0.5, 1.0])), float(random.choice([1.0, 0.5, 0.3, 0.0]))
    planner = CvarPlanner(level=level, weight=weight, scenarios=drawn, **EXACT)
    check(planner, problem, cvar_objective(drawn, level, weight), best_by_trying, seed)


@pytest.fixture(scope="module")
def medium():
    """Give 1,050 cases with own and shared errors, more than are searched whole or solved as one programme."""
    random = np.random.default_rng(0)
    n_cases, n_remedies = 1_050, 4
    base = random.lognormal(4, 0.8, n_cases)
    return Problem.from_arrays(
        base[:, None] * random.uniform(0.1, 0.5, n_remedies) + random.normal(0, 3, (n_cases, n_remedies)),
        uses={"budget": random.uniform(1, 20, (n_cases, n_remedies))},
        limits={"budget": 4.0 * n_cases},
        floors={"some": (random.random(n_cases) < 0.3, 40)},
        errors=random.uniform(0.5, 15, (n_cases, n_remedies)),
        shared_errors=base[:, None] * random.uniform(0.01, 0.12, n_remedies),
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["budget", "ellipsoidal"])
def test_the_worst_case_of_larger_plans_is_proved_near_the_best(kind, medium):
    planner = RobustPlanner(kind=kind, gap=1e-3)
    made = planner.plan(medium)
    assert verify(made, medium).ok
    figures = risk(made)["value"]
    assert figures[f"worst case, {kind}"] == pytest.approx(planner.promise_.value, rel=1e-9)
    assert planner.promise_.gap <= 2e-3
    plain = plan(medium)
    assert figures[f"worst case, {kind}"] > risk(plain)["value"][f"worst case, {kind}"]
    assert made.value <= plain.bound
    assert plain.value - made.value <= made.bound - made.value + 1e-9


@pytest.mark.slow
def test_the_worst_scenarios_of_larger_plans_are_proved_near_the_best_and_hold_in_others(medium):
    planner = CvarPlanner(n_scenarios=300, gap=1e-3)
    made = planner.plan(medium)
    assert verify(made, medium).ok
    assert planner.promise_.gap <= 2e-3
    # Without scenarios the figure is that of all outcomes the errors allow, not of those planned with.
    assert risk(made)["value"]["cvar"] > risk(plan(medium))["value"]["cvar"]


def test_own_errors_of_many_alike_cases_change_little_and_shared_ones_much():
    value = np.column_stack([np.full(400, 10.0), np.full(400, 9.0)])
    alone = Problem.from_arrays(value, uses={}, limits={}, errors=[[4.0, 0.1]])
    together = Problem.from_arrays(value, uses={}, limits={}, shared_errors=[[4.0, 0.1]])
    planner = RobustPlanner(kind="ellipsoidal", size=1.0)
    assert np.all(planner.plan(alone).choice == 0)
    assert np.mean(planner.plan(together).choice == 1) > 0.9


@pytest.mark.parametrize("planner", [RobustPlanner(), RobustPlanner(kind="ellipsoidal"), CvarPlanner()])
def test_without_errors_the_plan_is_that_of_auto_and_says_so(planner):
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
    made = planner.plan(problem)
    assert made.choice.tolist() == plan(problem).choice.tolist()
    assert "planned as if the values were certain" in made.notes[0]
    assert planner.promise_ is None


@pytest.mark.parametrize("name", ["robust", "cvar"])
def test_planners_pass_the_checks_for_plugins(name):
    check_plugin(spec_of("planner", name))


def test_nobody_eligible_is_an_empty_plan():
    problem = Problem.from_arrays([[1.0]], uses={}, limits={}, eligible=[[False]], errors=1.0)
    for planner in (RobustPlanner(), CvarPlanner(), CvarPlanner(scenarios=np.zeros((3, 1, 1)))):
        assert planner.plan(problem).choice.tolist() == [-1]


def test_parameters_out_of_range_are_refused():
    problem = Problem.from_arrays([[1.0]], uses={}, limits={}, errors=1.0)
    for planner in (RobustPlanner(kind="box"), RobustPlanner(budget=-1), CvarPlanner(level=0.0), CvarPlanner(weight=2)):
        with pytest.raises(ValueError, match="must be"):
            clone(planner).plan(problem)


@pytest.mark.parametrize("shape", [(3, 2, 2), (3, 2), (0, 2, 1)])
def test_scenarios_of_another_shape_are_refused(shape):
    problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={})
    with pytest.raises(DataError, match=r"scenarios must have the shape \(n_scenarios, 2, 1\)"):
        CvarPlanner(scenarios=np.ones(shape)).plan(problem)


def test_scenarios_with_something_missing_are_refused_only_where_it_matters():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={}, eligible=[[True], [False]])
    drawn = np.full((3, 2, 1), 5.0)
    drawn[1, 1, 0] = np.nan
    assert CvarPlanner(scenarios=drawn).plan(problem).choice.tolist() == [0, -1]
    drawn[1, 0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 3 have a value that is missing"):
        CvarPlanner(scenarios=drawn).plan(problem)


def test_scenarios_keep_own_errors_apart_and_shared_ones_together():
    problem = Problem.from_arrays(np.full((3, 2), 10.0), uses={}, limits={}, shared_errors=[[1.0, 0.0]] * 3)
    drawn = scenarios(problem, 400, random_state=1)
    assert np.all(drawn[:, 0, 0] == drawn[:, 2, 0])
    assert np.all(drawn[:, :, 1] == 10.0)
    assert drawn.mean(axis=0) == pytest.approx(10.0)
    assert drawn[:, 0, 0].std() == pytest.approx(1.0, abs=0.1)
    apart = scenarios(Problem.from_arrays(np.full((2, 1), 10.0), uses={}, limits={}, errors=1.0), 2_000)
    assert abs(np.corrcoef(apart[:, 0, 0], apart[:, 1, 0])[0, 1]) < 0.1
    assert len(scenarios(problem, 3)) == 3
    with pytest.raises(ValueError, match="at least 1"):
        scenarios(problem, 0)
