"""The history of a store: entries that are only ever appended, each with the hash of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._instants import from_instants
from crmkit.casework._tables import tables
from crmkit.core import html
from crmkit.core.chain import GENESIS, chain, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

__all__ = ["HistoryCheck", "append", "check", "entries_of", "last_of_each"]

_HASHED = ("entry", "time", "action", "actor", "case_id", "source", "target", "version", "note", "detail", "call")
_BATCH = 50_000
_SHOWN = 20


@dataclass(frozen=True)
class HistoryCheck:
    """What checking a history found; it is true where nothing was altered.

    Parameters
    ----------
    entries : int
        How many entries there are.
    hash : str
        Hash of the last one: keep it elsewhere, and a history that was written anew from its start is found too.
    altered : tuple of int
        Numbers of the entries (counted from 1) whose content or hash does not follow from the entry before, that stand
        in the place of a missing one, or that are missing; at most the first 20.
    mismatched : int
        How many cases are not in the state that the history gives them.
    problems : tuple of str
        All of it in words, without a value of any case.

    Attributes
    ----------
    ok : bool
        Whether there is no problem.
    first : int or None
        The first altered entry.
    """

    entries: int
    hash: str
    altered: tuple[int, ...] = ()
    mismatched: int = 0
    problems: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    @property
    def first(self) -> int | None:
        """The first altered entry, None where there is none."""
        return self.altered[0] if self.altered else None

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        said = "; ".join(self.problems) or "nothing was altered"
        return f"HistoryCheck({self.entries:,} entries: {said})"

    def _repr_html_(self) -> str:
        rows = [[problem] for problem in self.problems or ("nothing was altered",)]
        return html.table([f"{self.entries:,} entries"], rows, caption="History")


def append(connection: sa.Connection, entry: int, last_hash: str, rows: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """Add entries to the history.

    Parameters
    ----------
    connection : Connection
        That holds the lock.
    entry : int
        Number of the last entry.
    last_hash : str
        Its hash.
    rows : sequence of dict
        All that is hashed but the number, which is added here in place.

    Returns
    -------
    entry : int
        Number of the new last entry.
    hash : str
        Its hash.
    """
    import sqlalchemy as sa

    if not rows:
        return entry, last_hash
    kept = tables()
    for number, row in enumerate(rows, start=entry + 1):
        row["entry"] = number
    hashes = chain(rows, previous=last_hash)
    columns = [*_HASHED, "hash"]
    if connection.dialect.name == "sqlite":
        # The driver's own way in: three times as fast for 100,000 rows.
        content = itemgetter(*_HASHED)
        values = [(*content(row), link) for row, link in zip(rows, hashes, strict=True)]
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO crmkit_history ({_quoted(columns)}) VALUES ({marks})"  # noqa: S608 -- names of our own
        connection.exec_driver_sql(statement, values)
    else:
        connection.execute(
            sa.insert(kept.history), [{**row, "hash": link} for row, link in zip(rows, hashes, strict=True)]
        )
    new_entry, new_hash = entry + len(rows), hashes[-1]
    connection.execute(sa.update(kept.head).values(entry=new_entry, hash=new_hash))
    return new_entry, new_hash


def _quoted(columns: Sequence[str]) -> str:
    """Write names of columns for SQL."""
    return ", ".join(f'"{name}"' for name in columns)


def check(connection: sa.Connection, *, expect: tuple[int, str] | None = None) -> HistoryCheck:
    """Check every entry against the one before it, and every case against its last entry.

    Parameters
    ----------
    connection : Connection
        That sees one moment.
    expect : tuple of int and str, default=None
        Number and hash of an entry as they were noted elsewhere.

    Returns
    -------
    HistoryCheck
        What was found.
    """
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

    head = connection.execute(sa.select(tables().head.c.entry, tables().head.c.hash)).one()
    seen = _Seen(expect)
    try:
        for batch in _batches(connection):
            seen.take(batch)
    except DBAPIError:
        # A file that is damaged in one place: what can still be read is read, and what cannot is missing.
        seen = _Seen(expect)
        seen.take(_salvaged(connection, 1, int(head.entry)))
    problems = seen.problems(head.entry, head.hash)
    try:
        mismatched = _mismatched(connection)
    except DBAPIError:
        mismatched = 0
        problems.append("the cases cannot be compared with the history: the file is damaged")
    if mismatched:
        problems.append(f"{mismatched:,} cases are not in the state that the history gives them")
    found = tuple(sorted(seen.altered)[:_SHOWN])
    return HistoryCheck(seen.count, seen.hash, found, mismatched, tuple(problems))


class _Seen:
    """What was seen of a history so far.

    Parameters
    ----------
    expect : tuple of int and str, or None
        Number and hash of an entry as they were noted elsewhere.
    """

    def __init__(self, expect: tuple[int, str] | None) -> None:
        self.count = 0
        self.hash = GENESIS
        self.altered: set[int] = set()
        self._number = 0
        self._expect = expect
        self._noted: str | None = GENESIS if expect is not None and expect[0] == 0 else None
        self._wrong: list[int] = []
        self._missing: list[tuple[int, int]] = []

    def take(self, batch: Sequence[Any]) -> None:
        """Check the next entries.

        Parameters
        ----------
        batch : sequence of Row
            In the order of their numbers.
        """
        if not batch:
            return
        numbers = np.array([row.entry for row in batch], dtype=np.int64)
        before = np.maximum.accumulate(np.r_[self._number, numbers[:-1]])
        if (numbers <= before).any():
            # A damaged number stands out of its order.
            self._wrong += numbers[numbers <= before].tolist()
            self.take([row for row, new in zip(batch, numbers > before, strict=True) if new])
            return
        jumps = np.flatnonzero(numbers != before + 1).tolist()
        links = [self.hash, *(row.hash for row in batch[:-1])]
        if jumps or not _follows(batch, links):
            # Nothing can be said of the entry after a missing one: the hash that it was made with is gone.
            unlinked = set(jumps)
            self._wrong += [
                row.entry
                for place, (row, link) in enumerate(zip(batch, links, strict=True))
                if place not in unlinked and not _right(row, link)
            ]
        self._missing += [(int(before[place]) + 1, int(numbers[place]) - 1) for place in jumps]
        if self._expect is not None:
            at = np.flatnonzero(numbers == self._expect[0])
            self._noted = batch[int(at[0])].hash if len(at) else self._noted
        self.count += len(batch)
        self._number, self.hash = int(numbers[-1]), str(batch[-1].hash)

    def problems(self, last: int, last_hash: str) -> list[str]:
        """Say all that is wrong, and note the numbers of the entries.

        Parameters
        ----------
        last : int
            Number of the last entry, as the store noted it.
        last_hash : str
            Its hash.

        Returns
        -------
        list of str
            None where all is right.
        """
        told = []
        self.altered.update(self._wrong)
        if self._wrong:
            told.append(f"entry {_listed(self._wrong)} was altered: its hash does not follow from the entry before it")
        for first, end in self._missing[:_SHOWN]:
            self.altered.add(first)
            told.append(f"entry {first}" + (f" to {end}" if end > first else "") + " is missing, or cannot be read")
        if last != self._number or (last_hash != self.hash and self._number not in self.altered):
            told.append(f"the history ends at entry {self._number}, which is not the end that the store noted ({last})")
            self.altered.add(self._number + 1 if last > self._number else self._number)
        if self._expect is not None and self._noted != self._expect[1]:
            told.append(f"entry {self._expect[0]} does not have the hash that was noted")
            self.altered.add(int(self._expect[0]))
        return told


def _listed(numbers: Sequence[int]) -> str:
    """Write the first of some numbers."""
    return ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")


def _columns() -> list[Any]:
    """Give the columns of an entry in their order."""
    history = tables().history
    return [history.c[name] for name in (*_HASHED, "hash")]


def _batches(connection: sa.Connection) -> Iterator[Sequence[Any]]:
    """Give the history in order, some of it at a time."""
    import sqlalchemy as sa

    query = sa.select(*_columns()).order_by(tables().history.c.entry)
    result = connection.execution_options(yield_per=_BATCH).execute(query)
    yield from (list(batch) for batch in result.partitions())


def _salvaged(connection: sa.Connection, first: int, last: int) -> list[Any]:
    """Read those entries of a damaged file that can be read, by halving what cannot."""
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

    if first > last:
        return []
    entry = tables().history.c.entry
    try:
        query = sa.select(*_columns()).where(entry.between(first, last)).order_by(entry)
        return [row for row in connection.execute(query).all() if first <= row.entry <= last]
    except DBAPIError:
        if first == last:
            return []
        middle = (first + last) // 2
        return _salvaged(connection, first, middle) + _salvaged(connection, middle + 1, last)


def _as_dict(row: Any) -> dict[str, Any]:
    """Give what is hashed of an entry."""
    return dict(zip(_HASHED, row, strict=False))


def _follows(batch: Sequence[Any], links: Sequence[str]) -> bool:
    """Say whether a whole batch is right."""
    try:
        return chain(map(_as_dict, batch), previous=links[0]) == [row.hash for row in batch]
    except (TypeError, ValueError):
        return False


def _right(row: Any, link: str) -> bool:
    """Say whether one entry follows from the hash before it."""
    try:
        return bool(digest(link, _as_dict(row)) == row.hash)
    except (TypeError, ValueError):
        # A damaged entry may hold bytes in the place of text.
        return False


def last_of_each(connection: sa.Connection) -> Any:
    """Give the newest entry of each case that changed its state or version.

    Parameters
    ----------
    connection : Connection
        Any.

    Returns
    -------
    list of Row
        ``case_id``, ``target``, ``version``.
    """
    import sqlalchemy as sa

    history = tables().history
    newest = sa.select(sa.func.max(history.c.entry)).where(history.c.case_id != "").group_by(history.c.case_id)
    return connection.execute(
        sa.select(history.c.case_id, history.c.target, history.c.version).where(history.c.entry.in_(newest))
    ).all()


def _mismatched(connection: sa.Connection) -> int:
    """Count the cases whose state or version differs from the history's, or that only one of the two knows."""
    import sqlalchemy as sa

    cases = tables().cases
    now = connection.execute(sa.select(cases.c.case_id, cases.c.state, cases.c.version)).all()
    told = {tuple(row) for row in last_of_each(connection)}
    are = {tuple(row) for row in now}
    return len({row[0] for row in told ^ are})


def entries_of(connection: sa.Connection, case_ids: Sequence[str] | None, chosen: Any) -> pd.DataFrame:
    """Read the history as a table.

    Parameters
    ----------
    connection : Connection
        Any.
    case_ids : sequence of str or None
        Whose; None for all.
    chosen : select of one column or None
        The ids as a query.

    Returns
    -------
    pandas.DataFrame
        As described at ``CaseStore.history``.
    """
    import sqlalchemy as sa

    history = tables().history
    query = sa.select(*_columns()).order_by(history.c.entry)
    if case_ids is not None:
        query = query.where(history.c.case_id.in_(chosen))
    rows = connection.execute(query).all()
    names = ["entry", "time", "action", "actor", "case_id", "from", "to", "version", "note", "detail", "call", "hash"]
    columns: dict[str, Any] = {
        name: np.array([row[place] for row in rows], dtype=object) for place, name in enumerate(names)
    }
    columns["time"] = from_instants(columns["time"])
    for name in ("entry", "version"):
        columns[name] = columns[name].astype(np.int64)
    return pd.DataFrame(columns)
