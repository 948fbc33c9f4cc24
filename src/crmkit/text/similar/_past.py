"""Turns messages into past cases: what the customer wrote, what the company answered, how it ended."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.text.contacts._reading import COMPANY, CUSTOMER, first_known, read_contacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["past_cases"]

_OWN = ("conversation_id", "case_id", "time", "text", "answer")
"""Columns that every past case has."""


def past_cases(messages: Any, cases: Any, keep: Sequence[str], timezone: str) -> pd.DataFrame:
    """Give a row a conversation: the customer's opening, the company's first answer, and what is known of its case.

    Parameters
    ----------
    messages : table
        COMMUNICATIONS.
    cases : table or None
        CASES, joined by ``case_id``.
    keep : sequence of str
        Columns to carry along, those that are there.
    timezone : str
        Of times without a zone.

    Returns
    -------
    pandas.DataFrame
        ``conversation_id``, ``case_id``, ``time``, ``text``, ``answer``, and the columns of ``keep``; conversations in
        which the customer wrote nothing are left out.

    Raises
    ------
    DataError
        If nothing is left, a case has no id or stands twice in ``cases``, or the messages have none to join them by.
    """
    taken = [name for name in keep if name in _OWN]
    if taken:
        raise DataError(f"keep: every case has {', '.join(map(repr, taken))} anyway; leave them out")
    contacts = read_contacts(messages, timezone=timezone, cutoff=None)
    require_columns(contacts.frame, ["text"], what="communications")
    answers = contacts.speaker == COMPANY
    asks = contacts.speaker == CUSTOMER if (contacts.speaker == CUSTOMER).any() else ~answers
    before, within = _stages(contacts.conversation, contacts.first, asks, answers)
    n = len(contacts.ids)
    table = pd.DataFrame(
        {
            "conversation_id": contacts.ids,
            "case_id": first_known(contacts, ["case_id"]).get("case_id", pd.Series([None] * n, dtype=object)),
            "time": pd.DatetimeIndex(contacts.time[contacts.first].view("datetime64[us]")).tz_localize("UTC"),
            "text": _joined(contacts.texts, contacts.conversation, asks & before, n),
            "answer": _joined(contacts.texts, contacts.conversation, answers & within, n),
        }
    )
    carried = [name for name in keep if name in contacts.frame.columns]
    table = pd.concat([table, first_known(contacts, carried).reset_index(drop=True)], axis="columns")
    if cases is not None:
        require_columns(contacts.frame, ["case_id"], what="communications", hint="cases are joined by it")
        table = _with_cases(table, cases, keep)
    table["answer"] = table["answer"].where(table["answer"] != "", None)
    table = table[(table["text"].str.strip() != "").to_numpy(dtype=bool)]
    if not len(table):
        raise DataError("communications has no conversation in which the customer wrote something")
    return table.reset_index(drop=True)


def _stages(
    conversation: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    asks: npt.NDArray[np.bool_],
    answers: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which rows stand before the first answer to the customer, and which between it and the next question."""

    def so_far(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Count such rows of the conversation up to and with each row."""
        count = np.cumsum(flags)
        return count - (count[first] - flags[first])[conversation]

    asked = so_far(asks) > 0
    replies = so_far(answers & asked)
    again = so_far(asks & (replies > 0))
    return replies == 0, asked & (replies > 0) & (again == 0)


def _joined(
    texts: npt.NDArray[np.object_], conversation: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_], n: int
) -> npt.NDArray[np.object_]:
    """Join the texts of such rows by conversation, a line each."""
    result = np.full(n, "", dtype=object)
    if rows.any():
        lines = pd.Series(texts[rows], dtype=object).groupby(conversation[rows]).agg("\n".join)
        result[lines.index.to_numpy(dtype=np.int64)] = lines.to_numpy(dtype=object)
    return result


def _with_cases(table: pd.DataFrame, cases: Any, keep: Sequence[str]) -> pd.DataFrame:
    """Join what the table of cases knows, which prevails over the messages."""
    frame = as_frame(cases, what="cases")
    require_columns(frame, ["case_id"], what="cases")
    missing = frame["case_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"cases: case_id is missing in {positions(missing)}: leave these rows out")
    twice = frame["case_id"].duplicated().to_numpy(dtype=bool)
    if twice.any():
        raise DataError(f"cases: case_id stands more than once, again in {positions(twice)}")
    if not frame["case_id"].isin(table["case_id"]).any():
        warnings.warn(
            "cases: case_id agrees with that of no message; ids must be written alike, as records.read does",
            DataWarning,
            stacklevel=5,
        )
    wanted = [name for name in keep if name in frame.columns]
    known = frame.set_index("case_id")[wanted].reindex(table["case_id"].to_numpy(dtype=object)).reset_index(drop=True)
    return pd.concat([table.drop(columns=[name for name in wanted if name in table.columns]), known], axis="columns")
