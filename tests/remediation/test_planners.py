"""Planners against models written independently, and against trying every plan."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

import crmkit
from crmkit.core.errors import ConvergenceError, InfeasiblePlanError
from crmkit.remediation import (
    AutoPlanner,
    GreedyPlanner,
    IntegerPlanner,
    LinearPlanner,
    Problem,
    conflict,
    plan,
    verify,
)

WHOLE = ("milp", "auto", "greedy")


def close(one, other, relative):
    return abs(one - other) <= relative * max(1.0, abs(other))


def planned(problem, name):
    """Plan; greedy may find no way though there is one, and then names the floor it missed."""
    if name != "greedy":
        return plan(problem, name)
    try:
        return plan(problem, name)
    except ConvergenceError as error:
        missed = error.parameter
    assert missed in problem.limit_names
    return None


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_lp_equals_an_independent_model_on_random_problems(start, random_arrays, best_value):
    for seed in range(start, start + 20):
        arrays = random_arrays(seed)
        problem = Problem.from_arrays(**arrays)
        expected = best_value(arrays, whole=False)
        if expected is None:
            with pytest.raises(InfeasiblePlanError):
                plan(problem, "lp")
            continue
        made = plan(problem, "lp")
        assert close(made.value, expected, 1e-9), seed
        assert close(made.bound, expected, 1e-9), seed
        assert verify(made, problem).violations == (), seed


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_whole_planners_keep_all_limits_and_their_bounds_hold(start, random_arrays, best_value):
    for seed in range(start, start + 20):
        arrays = random_arrays(seed)
        problem = Problem.from_arrays(**arrays)
        expected = best_value(arrays, whole=True)
        for name in WHOLE:
            if expected is None:
                with pytest.raises(InfeasiblePlanError):
                    plan(problem, name)
                continue
            made = planned(problem, name)
            if made is None:
                continue
            assert verify(made, problem).violations == (), (seed, name)
            assert made.value <= expected + 1e-6 * max(1.0, abs(expected)), (seed, name)
            assert made.bound >= expected - 1e-9 * max(1.0, abs(expected)), (seed, name)
            if name != "greedy":
                assert made.gap <= (1e-6 if name == "milp" else 1e-4) + 1e-12, (seed, name)
                assert close(made.value, expected, 1e-4), (seed, name)


@pytest.mark.parametrize("seed", range(40))
def test_exact_planners_equal_the_best_of_all_plans_tried(seed, random_arrays, best_of_all):
    arrays = random_arrays(seed, n_cases=1 + seed % 5, n_remedies=1 + seed % 3)
    problem = Problem.from_arrays(**arrays)
    expected = best_of_all(arrays)
    for planner in (IntegerPlanner(gap=0.0), AutoPlanner(gap=0.0, nodes=10_000)):
        if expected is None:
            with pytest.raises(InfeasiblePlanError):
                plan(problem, planner)
        else:
            made = plan(problem, planner)
            assert close(made.value, expected, 1e-9)
            assert made.gap <= 1e-9


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", "greedy"])
def test_one_unit_goes_to_the_larger_value(planner):
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"unit": 1.0}, limits={"unit": 1})
    made = plan(problem, planner)
    assert made.value == 10.0
    assert made.choice.tolist() == [0, -1]


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", "greedy"])
def test_a_floor_of_two_with_budget_for_one_names_both(planner):
    problem = Problem.from_arrays(
        [[10.0], [4.0]], uses={"budget": 1.0}, limits={"budget": 1}, floors={"at least two": (None, 2)}
    )
    with pytest.raises(InfeasiblePlanError, match=r"'budget' and 'at least two' together") as caught:
        plan(problem, planner)
    assert set(caught.value.conflict) == {"budget", "at least two"}


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", "greedy"])
def test_edges(planner):
    none = Problem.from_arrays(np.zeros((0, 2)), uses={"u": np.zeros((0, 2))}, limits={"u": 1.0})
    made = plan(none, planner)
    assert (made.value, len(made.table), len(made.choice)) == (0.0, 0, 0)
    assert len(made.prices) == 1
    no_remedies = Problem.from_arrays(np.zeros((3, 0)), uses={}, limits={"u": 1.0})
    assert plan(no_remedies, planner).table["remedy"].tolist() == ["nothing"] * 3
    not_eligible = Problem.from_arrays([[5.0], [6.0]], uses={}, limits={}, eligible=[[False], [False]])
    assert plan(not_eligible, planner).value == 0.0
    losses = Problem.from_arrays([[-5.0], [-6.0]], uses={}, limits={})
    assert plan(losses, planner).choice.tolist() == [-1, -1]
    no_room = Problem.from_arrays([[5.0], [6.0]], uses={"u": 1.0}, limits={"u": 0.0}, caps={"c": (None, 0)})
    assert plan(no_room, planner).value == 0.0
    no_limits = Problem.from_arrays([[5.0, 6.0]], uses={}, limits={})
    assert plan(no_limits, planner).choice.tolist() == [1]
    unlimited = Problem.from_arrays([[5.0], [6.0]], uses={"u": 1.0}, limits={"u": np.inf})
    made = plan(unlimited, planner)
    assert made.value == 11.0
    assert made.prices.loc["u", ["used", "price_less", "price_more", "valid_to"]].tolist() == [2.0, 0.0, 0.0, np.inf]


def test_all_equal_values_are_proved_optimal_at_once():
    n_cases = 3_000
    problem = Problem.from_arrays(
        np.ones((n_cases, 3)), uses={"u": 1.0, "w": [2.0, 1.0, 3.0]}, limits={"u": 999.5, "w": 1_500}
    )
    made = plan(problem)
    assert made.value == 999.0
    assert made.gap == 0.0
    assert verify(made, problem).ok


def test_whole_values_lower_the_bound_to_a_whole_number():
    problem = Problem.from_arrays([[3.0], [3.0], [3.0]], uses={"u": 2.0}, limits={"u": 5.0})
    made = plan(problem)
    assert (made.value, made.bound) == (6.0, 6.0)
    assert plan(problem, "lp").value == pytest.approx(7.5)


def test_a_limit_met_exactly_in_decimal_fractions_is_kept():
    # 0.1 + 0.2 is 0.30000000000000004 in floating point and must fit into 0.3.
    problem = Problem.from_arrays([[1.0], [1.0]], uses={"u": [[0.1], [0.2]]}, limits={"u": 0.3})
    for planner in WHOLE:
        made = plan(problem, planner)
        assert made.value == 2.0
        assert verify(made, problem).ok


def test_no_plan_breaks_a_limit_by_the_solvers_tolerance():
    # All three are 5e-7 over: within HiGHS' tolerance, but not within the limit.
    problem = Problem.from_arrays([[1.0], [1.0], [1.0]], uses={"u": 1.0}, limits={"u": 3.0 - 5e-7})
    for planner in WHOLE:
        made = plan(problem, planner)
        assert made.value == 2.0
        assert verify(made, problem).ok


def test_auto_says_what_it_chose():
    divided = plan(Problem.from_arrays([[3.1], [3.0], [3.2]], uses={"u": 2.0}, limits={"u": 5.0}))
    assert divided.planner == "auto (lp + search)"
    assert "searched" in divided.notes[0]
    easy = plan(Problem.from_arrays([[3.1], [3.0]], uses={"u": 1.0}, limits={"u": 1.0}))
    assert easy.planner == "auto (lp)"


def test_auto_on_a_thousand_cases_with_nine_limits_proves_a_small_gap():
    random = np.random.default_rng(0)
    n_cases, n_remedies = 1_000, 8
    shape = (n_cases, n_remedies)
    segment = random.integers(0, 5, n_cases)
    uses = {"budget": random.lognormal(2, 0.7, shape)}
    uses |= {f"hours {i}": np.where(random.random(shape) < 0.35, random.uniform(0.1, 1, shape), 0) for i in range(3)}
    problem = Problem.from_arrays(
        random.lognormal(3, 1, n_cases)[:, None] * random.uniform(0.05, 0.6, shape),
        uses=uses,
        limits={"budget": 2.0 * n_cases} | {f"hours {i}": 0.05 * n_cases for i in range(3)},
        eligible=random.random(shape) < 0.7,
        floors={f"floor {i}": (segment == i, int(0.5 * (segment == i).sum())) for i in range(5)},
    )
    made = plan(problem, AutoPlanner(gap=5e-4))
    assert made.gap <= 5e-4
    assert verify(made, problem).ok
    assert made.value > 1.5 * plan(problem, "greedy").value


def test_where_no_plan_is_found_in_time_the_error_says_so(monkeypatch):
    from crmkit.remediation import _completion, _milp, _search

    # The divided plan takes halves of two cases, so that dropping them breaks the floor.
    problem = Problem.from_arrays(
        [[3.0], [3.0]], uses={"u": 1.0, "w": [[1.0], [0.0]]}, limits={"u": 1.0, "w": 0.5}, floors={"f": (None, 1)}
    )

    def out_of_time(_options, **_more):
        return _search.Found(None, np.inf, infeasible=False)

    for module, planner, parameter in ((_completion, AutoPlanner(), "nodes"), (_milp, IntegerPlanner(), "time_limit")):
        assert planner.plan(problem).value == 3.0
        monkeypatch.setattr(module, "search", out_of_time)
        with pytest.raises(ConvergenceError, match="no whole plan was found") as caught:
            planner.plan(problem)
        assert caught.value.parameter == parameter


def test_the_search_ends_when_the_time_is_up(random_arrays):
    arrays = random_arrays(0, n_cases=300, n_remedies=4)
    problem = Problem.from_arrays(**(arrays | {"floors": {}, "caps": {}}))
    made = plan(problem, AutoPlanner(gap=0.0, time_limit=0.2))
    assert verify(made, problem).ok
    assert made.bound >= plan(problem, "lp").value * 0.99


def test_an_infeasible_whole_problem_whose_divided_one_is_feasible_is_told():
    problem = Problem.from_arrays([[1.0], [1.0]], uses={"u": 1.5}, limits={"u": 2.0}, floors={"f": (None, 2)})
    assert conflict(problem) == ("u", "f")
    # Half a remedy of b beside one and a half of a would do; whole ones do not.
    tight = Problem.from_arrays(
        [[1.0, 1.0], [1.0, 1.0]],
        uses={"a": [[1.0, 0.0], [1.0, 0.0]], "b": [[0.0, 1.0], [0.0, 1.0]]},
        limits={"a": 1.5, "b": 0.5},
        floors={"f": (None, 2)},
    )
    assert plan(tight, "lp").value == pytest.approx(2.0)
    for planner in WHOLE:
        with pytest.raises(InfeasiblePlanError) as caught:
            plan(tight, planner)
        changed = {row.name: row.bound for row in tight.arrays().rows}
        changed = {name: changed[name] + step for name, step in caught.value.relaxation.items()}
        assert verify(plan(tight.with_bounds(changed)), tight.with_bounds(changed)).ok


def test_planners_are_plugins_and_estimators():
    assert set(crmkit.available("planner")) >= {"auto", "lp", "milp", "greedy"}
    assert clone(IntegerPlanner(gap=0.1)).get_params() == {"gap": 0.1, "time_limit": 60.0}
    assert isinstance(crmkit.create("planner", "lp"), LinearPlanner)
    assert isinstance(crmkit.create("planner", "greedy"), GreedyPlanner)
    with pytest.raises(ValueError, match="time_limit"):
        plan(Problem.from_arrays([[1.0]], uses={}, limits={}), AutoPlanner(time_limit=-1.0))
    with pytest.raises(ValueError, match="gap"):
        plan(Problem.from_arrays([[1.0]], uses={}, limits={}), IntegerPlanner(gap="small"))


def test_plan_refuses_what_is_no_problem_or_no_planner():
    with pytest.raises(TypeError, match=r"remediation\.Problem, got dict"):
        plan({})
    with pytest.raises(TypeError, match="a planner needs plan"):
        plan(Problem.from_arrays([[1.0]], uses={}, limits={}), object())
    with pytest.raises(LookupError, match="greedy"):
        plan(Problem.from_arrays([[1.0]], uses={}, limits={}), "gredy")
