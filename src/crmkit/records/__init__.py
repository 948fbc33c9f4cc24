"""Reads customer records of any source into tables that every step understands, and loses no row."""

from __future__ import annotations

from crmkit.records._loaded import Loaded, ReadReport
from crmkit.records._presets import Preset, presets
from crmkit.records._read import read
from crmkit.records._schema import Column, Schema, header_key
from crmkit.records._schemas import (
    CAMPAIGNS,
    CASES,
    COMMUNICATIONS,
    CUSTOMERS,
    EVENTS,
    FEEDBACK,
    OPPORTUNITIES,
    RATINGS,
    SCHEMAS,
    TRANSACTIONS,
)

__all__ = [
    "CAMPAIGNS",
    "CASES",
    "COMMUNICATIONS",
    "CUSTOMERS",
    "EVENTS",
    "FEEDBACK",
    "OPPORTUNITIES",
    "RATINGS",
    "SCHEMAS",
    "TRANSACTIONS",
    "Column",
    "Loaded",
    "Preset",
    "ReadReport",
    "Schema",
    "header_key",
    "presets",
    "read",
]
