"""Whom to contact by which channel, with what, how often and when: strategies as tables, consent, and best times."""

from __future__ import annotations

from crmkit.contact._actions import Actions
from crmkit.contact._best_time import BestTime
from crmkit.contact._quiet import QuietHours
from crmkit.contact._strategy import Strategy
from crmkit.contact._terms import Channel, Limit
from crmkit.contact._verify import Verification, verify

__all__ = ["Actions", "BestTime", "Channel", "Limit", "QuietHours", "Strategy", "Verification", "verify"]
