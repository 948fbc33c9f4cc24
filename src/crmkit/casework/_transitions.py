"""Which states a case can be in and which moves between them are allowed, as a table that a company can change."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError, ExpressionError, PersistenceError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONDITION_COLUMNS", "CONDITION_NUMBERS", "Transitions"]

CONDITION_COLUMNS = frozenset({"remedy", "arm", "label", "cause", "queue", "agent", "amount", "value", "urgency"})
"""The columns of a case that the condition of a move may read."""
CONDITION_NUMBERS = frozenset({"amount", "value", "urgency"})
"""Those of them that hold numbers; the others hold text."""

_HELD_OUT = "arm == 'holdout' or remedy == 'nothing'"
_TO_BE_DONE = f"not ({_HELD_OUT})"
_DEFAULT = (
    ("received", "classified", ""),
    ("received", "rejected", ""),
    ("received", "escalated", ""),
    ("classified", "analysed", ""),
    ("classified", "rejected", ""),
    ("classified", "escalated", ""),
    ("analysed", "planned", ""),
    ("analysed", "rejected", ""),
    ("analysed", "escalated", ""),
    ("planned", "analysed", ""),
    ("planned", "approved", _TO_BE_DONE),
    ("planned", "followed up", _HELD_OUT),
    ("planned", "rejected", ""),
    ("planned", "escalated", ""),
    ("approved", "planned", ""),
    ("approved", "in progress", ""),
    ("approved", "rejected", ""),
    ("approved", "escalated", ""),
    ("in progress", "done", ""),
    ("in progress", "planned", ""),
    ("in progress", "escalated", ""),
    ("done", "followed up", ""),
    ("done", "reopened", ""),
    ("followed up", "evaluated", ""),
    ("followed up", "reopened", ""),
    ("evaluated", "closed", ""),
    ("evaluated", "reopened", ""),
    ("closed", "reopened", ""),
    ("rejected", "reopened", ""),
    ("escalated", "classified", ""),
    ("escalated", "analysed", ""),
    ("escalated", "planned", ""),
    ("escalated", "in progress", _TO_BE_DONE),
    ("escalated", "rejected", ""),
    ("reopened", "classified", ""),
    ("reopened", "analysed", ""),
    ("reopened", "planned", ""),
    ("reopened", "escalated", ""),
)


class Transitions:
    """The states of a case and the allowed moves between them.

    Without arguments it is the usual way of a case: received, classified, analysed, planned, approved, in progress,
    done, followed up, evaluated, closed; and reopened, rejected, escalated. A case that is held out of an experiment,
    or for which nothing is to be done, is never approved: it goes from planned to followed up. A company that works
    otherwise edits ``table`` or a TOML file. Whatever it says is checked when it is read.

    Parameters
    ----------
    moves : table or iterable of (from, to) or (from, to, where), default=None
        A table has the columns ``from``, ``to`` and, where moves have conditions, ``where``: an expression over the
        case (``remedy``, ``arm``, ``label``, ``cause``, ``queue``, ``agent``, ``amount``, ``value``, ``urgency``) that
        must hold; texts that a case lacks are ``""``, and a condition over a number that it lacks does not hold. None
        for the usual moves.
    start : str, default="received"
        The state of a new case.
    ends : iterable of str, default=("closed", "rejected")
        States in which a case is over (it may be reopened).
    settled : iterable of str, default=("done", "followed up", "evaluated")
        Further states in which the service is given, so that a deadline no longer runs and no agent is busy. States
        that the moves do not name are left out where the default is used.

    Attributes
    ----------
    states : tuple of str
        All states, in the order in which the moves name them, ``start`` first.
    start : str
        The state of a new case.
    ends, settled : tuple of str
        As given, with ``settled`` holding the ends too.

    Raises
    ------
    DataError
        If a state cannot be reached from ``start``, has no way to an end, a move is given twice or leads nowhere, or a
        condition reads what a case does not have; one error tells all of it.

    Examples
    --------
    >>> from crmkit.casework import Transitions
    >>> transitions = Transitions()
    >>> transitions.allows("planned", "approved"), transitions.allows("received", "done")
    (True, False)
    >>> Transitions([("received", "done"), ("done", "closed"), ("lost", "done")], ends=["closed"])
    Traceback (most recent call last):
        ...
    crmkit.core.errors.DataError: transitions: 'lost' cannot be reached from 'received'
    """

    def __init__(
        self,
        moves: Any = None,
        *,
        start: str = "received",
        ends: Iterable[str] = ("closed", "rejected"),
        settled: Iterable[str] = ("done", "followed up", "evaluated"),
    ) -> None:
        self._moves = list(_DEFAULT) if moves is None else _read(moves)
        self.start = _state(start)
        self.states = tuple(dict.fromkeys([self.start, *(end for move in self._moves for end in move[:2])]))
        self.ends = tuple(dict.fromkeys(map(_state, ends)))
        given = tuple(map(_state, settled))
        if given == ("done", "followed up", "evaluated"):
            given = tuple(state for state in given if state in self.states)
        if set(self.ends) == {"closed", "rejected"} and "closed" in self.states:
            self.ends = tuple(state for state in self.ends if state in self.states)
        self.settled = tuple(dict.fromkeys([*given, *self.ends]))
        self._where = {(source, target): where for source, target, where in self._moves}
        problems = self._problems()
        if problems:
            raise DataError(f"transitions: {'; '.join(problems)}")

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """Read the file that :meth:`to_toml` writes and people edit.

        Parameters
        ----------
        path : str or Path
            ``start``, ``ends`` and ``settled``, and a table ``[[moves]]`` a move with ``from``, ``to`` and ``where``.

        Returns
        -------
        Transitions
            Checked.

        Raises
        ------
        DataError
            If it is no such file, or what it says does not pass the checks.
        """
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"transitions: {Path(path).name} is no TOML: {error}") from None
        return cls._from_content(content)

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        """Make it of the content of a TOML file or of a store."""
        unknown = sorted(set(content) - {"start", "ends", "settled", "moves"})
        if unknown or not isinstance(content.get("moves"), list):
            wrong = f"unknown {', '.join(map(repr, unknown))}" if unknown else "no list of moves"
            raise DataError(f"transitions: {wrong}; there are start, ends, settled and [[moves]] with from, to, where")
        moves = []
        for place, move in enumerate(content["moves"]):
            if not isinstance(move, dict) or not {"from", "to"} <= set(move) <= {"from", "to", "where"}:
                raise DataError(f"transitions: move {place} must have from and to, and may have where")
            moves.append((move["from"], move["to"], move.get("where", "")))
        options = {key: content[key] for key in ("start", "ends", "settled") if key in content}
        return cls(moves, **options)

    @property
    def table(self) -> pd.DataFrame:
        """The moves as a table with ``from``, ``to``, ``where``: change it and hand it in again."""
        return pd.DataFrame(self._moves, columns=["from", "to", "where"], dtype=object)

    def to_toml(self) -> str:
        """Write it as TOML.

        Returns
        -------
        str
            What :meth:`from_toml` reads.
        """

        # A JSON string is a TOML string too.
        def quoted(text: str) -> str:
            return json.dumps(text, ensure_ascii=False)

        def listed(states: Iterable[str]) -> str:
            return f"[{', '.join(map(quoted, states))}]"

        own = [state for state in self.settled if state not in self.ends]
        lines = [f"start = {quoted(self.start)}", f"ends = {listed(self.ends)}", f"settled = {listed(own)}", ""]
        for source, target, where in self._moves:
            condition = f"where = {quoted(where)}\n" if where else ""
            lines.append(f"[[moves]]\nfrom = {quoted(source)}\nto = {quoted(target)}\n{condition}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """Write it as a store keeps it.

        Returns
        -------
        str
            JSON; equal transitions give equal text.
        """
        moves = [{"from": source, "to": target, "where": where} for source, target, where in sorted(self._moves)]
        own = [state for state in self.settled if state not in self.ends]
        content = {"start": self.start, "ends": sorted(self.ends), "settled": sorted(own), "moves": moves}
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what a store keeps.

        Parameters
        ----------
        text : str
            Of :meth:`to_json`.

        Returns
        -------
        Transitions
            The same.

        Raises
        ------
        PersistenceError
            If it is no JSON.
        """
        try:
            content = json.loads(text)
        except ValueError:
            raise PersistenceError("the transitions that the store keeps are damaged") from None
        return cls._from_content(content)

    def allows(self, source: str, target: str) -> bool:
        """Say whether there is a move between two states, with or without a condition.

        Parameters
        ----------
        source, target : str
            States.

        Returns
        -------
        bool
            True where there is.
        """
        return (source, target) in self._where

    def condition(self, source: str, target: str) -> str:
        """Give the condition of a move.

        Parameters
        ----------
        source, target : str
            States of an allowed move.

        Returns
        -------
        str
            An expression, ``""`` where there is none.
        """
        return self._where[source, target]

    def after(self, source: str) -> tuple[str, ...]:
        """Give the states to which a case may move.

        Parameters
        ----------
        source : str
            Where it is.

        Returns
        -------
        tuple of str
            In the order of the table.
        """
        return tuple(move[1] for move in self._moves if move[0] == source)

    def require(self, state: str, what: str = "to") -> str:
        """Check that a state is one of these.

        Parameters
        ----------
        state : str
            Its name.
        what : str, default="to"
            What it was given as.

        Returns
        -------
        str
            The same.

        Raises
        ------
        DataError
            With the nearest and all states.
        """
        from difflib import get_close_matches

        if isinstance(state, str) and state in self.states:
            return state
        nearest = get_close_matches(str(state), self.states, n=1)
        hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
        raise DataError(f"{what}={state!r} is no state{hint}; there are: {', '.join(self.states)}")

    def _problems(self) -> list[str]:
        """List all that is wrong."""
        found = []
        pairs = pd.Series([f"{source!r} to {target!r}" for source, target, _ in self._moves], dtype=object)
        found += [f"the move {pair} is given twice" for pair in pairs[pairs.duplicated()].unique()]
        found += [f"{source!r} leads to itself" for source, target, _ in self._moves if source == target]
        unknown = [state for state in (*self.ends, *self.settled) if state not in self.states]
        found += [f"{state!r} is in no move" for state in dict.fromkeys(unknown)]
        if not self.ends:
            found.append("there is no end")
        reached = self._closure([self.start], forward=True)
        found += [f"{state!r} cannot be reached from {self.start!r}" for state in self.states if state not in reached]
        ending = self._closure(self.ends, forward=False)
        found += [f"{state!r} has no way to an end" for state in self.states if state not in ending]
        wrong = ((source, target, _wrong(where)) for source, target, where in self._moves if where)
        return [*found, *(f"{source!r} to {target!r}: {said}" for source, target, said in wrong if said)]

    def _closure(self, states: Iterable[str], *, forward: bool) -> set[str]:
        """Give all states that can be reached from some, or from which those can be reached."""
        reached = set(states)
        waiting = list(reached)
        while waiting:
            state = waiting.pop()
            for source, target, _ in self._moves:
                here, there = (source, target) if forward else (target, source)
                if here == state and there not in reached:
                    reached.add(there)
                    waiting.append(there)
        return reached

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transitions) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return f"Transitions({len(self.states)} states, {len(self._moves)} moves, start {self.start!r})"


