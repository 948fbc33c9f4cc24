"""The planner that also chooses intensities: how much a case gets of its remedy."""

from __future__ import annotations

from crmkit.remediation.nonlinear._planner import NonlinearPlanner

__all__ = ["NonlinearPlanner"]
