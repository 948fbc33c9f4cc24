"""A store of cases as it is opened and read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from crmkit.casework._calls import chosen_ids
from crmkit.casework._database import Database
from crmkit.casework._history import HistoryCheck, check, entries_of
from crmkit.casework._ids import as_ids
from crmkit.casework._instants import as_instant, as_zone
from crmkit.casework._instants import now as this_moment
from crmkit.casework._reading import read_rows, results_of
from crmkit.casework._service_level import service_level
from crmkit.casework._tables import tables
from crmkit.casework._transitions import Transitions
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import sqlalchemy as sa

__all__ = ["OpenedStore"]


class OpenedStore:
    """The part of :class:`CaseStore` that opens a database and reads it.

    Parameters
    ----------
    url, transitions, timezone, read_only, busy_timeout, clock_slack : object
        As described at :class:`CaseStore`.
    """

    def __init__(
        self,
        url: str | Path,
        *,
        transitions: Transitions | None = None,
        timezone: str | None = None,
        read_only: bool = False,
        busy_timeout: float = 60.0,
        clock_slack: float = 300.0,
    ) -> None:
        if transitions is not None and not isinstance(transitions, Transitions):
            raise TypeError(f"transitions must be a casework.Transitions, got {type(transitions).__name__}")
        if not isinstance(clock_slack, int | float) or math.isnan(clock_slack) or clock_slack < 0:
            raise DataError(f"clock_slack must be seconds from 0 on, got {clock_slack!r}")
        self._zone = as_zone(timezone)
        self.timezone = timezone
        self._slack = clock_slack
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
            One row an entry in their order: ``entry``, ``time``, ``action`` (add, update, plan, move, assign, release,
            deadline, record, transitions), ``actor``, ``case_id``, ``from``, ``to``, ``version``, ``note``, ``detail``
            (JSON), ``call`` (the idempotency key), ``hash``.
        """
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

    def service_level(
        self, now: Any = None, *, by: str | Sequence[str] | None = None, level: float = 0.95
    ) -> pd.DataFrame:
        """Give the share of cases in which the service was given by its deadline, with its interval.

        Counts the cases whose deadline has passed, and no others: those that are late and still open are missed, and
        those that were quick although their deadline is to come would make the share look better than it is.

        Parameters
        ----------
        now : time, default=None
            The moment to judge by; None for this moment.
        by : str or sequence of str, default=None
            Columns of :meth:`cases` such as ``"queue"``, for a row a group; None for one row of all.
        level : float, default=0.95
            Coverage of the interval.

        Returns
        -------
        pandas.DataFrame
            A row a group: ``due`` (cases whose deadline has passed), ``kept``, ``missed``, ``missed_open`` (of those
            missed, how many still wait), ``share`` kept, and Wilson's interval ``low`` and ``high``; missing where
            nothing was due.

        Raises
        ------
        DataError
            If there is no such column.
        """
        moment = self._moment(now, "now")
        with self._database.reading() as connection:
            table = read_rows(connection)
        return service_level(table, this_moment() if moment is None else moment, by=by, level=level)

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
