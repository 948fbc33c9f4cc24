"""The planner that does what is done by hand."""

from __future__ import annotations

import pytest

from crmkit.remediation import GreedyPlanner, InfeasiblePlanError, Problem, Ratio, Remedy, Resource


def test_a_ratio_that_the_greedy_planner_cannot_keep_is_told():
    cases = {"case_id": [1, 2], "new": [1, 0], "worth": [3.0, 2.0]}
    limits = [Resource("hours", 0), Ratio("new == 1", least=1.0, short=-1)]
    problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits)
    with pytest.raises(InfeasiblePlanError):
        GreedyPlanner().plan(problem)
