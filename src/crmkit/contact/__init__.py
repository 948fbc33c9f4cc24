"""Whom to contact by which channel, with what, how often and when: strategies as tables."""

from __future__ import annotations

from crmkit.contact._actions import Actions
from crmkit.contact._quiet import QuietHours
from crmkit.contact._strategy import Strategy
from crmkit.contact._terms import Channel, Limit

__all__ = ["Actions", "Channel", "Limit", "QuietHours", "Strategy"]
