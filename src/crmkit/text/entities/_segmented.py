"""Says of each token which word of a segmenter it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import segment_run
from crmkit.text.entities._features import Words
from crmkit.text.entities._tokens import CHARACTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.language import Segmenter
    from crmkit.text.entities._tokens import EntityTokens

__all__ = ["find_words"]


def find_words(texts: Sequence[str], tokens: EntityTokens, segmenter: Segmenter) -> Words:
    """Cut the stretches of unspaced script into words; every other token is a word of its own.

    Parameters
    ----------
    texts : sequence of str
        The texts as they were given.
    tokens : EntityTokens
        Their tokens.
    segmenter : callable
        From `crmkit.language.find_segmenter`; it takes one stretch at a time, equal stretches once.

    Returns
    -------
    Words
        One row a token.

    Raises
    ------
    DataError
        If the segmenter loses or changes characters.
    """
    n = len(tokens.text)
    character = tokens.kind == CHARACTER
    opens = np.ones(n, dtype=bool)
    opens[1:] = ~(character[1:] & character[:-1]) | tokens.spaced[1:] | (tokens.text[1:] != tokens.text[:-1])
    first = np.flatnonzero(opens & character)
    # A stretch ends where the next token opens another.
    nexts = np.append(np.flatnonzero(opens), n)
    last = nexts[np.searchsorted(nexts, first, side="right")] - 1
    cuts: dict[str, list[int]] = {}
    for row, stop, text in zip(first.tolist(), last.tolist(), tokens.text[first].tolist(), strict=True):
        run = texts[int(text)][int(tokens.start[row]) : int(tokens.end[stop])]
        if run not in cuts:
            lengths = [len(piece) for piece in segment_run(segmenter, run)]
            cuts[run] = np.cumsum(lengths)[:-1].tolist()
        opens[[row + cut for cut in cuts[run]]] = True
    begin = np.flatnonzero(opens)
    stop = np.append(begin[1:], n)
    unit = np.cumsum(opens) - 1
    known: dict[str, int] = {}
    places = tokens.text[begin], tokens.start[begin], tokens.end[stop - 1]
    number = np.array(
        [
            known.setdefault(texts[int(text)][start:end].lower(), len(known))
            for text, start, end in zip(*(column.tolist() for column in places), strict=True)
        ],
        dtype=np.int64,
    )
    owner = tokens.text[begin]
    before, after = np.full(len(begin), -1, dtype=np.int64), np.full(len(begin), -1, dtype=np.int64)
    same = owner[1:] == owner[:-1]
    before[1:][same] = number[:-1][same]
    after[:-1][same] = number[1:][same]
    rows = np.arange(n)
    opening, closing = rows == begin[unit], rows == stop[unit] - 1
    place = np.select([opening & closing, opening, closing], [0, 1, 3], default=2)
    return Words(number[unit], before[unit], after[unit], place, list(known))
