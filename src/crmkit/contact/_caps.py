"""How often each customer was contacted, and which contacts would be one too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.contact._ids import same_kind
from crmkit.contact._zones import instants
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.contact._terms import Limit

    Ints = npt.NDArray[np.int64]

__all__ = ["Contacts"]


class Contacts:
    """The contacts a company made up to an instant, counted by customer.

    Rows whose ``direction`` is ``"in"`` are left out: a customer who writes is not contacted. Two contacts at one
    instant are two. A contact without customer or time cannot be counted and is refused.
    """

    def __init__(self, history: Any, customers: pd.Index, at: pd.Timestamp) -> None:
        self.at = at
        self.customers = customers
        table = as_frame({"customer_id": [], "time": []} if history is None else history, what="history")
        require_columns(table, ["customer_id", "time"], what="history")
        self.known = history is not None
        same_kind(table["customer_id"], customers, "history")
        time = instants(table["time"], "history: time")
        missing = table["customer_id"].isna().to_numpy(dtype=bool) | np.asarray(time.isna())
        if missing.any():
            raise DataError(f"history: customer_id or time is missing in {positions(missing)}: drop or mend these rows")
        keep = np.asarray(time <= at)
        if "direction" in table.columns:
            keep &= (table["direction"].astype(object) != "in").to_numpy(dtype=bool)
        self.table = table.loc[keep]
        self.time = time[keep]
        self.row = customers.get_indexer(pd.Index(self.table["customer_id"].to_numpy(dtype=object)))

    def counts(self, days: float, **same: str | None) -> Ints:
        """Count each customer's contacts within so many days whose columns hold these values or are missing."""
        inside = np.asarray(self.time > self.at - pd.Timedelta(days=float(days))) & (self.row >= 0)
        for name, value in same.items():
            if value is None or not self.known:
                continue
            require_columns(self.table, [name], what="history", hint=f"a limit or rhythm counts contacts by {name}")
            column = self.table[name].astype(object)
            inside &= ((column == value) | column.isna()).to_numpy(dtype=bool)
        return np.bincount(self.row[inside], minlength=len(self.customers)).astype(np.int64)

    def full(self, limit: Limit) -> npt.NDArray[np.bool_]:
        """Say for whom one more contact would break a limit."""
        return self.counts(limit.days, channel=limit.channel, purpose=limit.purpose) >= limit.most
