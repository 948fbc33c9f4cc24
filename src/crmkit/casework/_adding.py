"""Takes new cases and plans into a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._calls import Done, entry_row
from crmkit.casework._ids import as_ids, as_optional_texts, unkeepable
from crmkit.casework._instants import MISSING, as_instants, now
from crmkit.casework._moving import instants_of, needed_columns, refuse, refuse_moves, standing_of, state_values
from crmkit.casework._receipt import receipt_table
from crmkit.casework._tables import tables
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import numpy.typing as npt
    import sqlalchemy as sa

    from crmkit.casework._transitions import Transitions

__all__ = ["UPDATABLE", "NewCases", "add_cases", "plan_cases", "planned_before", "read_cases", "read_plan"]

_TEXTS = ("customer_id", "label", "cause", "queue", "agent", "currency", "evidence", "remedy", "intended", "arm")
_NUMBERS = ("urgency", "amount", "value_at_stake", "value")
_TIMES = ("time", "deadline")
_PLANNED = ("remedy", "intended", "arm", "value", "uses")
UPDATABLE = frozenset({*_TEXTS, *_NUMBERS, *_TIMES} - {*_PLANNED})
"""What of a case may be changed by hand; the rest comes of a plan, or of what was done."""


class NewCases:
    """Cases as a store keeps them, read from a table and checked.

    Parameters
    ----------
    case_ids : ndarray of object, shape (n,)
        Their ids.
    columns : dict of str to list
        The other columns, None where a cell is missing.
    """

    def __init__(self, case_ids: npt.NDArray[np.object_], columns: dict[str, list[Any]]) -> None:
        self.case_ids = case_ids
        self.columns = columns

    def request(self) -> list[Any]:
        """Give the content as JSON values.

        Returns
        -------
        list
            Ids and columns.
        """
        return [self.case_ids.tolist(), self.columns]


def read_cases(cases: Any, zone: ZoneInfo | None, *, what: str = "cases") -> NewCases:
    """Read a table of cases.

    Parameters
    ----------
    cases : table
        With ``case_id``; of the other columns those that a store keeps.
    zone : ZoneInfo or None
        Of times without a zone.
    what : str, default="cases"
        Its name in messages.

    Returns
    -------
    NewCases
        Checked.

    Raises
    ------
    DataError
        If there is no ``case_id``, or a column holds what it must not, by position.
    """
    frame = as_frame(cases, what=what)
    require_columns(frame, ["case_id"], what=what, hint="make it with casework.cases_from or remediation.make_cases")
    columns: dict[str, list[Any]] = {}
    for name in _TEXTS:
        if name in frame.columns and name != "evidence":
            columns[name] = as_optional_texts(frame[name], f"{what}: {name}")
    if "evidence" in frame.columns:
        known = frame["evidence"].notna().to_numpy(dtype=bool).tolist()
        texts = [str(cell) if ok else None for cell, ok in zip(frame["evidence"].tolist(), known, strict=True)]
        bad = [text is not None and unkeepable(text) for text in texts]
        if any(bad):
            raise DataError(f"{what}: evidence holds a character that no database keeps in {positions(bad)}")
        columns["evidence"] = texts
    for name in _NUMBERS:
        if name in frame.columns:
            columns[name] = _numbers(frame[name], f"{what}: {name}")
    for name in _TIMES:
        if name in frame.columns:
            micros = as_instants(frame[name], zone, what=f"{what}: {name}", missing=True)
            columns[name] = [None if each == MISSING else each for each in micros.tolist()]
    return NewCases(as_ids(frame["case_id"], what=f"{what}: case_id"), columns)


def _numbers(column: pd.Series, what: str) -> list[float | None]:
    """Give numbers with None where one is missing."""
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64).to_numpy()
    wrong = (np.isnan(numbers) & column.notna().to_numpy(dtype=bool)) | np.isinf(numbers)
    if wrong.any():
        raise DataError(f"{what} must hold finite numbers; it does not in {positions(wrong)}")
    return [None if each != each else each for each in numbers.tolist()]  # noqa: PLR0124 -- only NaN differs from itself


def read_plan(plan: Any, zone: ZoneInfo | None) -> NewCases:
    """Read a plan: every case with its remedy, worth, uses and arm.

    Parameters
    ----------
    plan : Plan, or table like ``plan.table``
        A whole plan, one row a case. Of a :class:`~crmkit.remediation.Plan` the cases of its problem come along, with
        ``customer_id``, ``amount`` and what else a store keeps.
    zone : ZoneInfo or None
        Of times without a zone.

    Returns
    -------
    NewCases
        Checked.

    Raises
    ------
    DataError
        If a case is divided among remedies or stands more than once, or has no remedy.
    """
    frame = as_frame(getattr(plan, "table", plan), what="plan")
    require_columns(frame, ["case_id", "remedy"], what="plan", hint="hand in what remediation.plan gave")
    if frame["case_id"].duplicated().any() or ("share" in frame.columns and not np.allclose(frame["share"], 1.0)):
        raise DataError(
            "plan: a case has several rows or a share; only a whole plan can be carried out (planner='auto')"
        )
    if frame["remedy"].isna().any():
        raise DataError(f"plan: remedy is missing in {positions(frame['remedy'].isna())}; nothing is written 'nothing'")
    problem = getattr(plan, "problem", None)
    if problem is not None:
        cases = problem.cases
        if len(cases) != len(frame) or not (cases["case_id"].to_numpy() == frame["case_id"].to_numpy()).all():
            raise DataError("plan: its table and the cases of its problem are not the same cases")
        cases = cases.drop(columns=[name for name in _PLANNED if name in cases.columns])
        more = [name for name in frame.columns if name != "case_id" and name not in cases.columns]
        frame = pd.concat([cases.reset_index(drop=True), frame[more].reset_index(drop=True)], axis=1)
    read = read_cases(frame, zone, what="plan")
    uses = [name for name in frame.columns if str(name).startswith("uses_")]
    amounts = frame[uses].to_numpy(dtype=np.float64).tolist()
    names = [str(name).removeprefix("uses_") for name in uses]
    read.columns["uses"] = [
        json.dumps({name: amount for name, amount in zip(names, row, strict=True) if amount}, ensure_ascii=False)
        for row in amounts
    ]
    arms = read.columns.get("arm", [None] * len(frame))
    read.columns["arm"] = [arm or "plan" for arm in arms]
    intended = read.columns.get("intended", [None] * len(frame))
    read.columns["intended"] = [meant or given for meant, given in zip(intended, read.columns["remedy"], strict=True)]
    return read


def _inserted(
    connection: sa.Connection, new: NewCases, rows: npt.NDArray[np.bool_], state: str, at: int, transitions: Transitions
) -> None:
    """Insert new cases in one statement."""
    import sqlalchemy as sa

    if not rows.any():
        return
    places = np.flatnonzero(rows).tolist()
    settled = state in transitions.settled
    same = {"state": state, "version": 1, "added_time": at, "changed_time": at, "settled": int(settled),
            "over": int(state in transitions.ends), "settled_time": at if settled else None}  # fmt: skip
    connection.execute(
        sa.insert(tables().cases),
        [
            {"case_id": new.case_ids[place], **same, **{name: column[place] for name, column in new.columns.items()}}
            for place in places
        ],
    )


def add_cases(
    connection: sa.Connection, new: NewCases, *, transitions: Transitions, actor: str, at: int | None, key: str
) -> Done:
    """Add the cases that the store does not know.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    new : NewCases
        The cases.
    transitions : Transitions
        Whose start they get.
    actor : str
        Who adds them.
    at : int or None
        When.
    key : str
        Of the call.

    Returns
    -------
    Done
        The receipt's table and the entries.
    """
    standing = standing_of(connection, new.case_ids)
    twice = standing.reason == "given twice in this call"
    standing.reason[:] = ""
    first = ~pd.Series(new.case_ids, dtype=object).duplicated().to_numpy()
    refuse(standing, (standing.version > 0), "in the store already")
    refuse(standing, twice | ~first, "given twice in this call")
    added = standing.reason == ""
    moment = now() if at is None else at
    _inserted(connection, new, added, transitions.start, moment, transitions)
    entries = [
        entry_row(time=moment, action="add", actor=actor, case_id=case_id, source="", target=transitions.start,
                  version=1, call=key)
        for case_id in new.case_ids[added].tolist()
    ]  # fmt: skip
    target = np.where(added, transitions.start, standing.state)
    version = np.where(added, 1, standing.version)
    return Done(receipt_table(new.case_ids, added, standing.state, target, version, standing.reason), entries)


def planned_before(connection: sa.Connection, key: str) -> frozenset[str]:
    """Give the cases that a plan was given to by an earlier call.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    key : str
        Of the plan.

    Returns
    -------
    frozenset of str
        Often none.
    """
    import sqlalchemy as sa

    calls, history = tables().calls, tables().history
    if connection.execute(sa.select(calls.c.key).where(calls.c.key == key)).one_or_none() is None:
        return frozenset()
    query = sa.select(history.c.case_id).where(history.c.action == "plan", history.c.call == key)
    return frozenset(connection.execute(query).scalars())


def plan_cases(
    connection: sa.Connection,
    plan: NewCases,
    *,
    to: str,
    transitions: Transitions,
    actor: str,
    at: int | None,
    key: str,
    before: frozenset[str] = frozenset(),
) -> Done:
    """Give every case of a plan its remedy, adding those that the store does not know.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    plan : NewCases
        Of ``read_plan``.
    to : str
        The state of a planned case.
    transitions : Transitions
        What is allowed.
    actor : str
        Who plans.
    at : int or None
        When.
    key : str
        Of the call.
    before : frozenset of str, default=frozenset()
        Cases that this plan was given to before.

    Returns
    -------
    Done
        The receipt's table and the entries.
    """
    import sqlalchemy as sa

    cases = tables().cases
    standing = standing_of(connection, plan.case_ids, needed_columns(transitions, to))
    new = standing.reason == "not known"
    refuse(
        standing, np.array([case_id in before for case_id in plan.case_ids], dtype=bool), "planned by this plan already"
    )
    here = standing.state == to
    standing.reason[new] = "new"
    standing.reason[here & (standing.reason == "")] = "again"
    refuse_moves(standing, transitions, to)
    standing.reason[np.isin(standing.reason, ["new", "again"])] = ""
    moment = instants_of(standing, at)
    planned = standing.reason == ""
    _inserted(connection, plan, planned & new, to, moment, transitions)
    changed = np.flatnonzero(planned & ~new).tolist()
    if changed:
        names = [name for name in _PLANNED if name in plan.columns]
        connection.execute(
            sa.update(cases)
            .where(cases.c.case_id == sa.bindparam("its_id"))
            .values(
                **state_values(transitions, to, moment),
                **{name: sa.bindparam(f"its_{name}") for name in names},
            ),
            [
                {"its_id": plan.case_ids[place], **{f"its_{name}": plan.columns[name][place] for name in names}}
                for place in changed
            ],
        )  # fmt: skip
    version = standing.version + planned
    columns = plan.columns
    places = np.flatnonzero(planned).tolist()
    entries = [
        entry_row(
            time=moment, action="plan", actor=actor, case_id=plan.case_ids[place], source=standing.state[place],
            target=to, version=int(version[place]), call=key,
            detail=json.dumps({name: columns[name][place] for name in _PLANNED[:4] if name in columns},
                              ensure_ascii=False),
        )
        for place in places
    ]  # fmt: skip
    target = np.where(planned, to, standing.state)
    return Done(receipt_table(plan.case_ids, planned, standing.state, target, version, standing.reason), entries)
