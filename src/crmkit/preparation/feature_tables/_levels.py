"""The levels of a category: the most frequent ones are learned and frozen, all others are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MISSING", "OTHER", "learn_levels", "level_codes"]

OTHER, MISSING = "(other)", "(missing)"
"""Levels that every category has."""


def learn_levels(codes: npt.NDArray[np.intp], values: pd.Index, top: int) -> tuple[str, ...]:
    """Choose the most frequent levels.

    Parameters
    ----------
    codes : ndarray of int
        The value of each row that may be learned from, -1 where missing.
    values : pandas.Index
        The values.
    top : int
        How many.

    Returns
    -------
    tuple of str
        The most frequent ones, of equally frequent ones the first in alphabetical order, then ``(other)`` and
        ``(missing)``.
    """
    names = _texts(values)
    counts = pd.Series(np.bincount(codes[codes >= 0], minlength=len(values)), index=names).groupby(level=0).sum()
    counts = counts[(counts > 0) & ~counts.index.isin([OTHER, MISSING])]
    # The index is sorted, and a stable sort keeps it among equals.
    chosen = counts.sort_values(ascending=False, kind="stable").index[:top]
    return (*chosen, OTHER, MISSING)


def level_codes(codes: npt.NDArray[np.intp], values: pd.Index, levels: tuple[str, ...]) -> npt.NDArray[np.intp]:
    """Give the place of each row's value among the levels.

    Parameters
    ----------
    codes : ndarray of int
        The value of each row, -1 where missing.
    values : pandas.Index
        The values.
    levels : tuple of str
        As ``learn_levels`` gave them.

    Returns
    -------
    ndarray of int
        Places.
    """
    other, missing = levels.index(OTHER), levels.index(MISSING)
    place = pd.Index(levels).get_indexer(pd.Index(_texts(values)))
    place = np.where(place < 0, other, place)
    # The code -1 of a missing value takes the last entry.
    return np.append(place, missing)[codes]


def _texts(values: pd.Index) -> list[str]:
    """Write values as text, 3.0 as 3, so that a column reads the same next month, when a missing one makes it float."""
    return [str(_plain(value)) for value in values.tolist()]


def _plain(value: Any) -> Any:
    """Give a whole float as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
