"""Reduces transactions to one row a customer and purchase day, the form every purchase summary starts from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._cutoff import Cutoff, as_cutoff, rows_before
from crmkit.preparation._events import amounts, calendar_days, customer_codes, times, transactions_frame
from crmkit.preparation._matching import match_cancellations, refund_lines

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["REFUNDS", "PurchaseDays", "purchase_days"]

REFUNDS = ("net", "ignore", "match")

# A day whose purchases and refunds cancel out differs from zero only by rounding.
_ROUNDING = 1e-9


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

    @property
    def first(self) -> npt.NDArray[np.intp]:
        """Position of each customer's first purchase day."""
        return np.searchsorted(self.customer, np.arange(len(self.ids)))

    @property
    def last(self) -> npt.NDArray[np.intp]:
        """Position of each customer's last purchase day."""
        return np.searchsorted(self.customer, np.arange(len(self.ids)), side="right") - 1

    @property
    def count(self) -> npt.NDArray[np.int64]:
        """Purchase days of each customer."""
        return np.bincount(self.customer, minlength=len(self.ids)).astype(np.int64)


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
    counted = ~back if refunds == "ignore" else np.ones(len(day), dtype=bool)
    limit = as_cutoff(cutoff) if cutoff is not None else Cutoff(int(day[counted].max()) + 1 if counted.any() else 0)
    seen = rows_before(limit, day, times(frame))
    codes, ids = customer_codes(frame)
    present = np.bincount(codes[seen], minlength=len(ids)) > 0
    if refunds == "ignore":
        seen &= ~back
    if refunds == "match" and back[seen].any():
        amount, gone = _undo(frame, np.flatnonzero(seen), amount)
        seen &= ~gone
    cutoff_day = max(limit.day, int(day[seen].max(initial=limit.day - 1)) + 1)
    purchases = _reduce(codes[seen], ids, day[seen], amount[seen], back[seen], cutoff_day=cutoff_day)
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


def _undo(
    frame: pd.DataFrame, rows: npt.NDArray[np.intp], amount: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Take matched cancellations off the lines they undo; give new amounts and the lines that are gone."""
    matches = match_cancellations(frame.iloc[rows])
    units = np.ones(len(amount))
    if "quantity" in frame.columns:
        quantity = np.abs(frame["quantity"].to_numpy(dtype=np.float64)[rows])
        units[rows] = np.where(quantity > 0, quantity, 1.0)
    both = rows[np.concatenate([matches.purchase, matches.cancellation])]
    undone = np.bincount(both, np.tile(matches.quantity, 2), minlength=len(amount)) / units
    return amount * (1 - undone), undone >= 1 - _ROUNDING


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
    order = _sort_by(codes, day)
    codes, day, amount, back = codes[order], day[order], amount[order], back[order]
    new = np.ones(len(codes), dtype=bool)
    new[1:] = (codes[1:] != codes[:-1]) | (day[1:] != day[:-1])
    start = np.flatnonzero(new)
    group = np.cumsum(new) - 1
    who, when = codes[start], day[start]
    net = np.bincount(group, amount, minlength=len(start))
    refunds = np.bincount(group, back, minlength=len(start))
    lines = np.bincount(group, minlength=len(start))
    # Refunds take money back, not the visit: a day with a purchase is a purchase day, a free purchase included.
    is_purchase = lines > refunds
    monetary = np.bincount(who, net, minlength=len(ids))
    # The latest purchase day before each refund of the same customer, -1 where there is none.
    latest = np.maximum.accumulate(np.where(is_purchase, np.arange(len(start)), -1)) if len(start) else start
    owner = np.where((latest >= 0) & (who[latest] == who), latest, -1) if len(start) else start
    charged = np.bincount(owner[owner >= 0], net[owner >= 0], minlength=len(start))
    bought = np.bincount(who[is_purchase], minlength=len(ids)) > 0
    position = np.cumsum(bought) - 1
    return PurchaseDays(
        ids=ids[bought],
        customer=position[who[is_purchase]],
        day=when[is_purchase],
        spend=charged[is_purchase].astype(np.float64),
        monetary=monetary[bought].astype(np.float64),
        cutoff_day=cutoff_day,
    )


def _sort_by(codes: npt.NDArray[np.intp], day: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Sort by customer and day through one integer key, which is several times faster than two."""
    earliest, latest = day.min(initial=0), day.max(initial=0)
    span = int(latest) - int(earliest) + 1
    return np.argsort(codes.astype(np.int64) * span + (day - earliest), kind="stable")
