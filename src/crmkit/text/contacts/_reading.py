"""Reads a table of communications in the order in which things were said."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, as_texts, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.text.summaries._roles import role_of_direction, role_of_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

__all__ = ["COMPANY", "CUSTOMER", "DAY", "UNKNOWN", "Contacts", "as_instant", "as_instants", "read_contacts"]

CUSTOMER, COMPANY, UNKNOWN = 1, 0, -1
"""Who speaks in a row."""

DAY = 86_400_000_000
"""Microseconds of a day of 24 hours."""


@dataclass(frozen=True, repr=False)
class Contacts:
    """The rows of a table of communications, by conversation and time.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows in that order.
    time : ndarray of int64, shape (n_rows,)
        Microseconds since 1970 in UTC.
    speaker : ndarray of int8, shape (n_rows,)
        ``CUSTOMER``, ``COMPANY`` or ``UNKNOWN``.
    conversation : ndarray of int64, shape (n_rows,)
        Place of the row's conversation, rising; conversations are in the order of their begin.
    ids : ndarray of object, shape (n_conversations,)
        Their ids.
    first : ndarray of int64, shape (n_conversations,)
        Where each conversation begins among the rows.
    rows : ndarray of int64, shape (n_rows,)
        Where each row stands in the table that was handed in.
    texts : ndarray of object, shape (n_rows,)
        What was said in each row, empty where the table does not have it.
    """

    frame: pd.DataFrame
    time: npt.NDArray[np.int64]
    speaker: npt.NDArray[np.int8]
    conversation: npt.NDArray[np.int64]
    ids: npt.NDArray[np.object_]
    first: npt.NDArray[np.int64]
    rows: npt.NDArray[np.intp]
    texts: npt.NDArray[np.object_]

    def __repr__(self) -> str:
        return f"Contacts({len(self.time)} rows of {len(self.ids)} conversations)"

    def positions(self, mask: npt.NDArray[np.bool_]) -> str:
        """Write where such rows stand in the table that was handed in."""
        return _positions(self.rows[mask])


def as_instants(times: pd.Series, timezone: str, what: str) -> npt.NDArray[np.int64]:
    """Give instants as microseconds since 1970 in UTC; naive ones are local times of the zone."""
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise DataError(f"{what} must hold instants, got {times.dtype}; read the table with records.read")
    missing = times.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"{what} is missing in {positions(missing)}")
    if times.dt.tz is None:
        first = np.ones(len(times), dtype=bool)
        times = times.dt.tz_localize(check_timezone(timezone), ambiguous=first, nonexistent="shift_forward")
    plain = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(plain.to_numpy(dtype="datetime64[us]").astype(np.int64))


def as_instant(moment: Any, timezone: str, what: str) -> int:
    """Give one instant as microseconds since 1970 in UTC; a bare date is local midnight."""
    stamp = pd.to_datetime(moment, errors="coerce")
    if not isinstance(stamp, pd.Timestamp):
        raise DataError(f"{what} must be a day or an instant such as '2024-01-20', got {moment!r}")
    return int(as_instants(pd.Series([stamp]), timezone, what)[0])


def check_timezone(timezone: str) -> str:
    """Refuse a zone that nobody knows."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise DataError(f"timezone must be a zone such as 'Europe/London', got {timezone!r}") from None
    return timezone


