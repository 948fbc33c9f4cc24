"""How long customers waited for an answer in each conversation, and who talked how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.language import MARKER, blank_markup, tokenize
from crmkit.text.contacts._reading import COMPANY, CUSTOMER, UNKNOWN, Contacts

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Responses", "durations", "main_agents", "responses", "talk_share"]


class Responses(NamedTuple):
    """Waits in seconds, one entry a conversation.

    Attributes
    ----------
    answered : ndarray of float64
        1 where the first wait ended, 0 where it did not, NaN where the customer said nothing.
    first, median, longest : ndarray of float64
        Of the waits that ended; NaN where none did.
    """

    answered: Floats
    first: Floats
    median: Floats
    longest: Floats


def responses(contacts: Contacts, live: npt.NDArray[np.bool_]) -> Responses:
    """Measure the waits: from the first message of the customer that is not yet answered to the company's next one.

    Parameters
    ----------
    contacts : Contacts
        The rows.
    live : ndarray of bool, shape (n_rows,)
        Rows that were spoken face to face or on the phone: they begin no wait, and answer themselves.

    Returns
    -------
    Responses
        One entry a conversation.
    """
    n = len(contacts.ids)
    known = np.flatnonzero(contacts.speaker != UNKNOWN)
    who, where = contacts.speaker[known], contacts.conversation[known]
    asks = (who == CUSTOMER) & ~live[known]
    follows = np.diff(where, prepend=-1) == 0
    waiting_before = follows & np.append(False, asks[:-1])
    begins = asks & ~waiting_before
    ends = (who == COMPANY) & waiting_before
    number = np.cumsum(begins) - 1
    begin, end = known[begins], known[ends]
    wait = np.full(len(begin), np.nan)
    wait[number[ends]] = (contacts.time[end] - contacts.time[begin[number[ends]]]) / 1e6
    owner = contacts.conversation[begin]
    opening = np.append(True, np.diff(owner) != 0)[: len(owner)]
    first = np.full(n, np.nan)
    first[owner[opening]] = wait[opening]
    answered = np.full(n, np.nan)
    answered[owner[opening]] = ~np.isnan(wait[opening])
    # Who was spoken to at once was answered, whatever was written afterwards.
    spoken = live & (contacts.speaker != COMPANY)
    answered[contacts.conversation[spoken]] = 1.0
    middle, longest = _middle_and_longest(wait, owner, n)
    return Responses(answered, first, middle, longest)


def _middle_and_longest(wait: Floats, owner: npt.NDArray[np.int64], n: int) -> tuple[Floats, Floats]:
    """Give the median and the maximum of each conversation's waits."""
    ended = ~np.isnan(wait)
    wait, owner = wait[ended], owner[ended]
    order = np.lexsort((wait, owner))
    wait, owner = wait[order], owner[order]
    many = np.bincount(owner, minlength=n)
    last = np.cumsum(many) - 1
    begin = last - many + 1
    some = many > 0
    middle, longest = np.full(n, np.nan), np.full(n, np.nan)
    low, high = begin[some] + (many[some] - 1) // 2, begin[some] + many[some] // 2
    middle[some] = (wait[low] + wait[high]) / 2
    longest[some] = wait[last[some]]
    return middle, longest


def durations(contacts: Contacts) -> Floats:
    """Give the recorded duration of each row in seconds, NaN where there is none."""
    if "duration" not in contacts.frame.columns:
        return np.full(len(contacts.time), np.nan)
    column = contacts.frame["duration"]
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (np.isnan(values) & ~column.isna().to_numpy(dtype=bool)) | np.isinf(values) | (values < 0)
    if wrong.any():
        raise DataError(
            f"communications: duration must be seconds of at least 0; it is not in {contacts.positions(wrong)}"
        )
    return values


def talk_share(contacts: Contacts) -> Floats:
    """Give the company's share of the words that were written or spoken; a Han character counts as a word."""
    n = len(contacts.ids)
    if "text" not in contacts.frame.columns:
        return np.full(n, np.nan)
    table = tokenize([blank_markup(text, entities=True) for text in contacts.texts.tolist()])
    said = np.bincount(table.text[table.kind != MARKER], minlength=len(contacts.time)).astype(np.float64)
    both = np.bincount(contacts.conversation, weights=said * (contacts.speaker != UNKNOWN), minlength=n)
    ours = np.bincount(contacts.conversation, weights=said * (contacts.speaker == COMPANY), minlength=n)
    with np.errstate(invalid="ignore"):
        return np.where(both > 0, ours / both, np.nan)


def main_agents(contacts: Contacts) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Give the agent named in most rows of each conversation (the first named of equals), and how many were named."""
    n = len(contacts.ids)
    names = np.full(n, None, dtype=object)
    if "agent" not in contacts.frame.columns:
        return names, np.zeros(n, dtype=np.int64)
    codes, named = pd.factorize(contacts.frame["agent"].to_numpy(dtype=object))
    rows = np.flatnonzero(codes >= 0)
    pairs, earliest, many = np.unique(
        contacts.conversation[rows] * max(1, len(named)) + codes[rows], return_index=True, return_counts=True
    )
    owner, code = pairs // max(1, len(named)), pairs % max(1, len(named))
    order = np.lexsort((earliest, -many, owner))
    leading = order[np.append(True, np.diff(owner[order]) != 0)[: len(order)]]
    names[owner[leading]] = np.asarray(named, dtype=object)[code[leading]]
    return names, np.bincount(owner, minlength=n)
