"""Counts which terms stand near each other and turns the counts into vectors by shifted PPMI and truncated SVD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["count_neighbours", "factorize", "positive_information"]

_SMOOTHING = 0.75


def count_neighbours(
    code: npt.NDArray[np.int64], text: npt.NDArray[np.int64], n_terms: int, window: int
) -> sparse.csr_matrix:
    """Count pairs of terms at most so many places apart, nearer ones for more.

    Parameters
    ----------
    code, text : ndarray of int64, shape (n_tokens,)
        Terms in order, and the text each stands in.
    n_terms : int
        How many different terms there are.
    window : int
        Largest distance; a pair at distance d counts ``(window + 1 - d) / window``.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (n_terms, n_terms)
        Symmetric.
    """
    one_side = sparse.csr_matrix((n_terms, n_terms))
    for apart in range(1, min(window, len(code) - 1) + 1):
        near = text[apart:] == text[:-apart]
        left, right = code[:-apart][near], code[apart:][near]
        weight = np.full(len(left), (window + 1 - apart) / window)
        one_side = one_side + sparse.csr_matrix((weight, (left, right)), shape=(n_terms, n_terms))
    both: sparse.csr_matrix = sparse.csr_matrix(one_side + one_side.T)
    return both


def positive_information(counts: sparse.csr_matrix, shift: float) -> sparse.csr_matrix:
    """Turn counts into shifted positive pointwise mutual information, contexts smoothed by the power .75.

    Parameters
    ----------
    counts : scipy.sparse.csr_matrix, shape (n_terms, n_terms)
        From `count_neighbours`.
    shift : float
        At least 1; its logarithm is subtracted before negative values are dropped.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (n_terms, n_terms)
        Not negative.
    """
    table = counts.tocoo()
    by_row = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    by_column = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel() ** _SMOOTHING
    values = np.log(table.data * by_column.sum() / (by_row[table.row] * by_column[table.col])) - np.log(shift)
    kept = values > 0
    return sparse.csr_matrix((values[kept], (table.row[kept], table.col[kept])), shape=counts.shape)


def factorize(information: sparse.csr_matrix, dimensions: int, random_state: Any) -> npt.NDArray[np.float32]:
    """Give each term its coordinates on the main directions, times the root of the singular values.

    Parameters
    ----------
    information : scipy.sparse.csr_matrix, shape (n_terms, n_terms)
        From `positive_information`.
    dimensions : int
        How many directions; those beyond the number of terms are 0.
    random_state : int, RandomState or None
        Seed of the randomised decomposition.

    Returns
    -------
    ndarray of float32, shape (n_terms, dimensions)
        The vectors.
    """
    n_terms = information.shape[0]
    vectors = np.zeros((n_terms, dimensions), dtype=np.float32)
    wanted = min(dimensions, n_terms)
    if information.nnz:
        decompose: Any = randomized_svd
        left, values, _ = decompose(information, wanted, n_iter=5, random_state=random_state)
        vectors[:, :wanted] = left * np.sqrt(values)
    return vectors
