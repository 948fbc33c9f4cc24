"""Actual and predicted labels as codes into one ordered list of labels, and their cell counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.metrics._columns import as_column, check_lengths, check_same_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Coded", "code_actual", "code_pair", "in_order", "positive_label"]


@dataclass(frozen=True)
class Coded:
    """Two label columns as positions in one list of labels."""

    actual: npt.NDArray[np.intp]
    predicted: npt.NDArray[np.intp]
    labels: list[Any]

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.actual)

    def counts(self) -> npt.NDArray[np.int64]:
        """Count rows by actual (rows) and predicted (columns) label."""
        size = len(self.labels)
        flat = np.bincount(self.actual * size + self.predicted, minlength=size * size)
        return flat.reshape(size, size).astype(np.int64)


def code_pair(actual: Any, predicted: Any, labels: Sequence[Any] | None = None) -> Coded:
    """Code two label columns; without ``labels`` the list is every label seen in either, in ascending order."""
    check_same_order(actual=actual, predicted=predicted)
    given = {"actual": as_column(actual, "actual"), "predicted": as_column(predicted, "predicted")}
    check_lengths(**given)
    kinds = [_kind(column) for column in given.values()]
    if set(kinds) == {"numbers", "text"}:
        raise DataError(f"actual holds {kinds[0]} and predicted {kinds[1]}: no label of one could equal the other's")
    n_rows = len(given["actual"])
    codes, found = pd.factorize(_joined(given["actual"], given["predicted"]))
    ordered = in_order(found.tolist()) if labels is None else _checked(labels)
    place = {label: position for position, label in enumerate(ordered)}
    lookup = np.array([place.get(label, -1) for label in found.tolist()], dtype=np.intp)
    placed = lookup[codes]
    for name, column in (("actual", placed[:n_rows]), ("predicted", placed[n_rows:])):
        _refuse_unknown(column, name)
    return Coded(placed[:n_rows], placed[n_rows:], ordered)


def code_actual(actual: Any, labels: Sequence[Any] | None = None) -> tuple[npt.NDArray[np.intp], list[Any]]:
    """Code one label column, for figures that compare it with scores."""
    column = as_column(actual, "actual")
    codes, found = pd.factorize(column)
    ordered = in_order(found.tolist()) if labels is None else _checked(labels)
    place = {label: position for position, label in enumerate(ordered)}
    placed = np.array([place.get(label, -1) for label in found.tolist()], dtype=np.intp)[codes]
    _refuse_unknown(placed, "actual")
    return placed, ordered


def _refuse_unknown(codes: npt.NDArray[np.intp], name: str) -> None:
    """Refuse a label that the caller's list leaves out."""
    if (codes < 0).any():
        raise DataError(f"{name} holds a label that is not in labels= in {positions(codes < 0)}")


def _joined(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Put two columns under each other without turning numbers into text."""
    if object in {left.dtype, right.dtype} or left.dtype.kind != right.dtype.kind:
        numeric = left.dtype.kind in "biuf" and right.dtype.kind in "biuf"
        dtype: Any = np.float64 if numeric else object
        return np.concatenate([left.astype(dtype), right.astype(dtype)])
    joined = np.concatenate([left, right])
    return joined.astype(object) if joined.dtype.kind in "US" else joined


def _kind(column: npt.NDArray[Any]) -> str:
    """Say whether labels are text or numbers; labels of another kind are left to equality."""
    if column.dtype.kind in "biuf":
        return "numbers"
    if column.dtype.kind in "US":
        return "text"
    names = {"text" if isinstance(v, str) else "numbers" if isinstance(v, int | float) else "objects" for v in column}
    return names.pop() if len(names) == 1 else "labels of several kinds"


def _checked(labels: Sequence[Any]) -> list[Any]:
    """Refuse an empty list of labels, or one with a label twice."""
    ordered = np.asarray(labels, dtype=object).tolist() if not isinstance(labels, list) else list(labels)
    ordered = [label.item() if isinstance(label, np.generic) else label for label in ordered]
    if not ordered or len(set(ordered)) != len(ordered):
        raise DataError("labels must be a list of different labels, in the order wanted")
    return ordered


def in_order(labels: list[Any]) -> list[Any]:
    """Sort labels, also where their kinds cannot be compared."""
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def positive_label(labels: list[Any], positive: Any) -> int:
    """Give the position of the label that counts as positive, guessing only where 1 or True says it."""
    if positive is not None:
        if positive not in labels:
            raise DataError("the positive label is neither in actual nor in predicted: check positive=")
        return labels.index(positive)
    if set(labels) <= {0, 1} or set(labels) <= {-1, 1}:
        return labels.index(1) if 1 in labels else -1
    raise DataError(f"name the label that counts as positive (positive=…): {len(labels)} labels were seen")
