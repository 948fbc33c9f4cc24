"""Says where the rows begin too late for what the columns say: short windows, and customers older than the table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataWarning
from crmkit.preparation._mid_life import warn_of_mid_life
from crmkit.preparation._purchases import PurchaseDays

if TYPE_CHECKING:
    from crmkit.preparation.feature_tables._clock import Clock
    from crmkit.preparation.feature_tables._rows import EventRows

__all__ = ["warn_of_short_history"]


def warn_of_short_history(
    rows: tuple[EventRows, ...], clock: Clock, windows: tuple[int, ...], *, stacklevel: int
) -> None:
    """Warn of windows that see less than they say, and of first purchases that are not the first.

    Parameters
    ----------
    rows : tuple of EventRows
        The tables.
    clock : Clock
        The cutoffs.
    windows : tuple of int
        Days.
    stacklevel : int
        Whose line the warnings point at, seen from the caller.
    """
    for one in rows:
        if not len(one):
            continue
        first = int(one.moment.min())
        short = [window for window in windows if (clock.ticks - window * clock.day < first).any()]
        if short:
            days = (clock.ticks - first) / clock.day
            warnings.warn(
                f"{one.name or 'events'} begin {days.min():.0f} to {days.max():.0f} days before the cutoffs: windows "
                f"of {', '.join(map(str, short))} days reach back before the first row, and what they count is not "
                "comparable between cutoffs",
                DataWarning,
                stacklevel=stacklevel,
            )
    if "amount" in rows[0].measures:
        warn_of_mid_life(_purchase_days(rows[0], clock), stacklevel=stacklevel + 1)


def _purchase_days(rows: EventRows, clock: Clock) -> PurchaseDays:
    """Give the purchase days before the last cutoff, without their money."""
    bought = ~rows.back & (rows.moment < clock.ticks[-1])
    customer, day = rows.customer[bought], rows.day[bought]
    new = (np.diff(customer, prepend=-1) != 0) | (np.diff(day, prepend=0) != 0)
    there, customer = np.unique(customer[new], return_inverse=True)
    nothing = np.zeros(0)
    return PurchaseDays(rows.ids[there], customer, day[new], nothing, nothing, clock.cutoffs[-1].day)
