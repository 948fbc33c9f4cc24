"""Lists that are not ten times the same: maximal marginal relevance on who buys what together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

__all__ = ["CANDIDATES", "item_vectors", "reorder"]

CANDIDATES = 5
"""How many candidates there are for each place of a list."""

_DIMENSIONS = 64


def item_vectors(matrix: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Place items so that those bought by the same customers stand together.

    Parameters
    ----------
    matrix : csr_array, shape (n_customers, n_items)
        Values of pairs.

    Returns
    -------
    ndarray of float64, shape (n_items, at most 64)
        Vectors of length 1; of length 0 for items without events. Their products are the cosines of the columns,
        through the main directions of the matrix.
    """
    from sklearn.preprocessing import normalize
    from sklearn.utils.extmath import randomized_svd

    columns = normalize(matrix.T.tocsr())
    size = min(_DIMENSIONS, *matrix.shape)
    left, strength, _ = randomized_svd(columns, n_components=size, random_state=0)
    return np.asarray(normalize(left * strength), dtype=np.float64)


def reorder(
    rows: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    vectors: npt.NDArray[np.float64],
    n: int,
    diversity: float,
) -> npt.NDArray[np.int64]:
    """Choose n of each row's candidates, one after the other.

    The next one has the greatest (1 - diversity) x relevance - diversity x its greatest likeness to those chosen.
    Relevance falls evenly from 1 at the first candidate to 0 after the 5n-th, because scores of different rungs cannot
    be compared.

    Parameters
    ----------
    rows, items : ndarray of int64, shape (n_candidates,)
        Candidates, by row, the best first.
    vectors : ndarray of shape (n_items, n_dimensions)
        Items as vectors of length 1.
    n : int
        How many to choose a row.
    diversity : float
        From 0 to 1.

    Returns
    -------
    ndarray of int64
        Places among the candidates, by row, in the order chosen.
    """
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    names, begin, many = np.unique(rows, return_index=True, return_counts=True)
    longest = int(many.max())
    place = np.minimum(np.arange(longest)[None, :], many[:, None] - 1) + begin[:, None]
    there = np.arange(longest)[None, :] < many[:, None]
    # Counted in places of a full list, so that it does not depend on whose lists stand in the same block.
    relevance = 1.0 - np.arange(longest) / (CANDIDATES * n)
    gain = np.where(there, (1.0 - diversity) * relevance[None, :], -np.inf)
    likeness = np.full(gain.shape, -np.inf)
    every = np.arange(len(names))
    chosen = np.zeros((len(names), min(n, longest)), dtype=np.int64)
    for step in range(chosen.shape[1]):
        penalty = np.where(np.isfinite(likeness), diversity * likeness, 0.0)
        # Rounded, so that equal gains are equal whatever the block they are computed in.
        best = np.round(gain - penalty, 9).argmax(axis=1)
        chosen[:, step] = best
        gain[every, best] = -np.inf
        latest = vectors[items[place[every, best]]]
        likeness = np.maximum(likeness, np.einsum("rcd,rd->rc", vectors[items[place]], latest))
    kept = np.arange(chosen.shape[1])[None, :] < many[:, None]
    picked: npt.NDArray[np.int64] = np.take_along_axis(place, chosen, axis=1)[kept]
    return picked
