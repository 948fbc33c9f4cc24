"""The planner for large problems: prices by Newton's method, an exact core, a whole plan and its proof."""

from __future__ import annotations

from crmkit.remediation.dual._planner import DualPlanner

__all__ = ["DualPlanner"]
