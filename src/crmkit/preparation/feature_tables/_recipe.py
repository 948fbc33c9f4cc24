"""What was learned of event tables once and is computed the same way ever after."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation.feature_tables._aggregates import Aggregate, declare
from crmkit.preparation.feature_tables._embedding import FittedEmbedding, learn_embedding
from crmkit.preparation.feature_tables._levels import learn_levels
from crmkit.preparation.feature_tables._rows import read_rows
from crmkit.preparation.feature_tables._snapshot import Snapshot

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.preparation.feature_tables._clock import Clock
    from crmkit.preparation.feature_tables._columns import EventColumns
    from crmkit.preparation.feature_tables._rows import EventRows

__all__ = ["FeatureRecipe", "TableRecipe", "as_tables", "learn_table"]


@dataclass(frozen=True, eq=False)
class TableRecipe:
    """How the rows of one event table become columns.

    Parameters
    ----------
    name : str
        Which table; empty where there is only one.
    columns : EventColumns
        Resolved.
    levels : dict of str to tuple of str
        The frozen levels of each category.
    aggregates : tuple of Aggregate
        The columns, those of embeddings last.
    embeddings : tuple of FittedEmbedding
        As learned.
    """

    name: str
    columns: EventColumns
    levels: dict[str, tuple[str, ...]]
    aggregates: tuple[Aggregate, ...]
    embeddings: tuple[FittedEmbedding, ...]

    def snapshot(self, rows: EventRows, place: npt.NDArray[np.intp], size: int, tick: int, day: int) -> Snapshot:
        """Cut the rows at a cutoff."""
        return Snapshot(rows, place, size, tick, day, self.aggregates, self.levels)

    def fill(
        self,
        block: npt.NDArray[np.float64],
        snapshot: Snapshot,
        rows: EventRows,
        place: npt.NDArray[np.intp],
        kept: npt.NDArray[np.intp],
    ) -> None:
        """Compute every column of the rows kept into its place in a block."""
        plain = [one for one in self.aggregates if one.how != "component"]
        for position, one in enumerate(plain):
            block[:, position] = snapshot.column(one)[kept]
        position = len(plain)
        for embedding in self.embeddings:
            found = embedding.transform(rows, snapshot.visible, place, len(snapshot.seen))
            block[:, position : position + found.shape[1]] = found[kept]
            position += found.shape[1]


@dataclass(frozen=True, eq=False)
class FeatureRecipe:
    """How event tables become a feature table: what ``features`` learned, to be saved and used again.

    Parameters
    ----------
    windows : tuple of int
        Days, ascending.
    tables : tuple of TableRecipe
        One for each event table, in order; the first is the one the label is made of.
    timezone : str or None, default=None
        In which zone local days are.
    """

    windows: tuple[int, ...]
    tables: tuple[TableRecipe, ...]
    timezone: str | None = None

    def __repr__(self) -> str:
        named = ", ".join(repr(table.name) for table in self.tables if table.name)
        of = f" of {named}" if named else ""
        return (
            f"FeatureRecipe({len(self.aggregates)} features{of}, windows of {', '.join(map(str, self.windows))} days)"
        )

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """Every column, in order."""
        return tuple(one for table in self.tables for one in table.aggregates)

    def apply(self, events: Any, cutoffs: Any, *, customers: Any = None) -> pd.DataFrame:
        """Make the columns at other cutoffs, without labels.

        Parameters
        ----------
        events : table, or mapping of str to table
            As ``features`` got them.
        cutoffs : date, time, text of one, or a sequence of them
            Exclusive.
        customers : table or None, default=None
            As for ``features``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``customer_id`` and ``cutoff``.

        Raises
        ------
        DataError
            As ``features``.
        """
        from crmkit.preparation.feature_tables._build import Order

        order = Order(1, "bought", "raise")
        return order(self, events, cutoffs, labels=False, customers=customers, until=None).features

    def read(self, events: Any, clock: Clock, *, stacklevel: int) -> tuple[EventRows, ...]:
        """Read the tables by the columns this recipe knows.

        Parameters
        ----------
        events : table, or mapping of str to table
            As ``features`` got them.
        clock : Clock
            The cutoffs.
        stacklevel : int
            Whose line warnings point at, seen from what is called here.

        Returns
        -------
        tuple of EventRows
            In the order of the recipe.

        Raises
        ------
        DataError
            If a table or column is missing.
        """
        given = as_tables(events)
        absent = [table.name for table in self.tables if table.name not in given]
        if absent:
            raise DataError(
                f"events lack the table {', '.join(map(repr, absent))}; these features were made of "
                f"{', '.join(repr(table.name) for table in self.tables)}"
            )
        found = []
        for table in self.tables:
            rows = read_rows(given[table.name], table.columns, clock, name=table.name, stacklevel=stacklevel)
            found.append(rows)
        return tuple(found)


def as_tables(events: Any) -> dict[str, Any]:
    """Give event tables by name; one table alone has the empty name."""
    if isinstance(events, dict) and events and all(_is_table(value) for value in events.values()):
        wrong = [name for name in events if not isinstance(name, str) or not name]
        if wrong:
            raise DataError("every event table must have a name that is text and not empty")
        return dict(events)
    return {"": events}


def _is_table(value: Any) -> bool:
    """Say whether a value of a mapping is a table, not a column."""
    return hasattr(value, "columns") or isinstance(value, dict | str | Path)


def learn_table(
    rows: EventRows, columns: EventColumns, windows: tuple[int, ...], tick: int, *, stacklevel: int
) -> TableRecipe:
    """Learn levels and embeddings from what was known at a moment, and declare the columns.

    Parameters
    ----------
    rows : EventRows
        The table.
    columns : EventColumns
        Resolved.
    windows : tuple of int
        Days.
    tick : int
        The moment before which rows may be learned from.
    stacklevel : int
        Whose line warnings point at.

    Returns
    -------
    TableRecipe
        Frozen.

    Warns
    -----
    DataWarning
        If there is nothing to learn levels from.
    """
    what = rows.name or "events"
    may = np.flatnonzero((rows.known < tick) & ~rows.back)
    levels = {}
    for column in columns.categories:
        codes, values = rows.values(column)
        levels[column] = learn_levels(codes[may], values, columns.top)
    if levels and not len(may):
        warnings.warn(
            f"{what}: no row is before the first cutoff, so that every value of {', '.join(levels)} is '(other)': "
            "name a later learn_before, or a later first cutoff",
            DataWarning,
            stacklevel=stacklevel,
        )
    fitted = []
    for one in columns.embeddings:
        fitted.append(learn_embedding(one, rows, may, what, stacklevel=stacklevel + 1))  # noqa: PERF401 -- see read_rows
    plain = declare(
        windows,
        measures=tuple(columns.measures or ()),
        distinct=tuple(columns.distinct or ()),
        levels=levels,
        refunds="amount" in rows.measures,
        table=rows.name,
    )
    numbers = tuple(
        Aggregate(
            "_".join(filter(None, [rows.name, one.declared.column, f"{number}"])),
            "component",
            column=one.declared.column,
            level=str(number),
            table=rows.name,
        )
        for one in fitted
        for number in range(1, one.n_components + 1)
    )
    return TableRecipe(rows.name, columns, levels, (*plain, *numbers), tuple(fitted))
