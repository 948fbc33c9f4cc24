"""Which rows are equal: sorted by a hash, proved by comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["equal_runs"]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def equal_runs(rows: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Order rows so that equal ones stand together.

    Sorting one hash is faster than sorting by every column. Two different rows with one hash could part equal rows
    into two runs, never join different ones: rows of one run are always equal.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Of eight-byte numbers; floats are compared bit by bit, so -0.0 must have been made 0.0.

    Returns
    -------
    tuple of ndarray
        The order, of shape (n_rows,), and where in it each run begins, of shape (n_runs,).
    """
    bits = np.ascontiguousarray(rows).view(np.uint64)
    mixed = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        mixed ^= column
        mixed *= _MIX
        mixed ^= mixed >> _SHIFT
    ascending = np.sort(mixed)
    if not (ascending[1:] == ascending[:-1]).any():
        # Sorting values is far faster than sorting places, and where all differ there is nothing to put together.
        return np.arange(len(bits)), np.arange(len(bits))
    order = np.argsort(mixed)
    begins = np.zeros(len(bits), dtype=bool)
    begins[:1] = True
    for column in bits.T:
        ordered = column[order]
        begins[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(begins)