def read_contacts(table: Any, *, timezone: str, cutoff: Any) -> Contacts:
    """Bring a table of communications to rows by conversation and time.

    Parameters
    ----------
    table : table
        COMMUNICATIONS. A row without ``conversation_id`` (or a table without it) is a conversation of its own, named by
        its position, such as ``#17``.
    timezone : str
        Of times and cutoffs written without a zone.
    cutoff : str, datetime or None
        Rows at or after it are left out.

    Returns
    -------
    Contacts
        The rows.

    Raises
    ------
    DataError
        If there is no row, a customer or time is missing, or a conversation has two customers; by position.
    """
    frame = as_frame(table, what="communications")
    require_columns(frame, ["customer_id", "time"], what="communications", hint="read it with records.read")
    check_timezone(timezone)
    missing = frame["customer_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"communications: customer_id is missing in {positions(missing)}")
    time = as_instants(frame["time"], timezone, "communications: time")
    names = _conversation_names(frame)
    rows = np.arange(len(frame))
    if cutoff is not None:
        rows = rows[time < as_instant(cutoff, timezone, "cutoff")]
    if not len(rows):
        raise DataError("communications has no row" + ("" if cutoff is None else " before the cutoff"))
    turn = _turns(frame)
    speaker = _speakers(frame)
    texts = np.full(len(frame), "", dtype=object)
    if "text" in frame.columns:
        texts = as_texts(frame["text"], what="communications['text']")
    codes, ids = pd.factorize(names[rows])
    begin = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(begin, codes, time[rows])
    place = np.empty(len(ids), dtype=np.int64)
    by_begin = np.argsort(begin, kind="stable")
    place[by_begin] = np.arange(len(ids))
    conversation = place[codes]
    order = np.lexsort((rows, turn[rows], time[rows], conversation))
    rows, conversation = rows[order], conversation[order]
    first = np.flatnonzero(np.diff(conversation, prepend=-1))
    _check_customers(frame["customer_id"], rows, conversation, first)
    _tell_turns_against_time(turn[rows], conversation)
    ordered = np.asarray(ids, dtype=object)[by_begin]
    return Contacts(frame.iloc[rows], time[rows], speaker[rows], conversation, ordered, first, rows, texts[rows])


def _positions(rows: npt.NDArray[np.intp]) -> str:
    """Write positions in a table."""
    mask = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    mask[rows] = True
    return positions(mask)


def _conversation_names(frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Give each row's conversation; a row without one stands for itself."""
    if "conversation_id" not in frame.columns:
        return np.array([f"#{row}" for row in range(len(frame))], dtype=object)
    names = frame["conversation_id"].to_numpy(dtype=object, copy=True)
    missing = frame["conversation_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        own = [f"#{row}" for row in np.flatnonzero(missing)]
        if not set(own).isdisjoint(names[~missing].tolist()):
            raise DataError("communications: a conversation_id reads like the name of a row without one, such as '#17'")
        names[missing] = own
    return names


def _turns(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Give the position within the conversation, infinite where there is none."""
    if "turn" not in frame.columns:
        return np.full(len(frame), np.inf)
    turn = pd.to_numeric(frame["turn"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(turn), np.inf, turn)


def _speakers(frame: pd.DataFrame) -> npt.NDArray[np.int8]:
    """Say who speaks in each row: by its direction, and by its speaker where that does not tell."""
    speaker = np.full(len(frame), UNKNOWN, dtype=np.int8)
    tell: Callable[[Any], str | None]
    for column, tell in (("direction", role_of_direction), ("speaker", _role_of)):
        if column in frame.columns:
            codes, named = pd.factorize(frame[column].to_numpy(dtype=object))
            roles = [tell(value) for value in named]
            known = [CUSTOMER if role == "customer" else COMPANY if role == "agent" else UNKNOWN for role in roles]
            speaker = np.where(speaker == UNKNOWN, np.array([*known, UNKNOWN], dtype=np.int8)[codes], speaker)
    return speaker


def _role_of(value: Any) -> str | None:
    """Tell the role by whatever names a speaker."""
    return role_of_name(str(value))


def _check_customers(
    customers: pd.Series[Any],
    rows: npt.NDArray[np.intp],
    conversation: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
) -> None:
    """Refuse conversations of more than one customer."""
    customer = pd.factorize(customers)[0][rows]
    other = customer != customer[first][conversation]
    if other.any():
        raise DataError(
            f"communications: {_positions(rows[other])} have another customer than the first row of their "
            "conversation; make conversation_id unique to a customer"
        )


def _tell_turns_against_time(turn: npt.NDArray[np.float64], conversation: npt.NDArray[np.int64]) -> None:
    """Warn of conversations whose turns do not rise with time."""
    with np.errstate(invalid="ignore"):
        back = (np.diff(conversation) == 0) & (np.diff(turn) < 0)
    count = len(np.unique(conversation[1:][back]))
    if count:
        warnings.warn(
            f"communications: the turns of {count:,} conversations are not in the order of their times; "
            "they are read in the order of time",
            DataWarning,
            stacklevel=4,
        )


def first_known(contacts: Contacts, columns: Sequence[str]) -> pd.DataFrame:
    """Give of each column the first entry of each conversation that is not missing."""
    there = [name for name in columns if name in contacts.frame.columns]
    grouped = contacts.frame[there].reset_index(drop=True).groupby(contacts.conversation, sort=True)
    return grouped.first() if there else pd.DataFrame(index=range(len(contacts.ids)))
