"""The tables of a store of cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["APPEND_ONLY", "COLUMNS", "SCHEMA", "Tables", "tables"]

SCHEMA = 1
"""The version of the tables; a store of another one is refused."""

COLUMNS = (
    "case_id", "customer_id", "state", "version", "label", "cause", "urgency", "queue", "agent", "remedy", "intended",
    "arm", "amount", "currency", "value_at_stake", "value", "uses", "evidence", "time", "added_time", "changed_time",
    "deadline", "settled_time", "settled", "over", "outcomes",
)  # fmt: skip
"""What is kept of a case."""


@dataclass(frozen=True)
class Tables:
    """The tables of a store.

    Parameters
    ----------
    meta : Table
        ``name`` and ``content``: the version of the tables and the transitions.
    head : Table
        One row: number and hash of the last entry; whoever writes locks it.
    cases : Table
        One row a case, as it is.
    history : Table
        One row an entry, only ever appended.
    calls : Table
        One row an idempotency key that was used.
    """

    meta: sa.Table
    head: sa.Table
    cases: sa.Table
    history: sa.Table
    calls: sa.Table


@cache
def tables() -> Tables:
    """Describe the tables.

    Returns
    -------
    Tables
        Of one metadata.

    Raises
    ------
    MissingExtraError
        If SQLAlchemy is not installed.
    """
    require_extra("sqlalchemy", "db", "a store of cases")
    import sqlalchemy as sa

    metadata = sa.MetaData()
    # Text is compared by code point on both databases, so that both give rows in one order.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    meta = sa.Table(
        "crmkit_meta",
        metadata,
        sa.Column("name", text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    head = sa.Table(
        "crmkit_head",
        metadata,
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    cases = sa.Table(
        "crmkit_cases",
        metadata,
        sa.Column("case_id", text, primary_key=True),
        *(
            sa.Column(name, text)
            for name in ("customer_id", "label", "cause", "queue", "agent", "remedy", "intended", "arm", "currency")
        ),
        sa.Column("state", text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("urgency", "amount", "value_at_stake", "value")),
        *(sa.Column(name, sa.Text) for name in ("uses", "evidence", "outcomes")),
        sa.Column("time", sa.BigInteger),
        sa.Column("added_time", sa.BigInteger, nullable=False),
        sa.Column("changed_time", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger),
        sa.Column("settled_time", sa.BigInteger),
        sa.Column("settled", sa.Integer, nullable=False),
        sa.Column("over", sa.Integer, nullable=False),
        sa.Index("crmkit_cases_due", "settled", "deadline"),
        sa.Index("crmkit_cases_agent", "agent"),
    )
    small = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    history = sa.Table(
        "crmkit_history",
        metadata,
        # In SQLite only INTEGER is the number of the row itself.
        sa.Column("entry", small, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("action", text, nullable=False),
        sa.Column("actor", text, nullable=False),
        sa.Column("case_id", text, nullable=False),
        sa.Column("source", text, nullable=False),
        sa.Column("target", text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Index("crmkit_history_case", "case_id"),
    )
    calls = sa.Table(
        "crmkit_calls",
        metadata,
        sa.Column("key", text, primary_key=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
    return Tables(meta, head, cases, history, calls)


_SAYS = "the history is only ever appended"
APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER crmkit_history_no_{verb.lower()} BEFORE {verb} ON crmkit_history BEGIN "
        f"SELECT RAISE(ABORT, '{_SAYS}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"CREATE FUNCTION crmkit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{_SAYS}'; END $$",
        """CREATE TRIGGER crmkit_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON crmkit_history
        FOR EACH STATEMENT EXECUTE FUNCTION crmkit_append_only()""",
    ),
}
"""What makes the database itself refuse to change the history.

A guard against INSERT OR REPLACE, which in SQLite deletes without a trigger, would cost a third of a bulk move; the
chain shows what it replaced.
"""
