"""One call that writes: under the lock, once for a key, with its entries in the history."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.casework._history import append
from crmkit.casework._receipt import Receipt, receipt_table
from crmkit.casework._tables import tables
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import sqlalchemy as sa

    from crmkit.casework._database import Database

__all__ = ["Done", "call", "chosen_ids", "entry_row"]


@dataclass(frozen=True)
class Done:
    """What the work of a call gives back.

    Parameters
    ----------
    table : pandas.DataFrame
        A row an id of the call, as in a receipt.
    entries : list of dict
        What to append, in the order of the rows that were done.
    """

    table: pd.DataFrame
    entries: list[dict[str, Any]]


def entry_row(
    *,
    time: int,
    action: str,
    actor: str,
    case_id: str,
    source: str,
    target: str,
    version: int,
    note: str = "",
    detail: str = "",
    call: str = "",
) -> dict[str, Any]:
    """Give an entry of the history without its number.

    Parameters
    ----------
    time : int
        Microseconds.
    action, actor, case_id, source, target : str
        What happened to which case, by whom, from which state to which.
    version : int
        Of the case, after it.
    note, detail, call : str, default=""
        A word about it, its particulars as JSON, and the idempotency key.

    Returns
    -------
    dict
        In the order in which it is kept.
    """
    return {
        "time": time,
        "action": action,
        "actor": actor,
        "case_id": case_id,
        "source": source,
        "target": target,
        "version": version,
        "note": note,
        "detail": detail,
        "call": call,
    }


def call(
    database: Database,
    action: str,
    *,
    key: str | None,
    request: Any,
    work: Callable[[sa.Connection], Done],
    retry: bool = False,
) -> Receipt:
    """Do something once.

    Parameters
    ----------
    database : Database
        Of the store.
    action : str
        What is done.
    key : str or None
        The idempotency key.
    request : object
        What was asked for, as JSON values; the same key with another request is an error.
    work : callable
        Does it on a connection that holds the lock.
    retry : bool, default=False
        Whether a key with which cases were refused may do its work again.

    Returns
    -------
    Receipt
        What was done, now or the first time.

    Raises
    ------
    DataError
        If the key was used for another request.
    """
    import sqlalchemy as sa

    calls = tables().calls
    with database.writing() as (connection, entry, last_hash):
        asked, known = "", None
        if key is not None:
            body = json.dumps([action, request], sort_keys=True, ensure_ascii=False)
            asked = hashlib.sha256(body.encode()).hexdigest()
            known = connection.execute(
                sa.select(calls.c.request, calls.c.answer).where(calls.c.key == key)
            ).one_or_none()
            if known is not None:
                if known.request != asked:
                    raise DataError("this key was used before for another request: a key names one request for ever")
                answer = json.loads(known.answer)
                if not (retry and answer["places"]):
                    return _replayed(connection, action, key, answer)
        done = work(connection)
        last, _ = append(connection, entry, last_hash, done.entries)
        if key is not None and known is None:
            told = json.dumps(_answer(done.table, entry + 1, last), ensure_ascii=False)
            connection.execute(sa.insert(calls), [{"key": key, "request": asked, "answer": told}])
    return Receipt(action, done.table, entry + 1, last, key or "")


def _answer(table: pd.DataFrame, first: int, last: int) -> dict[str, Any]:
    """Keep what the history does not tell of a call: the rows that were refused."""
    refused = table[~table["done"]]
    columns = [refused[name].tolist() for name in ("case_id", "from", "to", "version", "reason")]
    places = np.flatnonzero(~table["done"].to_numpy()).tolist()
    return {"n": len(table), "first": first, "last": last, "places": places, "refused": columns}


def _replayed(connection: sa.Connection, action: str, key: str, answer: dict[str, Any]) -> Receipt:
    """Put the receipt of an earlier call together again."""
    import sqlalchemy as sa

    history = tables().history
    first, last = answer["first"], answer["last"]
    rows = connection.execute(
        sa.select(history.c.case_id, history.c.source, history.c.target, history.c.version)
        .where(history.c.entry.between(first, last))
        .order_by(history.c.entry)
    ).all()
    done = np.ones(answer["n"], dtype=bool)
    done[answer["places"]] = False
    columns = []
    for place, name in enumerate(("case_id", "from", "to", "version", "reason")):
        column = np.empty(answer["n"], dtype=object)
        column[done] = [row[place] for row in rows] if name != "reason" else ""
        column[~done] = np.array([*answer["refused"][place], None], dtype=object)[:-1]
        columns.append(column)
    table = receipt_table(columns[0], done, *columns[1:])
    return Receipt(action, table, first, last, key, repeated=True)


def chosen_ids(connection: sa.Connection, case_ids: Sequence[str]) -> Any:
    """Give ids as a query, however many there are: they go to the database as one text.

    Parameters
    ----------
    connection : Connection
        Of SQLite or PostgreSQL.
    case_ids : sequence of str
        The ids.

    Returns
    -------
    select of one column
        For ``in_``.
    """
    import sqlalchemy as sa

    body = json.dumps(list(case_ids), ensure_ascii=False)
    if connection.dialect.name == "sqlite":
        found = sa.func.json_each(body).table_valued("value")
    else:
        from sqlalchemy.dialects.postgresql import JSONB

        found = sa.func.jsonb_array_elements_text(sa.cast(sa.literal(body, sa.Text), JSONB)).table_valued("value")
    return sa.select(found.c.value)
