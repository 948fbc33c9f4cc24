"""The cuts between the scores of one column: equal shares, natural breaks, or as given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.segmentation.segmenters._natural_breaks import natural_classes

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FEWEST", "MOST", "checked_cuts", "jenks_cuts", "quantile_cuts"]

FEWEST, MOST = 2, 10


def quantile_cuts(column: npt.NDArray[np.float64], n_scores: int, *, small_is_good: bool) -> npt.NDArray[np.float64]:
    """Cut a column into scores of about equal shares, where equal values stay together.

    Parameters
    ----------
    column : ndarray of shape (n_customers,)
        Finite values.
    n_scores : int
        How many scores.
    small_is_good : bool
        Whether the shares are counted from the large end, so that ties fare alike in both directions.

    Returns
    -------
    ndarray of shape (n_scores - 1,)
        Rising. Infinite where no value of the column lies on the other side.
    """
    values, count = np.unique(column, return_counts=True)
    below = np.cumsum(count) - count
    middle = (below + count / 2) / len(column)
    if small_is_good:
        middle = 1 - middle
    # Rounding first keeps a share such as 3/5 from landing a hair above its own boundary.
    score = np.clip(np.ceil(np.round(middle * n_scores, 9)), 1, n_scores).astype(np.int64)
    return _between(values, n_scores - score if small_is_good else score - 1, n_scores)


def jenks_cuts(column: npt.NDArray[np.float64], n_scores: int, *, small_is_good: bool) -> npt.NDArray[np.float64]:
    """Cut a column at its natural breaks.

    Parameters
    ----------
    column : ndarray of shape (n_customers,)
        Finite values.
    n_scores : int
        How many scores. Where there are fewer distinct values, these are spread over the scores: two are the lowest
        and the highest, one is the middle.
    small_is_good : bool
        Says which way a half is rounded.

    Returns
    -------
    ndarray of shape (n_scores - 1,)
        Rising, half-way between the values on either side.
    """
    values, count = np.unique(column, return_counts=True)
    classes = min(n_scores, len(values))
    ends = natural_classes(values, count.astype(np.float64), classes)
    place = np.searchsorted(ends, np.arange(len(values)), side="right")
    if small_is_good:
        place = classes - 1 - place
    if classes == 1:
        score = np.full(len(values), -(-n_scores // 2))
    else:
        score = 1 + (2 * place * (n_scores - 1) + classes - 1) // (2 * (classes - 1))
    return _between(values, n_scores - score if small_is_good else score - 1, n_scores)


def checked_cuts(cuts: Any, name: str) -> npt.NDArray[np.float64]:
    """Check cuts that were given.

    Parameters
    ----------
    cuts : array-like of shape (n_scores - 1,)
        Upper ends of all intervals but the last.
    name : str
        The column's, for messages.

    Returns
    -------
    ndarray of shape (n_scores - 1,)
        The same as float64.

    Raises
    ------
    DataError
        If they are not 1 to 9 finite rising numbers.
    """
    try:
        array = np.array(cuts, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"cuts of {name!r} must be numbers, got {cuts!r}") from None
    if array.ndim != 1 or not FEWEST <= len(array) + 1 <= MOST:
        raise DataError(f"cuts of {name!r} must be {FEWEST - 1} to {MOST - 1} numbers, got {cuts!r}")
    if not np.isfinite(array).all() or (np.diff(array) <= 0).any():
        raise DataError(f"cuts of {name!r} must be finite and rise from one to the next, got {cuts!r}")
    return array


def _between(values: npt.NDArray[np.float64], level: npt.NDArray[np.int64], n_scores: int) -> npt.NDArray[np.float64]:
    """Give the cuts that put each distinct value on its level: half-way between neighbors that part."""
    below = np.searchsorted(level, np.arange(n_scores - 1), side="right")
    inner = np.clip(below, 1, max(len(values) - 1, 1))
    low, high = values[inner - 1], values[np.minimum(inner, len(values) - 1)]
    middle = low / 2 + high / 2
    # Between neighboring floats there is nothing, and the half of the smallest is none: the cut is then the lower one.
    middle = np.where((low <= middle) & (middle < high), middle, low)
    return np.where(below == 0, -np.inf, np.where(below == len(values), np.inf, middle))
