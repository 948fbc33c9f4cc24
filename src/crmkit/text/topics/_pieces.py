"""Reads texts as columns of words, and joins those that stand almost only together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.language import WORD, tokenize
from crmkit.text.features._grams import character_sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.language import Segmenter

__all__ = ["Pieces", "find_joins", "join", "read_pieces"]

_TIMES, _SHARE, _MOST = 5, 0.7, 3
"""How often two pieces must meet, the share of the rarer one that must, and the most pieces in one term."""


class Pieces(NamedTuple):
    """The words of many texts in order.

    Attributes
    ----------
    names : list of str
        The distinct pieces.
    n_spaced : int
        How many of them, the first ones, are words of spaced scripts.
    symbol : ndarray of int64, shape (n_pieces,)
        Which piece stands at each place.
    text : ndarray of int64, shape (n_pieces,)
        In which text.
    linked : ndarray of bool, shape (n_pieces,)
        Whether the next one stands beside it.
    """

    names: list[str]
    n_spaced: int
    symbol: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]
    linked: npt.NDArray[np.bool_]


def read_pieces(texts: Sequence[str], segmenter: Segmenter) -> Pieces:
    """Cut texts into words; signs are left out.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    segmenter : callable
        Cuts stretches of unspaced scripts.

    Returns
    -------
    Pieces
        In the order of the texts.
    """
    table = tokenize(texts)
    rows = np.flatnonzero(table.kind == WORD)
    cut: dict[str, int] = {}
    unspaced = character_sequence(table, segmenter, cut, grow=True)
    place = np.concatenate([rows, unspaced.first])
    order = np.argsort(place, kind="stable")
    # Without any unspaced character the sequence holds code points, of which there are none.
    symbol = np.concatenate([table.code[rows], unspaced.symbols + len(table.words)])[order]
    linked = np.concatenate([table.linked[rows], unspaced.linked])[order]
    return Pieces([*table.words, *cut], len(table.words), symbol, table.text[place[order]], linked)


def find_joins(pieces: Pieces, allowed: npt.NDArray[np.bool_]) -> list[list[str]]:
    """Find pairs that stand almost only together, such as ``apple pay`` or the halves of a word cut in two.

    Parameters
    ----------
    pieces : Pieces
        Of texts that are all different.
    allowed : ndarray of bool, shape (n_names,)
        Which pieces may be joined.

    Returns
    -------
    list of [str, str]
        The pairs, in order.
    """
    first = np.flatnonzero(pieces.linked)
    first = first[allowed[pieces.symbol[first]] & allowed[pieces.symbol[first + 1]]]
    width = len(pieces.names)
    pairs, times = np.unique(pieces.symbol[first] * width + pieces.symbol[first + 1], return_counts=True)
    left, right = np.divmod(pairs, max(width, 1))
    counts = np.bincount(pieces.symbol, minlength=width)
    kept = (times >= _TIMES) & (times >= _SHARE * np.minimum(counts[left], counts[right])) & (left != right)
    return sorted(
        [pieces.names[a], pieces.names[b]] for a, b in zip(left[kept].tolist(), right[kept].tolist(), strict=True)
    )


def join(
    pieces: Pieces, joins: Sequence[Sequence[str]], meant: Callable[[str, bool], bool]
) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Join pairs, and give the terms that mean something.

    Parameters
    ----------
    pieces : Pieces
        The words of texts.
    joins : sequence of [str, str]
        From `find_joins`; at most three pieces make one term.
    meant : callable
        Whether a term, given with whether its script has spaces, counts.

    Returns
    -------
    names : list of str
        The distinct terms.
    term, text : ndarray of int64, shape (n_found,)
        Which term stands in which text, as often as it does.
    """
    link = _links(pieces, joins)
    begins = np.flatnonzero(~np.append(False, link[:-1])) if len(link) else np.empty(0, dtype=np.int64)
    parts = np.full((len(begins), _MOST), -1, dtype=np.int64)
    parts[:, 0] = pieces.symbol[begins]
    inside = np.ones(len(begins), dtype=bool)
    for n in range(1, _MOST):
        inside[inside] = link[begins[inside] + n - 1]
        parts[inside, n] = pieces.symbol[begins[inside] + n]
    single = parts[:, 1] < 0
    term = parts[:, 0].copy()
    several, which = np.unique(parts[~single], axis=0, return_inverse=True)
    term[~single] = len(pieces.names) + which.ravel()
    spaced = [
        *(place < pieces.n_spaced for place in range(len(pieces.names))),
        *(several[:, 0] < pieces.n_spaced).tolist(),
    ]
    names = pieces.names + [
        (" " if row[0] < pieces.n_spaced else "").join(pieces.names[part] for part in row if part >= 0)
        for row in several.tolist()
    ]
    counts = np.fromiter(map(meant, names, spaced), dtype=bool, count=len(names))
    kept = counts[term]
    number = np.cumsum(counts) - 1
    text = pieces.text[begins]
    return [name for name, good in zip(names, counts.tolist(), strict=True) if good], number[term[kept]], text[kept]


def _links(pieces: Pieces, joins: Sequence[Sequence[str]]) -> npt.NDArray[np.bool_]:
    """Say at which places a piece is joined to the next."""
    known = {name: place for place, name in enumerate(pieces.names)}
    width = len(pieces.names)
    wanted = [known[a] * width + known[b] for a, b in joins if a in known and b in known]
    link = np.zeros(len(pieces.symbol), dtype=bool)
    first = np.flatnonzero(pieces.linked)
    link[first] = np.isin(pieces.symbol[first] * width + pieces.symbol[first + 1], wanted)
    # A chain longer than a term may be is cut: the place in its chain says where.
    before = np.append(0, np.cumsum(link)[:-1]) if len(link) else np.zeros(0, dtype=np.int64)
    opens = link & ~np.append(False, link[:-1])
    start = np.maximum.accumulate(np.where(opens, before, 0)) if len(link) else before
    return np.asarray(link & ((before - start) % _MOST != _MOST - 1), dtype=bool)
