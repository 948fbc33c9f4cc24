"""The nearest items by cosine through sparse-dot-topn, which never holds what it does not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from crmkit.core.registry import require_extra
from crmkit.recommendation._neighbors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["nearest_by_cosine"]

_SPARE = 32
"""How many more than asked for are kept, to see whether the last one shares its similarity."""


def nearest_by_cosine(
    by_item: sparse.csr_array,
    matrix: sparse.csr_array,
    n_neighbors: int,
    *,
    squares: npt.NDArray[np.float64],
    similarity: Callable[..., npt.NDArray[np.float64]],
    memory: int,
) -> sparse.csr_array:
    """Find what ``nearest`` finds, for the cosine without shrinkage.

    Parameters
    ----------
    by_item, matrix : csr_array
        The values of pairs, a row an item and a row a customer.
    n_neighbors : int
        How many to keep for each item.
    squares : ndarray of shape (n_items,)
        The sum of the squared values of each item.
    similarity, memory
        As for ``nearest``, for the rows that have to be looked at again: of many that share the last similarity, the
        package keeps any.

    Returns
    -------
    csr_array, shape (n_items, n_items)
        Row i holds the items most similar to i; of equal ones those of lower number.

    Raises
    ------
    MissingExtraError
        If sparse-dot-topn is not installed.
    """
    require_extra("sparse_dot_topn", "fast", "multiplying with engine='fast'")
    import sparse_dot_topn  # type: ignore[import-untyped]  # ships no types

    n_items = len(squares)
    roots = np.sqrt(np.where(squares > 0.0, squares, 1.0))
    # For one row the cosine is ranked by the product over the root of the column alone. It takes no sparse arrays.
    scaled = sparse.csr_matrix(matrix, copy=True)
    scaled.data = scaled.data / roots[scaled.indices]
    most = n_neighbors + 1 + _SPARE
    found = sparse_dot_topn.sp_matmul_topn(sparse.csr_matrix(by_item), scaled, top_n=most)
    many = np.diff(found.indptr)
    row = np.repeat(np.arange(n_items), many)
    column = found.indices.astype(np.int64)
    shared = found.data * roots[column]
    if (matrix.data == np.rint(matrix.data)).all():
        # Products of whole numbers are whole numbers: rounding makes them what they are without the detour.
        shared = np.rint(shared)
    value = similarity(shared, row, column)
    value[row == column] = -np.inf
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    start = np.searchsorted(row, np.arange(n_items))
    place = np.arange(len(row)) - start[row]
    # A full row whose n-th similarity is that of the last one kept may lack others that share it.
    full = np.flatnonzero(many >= min(most, n_items))
    last = value[start[full] + many[full] - 1 - (value[start[full] + many[full] - 1] == -np.inf)]
    again = full[value[start[full] + np.minimum(n_neighbors, many[full]) - 1] <= last * (1.0 + 1e-9)]
    kept = (place < n_neighbors) & (value > -np.inf) & ~np.isin(row, again)
    one = sparse.coo_array((value[kept], (row[kept], column[kept])), shape=(n_items, n_items))
    if not len(again):
        return sparse.csr_array(one)
    redone = nearest(
        by_item[again],
        matrix,
        n_neighbors,
        similarity=lambda products, place, other: similarity(products, again[place], other),
        memory=memory,
        own=again,
    ).tocoo()
    other_row, other_column = redone.coords
    rows, columns = np.r_[row[kept], again[other_row]], np.r_[column[kept], other_column]
    both = sparse.coo_array((np.r_[value[kept], redone.data], (rows, columns)), shape=(n_items, n_items))
    return sparse.csr_array(both)
