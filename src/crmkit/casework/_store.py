"""A store of cases in a database, with the history of all that was done to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit.casework._adding import add_cases, plan_cases, read_cases, read_plan
from crmkit.casework._arguments import as_note, as_outcomes, as_versions
from crmkit.casework._assigning import assign_cases, change_column, merged_outcomes, read_agents
from crmkit.casework._calls import Done, call, entry_row
from crmkit.casework._database import Database
from crmkit.casework._history import HistoryCheck, check, entries_of
from crmkit.casework._ids import as_ids, as_name
from crmkit.casework._instants import MISSING, as_instant, as_instants, as_zone
from crmkit.casework._instants import now as this_moment
from crmkit.casework._moving import move_cases
from crmkit.casework._reading import read_rows, results_of
from crmkit.casework._tables import tables
from crmkit.casework._transitions import Transitions
from crmkit.core import html
from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import sqlalchemy as sa

    from crmkit.casework._receipt import Receipt

__all__ = ["CaseStore"]

_RESULT_COLUMNS = frozenset({
    "case_id", "customer_id", "label", "cause", "remedy", "intended", "arm", "value", "amount", "currency",
    "value_at_stake", "state", "agent", "time", "added_time", "planned_time", "done_time", "carried_out",
    "settled_time", "deadline", "in_time",
})  # fmt: skip


class CaseStore:
    """Cases and their history in SQLite or PostgreSQL, for any number of processes at a time.

    Each call that writes is one transaction: it takes the lock of the store, decides for every case whether it may
    change, changes those in one statement, adds an entry a case to the history, and says what it refused and why. Each
    entry of the history carries the hash of the one before, and the database itself refuses to change or delete one.
    Nothing is lost when a process is killed: a call is in the store whole, or not at all.

    A call of 100,000 cases takes about two seconds on SQLite. Writers take turns, so many small calls cost more than
    one large one. A file of SQLite must be on a disk of this machine, not on a network drive.

    Parameters
    ----------
    url : str or Path
        A file for SQLite (``"cases.sqlite"``), ``":memory:"`` for one that ends with the process, or a URL of
        SQLAlchemy such as ``"postgresql://user@host/database"``. The tables are made where they are not there; their
        names begin with ``crmkit_``.
    transitions : Transitions or None, default=None
        What a new store starts with; None for the usual ones. A store that is there keeps its own, and opening it with
        others is an error: change them with :meth:`set_transitions`.
    timezone : str or None, default=None
        Of times without an offset; None refuses them.
    read_only : bool, default=False
        Whether writing is refused.
    busy_timeout : float, default=60.0
        Seconds to wait while another process writes.

    Attributes
    ----------
    transitions : Transitions
        States and moves, as the store keeps them.
    head : tuple of int and str
        Number and hash of the last entry of the history.

    Raises
    ------
    PersistenceError
        If the database cannot be opened, is no store, or one of another version.
    MissingExtraError
        If SQLAlchemy, or for PostgreSQL psycopg, is not installed.

    Notes
    -----
    Of personal data it keeps ids only: columns of a case that it does not know are left out, and the notes of moves are
    masked (:func:`crmkit.privacy.mask`) before they are kept, because a history that cannot be changed cannot forget.

    Examples
    --------
    >>> from crmkit.casework import CaseStore
    >>> with CaseStore(":memory:") as store:
    ...     added = store.add({"case_id": ["C1", "C2"]}, actor="nightly job")
    ...     store.move(["C1", "C2", "C9"], to="classified", actor="text classifier")
    Receipt(move: 2 done, 1 refused; 1 not known)
    """

    def __init__(
        self,
        url: str | Path,
        *,
        transitions: Transitions | None = None,
        timezone: str | None = None,
        read_only: bool = False,
        busy_timeout: float = 60.0,
    ) -> None:
        if transitions is not None and not isinstance(transitions, Transitions):
            raise TypeError(f"transitions must be a casework.Transitions, got {type(transitions).__name__}")
        self._zone = as_zone(timezone)
        self._database = Database(url, read_only=read_only, busy_timeout=busy_timeout)
        self._cached: tuple[str, Transitions] | None = None
        try:
            self._database.prepare((transitions or Transitions()).to_json())
            if transitions is not None:
                self._refuse_others(transitions)
        except BaseException:
            self._database.close()
            raise

    def _refuse_others(self, transitions: Transitions) -> None:
        """Refuse transitions that are not the store's own."""
        if transitions != self.transitions:
            raise DataError(
                "the store keeps other transitions than those given: open it without transitions=, and change them "
                "with set_transitions()"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the store may be opened again."""
        self._database.close()

    @property
    def transitions(self) -> Transitions:
        """States and moves, as the store keeps them."""
        with self._database.reading() as connection:
            return self._transitions(connection)

    def _transitions(self, connection: sa.Connection) -> Transitions:
        """Read the transitions within a transaction, so that no other process changes them meanwhile."""
        import sqlalchemy as sa

        meta = tables().meta
        text = connection.execute(sa.select(meta.c.content).where(meta.c.name == "transitions")).scalar_one()
        if self._cached is None or self._cached[0] != text:
            self._cached = (text, Transitions.from_json(text))
        return self._cached[1]

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last entry of the history."""
        import sqlalchemy as sa

        kept = tables().head
        with self._database.reading() as connection:
            row = connection.execute(sa.select(kept.c.entry, kept.c.hash)).one()
        return int(row.entry), str(row.hash)

    def set_transitions(self, transitions: Transitions, *, actor: str, at: Any = None) -> None:
        """Change which states there are and which moves are allowed; the history keeps that it was done.

        Parameters
        ----------
        transitions : Transitions
            The new ones.
        actor : str
            Who changes them.
        at : time, default=None
            When; None for now.

        Raises
        ------
        DataError
            If a case is in a state that would no longer be there.
        """
        import sqlalchemy as sa

        if not isinstance(transitions, Transitions):
            raise TypeError(f"transitions must be a casework.Transitions, got {type(transitions).__name__}")
        kept, who, moment = tables(), as_name(actor, "actor"), self._moment(at)

        def work(connection: sa.Connection) -> Done:
            held = connection.execute(sa.select(kept.cases.c.state, sa.func.count()).group_by(kept.cases.c.state)).all()
            gone = [f"{count:,} in {state!r}" for state, count in held if state not in transitions.states]
            if gone:
                raise DataError(f"the new transitions lack states in which there are cases: {', '.join(sorted(gone))}")
            text = transitions.to_json()
            connection.execute(sa.update(kept.meta).where(kept.meta.c.name == "transitions").values(content=text))
            state = kept.cases.c.state
            flags = {"settled": transitions.settled, "over": transitions.ends}
            values = {name: sa.case((state.in_(states), 1), else_=0) for name, states in flags.items()}
            connection.execute(sa.update(kept.cases).values(values))
            row = entry_row(
                time=this_moment() if moment is None else moment, action="transitions", actor=who, case_id="",
                source="", target="", version=0, detail=text,
            )  # fmt: skip
            return Done(_empty_receipt(), [row])

        call(self._database, "transitions", key=None, request=None, work=work)

    def add(self, cases: Any, *, actor: str, at: Any = None, key: str | None = None) -> Receipt:
        """Add new cases in the state in which cases start; those that the store knows are refused and stay as they are.

        Parameters
        ----------
        cases : table
            ``case_id``, and of these columns those that there are: ``customer_id``, ``label``, ``cause``, ``urgency``,
            ``queue``, ``agent``, ``amount``, ``currency``, ``value_at_stake``, ``evidence``, ``time`` (of the
            incident), ``deadline``. Other columns are left out.
        actor : str
            Who adds them.
        at : time, default=None
            When; None for now.
        key : str or None, default=None
            An idempotency key: a second call with it does nothing, and gives the first one's receipt.

        Returns
        -------
        Receipt
            What was added, and what was refused.

        Raises
        ------
        DataError
            If a column holds what it must not, or the key was used for another request.
        """
        new, moment, who, key = self._checked(read_cases(cases, self._zone), at, actor, key)
        return call(
            self._database,
            "add",
            key=key,
            request=[new.request(), who] if key is not None else None,
            work=lambda connection: add_cases(
                connection, new, transitions=self._transitions(connection), actor=who, at=moment, key=key or ""
            ),
        )

    def load_plan(
        self, plan: Any, *, actor: str, at: Any = None, to: str = "planned", key: str | None = None
    ) -> Receipt:
        """Take a plan over: every case with its remedy, worth, uses and arm, held-out cases too.

        A case that the store does not know is added as planned; a planned case gets its new remedy; any other must be
        allowed to move to ``to``.

        Parameters
        ----------
        plan : Plan, or table like ``plan.table``
            A whole plan.
        actor : str
            Who planned.
        at : time, default=None
            When; None for now.
        to : str, default="planned"
            The state of a planned case.
        key : str or None, default=None
            An idempotency key; None makes one of the plan's content, so that a plan loaded twice is loaded once.

        Returns
        -------
        Receipt
            What was planned, and what was refused.

        Raises
        ------
        DataError
            If the plan divides a case, or the key was used for another plan.

        Examples
        --------
        >>> from crmkit.casework import CaseStore
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1}, remedies=["call"])
        >>> with CaseStore(":memory:") as store:
        ...     receipt = store.load_plan(plan(problem), actor="planner")
        ...     store.cases()[["case_id", "remedy", "value"]].values.tolist()
        [['0', 'call', 10.0], ['1', 'nothing', 0.0]]
        """
        import hashlib

        new, moment, who, given = self._checked(read_plan(plan, self._zone), at, actor, key)
        content = new.request()
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        used = f"plan {digest[:32]}" if given is None else given

        def work(connection: sa.Connection) -> Done:
            transitions = self._transitions(connection)
            target = transitions.require(to)
            return plan_cases(connection, new, to=target, transitions=transitions, actor=who, at=moment, key=used)

        return call(self._database, "plan", key=used, request=[digest, to], work=work)

    def move(
        self,
        case_ids: Any,
        *,
        to: str,
        actor: str,
        at: Any = None,
        expect: Any = None,
        note: str = "",
        key: str | None = None,
    ) -> Receipt:
        """Move cases to another state: those that may in one statement, the others are refused with the reason.

        Parameters
        ----------
        case_ids : str, list, array or Series of str
            Which; unknown ids and ids given twice are refused, none at all is allowed.
        to : str
            The state.
        actor : str
            Who moves them: the name of a job, or the id of a person.
        at : time, default=None
            When, not before a case's last entry; None for now.
        expect : int, array-like of int or mapping of id to int, default=None
            The versions that the caller saw; a case that has another one by now is refused.
        note : str, default=""
            A word for the history; personal data in it is masked.
        key : str or None, default=None
            An idempotency key: a second call with it does nothing, and gives the first one's receipt.

        Returns
        -------
        Receipt
            A row an id: whether it moved, from where, its version, or why it was refused.

        Raises
        ------
        DataError
            If there is no such state, an id is missing, or the key was used for another request.
        PersistenceError
            If the database cannot be written to; then nothing was moved.

        Examples
        --------
        >>> from crmkit.casework import CaseStore
        >>> with CaseStore(":memory:") as store:
        ...     receipt = store.add({"case_id": ["C1"]}, actor="job")
        ...     store.move("C1", to="classified", actor="ann", expect=1, key="2026-03-01/1")
        ...     store.move("C1", to="classified", actor="ann", expect=1, key="2026-03-01/1").repeated
        Receipt(move: 1 done, 0 refused)
        True
        """
        ids = as_ids(case_ids)
        _, moment, who, key = self._checked(None, at, actor, key)
        versions = as_versions(expect, ids)
        said = as_note(note)

        def work(connection: sa.Connection) -> Done:
            transitions = self._transitions(connection)
            return move_cases(
                connection, ids, to=transitions.require(to), transitions=transitions, actor=who, at=moment,
                expect=versions, note=said, key=key or "",
            )  # fmt: skip

        request = None
        if key is not None:
            request = [ids.tolist(), to, who, None if versions is None else versions.tolist(), said]
        return call(self._database, "move", key=key, request=request, work=work)

    def assign(
        self, agents: Any, *, actor: str, at: Any = None, states: Sequence[str] | None = None, key: str | None = None
    ) -> Receipt:
        """Give the open cases without an agent to agents who have room.

        The nearest deadline comes first, then the greater urgency, then the older case. A case goes to an agent of its
        queue, else to one who takes any; of these to the one whose share of the capacity in use is smallest. Open cases
        that an agent has already count against the capacity.

        Parameters
        ----------
        agents : table
            ``agent``, ``capacity`` (cases at one time), and ``queue`` for agents who serve one queue only.
        actor : str
            Who assigns.
        at : time, default=None
            When; None for now.
        states : sequence of str or None, default=None
            Only cases in these states; None for all in which the service is not given yet.
        key : str or None, default=None
            An idempotency key.

        Returns
        -------
        Receipt
            A row a waiting case; who got it stands in :meth:`cases`.

        Raises
        ------
        DataError
            If an agent stands twice or a capacity is no whole number.
        """
        team = read_agents(agents)
        _, moment, who, key = self._checked(None, at, actor, key)

        def work(connection: sa.Connection) -> Done:
            chosen = None
            if states is not None:
                transitions = self._transitions(connection)
                chosen = [
                    transitions.require(state, "states") for state in ([states] if isinstance(states, str) else states)
                ]
            return assign_cases(connection, team, states=chosen, actor=who, at=moment, key=key or "")

        request = [team.astype(object).where(team.notna(), None).to_numpy().tolist(), states and list(states), who]
        return call(self._database, "assign", key=key, request=request, work=work)

    def release(self, case_ids: Any, *, actor: str, at: Any = None, key: str | None = None) -> Receipt:
        """Take cases from their agents, so that :meth:`assign` gives them to others.

        Parameters
        ----------
        case_ids : str, list, array or Series of str
            Which.
        actor : str
            Who does it.
        at : time, default=None
            When; None for now.
        key : str or None, default=None
            An idempotency key.

        Returns
        -------
        Receipt
            A row an id.
        """
        return self._change(case_ids, "agent", [None], "release", actor=actor, at=at, key=key, expect=None)

    def set_deadlines(
        self, case_ids: Any, deadlines: Any, *, actor: str, at: Any = None, expect: Any = None, key: str | None = None
    ) -> Receipt:
        """Set until when the service is due, such as :meth:`BusinessHours.deadline` works it out.

        Parameters
        ----------
        case_ids : str, list, array or Series of str
            Which.
        deadlines : time, or array-like of times, shape (n,)
            One for all, or one each; a missing one takes the deadline away.
        actor : str
            Who sets them.
        at : time, default=None
            When; None for now.
        expect : int, array-like of int or mapping, default=None
            As for :meth:`move`.
        key : str or None, default=None
            An idempotency key.

        Returns
        -------
        Receipt
            A row an id.

        Raises
        ------
        DataError
            If there are not as many deadlines as ids, or one is no time.
        """
        ids = as_ids(case_ids)
        if isinstance(deadlines, pd.Series | pd.Index | np.ndarray | list | tuple):
            if len(deadlines) != len(ids):
                raise DataError(f"deadlines: got {len(deadlines):,} for {len(ids):,} cases")
            column = pd.Series(deadlines)
            column = column if len(column) else column.astype("datetime64[us, UTC]")
            micros = as_instants(column, self._zone, what="deadlines", missing=True)
        else:
            micros = np.full(len(ids), as_instant(deadlines, self._zone, what="deadlines"))
        values = [None if each == MISSING else each for each in micros.tolist()]
        return self._change(ids, "deadline", values, "deadline", actor=actor, at=at, key=key, expect=expect)

    def record(self, outcomes: Any, *, actor: str, at: Any = None, key: str | None = None) -> Receipt:
        """Keep what was measured afterwards: marks, whether the customer stayed, what was spent.

        Parameters
        ----------
        outcomes : table
            ``case_id``, and a column an outcome with numbers or truth values; missing cells are left out. A later value
            of the same name replaces the earlier one; the history keeps both.
        actor : str
            Who measured.
        at : time, default=None
            When; None for now.
        key : str or None, default=None
            An idempotency key.

        Returns
        -------
        Receipt
            A row a case.

        Raises
        ------
        DataError
            If a column holds text, or has the name of a column of :meth:`results`.
        """
        frame = as_frame(outcomes, what="outcomes")
        require_columns(frame, ["case_id"], what="outcomes")
        ids = as_ids(frame["case_id"], what="outcomes: case_id")
        names = [str(name) for name in frame.columns if name != "case_id"]
        taken = [name for name in names if name in _RESULT_COLUMNS or name.startswith("uses_")]
        if taken:
            raise DataError(f"outcomes: {', '.join(map(repr, taken))} is a column of results() already: rename it")
        rows = as_outcomes(frame, names)
        _, moment, who, key = self._checked(None, at, actor, key)

        def work(connection: sa.Connection) -> Done:
            merged = merged_outcomes(connection, ids, rows)
            details = [json.dumps({"outcomes": row}, ensure_ascii=False) for row in rows]
            return change_column(
                connection, ids, "outcomes", list(merged), action="record", actor=who, at=moment, key=key or "",
                expect=None, details=details,
            )  # fmt: skip

        return call(self._database, "record", key=key, request=[ids.tolist(), rows, who], work=work)

    def cases(
        self,
        case_ids: Any = None,
        *,
        state: str | Sequence[str] | None = None,
        agent: str | None = None,
        queue: str | None = None,
        where: str | None = None,
    ) -> pd.DataFrame:
        """Give cases as they are.

        Parameters
        ----------
        case_ids : str, list, array or Series of str, default=None
            Which; None for all.
        state : str or sequence of str, default=None
            Only those in these states.
        agent, queue : str or None, default=None
            Only an agent's, or a queue's.
        where : str or None, default=None
            A condition over the columns, such as ``"amount > 100 and not settled"``.

        Returns
        -------
        pandas.DataFrame
            One row a case in the order in which they were added, with all that was given to :meth:`add`, the plan's
            columns, ``state``, ``version``, ``agent``, ``added_time``, ``changed_time``, ``settled_time`` (when the
            service was given), ``settled``, ``over``, ``outcomes``; times in UTC.

        Raises
        ------
        DataError
            If there is no such state, or the condition names no column.
        """
        cases = tables().cases
        conditions: list[Any] = []
        ids = None if case_ids is None else as_ids(case_ids).tolist()
        with self._database.reading() as connection:
            if state is not None:
                transitions = self._transitions(connection)
                states = [state] if isinstance(state, str) else list(state)
                conditions.append(cases.c.state.in_([transitions.require(each, "state") for each in states]))
            conditions += [cases.c.agent == agent] if agent is not None else []
            conditions += [cases.c.queue == queue] if queue is not None else []
            table = read_rows(connection, conditions=conditions, case_ids=ids)
        if where is None:
            return table
        holds = parse(where).evaluate(table).values
        if holds.dtype.kind != "b":
            raise DataError("where must be a condition such as 'amount > 100'")
        return table[holds].reset_index(drop=True)

    def overdue(self, now: Any = None) -> pd.DataFrame:
        """Give the cases whose deadline has passed before the service was given, the oldest deadline first.

        Parameters
        ----------
        now : time, default=None
            The moment to judge by; None for this moment. A case that is due at that very moment is not overdue.

        Returns
        -------
        pandas.DataFrame
            As :meth:`cases`, and ``late_hours``.
        """
        cases = tables().cases
        moment = self._moment(now, "now")
        judged = this_moment() if moment is None else moment
        with self._database.reading() as connection:
            table = read_rows(
                connection,
                conditions=[cases.c.settled == 0, cases.c.deadline < judged],
                order=[cases.c.deadline, cases.c.case_id],
            )
        due = pd.DatetimeIndex(table["deadline"]).as_unit("us").asi8
        return table.assign(late_hours=(judged - due) / 3.6e9)

    def history(self, case_ids: Any = None) -> pd.DataFrame:
        """Give the history of all cases or of some.

        Parameters
        ----------
        case_ids : str, list, array or Series of str, default=None
            Whose; None for all.

        Returns
        -------
        pandas.DataFrame
            One row an entry in their order: ``entry``, ``time``, ``action`` (add, plan, move, assign, release,
            deadline, record, transitions), ``actor``, ``case_id``, ``from``, ``to``, ``version``, ``note``, ``detail``
            (JSON), ``call`` (the idempotency key), ``hash``.
        """
        from crmkit.casework._calls import chosen_ids

        ids = None if case_ids is None else as_ids(case_ids).tolist()
        with self._database.reading() as connection:
            return entries_of(connection, ids, None if ids is None else chosen_ids(connection, ids))

    def verify_history(self, *, expect: tuple[int, str] | None = None) -> HistoryCheck:
        """Check that no entry was altered, removed or put in, and that every case is where the history says.

        Parameters
        ----------
        expect : tuple of int and str, default=None
            A :attr:`head` that was noted elsewhere; with it, a history that was written anew from its start is found.

        Returns
        -------
        HistoryCheck
            True where all is right; else it names the altered entries.
        """
        with self._database.reading_damaged() as connection:
            return check(connection, expect=expect)

    def results(self, *, done: str = "done") -> pd.DataFrame:
        """Give what became of the cases as a table for an evaluation.

        Parameters
        ----------
        done : str, default="done"
            The state that says that the remedy was given.

        Returns
        -------
        pandas.DataFrame
            One row a case: ``case_id``, ``customer_id``, ``label``, ``cause``, ``remedy``, ``intended`` (what a
            held-out case would have got), ``arm``, ``value`` (what the plan expected), ``amount``, ``currency``,
            ``value_at_stake``, ``state``, ``agent``, ``time``, ``added_time``, ``planned_time``, ``done_time``,
            ``carried_out``, ``settled_time``, ``deadline``, ``in_time`` (missing where there is no deadline or the
            service is not given yet), ``uses_…``, and a column an outcome of :meth:`record`.
        """
        with self._database.reading() as connection:
            return results_of(connection, done=self._transitions(connection).require(done, "done"))

    def _change(
        self,
        case_ids: Any,
        column: str,
        values: list[Any],
        action: str,
        *,
        actor: str,
        at: Any,
        key: str | None,
        expect: Any,
    ) -> Receipt:
        """Write one column of cases in one call; a single value is for all."""
        ids = as_ids(case_ids)
        _, moment, who, key = self._checked(None, at, actor, key)
        versions = as_versions(expect, ids)
        written = values * len(ids) if len(values) == 1 else values

        def work(connection: sa.Connection) -> Done:
            return change_column(
                connection, ids, column, written, action=action, actor=who, at=moment, key=key or "", expect=versions
            )

        request = [ids.tolist(), written, who, None if versions is None else versions.tolist()]
        return call(self._database, action, key=key, request=request, work=work)

    def _checked(self, content: Any, at: Any, actor: str, key: str | None) -> tuple[Any, int | None, str, str | None]:
        """Check what all calls that write have."""
        return content, self._moment(at), as_name(actor, "actor"), None if key is None else as_name(key, "key")

    def _moment(self, at: Any, what: str = "at") -> int | None:
        """Read a moment; None stays None."""
        return None if at is None else as_instant(at, self._zone, what=what)

    def _counts(self) -> list[tuple[str, int]]:
        """Count the cases in each state, in the order of the states."""
        import sqlalchemy as sa

        cases = tables().cases
        with self._database.reading() as connection:
            order = self._transitions(connection).states
            rows = connection.execute(sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)).all()
        return sorted(((str(state), int(count)) for state, count in rows), key=lambda row: order.index(row[0]))

    def __repr__(self) -> str:
        return f"CaseStore({self._database.name})"

    def _repr_html_(self) -> str:
        return html.table(["state", "cases"], self._counts(), caption=self._database.name)


def _empty_receipt() -> pd.DataFrame:
    """Give the table of a receipt of no case."""
    from crmkit.casework._receipt import receipt_table

    return receipt_table([], [], [], [], [], [])
