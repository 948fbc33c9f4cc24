"""Cuts turns into the sentences that a summary may choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crmkit.language import blank_markup, sentences
from crmkit.text.summaries._readable import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.text.summaries._turns import Turn

__all__ = ["Piece", "cut"]


class Piece(NamedTuple):
    """A sentence where it stands.

    Attributes
    ----------
    turn : int
        Position of its turn in the list.
    start, end : int
        Half-open offsets into what was handed in: the one text, or the turn's own.
    text : str
        The stretch as it stands there.
    plain : str
        The same as people read it: without markup, on one line.
    """

    turn: int
    start: int
    end: int
    text: str
    plain: str


def cut(turns: Sequence[Turn]) -> list[Piece]:
    """Give the sentences of all turns in order; what is nothing but markup is left out.

    Parameters
    ----------
    turns : sequence of Turn
        What was said.

    Returns
    -------
    list of Piece
        The sentences.
    """
    pieces = []
    for place, turn in enumerate(turns):
        for span in sentences(blank_markup(turn.text)):
            text = turn.text[span.start : span.end]
            pieces.append(Piece(place, turn.start + span.start, turn.start + span.end, text, readable(text)))
    return [piece for piece in pieces if piece.plain]
