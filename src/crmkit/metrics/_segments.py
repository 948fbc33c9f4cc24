"""A table and its segments, as the figures that judge segments read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.metrics._columns import as_column, check_lengths

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SegmentedRows", "segmented_rows"]


class SegmentedRows(NamedTuple):
    """The rows that are in a segment.

    Parameters
    ----------
    points : ndarray of shape (n_inside, n_features)
        Finite numbers.
    codes : ndarray of int, shape (n_inside,)
        Their segments, numbered in the order of ``names``.
    names : ndarray of shape (n_segments,)
        The segments, ascending.
    n_rows : int
        How many rows there are, those in no segment included.
    """

    points: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]
    names: npt.NDArray[Any]
    n_rows: int

    @property
    def outside(self) -> str:
        """What to say of rows in no segment, in an estimate's method."""
        left = self.n_rows - len(self.points)
        return f"; {left:,} rows in no segment left out" if left else ""


def segmented_rows(table: Any, labels: Any) -> SegmentedRows:
    """Read a table and its segments; rows with a negative label are in none.

    Parameters
    ----------
    table : array-like of float, shape (n_rows, n_features)
        The rows.
    labels : array-like, shape (n_rows,)
        Their segments.

    Returns
    -------
    SegmentedRows
        Those inside.

    Raises
    ------
    DataError
        If a number is missing or not finite, also in a row outside, or shapes do not fit.
    """
    points = np.asarray(table, dtype=np.float64)
    if points.ndim != 2:
        raise DataError(f"table must have rows and columns, got an array of shape {points.shape}")
    segments = as_column(labels, "labels")
    check_lengths(table=points, labels=segments)
    wrong = ~np.isfinite(points).all(axis=1)
    if wrong.any():
        raise DataError(f"table is missing or not finite in {positions(wrong)}")
    outside = segments < 0 if segments.dtype.kind in "if" else np.zeros(len(segments), dtype=bool)
    names, codes = np.unique(segments[~outside], return_inverse=True)
    return SegmentedRows(points[~outside], codes, names, len(segments))
