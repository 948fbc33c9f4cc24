"""Reads files of texts in which entities are marked: columns of tokens and tags, and JSON with spans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.language import scripts
from crmkit.privacy import Entity
from crmkit.text.entities._tags import from_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit.text.entities._tags import Scheme

__all__ = ["drop_overlaps", "read_conll", "read_span_json"]

_SPACED = frozenset({"latin", "cyrillic", "greek", "arabic", "hebrew", "hangul", "other", "common"})


def read_conll(
    path: str | Path,
    *,
    scheme: Scheme = "bio",
    token_column: int = 0,
    tag_column: int = -1,
    separator: str | None = None,
    joiner: str | None = None,
    invalid: Literal["repair", "raise"] = "repair",
) -> tuple[list[str], list[list[Entity]]]:
    """Read a file with a token and its tag a line, and an empty line after each text.

    The texts are put together again from their tokens, as such a file does not say what stood between them.

    Parameters
    ----------
    path : str or Path
        UTF-8, with or without BOM. Lines that begin with ``-DOCSTART-`` are passed over.
    scheme : {"bio", "bmes", "bioes"}, default="bio"
        How the tags are written.
    token_column, tag_column : int, default=0 and -1
        Which columns; counted from the end where negative.
    separator : str, default=None
        What parts the columns; None is any run of spaces or tabs.
    joiner : str, default=None
        What to put between two tokens. None puts a space between two words of spaced scripts or numbers, and nothing
        beside Han characters and signs.
    invalid : {"repair", "raise"}, default="repair"
        As for `from_tags`.

    Returns
    -------
    texts : list of str
        One a block of lines.
    entities : list of list of Entity
        Half-open offsets into these texts.

    Raises
    ------
    DataError
        If the file is missing or not UTF-8, a line has too few columns, or tags are not of the scheme.
    """
    blocks: list[list[tuple[str, str]]] = [[]]
    wrong = []
    for number, line in enumerate(_lines(path)):
        columns = line.split(separator)
        if not line.strip():
            blocks.append([])
        elif not line.startswith("-DOCSTART-"):
            try:
                blocks[-1].append((columns[token_column], columns[tag_column]))
            except IndexError:
                wrong.append(number)
    if wrong:
        raise DataError(f"{Path(path).name}: too few columns in {_named(wrong, 'line')}")
    blocks = [block for block in blocks if block]
    texts, tokens = [], []
    for block in blocks:
        text, places = _put_together([token for token, _ in block], joiner)
        texts.append(text)
        tokens.append(places)
    entities = from_tags([[tag for _, tag in block] for block in blocks], scheme=scheme, tokens=tokens, invalid=invalid)
    return texts, entities


def read_span_json(
    path: str | Path, *, inclusive: bool = True, overlaps: Literal["raise", "keep", "longest"] = "raise"
) -> tuple[list[str], list[list[Entity]]]:
    """Read a file with one JSON object a line: a text, and its names under their labels with their places.

    This is the form of CLUENER2020: ``{"text": "...", "label": {"city": {"北京": [[2, 3]]}}}``.

    Parameters
    ----------
    path : str or Path
        UTF-8.
    inclusive : bool, default=True
        Whether the second number is the last character (as in CLUENER2020) or the one behind it.
    overlaps : {"raise", "keep", "longest"}, default="raise"
        What to do with entities that share characters; ``"longest"`` as `drop_overlaps`.

    Returns
    -------
    texts : list of str
        One a line.
    entities : list of list of Entity
        Half-open offsets, in the order of the text.

    Raises
    ------
    DataError
        If a line is not of that form, a name does not stand where its numbers say (as when ``inclusive`` is wrong), or
        entities overlap (naming the lines).
    """
    if overlaps not in {"raise", "keep", "longest"}:
        raise DataError(f"overlaps must be 'raise', 'keep' or 'longest', got {overlaps!r}")
    texts: list[str] = []
    entities: list[list[Entity]] = []
    broken, misplaced, shared = [], [], []
    for number, line in enumerate(_lines(path)):
        if not line.strip():
            continue
        try:
            text, marked = _of_line(json.loads(line), behind=int(inclusive))
        except (AttributeError, KeyError, TypeError, ValueError):
            broken.append(number)
            continue
        if any(entity.start < 0 or not name or text[entity.start : entity.end] != name for entity, name in marked):
            misplaced.append(number)
        found = sorted({entity for entity, _ in marked})
        kept = _without_overlaps(found)
        if len(kept) < len(found):
            shared.append(number)
        texts.append(text)
        entities.append(kept if overlaps == "longest" else found)
    name = Path(path).name
    if broken:
        raise DataError(f"{name}: not of the form {{text, label: {{...}}}} in {_named(broken, 'line')}")
    if misplaced:
        raise DataError(
            f"{name}: a name does not stand where its numbers say in {_named(misplaced, 'line')}; is inclusive= right?"
        )
    if shared and overlaps == "raise":
        raise DataError(f"{name}: entities overlap in {_named(shared, 'line')}; choose overlaps='keep' or 'longest'")
    return texts, entities


def drop_overlaps(entities: Iterable[Iterable[Any]]) -> list[list[Entity]]:
    """Keep of entities that share characters the one that begins first, and of these the longest.

    Parameters
    ----------
    entities : list of lists
        For each text its entities, each ``(start, end, label)``; of two labels at one place the first in the alphabet
        stays.

    Returns
    -------
    list of list of Entity
        For each text those that stay, in order.

    Examples
    --------
    >>> from crmkit.text import drop_overlaps
    >>> drop_overlaps([[(0, 2, "city"), (0, 4, "company"), (3, 5, "name")]])
    [[Entity(start=0, end=4, label='company')]]
    """
    return [_without_overlaps(Entity(*entity[:3]) for entity in one) for one in entities]


def _without_overlaps(entities: Iterable[Entity]) -> list[Entity]:
    """Keep from the left what shares nothing with what was kept."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda one: (one.start, -one.end, one.label)):
        if not kept or entity.start >= kept[-1].end:
            kept.append(entity)
    return kept


