"""What evaluators are given, brought to arrays of one length or refused with the positions that are wrong."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Missing", "as_column", "as_marks", "as_numbers", "check_lengths", "check_same_order", "check_scale"]

Missing = Literal["exclude", "raise"]


def as_column(values: Any, what: str) -> npt.NDArray[Any]:
    """Give a one-dimensional array without missing entries."""
    if isinstance(values, str | bytes):
        raise DataError(f"{what} must be a column of many entries, got one {type(values).__name__}")
    array = _one_dimensional(values, what)
    if not len(array):
        raise DataError(f"{what} is empty: there is nothing to measure")
    missing = np.asarray(pd.isna(array), dtype=bool)
    if missing.any():
        raise DataError(f"{what} is missing in {positions(missing)}: leave these rows out or fill them first")
    return array


def _one_dimensional(values: Any, what: str) -> npt.NDArray[Any]:
    """Take the array out of whatever holds it."""
    if isinstance(values, pd.Series):
        numeric = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
        if pd.api.types.is_extension_array_dtype(values.dtype):
            nullable = numeric and bool(values.isna().any())
            return values.to_numpy(dtype=np.float64, na_value=np.nan) if nullable else _plain(values)
        return values.to_numpy()
    if hasattr(values, "to_list") and not hasattr(values, "columns"):
        values = values.to_list()
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{what} must be one column, got an array of shape {array.shape}")
    if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
        # numpy silently turns [1, None, "a"] and [1, "a"] into text; keep what was given.
        return np.array([*values], dtype=object)
    return array


def _plain(values: pd.Series) -> npt.NDArray[Any]:
    """Give a column of one of pandas' own types as numpy holds such values."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=getattr(values.dtype, "numpy_dtype", None))
    return values.to_numpy(dtype=object)


def as_numbers(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Give a column of finite numbers."""
    array = as_column(values, what)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must hold numbers, got {_kind(array)}") from None
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise DataError(f"{what} is not finite in {positions(wrong)}")
    return numbers


def _kind(array: npt.NDArray[Any]) -> str:
    """Name what an array holds without showing it."""
    return ", ".join(sorted({type(value).__name__ for value in array.tolist()}))


def check_lengths(**columns: Any) -> None:
    """Refuse columns of unequal length, naming each."""
    if len({len(column) for column in columns.values()}) > 1:
        listed = ", ".join(f"{name} has {len(column):,}" for name, column in columns.items())
        raise DataError(f"the columns must have one entry for each row: {listed}")


def check_same_order(**columns: Any) -> None:
    """Refuse two Series that hold the same rows in another order: matched by position they would be wrong."""
    given = {name: column.index for name, column in columns.items() if isinstance(column, pd.Series)}
    if len(given) < 2:
        return
    (first, left), (second, right) = list(given.items())[:2]
    if len(left) != len(right) or left.equals(right) or not (left.is_unique and right.is_unique):
        return
    if left.isin(right).all():
        raise DataError(
            f"{first} and {second} have the same index in another order, and rows are matched by position: "
            f"write {second}.reindex({first}.index), or hand in {second}.to_numpy() if the positions are right"
        )


def as_marks(
    ratings: Any, scale: tuple[float, float], *, missing: Missing, whole: bool, what: str = "ratings"
) -> npt.NDArray[np.float64]:
    """Give the marks on a declared scale; missing ones are left out and counted, others are refused by position."""
    low, high = check_scale(scale)
    if missing not in {"exclude", "raise"}:
        raise DataError(f"missing must be 'exclude' or 'raise', got {missing!r}")
    if isinstance(ratings, str | bytes):
        raise DataError(f"{what} must be a column of marks, got one {type(ratings).__name__}")
    array = _one_dimensional(ratings, what)
    absent = np.asarray(pd.isna(array), dtype=bool)
    try:
        marks = np.where(absent, np.nan, array).astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must hold numbers, got {_kind(array)}") from None
    _refuse_marks(marks, absent, (low, high), whole=whole, what=what)
    if absent.all():
        raise DataError(f"{what} holds no mark: there is nothing to measure")
    if absent.any() and missing == "raise":
        raise DataError(f"{what} is missing in {positions(absent)}")
    if absent.any():
        message = f"{int(absent.sum()):,} of {len(marks):,} {what} are missing and left out: {positions(absent)}"
        warnings.warn(message, DataWarning, stacklevel=4)
    return np.asarray(marks[~absent], dtype=np.float64)


def _refuse_marks(
    marks: npt.NDArray[np.float64],
    absent: npt.NDArray[np.bool_],
    scale: tuple[float, float],
    *,
    whole: bool,
    what: str,
) -> None:
    """Refuse marks that the scale does not have, naming their positions."""
    low, high = scale
    wrong = ~absent & ~((marks >= low) & (marks <= high))
    if wrong.any():
        raise DataError(f"{what} must lie on the scale {low:g} to {high:g} (scale=…); {positions(wrong)} do not")
    broken = ~absent & (marks != np.round(marks))
    if whole and broken.any():
        raise DataError(f"{what} must be whole marks; {positions(broken)} are not")


def check_scale(scale: tuple[float, float]) -> tuple[float, float]:
    """Refuse a scale that is not (worst, best)."""
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        raise DataError(f"scale must be (lowest, highest), such as (1, 5), got {scale!r}") from None
    if not low < high:
        raise DataError(f"scale must be (lowest, highest), such as (1, 5), got {scale!r}")
    return low, high
