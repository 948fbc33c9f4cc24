"""Takes the tables of a company by name, whatever form each is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.records._cells import as_ids
from crmkit.records._loaded import Loaded
from crmkit.records._schemas import SCHEMAS

if TYPE_CHECKING:
    from crmkit.records._schema import Schema

__all__ = ["Named", "named_tables", "text_ids"]


@dataclass(frozen=True)
class Named:
    """One table of several.

    Parameters
    ----------
    name : str
        What the caller calls it.
    frame : pandas.DataFrame
        Its rows, ``customer_id`` as a column where it has one.
    schema : Schema or None
        As what it was read, or what its name says; None where neither is known.
    loaded : Loaded or None
        Where it came from ``read``.
    """

    name: str
    frame: pd.DataFrame
    schema: Schema | None
    loaded: Loaded | None


def text_ids(column: pd.Series) -> pd.Series:
    """Give ids as text, so that 17 and "17" of two tables are one; the same object where they are text already."""
    if pd.api.types.infer_dtype(column, skipna=True) in {"string", "empty"}:
        return column
    return as_ids(column).values.set_axis(column.index)


def named_tables(tables: Any) -> list[Named]:
    """Bring a mapping of tables to one form.

    Parameters
    ----------
    tables : mapping of str to Loaded or DataFrame
        A name that is one of the schemas' (in any case) says what a frame is.

    Returns
    -------
    list of Named
        In the mapping's order.

    Raises
    ------
    TypeError
        If it is no mapping.
    DataError
        If it is empty.
    """
    if not isinstance(tables, Mapping):
        raise TypeError(
            f"tables must map names to tables, such as {{'transactions': loaded}}, got {type(tables).__name__}"
        )
    if not tables:
        raise DataError("tables is empty: give at least one, such as {'transactions': loaded}")
    named = []
    for name, table in tables.items():
        loaded = table if isinstance(table, Loaded) else None
        frame = loaded.table if loaded is not None else as_frame(table, what=str(name))
        if "customer_id" not in frame.columns and frame.index.name == "customer_id":
            frame = frame.reset_index()
        if "customer_id" in frame.columns:
            given = frame["customer_id"]
            ids = text_ids(given)
            frame = frame if ids is given else frame.assign(customer_id=ids)
        schema = loaded.schema if loaded is not None else SCHEMAS.get(str(name).upper())
        named.append(Named(str(name), frame, schema, loaded))
    return named
