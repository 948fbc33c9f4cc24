"""The least-squares factors of many rows at once: a small linear system each, over what the row holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["by_conjugate_gradient", "by_solving"]


def by_solving(
    confidence: sparse.csr_array,
    other: npt.NDArray[np.float64],
    ridge: npt.NDArray[np.float64],
    *,
    memory: int,
    right: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Solve each row's system exactly.

    Parameters
    ----------
    confidence : csr_array of float64, shape (n_rows, n_columns)
        By how much more than 1 each stored pair counts.
    other : ndarray of shape (n_columns, k)
        The factors of the columns.
    ridge : ndarray of shape (n_rows,)
        The penalty of each row.
    memory : int
        Bytes that a block of systems may take.
    right : ndarray of shape (n_rows, k) or None, default=None
        What stands on the right; None for what the row's own pairs ask for.

    Returns
    -------
    ndarray of shape (n_rows, k)
        The factors of the rows; 0 for a row without pairs.
    """
    n_rows, k = confidence.shape[0], other.shape[1]
    products, factors = other.T @ other, np.zeros((n_rows, k))
    many = np.diff(confidence.indptr)
    # Rows of like length stand together, so that little is filled up.
    order = np.argsort(many, kind="stable")[int((many == 0).sum()) :]
    for rows in _blocks(order, many, k, memory):
        longest = int(many[rows].max())
        at = confidence.indptr[rows][:, None] + np.arange(longest)
        there = np.arange(longest) < many[rows][:, None]
        at = np.where(there, at, 0)
        weight = np.where(there, confidence.data[at], 0.0)
        vectors = other[confidence.indices[at]]
        system = np.matmul((vectors * weight[:, :, None]).transpose(0, 2, 1), vectors) + products
        system[:, np.arange(k), np.arange(k)] += ridge[rows][:, None]
        asked = np.einsum("rl,rlk->rk", np.where(there, 1.0 + weight, 0.0), vectors) if right is None else right[rows]
        factors[rows] = np.linalg.solve(system, asked[:, :, None])[:, :, 0]
    return factors


def _blocks(
    order: npt.NDArray[np.int64], many: npt.NDArray[np.int64], k: int, memory: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Cut rows, the shortest first, into blocks of so much memory at their longest."""
    start = 0
    while start < len(order):
        # The longest row of a block is its last one: halve until it fits.
        size = len(order) - start
        while size > 1 and size * (3 * int(many[order[start + size - 1]]) * k + 2 * k * k) * 8 > memory:
            size = (size + 1) // 2
        yield order[start : start + size]
        start += size


def by_conjugate_gradient(
    confidence: sparse.csr_array,
    other: npt.NDArray[np.float64],
    ridge: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    *,
    n_steps: int,
    memory: int,
) -> npt.NDArray[np.float64]:
    """Come nearer to each row's answer by some steps of conjugate gradients.

    Parameters
    ----------
    confidence, other, ridge, memory
        As for ``by_solving``.
    start : ndarray of shape (n_rows, k)
        Where to begin.
    n_steps : int
        How many steps.

    Returns
    -------
    ndarray of shape (n_rows, k)
        The factors of the rows; 0 for a row without pairs.
    """
    n_rows, k = confidence.shape[0], other.shape[1]
    products, factors = other.T @ other, start.copy()
    pointer = confidence.indptr
    entries = max(1, memory // (8 * 4 * k))
    first = 0
    while first < n_rows:
        # As many rows as fit, and at least one.
        last = int(np.searchsorted(pointer, int(pointer[first]) + entries, side="right")) - 1
        last = min(max(last, first + 1), first + max(1, entries), n_rows)
        block = confidence[first:last]
        factors[first:last] = _descend(block, other, products, ridge[first:last], factors[first:last], n_steps)
        first = last
    factors[np.diff(pointer) == 0] = 0.0
    return factors


def _descend(
    confidence: sparse.csr_array,
    other: npt.NDArray[np.float64],
    products: npt.NDArray[np.float64],
    ridge: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    n_steps: int,
) -> npt.NDArray[np.float64]:
    """Take the steps for a block of rows, all at once."""
    row = np.repeat(np.arange(confidence.shape[0]), np.diff(confidence.indptr))
    vectors = other[confidence.indices]

    def spread(weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        pattern = sparse.csr_array((weight, confidence.indices, confidence.indptr), shape=confidence.shape)
        return np.asarray(pattern @ other, dtype=np.float64)

    def system(direction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        met = np.einsum("ek,ek->e", vectors, direction[row])
        return direction @ products + ridge[:, None] * direction + spread(confidence.data * met)

    x = start.copy()
    residual = spread(1.0 + confidence.data) - system(x)
    direction = residual.copy()
    size = np.einsum("rk,rk->r", residual, residual)
    for _ in range(n_steps):
        image = system(direction)
        below = np.einsum("rk,rk->r", direction, image)
        step = np.divide(size, below, out=np.zeros_like(size), where=below > 0.0)
        x += step[:, None] * direction
        residual -= step[:, None] * image
        new = np.einsum("rk,rk->r", residual, residual)
        ratio = np.divide(new, size, out=np.zeros_like(size), where=size > 0.0)
        direction = residual + ratio[:, None] * direction
        size = new
    return x
