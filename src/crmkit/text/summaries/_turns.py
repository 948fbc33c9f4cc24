"""Reads who said what: from pairs, from a table of communications, or from lines that begin with a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, as_texts, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.text._texts import is_frame
from crmkit.text.summaries._roles import role_of_direction, role_of_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

__all__ = ["Turn", "read_lines", "read_turns", "reading_order"]

# A time may stand before the name, as chat programs write it.
_NAMED_LINE = re.compile(
    r"^[^\S\n]*(?:[\[(]?\d[\d \t:./\-年月日T]{0,30}(?:[AaPp][Mm])?[\])]?[^\S\n]+)?"
    r"(?P<name>\#[^\#\n:：]{1,30}\#|[^\s\d:：][^\n:：]{0,29})[^\S\n]*(?:：|:(?!//))[^\S\n]*",
    re.MULTILINE,
)
_MOST_WORDS = 4


class Turn(NamedTuple):
    """What one person said without a break.

    Attributes
    ----------
    number : int or None
        As the table numbers it, else counted from 0; None for a text that is no conversation.
    speaker : str or None
        Who spoke.
    role : {"customer", "agent"} or None
        As a table's direction or agent tells it; None where the name has to.
    text : str
        What was said.
    start : int
        Where the text begins in the one text that was handed in, else 0.
    """

    number: int | None
    speaker: str | None
    role: str | None
    text: str
    start: int = 0


def read_turns(given: Any, *, lines: bool = False) -> list[Turn]:
    """Bring a text or a conversation to a list of turns.

    Parameters
    ----------
    given : str, sequence of (speaker, text), or table
        A table has ``text``, and where it has them ``turn`` or ``time``, ``speaker``, ``direction``, ``agent`` and
        ``conversation_id``.
    lines : bool, default=False
        Whether lines of one text that begin with a name and a colon are turns.

    Returns
    -------
    list of Turn
        In order.

    Raises
    ------
    TypeError
        If it is none of these, or a text is no ``str``.
    DataError
        If a table holds more than one conversation.
    """
    if isinstance(given, str):
        return read_lines(given) if lines else [Turn(None, None, None, given)]
    if is_frame(given):
        return _from_table(as_frame(given, what="turns"))
    if isinstance(given, bytes) or not hasattr(given, "__iter__"):
        raise TypeError(f"a text or turns are expected, got {type(given).__name__}")
    pairs = list(given)
    wrong = np.array(
        [isinstance(pair, str | bytes) or not hasattr(pair, "__len__") or len(pair) != 2 for pair in pairs]
    )
    if wrong.any():
        raise TypeError(f"turns must be pairs of speaker and text; {positions(wrong)} are not")
    texts = as_texts([text for _, text in pairs], what="the texts of turns").tolist()
    return [
        Turn(place, _name(speaker), None, text)
        for place, ((speaker, _), text) in enumerate(zip(pairs, texts, strict=True))
    ]


def read_lines(text: str) -> list[Turn]:
    r"""Cut a text into turns at lines that begin with a name and a colon.

    A name has at most thirty characters and four words and does not begin with a digit; lines without one go on with
    the turn before. A text with fewer than two such lines is one turn of nobody in particular, unless it begins with
    a name that tells a role, such as ``Customer:``.

    Parameters
    ----------
    text : str
        Such as ``"Customer: where is it?\\nAgent: on its way."``.

    Returns
    -------
    list of Turn
        With the place of each text in the whole.
    """
    found = [
        match
        for match in _NAMED_LINE.finditer(text)
        if match["name"].startswith("#") or len(match["name"].split()) <= _MOST_WORDS
    ]
    before = text[: found[0].start()] if found else ""
    alone = len(found) == 1 and (
        before.strip() or not (found[0]["name"].startswith("#") or role_of_name(found[0]["name"]))
    )
    if not found or alone:
        return [Turn(0, None, None, text)]
    ends = [match.start() for match in found[1:]] + [len(text)]
    turns = [
        Turn(place, match["name"].strip(), None, text[match.end() : end], match.end())
        for place, (match, end) in enumerate(zip(found, ends, strict=True))
    ]
    if before.strip():
        turns = [turn._replace(number=place) for place, turn in enumerate([Turn(0, None, None, before), *turns])]
    return turns


def _name(value: Any) -> str | None:
    """Write a speaker's name, None for a missing one."""
    return None if pd.isna(value) or not str(value).strip() else str(value).strip()


