"""Order lines brought to orders, each cancellation beside the order it undoes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError
from crmkit.preparation._events import amounts, calendar_days, customer_codes, times, transactions_frame
from crmkit.preparation._matching import Matches, match_cancellations, refund_lines

__all__ = ["Orders", "orders"]


@dataclass(frozen=True)
class Orders:
    """Orders, and which of their lines were cancelled by which.

    Attributes
    ----------
    table : pandas.DataFrame
        One row an order, by customer and time: ``order_id``, ``customer_id``, ``day`` and ``time`` (of its first line;
        time where there is one), ``lines``, ``quantity`` (where there is one), ``amount`` (of all lines), ``cancelled``
        (what later lines took back of it, positive), ``is_cancellation`` (every line takes something back),
        ``unmatched`` (what its own cancelled lines take back of no line in the table, positive).
    matches : pandas.DataFrame
        One row a pair of lines: ``cancellation_line`` and ``order_line`` (row positions in the transactions),
        ``customer_id``, ``cancellation_id`` and ``order_id``, ``quantity`` and ``amount`` undone (positive),
        ``days_between``, ``exact`` (both lines have the same quantity).
    unmatched : pandas.DataFrame
        One row a cancelled line of which something belongs to no line in the table: ``line`` (row position),
        ``customer_id``, ``order_id``, ``quantity`` and ``amount`` left (positive).
    """

    table: pd.DataFrame
    matches: pd.DataFrame
    unmatched: pd.DataFrame

    def _counts(self) -> dict[str, int]:
        """Count what people ask first."""
        matched = self.matches["cancellation_line"].nunique()
        return {
            "orders": int((~self.table["is_cancellation"]).sum()),
            "cancelled orders": int(self.table["is_cancellation"].sum()),
            "cancelled lines matched": matched,
            "cancelled lines without a match, wholly or in part": len(self.unmatched),
        }

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {count:,}" for name, count in self._counts().items())

    def _repr_html_(self) -> str:
        """Show the counts."""
        return html.table(["", "count"], list(self._counts().items()), caption="Orders")


def orders(transactions: Any, *, product: str | None = None) -> Orders:
    """Bring order lines to orders and match every cancelled line to the line it undoes.

    A cancelled line is one with a negative amount or quantity. First it takes the latest earlier line of the same
    customer, product, unit price and quantity that no other cancellation has taken. What is left then takes units of
    the customer's latest earlier lines of the same product and unit price: a part of one, or of several. What finds no
    such line stays in ``unmatched`` with its units: mostly goods bought before the table begins, price corrections,
    and fees. Lines of one instant count as bought before they were cancelled; prices and quantities are compared to
    four decimals. The cost is a few sorts of the rows.

    Parameters
    ----------
    transactions : table
        One row an order line: ``customer_id``, ``order_id``, ``day`` or ``time``, and ``amount`` or ``quantity`` and
        ``unit_price``.
    product : str or None
        The column that names the product; None for ``product_id`` or ``item_id``. Where there is neither, price and
        quantity alone decide, which can pair different products of one price.

    Returns
    -------
    Orders
        ``table``, ``matches``, ``unmatched``. Every cancelled unit is in exactly one of the last two.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import orders
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "a"],
    ...         "order_id": ["1", "2", "C3"],
    ...         "product_id": ["lamp", "lamp", "lamp"],
    ...         "day": [0, 5, 9],
    ...         "quantity": [2, 2, -2],
    ...         "unit_price": [10.0, 10.0, 10.0],
    ...     }
    ... )
    >>> orders(lines).matches[["cancellation_id", "order_id", "amount"]]
      cancellation_id order_id  amount
    0              C3        2    20.0
    """
    frame = transactions_frame(transactions)
    require_columns(frame, ["order_id"], what="transactions")
    missing = frame["order_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"transactions: order_id is missing in {positions(missing)}")
    amount = amounts(frame)
    quantity = (
        frame["quantity"].to_numpy(dtype=np.float64)
        if "quantity" in frame.columns
        else np.where(refund_lines(frame, amount), -1.0, 1.0)
    )
    lines = pd.DataFrame(
        {
            "customer": customer_codes(frame)[0],
            "customer_id": frame["customer_id"].to_numpy(),
            "order_id": frame["order_id"].to_numpy(),
            "day": calendar_days(frame),
            "quantity": quantity,
            "amount": amount,
            "back": refund_lines(frame, amount),
        }
    )
    time = times(frame)
    if time is not None:
        lines["time"] = time.reset_index(drop=True)
    # A line without units (a correction of the amount) is one unit of its amount.
    lines["units"] = np.where(quantity == 0, 1.0, np.abs(quantity))
    found = match_cancellations(frame, product=product)
    matches = _matches(lines, found)
    return Orders(_table(lines, found, with_quantity="quantity" in frame.columns), matches, _unmatched(lines, found))


def _matches(lines: pd.DataFrame, found: Matches) -> pd.DataFrame:
    """List the pairs, in the order of the cancelled lines."""
    order = np.lexsort((found.purchase, found.cancellation))
    taken, laid = found.cancellation[order], found.purchase[order]
    back, kept = lines.iloc[taken].reset_index(drop=True), lines.iloc[laid].reset_index(drop=True)
    return pd.DataFrame(
        {
            "cancellation_line": taken,
            "order_line": laid,
            "customer_id": back["customer_id"],
            "cancellation_id": back["order_id"],
            "order_id": kept["order_id"],
            "quantity": found.quantity[order],
            "amount": found.quantity[order] * (kept["amount"] / kept["units"]),
            "days_between": back["day"] - kept["day"],
            "exact": found.exact[order],
        }
    )


def _left(lines: pd.DataFrame, found: Matches) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give the units of each cancelled line that found no line; 0 for lines that take nothing back."""
    matched = np.bincount(found.cancellation, found.quantity, minlength=len(lines))
    left = np.where(lines["back"], lines["units"] - matched, 0.0)
    return np.where(left > 1e-4, left, 0.0)


