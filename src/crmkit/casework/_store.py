"""A store of cases in a database, with the history of all that was done to them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._adding import UPDATABLE, add_cases, plan_cases, planned_before, read_cases, read_plan
from crmkit.casework._arguments import as_note, as_outcomes, as_versions
from crmkit.casework._assigning import assign_cases, read_agents
from crmkit.casework._calls import call
from crmkit.casework._changing import change_columns, merged_outcomes
from crmkit.casework._ids import as_ids, as_name
from crmkit.casework._instants import MISSING, as_instant, as_instants
from crmkit.casework._instants import now as this_moment
from crmkit.casework._moving import move_cases
from crmkit.casework._new_transitions import change_transitions
from crmkit.casework._opened import OpenedStore
from crmkit.casework._reading import RESULT_COLUMNS
from crmkit.casework._transitions import Transitions
from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from crmkit.casework._calls import Done
    from crmkit.casework._receipt import Receipt

__all__ = ["CaseStore"]


class CaseStore(OpenedStore):
    """Cases and their history in SQLite or PostgreSQL, for any number of processes at a time.

    Each call that writes is one transaction: it takes the lock of the store, decides for every case whether it may
    change, changes those in one statement, adds an entry a case to the history, and says what it refused and why. Each
    entry of the history carries the hash of the one before, and the database itself refuses to update or delete one.
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
    clock_slack : float, default=300.0
        How many seconds the time of a change (``at=``) may lie ahead of this machine's clock; infinity for a simulated
        company. A change of the year 2040 would keep others from the case until then.

    Attributes
    ----------
    transitions : Transitions
        States and moves, as the store keeps them.
    timezone : str or None
        As given.
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
        if not isinstance(transitions, Transitions):
            raise TypeError(f"transitions must be a casework.Transitions, got {type(transitions).__name__}")
        _, moment, who, _ = self._checked(None, at, actor, None)

        def work(connection: sa.Connection) -> Done:
            return change_transitions(connection, transitions, actor=who, at=moment)

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

    def update(self, cases: Any, *, actor: str, at: Any = None, expect: Any = None, key: str | None = None) -> Receipt:
        """Write what has been found out about cases: their class, cause, urgency, queue, what is at stake.

        Parameters
        ----------
        cases : table
            ``case_id``, and of the columns of :meth:`add` those that change, such as ``label`` and ``queue``. A missing
            cell leaves what is there; other columns are left out.
        actor : str
            Who found it out, such as the name of a classifier.
        at : time, default=None
            When; None for now.
        expect : int, array-like of int or mapping, default=None
            As for :meth:`move`.
        key : str or None, default=None
            An idempotency key.

        Returns
        -------
        Receipt
            A row a case.

        Raises
        ------
        DataError
            If there is no such column, or one holds what it must not.

        Examples
        --------
        >>> from crmkit.casework import CaseStore
        >>> with CaseStore(":memory:") as store:
        ...     added = store.add({"case_id": ["C1", "C2"]}, actor="nightly job")
        ...     receipt = store.update({"case_id": ["C2"], "label": ["delay"], "urgency": [2]}, actor="classifier")
        ...     store.cases(where="urgency >= 2")["label"].tolist()
        ['delay']
        """
        new, moment, who, key = self._checked(read_cases(cases, self._zone), at, actor, key)
        columns = {name: values for name, values in new.columns.items() if name in UPDATABLE}
        if not columns:
            raise DataError(f"cases: none of its columns is kept of a case; those are: {', '.join(sorted(UPDATABLE))}")
        versions = as_versions(expect, new.case_ids)

        def work(connection: sa.Connection) -> Done:
            return change_columns(
                connection, new.case_ids, columns, action="update", actor=who, at=moment, key=key or "",
                expect=versions, keep=True,
            )  # fmt: skip

        request = [new.case_ids.tolist(), columns, who, None if versions is None else versions.tolist()]
        return call(self._database, "update", key=key, request=request, work=work)

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
            An idempotency key; None makes one of the plan's content, so that a plan loaded twice is loaded once, and
            only cases that were refused the first time are tried again. To go back to an earlier plan, give a key.

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
        new, moment, who, given = self._checked(read_plan(plan, self._zone), at, actor, key)
        content = new.request()
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        used = f"plan {digest[:32]}" if given is None else given

        def work(connection: sa.Connection) -> Done:
            transitions = self._transitions(connection)
            target = transitions.require(to)
            before = planned_before(connection, used) if given is None else frozenset()
            return plan_cases(
                connection, new, to=target, transitions=transitions, actor=who, at=moment, key=used, before=before
            )

        return call(self._database, "plan", key=used, request=[digest, to], work=work, retry=given is None)

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
            The versions that the caller saw; a case that has another one by now is refused. A Series whose index is
            called ``case_id`` is read by its index.
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
        that an agent has already count against the capacity. A case that is held out, or for which nothing is to be
        done, is given to nobody while it stands as the plan left it, unless ``states`` names its state.

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

    def reassign(
        self, case_ids: Any, *, agent: str, actor: str, at: Any = None, expect: Any = None, key: str | None = None
    ) -> Receipt:
        """Give cases to one agent by name, whoever has them now and whatever that agent's capacity.

        Parameters
        ----------
        case_ids : str, list, array or Series of str
            Which.
        agent : str
            Who gets them.
        actor : str
            Who decides it.
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
        """
        name = as_name(agent, "agent")
        return self._change(case_ids, "agent", [name], "assign", actor=actor, at=at, key=key, expect=expect)

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
        frame = frame.set_axis(frame.columns.map(str), axis=1)
        names = [name for name in frame.columns if name != "case_id"]
        taken = [name for name in names if name in RESULT_COLUMNS or name.startswith("uses_")]
        if taken:
            raise DataError(f"outcomes: {', '.join(map(repr, taken))} is a column of results() already: rename it")
        rows = as_outcomes(frame, names)
        _, moment, who, key = self._checked(None, at, actor, key)

        def work(connection: sa.Connection) -> Done:
            merged = merged_outcomes(connection, ids, rows)
            details = [json.dumps({"outcomes": row}, ensure_ascii=False) for row in rows]
            return change_columns(
                connection, ids, {"outcomes": list(merged)}, action="record", actor=who, at=moment, key=key or "",
                expect=None, details=details,
            )  # fmt: skip

        return call(self._database, "record", key=key, request=[ids.tolist(), rows, who], work=work)

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
            return change_columns(
                connection, ids, {column: written}, action=action, actor=who, at=moment, key=key or "", expect=versions
            )

        request = [ids.tolist(), written, who, None if versions is None else versions.tolist()]
        return call(self._database, action, key=key, request=request, work=work)

    def _checked(self, content: Any, at: Any, actor: str, key: str | None) -> tuple[Any, int | None, str, str | None]:
        """Check what all calls that write have."""
        return content, self._written(at), as_name(actor, "actor"), None if key is None else as_name(key, "key")

    def _written(self, at: Any) -> int | None:
        """Read the moment of a change, which has not yet to come."""
        moment = self._moment(at)
        if moment is not None and moment - this_moment() > self._slack * 1e6:
            raise DataError(
                "at lies in the future by this machine's clock, and nothing could be done to these cases until then; "
                "clock_slack= of the store says how far ahead it may lie"
            )
        return moment
