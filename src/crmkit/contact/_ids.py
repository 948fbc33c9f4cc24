"""Ids of customers in tables that are joined: of one kind, or a refusal would go unseen."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crmkit.core.errors import DataError

__all__ = ["same_kind"]


def same_kind(ids: Any, customers: pd.Index, what: str) -> None:
    """Refuse ids of another kind than the customers' (text and numbers), which would match nobody."""
    kinds = [
        "text" if kind in {"string", "empty"} else kind
        for kind in (pd.api.types.infer_dtype(values, skipna=True) for values in (pd.Series(ids), customers))
    ]
    if len(ids) and len(customers) and kinds[0] != kinds[1]:
        raise DataError(f"{what}: customer_id is {kinds[0]}, but {kinds[1]} in customers: bring both to text")
