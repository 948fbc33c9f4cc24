"""A planner that drops a floor it cannot keep, or only says "infeasible", leaves people guessing."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit import InfeasiblePlanError, remediation
from crmkit.remediation import Floor, Problem, Remedy, Resource


@pytest.mark.parametrize("planner", ["auto", "lp", "milp"])
def test_a_floor_of_two_with_budget_for_one_names_both(planner):
    cases = pd.DataFrame({"case_id": ["a", "b", "c"], "worth": [10.0, 4.0, 2.0]})
    problem = Problem(
        cases,
        [Remedy("call", value="worth", uses={"budget": 1})],
        [Resource("budget", 1), Resource("hours", 100), Floor(count=2, name="at least two")],
    )
    with pytest.raises(InfeasiblePlanError, match=r"budget|at least two") as raised:
        remediation.plan(problem, planner=planner)
    assert set(raised.value.conflict) == {"budget", "at least two"}
    for name in ("budget", "at least two"):
        assert name in str(raised.value)
    assert raised.value.relaxation


def test_the_floor_is_kept_once_there_is_budget_for_two():
    cases = pd.DataFrame({"case_id": ["a", "b", "c"], "worth": [10.0, -4.0, -2.0]})
    problem = Problem(
        cases,
        [Remedy("call", value="worth", uses={"budget": 1})],
        [Resource("budget", 2), Floor(count=2, name="at least two")],
    )
    plan = remediation.plan(problem)
    # The second call loses 2, but the floor asks for it.
    assert plan.value == pytest.approx(8)
    assert plan.choice.tolist() == [0, -1, 0]
