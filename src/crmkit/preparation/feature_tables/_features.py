"""Features of customers at cutoffs, strictly before each, and what happened in the horizon after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.preparation.feature_tables._aggregates import read_windows
from crmkit.preparation.feature_tables._build import Order, make_table
from crmkit.preparation.feature_tables._clock import make_clock
from crmkit.preparation.feature_tables._columns import EventColumns, resolve_columns
from crmkit.preparation.feature_tables._history import warn_of_short_history
from crmkit.preparation.feature_tables._outcomes import (
    LABELS,
    check_horizon,
    data_end,
)
from crmkit.preparation.feature_tables._recipe import FeatureRecipe, as_tables, learn_table
from crmkit.preparation.feature_tables._rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from crmkit.preparation.feature_tables._clock import Clock
    from crmkit.preparation.feature_tables._rows import EventRows
    from crmkit.preparation.feature_tables._table import FeatureTable

__all__ = ["features"]


def features(
    events: Any,
    cutoffs: Any,
    *,
    windows: Any,
    horizon: int,
    columns: EventColumns | Mapping[str, EventColumns] | None = None,
    label: Any = "bought",
    customers: Any = None,
    until: Any = None,
    censored: str = "raise",
    learn_before: Any = None,
    timezone: str | None = None,
) -> FeatureTable:
    """Make a row for every customer and cutoff: what was known strictly before it, and what happened after it.

    At every cutoff and for every customer with a row before it: how many rows, days with a row, sums and means in each
    window and over all time; days since the last and the first row; the gaps between days with a row, and how overdue
    the next is; each window against the one before and against the longer one; distinct items; rows and shares of the
    levels of categories. Everything that is learned (levels, TF-IDF, its SVD) is learned from what was known before
    the *first* cutoff and then frozen, so that no event at or after a cutoff can move a feature of that cutoff;
    ``audit`` proves it. Sums are taken over sorted rows without a loop over customers: one sort, and for each cutoff
    some passes over the rows; 5,000,000 events of 100,000 customers at five cutoffs take seconds.

    An event at the very cutoff belongs to what happened after it. Where there is a ``recorded_time``, a row counts as
    known only from then on, so that what was entered late is in no feature of the time before.

    Parameters
    ----------
    events : table, or mapping of str to table
        One row an event: ``customer_id``, and ``day`` or ``time``. Of several tables (sales, communications, feedback)
        each column carries its table's name in front, and the first one is the one the label is made of. Rows with a
        negative amount are refunds: they count in sums, and are no purchase.
    cutoffs : date, time, text of one, or a sequence of them
        Exclusive. Bare dates are local midnights and compared with ``day``, times are instants and compared with
        ``time``; all of one kind.
    windows : int or sequence of int
        Days before the cutoff.
    horizon : int
        Days of the label: ``[cutoff, cutoff + horizon)``.
    columns : EventColumns, mapping of str to EventColumns, or None
        Which columns are measures, categories, items or texts; None for the standard names.
    label : {"bought", "count", "sum"} or callable, default="bought"
        ``y``: whether there was a purchase in the horizon, on how many days, or for how much; or a function of (events
        in the horizon, customers) that gives a Series by ``customer_id``, missing where it is not known. It gets a
        frame, or a dict of frames where there are several tables.
    customers : table or None
        Who gets rows: these customers, from their ``day`` or ``time`` on where there is one, also those without an
        event so far. None for everyone with an event before the cutoff.
    until : date, time, text of one, or None
        Up to when the events are complete, exclusive; None for the day after the last one.
    censored : {"raise", "unknown"}, default="raise"
        What to do where the horizon reaches past that: refuse, or keep the rows with a missing label and a warning.
    learn_before : date, time, text of one, or None
        Up to when levels, TF-IDF and SVD are learned, exclusive; None for the first cutoff. A later one lets features
        of earlier cutoffs depend on it, as the audit then says.
    timezone : str or None, default=None
        In which zone ``day`` is, such as "Asia/Shanghai": only to tell on which local day a row was recorded, where
        there is a ``recorded_time`` and cutoffs are dates. None takes the latest day it can have been.

    Returns
    -------
    FeatureTable
        ``.X``, ``.y``, ``.features``, ``.label``, ``.outcomes``, ``.coverage``, ``.describe()``, ``.apply()``,
        ``.folds()``, ``.split()``.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or a horizon reaches past the data.

    Warns
    -----
    DataWarning
        If a window reaches back before the first row, the table starts in the middle of its customers' lives, no
        customer is known before a cutoff, amounts are missing, or (``censored="unknown"``) labels are.

    See Also
    --------
    audit : Proves that nothing at or after a cutoff was read.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import features
    >>> sales = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "b", "a", "b"],
    ...         "day": [0, 20, 25, 31, 70],
    ...         "amount": [20.0, 30.0, 5.0, 7.0, 1.0],
    ...     }
    ... )
    >>> table = features(sales, ["1970-01-31"], windows=[15, 30], horizon=30)
    >>> table.features[["count_15d", "amount_sum_30d", "recency_days"]].to_numpy().tolist()
    [[1.0, 50.0, 10.0], [1.0, 5.0, 5.0]]
    >>> table.y.tolist()
    [1, 0]
    """
    days, spans = check_horizon(horizon), read_windows(windows)
    if not callable(label) and label not in LABELS:
        raise DataError(f"label must be one of {', '.join(map(repr, LABELS))} or a function, got {label!r}")
    clock = make_clock(cutoffs, timezone)
    learning = _Learning(spans, columns, learn_before)
    rows, recipe = learning.learn(events, clock, stacklevel=4)
    warn_of_short_history(rows, clock, spans, stacklevel=3)
    order = Order(days, label, censored)
    made = make_table(order, recipe, rows, clock, labels=True, customers=customers, until=until, stacklevel=3)
    return replace(made, remake=partial(_anew, learning, order, customers, timezone))


@dataclass(frozen=True)
class _Learning:
    """What is learned of events, and how."""

    windows: tuple[int, ...]
    columns: Any
    learn_before: Any

    def learn(self, events: Any, clock: Clock, *, stacklevel: int) -> tuple[tuple[EventRows, ...], FeatureRecipe]:
        """Read the tables and learn the recipe."""
        tables = as_tables(events)
        declared = _declared(self.columns, tables)
        rows, found = [], []
        for name, table in tables.items():
            frame = as_frame(table, what=name or "events")
            found.append(resolve_columns(declared[name], frame, what=name or "events"))
            rows.append(read_rows(frame, found[-1], clock, name=name, stacklevel=stacklevel))
        known = int(clock.ticks[0])
        if self.learn_before is not None:
            known = data_end(rows[0], clock, self.learn_before)
        made = []
        for one, its in zip(rows, found, strict=True):
            made.append(learn_table(one, its, self.windows, known, stacklevel=stacklevel))
        recipe = FeatureRecipe(self.windows, tuple(made), clock.timezone)
        _check_names(recipe)
        return tuple(rows), recipe


def _anew(
    learning: _Learning, order: Order, customers: Any, timezone: str | None, events: Any, cutoffs: Any
) -> pd.DataFrame:
    """Learn and compute everything anew, without labels, for the audit."""
    clock = make_clock(cutoffs, timezone)
    rows, recipe = learning.learn(events, clock, stacklevel=5)
    made = make_table(order, recipe, rows, clock, labels=False, customers=customers, until=None, stacklevel=5)
    return made.features


def _declared(columns: Any, tables: dict[str, Any]) -> dict[str, EventColumns]:
    """Give what was declared of each table."""
    if columns is None or isinstance(columns, EventColumns):
        if isinstance(columns, EventColumns) and len(tables) > 1:
            raise DataError(f"columns must say of which table, such as {{{next(iter(tables))!r}: EventColumns(…)}}")
        return dict.fromkeys(tables, columns or EventColumns())
    strange = [name for name in columns if name not in tables]
    if strange:
        raise DataError(f"columns names {', '.join(map(repr, strange))}, but the tables are {', '.join(tables)}")
    return {name: columns.get(name, EventColumns()) for name in tables}


def _check_names(recipe: FeatureRecipe) -> None:
    """Refuse two columns of one name."""
    names = [one.name for one in recipe.aggregates]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"two features have the name {', '.join(twice)}: rename a column or a table of the events")
