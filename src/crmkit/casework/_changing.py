"""Changes what a store keeps of cases without moving them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.casework._calls import Done, chosen_ids, entry_row
from crmkit.casework._moving import instants_of, refuse, refuse_versions, standing_of
from crmkit.casework._receipt import receipt_table
from crmkit.casework._tables import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import sqlalchemy as sa

__all__ = ["change_columns", "merged_outcomes"]


def change_columns(
    connection: sa.Connection,
    case_ids: npt.NDArray[np.object_],
    columns: Mapping[str, list[Any]],
    *,
    action: str,
    actor: str,
    at: int | None,
    key: str,
    expect: npt.NDArray[np.int64] | None,
    refused: dict[str, Any] | None = None,
    details: list[str] | None = None,
    keep: bool = False,
) -> Done:
    """Write columns of cases without moving them.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    case_ids : ndarray of object, shape (n,)
        Which.
    columns : mapping of str to list, each of length n
        What is written, by name.
    action, actor, key : str
        Of the call.
    at : int or None
        When.
    expect : ndarray of int, shape (n,), or None
        The versions that the caller saw.
    refused : dict of str to ndarray of bool, default=None
        Rows that are refused before, by reason.
    details : list of str, length n, default=None
        What the history keeps of each; None for the values by their columns' names.
    keep : bool, default=False
        Whether a missing value leaves what is there.

    Returns
    -------
    Done
        The receipt's table and the entries.
    """
    import sqlalchemy as sa

    cases = tables().cases
    standing = standing_of(connection, case_ids)
    for reason, mask in (refused or {}).items():
        refuse(standing, mask, reason)
    refuse_versions(standing, expect)
    moment = instants_of(standing, at)
    done = standing.reason == ""
    places = np.flatnonzero(done).tolist()
    if places:
        new = {name: sa.bindparam(f"its_{name}", type_=cases.c[name].type) for name in columns}
        written = {name: sa.func.coalesce(value, cases.c[name]) if keep else value for name, value in new.items()}
        connection.execute(
            sa.update(cases)
            .where(cases.c.case_id == sa.bindparam("its_id"))
            .values({**written, "version": cases.c.version + 1, "changed_time": moment}),
            [
                {"its_id": case_ids[place], **{f"its_{name}": values[place] for name, values in columns.items()}}
                for place in places
            ],
        )
    version = standing.version + done
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if keep:
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    told = details or [json.dumps(row, ensure_ascii=False) for row in rows]
    entries = [
        entry_row(time=moment, action=action, actor=actor, case_id=case_ids[place], source=standing.state[place],
                  target=standing.state[place], version=int(version[place]), detail=told[place], call=key)
        for place in places
    ]  # fmt: skip
    return Done(receipt_table(case_ids, done, standing.state, standing.state, version, standing.reason), entries)


def merged_outcomes(
    connection: sa.Connection, case_ids: npt.NDArray[np.object_], rows: list[dict[str, Any]]
) -> list[str]:
    """Give the outcomes of cases with new ones written over the old ones of the same name.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    case_ids : ndarray of object, shape (n,)
        Which.
    rows : list of dict, length n
        The new outcomes.

    Returns
    -------
    list of str
        JSON.
    """
    import sqlalchemy as sa

    cases = tables().cases
    query = sa.select(cases.c.case_id, cases.c.outcomes).where(
        cases.c.case_id.in_(chosen_ids(connection, case_ids.tolist()))
    )
    known = {row[0]: json.loads(row[1]) for row in connection.execute(query) if row[1]}
    return [
        json.dumps({**known.get(case_id, {}), **row}, ensure_ascii=False)
        for case_id, row in zip(case_ids.tolist(), rows, strict=True)
    ]