def _wrong(where: str) -> str:
    """Say what is wrong with a condition, found by trying it on a case; ``""`` where nothing is."""
    case = {name: [1.0] if name in CONDITION_NUMBERS else ["x"] for name in CONDITION_COLUMNS}
    try:
        expression = parse(where)
        strange = sorted(expression.names - CONDITION_COLUMNS)
        if strange:
            return f"a case has no {', '.join(map(repr, strange))}; it has {', '.join(sorted(CONDITION_COLUMNS))}"
        holds = expression.evaluate(pd.DataFrame(case)).values
    except (ExpressionError, TypeError, ValueError) as error:
        return str(error)
    return "" if np.asarray(holds).dtype.kind == "b" else f"{where!r} is no condition such as 'amount <= 200'"


def _state(name: Any) -> str:
    """Check the name of a state."""
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise DataError(f"transitions: a state is named by text, got {name!r}")
    return name


def _read(moves: Any) -> list[tuple[str, str, str]]:
    """Bring moves to triples."""
    if not isinstance(moves, str | Path | dict) and not hasattr(moves, "columns"):
        rows = [tuple(move) for move in moves]
        if any(len(row) not in {2, 3} for row in rows):
            raise DataError("transitions: a move is (from, to) or (from, to, where)")
        return [(_state(row[0]), _state(row[1]), _condition(row[2] if len(row) == 3 else "")) for row in rows]
    frame = as_frame(moves, what="transitions")
    require_columns(frame, ["from", "to"], what="transitions")
    where = frame["where"] if "where" in frame.columns else pd.Series("", index=frame.index)
    where = where.astype(object).where(where.notna(), "")
    columns = (np.asarray(column, dtype=object).tolist() for column in (frame["from"], frame["to"], where))
    return [(_state(source), _state(target), _condition(text)) for source, target, text in zip(*columns, strict=True)]


def _condition(where: Any) -> str:
    """Check that a condition is text."""
    if where is None:
        return ""
    if not isinstance(where, str):
        raise DataError(f"transitions: where must be an expression, got {type(where).__name__}")
    return where.strip()
