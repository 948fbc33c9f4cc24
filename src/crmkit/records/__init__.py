"""Reads customer records of any source into tables that every step understands, and loses no row."""

from __future__ import annotations

from crmkit.records._link import link
from crmkit.records._links import Links
from crmkit.records._loaded import Loaded, ReadReport
from crmkit.records._presets import Preset, presets
from crmkit.records._quality import quality
from crmkit.records._questionnaire import questionnaire
from crmkit.records._read import read
from crmkit.records._rows import (
    CampaignContact,
    Case,
    Communication,
    Customer,
    Event,
    Feedback,
    Opportunity,
    Rating,
    Row,
    Transaction,
    rows,
)
from crmkit.records._scale import Scale
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
from crmkit.records._timeline import timeline

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
    "CampaignContact",
    "Case",
    "Column",
    "Communication",
    "Customer",
    "Event",
    "Feedback",
    "Links",
    "Loaded",
    "Opportunity",
    "Preset",
    "Rating",
    "ReadReport",
    "Row",
    "Scale",
    "Schema",
    "Transaction",
    "header_key",
    "link",
    "presets",
    "quality",
    "questionnaire",
    "read",
    "rows",
    "timeline",
]
