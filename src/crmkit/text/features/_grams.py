"""Where each term of a text begins and which column it has, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import CHARACTER, MARKER, WORD, TokenTable, code_points, find_ngrams, learn_ngrams, segment_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.language import Segmenter, Stemmer

__all__ = [
    "Found",
    "Sequences",
    "character_sequence",
    "find",
    "learn",
    "sign_sequence",
    "word_letters",
    "word_sequence",
]

Keys = list["npt.NDArray[np.int64]"]


@dataclass
class Sequences:
    """Symbols in order, and the token each stands at.

    Attributes
    ----------
    symbols : ndarray of int64
        Numbers of the symbols, -1 for one that was never learned.
    linked : ndarray of bool
        Whether a symbol and the next belong together.
    first, last : ndarray of int64
        First and last row of the token table (or place of the letter) that the symbol covers.
    """

    symbols: npt.NDArray[np.int64]
    linked: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]


@dataclass
class Found:
    """N-grams of one length that were found, in the order of the sequence.

    Attributes
    ----------
    ids : ndarray of int64
        The number of each among the n-grams of its length.
    first : ndarray of int64
        The place of its first symbol in the sequence.
    length : int
        How many symbols each has.
    begin, width : int
        The column of its part where this length begins, and how many columns it has.
    """

    ids: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    length: int
    begin: int
    width: int


def _number(names: Sequence[str], known: dict[str, int], *, grow: bool) -> npt.NDArray[np.int64]:
    """Number names by a vocabulary, adding to it where it may grow."""
    if grow:
        known.update({name: place for place, name in enumerate(sorted(set(names)))})
    return np.fromiter((known.get(name, -1) for name in names), dtype=np.int64, count=len(names))


def word_sequence(
    table: TokenTable, vocabulary: dict[str, int], *, grow: bool, stemmer: Stemmer | None = None
) -> Sequences:
    """Give the words of all texts as symbols.

    Parameters
    ----------
    table : TokenTable
        The tokens.
    vocabulary : dict
        From word (or stem) to number; filled when it may grow.
    grow : bool
        Whether this is the fit.
    stemmer : callable or None, default=None
        Brings each distinct word to its stem.

    Returns
    -------
    Sequences
        One symbol a word.
    """
    rows = np.flatnonzero(table.kind == WORD)
    names = table.words if stemmer is None else [stemmer(word) for word in table.words]
    numbers = _number(names, vocabulary, grow=grow)
    return Sequences(numbers[table.code[rows]], table.linked[rows], rows, rows)


def sign_sequence(table: TokenTable) -> Sequences:
    """Give the signs of all texts as symbols: their code points."""
    rows = np.flatnonzero(table.kind == MARKER)
    return Sequences(table.code[rows], np.zeros(len(rows), dtype=bool), rows, rows)


def character_sequence(
    table: TokenTable, segmenter: Segmenter | None, pieces: dict[str, int], *, grow: bool
) -> Sequences:
    """Give the characters of unspaced scripts as symbols, or the pieces a segmenter makes of them.

    Parameters
    ----------
    table : TokenTable
        The tokens.
    segmenter : callable or None
        None takes characters, whose symbols are their code points.
    pieces : dict
        From piece to number; filled when it may grow; unused without a segmenter.
    grow : bool
        Whether this is the fit.

    Returns
    -------
    Sequences
        One symbol a character or piece.
    """
    rows = np.flatnonzero(table.kind == CHARACTER)
    linked = table.linked[rows]
    if segmenter is None or not len(rows):
        return Sequences(table.code[rows], linked, rows, rows)
    letters = "".join(map(chr, table.code[rows].tolist()))
    stops = np.flatnonzero(~linked) + 1
    starts = np.concatenate([[0], stops[:-1]])
    # A segmenter takes one text at a time: equal stretches are cut once.
    cuts: dict[str, list[str]] = {}
    names: list[str] = []
    ends: list[int] = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        run = letters[start:stop]
        if run not in cuts:
            cuts[run] = segment_run(segmenter, run)
        names += cuts[run]
        ends.append(len(names) - 1)
    lengths = np.fromiter((len(name) for name in names), dtype=np.int64, count=len(names))
    last = np.cumsum(lengths) - 1
    together = np.ones(len(names), dtype=bool)
    together[ends] = False
    return Sequences(_number(names, pieces, grow=grow), together, rows[last - lengths + 1], rows[last])


def word_letters(words: Sequence[str]) -> tuple[Sequences, npt.NDArray[np.int64]]:
    """Give the letters of distinct words, each between two borders, and which word each belongs to."""
    letters = code_points("".join(f" {word} " for word in words)).astype(np.int64)
    lengths = np.fromiter((len(word) + 2 for word in words), dtype=np.int64, count=len(words))
    owner = np.repeat(np.arange(len(words)), lengths)
    linked = np.ones(len(letters), dtype=bool)
    linked[np.cumsum(lengths) - 1] = False
    places = np.arange(len(letters))
    return Sequences(letters, linked, places, places), owner


def _by_length(
    keys: Keys, levels: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]], order: tuple[int, int]
) -> list[Found]:
    """Give the n-grams of the lengths that count their columns within one part."""
    found, begin = [], 0
    for length, (places, ids) in enumerate(levels, start=1):
        if length >= order[0]:
            width = len(keys[length - 1])
            found.append(Found(ids, places, length, begin, width))
            begin += width
    return found


def learn(sequences: Sequences, order: tuple[int, int]) -> tuple[Keys, list[Found]]:
    """Number the n-grams of a part.

    Parameters
    ----------
    sequences : Sequences
        The symbols.
    order : tuple of int
        Shortest and longest n-gram.

    Returns
    -------
    keys : list of ndarray
        What `find` needs.
    found : list of Found
        Where each is, length by length.
    """
    keys, levels = learn_ngrams(sequences.symbols, sequences.linked, order[1])
    return keys, _by_length(keys, levels, order)


def find(keys: Keys, sequences: Sequences, order: tuple[int, int]) -> list[Found]:
    """Find a part's learned n-grams in other sequences; see `learn`."""
    return _by_length(keys, find_ngrams(keys, sequences.symbols, sequences.linked), order)
