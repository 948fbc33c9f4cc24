"""Opens the database of a store, locks it for writing, and says in one sentence what is wrong with it."""

from __future__ import annotations

import math
import os
import re
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.casework._tables import APPEND_ONLY, SCHEMA, tables
from crmkit.core.chain import GENESIS
from crmkit.core.errors import DataError, PersistenceError
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

__all__ = ["Database"]

_SUPPORTED = ("sqlite", "postgresql")
_LONGEST_WAIT = 86_400.0
# What SQLite and PostgreSQL say, and what that means to whoever called.
_CAUSES = (
    ("readonly", "it can only be read"),
    ("read-only", "it can only be read"),
    ("permission denied", "this user may not write to it"),
    ("locked", "another process held it for longer than the time to wait (busy_timeout=)"),
    ("lock timeout", "another process held it for longer than the time to wait (busy_timeout=)"),
    ("disk is full", "the disk is full; nothing of this call was kept"),
    ("no space left", "the disk is full; nothing of this call was kept"),
    ("not a database", "it is no SQLite database"),
    ("malformed", "the file is damaged"),
    ("no such table", "tables of the store are missing from it"),
    ("no such column", "its tables are not those of a store"),
    ("connection", "the server cannot be reached, or does not let this user in"),
    ("does not exist", "tables of the store are missing from it"),
    ("unable to open", "there is no such file, or its folder cannot be written to"),
)


