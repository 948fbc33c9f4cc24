"""Recency, frequency and monetary value of every customer at a cutoff."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crmkit.preparation._purchases import PurchaseDays, purchase_days

__all__ = ["rfm_of", "rfm_table"]


def rfm_table(transactions: Any, *, cutoff: Any = None, refunds: str = "net") -> pd.DataFrame:
    """Say of every customer how long ago, how often and for how much they bought.

    All purchases of a customer on one local calendar day are one purchase. A customer is in the table from the first
    purchase before the cutoff on; one who has only refunds is left out, and counted in a warning. The table has the
    same customers as ``purchase_summary`` with the same cutoff and policy, so the two join row by row. The cost is one
    sort of the rows.

    Parameters
    ----------
    transactions : table
        One row an order line or purchase: ``customer_id``, ``day`` (local calendar day as days since 1970-01-01; where
        it is absent, the calendar day of ``time`` in the zone it is kept in) and ``amount`` (or ``quantity`` and
        ``unit_price``). ``records.read(source, records.TRANSACTIONS).table`` is one.
    cutoff : date, time, text of one, or None
        Exclusive. A bare date such as ``"2010-12-10"`` is local midnight and is compared with ``day``; anything with a
        time of day is an instant and is compared with ``time``. None stands for the day after the last line.
    refunds : {"net", "ignore", "match"}, default="net"
        What lines with a negative amount or quantity do. ``"net"``: they reduce the money and are never a purchase;
        every day with a purchase stays a purchase day. ``"ignore"``: they are as if they were not there. ``"match"``:
        as ``"net"``, but first every cancelled line undoes the line it belongs to (see ``orders``), so that a purchase
        that was wholly cancelled is no purchase day.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``recency_days`` (days from the last purchase day to the cutoff; 1 for a
        purchase on the day before), ``frequency`` (purchase days), ``monetary`` (everything paid less everything
        refunded before the cutoff; with ``"ignore"``, everything paid).

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used; the message names positions.

    Warns
    -----
    DataWarning
        If customers have refunds but no purchase before the cutoff.

    See Also
    --------
    purchase_summary : What lifetime models read.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import rfm_table
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 10, 4], "amount": [20.0, 30.0, 5.0]})
    >>> rfm_table(sales).reset_index()
      customer_id  recency_days  frequency  monetary
    0           a             1          2      50.0
    1           b             7          1       5.0
    """
    return rfm_of(purchase_days(transactions, cutoff=cutoff, refunds=refunds))


def rfm_of(purchases: PurchaseDays) -> pd.DataFrame:
    """Give the RFM table of purchase days."""
    return pd.DataFrame(
        {
            "recency_days": purchases.cutoff_day - purchases.day[purchases.last],
            "frequency": purchases.count,
            "monetary": purchases.monetary,
        },
        index=purchases.ids,
    )
