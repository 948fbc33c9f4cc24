"""One row a customer: purchases, habits, feedback and contacts side by side, all before one cutoff."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crmkit.core import html
from crmkit.core.checks import by_customer
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._customer_columns import contact_columns, feedback_columns, habit_columns
from crmkit.preparation._cutoff import Cutoff, as_cutoff
from crmkit.preparation._purchases import purchase_days
from crmkit.preparation._redundancy import constant_columns, redundant_columns
from crmkit.preparation._rfm import rfm_of

__all__ = ["CustomerTable", "customer_table"]


@dataclass(frozen=True)
class CustomerTable:
    """A customer table and what of it says nothing.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``customer_id``: every column.
    constant : list of str
        Columns in which all known values are equal.
    redundant : pandas.DataFrame
        A row for each numeric column that is nearly a straight line of an earlier one: ``column``, ``like``,
        ``correlation``.
    """

    table: pd.DataFrame
    constant: list[str]
    redundant: pd.DataFrame

    @property
    def useful(self) -> pd.DataFrame:
        """The table without its constant and redundant columns."""
        return self.table.drop(columns=[*self.constant, *self.redundant["column"]])

    def __repr__(self) -> str:
        lines = [f"{len(self.table):,} customers, {self.table.shape[1]} columns"]
        if self.constant:
            lines.append(f"  constant: {', '.join(self.constant)}")
        lines += [f"  {row.column} is like {row.like} ({row.correlation:.3f})" for row in self.redundant.itertuples()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the columns."""
        like = dict(zip(self.redundant["column"], self.redundant["like"], strict=True))
        rows = [
            (
                name,
                int(self.table[name].notna().sum()),
                "constant" if name in self.constant else f"like {like[name]}" if name in like else "",
            )
            for name in map(str, self.table.columns)
        ]
        return html.table(["column", "known", "remark"], rows, caption=f"{len(self.table):,} customers")


def customer_table(
    transactions: Any,
    *,
    customers: Any = None,
    feedback: Any = None,
    communications: Any = None,
    cutoff: Any = None,
    refunds: str = "net",
    redundant_above: float = 0.98,
) -> CustomerTable:
    """Put what is known of every customer at a cutoff into one row.

    Every column reads only rows before the cutoff. A customer is in the table who has a purchase before it; rows of
    other customers in the other tables are not used. Counts are 0 where there is nothing to count; what cannot be said
    of a customer (the mean gap of one purchase, the score of someone never asked) is missing, never invented.

    Parameters
    ----------
    transactions : table
        As for ``rfm_table``.
    customers : table or None
        One row a customer; its columns come first, as they are.
    feedback : table or None
        One row an answer: ``customer_id``, ``score``, ``day`` or ``time``, and ``question`` where there are several.
        Answers without a time cannot be placed before the cutoff: they are left out, and counted in a warning.
    communications : table or None
        One row a contact: ``customer_id``, ``day`` or ``time``, and, where known, ``direction``, ``channel`` and
        ``duration`` in seconds.
    cutoff : date, time, text of one, or None
        Exclusive, for all tables; None for the day after the last line.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``rfm_table``.
    redundant_above : float, default=0.98
        Size of correlation from which on a column is reported as redundant.

    Returns
    -------
    CustomerTable
        ``table`` with ``recency_days``, ``frequency``, ``monetary``; habits ``tenure_days`` (since the first purchase),
        ``mean_spend`` (a purchase day), ``mean_gap_days`` (between purchase days), ``gap_variation`` (their standard
        deviation over their mean), ``weekend_share``, ``refund_share`` (refunded of what was paid), ``products``
        (distinct); feedback ``answers``, ``score`` (mean; ``score_<question>`` where there are questions),
        ``answer_days`` (since the last); contacts ``contacts``, ``contact_days`` (since the last), ``inbound_share``,
        ``channels`` (distinct), ``contact_seconds`` (total). Columns whose source column is not there are left out.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or two tables give a column of one name.

    Warns
    -----
    DataWarning
        If answers have no time, or customers have no purchase that stands.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import customer_table
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [0, 10, 4], "amount": [20.0, 30.0, 5.0]})
    >>> answers = pd.DataFrame({"customer_id": ["b", "b"], "day": [5, 99], "score": [4, 1]})
    >>> customer_table(sales, feedback=answers).table.loc["b", ["frequency", "answers", "score"]].tolist()
    [1.0, 1.0, 4.0]
    """
    purchases = purchase_days(transactions, cutoff=cutoff, refunds=refunds)
    rfm = rfm_of(purchases)
    limit = as_cutoff(cutoff) if cutoff is not None else Cutoff(purchases.cutoff_day)
    parts: list[pd.DataFrame] = [rfm, habit_columns(transactions, purchases, limit)]
    if customers is not None:
        people = by_customer(customers, what="customers")
        without = ~rfm.index.isin(people.index)
        if without.any():
            warnings.warn(
                f"{int(without.sum()):,} of {len(rfm):,} customers who bought are not in the table of customers "
                "(are the ids of one kind?)",
                DataWarning,
                stacklevel=2,
            )
        parts.insert(0, people.reindex(rfm.index))
    if feedback is not None:
        parts.append(feedback_columns(feedback, rfm.index, limit))
    if communications is not None:
        parts.append(contact_columns(communications, rfm.index, limit))
    names = [name for part in parts for name in part.columns]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"two tables give the column {', '.join(twice)}: rename it in one of them")
    table = pd.concat(parts, axis=1)
    constant = constant_columns(table)
    return CustomerTable(table, constant, redundant_columns(table.drop(columns=constant), above=redundant_above))
