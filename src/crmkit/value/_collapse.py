"""Counts equal rows, so that a likelihood is computed once for each kind of customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["collapse"]


def collapse(
    *columns: npt.NDArray[np.float64],
) -> tuple[tuple[npt.NDArray[np.float64], ...], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Find the distinct rows of several columns.

    Parameters
    ----------
    *columns : ndarray of float, shape (n_rows,)
        The columns.

    Returns
    -------
    columns : tuple of ndarray of float, shape (n_distinct,)
        Each column at the distinct rows, in the order they first occur.
    weights : ndarray of float, shape (n_distinct,)
        How many rows are equal to each.
    inverse : ndarray of int, shape (n_rows,)
        Where each row went: ``distinct[inverse]`` is the input.
    """
    inverse = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes, unique = pd.factorize(column)
        # Renumbered after every column, so that the product stays below the square of the number of rows.
        inverse = pd.factorize(inverse * max(len(unique), 1) + codes)[0].astype(np.int64)
    n_distinct = int(inverse.max(initial=-1)) + 1
    first = np.empty(n_distinct, dtype=np.intp)
    first[inverse[::-1]] = np.arange(len(inverse) - 1, -1, -1)
    weights = np.bincount(inverse, minlength=n_distinct).astype(np.float64)
    return tuple(column[first] for column in columns), weights, inverse.astype(np.intp)
