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
    One partition of every row, and a sort of n. Rows whose n-th score is shared with items beyond the n-th are looked
    at again.
    """
    n_rows, n_items = scores.shape
    n = min(n, n_items)
    if n == 0 or n_rows == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    columns = (
        np.argpartition(scores, n_items - n, axis=1)[:, n_items - n :]
        if n < n_items
        else np.broadcast_to(np.arange(n_items), (n_rows, n_items))
    )
    columns = np.sort(columns, axis=1)
    found = np.take_along_axis(scores, columns, axis=1)
    least = found.min(axis=1)
    if n < n_items:
        # A row is ambiguous if an item outside has the score of the least inside.
        inside = (found == least[:, None]).sum(axis=1)
        open_rows = np.flatnonzero(np.isfinite(least))
        tied = open_rows[(scores[open_rows] == least[open_rows, None]).sum(axis=1) > inside[open_rows]]
        if len(tied):
            columns[tied] = _lowest_of_ties(scores[tied], least[tied], n)
            found[tied] = np.take_along_axis(scores[tied], columns[tied], axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    columns, found = np.take_along_axis(columns, order, axis=1), np.take_along_axis(found, order, axis=1)
    given = found > -np.inf
    rows = np.repeat(np.arange(n_rows), given.sum(axis=1))
    return rows, columns[given].astype(np.int64), found[given].astype(np.float64)


def _lowest_of_ties(scores: npt.NDArray[np.floating], least: npt.NDArray[np.floating], n: int) -> npt.NDArray[np.int64]:
    """Fill up each row with the first items of those that share its n-th score."""
    above, equal = scores > least[:, None], scores == least[:, None]
    left = n - above.sum(axis=1)
    kept = above | (equal & (np.cumsum(equal, axis=1) <= left[:, None]))
    return np.nonzero(kept)[1].reshape(len(scores), n)