def _of_line(row: Any, *, behind: int) -> tuple[str, list[tuple[Entity, str]]]:
    """Read one object: its text, and entities with the name each is said to be."""
    text = row["text"]
    if not isinstance(text, str):
        raise TypeError(type(text).__name__)
    return text, [
        (Entity(int(start), int(end) + behind, label), name)
        for label, names in (row.get("label") or {}).items()
        for name, places in names.items()
        for start, end in places
    ]


def _lines(path: str | Path) -> list[str]:
    """Read the lines of a file."""
    file = Path(path)
    if not file.is_file():
        raise DataError(f"there is no file {file}")
    try:
        # Not splitlines, which also cuts at characters that may stand within a text.
        return [line.removesuffix("\r") for line in file.read_text(encoding="utf-8-sig").split("\n")]
    except UnicodeDecodeError:
        raise DataError(f"{file.name} is not UTF-8") from None


def _put_together(tokens: list[str], joiner: str | None) -> tuple[str, list[tuple[int, int]]]:
    """Join tokens to a text, and say where each stands in it."""
    parts: list[str] = []
    places = []
    size = 0
    previous = ""
    for token in tokens:
        gap = joiner if joiner is not None else " " if _wordlike(previous[-1:]) and _wordlike(token[:1]) else ""
        if previous and gap:
            parts.append(gap)
            size += len(gap)
        parts.append(token)
        places.append((size, size + len(token)))
        size += len(token)
        previous = token
    return "".join(parts), places


def _wordlike(letter: str) -> bool:
    """Say whether a character is a letter of a spaced script or a digit."""
    return bool(letter) and letter.isalnum() and scripts(letter)[0].script in _SPACED


def _named(numbers: list[int], unit: str) -> str:
    """Name lines by their positions."""
    mask = np.zeros(max(numbers) + 1, dtype=bool)
    mask[numbers] = True
    return positions(mask).replace("row", unit, 1)
