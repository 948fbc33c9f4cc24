"""Plans under uncertain values: for the worst case, for the worst scenarios, and what uncertainty does to any plan."""

from __future__ import annotations

from crmkit.remediation.uncertain._cvar import CvarPlanner
from crmkit.remediation.uncertain._promise import Promise
from crmkit.remediation.uncertain._risk import risk
from crmkit.remediation.uncertain._robust import RobustPlanner
from crmkit.remediation.uncertain._scenarios import scenarios
from crmkit.remediation.uncertain._shrunk import disappointment, shrunk

__all__ = ["CvarPlanner", "Promise", "RobustPlanner", "disappointment", "risk", "scenarios", "shrunk"]
