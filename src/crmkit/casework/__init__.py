"""Carrying a plan out: cases in a database, their moves, deadlines and agents, and how long it all takes."""

from __future__ import annotations

from crmkit.casework._business_hours import BusinessHours
from crmkit.casework._durations import Durations, durations
from crmkit.casework._history import HistoryCheck
from crmkit.casework._incidents import cases_from
from crmkit.casework._receipt import Receipt
from crmkit.casework._routing import Routing
from crmkit.casework._rules import Rule
from crmkit.casework._store import CaseStore
from crmkit.casework._transitions import Transitions

__all__ = [
    "BusinessHours",
    "CaseStore",
    "Durations",
    "HistoryCheck",
    "Receipt",
    "Routing",
    "Rule",
    "Transitions",
    "cases_from",
    "durations",
]
