"""Merges the columns of a sparse table that are equal in every row, without changing what is learned from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["merge_equal_columns"]


def merge_equal_columns(values: Any) -> tuple[Any, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Keep one column of those that are equal, times the root of how many they are.

    The runs of characters that stand in one word alone are such columns: they come and go together. Rows keep their
    lengths and their products with each other, and a learner that sees no more of its rows than these, as support
    vectors do, learns the same with less to look at. Its weight for a merged column, divided by that root, is the
    weight of each column in it.

    Cost: three passes over the values, and the memory of the merged table.

    Parameters
    ----------
    values : sparse table, shape (n_rows, n_columns)
        Numbers of any type.

    Returns
    -------
    merged : scipy.sparse.csr_matrix, shape (n_rows, n_merged)
        The first column of each group, in their old order; ``values`` itself where no two are equal.
    place : ndarray of int64, shape (n_columns,)
        Where each column went.
    root : ndarray of float64, shape (n_merged,)
        The root of the size of each group.

    Notes
    -----
    Columns count as equal where two random sums of their values agree to the last bit: equal columns are added up in
    the same order, and for others that is as likely as guessing a hundred bits.

    Examples
    --------
    >>> from scipy import sparse
    >>> from crmkit.text.classifying._equal_columns import merge_equal_columns
    >>> merged, place, root = merge_equal_columns(sparse.csr_matrix([[2.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))
    >>> merged.shape, place.tolist(), root.round(2).tolist()
    ((2, 2), [0, 1, 0], [1.41, 1.0])
    """
    sums = values.T @ np.random.default_rng(0).random((values.shape[0], 2))
    _, first, group, size = np.unique(
        sums.view(np.complex128).ravel(), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    root = np.sqrt(size[order])
    if len(order) == values.shape[1]:
        return values, place[group], root
    merged = sparse.csr_matrix(values)[:, first[order]].astype(np.float64, copy=False)
    merged.data *= root[merged.indices]
    return merged, place[group], root
