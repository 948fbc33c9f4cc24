"""Refuses keys that could never meet, such as customer 17 and customer "17"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_kinds", "kind_of"]

_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "decimal"})


def kind_of(keys: Any) -> str:
    """Say what keys are by what they hold, whatever column they stand in.

    Parameters
    ----------
    keys : Series or Index
        Keys, some of them perhaps missing.

    Returns
    -------
    str
        ``"numbers"``, ``"no numbers"``, or ``""`` where there are none.
    """
    known = pd.Index(pd.Series(keys).dropna().unique())
    if not len(known):
        return ""
    found = pd.api.types.infer_dtype(known, skipna=True)
    return "numbers" if found in _NUMBERS else "no numbers"


def check_kinds(name: str, tables: Iterable[tuple[str, Any]]) -> None:
    """Refuse keys of which one table holds numbers and another holds none.

    Parameters
    ----------
    name : str
        Of the column.
    tables : iterable of (str, Series or Index or kind)
        What each is called, and its keys, or what :func:`kind_of` said of them.

    Raises
    ------
    DataError
        If they could never match.
    """
    kinds = [(what, keys if isinstance(keys, str) else kind_of(keys)) for what, keys in tables]
    there = [(what, kind) for what, kind in kinds if kind]
    for what, kind in there[1:]:
        first, other = there[0]
        if kind != other:
            raise DataError(f"{name} holds {other} in the {first} and {kind} in the {what}: none could ever match")
