"""Changes the transitions of a store together with what follows from them for each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.casework._calls import Done, entry_row
from crmkit.casework._instants import now
from crmkit.casework._receipt import receipt_table
from crmkit.casework._tables import tables
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from crmkit.casework._transitions import Transitions

__all__ = ["change_transitions"]


def change_transitions(connection: sa.Connection, transitions: Transitions, *, actor: str, at: int | None) -> Done:
    """Keep new transitions, and judge anew which cases are settled, since when, and which are over.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    transitions : Transitions
        The new ones.
    actor : str
        Who changes them.
    at : int or None
        When.

    Returns
    -------
    Done
        A receipt of no case, and one entry.

    Raises
    ------
    DataError
        If a case is in a state that would no longer be there.
    """
    import sqlalchemy as sa

    kept = tables()
    cases, history = kept.cases, kept.history
    held = connection.execute(sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)).all()
    gone = [f"{count:,} in {state!r}" for state, count in held if state not in transitions.states]
    if gone:
        raise DataError(f"the new transitions lack states in which there are cases: {', '.join(sorted(gone))}")
    text = transitions.to_json()
    connection.execute(sa.update(kept.meta).where(kept.meta.c.name == "transitions").values(content=text))
    # The service was given when the case last came from a state in which it was not.
    since = (
        sa.select(sa.func.max(history.c.time))
        .where(
            history.c.case_id == cases.c.case_id,
            history.c.target.in_(transitions.settled),
            history.c.source.not_in(transitions.settled),
        )
        .scalar_subquery()
    )
    settled = cases.c.state.in_(transitions.settled)
    connection.execute(
        sa.update(cases).values(
            settled=sa.case((settled, 1), else_=0),
            settled_time=sa.case((settled, since), else_=None),
            over=sa.case((cases.c.state.in_(transitions.ends), 1), else_=0),
        )
    )
    row = entry_row(
        time=now() if at is None else at, action="transitions", actor=actor, case_id="", source="", target="",
        version=0, detail=text,
    )  # fmt: skip
    return Done(receipt_table([], [], [], [], [], []), [row])
