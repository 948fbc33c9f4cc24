"""Counts pairs of row and column into sparse tables, and joins such tables side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["side_by_side", "tally"]


def side_by_side(blocks: list[Any]) -> sparse.csr_matrix:
    """Join blocks of columns, with no other memory than the result's (scipy's way takes as much again)."""
    if len(blocks) == 1:
        return sparse.csr_matrix(blocks[0])
    n_rows, widths = blocks[0].shape[0], [block.shape[1] for block in blocks]
    # Rows one after the other, and the blocks of a row one after the other: whose is each value of the result?
    lengths = np.column_stack([np.diff(block.indptr) for block in blocks])
    owner = np.repeat(np.tile(np.arange(len(blocks), dtype=np.int8), n_rows), lengths.ravel())
    data = np.empty(len(owner))
    indices = np.empty(len(owner), dtype="int32" if max(len(owner), sum(widths)) < 2**31 else "int64")
    for place, block in enumerate(blocks):
        here = owner == place
        data[here] = block.data
        indices[here] = block.indices + indices.dtype.type(sum(widths[:place]))
    indptr = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))])
    return sparse.csr_matrix((data, indices, indptr), shape=(n_rows, sum(widths)))


def tally(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    """Count pairs of row and column; the rows ascend."""
    begins = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    counts = sparse.csr_matrix((np.ones(len(rows)), columns, begins), shape=shape)
    counts.sum_duplicates()
    return counts
