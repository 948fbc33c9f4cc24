"""What every planner must do; run by ``crmkit.testing.check_plugin``."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import require_methods
from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import Problem, verify

if TYPE_CHECKING:
    from crmkit.testing.plugin import Plugin

__all__ = ["CHECKS"]

SEEDS = range(8)
ROUNDING = 1e-6


def _small(seed: int) -> Problem:
    """Make a feasible problem of five cases and two remedies, small enough to try every plan."""
    random = np.random.default_rng(seed)
    return Problem.from_arrays(
        random.integers(-2, 10, (5, 2)).astype(float),
        uses={"budget": random.integers(1, 5, (5, 2)).astype(float)},
        limits={"budget": 7.0},
        eligible=random.random((5, 2)) < 0.9,
        caps={"at_most": (np.ones(5, dtype=bool), 3)},
        group=np.array([0, 1, 1, 2, 3]),
    )


def _best(problem: Problem) -> float:
    """Give the value of the best integer plan by trying all of them."""
    arrays = problem.arrays()
    n_cases, n_remedies = arrays.value.shape
    best = -np.inf
    for choice in product(range(-1, n_remedies), repeat=n_cases):
        chosen = np.array(choice)
        acting = np.flatnonzero(chosen >= 0)
        groups = arrays.group[acting]
        if not arrays.eligible[acting, chosen[acting]].all() or len(np.unique(groups)) < len(groups):
            continue
        plan = np.zeros((n_cases, n_remedies))
        plan[acting, chosen[acting]] = 1.0
        if all(_keeps(row, plan) for row in arrays.rows):
            best = max(best, float(arrays.value[acting, chosen[acting]].sum()))
    return best


def _keeps(row: Any, plan: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Say whether a plan keeps one limit."""
    used = float((row.coefficients.toarray() * plan).sum())
    return bool(used <= row.bound + ROUNDING if row.sense == "<=" else used >= row.bound - ROUNDING)


def check_has_the_method(plugin: Plugin) -> None:
    """It plans."""
    require_methods(plugin.make(), ["plan"], role="a planner")


def check_plans_keep_every_limit(plugin: Plugin) -> None:
    """The independent verifier finds nothing wrong."""
    for seed in SEEDS:
        problem = _small(seed)
        verdict = verify(plugin.make().plan(problem), problem)
        assert verdict.ok, f"problem {seed}: {verdict.violations}"


def check_the_bound_is_a_bound(plugin: Plugin) -> None:
    """No plan is worth more than the bound, and the plan's own value is no more than the best."""
    for seed in SEEDS:
        problem = _small(seed)
        plan = plugin.make().plan(problem)
        best = _best(problem)
        assert plan.bound >= best - ROUNDING, f"problem {seed}: bound {plan.bound} but a plan is worth {best}"
        assert plan.bound >= plan.value - ROUNDING, f"problem {seed}: value {plan.value} above bound {plan.bound}"
        shares = plan.table["share"].to_numpy()
        if np.allclose(shares, np.round(shares)):
            assert plan.value <= best + ROUNDING, f"problem {seed}: value {plan.value} but the best plan is {best}"


def check_doing_nothing_beats_a_loss(plugin: Plugin) -> None:
    """A remedy that loses value is not given where nothing asks for it."""
    problem = Problem.from_arrays([[-1.0], [2.0]], uses={"budget": [[1.0], [1.0]]}, limits={"budget": 5.0})
    choice = plugin.make().plan(problem).choice.tolist()
    assert choice == [-1, 0], f"a remedy of value -1 and one of value 2 gave the choice {choice}"


def check_a_floor_is_reached_at_a_loss(plugin: Plugin) -> None:
    """A floor is kept even where it costs value."""
    problem = Problem.from_arrays(
        [[-1.0], [-2.0]], uses={"budget": [[1.0], [1.0]]}, limits={"budget": 5.0}, floors={"someone": (None, 1)}
    )
    plan = plugin.make().plan(problem)
    assert verify(plan, problem).ok, "the floor of one remedy was not kept"
    assert abs(plan.value + 1.0) <= ROUNDING, f"the least loss is 1, the plan's value is {plan.value}"


def check_what_cannot_be_is_told(plugin: Plugin) -> None:
    """A floor of two with a budget for one has no plan."""
    problem = Problem.from_arrays(
        [[1.0], [1.0]], uses={"budget": [[1.0], [1.0]]}, limits={"budget": 1.0}, floors={"both": (None, 2)}
    )
    try:
        plugin.make().plan(problem)
    except InfeasiblePlanError as error:
        conflict = set(error.conflict)
    else:
        raise AssertionError("an infeasible problem got a plan")
    assert conflict == {"budget", "both"}, f"the conflict named is {conflict}"


def check_no_cases_give_an_empty_plan(plugin: Plugin) -> None:
    """Nothing to do is a plan too."""
    problem = Problem.from_arrays(np.zeros((0, 1)), uses={"budget": np.zeros((0, 1))}, limits={"budget": 1.0})
    plan = plugin.make().plan(problem)
    assert len(plan.table) == 0
    assert plan.value == 0.0


def check_the_same_problem_gets_the_same_plan(plugin: Plugin) -> None:
    """Planning twice gives the same choice."""
    problem = _small(3)
    first, second = (plugin.make().plan(problem).choice.tolist() for _ in range(2))
    assert first == second, "two plans of one problem differ"


CHECKS = (
    check_has_the_method,
    check_plans_keep_every_limit,
    check_the_bound_is_a_bound,
    check_doing_nothing_beats_a_loss,
    check_a_floor_is_reached_at_a_loss,
    check_what_cannot_be_is_told,
    check_no_cases_give_an_empty_plan,
    check_the_same_problem_gets_the_same_plan,
)
