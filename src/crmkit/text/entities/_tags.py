"""Writes entities as tags (BIO, BMES, BIOES), one a character or token, and reads tags as entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.text._texts import read_texts
from crmkit.text.entities._spans import SpanTable, read_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.privacy import Entity

__all__ = ["Scheme", "from_tags", "to_tags"]

Scheme = Literal["bio", "bmes", "bioes"]

_BEGIN, _INSIDE, _END, _SINGLE, _OUT = range(5)
_LETTERS: dict[str, str] = {"bio": "BIIB", "bmes": "BMES", "bioes": "BIES"}
"""How a scheme writes the beginning, the inside, the end, and an entity of one token."""


def to_tags(texts: Any, entities: Any, *, scheme: Scheme = "bio", tokens: Any = None) -> list[list[str]]:
    """Write entities as tags.

    Parameters
    ----------
    texts : list, array or Series of str
        The texts.
    entities : list of lists, or table
        For each text its entities, each ``(start, end, label)`` with half-open offsets; or a table with ``text_id``,
        ``start``, ``end`` and ``label``.
    scheme : {"bio", "bmes", "bioes"}, default="bio"
        ``"bio"`` begins every entity with B- and goes on with I-; ``"bmes"`` also marks the end (E-), what stands
        between (M-) and an entity of one token (S-); ``"bioes"`` is the same with I- for M-.
    tokens : list of lists of (start, end), default=None
        For each text the tokens that get a tag, in order; anything that begins with two offsets will do, such as
        ``language.words(text)``. Where None, each character, spaces included, gets one.

    Returns
    -------
    list of list of str
        For each text one tag a token: ``"O"`` outside, else such as ``"B-city"``.

    Raises
    ------
    DataError
        If entities overlap, lie outside their text, or begin or end within a token (naming the texts).

    Examples
    --------
    >>> from crmkit.text import to_tags
    >>> to_tags(["去北京 ok"], [[(1, 3, "city")]], scheme="bmes")
    [['O', 'B-city', 'E-city', 'O', 'O', 'O']]
    """
    letters = _letters(scheme)
    values = read_texts(texts, what="texts").tolist()
    table = read_spans(entities, values, what="entities")
    text, start, end = _offsets(values, tokens)
    longest = max((len(value) for value in values), default=0) + 1
    first = np.searchsorted(text * longest + start, table.text * longest + table.start)
    last = np.searchsorted(text * longest + end, table.text * longest + table.end)
    inside = (first <= last) & (last < len(text))
    exact = inside.copy()
    a, b = first[inside], last[inside]
    exact[inside] = (
        (text[a] == table.text[inside])
        & (text[b] == table.text[inside])
        & (start[a] == table.start[inside])
        & (end[b] == table.end[inside])
    )
    if not exact.all():
        wrong = np.isin(np.arange(len(values)), table.text[~exact])
        raise DataError(f"entities must begin and end where tokens do; not so in {_texts(wrong)}")
    tags = np.full(len(text), "O", dtype=object)
    for one, other, label in zip(first.tolist(), last.tolist(), table.label.tolist(), strict=True):
        name = table.labels[label]
        tags[one : other + 1] = f"{letters[_INSIDE]}-{name}"
        tags[other] = f"{letters[_END]}-{name}"
        tags[one] = f"{letters[_BEGIN if other > one else _SINGLE]}-{name}"
    bounds = np.searchsorted(text, np.arange(1, len(values)))
    return [part.tolist() for part in np.split(tags, bounds)] if values else []


def from_tags(
    tags: Sequence[Sequence[str]],
    *,
    scheme: Scheme = "bio",
    tokens: Any = None,
    invalid: Literal["repair", "raise"] = "repair",
) -> list[list[Entity]]:
    """Read tags as entities.

    Parameters
    ----------
    tags : list of lists of str
        For each text one tag a token.
    scheme : {"bio", "bmes", "bioes"}, default="bio"
        How they are written; see `to_tags`.
    tokens : list of lists of (start, end), default=None
        For each text where its tokens stand; None takes one character a tag.
    invalid : {"repair", "raise"}, default="repair"
        What to do with tags that no entity writes. Repaired by one rule: a tag that goes on with nothing (its label or
        text is another, or the one before has ended) begins an entity, and an entity that is never ended ends where
        it is left. This is how seqeval and conlleval read them.

    Returns
    -------
    list of list of Entity
        For each text its entities, in order; offsets are half-open.

    Raises
    ------
    DataError
        If a tag is not of the scheme, the numbers of tags and tokens differ, or tags are invalid and
        ``invalid="raise"`` (naming the texts).
    TypeError
        If the tags of a single text are given.

    Examples
    --------
    >>> from crmkit.text import from_tags
    >>> from_tags([["O", "I-city", "I-city", "B-city"]])
    [[Entity(start=1, end=3, label='city'), Entity(start=3, end=4, label='city')]]
    """
    if invalid not in {"repair", "raise"}:
        raise DataError(f"invalid must be 'repair' or 'raise', got {invalid!r}")
    _letters(scheme)
    if isinstance(tags, str) or any(isinstance(one, str) for one in tags):
        raise TypeError("tags must be a list of tags for each text: put those of a single text in a list")
    lengths = np.array([len(one) for one in tags], dtype=np.int64)
    text = np.repeat(np.arange(len(lengths)), lengths)
    part, label, labels = _parsed(tags, text, scheme)
    if tokens is None:
        start = np.arange(len(text)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        end = start + 1
    else:
        owner, start, end = _given(tokens)
        if len(tokens) != len(lengths) or not np.array_equal(owner, text):
            raise DataError("tokens must have one (start, end) for each tag of each text")
    goes_on = np.zeros(len(text), dtype=bool)
    goes_on[1:] = (
        np.isin(part[1:], [_INSIDE, _END])
        & np.isin(part[:-1], [_BEGIN, _INSIDE])
        & (text[1:] == text[:-1])
        & (label[1:] == label[:-1])
    )
    within = part != _OUT
    first = np.flatnonzero(within & ~goes_on)
    last = np.flatnonzero(within & ~np.append(goes_on[1:], False)[: len(within)])
    if invalid == "raise":
        wrong = np.isin(part[first], [_INSIDE, _END])
        if scheme != "bio":
            wrong |= np.isin(part[last], [_BEGIN, _INSIDE])
        if wrong.any():
            named = np.isin(np.arange(len(lengths)), text[first][wrong])
            raise DataError(f"tags do not follow the scheme {scheme!r} in {_texts(named)}")
    return SpanTable(len(lengths), text[first], start[first], end[last], label[first], labels).entities()


def _letters(scheme: str) -> str:
    """Give the letters of a scheme."""
    if scheme not in _LETTERS:
        raise DataError(f"scheme must be {', '.join(map(repr, _LETTERS))}, got {scheme!r}")
    return _LETTERS[scheme]


def _parsed(
    tags: Sequence[Sequence[str]], text: npt.NDArray[np.int64], scheme: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]:
    """Give for each tag what part of an entity it is, and the number of its label."""
    names = {"bio": {"B": _BEGIN, "I": _INSIDE}, "bmes": {"B": _BEGIN, "M": _INSIDE, "E": _END, "S": _SINGLE}}
    names["bioes"] = {"B": _BEGIN, "I": _INSIDE, "E": _END, "S": _SINGLE}
    flat = [tag for one in tags for tag in one]
    distinct = {tag: place for place, tag in enumerate(dict.fromkeys(flat))}
    split = [tag.partition("-") if isinstance(tag, str) else ("", "", "") for tag in distinct]
    labels = sorted({label for _, _, label in split if label})
    numbers = {label: place for place, label in enumerate(labels)}
    part = np.array(
        [
            _OUT if tag == "O" else names[scheme].get(letter, -1) if label else -1
            for tag, (letter, _, label) in zip(distinct, split, strict=True)
        ],
        dtype=np.int64,
    )
    label = np.array([numbers.get(label, -1) for _, _, label in split], dtype=np.int64)
    rows = np.array([distinct[tag] for tag in flat], dtype=np.int64)
    if (part[rows] < 0).any():
        wrong = np.isin(np.arange(len(tags)), text[part[rows] < 0])
        raise DataError(
            f"a tag is 'O' or a letter of the scheme {scheme!r}, '-' and a label; not so in {_texts(wrong)}"
        )
    return part[rows], label[rows], labels


def _offsets(
    texts: Sequence[str], tokens: Any
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give text, start and end of what gets a tag."""
    if tokens is None:
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        start = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.repeat(np.arange(len(texts)), lengths), start, start + 1
    if len(tokens) != len(texts):
        raise DataError(f"tokens must have one list for each text: {len(tokens)} for {len(texts)} texts")
    text, start, end = _given(tokens)
    lengths = np.array([len(one) for one in texts], dtype=np.int64)
    wrong = ~((start >= 0) & (start < end) & (end <= lengths[text]))
    wrong[1:] |= (text[1:] == text[:-1]) & (start[1:] < end[:-1])
    if wrong.any():
        named = np.isin(np.arange(len(texts)), text[wrong])
        raise DataError(f"tokens must stand in order within their text, without overlaps; not so in {_texts(named)}")
    return text, start, end


def _given(tokens: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Read the offsets of tokens."""
    rows = [(text, int(token[0]), int(token[1])) for text, one in enumerate(tokens) for token in one]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _texts(mask: npt.NDArray[np.bool_]) -> str:
    """Name texts by their positions."""
    return positions(mask).replace("row", "text", 1)
