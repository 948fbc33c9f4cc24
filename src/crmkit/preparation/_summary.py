"""What lifetime models read of every customer: repeat purchases, age at the last one, age, mean spend, even gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.preparation._mid_life import warn_of_mid_life
from crmkit.preparation._purchases import purchase_days
from crmkit.preparation.units import age_column, days_in, last_purchase_column

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation._purchases import PurchaseDays

__all__ = ["purchase_summary", "summary_of"]


def purchase_summary(
    transactions: Any, *, cutoff: Any = None, unit: str = "week", refunds: str = "net"
) -> pd.DataFrame:
    """Sum every customer's purchases up for lifetime and spend models.

    A customer's clock starts with the first purchase day seen; the purchases after it are the repeats. Purchases of
    one local calendar day are one purchase. The age runs to the last day before the cutoff, the last on which a
    purchase could have been seen: with ``cutoff="1997-10-01"`` a customer of 1997-01-01 is 272 days old. The cost is
    one sort of the rows.

    The assumption is that the first purchase seen is the customer's first. Where a table starts in the middle of the
    lives of its customers that is wrong for many of them, and a warning says so: among at least fifty customers a
    side, the first four weeks show half as many again new customers as the next four, and those return within eight
    weeks clearly more often than customers first seen later.

    Parameters
    ----------
    transactions : table
        As for ``rfm_table``.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last line.
    unit : {"day", "week", "month", "quarter", "year"}, default="week"
        Of the two columns of time, and named in them; a month is 30.4375 days. Models read it from the names.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``rfm_table``. With ``"net"`` a refund is taken off the spend of the customer's latest purchase before
        it, with ``"match"`` off the very purchase it undoes.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``repeats`` (purchase days after the first), ``last_purchase_weeks`` (age
        at the last purchase; 0 without repeats), ``age_weeks`` (age at the cutoff), ``repeat_spend`` (mean spend of the
        repeat purchases, in the currency of ``amount``; 0 without repeats, and negative where refunds exceed it),
        ``first_spend`` (of the first purchase day, less what was refunded of it; only gamma-gamma reads it, where asked
        to), ``gap_evenness`` (geometric over arithmetic mean of the gaps between purchase days: 1 for a clock, about
        0.56 for many gaps at random, 0 without repeats; it has no unit, and only ``bg-cnbd-k`` reads it).

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used; the message names positions.

    Warns
    -----
    DataWarning
        If the table starts in the middle of its customers' lives, or customers have refunds only (they are left out).

    See Also
    --------
    rfm_table : Recency, frequency and monetary value of the same customers.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import purchase_summary
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 14, 7], "amount": [20.0, 30.0, 5.0]})
    >>> summary = purchase_summary(sales, cutoff=29)
    >>> summary.loc["a", ["repeats", "last_purchase_weeks", "age_weeks"]].to_dict()
    {'repeats': 1.0, 'last_purchase_weeks': 2.0, 'age_weeks': 4.0}
    >>> summary.loc["a", ["repeat_spend", "first_spend", "gap_evenness"]].to_dict()
    {'repeat_spend': 30.0, 'first_spend': 20.0, 'gap_evenness': 1.0}
    """
    days_in(unit)
    purchases = purchase_days(transactions, cutoff=cutoff, refunds=refunds)
    warn_of_mid_life(purchases)
    return summary_of(purchases, unit)


def summary_of(purchases: PurchaseDays, unit: str) -> pd.DataFrame:
    """Give the purchase summary of purchase days."""
    length = days_in(unit)
    first, last = purchases.first, purchases.last
    joined = purchases.day[first]
    repeats = purchases.count - 1
    spend = np.bincount(purchases.customer, purchases.spend, minlength=len(purchases.ids)) - purchases.spend[first]
    return pd.DataFrame(
        {
            "repeats": repeats,
            last_purchase_column(unit): (purchases.day[last] - joined) / length,
            age_column(unit): (purchases.cutoff_day - 1 - joined) / length,
            "repeat_spend": np.where(repeats > 0, spend / np.maximum(repeats, 1), 0.0),
            "first_spend": purchases.spend[first],
            "gap_evenness": _gap_evenness(purchases, purchases.day[last] - joined, repeats),
        },
        index=purchases.ids,
    )


def _gap_evenness(
    purchases: PurchaseDays, days: npt.NDArray[np.int64], repeats: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Give the geometric over the arithmetic mean of each customer's gaps between purchase days."""
    same = purchases.customer[1:] == purchases.customer[:-1]
    log_gaps = np.bincount(
        purchases.customer[1:][same], np.log(np.diff(purchases.day)[same]), minlength=len(purchases.ids)
    )
    gaps = np.maximum(repeats, 1)
    # Logarithms first, so that even gaps give 1 but for rounding, and never more.
    ratio = np.exp(np.minimum(log_gaps / gaps - np.log(np.maximum(days, 1) / gaps), 0.0))
    return np.where(repeats > 0, ratio, 0.0)
