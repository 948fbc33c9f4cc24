"""Prices and plans where very many cases are tied."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import remediation
from crmkit.remediation import Problem, verify


def all_equal(value: float, n: int = 20_000, **more) -> Problem:
    """Make cases all worth the same, with little money and few hours."""
    random = np.random.default_rng(4)
    budget, hours = np.zeros((n, 6)), np.zeros((n, 6))
    for j in range(6):
        budget[:, j] = random.uniform(1, 20, n) if j % 2 else 0.0
        hours[:, j] = random.choice([0, 0.25, 0.5], n)
    limits = {"budget": 0.75 * n, "hours": 0.045 * n}
    return Problem.from_arrays(np.full((n, 6), value), uses={"budget": budget, "hours": hours}, limits=limits, **more)


@pytest.mark.parametrize("value", [10.0, 7.3])
def test_prices_are_right_where_all_values_are_equal(value):
    problem = all_equal(value)
    made, divided = remediation.plan(problem), remediation.plan(problem, "lp")
    assert made.planner == "auto (dual)"
    assert made.bound <= divided.value * (1 + 1e-9)
    for column in ("price_less", "price_more"):
        assert made.prices[column].tolist() == pytest.approx(divided.prices[column].tolist(), rel=1e-6)
    assert made.bound / value == pytest.approx(np.rint(made.bound / value))
    assert made.bound - made.value <= 2.5 * value


def test_a_search_that_ends_far_from_the_best_prices_is_settled():
    problem = all_equal(10.0, penalties={"budget": 2.0, "hours": (30.0, 100.0)})
    made = remediation.plan(problem)
    divided = remediation.plan(problem, "lp")
    assert verify(made, problem).ok
    assert made.value == pytest.approx(divided.value, rel=1e-4)
    assert made.penalty == pytest.approx(divided.penalty, abs=30.0)
