"""Puts everything known of one person in the order in which it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.errors import DataError
from crmkit.records._cells import as_ids
from crmkit.records._tables import named_tables

if TYPE_CHECKING:
    from crmkit.records._links import Links

__all__ = ["timeline"]


def timeline(customer_id: Any, tables: Any, *, links: Links | None = None) -> pd.DataFrame:
    """List what is known of one customer, oldest first.

    Parameters
    ----------
    customer_id : str or int
        Whose; with ``links``, any id of the person.
    tables : mapping of str to Loaded or DataFrame
        Tables with ``customer_id``; those without it are left out.
    links : Links, default=None
        From ``link``: the rows of all ids of the person are listed.

    Returns
    -------
    pandas.DataFrame
        One row an event: ``time``, ``day`` (where the tables have them), ``table``, ``customer_id``, then every column
        in which a listed row has a value. Rows without a time stand at the end, equal times in the tables' order.

    Raises
    ------
    DataError
        If no table has a row of that customer.

    Notes
    -----
    The result shows what the tables hold, personal data included.

    Examples
    --------
    >>> from crmkit import records
    >>> sales = records.read({"customer_id": [7, 7], "time": ["2024-05-02", "2024-05-01"], "amount": [9, 5]},
    ...                      records.TRANSACTIONS)
    >>> calls = records.read({"customer_id": [7], "time": ["2024-05-01 12:00"], "channel": ["phone"]},
    ...                      records.COMMUNICATIONS)
    >>> records.timeline(7, {"sales": sales, "calls": calls})["table"].tolist()
    ['sales', 'calls', 'sales']
    """
    wanted = as_ids(pd.Series([customer_id], dtype=object)).values.iloc[0]
    ids = [wanted] if links is None else links.ids_of(wanted)
    parts = []
    for table in named_tables(tables):
        if "customer_id" not in table.frame.columns:
            continue
        space = None if links is None else links.namespaces.get(table.name)
        here = (
            ids if space is None else [each.removeprefix(f"{space}:") for each in ids if each.startswith(f"{space}:")]
        )
        rows = table.frame[table.frame["customer_id"].isin(here).to_numpy(dtype=bool)]
        if len(rows):
            parts.append(rows.dropna(axis="columns", how="all").assign(table=table.name))
    if not parts:
        raise DataError("timeline: no table has a row of that customer_id")
    together = pd.concat(parts, ignore_index=True)
    if "time" in together:
        together = together.sort_values("time", kind="stable", na_position="last", ignore_index=True)
    first = [name for name in ("time", "day", "table", "customer_id") if name in together.columns]
    return together[[*first, *(name for name in together.columns if name not in first)]]