def _from_table(frame: pd.DataFrame) -> list[Turn]:
    """Read one conversation of a table of communications."""
    require_columns(frame, ["text"], what="turns", hint="rename the column that has what was said")
    n_conversations = frame["conversation_id"].nunique(dropna=False) if "conversation_id" in frame.columns else 1
    if n_conversations > 1:
        raise DataError(
            f"turns hold {n_conversations:,} conversations: hand in one, or use text.summarize_conversations for all"
        )
    order = reading_order(frame, np.zeros(len(frame), dtype=np.int64), what="turns")
    numbers: Iterable[Any] = np.arange(len(frame))
    if "turn" in frame.columns and frame["turn"].notna().all():
        numbers = pd.to_numeric(frame["turn"])
    texts = as_texts(frame["text"], what="turns['text']").tolist()
    speakers, roles = _speakers(frame)
    listed = [
        Turn(int(number), speaker, role, text)
        for number, speaker, role, text in zip(numbers, speakers, roles, texts, strict=True)
    ]
    return [listed[place] for place in order.tolist()]


def reading_order(frame: pd.DataFrame, conversation: npt.NDArray[np.int64], *, what: str) -> npt.NDArray[np.intp]:
    """Give the order in which rows were said: by turns, by times where turns are missing, else as they stand.

    Parameters
    ----------
    frame : pandas.DataFrame
        With or without ``turn`` and ``time``.
    conversation : ndarray of int64, shape (n_rows,)
        From 0; each conversation is looked at by itself.
    what : str
        The table's name in messages.

    Returns
    -------
    ndarray of intp, shape (n_rows,)
        Rows by conversation and order.

    Raises
    ------
    DataError
        If a turn is no number, or a conversation has turns or times for some of its rows only (naming the others).
    """
    n_conversations = int(conversation.max(initial=-1)) + 1
    key, open_ = np.zeros(len(frame)), np.ones(len(frame), dtype=bool)
    lacking = np.zeros(len(frame), dtype=bool)
    for column in ("turn", "time"):
        if column not in frame.columns:
            continue
        missing = frame[column].isna().to_numpy(dtype=bool)
        rank = _turn_numbers(frame[column], missing, what) if column == "turn" else _time_ranks(frame[column])
        n_missing = np.bincount(conversation[missing], minlength=n_conversations)[conversation]
        whole = open_ & (n_missing == 0)
        key[whole] = rank[whole]
        open_ &= ~whole
        lacking |= missing & (n_missing < np.bincount(conversation, minlength=n_conversations)[conversation])
    if (lacking & open_).any():
        named = " and ".join(column for column in ("turn", "time") if column in frame.columns)
        raise DataError(
            f"{what}: {named} is missing in {positions(lacking & open_)}, but not in the whole conversation"
        )
    return np.lexsort((key, conversation))


def _turn_numbers(column: pd.Series[Any], missing: npt.NDArray[np.bool_], what: str) -> npt.NDArray[np.float64]:
    """Give turns as numbers, also where they were read as text."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isnan(numbers) & ~missing
    if wrong.any():
        raise DataError(f"{what}: turn is no number in {positions(wrong)}")
    return np.asarray(numbers, dtype=np.float64)


def _time_ranks(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Give the rank of each time, -1 where it is missing."""
    return np.asarray(pd.factorize(column, sort=True)[0], dtype=np.int64)


def _speakers(frame: pd.DataFrame) -> tuple[list[str | None], list[str | None]]:
    """Give each row's speaker and role: by its speaker, by its direction, or by whether an agent is named."""
    nobody: list[str | None] = [None] * len(frame)
    agents = [_name(value) for value in frame["agent"]] if "agent" in frame.columns else nobody
    roles: list[str | None] = nobody
    if "direction" in frame.columns:
        roles = [role_of_direction(value) for value in frame["direction"]]
    if len(set(roles)) < 2 and len(frame) > 1:
        # All in one direction: it says who began the contact, not who speaks.
        named = [agent is not None for agent in agents]
        roles = [*("agent" if one else "customer" for one in named)] if len(set(named)) == 2 else nobody
    names = [_name(value) for value in frame["speaker"]] if "speaker" in frame.columns else nobody
    speakers: list[str | None] = [
        name or ((agent or "agent") if role == "agent" else role)
        for name, agent, role in zip(names, agents, roles, strict=True)
    ]
    # A name that tells a role is believed before the direction.
    return speakers, [None if role_of_name(name) else role for name, role in zip(names, roles, strict=True)]
