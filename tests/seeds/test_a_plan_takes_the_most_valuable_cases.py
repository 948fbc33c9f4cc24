"""A plan that minimises value, or fills the first case, wastes the one unit there is."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit import remediation
from crmkit.remediation import Problem, Remedy, Resource


@pytest.mark.parametrize("planner", ["auto", "lp", "milp", "greedy"])
@pytest.mark.parametrize("values", [[10.0, 4.0], [4.0, 10.0]])
def test_one_unit_goes_to_the_case_worth_more(planner, values):
    cases = pd.DataFrame({"case_id": ["first", "second"], "worth": values})
    problem = Problem(cases, [Remedy("call", value="worth", uses={"units": 1})], [Resource("units", 1)])
    plan = remediation.plan(problem, planner=planner)
    assert plan.value == pytest.approx(10)
    assert plan.choice.tolist() == ([0, -1] if values[0] > values[1] else [-1, 0])
    assert plan.table["remedy"].tolist() == (["call", "nothing"] if values[0] > values[1] else ["nothing", "call"])
    assert remediation.verify(plan, problem).ok


def test_the_same_in_arrays():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"units": [[1.0], [1.0]]}, limits={"units": 1})
    plan = remediation.plan(problem)
    assert (plan.value, plan.choice.tolist()) == (pytest.approx(10), [0, -1])
