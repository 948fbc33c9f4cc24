"""Cuts texts into the terms that have vectors: words, and for Han words of a segmenter or pairs that stick together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import CHARACTER, tokenize
from crmkit.text.features._grams import character_sequence, word_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.language import Segmenter, TokenTable

__all__ = ["TermTable", "cut", "learn_joins", "pair_codes"]

_COHESION = 0.3


@dataclass(frozen=True, repr=False)
class TermTable:
    """All terms of many texts, in order, one row a term.

    Attributes
    ----------
    names : list of str
        The distinct terms.
    code : ndarray of int64, shape (n_terms,)
        Place in ``names``.
    text : ndarray of int64, shape (n_terms,)
        Position of the text.
    """

    names: list[str]
    code: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]


def _pairs(table: TokenTable) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the rows where two characters of an unspaced script stand together, and the pair as one number."""
    rows = np.flatnonzero((table.kind[:-1] == CHARACTER) & table.linked[:-1]) if len(table.kind) else table.code
    return rows, (table.code[rows] << 21) | table.code[rows + 1]


def pair_codes(words: Sequence[str]) -> npt.NDArray[np.int64]:
    """Write words of two characters as the numbers that `cut` takes.

    Parameters
    ----------
    words : sequence of str
        Words; those of another length are left out.

    Returns
    -------
    ndarray of int64
        Sorted and distinct.
    """
    two = [word for word in words if len(word) == 2]
    return np.unique(np.fromiter((ord(word[0]) << 21 | ord(word[1]) for word in two), np.int64, len(two)))


def learn_joins(texts: Sequence[str], min_count: int) -> npt.NDArray[np.int64]:
    """Find the pairs of characters that stand together more often than chance has it.

    Parameters
    ----------
    texts : sequence of str
        Training texts.
    min_count : int
        Least number of times.

    Returns
    -------
    ndarray of int64
        The pairs, sorted, for `cut`.
    """
    table = tokenize(texts)
    _, pairs = _pairs(table)
    if not len(pairs):
        return np.empty(0, dtype=np.int64)
    found, times = np.unique(pairs, return_counts=True)
    letters, counts = np.unique(table.code[table.kind == CHARACTER], return_counts=True)
    total = counts.sum()

    def log_share(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        shares: npt.NDArray[np.float64] = np.log(counts[np.searchsorted(letters, codes)] / total)
        return shares

    joint = np.log(times / total)
    # Normalised pointwise mutual information: 0 for chance, 1 for characters never seen apart.
    cohesion = (joint - log_share(found >> 21) - log_share(found & 0x1FFFFF)) / np.maximum(-joint, 1e-12)
    kept: npt.NDArray[np.int64] = found[(cohesion >= _COHESION) & (times >= min_count)]
    return kept


def cut(texts: Sequence[str], segmenter: Segmenter | None, joins: npt.NDArray[np.int64]) -> TermTable:
    """Cut texts into terms.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    segmenter : callable or None
        Cuts unspaced scripts into words; None joins pairs of characters.
    joins : ndarray of int64
        Pairs to join where there is no segmenter; where they overlap the first wins.

    Returns
    -------
    TermTable
        Words of spaced scripts in lower case, and what unspaced ones are cut into; signs are left out.
    """
    table = tokenize(texts)
    known: dict[str, int] = {}
    words = word_sequence(table, known, grow=True)
    names = list(known)
    pieces: dict[str, int] = {}
    characters = character_sequence(table, segmenter, pieces, grow=True)
    if segmenter is None:
        codes, rows = _joined(table, joins)
        distinct, places = np.unique(codes, return_inverse=True)
        spelled = [chr(code >> 21) + chr(code & 0x1FFFFF) if code >> 21 else chr(code) for code in distinct.tolist()]
    else:
        spelled, places, rows = list(pieces), characters.symbols, characters.first
    every = np.concatenate([words.first, rows])
    order = np.argsort(every, kind="stable")
    code = np.concatenate([words.symbols, places.astype(np.int64) + len(names)])[order]
    return TermTable(names + spelled, code, table.text[every[order]])


def _joined(table: TokenTable, joins: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give characters, the joined ones as pairs, and the row where each begins."""
    rows, pairs = _pairs(table)
    joined = np.zeros(len(table.code) + 1, dtype=bool)
    joined[rows[np.isin(pairs, joins)]] = True
    # In a stretch of pairs that overlap, every other one is taken, from its first.
    opens = joined & ~np.append(False, joined[:-1])
    start = np.maximum.accumulate(np.where(opens, np.arange(len(joined)), 0))
    taken = joined & ((np.arange(len(joined)) - start) % 2 == 0)
    begins = np.flatnonzero((table.kind == CHARACTER) & ~np.append(False, taken[:-2]))
    codes = table.code[begins].copy()
    pair = taken[begins]
    codes[pair] = (codes[pair] << 21) | table.code[begins[pair] + 1]
    return codes, begins
