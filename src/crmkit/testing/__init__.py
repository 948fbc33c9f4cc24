"""Conformance checks that tell a plugin's author what is wrong before a user does."""

from __future__ import annotations

from crmkit.testing.conformance import CheckResult, ConformanceError, Report, check_plugin, plugin_checks
from crmkit.testing.parametrize import parametrize_with_plugin_checks

__all__ = [
    "CheckResult",
    "ConformanceError",
    "Report",
    "check_plugin",
    "parametrize_with_plugin_checks",
    "plugin_checks",
]
