"""Weights of rows, checked, and equal rows put together with theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation.segmenters._mixed import Mixed

__all__ = ["read_weights", "together"]


def read_weights(sample_weight: Any, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give one weight a row, 1 each where none are given.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,) or None
        What the caller gave.
    numbers : ndarray of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        Finite, not negative, not all zero.

    Raises
    ------
    DataError
        If one is negative, with its position, or all are zero.
    """
    weights: npt.NDArray[np.float64] = _check_sample_weight(sample_weight, numbers, dtype=np.float64)
    if (weights < 0).any():
        raise DataError(f"sample_weight is negative in {positions(weights < 0)}")
    if not weights.any():
        raise DataError("sample_weight is zero in every row: there is nothing to fit")
    return weights


def together(mixed: Mixed, weights: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Find distinct rows and add up the weights of equal ones, in an order that does not depend on the table's.

    Parameters
    ----------
    mixed : Mixed
        The rows; two missing values count as equal.
    weights : ndarray of shape (n_rows,)
        Not negative; rows of weight 0 are left out.

    Returns
    -------
    tuple of ndarray
        The first row of each kind, and their weights together.
    """
    kept = np.flatnonzero(weights > 0)
    # Adding zero turns a negative zero into a positive one; no number is infinite, so a missing one may be.
    numbers, codes = np.nan_to_num(mixed.numbers[kept] + 0.0, nan=np.inf), mixed.codes[kept]
    order = np.lexsort([*codes.T, *numbers.T])
    numbers, codes = numbers[order], codes[order]
    new = np.ones(len(kept), dtype=bool)
    new[1:] = (numbers[1:] != numbers[:-1]).any(axis=1) | (codes[1:] != codes[:-1]).any(axis=1)
    first = np.flatnonzero(new)
    return kept[order[first]], np.add.reduceat(weights[kept[order]], first)
