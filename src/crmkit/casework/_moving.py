"""Decides which of the cases of a call may move, and moves them in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._calls import Done, chosen_ids, entry_row
from crmkit.casework._instants import now
from crmkit.casework._receipt import receipt_table
from crmkit.casework._tables import tables
from crmkit.casework._transitions import CONDITION_COLUMNS, CONDITION_NUMBERS
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import sqlalchemy as sa

    from crmkit.casework._transitions import Transitions

__all__ = ["Standing", "instants_of", "move_cases", "refuse", "standing_of"]


@dataclass(frozen=True)
class Standing:
    """How the cases of a call stand before it, a row an id of the call.

    Parameters
    ----------
    case_ids : ndarray of object
        As given.
    known : ndarray of bool
        Whether the store has it, and it is not given twice.
    state : ndarray of object
        ``""`` where it has not.
    version, changed : ndarray of int
        Version, and when the case last changed; 0 where it has not.
    reason : ndarray of object
        Why a row is refused already, ``""`` where it is not.
    cells : DataFrame
        The columns that a condition may read, where they were asked for.
    """

    case_ids: npt.NDArray[np.object_]
    known: npt.NDArray[np.bool_]
    state: npt.NDArray[np.object_]
    version: npt.NDArray[np.int64]
    changed: npt.NDArray[np.int64]
    reason: npt.NDArray[np.object_]
    cells: pd.DataFrame


def standing_of(connection: sa.Connection, case_ids: npt.NDArray[np.object_], columns: Any = ()) -> Standing:
    """Look up how cases stand.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    case_ids : ndarray of object, shape (n,)
        Ids, which may be unknown or stand twice.
    columns : iterable of str, default=()
        Further columns to read.

    Returns
    -------
    Standing
        A row an id.
    """
    import sqlalchemy as sa

    cases = tables().cases
    names = ["case_id", "state", "version", "changed_time", *sorted(columns)]
    query = sa.select(*(cases.c[name] for name in names)).where(
        cases.c.case_id.in_(chosen_ids(connection, case_ids.tolist()))
    )
    rows = connection.execute(query).all()
    found = {name: np.array([row[place] for row in rows], dtype=object) for place, name in enumerate(names)}
    at = pd.Index(found["case_id"], dtype=object).get_indexer(pd.Index(case_ids, dtype=object))
    twice = pd.Series(case_ids, dtype=object).duplicated().to_numpy()
    known = at >= 0
    state = np.append(found["state"], "")[at]
    version, changed = (np.append(found[name], 0)[at].astype(np.int64) for name in ("version", "changed_time"))
    reason = np.full(len(case_ids), "", dtype=object)
    reason[~known] = "not known"
    reason[known & twice] = "given twice in this call"
    read = {name: np.array([*found[name], None], dtype=object)[at] for name in sorted(columns)}
    cells = pd.DataFrame(
        {
            # Texts that a case lacks are empty, so that a condition such as arm != 'holdout' can hold for it.
            name: cells.astype(np.float64) if name in CONDITION_NUMBERS else np.where(cells == None, "", cells)  # noqa: E711 -- elementwise
            for name, cells in read.items()
        }
    )
    return Standing(case_ids, known & ~twice, state, version, changed, reason, cells)


def refuse(standing: Standing, mask: Any, reason: Any) -> None:
    """Refuse rows that are not refused yet.

    Parameters
    ----------
    standing : Standing
        Its reasons are changed in place.
    mask : ndarray of bool, shape (n,)
        Which rows.
    reason : str or ndarray of object
        Why.
    """
    wrong = np.asarray(mask, dtype=bool) & (standing.reason == "")
    standing.reason[wrong] = reason if isinstance(reason, str) else np.asarray(reason, dtype=object)[wrong]


def refuse_moves(standing: Standing, transitions: Transitions, to: str) -> None:
    """Refuse the moves that are not allowed.

    Parameters
    ----------
    standing : Standing
        Its reasons are changed in place.
    transitions : Transitions
        What is allowed.
    to : str
        Where to.
    """
    codes, states = pd.factorize(standing.state)
    for code, state in enumerate(states):
        here = codes == code
        if not transitions.allows(state, to):
            refuse(standing, here, f"there is no move from {state!r} to {to!r}")
            continue
        condition = transitions.condition(state, to)
        if condition:
            holds = np.asarray(parse(condition).evaluate(standing.cells).values, dtype=bool)
            refuse(standing, here & ~holds, f"the condition of the move from {state!r} to {to!r} does not hold")


def refuse_versions(standing: Standing, expect: npt.NDArray[np.int64] | None) -> None:
    """Refuse cases that somebody else has changed.

    Parameters
    ----------
    standing : Standing
        Its reasons are changed in place.
    expect : ndarray of int, shape (n,), or None
        The versions that the caller saw.
    """
    if expect is not None:
        refuse(standing, standing.version != expect, "changed since: it has another version than expected")


def instants_of(standing: Standing, at: int | None) -> int:
    """Give the moment of a call, and refuse cases that changed after it.

    Parameters
    ----------
    standing : Standing
        Its reasons are changed in place.
    at : int or None
        The moment given; None for now, which is never before a case's last entry, however the clocks differ.

    Returns
    -------
    int
        Microseconds.
    """
    if at is None:
        return int(max(now(), standing.changed[standing.known].max(initial=0)))
    refuse(standing, standing.changed > at, "changed after the time of this call")
    return at


def needed_columns(transitions: Transitions, to: str) -> frozenset[str]:
    """Give the columns that the conditions of the moves to a state read.

    Parameters
    ----------
    transitions : Transitions
        What is allowed.
    to : str
        Where to.

    Returns
    -------
    frozenset of str
        Often none.
    """
    conditions = [transitions.condition(state, to) for state in transitions.states if transitions.allows(state, to)]
    return CONDITION_COLUMNS.intersection(*[set().union(*(parse(text).names for text in conditions if text))])


def state_values(transitions: Transitions, to: str, at: int) -> Mapping[str, Any]:
    """Give what changes in a case that comes into a state.

    Parameters
    ----------
    transitions : Transitions
        Which states are settled and over.
    to : str
        The state.
    at : int
        When.

    Returns
    -------
    mapping of str to object
        Values for an UPDATE.
    """
    import sqlalchemy as sa

    cases = tables().cases
    settled = to in transitions.settled
    return {
        "state": to,
        "version": cases.c.version + 1,
        "changed_time": at,
        "settled": int(settled),
        "over": int(to in transitions.ends),
        "settled_time": sa.case((cases.c.settled == 0, at), else_=cases.c.settled_time) if settled else None,
    }


def move_cases(
    connection: sa.Connection,
    case_ids: npt.NDArray[np.object_],
    *,
    to: str,
    transitions: Transitions,
    actor: str,
    at: int | None,
    expect: npt.NDArray[np.int64] | None,
    note: str,
    key: str,
) -> Done:
    """Move all cases of a call that may move.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    case_ids : ndarray of object, shape (n,)
        Which.
    to : str
        Where to.
    transitions : Transitions
        What is allowed.
    actor : str
        Who moves them.
    at : int or None
        When.
    expect : ndarray of int, shape (n,), or None
        The versions that the caller saw.
    note, key : str
        Of the call.

    Returns
    -------
    Done
        The receipt's table and the entries.
    """
    import sqlalchemy as sa

    cases = tables().cases
    standing = standing_of(connection, case_ids, needed_columns(transitions, to))
    refuse_versions(standing, expect)
    refuse_moves(standing, transitions, to)
    moment = instants_of(standing, at)
    moves = standing.reason == ""
    ids = case_ids[moves].tolist()
    if ids:
        connection.execute(
            sa.update(cases)
            .where(cases.c.case_id.in_(chosen_ids(connection, ids)))
            .values(**state_values(transitions, to, moment))
        )
    version = standing.version + moves
    entries = [
        entry_row(time=moment, action="move", actor=actor, case_id=case_id, source=source, target=to,
                  version=after, note=note, call=key)
        for case_id, source, after in zip(ids, standing.state[moves].tolist(), version[moves].tolist(), strict=True)
    ]  # fmt: skip
    target = np.where(moves, to, standing.state)
    return Done(receipt_table(case_ids, moves, standing.state, target, version, standing.reason), entries)
