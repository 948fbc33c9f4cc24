"""Multiplies what phrases weigh by the negations and emphasis before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.language import MARKER, WORD

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.language import TokenTable
    from crmkit.text.phrases._finder import FoundPhrases

    Ints = npt.NDArray[np.int64]

__all__ = ["Weighed", "apply_modifiers"]

_REACH_OF_WORDS, _REACH_OF_CHARACTERS = 3, 5
"""How many tokens may stand between a modifier and the phrase it changes."""
_BETWEEN_MODIFIERS = 1
"""How many may stand between two modifiers of one phrase: "not broken and never damaged" denies twice, not doubly."""


class Weighed(NamedTuple):
    """Phrases where they stand, with their weights after negation and emphasis.

    Attributes
    ----------
    text : ndarray of int64, shape (n,)
        Position of the text.
    first, last : ndarray of int64, shape (n,)
        Rows of the token table, from the first modifier to the end of the phrase.
    weight : ndarray of float64, shape (n,)
        The phrase's own, times those of its modifiers.
    found : ndarray of int64, shape (n,)
        Which of the found phrases it is.
    """

    text: Ints
    first: Ints
    last: Ints
    weight: npt.NDArray[np.float64]
    found: Ints


def apply_modifiers(
    found: FoundPhrases, value: npt.NDArray[np.float64], polar: npt.NDArray[np.bool_], table: TokenTable
) -> Weighed:
    """Multiply each weighted phrase by the modifiers before it, over at most three words or five characters.

    A sign, or another weighted phrase in between, ends a modifier's reach. One found phrase is looked at after the
    other, since what reaches how far depends on what stands between.

    Parameters
    ----------
    found : FoundPhrases
        Weighted phrases and modifiers.
    value : ndarray of float64, shape (n_found,)
        Weights of the ones, factors of the others; a factor of 1 changes nothing and hides its words.
    polar : ndarray of bool, shape (n_found,)
        Which of them are weighted phrases.
    table : TokenTable
        Where they were found.

    Returns
    -------
    Weighed
        The weighted phrases.
    """
    text = table.text[found.first].tolist()
    first, last = found.first.tolist(), found.last.tolist()
    signs = np.concatenate([[0], np.cumsum(table.kind == MARKER)]).tolist()
    reach = np.where(table.kind[found.first] == WORD, _REACH_OF_WORDS, _REACH_OF_CHARACTERS).tolist()
    weights, turns = value.tolist(), (~polar).tolist()
    rows: list[tuple[int, int, int, float, int]] = []
    for place, begin in enumerate(first):
        if turns[place]:
            continue
        weight, start, near = weights[place], begin, begin
        for before in range(place - 1, -1, -1):
            limit = reach[place] if near == begin else _BETWEEN_MODIFIERS
            apart = text[before] != text[place] or near - last[before] - 1 > limit
            if apart or not turns[before] or signs[begin] != signs[last[before]]:
                break
            if weights[before] != 1:
                weight, start = weight * weights[before], first[before]
            near = first[before]
        rows.append((text[place], start, last[place], weight, place))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Weighed(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.float64),
        np.array(columns[4], dtype=np.int64),
    )
