"""A simulated company with known truth, and public data sets by pinned address and checksum."""

from __future__ import annotations

from crmkit.datasets._company import Company
from crmkit.datasets._make_company import make_company
from crmkit.datasets._public import Source, describe, fetch, load, sources
from crmkit.datasets._truth import Truth

__all__ = ["Company", "Source", "Truth", "describe", "fetch", "load", "make_company", "sources"]