class Database:
    """A database with the tables of a store.

    Parameters
    ----------
    url : str or Path
        A file for SQLite, ``":memory:"``, or a URL of SQLAlchemy.
    read_only : bool
        Whether writing is refused.
    busy_timeout : float
        Seconds to wait for another writer.
    """

    def __init__(self, url: str | Path, *, read_only: bool, busy_timeout: float) -> None:
        require_extra("sqlalchemy", "db", "a store of cases")
        import sqlalchemy as sa

        if not isinstance(busy_timeout, int | float) or not 0 <= busy_timeout <= _LONGEST_WAIT:
            raise DataError(f"busy_timeout must be seconds from 0 to {_LONGEST_WAIT:,.0f}, got {busy_timeout!r}")
        self._read_only = read_only
        self._wait = math.ceil(busy_timeout * 1000)
        # What many hosts hand out; SQLAlchemy knows the longer name only.
        text = re.sub(r"\Apostgres://", "postgresql://", str(url))
        memory = text == ":memory:"
        parsed = sa.make_url(text if "://" in text else "sqlite://")
        dialect = parsed.get_backend_name()
        if dialect not in _SUPPORTED:
            raise DataError(f"a store of cases is kept in SQLite or PostgreSQL, not in {dialect}")
        if dialect == "postgresql":
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            if parsed.drivername == "postgresql+psycopg":
                require_extra("psycopg", "db", "PostgreSQL")
            self.name = f"PostgreSQL database {parsed.database!r}"
        else:
            path = text if "://" not in text else parsed.database or ":memory:"
            memory = memory or path == ":memory:"
            self.name = "SQLite in memory" if memory else f"SQLite file {Path(path).name!r}"
            if read_only and not memory and not Path(path).exists():
                raise PersistenceError(f"{self.name}: there is no such file to read")
            if not memory:
                mode = "ro" if read_only else "rwc"
                quoted = Path(path).absolute().as_uri()
                parsed = sa.URL.create("sqlite", database=quoted, query={"mode": mode, "uri": "true"})
        options: dict[str, Any] = {"poolclass": sa.StaticPool} if memory else {}
        if dialect == "sqlite" and memory:
            options["connect_args"] = {"check_same_thread": False}
        self.engine = sa.create_engine(parsed, hide_parameters=True, **options)
        self.dialect = dialect
        # Threads share the one connection of a store in memory, so they take turns.
        self._turn: Any = threading.RLock() if memory else nullcontext()
        self._process = None if memory else os.getpid()
        if dialect == "sqlite":
            self._listen_sqlite(memory=memory)
        else:
            self._listen_postgresql()

    def _listen_sqlite(self, *, memory: bool) -> None:
        """Take the transactions of SQLite into our own hands: a writer locks at its start, not at its first write."""
        from sqlalchemy import event

        wait = self._wait
        wal = not memory and not self._read_only

        def connected(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {wait:d}")
            if wal:
                cursor.execute("PRAGMA journal_mode = WAL")
            # What was reported as done stays done when the power fails.
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.close()

        def began(connection: sa.Connection) -> None:
            writes = connection.get_execution_options().get("crmkit_writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        event.listen(self.engine, "connect", connected)
        event.listen(self.engine, "begin", began)

    def _listen_postgresql(self) -> None:
        """Set how long to wait for another writer."""
        from sqlalchemy import event

        # To PostgreSQL, 0 is for ever.
        wait = max(self._wait, 1)
        read_only = self._read_only

        def began(connection: sa.Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait:d}")
            if read_only:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")

        event.listen(self.engine, "begin", began)

    def _connected(self) -> sa.Connection:
        """Connect; a process that was forked leaves the connections to the one that opened them."""
        if self._process not in {None, os.getpid()}:
            self.engine.dispose(close=False)
            self._process = os.getpid()
        return self.engine.connect()

    def prepare(self, transitions: str) -> None:
        """Create the tables where they are not there, and check their version.

        Parameters
        ----------
        transitions : str
            What a new store starts with.

        Raises
        ------
        PersistenceError
            If it cannot be opened, or is of another version.
        """
        import sqlalchemy as sa

        kept = tables()
        with self.reading() as connection:
            there = sa.inspect(connection).has_table(kept.meta.name)
        if not there:
            if self._read_only:
                raise PersistenceError(f"{self.name} holds no store of cases, and is opened to be read only")
            with self._writing_anything() as connection:
                if self.dialect == "postgresql":
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1668442475)")
                # Another process may have made them since.
                if not sa.inspect(connection).has_table(kept.meta.name):
                    kept.meta.metadata.create_all(connection)
                    for statement in APPEND_ONLY[self.dialect]:
                        connection.exec_driver_sql(statement)
                    rows = [{"name": "schema", "content": str(SCHEMA)}, {"name": "transitions", "content": transitions}]
                    connection.execute(sa.insert(kept.meta), rows)
                    connection.execute(sa.insert(kept.head), [{"one": 1, "entry": 0, "hash": GENESIS}])
        with self.reading() as connection:
            found = connection.execute(sa.select(kept.meta.c.content).where(kept.meta.c.name == "schema")).scalar()
        if found != str(SCHEMA):
            raise PersistenceError(
                f"{self.name} is a store of version {found!s:.20}, and this crmkit reads and writes version {SCHEMA}: "
                "open it with the crmkit that made it"
            )

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one moment of the store.

        Yields
        ------
        Connection
            In a transaction.

        Raises
        ------
        PersistenceError
            If the database cannot be read.
        """
        options = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        with self._spoken(), self._turn, self._connected() as plain:
            connection = plain.execution_options(**options)
            transaction = connection.begin()
            try:
                yield connection
            finally:
                # There is nothing to keep, and of a damaged file SQLite cannot even keep that.
                transaction.rollback()

    @contextmanager
    def writing(self) -> Iterator[tuple[sa.Connection, int, str]]:
        """Give a connection on which this process alone may write, and the end of the history.

        Yields
        ------
        connection : Connection
            In a transaction that is kept only if the block ends without an error.
        entry : int
            Number of the last entry.
        hash : str
            Its hash.

        Raises
        ------
        PersistenceError
            If the database cannot be written to, or another process holds it for too long.
        """
        import sqlalchemy as sa

        head = tables().head
        with self._writing_anything() as connection:
            last = connection.execute(sa.select(head.c.entry, head.c.hash).with_for_update()).one()
            yield connection, int(last.entry), str(last.hash)

    @contextmanager
    def reading_damaged(self) -> Iterator[sa.Connection]:
        """Give a connection that also reads text that is damaged, so that the entry that holds it can be named.

        Yields
        ------
        Connection
            In a transaction.
        """
        with self.reading() as connection:
            if self.dialect != "sqlite":
                yield connection
                return
            driver: Any = connection.connection.dbapi_connection
            usual = driver.text_factory
            driver.text_factory = _as_text
            try:
                yield connection
            finally:
                driver.text_factory = usual

    @contextmanager
    def _writing_anything(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that writes."""
        if self._read_only:
            raise PersistenceError(f"{self.name} is opened to be read only")
        with self._spoken(), self._turn, self._connected() as plain:
            connection = plain.execution_options(crmkit_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Turn what a database says into an error that names the store and the cause, and shows no values."""
        from sqlalchemy.exc import DBAPIError, NoResultFound

        try:
            yield
        except (NoResultFound, UnicodeDecodeError):
            raise PersistenceError(f"{self.name}: it is damaged, or rows of the store are missing from it") from None
        except DBAPIError as error:
            said = str(error.orig).strip()
            cause = next((meaning for sign, meaning in _CAUSES if sign in said.lower()), None)
            # Not chained: SQLAlchemy's own message holds the values of the statement.
            words = cause or f"the database refused ({type(error.orig).__name__})"
            raise PersistenceError(f"{self.name}: {words}") from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _as_text(content: bytes) -> str:
    """Read text that may be damaged."""
    return content.decode("utf-8", errors="surrogateescape")
