"""Takes in the entities of texts, however they are written, and refuses what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError
from crmkit.privacy import Entity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["SpanTable", "read_spans"]


@dataclass(frozen=True, repr=False)
class SpanTable:
    """Entities of many texts as columns, sorted by text and place.

    Attributes
    ----------
    n_texts : int
        How many texts.
    text, start, end : ndarray of int64
        Position of the text, and half-open offsets into it.
    label : ndarray of int64
        Places in ``labels``.
    labels : list of str
        The distinct labels, sorted.
    """

    n_texts: int
    text: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    labels: list[str]

    def __repr__(self) -> str:
        return f"SpanTable({len(self.text)} entities of {self.n_texts} texts)"

    def entities(self) -> list[list[Entity]]:
        """Give one list a text."""
        found: list[list[Entity]] = [[] for _ in range(self.n_texts)]
        for text, start, end, label in zip(
            self.text.tolist(), self.start.tolist(), self.end.tolist(), self.label.tolist(), strict=True
        ):
            found[text].append(Entity(start, end, self.labels[label]))
        return found


def read_spans(spans: Any, texts: Sequence[str], *, what: str = "spans", overlaps: bool = False) -> SpanTable:
    """Bring the entities of texts to columns.

    Parameters
    ----------
    spans : list of lists, or table
        For each text its entities, each ``(start, end, label)`` with half-open offsets; or a table with the columns
        ``text_id`` (position of the text), ``start``, ``end`` and ``label`` (or ``kind``, as ``privacy.find`` has it).
    texts : sequence of str
        The texts.
    what : str, default="spans"
        Their name in messages.
    overlaps : bool, default=False
        Whether two entities of one text may share a character.

    Returns
    -------
    SpanTable
        Without repetitions.

    Raises
    ------
    DataError
        If an entity is empty, lies outside its text, overlaps another, or has no label; positions are those of the
        texts.
    TypeError
        If they are not of one of the forms.
    """
    rows = _rows_of_table(spans, what) if hasattr(spans, "columns") else _rows_of_lists(spans, len(texts), what)
    text = np.array([row[0] for row in rows], dtype=np.int64)
    start = np.array([row[1] for row in rows], dtype=np.int64)
    end = np.array([row[2] for row in rows], dtype=np.int64)
    outside = (text < 0) | (text >= len(texts))
    if outside.any():
        raise DataError(
            f"{what}: text_id must be the position of a text, 0 to {len(texts) - 1}, in {positions(outside)}"
        )
    lengths = np.array([len(one) for one in texts], dtype=np.int64)
    wrong = ~((start >= 0) & (start < end) & (end <= lengths[text])) if len(text) else np.empty(0, dtype=bool)
    if wrong.any():
        raise DataError(
            f"{what} must have 0 <= start < end <= length of the text (half-open); not so for {_texts(text[wrong])}"
        )
    labels = sorted({row[3] for row in rows})
    numbers = {label: place for place, label in enumerate(labels)}
    label = np.array([numbers[row[3]] for row in rows], dtype=np.int64)
    table = np.unique(np.stack([text, start, -end, label], axis=1), axis=0) if len(text) else np.empty((0, 4), np.int64)
    result = SpanTable(len(texts), table[:, 0], table[:, 1], -table[:, 2], table[:, 3], labels)
    if not overlaps:
        clash = (result.text[1:] == result.text[:-1]) & (result.start[1:] < result.end[:-1])
        if clash.any():
            raise DataError(
                f"{what} must not overlap: one character has one tag at most; {_texts(result.text[1:][clash])}"
            )
    return result


def _texts(rows: npt.NDArray[np.int64]) -> str:
    """Name some texts by their positions."""
    mask = np.zeros(int(rows.max()) + 1, dtype=bool)
    mask[rows] = True
    return positions(mask).replace("row", "text", 1)


def _rows_of_table(spans: Any, what: str) -> list[tuple[int, int, int, str]]:
    """Read a table."""
    frame = spans if isinstance(spans, pd.DataFrame) else pd.DataFrame(spans)
    name = "kind" if "kind" in frame.columns and "label" not in frame.columns else "label"
    require_columns(frame, ["text_id", "start", "end", name], what=what)
    missing = frame[["text_id", "start", "end", name]].isna().any(axis=1)
    if missing.any():
        raise DataError(f"{what} must be complete; something is missing in {positions(missing)}")
    try:
        columns = [[_whole(value) for value in frame[column].tolist()] for column in ("text_id", "start", "end")]
    except (TypeError, ValueError):
        raise TypeError(f"{what}: text_id, start and end must be whole numbers") from None
    return list(zip(*columns, _checked_labels(frame[name].tolist(), what), strict=True))


def _rows_of_lists(spans: Any, n_texts: int, what: str) -> list[tuple[int, int, int, str]]:
    """Read one list a text."""
    if spans is None or isinstance(spans, str | bytes | dict) or not hasattr(spans, "__len__"):
        raise TypeError(
            f"{what} must be one list of (start, end, label) a text, or a table, got {type(spans).__name__}"
        )
    if len(spans) != n_texts:
        raise DataError(f"{what} must have one list for each text: {len(spans)} lists for {n_texts} texts")
    rows = []
    for position, entities in enumerate(spans):
        for entity in entities:
            try:
                start, end, label = entity[:3]
                rows.append((position, _whole(start), _whole(end), label))
            except (TypeError, ValueError):
                raise TypeError(f"{what}: an entity of text {position} is not (start, end, label)") from None
    labels = _checked_labels([row[3] for row in rows], what)
    return [(*row[:3], label) for row, label in zip(rows, labels, strict=True)]


def _whole(offset: Any) -> int:
    """Give an offset as an int, refusing what would be cut off."""
    number = int(offset)
    if number != offset:
        raise ValueError
    return number


def _checked_labels(labels: list[Any], what: str) -> list[str]:
    """Refuse labels that are no names."""
    if not all(isinstance(label, str) and label for label in labels):
        raise DataError(f"{what}: every label must be a text that is not empty")
    return [str(label) for label in labels]
