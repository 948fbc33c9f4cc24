"""The method that planning asks of a planner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

__all__ = ["Planner"]


class Planner(Protocol):
    """Decides which case gets which remedy."""

    def plan(self, problem: Problem, /) -> Plan:
        """Give a plan that keeps every limit, or raise ``InfeasiblePlanError``."""
        ...
