"""How loyal each customer is: a declared, weighted index on scales that know nothing of other customers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import as_cutoff, time_split
from crmkit.preparation._events import amounts, customer_codes
from crmkit.preparation._matching import refund_lines
from crmkit.preparation._purchases import purchase_days
from crmkit.value.relationship._weights import is_weight, read_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation._purchases import PurchaseDays

    Floats = npt.NDArray[np.float64]

__all__ = ["LOYALTY_HALVES", "LOYALTY_WEIGHTS", "loyalty"]

LOYALTY_WEIGHTS: Mapping[str, float] = {
    "repeat": 0.30,
    "recency": 0.25,
    "regularity": 0.15,
    "tenure": 0.15,
    "breadth": 0.15,
}
"""What each part counts."""

LOYALTY_HALVES: Mapping[str, float] = {"repeat": 3, "recency": 90, "regularity": 2, "tenure": 365, "breadth": 5}
"""Where each part is a half: repeat purchases, days since the last purchase, pairs of gaps, days as a customer, and
further products."""

_PRODUCTS = ("product_id", "item_id", "category")


def loyalty(
    transactions: Any,
    *,
    cutoff: Any = None,
    weights: Mapping[str, float] | None = None,
    halves: Mapping[str, float] | None = None,
    breadth_by: str | None = None,
    refunds: str = "net",
) -> pd.DataFrame:
    """Give each customer an index of loyalty from 0 to 1, with its parts beside it.

    Every part is a number from 0 to 1 on a declared scale, worked out from the customer's own purchases alone. So the
    index of a customer does not change because others came or left, and next month's can be laid beside this month's.
    Each scale is set by the one amount at which its part is a half (``halves``):

    ============ ====================================================================== =========================
    part         of                                                                     half
    ============ ====================================================================== =========================
    repeat       ``x / (x + half)``, x the repeat purchases                             3 purchases
    recency      ``2 ** (-d / half)``, d the days since the last purchase               90 days
    regularity   ``1 / (1 + v)`` times ``p / (p + half)``, v the squared variation of   2 pairs of gaps
                 the gaps between purchases and p one less than the gaps
    tenure       ``t / (t + half)``, t the days from the first purchase to the cutoff   365 days
    breadth      ``b / (b + half)``, b the distinct products beyond the first           5 products
    ============ ====================================================================== =========================

    It is a declared yardstick, not a forecast: who will buy again is told by ``lifecycle`` and the lifetime models.
    The cost is one sort of the rows, and one of the products.

    Parameters
    ----------
    transactions : table
        As for ``preparation.rfm_table``, and the column of products. Purchases of one local calendar day are one.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last line.
    weights : mapping of str to float, or None
        What each part counts: None is repeat 0.30, recency 0.25, regularity 0.15, tenure 0.15, breadth 0.15. They need
        not sum to 1; a part that is not named does not count.
    halves : mapping of str to float, or None
        Other amounts than those above, for any of the parts. Take those that suit the trade: 90 days are long for
        groceries and short for furniture.
    breadth_by : str or None, default=None
        The column whose distinct values are counted; None for the first there is of ``product_id``, ``item_id``,
        ``category``. Refunds and missing values do not count; what was bought and given back does.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``preparation.rfm_table``: what makes a purchase day.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``loyalty``, then the parts that count, in the order of the table above. The
        index is the mean of the parts by their weights.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or a weight or half is none.

    Warns
    -----
    DataWarning
        If breadth counts and there is no column of products: it is left out and the other weights are shared out anew.
        If customers have refunds only: they are left out.

    Notes
    -----
    Purchases at random have a squared variation ``v`` of 1, so that a half is what chance gives with many gaps; two
    gaps at least are needed to say anything, and a customer with fewer has shown no regularity: 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import loyalty
    >>> sales = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "a", "a", "b"],
    ...         "day": [0, 90, 180, 270, 180],
    ...         "amount": 20.0,
    ...         "product_id": ["p1", "p2", "p1", "p3", "p1"],
    ...     }
    ... )
    >>> loyalty(sales, cutoff=360).round(2).reset_index()
      customer_id  loyalty  repeat  recency  regularity  tenure  breadth
    0           a     0.47     0.5     0.50         0.5    0.50     0.29
    1           b     0.11     0.0     0.25         0.0    0.33     0.00
    """
    share = read_weights(weights, LOYALTY_WEIGHTS)
    half = _read_halves(halves)
    frame = as_frame(transactions, what="transactions")
    column = _product_column(frame, breadth_by) if "breadth" in share else None
    if "breadth" in share and column is None:
        share.pop("breadth")
        if not share:
            raise DataError(f"breadth alone counts, and there is none of the columns {', '.join(_PRODUCTS)}")
        share = read_weights(share, LOYALTY_WEIGHTS)
        told = ", ".join(f"{part} {weight:.3g}" for part, weight in share.items())
        warnings.warn(
            f"transactions has none of the columns {', '.join(_PRODUCTS)}: breadth is left out, and the weights are "
            f"{told}; name the column with breadth_by=, or leave breadth out of weights=",
            DataWarning,
            stacklevel=2,
        )
    purchases = purchase_days(frame, cutoff=cutoff, refunds=refunds)
    parts = _parts(purchases, half)
    if column is not None:
        more = _further_products(frame, column, purchases.ids, cutoff)
        parts["breadth"] = more / (more + half["breadth"])
    index = np.zeros(len(purchases.ids)) + sum(weight * parts[part] for part, weight in share.items())
    return pd.DataFrame({"loyalty": index, **{part: parts[part] for part in share}}, index=purchases.ids)


def _read_halves(halves: Any) -> dict[str, float]:
    """Check the amounts at which parts are a half."""
    if halves is not None and not isinstance(halves, Mapping):
        raise DataError(f"halves must map parts to amounts, got {type(halves).__name__}")
    unknown = sorted(str(part) for part in set(halves or {}) - set(LOYALTY_HALVES))
    if unknown:
        raise DataError(f"halves are for {', '.join(LOYALTY_HALVES)}, got {', '.join(unknown)}")
    half = {**LOYALTY_HALVES, **(halves or {})}
    wrong = [part for part, amount in half.items() if not is_weight(amount) or amount == 0]
    if wrong:
        raise DataError(f"halves must be finite numbers above 0; {', '.join(wrong)} is not")
    return half


def _product_column(frame: pd.DataFrame, breadth_by: str | None) -> str | None:
    """Give the column whose distinct values are counted, or None where there is none."""
    if breadth_by is not None:
        require_columns(frame, [breadth_by], what="transactions")
        return breadth_by
    return next((name for name in _PRODUCTS if name in frame.columns), None)


def _parts(purchases: PurchaseDays, half: Mapping[str, float]) -> dict[str, Floats]:
    """Work out the parts that need days alone."""
    size, day = len(purchases.ids), purchases.day.astype(np.float64)
    repeats = purchases.count.astype(np.float64) - 1
    same = np.diff(purchases.customer) == 0
    gap, owner = np.diff(day)[same], purchases.customer[1:][same]
    some = np.maximum(repeats, 1)
    mean = np.bincount(owner, gap, minlength=size) / some
    pairs = np.maximum(repeats - 1, 0)
    spread = np.bincount(owner, (gap - mean[owner]) ** 2, minlength=size) / np.maximum(pairs, 1)
    variation = np.divide(spread, mean**2, out=np.zeros(size), where=mean > 0)
    recency = purchases.cutoff_day - day[purchases.last]
    tenure = purchases.cutoff_day - day[purchases.first]
    parts = {
        "repeat": repeats / (repeats + half["repeat"]),
        "recency": 2.0 ** (-recency / half["recency"]),
        "regularity": pairs / (pairs + half["regularity"]) / (1 + variation),
        "tenure": tenure / (tenure + half["tenure"]),
    }
    return {part: np.asarray(values, dtype=np.float64) for part, values in parts.items()}


def _further_products(frame: pd.DataFrame, column: str, ids: pd.Index, cutoff: Any) -> Floats:
    """Count each customer's distinct products beyond the first, before the cutoff."""
    known = frame if cutoff is None else time_split(frame, as_cutoff(cutoff)).before
    known = known.loc[~refund_lines(known, amounts(known)) & known[column].notna().to_numpy(dtype=bool)]
    codes, own = customer_codes(known)
    product, unique = pd.factorize(known[column])
    pairs = pd.unique(ids.get_indexer(own)[codes].astype(np.int64) * max(len(unique), 1) + product)
    who = pairs // max(len(unique), 1)
    return np.maximum(np.bincount(who[who >= 0], minlength=len(ids)).astype(np.float64) - 1, 0)
