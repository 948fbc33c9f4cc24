"""Rows in falling order of score, and where the order may be cut: never between equal scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.metrics._columns import as_numbers, check_lengths, check_same_order
from crmkit.metrics._labels import code_actual, positive_label

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Ranked", "as_amounts", "rank", "refuse_bins"]


@dataclass(frozen=True)
class Ranked:
    """Rows by falling score.

    Parameters
    ----------
    order : ndarray of int, shape (n_rows,)
        Positions of the rows as given, the highest score first.
    positive : ndarray of bool, shape (n_rows,)
        In this order, which rows are of the positive label.
    scores : ndarray of float64, shape (n_rows,)
        In this order.
    """

    order: npt.NDArray[np.intp]
    positive: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]

    def cuts(self, n_bins: int) -> npt.NDArray[np.intp]:
        """Give how many rows lie above each cut: the ends of equal parts, moved down to the end of equal scores."""
        n_rows = len(self.scores)
        wanted = np.ceil(np.arange(1, n_bins + 1) * n_rows / n_bins - 1e-9).astype(np.intp)
        ends = np.append(np.flatnonzero(np.diff(self.scores)) + 1, n_rows)
        return np.unique(ends[np.searchsorted(ends, wanted)])


def rank(actual: Any, scores: Any, positive: Any) -> Ranked:
    """Order rows by falling score; equal scores keep the order in which they are given."""
    check_same_order(actual=actual, scores=scores)
    numbers = as_numbers(scores, "scores")
    codes, labels = code_actual(actual, None)
    check_lengths(actual=codes, scores=numbers)
    place = 1 if positive is None and len(labels) == 2 else positive_label(labels, positive)
    order = np.argsort(-numbers, kind="stable")
    return Ranked(order, np.asarray(codes == place)[order], numbers[order])


def refuse_bins(n_bins: int, n_rows: int) -> None:
    """Refuse parts that cannot be made."""
    if isinstance(n_bins, bool) or not hasattr(n_bins, "__index__") or n_bins < 1:
        raise DataError(f"n_bins must be a whole number of at least 1, got {n_bins!r}")
    if not n_rows:
        raise DataError("there are no rows")


def as_amounts(values: Any, what: str, order: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Give an amount a row in the order of the scores, from one number or a column."""
    if np.ndim(values) == 0:
        number = float(values)
        if not np.isfinite(number):
            raise DataError(f"{what} must be finite, got {number!r}")
        return np.full(len(order), number)
    column = as_numbers(values, what)
    check_lengths(actual=order, **{what: column})
    return column[order]
