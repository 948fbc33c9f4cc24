"""Problems with everything in them: planners agree with each other and with a model of its own."""

from __future__ import annotations

import pytest

from crmkit import remediation
from crmkit.remediation import DualPlanner, InfeasiblePlanError, IntegerPlanner, verify


@pytest.fixture(params=range(45))
def drawn(request, planning_problems):
    """Draw one problem of up to 60 cases, hard limits that contradict each other included."""
    seed = request.param
    return planning_problems.mixed(seed, 1 + 4 * seed % 60, may_fail=seed % 3 > 0)


def test_planners_agree_within_what_they_prove(drawn, planning_problems):
    divided = planning_problems.own_model(drawn, whole=False)
    whole = planning_problems.own_model(drawn, whole=True, gap=1e-4, seconds=10.0)
    planners = {"lp": "lp", "milp": IntegerPlanner(time_limit=10.0), "dual": DualPlanner(), "auto": "auto"}
    values = {}
    for name, planner in planners.items():
        expected = divided if name == "lp" else whole
        if expected is None:
            with pytest.raises(InfeasiblePlanError) as told:
                remediation.plan(drawn, planner)
            bounds = {row.name: row.bound for row in drawn.tableau().limits}
            changed = drawn.with_bounds({key: bounds[key] + step for key, step in told.value.relaxation.items()})
            assert verify(remediation.plan(changed, planner), changed).ok
            continue
        made = remediation.plan(drawn, planner)
        checked = verify(made, drawn)
        assert checked.ok, checked.violations
        size = max(1.0, abs(expected[0]))
        assert made.bound >= expected[0] - 1e-7 * size
        assert made.value <= expected[1] + 1e-7 * size
        if name == "lp":
            assert made.value == pytest.approx(expected[0], rel=1e-9, abs=1e-9)
        values[name] = made
    for one in values.values():
        for other in values.values():
            if "lp" not in {one.planner, other.planner}:
                assert one.value <= other.bound + 1e-7 * max(1.0, abs(other.bound))
