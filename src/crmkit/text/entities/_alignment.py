"""Matches entities, which have places in a text, with tokens, which have tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.text.entities._spans import SpanTable
    from crmkit.text.entities._tokens import EntityTokens

__all__ = ["entities_of", "listed_places", "tags_of", "tokens_of"]


def tokens_of(
    tokens: EntityTokens, text: npt.NDArray[np.int64], start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give the first and last token of each stretch, and whether they begin and end where it does."""
    longest = int(max(tokens.end.max(initial=0), end.max(initial=0))) + 1
    # One number a place, so that all texts are searched at once.
    first = np.searchsorted(tokens.text * longest + tokens.end, text * longest + start, side="right")
    last = np.searchsorted(tokens.text * longest + tokens.start, text * longest + end, side="left") - 1
    there = first <= last
    a, b = np.where(there, first, 0), np.where(there, last, 0)
    exact = there.copy()
    exact[there] = (tokens.start[a[there]] == start[there]) & (tokens.end[b[there]] == end[there])
    return a, np.where(there, last, -1), exact


def listed_places(finds: SpanTable, tokens: EntityTokens) -> list[npt.NDArray[np.int64]]:
    """Say for each label of a gazetteer where in a name a token stands: 0 whole, 1 begin, 2 within, 3 end, -1 none."""
    first, last, exact = tokens_of(tokens, finds.text, finds.start, finds.end)
    columns = []
    for place in range(len(finds.labels)):
        rows = exact & (finds.label == place)
        a, b = first[rows], last[rows]
        column = np.full(len(tokens.text), -1, dtype=np.int64)
        column[_covered(a, b)] = 2
        column[a], column[b] = 1, 3
        column[a[a == b]] = 0
        columns.append(column)
    return columns


def _covered(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give all tokens of stretches."""
    lengths = last - first + 1
    return np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))


def tags_of(tokens: EntityTokens, spans: SpanTable) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Give the tag of each token, and whether an entity goes on at it."""
    k = len(spans.labels)
    first, last, _ = tokens_of(tokens, spans.text, spans.start, spans.end)
    there = first <= last
    first, last, label = first[there], last[there], spans.label[there]
    lengths = last - first + 1
    tags = np.zeros(len(tokens.text), dtype=np.int64)
    tags[_covered(first, last)] = np.repeat(1 + 2 * k + label, lengths)
    tags[first] = 1 + k + label
    tags[last] = 1 + 3 * k + label
    single = lengths == 1
    tags[first[single]] = 1 + label[single]
    return tags, tags > 2 * k


def entities_of(
    tags: npt.NDArray[np.int64], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give first token, last token and label of the entities that valid tags spell."""
    single = (tags >= 1) & (tags <= k)
    first = np.flatnonzero(single | ((tags > k) & (tags <= 2 * k)))
    last = np.flatnonzero(single | (tags > 3 * k))
    return first, last, (tags[first] - 1) % max(k, 1)
