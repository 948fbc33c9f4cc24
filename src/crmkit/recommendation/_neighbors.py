"""The nearest neighbours of every row, block by block, so that no product of all with all is ever held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from crmkit.recommendation._top import top_n

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["SIMILARITIES", "nearest", "similarity_of"]

SIMILARITIES = ("cosine", "jaccard", "conditional", "lift")
"""The similarities there are."""

_BYTES_A_CELL = 40


def nearest(
    left: sparse.csr_array,
    right: sparse.csr_array,
    n_neighbors: int,
    *,
    similarity: Callable[..., npt.NDArray[np.float64]],
    memory: int,
    weight: npt.NDArray[np.float64] | None = None,
    own: npt.NDArray[np.int64] | None = None,
) -> sparse.csr_array:
    """Find the columns most similar to every row of a product of two sparse matrices.

    Parameters
    ----------
    left : csr_array of shape (n_rows, n_between)
        Its rows are those that neighbours are looked for.
    right : csr_array of shape (n_between, n_columns)
        Its columns are the possible neighbours.
    n_neighbors : int
        How many to keep for each row.
    similarity : callable
        From products above 0, their rows and their columns to similarities.
    memory : int
        Bytes that a block may take.
    weight : ndarray of shape (n_columns,) or None, default=None
        Neighbours are chosen by similarity times the weight of the column; the similarity is what is kept.
    own : ndarray of int64, shape (n_rows,), or None, default=None
        The column that is the row itself; None where row i is column i.

    Returns
    -------
    csr_array, shape (n_rows, n_columns)
        Row i holds the columns most similar to i; of equal ones those of lower number.
    """
    n_rows, n_columns = left.shape[0], right.shape[1]
    itself = np.arange(n_rows) if own is None else own
    step = max(1, memory // (_BYTES_A_CELL * n_columns))
    parts = []
    for start in range(0, n_rows, step):
        stop = min(start + step, n_rows)
        product = left[start:stop] @ right
        row = np.repeat(np.arange(stop - start), np.diff(product.indptr))
        column = product.indices
        values = similarity(product.data, row + start, column)
        if weight is not None:
            values = values * weight[column]
        scores = np.full((stop - start, n_columns), -np.inf)
        scores[row, column] = np.where((product.data > 0.0) & (itself[row + start] != column), values, -np.inf)
        parts.append(_as_rows(top_n(scores, n_neighbors), stop - start, n_columns))
    found = sparse.csr_array(sparse.vstack(parts, format="csr"))
    if weight is not None:
        found.data /= weight[found.indices]
    return found


def similarity_of(
    name: str, squares: npt.NDArray[np.float64], *, shrinkage: float, n_customers: int
) -> Callable[..., npt.NDArray[np.float64]]:
    """Give the function from products of columns to their similarity.

    Parameters
    ----------
    name : {"cosine", "jaccard", "conditional", "lift"}
        See ``ItemKNN``.
    squares : ndarray of shape (n_items,)
        The sum of the squared values of each item.
    shrinkage : float
        Added to the denominator.
    n_customers : int
        How many customers there are.

    Returns
    -------
    callable
        Of products, candidate items and bought items.
    """
    roots = np.sqrt(squares)

    def similar(
        shared: npt.NDArray[np.float64], candidate: npt.NDArray[np.int64], bought: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        if name == "cosine":
            below = roots[candidate] * roots[bought]
        elif name == "jaccard":
            below = squares[candidate] + squares[bought] - shared
        elif name == "conditional":
            below = squares[bought]
        else:
            below = squares[candidate] * squares[bought] / n_customers
        return np.asarray(shared / (below + shrinkage), dtype=np.float64)

    return similar


def _as_rows(
    top: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]], n_rows: int, n_columns: int
) -> sparse.csr_array:
    """Make a sparse matrix of the first of each row, columns in order."""
    row, column, score = top
    order = np.lexsort((column, row))
    pointer = np.r_[0, np.cumsum(np.bincount(row, minlength=n_rows))].astype(np.int32)
    return sparse.csr_array((score[order], column[order].astype(np.int32), pointer), shape=(n_rows, n_columns))
