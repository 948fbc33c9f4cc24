"""Reduces transactions to one row a customer and purchase day, the form every purchase summary starts from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._cutoff import Cutoff, as_cutoff, rows_before
from crmkit.preparation._events import amounts, calendar_days, customer_codes, times, transactions_frame
from crmkit.preparation._last_day import day_after_last
from crmkit.preparation._matching import refund_lines, undo_cancellations

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["REFUNDS", "PurchaseDays", "purchase_days"]

REFUNDS = ("net", "ignore", "match")


@dataclass(frozen=True)
class PurchaseDays:
    """Purchase days of customers before a cutoff, sorted by customer and day.

    Parameters
    ----------
    ids : pandas.Index, shape (n_customers,)
        Customers with at least one purchase day, sorted.
    customer : ndarray of int, shape (n_purchase_days,)
        Position in ``ids``.
    day : ndarray of int64, shape (n_purchase_days,)
        Local calendar days.
    spend : ndarray of float, shape (n_purchase_days,)
        What was paid for the purchases of that day, less what was refunded of them.
    monetary : ndarray of float, shape (n_customers,)
        Everything paid less everything refunded before the cutoff.
    cutoff_day : int
        The first day that is no longer seen.
    """

    ids: pd.Index
    customer: npt.NDArray[np.intp]
    day: npt.NDArray[np.int64]
    spend: npt.NDArray[np.float64]
    monetary: npt.NDArray[np.float64]
    cutoff_day: int

    @cached_property
    def first(self) -> npt.NDArray[np.intp]:
        """Position of each customer's first purchase day."""
        return np.flatnonzero(np.diff(self.customer, prepend=-1))

    @cached_property
    def last(self) -> npt.NDArray[np.intp]:
        """Position of each customer's last purchase day."""
        return np.flatnonzero(np.diff(self.customer, append=len(self.ids)))

    @cached_property
    def count(self) -> npt.NDArray[np.int64]:
        """Purchase days of each customer."""
        return (self.last - self.first + 1).astype(np.int64)


def purchase_days(transactions: Any, *, cutoff: Any = None, refunds: str = "net", stacklevel: int = 3) -> PurchaseDays:
    """Reduce transactions to purchase days.

    Parameters
    ----------
    transactions : table
        With ``customer_id``, ``day`` (or ``time``) and ``amount`` (or ``quantity`` and ``unit_price``).
    cutoff : date, time or None
        Exclusive; None for the day after the last line.
    refunds : {"net", "ignore", "match"}
        See ``rfm_table``.
    stacklevel : int, default=3
        Whose line the warning of customers that are left out points at.

    Returns
    -------
    PurchaseDays
        The purchase days.
    """
    if refunds not in REFUNDS:
        raise DataError(f"refunds must be one of {', '.join(map(repr, REFUNDS))}, got {refunds!r}")
    frame = transactions_frame(transactions)
    day, amount = calendar_days(frame), amounts(frame)
    back = refund_lines(frame, amount)
    # What came back after the last purchase still counts, unless refunds are as if they were not there.
    if cutoff is None:
        counted = ~back if refunds == "ignore" else None
        limit = Cutoff(day_after_last(day, what="transactions", counted=counted))
    else:
        limit = as_cutoff(cutoff)
    seen = rows_before(limit, day, times(frame))
    codes, ids = customer_codes(frame)
    present = np.bincount(codes if seen.all() else codes[seen], minlength=len(ids)) > 0
    if refunds == "ignore":
        seen &= ~back
    if refunds == "match" and back[seen].any():
        amount, gone = undo_cancellations(frame, np.flatnonzero(seen), amount)
        seen &= ~gone
    # Millions of rows are not copied where all of them are seen.
    rows = slice(None) if seen.all() else seen
    cutoff_day = max(limit.day, int(day[rows].max(initial=limit.day - 1)) + 1)
    purchases = _reduce(codes[rows], ids, day[rows], amount[rows], back[rows], cutoff_day=cutoff_day)
    if len(day) and not present.any():
        warnings.warn("no row is before the cutoff: the result is empty", DataWarning, stacklevel=stacklevel)
    left_out = int(present.sum()) - len(purchases.ids)
    if left_out:
        only = "refunds or purchases that were wholly cancelled" if refunds == "match" else "refunds"
        warnings.warn(
            f"{left_out:,} of {present.sum():,} customers have no purchase before the cutoff, only {only}: "
            "they are left out",
            DataWarning,
            stacklevel=stacklevel,
        )
    return purchases


def _reduce(
    codes: npt.NDArray[np.intp],
    ids: pd.Index,
    day: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
    back: npt.NDArray[np.bool_],
    *,
    cutoff_day: int,
) -> PurchaseDays:
    """Add lines up by customer and day, and charge refunds to the purchase before them."""
    earliest = int(day.min(initial=0))
    # Rows of customers, columns of days: scipy adds up what falls into one cell, in time linear in the lines.
    shape = len(ids), int(day.max(initial=0)) - earliest + 1
    place = codes.astype(np.int32), (day - earliest).astype(np.int32)
    cells = _added_up(amount, place, shape)
    who = np.repeat(np.arange(len(ids)), np.diff(cells.indptr))
    when = cells.indices.astype(np.int64) + earliest
    spend = cells.data
    monetary = np.bincount(who, spend, minlength=len(ids)).astype(np.float64)
    if back.any():
        # Refunds take money back, not the visit: a day with a purchase is a purchase day, a free purchase included.
        is_purchase = _added_up(~back, place, shape).data
        # The latest purchase day before each refund of the same customer, -1 where there is none.
        latest = np.maximum.accumulate(np.where(is_purchase, np.arange(len(who)), -1))
        owner = np.where((latest >= 0) & (who[latest] == who), latest, -1)
        charged = np.bincount(owner[owner >= 0], spend[owner >= 0], minlength=len(who)).astype(np.float64)
        who, when, spend = who[is_purchase], when[is_purchase], charged[is_purchase]
    bought = np.bincount(who, minlength=len(ids)) > 0
    if not bought.all():
        ids, monetary, who = ids[bought], monetary[bought], (np.cumsum(bought) - 1)[who]
    return PurchaseDays(ids=ids, customer=who, day=when, spend=spend, monetary=monetary, cutoff_day=cutoff_day)


def _added_up(values: npt.NDArray[Any], place: tuple[Any, Any], shape: tuple[int, int]) -> sparse.csr_array:
    """Add values up by row and column; cells that come to 0 stay."""
    cells = sparse.csr_array((values, place), shape=shape)
    cells.sum_duplicates()
    return cells
