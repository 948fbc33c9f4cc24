"""A simulated company with known truth, and public data sets by pinned address and checksum."""

from __future__ import annotations

from crmkit.datasets._company import Company, Truth, make_company

__all__ = ["Company", "Truth", "make_company"]