def _unmatched(lines: pd.DataFrame, found: Matches) -> pd.DataFrame:
    """List what is left of the cancelled lines."""
    left = _left(lines, found)
    rows = np.flatnonzero(left)
    rest = lines.iloc[rows].reset_index(drop=True)
    return pd.DataFrame(
        {
            "line": rows,
            "customer_id": rest["customer_id"],
            "order_id": rest["order_id"],
            "quantity": left[rows],
            "amount": left[rows] * (rest["amount"].abs() / rest["units"]),
        }
    )


def _table(lines: pd.DataFrame, found: Matches, *, with_quantity: bool) -> pd.DataFrame:
    """Add lines up to orders."""
    price = (lines["amount"].abs() / lines["units"]).to_numpy()
    lines = lines.assign(
        cancelled=np.bincount(found.purchase, found.quantity, minlength=len(lines)) * price,
        unmatched=_left(lines, found) * price,
        order=pd.factorize(lines["order_id"])[0],
    )
    named: dict[str, Any] = {
        "order_id": ("order_id", "first"),
        "customer_id": ("customer_id", "first"),
        "day": ("day", "min"),
        **({"time": ("time", "min")} if "time" in lines.columns else {}),
        "lines": ("day", "size"),
        **({"quantity": ("quantity", "sum")} if with_quantity else {}),
        "amount": ("amount", "sum"),
        "cancelled": ("cancelled", "sum"),
        "is_cancellation": ("back", "all"),
        "unmatched": ("unmatched", "sum"),
    }
    table: pd.DataFrame = lines.groupby(["customer", "order"], sort=True).agg(**named).reset_index()
    when = "time" if "time" in table.columns else "day"
    return table.sort_values(["customer", when, "order"], kind="stable", ignore_index=True)[list(named)]
