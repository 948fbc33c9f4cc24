"""What is given where nothing near the best prices is a whole plan."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import DualPlanner, Problem, plan, verify
from crmkit.remediation.dual import _planner


@pytest.fixture(scope="module")
def problem():
    random = np.random.default_rng(2)
    n = 15_500
    value = random.lognormal(3.0, 0.8, (n, 1)) * random.uniform(0.2, 1.0, (n, 4))
    segment = random.integers(0, 2, n)
    return Problem.from_arrays(
        value,
        uses={"budget": random.uniform(1.0, 20.0, (n, 4))},
        limits={"budget": 2.0 * n},
        floors={f"floor {s}": (segment == s, int(0.3 * (segment == s).sum())) for s in range(2)},
        group=np.arange(n)[::-1] // 2,
    )


def test_where_the_search_finds_nothing_the_plan_keeps_the_limits_and_says_what_it_is(problem, monkeypatch):
    best = plan(problem, "dual")
    monkeypatch.setattr(_planner, "finish", lambda *_, **__: None)
    made = plan(problem, DualPlanner(time_limit=1.0))
    assert made.notes == ("no plan was found near the best prices: this one keeps the limits, whatever it is worth",)
    checked = verify(made, problem)
    assert checked.violations == ()
    assert made.value <= best.value <= made.bound * (1 + 1e-9)
    assert made.gap > 1e-3
    assert np.all(made.used() <= [31_000.0, np.inf, np.inf])


def test_a_small_problem_is_then_solved_as_a_whole(monkeypatch):
    problem = Problem.from_arrays(
        np.arange(1.0, 401.0)[:, None], uses={"hours": 1.0}, limits={"hours": 7.5}, floors={"some": (None, 2)}
    )
    monkeypatch.setattr(_planner, "finish", lambda *_, **__: None)
    made = plan(problem, DualPlanner(core=5))
    assert made.value == sum(range(394, 401))
    assert "solved as a whole" in made.notes[0]


def test_limits_that_only_divided_cases_can_keep_are_told_with_a_change_that_helps():
    # Each case counts in two of three floors of 3,001: 4,501.5 divided cases are enough, 4,502 whole ones are needed.
    n, floor = 15_300, 3_001
    kind = np.arange(n) % 3
    limits = {"hours": 0.7 * 4_501.7}
    floors = {f"floor {s}": (kind != s, floor) for s in range(3)}
    problem = Problem.from_arrays(np.ones((n, 4)), uses={"hours": 0.7}, limits=limits, floors=floors)
    with pytest.raises(InfeasiblePlanError, match="no whole plan was found that keeps") as caught:
        plan(problem, DualPlanner(time_limit=1.0))
    bounds = {**limits, **dict.fromkeys(floors, floor)}
    changed = {name: bounds[name] + step for name, step in caught.value.relaxation.items()}
    assert changed
    eased = problem.with_bounds(changed)
    assert verify(plan(eased, DualPlanner(time_limit=1.0)), eased).violations == ()
