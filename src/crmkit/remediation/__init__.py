"""Which case gets which remedy, under the budget and the staff there are, with a proof and prices."""

from __future__ import annotations

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._assigner import Assigner
from crmkit.remediation._auto import AutoPlanner
from crmkit.remediation._cases import make_cases
from crmkit.remediation._conflict import conflict
from crmkit.remediation._frequency import Frequency
from crmkit.remediation._greedy import GreedyPlanner
from crmkit.remediation._lp import LinearPlanner
from crmkit.remediation._milp import IntegerPlanner
from crmkit.remediation._packages import packages
from crmkit.remediation._plan import Plan
from crmkit.remediation._planning import plan
from crmkit.remediation._prices_in_words import prices_in_words
from crmkit.remediation._problem import Problem
from crmkit.remediation._tableau import Arrays, Row
from crmkit.remediation._terms import Cap, Floor, Holdout, Ratio, Remedy, Resource
from crmkit.remediation._verify import Verification, verify
from crmkit.remediation.dual import DualPlanner
from crmkit.remediation.nonlinear import NonlinearPlanner
from crmkit.remediation.uncertain import (
    CvarPlanner,
    Promise,
    RobustPlanner,
    disappointment,
    risk,
    scenarios,
    shrunk,
)

__all__ = [
    "Arrays",
    "Assigner",
    "AutoPlanner",
    "Cap",
    "CvarPlanner",
    "DualPlanner",
    "Floor",
    "Frequency",
    "GreedyPlanner",
    "Holdout",
    "InfeasiblePlanError",
    "IntegerPlanner",
    "LinearPlanner",
    "NonlinearPlanner",
    "Plan",
    "Problem",
    "Promise",
    "Ratio",
    "Remedy",
    "Resource",
    "RobustPlanner",
    "Row",
    "Verification",
    "conflict",
    "disappointment",
    "make_cases",
    "packages",
    "plan",
    "prices_in_words",
    "risk",
    "scenarios",
    "shrunk",
    "verify",
]
