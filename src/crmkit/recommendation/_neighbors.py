"""The most similar items of every item, block by block, so that no product of all items is ever held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit.core.registry import require_extra
from crmkit.recommendation._top import top_n

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SIMILARITIES", "nearest_items"]

SIMILARITIES = ("cosine", "jaccard", "conditional", "lift")
"""The similarities there are."""

_BYTES_A_CELL = 40


def nearest_items(
    matrix: sparse.csr_array, n_neighbors: int, *, similarity: str, shrinkage: float, engine: str, memory: int
) -> sparse.csr_array:
    """Find the most similar items of every item.

    Parameters
    ----------
    matrix : csr_array of float64, shape (n_customers, n_items)
        Values above 0.
    n_neighbors : int
        How many to keep for each item.
    similarity : {"cosine", "jaccard", "conditional", "lift"}
        See ``ItemKNN``.
    shrinkage : float
        Added to the denominator.
    engine : {"scipy", "fast"}
        What multiplies.
    memory : int
        Bytes that a block may take.

    Returns
    -------
    csr_array, shape (n_items, n_items)
        Row i holds the items most similar to i, without itself; of equal ones those of lower number.
    """
    multiply = _multiplier(engine)
    n_customers, n_items = matrix.shape
    by_item = matrix.T.tocsr()
    squares = np.asarray(by_item.multiply(by_item).sum(axis=1), dtype=np.float64).ravel()
    step = max(1, memory // (_BYTES_A_CELL * n_items))
    parts = []
    for start in range(0, n_items, step):
        stop = min(start + step, n_items)
        shared = multiply(by_item[start:stop], matrix).toarray()
        shared[np.arange(stop - start), np.arange(start, stop)] = 0.0
        scores = _similar(shared, squares[start:stop, None], squares[None, :], similarity, shrinkage, n_customers)
        scores[shared == 0.0] = -np.inf
        parts.append(_as_rows(top_n(scores, n_neighbors), stop - start, n_items))
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


def _similar(
    shared: npt.NDArray[np.float64],
    candidate: npt.NDArray[np.float64],
    bought: npt.NDArray[np.float64],
    similarity: str,
    shrinkage: float,
    n_customers: int,
) -> npt.NDArray[np.float64]:
    """Turn products into similarities."""
    if similarity == "cosine":
        below = np.sqrt(candidate) * np.sqrt(bought)
    elif similarity == "jaccard":
        below = candidate + bought - shared
    elif similarity == "conditional":
        below = np.broadcast_to(bought, shared.shape)
    else:
        below = candidate * bought / n_customers
    below = below + shrinkage
    return np.divide(shared, below, out=np.zeros_like(shared), where=below > 0.0)


def _as_rows(
    top: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]], n_rows: int, n_columns: int
) -> sparse.csr_array:
    """Make a sparse matrix of the first of each row, columns in order."""
    row, column, score = top
    order = np.lexsort((column, row))
    pointer = np.r_[0, np.cumsum(np.bincount(row, minlength=n_rows))].astype(np.int32)
    return sparse.csr_array((score[order], column[order].astype(np.int32), pointer), shape=(n_rows, n_columns))


def _multiplier(engine: str) -> Any:
    """Give what multiplies two sparse matrices."""
    if engine == "scipy":
        return lambda left, right: left @ right
    require_extra("sparse_dot_topn", "fast", "multiplying with engine='fast'")
    import sparse_dot_topn  # type: ignore[import-untyped]  # ships no types

    return sparse_dot_topn.sp_matmul
