"""Finds pairs of texts that share most of their characters in a row, without comparing every text with every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import code_points, learn_ngrams

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

__all__ = ["Shingles", "near_pairs"]

_LENGTH = 3
_BANDS, _DEPTH = 40, 5
_CROWD = 50
_PRIME = (1 << 31) - 1


class Shingles:
    """The runs of three characters of each text, as a set.

    Parameters
    ----------
    keys : list of str
        Texts in one form; see `word_keys`.

    Attributes
    ----------
    table : scipy.sparse.csr_matrix, shape (n_texts, n_shingles)
        1 where the text has the shingle.
    """

    def __init__(self, keys: list[str]) -> None:
        from scipy import sparse

        # Borders count as characters, so that a text of one character has a shingle too.
        letters = code_points("".join(f"\x02{key}\x03" for key in keys)).astype(np.int64)
        lengths = np.fromiter((len(key) + 2 for key in keys), np.int64, len(keys))
        linked = np.ones(len(letters), dtype=bool)
        linked[np.cumsum(lengths) - 1] = False
        levels, found = learn_ngrams(letters, linked, _LENGTH)
        places, ids = found[-1]
        rows = np.repeat(np.arange(len(keys)), lengths)[places]
        self.table: sparse.csr_matrix = sparse.csr_matrix(
            (np.ones(len(ids), dtype=np.int32), (rows, ids)), shape=(len(keys), len(levels[-1]))
        )
        self.table.sum_duplicates()
        self.table.data[:] = 1

    def similarity(self, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Give the share of shingles that two texts have in common (Jaccard's), pair by pair.

        Parameters
        ----------
        left, right : ndarray of int64, shape (n_pairs,)
            Positions of the texts.

        Returns
        -------
        ndarray of float64, shape (n_pairs,)
            0 to 1; 0 where neither text has a shingle.
        """
        sizes = np.diff(self.table.indptr)
        common = np.empty(len(left), dtype=np.int64)
        for first in range(0, len(left), 100_000):
            part = slice(first, first + 100_000)
            both = self.table[left[part]].multiply(self.table[right[part]])
            common[part] = np.asarray(both.sum(axis=1)).ravel()
        return common / np.maximum(sizes[left] + sizes[right] - common, 1)


def near_pairs(
    shingles: Shingles, least: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Find the pairs of texts at least so similar.

    Each text gets 200 minima of random orders of its shingles; texts that agree on all five of one of 40 bands are
    candidates, and those of fitting sizes are compared exactly. A pair with .8 of its shingles in common is missed
    once in eight million, one with .7 once in a thousand, one with .6 once in 25.

    Parameters
    ----------
    shingles : Shingles
        Of texts that are all different.
    least : float
        The similarity asked for, over 0 and up to 1.

    Returns
    -------
    left, right : ndarray of int64
        Positions, ``left < right``, each pair once. Where more than fifty texts fall together, each is compared with
        the first fifty only: who has a near twin is still found, not all twins of a crowd.
    similarity : ndarray of float64
        Exact.
    """
    table = shingles.table
    filled = np.flatnonzero(np.diff(table.indptr))
    none = np.empty(0, dtype=np.int64)
    if len(filled) < 2:
        return none, none, np.empty(0)
    rng = np.random.default_rng(0)
    columns = table.indices.astype(np.int64)
    starts = table.indptr[filled].astype(np.int64)
    sizes = np.diff(table.indptr)[filled]
    n_texts = len(filled)
    candidates: list[npt.NDArray[np.int64]] = []
    for _ in range(_BANDS):
        minima = np.empty((n_texts, _DEPTH), dtype=np.int64)
        for depth in range(_DEPTH):
            order = rng.permutation(table.shape[1])
            minima[:, depth] = np.minimum.reduceat(order[columns], starts)
        mixed = minima[:, 0]
        for depth in range(1, _DEPTH):
            mixed = (mixed * 1_000_003 + minima[:, depth]) % _PRIME
        met = _meetings(mixed, n_texts)
        one, other = sizes[met // n_texts], sizes[met % n_texts]
        # No more can be in common than the smaller has, of as many as the larger has.
        candidates.append(met[np.minimum(one, other) >= least * np.maximum(one, other)])
        # A band's pairs are mostly those of the bands before it.
        if len(candidates) == 4:
            candidates = [_distinct(np.concatenate(candidates))]
    codes = _distinct(np.concatenate(candidates))
    left, right = filled[codes // n_texts], filled[codes % n_texts]
    similarity = shingles.similarity(left, right)
    kept = similarity >= least
    return left[kept], right[kept], similarity[kept]


def _distinct(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sort numbers and drop repeats; faster than numpy's own, which hashes."""
    codes = np.sort(codes)
    return codes[np.append(True, codes[1:] != codes[:-1])] if len(codes) else codes


def _meetings(bucket: npt.NDArray[np.int64], n_texts: int) -> npt.NDArray[np.int64]:
    """Give the pairs of texts in one bucket, each pair as one number."""
    order = np.argsort(bucket, kind="stable")
    values = bucket[order]
    opens = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    place = np.arange(n_texts) - np.repeat(opens, np.diff(np.append(opens, n_texts)))
    found = []
    for back in range(1, _CROWD + 1):
        rows = np.flatnonzero(place >= back)
        if not len(rows):
            break
        # Up to place 50 a member meets all before it, later ones the first fifty.
        other = np.where(place[rows] > _CROWD, rows - place[rows] + back - 1, rows - back)
        a, b = order[rows], order[other]
        found.append(np.minimum(a, b) * n_texts + np.maximum(a, b))
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
