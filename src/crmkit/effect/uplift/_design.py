"""Brings features to one matrix of numbers, in the way that was fixed when the model was fitted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.effect._columns import column_numbers, labels_and_codes

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Design", "features"]

_MOST_LEVELS = 50


def features(X: Any) -> pd.DataFrame:
    """Give features as a frame whose columns have text for names.

    Parameters
    ----------
    X : table or array, shape (n_customers, n_features)
        As handed in; columns of an array are called x0, x1, ...

    Returns
    -------
    pandas.DataFrame
        With the index of the table.

    Raises
    ------
    DataError
        If there are no rows, or it is no table of two dimensions.
    """
    if isinstance(X, list | tuple | np.ndarray):
        array = np.asarray(X)
        if array.ndim != 2:
            raise DataError(f"X must have two dimensions, a row a customer, got {array.ndim}")
        frame = pd.DataFrame(array, columns=[f"x{at}" for at in range(array.shape[1])])
        frame = frame.infer_objects() if array.dtype == object else frame
    else:
        frame = as_frame(X, what="X")
        frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    if not len(frame):
        raise DataError("X has no rows")
    return frame


@dataclass(frozen=True)
class _Column:
    """How one column becomes numbers: a filling for numbers, levels for categories."""

    name: str
    fill: float
    marks_missing: bool
    levels: tuple[Any, ...] | None
    base: Any


@dataclass(frozen=True)
class Design:
    """The columns of a model's features, and how each becomes numbers.

    Parameters
    ----------
    columns : tuple
        One entry a column of the table.
    """

    columns: tuple[_Column, ...]

    @classmethod
    def learn(cls, frame: pd.DataFrame) -> Design:
        """Fix how a table becomes numbers; columns that do not vary are left out.

        Parameters
        ----------
        frame : pandas.DataFrame
            Features of the customers to learn from.

        Returns
        -------
        Design
            Usable on any later table.

        Raises
        ------
        DataError
            If a column is infinite, holds times, or more than 50 categories.
        """
        found: list[_Column] = []
        for name in frame.columns:
            series = frame[name]
            absent = series.isna().to_numpy(dtype=bool)
            if pd.api.types.is_datetime64_any_dtype(series.dtype):
                raise DataError(f"{name} holds times: turn it into a number, such as days before the experiment")
            if pd.api.types.is_numeric_dtype(series.dtype):
                numbers = column_numbers(frame, name)[~absent]
                if not absent.any() and np.ptp(numbers) == 0:
                    continue
                fill = float(numbers.mean()) if len(numbers) else 0.0
                found.append(_Column(name, fill, bool(absent.any()), None, None))
                continue
            levels, codes = labels_and_codes(series)
            if len(levels) > _MOST_LEVELS:
                raise DataError(f"{name} has {len(levels):,} categories: group them to at most {_MOST_LEVELS} first")
            base = levels[int(np.bincount(codes[codes >= 0]).argmax())] if levels else None
            if len(levels) > 1 or absent.any():
                found.append(_Column(name, 0.0, bool(absent.any()), tuple(levels), base))
        return cls(tuple(found))

    def matrix(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Turn a table into numbers.

        Missing numbers take the mean of those learned from, and a mark where some were missing then too.

        Parameters
        ----------
        frame : pandas.DataFrame
            Features.

        Returns
        -------
        ndarray of float64, shape (n_customers, n_columns)
            Finite.

        Raises
        ------
        DataError
            If a column is absent, infinite, or holds no numbers where numbers were learned.
        """
        require_columns(frame, [column.name for column in self.columns], what="X")
        parts: list[npt.NDArray[np.float64]] = []
        strange: list[str] = []
        for column in self.columns:
            absent = frame[column.name].isna().to_numpy(dtype=bool)
            unknown = absent & (not column.marks_missing)
            if column.levels is None:
                parts.append(np.where(absent, column.fill, column_numbers(frame, column.name)))
            else:
                values = frame[column.name].astype(object)
                known = values.isin(list(column.levels)).to_numpy(dtype=bool)
                unknown = unknown | (~known & ~absent)
                parts.extend(
                    (values == level).to_numpy(dtype=np.float64, na_value=0.0)
                    for level in column.levels
                    if level != column.base
                )
            if column.marks_missing:
                parts.append(absent.astype(np.float64))
            if unknown.any():
                strange.append(f"{column.name} ({int(unknown.sum()):,})")
        if strange:
            warnings.warn(
                "values that were not among those learned from count as the mean or the commonest category: "
                + ", ".join(strange),
                DataWarning,
                stacklevel=4,
            )
        return np.column_stack(parts) if parts else np.zeros((len(frame), 1))
