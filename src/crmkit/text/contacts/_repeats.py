"""Finds customers who came back about the same matter, and how long everyone was watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError
from crmkit.text.contacts._reading import DAY

if TYPE_CHECKING:
    import numpy.typing as npt

_NEVER = np.iinfo(np.int64).min

__all__ = ["Repeats", "check_days", "find_repeats", "flags_of", "repeat_contacts", "require_conversations"]


class Repeats(NamedTuple):
    """What came before and after each conversation of the same customer (and type).

    Attributes
    ----------
    previous_days : ndarray of float64, shape (n_conversations,)
        Days since the conversations that the customer began earlier had all ended; NaN where there was none.
    repeat_days : ndarray of float64, shape (n_conversations,)
        Days until the customer next began one; NaN where that was not seen.
    repeat : ndarray of int64, shape (n_conversations,)
        Which conversation that was, -1 where none.
    """

    previous_days: npt.NDArray[np.float64]
    repeat_days: npt.NDArray[np.float64]
    repeat: npt.NDArray[np.int64]


def find_repeats(
    matter: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    by_customer: npt.NDArray[np.bool_],
) -> Repeats:
    """Find for each conversation the next one of the same matter that the customer began, and the one before.

    Parameters
    ----------
    matter : ndarray of int64, shape (n_conversations,)
        Equal for conversations of one customer (and type).
    start, end : ndarray of int64, shape (n_conversations,)
        Microseconds.
    by_customer : ndarray of bool, shape (n_conversations,)
        Whether the customer may have begun it; what the company began is no repeat.

    Returns
    -------
    Repeats
        In the order given. A conversation that begins before an earlier one has ended follows it after 0 days.
    """
    n = len(matter)
    order = np.lexsort((np.arange(n), start, matter))
    group, begins, finish, able = matter[order], start[order], end[order], by_customer[order]
    place = np.arange(n)
    # The nearest able conversation at or after each place, from the back.
    ahead = np.minimum.accumulate(np.where(able, place, n)[::-1])[::-1]
    following = np.append(ahead[1:], n)[:n]
    inside = np.minimum(following, max(0, n - 1))
    found = (following < n) & (group[inside] == group)
    repeat_days, repeat = np.full(n, np.nan), np.full(n, -1, dtype=np.int64)
    repeat_days[order[found]] = np.maximum(begins[inside] - finish, 0)[found] / DAY
    repeat[order[found]] = order[inside[found]]
    # What the company began is nothing the customer comes back from.
    ended = pd.Series(np.where(able, finish, _NEVER))
    latest = ended.groupby(group, sort=False).cummax().to_numpy(dtype=np.int64)
    before = np.append(_NEVER, latest[:-1])[:n]
    has_before = np.append(False, group[1:] == group[:-1])[:n] & (before != _NEVER)
    previous_days = np.full(n, np.nan)
    previous_days[order[has_before]] = np.maximum(begins - before, 0)[has_before] / DAY
    return Repeats(previous_days, repeat_days, repeat)


def check_days(days: float) -> float:
    """Refuse what is no number of days."""
    if isinstance(days, bool | str) or not 0 < days < np.inf:
        raise DataError(f"days must be a number above 0, got {days!r}")
    return float(days)


def flags_of(conversations: pd.DataFrame, days: float) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Say which conversations are first contacts and which were resolved, missing where the table cannot know.

    Parameters
    ----------
    conversations : pandas.DataFrame
        With ``previous_days``, ``seen_before_days``, ``repeat_days`` and ``followed_days``.
    days : float
        How long silence must last.

    Returns
    -------
    first_contact, resolved : pandas.Series of boolean
        By conversation.
    """
    before, seen = (conversations[name].to_numpy(dtype=np.float64) for name in ("previous_days", "seen_before_days"))
    after, left = (conversations[name].to_numpy(dtype=np.float64) for name in ("repeat_days", "followed_days"))
    returned = before <= days
    first = pd.array(~returned, dtype="boolean")
    first[~returned & (seen < days)] = pd.NA
    came_back = after <= days
    resolved = pd.array(~came_back, dtype="boolean")
    resolved[~came_back & (left < days)] = pd.NA
    return pd.Series(first, index=conversations.index), pd.Series(resolved, index=conversations.index)


def require_conversations(conversations: Any, columns: list[str]) -> pd.DataFrame:
    """Check that it is what `conversations` gave."""
    if not isinstance(conversations, pd.DataFrame):
        raise TypeError(f"expected the table that text.conversations gives, got {type(conversations).__name__}")
    require_columns(conversations, columns, what="conversations", hint="make it with text.conversations")
    return conversations


def repeat_contacts(table: Any, days: float = 7, **options: Any) -> pd.DataFrame:
    """List the contacts that were followed by another of the same customer within some days, each with what followed.

    A repeat is the customer's next conversation (of the same type, unless ``same_type=False``) that the customer
    began. One that began before the first had ended follows after 0 days.

    Parameters
    ----------
    table : table
        COMMUNICATIONS, or what `conversations` gave.
    days : float, default=7
        How many days of 24 hours after the end of a contact count.
    **options
        For `conversations`, where the table is COMMUNICATIONS: ``type_column``, ``same_type``, ``timezone``,
        ``cutoff``.

    Returns
    -------
    pandas.DataFrame
        A row a repeat, indexed by ``conversation_id`` (of the contact that did not settle it): ``repeat_id``,
        ``customer_id``, ``type``, ``days`` in between, ``channel``, ``repeat_channel``, ``agent``, ``repeat_agent``.

    Raises
    ------
    DataError
        As `conversations`, or if ``days`` is not above 0.
    TypeError
        If options are given with what `conversations` gave.

    See Also
    --------
    crmkit.metrics.first_contact_resolution : The share without a repeat.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import repeat_contacts
    >>> calls = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "conversation_id": ["1", "2", "3"], "channel": ["chat", "call", "chat"],
    ...     "time": pd.to_datetime(["2024-05-01", "2024-05-03", "2024-05-03"], utc=True), "direction": "in"})
    >>> repeat_contacts(calls)[["repeat_id", "days", "repeat_channel"]]  # doctest: +NORMALIZE_WHITESPACE
                    repeat_id  days repeat_channel
    conversation_id
    1                       2   2.0           call
    """
    from crmkit.text.contacts._conversations import conversations

    check_days(days)
    made = isinstance(table, pd.DataFrame) and {"repeat_id", "repeat_days", "followed_days"} <= set(table.columns)
    if made and options:
        raise TypeError(f"{', '.join(options)}: hand it to text.conversations, which made this table")
    known = table if made else conversations(table, days=days, **options)
    again = known[(known["repeat_days"] <= days).to_numpy(dtype=bool)]
    later = known.reindex(again["repeat_id"].to_numpy(dtype=object))
    return pd.DataFrame(
        {
            "repeat_id": again["repeat_id"],
            "customer_id": again["customer_id"],
            "type": again["type"],
            "days": again["repeat_days"],
            "channel": again["channel"],
            "repeat_channel": later["channel"].to_numpy(),
            "agent": again["agent"],
            "repeat_agent": later["agent"].to_numpy(),
        },
        index=again.index,
    )
