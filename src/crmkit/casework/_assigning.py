"""Gives cases to agents who have room, fairly and the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._changing import change_columns
from crmkit.casework._ids import as_ids, as_optional_texts
from crmkit.casework._tables import tables
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import sqlalchemy as sa

    from crmkit.casework._calls import Done

__all__ = ["assign_cases", "read_agents"]


def read_agents(agents: Any) -> pd.DataFrame:
    """Read the table of agents.

    Parameters
    ----------
    agents : table
        ``agent``, ``capacity`` (cases at one time) and, where agents serve one queue only, ``queue``.

    Returns
    -------
    pandas.DataFrame
        Checked; ``queue`` is None for agents who take any case.

    Raises
    ------
    DataError
        If an agent stands twice, or a capacity is no whole number of at least 0.
    """
    frame = as_frame(agents, what="agents")
    require_columns(frame, ["agent", "capacity"], what="agents")
    names = as_ids(frame["agent"], what="agents: agent")
    twice = pd.Series(names, dtype=object).duplicated(keep=False).to_numpy()
    if twice.any():
        raise DataError(f"agents: an agent stands more than once in {positions(twice)}")
    capacity = pd.to_numeric(frame["capacity"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~((capacity >= 0) & (capacity < 1e6) & (np.floor(capacity) == capacity))
    if wrong.any():
        raise DataError(f"agents: capacity must be a whole number from 0 to 999,999; it is not in {positions(wrong)}")
    queue = as_optional_texts(frame["queue"], "agents: queue") if "queue" in frame.columns else [None] * len(frame)
    return pd.DataFrame({
        "agent": names, "capacity": capacity.astype(np.int64), "queue": np.array([*queue, None], dtype=object)[:-1],
    })  # fmt: skip


def _slots(agents: pd.DataFrame, busy: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Give the free places as agents' positions, the emptiest agent's first."""
    capacity = agents["capacity"].to_numpy()
    free = np.maximum(capacity - busy, 0)
    who = np.repeat(np.arange(len(agents)), free)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(free) - free, free)
    return who[np.argsort((busy[who] + nth) / capacity[who], kind="stable")]


def _matched(
    agents: pd.DataFrame, busy: npt.NDArray[np.int64], queues: npt.NDArray[np.object_]
) -> npt.NDArray[np.intp]:
    """Give each case, in their order, an agent's position or -1: those of its queue first, then those who take any."""
    chosen = np.full(len(queues), -1, dtype=np.intp)
    serves = agents["queue"].to_numpy(dtype=object)
    for queue in pd.unique(serves[pd.notna(serves)]):
        team = np.flatnonzero(serves == queue)
        waiting = np.flatnonzero(queues == queue)
        slots = team[_slots(agents.iloc[team], busy[team])][: len(waiting)]
        chosen[waiting[: len(slots)]] = slots
    anyone = np.flatnonzero(pd.isna(serves))
    waiting = np.flatnonzero(chosen < 0)
    slots = anyone[_slots(agents.iloc[anyone], busy[anyone])][: len(waiting)]
    chosen[waiting[: len(slots)]] = slots
    return chosen


def assign_cases(
    connection: sa.Connection,
    agents: pd.DataFrame,
    *,
    states: Sequence[str] | None,
    actor: str,
    at: int | None,
    key: str,
) -> Done:
    """Give the waiting cases to agents.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    agents : pandas.DataFrame
        Of ``read_agents``.
    states : sequence of str or None
        Only cases in these.
    actor : str
        Who assigns.
    at : int or None
        When.
    key : str
        Of the call.

    Returns
    -------
    Done
        The receipt's table and the entries.
    """
    import sqlalchemy as sa

    cases = tables().cases
    open_cases = cases.c.settled == 0
    waiting_query = sa.select(cases.c.case_id, cases.c.queue).where(open_cases, cases.c.agent.is_(None))
    if states is None:
        waiting_query = waiting_query.where(~_left_alone())
    else:
        waiting_query = waiting_query.where(cases.c.state.in_(states))
    # Missing last on both databases; the id makes the order the same every time.
    order = [
        sa.func.coalesce(cases.c.deadline, 2**62),
        sa.func.coalesce(cases.c.urgency, -1e308).desc(),
        sa.func.coalesce(cases.c.time, cases.c.added_time),
        cases.c.case_id,
    ]
    rows = connection.execute(waiting_query.order_by(*order)).all()
    ids = np.array([row[0] for row in rows], dtype=object)
    queues = np.array([row[1] for row in rows], dtype=object)
    counted = connection.execute(
        sa.select(cases.c.agent, sa.func.count()).where(open_cases, cases.c.agent.is_not(None)).group_by(cases.c.agent)
    ).all()
    loads = {row[0]: row[1] for row in counted}
    busy = np.array([loads.get(name, 0) for name in agents["agent"]], dtype=np.int64)
    chosen = _matched(agents, busy, queues)
    names = np.append(agents["agent"].to_numpy(dtype=object), "")[chosen]
    return change_columns(
        connection, ids, {"agent": names.tolist()}, action="assign", actor=actor, at=at, key=key, expect=None,
        refused={"no agent of its queue has room": chosen < 0},
    )  # fmt: skip


def _left_alone() -> Any:
    """Say of which cases a plan said last that nothing is to be done: those held out, and those without a remedy."""
    import sqlalchemy as sa

    cases, history = tables().cases, tables().history
    last_step = (
        sa.select(history.c.action)
        .where(history.c.case_id == cases.c.case_id, history.c.action.in_(["add", "plan", "move"]))
        .order_by(history.c.entry.desc())
        .limit(1)
        .scalar_subquery()
    )
    nothing = (sa.func.coalesce(cases.c.arm, "") == "holdout") | (sa.func.coalesce(cases.c.remedy, "") == "nothing")
    return nothing & (last_step == "plan")
