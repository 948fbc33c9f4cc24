"""The nearest who have rated the same: weighted sums over the k most similar, for many pairs at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit.recommendation.ratings._similarity import CommonSums, Similarity, Sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["Neighborhoods", "Weighted"]

_BLOCK_CELLS = 2**20
"""Similarities worked out at once: 16 MB for each of four to six sums."""
_CHUNK_CELLS = 2**17
"""Neighbors looked at at once: 4 MB an array."""


@dataclass
class Weighted:
    """What the neighbors of pairs say.

    Attributes
    ----------
    deviation : ndarray of float64, shape (n_pairs,)
        Their mean deviation, weighted by similarity; 0 where there are none.
    n : ndarray of int64, shape (n_pairs,)
        How many there are, at most k.
    """

    deviation: npt.NDArray[np.float64]
    n: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Asked:
    """Pairs with their neighbors: similarities, 0 for who is not asked, deviations, and who they are."""

    pairs: npt.NDArray[np.int64]
    similar: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    member: npt.NDArray[np.int64]


class Neighborhoods:
    """Ratings laid out so that the neighbors of pairs are found quickly.

    "Targets" are those among whom neighbors are sought: items for one who compares items, customers for one who
    compares customers. "Others" are the other side.

    Parameters
    ----------
    target, other : ndarray of int64, shape (n_ratings,)
        Numbers.
    n_targets, n_others : int
        How many there are.
    value : ndarray of float64, shape (n_ratings,)
        What similarities are made of.
    deviation : ndarray of float64, shape (n_ratings,)
        What neighbors say.
    """

    def __init__(
        self,
        target: npt.NDArray[np.int64],
        other: npt.NDArray[np.int64],
        n_targets: int,
        n_others: int,
        value: npt.NDArray[np.float64],
        deviation: npt.NDArray[np.float64],
    ) -> None:
        # A stable order: of equally similar neighbors the one whose rating stands first in the table is taken.
        order = np.argsort(other, kind="stable")
        self._n_ratings = np.bincount(target, minlength=n_targets)
        self._member = target[order]
        self._deviation = deviation[order]
        self._count = np.bincount(other, minlength=n_others)
        self._start = np.cumsum(self._count) - self._count
        self._values = sparse.csr_array((value, (target, other)), shape=(n_targets, n_others))

    def weigh(
        self, target: npt.NDArray[np.int64], other: npt.NDArray[np.int64], similarity: Similarity, k: int
    ) -> Weighted:
        """Ask the k most similar neighbors of each pair, those of positive similarity.

        Only targets of these pairs are compared, and only with those whom the pairs' others have rated.

        Parameters
        ----------
        target, other : ndarray of int64, shape (n_pairs,)
            Numbers of known ones.
        similarity : Similarity
            The measure.
        k : int
            Most neighbors.

        Returns
        -------
        Weighted
            One answer a pair. A rating does not count as its own neighbor.
        """
        answer = Weighted(np.zeros(len(target)), np.zeros(len(target), dtype=np.int64))
        for asked in self._ask(target, other, similarity, k):
            total = asked.similar.sum(axis=1)
            said = np.einsum("pw,pw->p", asked.similar, asked.deviation)
            answer.deviation[asked.pairs] = np.divide(said, total, out=np.zeros(len(total)), where=total > 0)
            answer.n[asked.pairs] = np.count_nonzero(asked.similar, axis=1)
        return answer

    def reasons(
        self, target: npt.NDArray[np.int64], other: npt.NDArray[np.int64], similarity: Similarity, k: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give what each neighbor adds to the mean deviation of each pair.

        Parameters
        ----------
        target, other : ndarray of int64, shape (n_pairs,)
            Numbers of known ones.
        similarity : Similarity
            The measure.
        k : int
            Most neighbors.

        Returns
        -------
        tuple of ndarray of int64, ndarray of int64, ndarray of float64
            The pair, the neighbor, and what it adds; the last add up to the mean deviation.
        """
        found: list[tuple[npt.NDArray[Any], ...]] = [(np.zeros(0, dtype=np.int64),) * 2 + (np.zeros(0),)]
        for asked in self._ask(target, other, similarity, k):
            row, place = np.nonzero(asked.similar)
            share = asked.similar[row, place] / asked.similar.sum(axis=1)[row]
            found.append((asked.pairs[row], asked.member[row, place], share * asked.deviation[row, place]))
        pair, member, added = (np.concatenate(part) for part in zip(*found, strict=True))
        return pair, member, added

    def common(
        self, targets: npt.NDArray[np.int64], similarity: Similarity
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Give the similarity of targets with everyone, and what they have in common.

        Parameters
        ----------
        targets : ndarray of int64, shape (n_asked,)
            Numbers.
        similarity : Similarity
            The measure.

        Returns
        -------
        tuple of ndarray of float64 and ndarray of int64, shape (n_asked, n_targets)
            Similarities, 0 with oneself, and numbers of common ratings.
        """
        everyone = np.arange(self._values.shape[0])
        sums = CommonSums(self._values, everyone, similarity.needs, len(targets)).block(targets)
        _forget_oneself(sums, targets, everyone)
        return similarity.of(sums), np.rint(sums[0, 0]).astype(np.int64)

    def _ask(
        self, target: npt.NDArray[np.int64], other: npt.NDArray[np.int64], similarity: Similarity, k: int
    ) -> Iterator[_Asked]:
        """Give the neighbors of all pairs, some pairs at a time; a pair that has none may be left out."""
        # Who has fewer ratings than must be common is similar to nobody.
        able = self._n_ratings >= similarity.least
        asked = np.flatnonzero(able[target])
        lists = _Lists(self._member, self._deviation, self._start, self._count, other[asked], able)
        n_columns = len(lists.columns)
        if not n_columns:
            return
        targets, row = np.unique(target[asked], return_inverse=True)
        n_rows = min(len(targets), max(1, _BLOCK_CELLS // n_columns))
        common = CommonSums(self._values, lists.columns, similarity.needs, n_rows)
        order = np.argsort(row, kind="stable")
        bounds = np.searchsorted(row[order], np.arange(0, len(targets) + n_rows, n_rows))
        for number, (first, last) in enumerate(pairwise(bounds)):
            rows = targets[number * n_rows : (number + 1) * n_rows]
            sums = common.block(rows)
            _forget_oneself(sums, rows, lists.columns)
            pairs = order[first:last]
            # Pairs with lists of about one length are looked at together, the longest first.
            pairs = pairs[np.argsort(-lists.count[pairs], kind="stable")]
            many = int(lists.count[pairs].sum()) > len(rows) * n_columns
            # Where many pairs share a similarity, each is worked out once.
            similarities = similarity.of(sums) if many else None
            for chunk in _chunks(lists.count[pairs]):
                some = pairs[chunk]
                entry, inside = lists.entries(some)
                cell = lists.column[entry]
                cell += (row[some] - number * n_rows)[:, None] * n_columns
                if similarities is not None:
                    similar = np.take(similarities, cell)
                else:
                    similar = similarity.of({need: np.take(block, cell) for need, block in sums.items()})
                similar[~inside] = 0.0
                similar[~_most(similar, k)] = 0.0
                yield _Asked(asked[some], similar, lists.deviation[entry], lists.member[entry])


class _Lists:
    """The ratings of the others that are asked for, each with the column its member has among all members."""

    def __init__(
        self,
        member: npt.NDArray[np.int64],
        deviation: npt.NDArray[np.float64],
        start: npt.NDArray[np.int64],
        count: npt.NDArray[np.int64],
        other: npt.NDArray[np.int64],
        able: npt.NDArray[np.bool_],
    ) -> None:
        asked, place = np.unique(other, return_inverse=True)
        lengths = count[asked]
        begin = np.cumsum(lengths) - lengths
        entry = np.arange(int(lengths.sum())) + np.repeat(start[asked] - begin, lengths)
        kept = able[member[entry]]
        lengths = np.bincount(np.repeat(np.arange(len(asked)), lengths)[kept], minlength=len(asked))
        begin = np.cumsum(lengths) - lengths
        entry = entry[kept]
        self.member = member[entry]
        there = np.zeros(len(able), dtype=bool)
        there[self.member] = True
        self.columns = np.flatnonzero(there)
        self.column = (np.cumsum(there) - 1)[self.member]
        self.deviation = deviation[entry]
        self.start = begin[place]
        self.count = lengths[place]

    def entries(self, pairs: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Give the entries of each pair's list, one row a pair, and which of them are its own."""
        length = self.count[pairs][:, None]
        place = np.arange(int(length.max()))
        return np.minimum(self.start[pairs][:, None] + place, len(self.column) - 1), place < length


def _forget_oneself(sums: Sums, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> None:
    """Set to nothing what a target has in common with itself."""
    place = np.minimum(np.searchsorted(columns, rows), len(columns) - 1)
    own = np.flatnonzero(columns[place] == rows)
    for block in sums.values():
        block[own, place[own]] = 0.0


def _chunks(count: npt.NDArray[np.int64]) -> list[slice]:
    """Cut lists, the longest first, where they are a quarter shorter or their cells would be too many."""
    cuts = [0]
    while cuts[-1] < len(count):
        longest = max(int(count[cuts[-1]]), 1)
        shorter = int(np.searchsorted(-count, -(longest * 0.75), side="left"))
        cuts.append(min(max(shorter, cuts[-1] + 1), cuts[-1] + max(1, _CHUNK_CELLS // longest), len(count)))
    return [slice(first, last) for first, last in pairwise(cuts)]


def _most(similar: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.bool_]:
    """Mark the k greatest of each row that are positive; of equal ones the first."""
    kept = similar > 0.0
    full = np.flatnonzero(np.count_nonzero(kept, axis=1) > k)
    if not len(full):
        return kept
    # The smallest of the negatives: partitioning is slow where most of what is passed over is equal, as zeros are.
    found = similar if len(full) == len(similar) else similar[full]
    kth = -np.partition(-found, k - 1, axis=1)[:, k - 1, None]
    above, tied = found > kth, found == kth
    room = k - np.count_nonzero(above, axis=1)
    crowded = np.flatnonzero(np.count_nonzero(tied, axis=1) > room)
    tied[crowded] &= np.cumsum(tied[crowded], axis=1) <= room[crowded, None]
    kept[full] = above | tied
    return kept
