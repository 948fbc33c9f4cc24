"""Which columns of an event table say what, as declared or as the standard names tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.preparation.feature_tables._embedding import Embedding

__all__ = ["EventColumns", "resolve_columns"]

_MEASURES = ("amount", "score", "rating", "duration")
_DISTINCT = ("order_id", "product_id", "item_id", "conversation_id", "case_id", "channel")


@dataclass(frozen=True)
class EventColumns:
    """What to make of the columns of an event table.

    Parameters
    ----------
    measures : sequence of str or None, default=None
        Columns of numbers: added up, averaged, with least, greatest and spread. None for those of ``amount``,
        ``score``, ``rating`` and ``duration`` that are there.
    categories : sequence of str, default=()
        Columns of few values, such as ``channel``: rows and share of each level. The ``top`` most frequent levels are
        learned and frozen; all others are ``(other)``, a missing one ``(missing)``.
    distinct : sequence of str or None, default=None
        Columns whose distinct values are counted. None for the identifiers of orders, products, items, conversations
        and cases, and the channel, where they are there.
    top : int, default=10
        Levels of each category.
    embeddings : sequence of Embedding, default=()
        Columns of items or words of which TF-IDF and its SVD are made.
    """

    measures: Sequence[str] | None = None
    categories: Sequence[str] = ()
    distinct: Sequence[str] | None = None
    top: int = 10
    embeddings: Sequence[Embedding] = ()


def resolve_columns(columns: EventColumns, frame: pd.DataFrame, *, what: str) -> EventColumns:
    """Put the columns that are there in the place of what was left open.

    Parameters
    ----------
    columns : EventColumns
        As declared.
    frame : pandas.DataFrame
        The table.
    what : str
        Its name in messages.

    Returns
    -------
    EventColumns
        With nothing open.

    Raises
    ------
    DataError
        If a declared column is not there or holds no numbers, or ``top`` is no number of levels.
    """
    if columns.measures is None:
        _refuse_money_as_text(frame, what)
        measures = [name for name in _MEASURES if name in frame.columns and _holds_numbers(frame[name])]
        if "amount" not in frame.columns and {"quantity", "unit_price"} <= set(frame.columns):
            measures.insert(0, "amount")
    else:
        measures = _names(columns.measures, "measures")
        made = ["amount"] if {"quantity", "unit_price"} <= set(frame.columns) else []
        require_columns(frame, [name for name in measures if name not in made], what=what)
        for name in measures:
            if name in frame.columns and not _holds_numbers(frame[name]):
                raise DataError(f"{what}: {name} must hold numbers, got {frame[name].dtype}")
    if columns.distinct is None:
        distinct = [name for name in _DISTINCT if name in frame.columns]
    else:
        distinct = _names(columns.distinct, "distinct")
    categories = _names(columns.categories, "categories")
    embedded = [one.column for one in columns.embeddings]
    require_columns(frame, [*distinct, *categories, *embedded], what=what)
    if isinstance(columns.top, bool) or not isinstance(columns.top, int) or columns.top < 1:
        raise DataError(f"top must be a number of levels of at least 1, got {columns.top!r}")
    return EventColumns(tuple(measures), tuple(categories), tuple(distinct), columns.top, tuple(columns.embeddings))


def _refuse_money_as_text(frame: pd.DataFrame, what: str) -> None:
    """Refuse amounts that were never read as numbers: left out, they would take refunds for purchases."""
    made_of = ("amount",) if "amount" in frame.columns else ("quantity", "unit_price")
    for name in made_of:
        if set(made_of) <= set(frame.columns) and not _holds_numbers(frame[name]):
            raise DataError(
                f"{what}: {name} must hold numbers, got {frame[name].dtype}: read the table with records.read, or say "
                "measures=[] if it is no amount of money"
            )


def _holds_numbers(column: pd.Series) -> bool:
    """Say whether a column can be added up."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _names(given: Any, what: str) -> list[str]:
    """Give names as a list, refusing one text, whose letters would be taken for names."""
    if isinstance(given, str):
        raise DataError(f"{what} must be a list of columns, got one text: write [{given!r}]")
    return list(given)
