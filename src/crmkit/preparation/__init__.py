"""From raw tables to what models read: cleaning, orders, RFM and purchase summaries, time splits, transforms."""

from __future__ import annotations

from crmkit.preparation._cutoff import Cutoff, as_cutoff
from crmkit.preparation._events import calendar_days
from crmkit.preparation._rfm import rfm_table
from crmkit.preparation._split import TimeSplit, time_split
from crmkit.preparation._summary import purchase_summary
from crmkit.preparation.units import days_in

__all__ = [
    "Cutoff",
    "TimeSplit",
    "as_cutoff",
    "calendar_days",
    "days_in",
    "purchase_summary",
    "rfm_table",
    "time_split",
]
