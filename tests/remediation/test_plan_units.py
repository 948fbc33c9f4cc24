"""How good a plan is does not depend on the unit of its values."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import remediation
from crmkit.remediation import Problem


@pytest.mark.parametrize("planner", ["auto", "milp", "dual"])
def test_units_do_not_matter_for_how_good_a_plan_is(planner):
    random = np.random.default_rng(0)
    value, cost = random.lognormal(0, 1, (60, 3)), random.uniform(1, 5, (60, 3))
    kept = []
    for unit in (1.0, 1e-6, 1e6):
        problem = Problem.from_arrays(value * unit, uses={"budget": cost}, limits={"budget": 50.0})
        kept.append(remediation.plan(problem, planner).value / unit)
    assert kept == pytest.approx([kept[0]] * 3, rel=2e-4)
