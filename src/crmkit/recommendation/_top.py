"""The exact first n of every row of scores, ties in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["top_n"]


def top_n(
    scores: npt.NDArray[np.floating], n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Find the n greatest scores of every row.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_items)
        Scores; minus infinity where an item must not be given.
    n : int
        How many a row.

    Returns
    -------
    tuple of ndarray of int64, ndarray of int64, ndarray of float64
        Row, item and score of each item found, by row, then from the greatest score down. Of equal scores the item of
        the lower number comes first, also where only some of them fit in. A row has fewer than n where it has fewer
        scores above minus infinity.

    Notes
    -----
    One partition of every row, and a sort of what is at least as great as its n-th.
    """
    n_rows, n_items = scores.shape
    n = min(n, n_items)
    if n == 0 or n_rows == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    # Turned round, because a partition near the end of many equal values is ten times slower than near the start.
    below = -scores
    last = np.partition(below, n - 1, axis=1)[:, n - 1]
    # A row with fewer than n scores ends with its last finite one.
    last = np.minimum(last, np.finfo(below.dtype).max)
    place = np.flatnonzero(below <= last[:, None])
    rows, columns = np.divmod(place, n_items)
    found = below.ravel()[place]
    tied = found == last[rows]
    many = np.bincount(rows, minlength=n_rows)
    if (many > n).any():
        # Items that share the n-th score stand in order: the first of them fill what is left.
        left = n - np.bincount(rows[~tied], minlength=n_rows)
        count = np.cumsum(tied)
        before = np.r_[0, count][np.cumsum(many) - many]
        kept = ~tied | (count - before[rows] <= left[rows])
        rows, columns, found = rows[kept], columns[kept], found[kept]
    order = np.lexsort((found, rows))
    return rows[order], columns[order], -found[order].astype(np.float64)
