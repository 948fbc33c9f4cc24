"""One row a conversation: turns, waits, shares, durations, and whether the customer came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError
from crmkit.text.contacts._reading import COMPANY, CUSTOMER, DAY, Contacts, as_instant, first_known, read_contacts
from crmkit.text.contacts._repeats import check_days, find_repeats, flags_of
from crmkit.text.contacts._responses import durations, main_agents, responses, talk_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.text.contacts._repeats import Repeats

__all__ = ["conversations"]

_TYPES = ("type", "label")
_BEGAN = np.array(["company", "customer", None], dtype=object)
"""By ``COMPANY``, ``CUSTOMER`` and ``UNKNOWN`` (the last)."""
_LAST = [
    *("previous_days", "seen_before_days", "repeat_id", "repeat_days", "followed_days"),
    *("first_contact", "resolved"),
]
"""Columns about what came before and after, in the order they are given in."""


def conversations(
    table: Any,
    *,
    days: float = 7,
    type_column: str | None = "auto",
    same_type: bool = True,
    live: Sequence[str] | None = None,
    keep: Sequence[str] = (),
    timezone: str = "UTC",
    cutoff: Any = None,
) -> pd.DataFrame:
    """Give one row a conversation of a table of communications: who waited how long, and who came back.

    A wait begins with the first message of the customer that is not yet answered and ends with the company's next
    message, so that three messages in a row are one wait. Spoken rows (calls, visits) are answered as they happen.
    Whether a contact settled its matter is read off what followed: nothing for ``days`` days. Contacts near the end of
    the table cannot be known to have settled it, nor those near its beginning to be the first; both are missing, not
    guessed. It costs a few sorts: a million rows take some seconds, most of it counting words.

    Parameters
    ----------
    table : table
        COMMUNICATIONS: ``customer_id`` and ``time``; used where they are: ``conversation_id``, ``turn``, ``direction``
        (``in`` is the customer's, ``out`` the company's), ``speaker`` (where the direction does not tell), ``channel``,
        ``agent``, ``duration`` (seconds), ``text``, ``type`` or ``label``, ``case_id``, ``order_id``. A row without
        ``conversation_id`` is a conversation of its own, named by its position (``#17``).
    days : float, default=7
        Days of 24 hours without a repeat that make a contact resolved.
    type_column : str or None, default="auto"
        What a contact is about; ``"auto"`` is ``type``, else ``label``, else nothing.
    same_type : bool, default=True
        Whether only contacts of the same type are repeats, where there is a type; contacts without a type are compared
        among themselves.
    live : sequence of str, default=None
        Channels that are spoken; None takes every row with a ``duration`` for spoken.
    keep : sequence of str, default=()
        Further columns to carry along; each conversation gets its first entry that is not missing.
    timezone : str, default="UTC"
        Of times and of a cutoff written without a zone.
    cutoff : str or datetime, default=None
        Rows at or after it are left out and everyone is watched until then; where None, until the last row.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``conversation_id`` in the order of their beginnings: ``customer_id``, ``start``, ``end`` (UTC; the
        end of a spoken row is its time plus its duration), ``channel``, ``type``, ``agent`` (named in most rows),
        ``case_id``, ``order_id``, ``began`` ("customer", "company" or missing), ``turns``, ``customer_turns``,
        ``company_turns``, ``agents`` (how many), ``answered`` (missing where the customer said nothing),
        ``first_response_seconds``, ``median_response_seconds``, ``longest_response_seconds`` (of the waits that ended),
        ``talk_share`` (the company's share of the words; a Han character counts as one), ``span_seconds`` (from start
        to end), ``handling_seconds`` (sum of ``duration``; missing where none is known), ``previous_days``,
        ``seen_before_days``, ``repeat_id``, ``repeat_days``, ``followed_days``, ``first_contact`` and ``resolved``
        (missing where unknown).

    Raises
    ------
    DataError
        If there is no row, a customer, time or duration is wrong, or a conversation has two customers; by position; or
        a column of ``keep`` has the name of one of the result's own.

    Warns
    -----
    DataWarning
        If turns are not in the order of their times.

    Notes
    -----
    ``resolved`` is False as soon as a repeat is seen, even where the contact was followed for fewer days. Do not take
    its mean: that would count young failures but not young successes. `crmkit.metrics.first_contact_resolution` and
    `contact_figures` take only contacts that were followed long enough.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import conversations
    >>> table = pd.DataFrame({
    ...     "customer_id": "a", "conversation_id": "1", "direction": ["in", "in", "out"],
    ...     "time": pd.to_datetime(["2024-05-01 09:00", "2024-05-01 09:01", "2024-05-01 09:05"], utc=True),
    ...     "text": ["hello", "where is it?", "on its way to you"]})
    >>> found = conversations(table)
    >>> float(found.loc["1", "first_response_seconds"]), float(found.loc["1", "talk_share"])
    (300.0, 0.5555555555555556)
    """
    check_days(days)
    contacts = read_contacts(table, timezone=timezone, cutoff=cutoff)
    spent = durations(contacts)
    start, end = _span(contacts, spent)
    watched = int(end.max()) if cutoff is None else as_instant(cutoff, timezone, "cutoff")
    about = _about(contacts, _type_column(contacts.frame, type_column))
    began = contacts.speaker[contacts.first]
    matter = _matters(about["customer_id"], about["type"] if same_type else _nothing(contacts))
    agent, n_agents = main_agents(contacts)
    result = pd.DataFrame(
        {
            "customer_id": about["customer_id"],
            "start": _as_times(start),
            "end": _as_times(end),
            "channel": about["channel"],
            "type": about["type"],
            "agent": agent,
            "case_id": about["case_id"],
            "order_id": about["order_id"],
            "began": _BEGAN[began],
            "turns": np.bincount(contacts.conversation),
            "customer_turns": _count(contacts, contacts.speaker == CUSTOMER),
            "company_turns": _count(contacts, contacts.speaker == COMPANY),
            "agents": n_agents,
            **_waits(contacts, _spoken(contacts, spent, live)),
            "talk_share": talk_share(contacts),
            "span_seconds": (end - start) / 1e6,
            "handling_seconds": _total(contacts, spent),
            "seen_before_days": (start - contacts.time.min()) / DAY,
            "followed_days": np.maximum(watched - end, 0) / DAY,
            **_returns(contacts, find_repeats(matter, start, end, began != COMPANY)),
        }
    )
    result.index = pd.Index(contacts.ids, name="conversation_id")
    result[["first_contact", "resolved"]] = pd.concat(flags_of(result, days), axis="columns")
    return result[[*result.columns.drop(_LAST), *_LAST]].join(_further(contacts, keep, result))


def _about(contacts: Contacts, type_column: str | None) -> pd.DataFrame:
    """Give who and what each conversation was about: of each column the first entry that is not missing."""
    names = ["customer_id", "channel", "case_id", "order_id", *([type_column] if type_column else [])]
    known = first_known(contacts, names)
    made = {name: known.get(name, _nothing(contacts)) for name in names[:4]}
    return pd.DataFrame({**made, "type": known[type_column] if type_column else _nothing(contacts)})


def _nothing(contacts: Contacts) -> pd.Series[Any]:
    """Give a missing entry for each conversation."""
    return pd.Series(np.full(len(contacts.ids), None, dtype=object))


def _waits(contacts: Contacts, spoken: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Give what is known of the waits of each conversation."""
    wait = responses(contacts, spoken)
    answered = pd.Series(pd.array(wait.answered == 1, dtype="boolean"))
    return {
        "answered": answered.mask(np.isnan(wait.answered)),
        "first_response_seconds": wait.first,
        "median_response_seconds": wait.median,
        "longest_response_seconds": wait.longest,
    }


def _returns(contacts: Contacts, repeats: Repeats) -> dict[str, Any]:
    """Give what came before and after each conversation, and which one came after."""
    return {
        "previous_days": repeats.previous_days,
        "repeat_id": np.array([*contacts.ids, None], dtype=object)[repeats.repeat],
        "repeat_days": repeats.repeat_days,
    }


def _further(contacts: Contacts, keep: Sequence[str], result: pd.DataFrame) -> pd.DataFrame:
    """Give the further columns that are wanted, by conversation."""
    if isinstance(keep, str):
        raise TypeError("keep must be a list of columns, got one str")
    names = list(dict.fromkeys(keep))
    require_columns(contacts.frame, names, what="communications")
    twice = [name for name in names if name in result.columns]
    if twice:
        raise DataError(
            f"keep: the result has {', '.join(map(repr, twice))} of its own: rename the column, or leave it out"
        )
    return first_known(contacts, names).set_index(result.index)


def _spoken(contacts: Contacts, spent: npt.NDArray[np.float64], live: Sequence[str] | None) -> npt.NDArray[np.bool_]:
    """Say which rows were answered as they happened."""
    if live is None:
        return ~np.isnan(spent)
    if isinstance(live, str):
        raise TypeError("live must be a list of channels, got one str")
    require_columns(contacts.frame, ["channel"], what="communications")
    return contacts.frame["channel"].isin(list(live)).to_numpy(dtype=bool)


def _span(contacts: Contacts, spent: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the first and last instant of each conversation."""
    over = contacts.time + np.round(np.nan_to_num(spent) * 1e6).astype(np.int64)
    return contacts.time[contacts.first], np.maximum.reduceat(over, contacts.first)


def _type_column(frame: pd.DataFrame, type_column: str | None) -> str | None:
    """Give the column that says what a contact is about."""
    if type_column == "auto":
        return next((name for name in _TYPES if name in frame.columns), None)
    if type_column is not None:
        require_columns(frame, [type_column], what="communications", hint="name it with type_column=, or None")
    return type_column


def _matters(customer: pd.Series[Any], kinds: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Number the pairs of customer and type."""
    codes, _ = pd.factorize(customer)
    types, named = pd.factorize(kinds.to_numpy(dtype=object))
    return np.asarray(codes.astype(np.int64) * (len(named) + 1) + types + 1)


def _count(contacts: Contacts, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count such rows of each conversation."""
    return np.bincount(contacts.conversation[rows], minlength=len(contacts.ids))


def _total(contacts: Contacts, spent: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Add up the durations of each conversation, NaN where none is known."""
    known = ~np.isnan(spent)
    total = np.bincount(contacts.conversation[known], weights=spent[known], minlength=len(contacts.ids))
    return np.where(_count(contacts, known) > 0, total, np.nan)


def _as_times(instants: npt.NDArray[np.int64]) -> pd.Series[Any]:
    """Give instants as a column in UTC."""
    return pd.Series(pd.DatetimeIndex(instants.view("datetime64[us]")).tz_localize("UTC"))
