"""Reads cases out of a store as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._calls import chosen_ids
from crmkit.casework._instants import from_instants
from crmkit.casework._tables import COLUMNS, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

__all__ = ["RESULT_COLUMNS", "read_rows", "results_of"]

RESULT_COLUMNS = frozenset({
    "case_id", "customer_id", "label", "cause", "remedy", "intended", "arm", "value", "amount", "currency",
    "value_at_stake", "state", "agent", "time", "added_time", "planned_time", "done_time", "carried_out",
    "settled_time", "deadline", "in_time",
})  # fmt: skip
"""What :func:`results_of` gives beside uses and outcomes."""

_TIMES = ("time", "added_time", "changed_time", "deadline", "settled_time")
_NUMBERS = ("urgency", "amount", "value_at_stake", "value")
_FLAGS = ("settled", "over")
_JSON = ("uses", "outcomes")


def read_rows(
    connection: sa.Connection,
    *,
    conditions: Sequence[Any] = (),
    case_ids: Sequence[str] | None = None,
    order: Any = None,
) -> pd.DataFrame:
    """Read cases.

    Parameters
    ----------
    connection : Connection
        Any.
    conditions : sequence of SQL conditions, default=()
        Which.
    case_ids : sequence of str or None
        Whose; None for all.
    order : sequence of SQL columns or None
        None for the order in which they were added.

    Returns
    -------
    pandas.DataFrame
        As described at ``CaseStore.cases``.
    """
    import sqlalchemy as sa

    cases = tables().cases
    query = sa.select(*(cases.c[name] for name in COLUMNS)).where(*conditions)
    if case_ids is not None:
        query = query.where(cases.c.case_id.in_(chosen_ids(connection, case_ids)))
    rows = connection.execute(query.order_by(*(order or (cases.c.added_time, cases.c.case_id)))).all()
    columns: dict[str, Any] = {}
    for place, name in enumerate(COLUMNS):
        cells = np.array([row[place] for row in rows], dtype=object)
        if name in _TIMES:
            columns[name] = from_instants(cells)
        elif name in _NUMBERS:
            columns[name] = cells.astype(np.float64)
        elif name in _FLAGS:
            columns[name] = cells.astype(bool)
        elif name == "version":
            columns[name] = cells.astype(np.int64)
        elif name in _JSON:
            opened = np.empty(len(cells), dtype=object)
            opened[:] = [json.loads(cell) if cell else {} for cell in cells]
            columns[name] = opened
        else:
            columns[name] = cells
    return pd.DataFrame(columns)


def _spread(column: pd.Series, prefix: str, empty: float | None) -> pd.DataFrame:
    """Make a column of each name in a column of mappings."""
    names = sorted({name for cell in column for name in cell})
    return pd.DataFrame(
        {f"{prefix}{name}": [cell.get(name, empty) for cell in column] for name in names}, index=column.index
    ).infer_objects()


def results_of(connection: sa.Connection, *, done: str) -> pd.DataFrame:
    """Read what became of the cases, for an evaluation.

    Parameters
    ----------
    connection : Connection
        Any.
    done : str
        The state that says that the remedy was given.

    Returns
    -------
    pandas.DataFrame
        As described at ``CaseStore.results``.
    """
    import sqlalchemy as sa

    history = tables().history
    cases = read_rows(connection)

    def last_times(condition: Any) -> pd.DatetimeIndex:
        rows = connection.execute(
            sa.select(history.c.case_id, sa.func.max(history.c.time)).where(condition).group_by(history.c.case_id)
        ).all()
        times = pd.Series({row[0]: row[1] for row in rows}, dtype=object)
        return from_instants(times.reindex(cases["case_id"]).where(lambda each: each.notna(), None).tolist())

    planned = last_times(history.c.action == "plan")
    given = last_times((history.c.action == "move") & (history.c.target == done))
    in_time = pd.array(np.full(len(cases), None, dtype=object), dtype="boolean")
    late = cases["settled_time"] > cases["deadline"]
    known = cases["deadline"].notna() & cases["settled"]
    in_time[known.to_numpy()] = ~late[known].to_numpy()
    front = ["case_id", "customer_id", "label", "cause", "remedy", "intended", "arm", "value", "amount", "currency",
             "value_at_stake", "state", "agent", "time", "added_time"]  # fmt: skip
    table = cases[front].assign(
        planned_time=planned,
        done_time=given,
        carried_out=given.notna(),
        settled_time=cases["settled_time"],
        deadline=cases["deadline"],
        in_time=in_time,
    )
    return pd.concat([table, _spread(cases["uses"], "uses_", 0.0), _spread(cases["outcomes"], "", None)], axis=1)
