"""Ids in, ids out: distinct ids in a fixed order, numbered once and found again by value or by text."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Ids", "as_ids", "number_ids"]


class Ids:
    """Distinct ids, sorted, each known by its number.

    Whole numbers stay whole numbers, everything else is text. An id is found whether it is asked for as a number or as
    its text, so that a model fitted on text ids (as ``records.read`` makes them) can be asked with numbers.

    Parameters
    ----------
    values : ndarray of int64 or of str objects, shape (n_ids,)
        The distinct ids.
    """

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self.values: npt.NDArray[Any] = values

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def _index(self) -> pd.Index:
        index: pd.Index = pd.Index(self.values, dtype=self.values.dtype)
        return index

    def numbers_of(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Give the number of each id, -1 where it is not among them.

        Parameters
        ----------
        ids : ndarray of shape (n,)
            As ``as_ids`` gives them.

        Returns
        -------
        ndarray of int64, shape (n,)
            Numbers.
        """
        if ids.dtype != self.values.dtype:
            if self.values.dtype == object:
                ids = ids.astype(str).astype(object)
            else:
                whole = pd.to_numeric(pd.Series(ids, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
                # " 7" and "07" are other texts than 7.
                numbers = np.where(np.isfinite(whole) & (np.abs(whole) < 2**53), whole, -(2**53)).astype(np.int64)
                same = numbers.astype(str).astype(object) == ids
                found: npt.NDArray[np.int64] = np.asarray(self._index.get_indexer(pd.Index(numbers)), dtype=np.int64)
                return np.where(same, found, -1)
        return np.asarray(self._index.get_indexer(pd.Index(ids, dtype=ids.dtype)), dtype=np.int64)

    def joined(self, others: npt.NDArray[Any]) -> Ids:
        """Give these ids and others together.

        Parameters
        ----------
        others : ndarray of shape (n,)
            As ``as_ids`` gives them.

        Returns
        -------
        Ids
            All of them, sorted anew; text where one of the two is text.
        """
        mine = self.values
        if others.dtype != mine.dtype:
            mine, others = mine.astype(str).astype(object), others.astype(str).astype(object)
        return Ids(_sorted(pd.unique(np.concatenate([mine, others]))))


def as_ids(column: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Bring ids to whole numbers or text.

    Parameters
    ----------
    column : list, array, Series, or column of Polars or PyArrow
        Ids; 13085.0, as pandas shows 13085 beside a missing one, is 13085.

    Returns
    -------
    tuple of ndarray of int64 or of str objects, and ndarray of bool
        The ids, and where one is missing (its own value is then 0 or empty).

    Raises
    ------
    TypeError
        If it is one id instead of many.
    """
    if isinstance(column, str | bytes) or np.ndim(column) == 0:
        raise TypeError(f"ids must be a list, array or Series, got one {type(column).__name__}: put it in a list")
    series = _as_series(column)
    missing = series.isna().to_numpy(dtype=bool)
    kind = series.dtype
    if pd.api.types.is_float_dtype(kind):
        known = series.to_numpy(dtype=np.float64, na_value=0.0, copy=True)
        known[missing] = 0.0
        if np.isfinite(known).all() and (known == np.floor(known)).all() and (np.abs(known) < 2**53).all():
            return known.astype(np.int64), missing
    if pd.api.types.is_integer_dtype(kind) and not pd.api.types.is_unsigned_integer_dtype(kind):
        return series.to_numpy(dtype=np.int64, na_value=0), missing
    texts = series.astype(object).to_numpy(dtype=object, copy=True)
    texts[missing] = ""
    if pd.api.types.infer_dtype(texts, skipna=False) == "integer":
        # A list of whole numbers with a gap: numbers again, as they were meant.
        texts[missing] = 0
        return texts.astype(np.int64), missing
    if pd.api.types.infer_dtype(texts, skipna=False) not in {"string", "empty"}:
        texts = np.array([str(text) for text in texts], dtype=object)
    missing = missing | np.asarray(texts == "", dtype=bool)
    return texts, missing


def number_ids(column: Any) -> tuple[npt.NDArray[np.int64], Ids]:
    """Number the ids of a column.

    Parameters
    ----------
    column : Series
        One id a row.

    Returns
    -------
    tuple of ndarray of int64 (n_rows,) and Ids
        The number of each row's id, -1 where it is missing, and the ids in sorted order.
    """
    rows, distinct = pd.factorize(_as_series(column), use_na_sentinel=True)
    values, missing = as_ids(pd.Series(distinct))
    again, values = pd.factorize(values)  # 1 and "1" are one id
    values = np.asarray(values)
    again = np.where(missing, -1, again)
    present = np.zeros(len(values), dtype=bool)
    present[again[again >= 0]] = True
    ordered = _sorted(values[present])
    place = Ids(ordered).numbers_of(values)
    place[~present] = -1
    of_distinct = np.append(np.where(again >= 0, place[again], -1), -1)  # the last one is for missing rows, at -1
    return of_distinct[rows], Ids(ordered)


def _as_series(column: Any) -> pd.Series:
    """Bring a column of any library to pandas."""
    if isinstance(column, pd.Series):
        series = column
    else:
        unwrap = getattr(column, "to_pylist", None) or getattr(column, "to_list", None)
        keep = isinstance(column, np.ndarray | pd.Index | pd.api.extensions.ExtensionArray) or unwrap is None
        series = pd.Series(column if keep or unwrap is None else unwrap())
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.dtype.categories.dtype)
    return series


def _sorted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sort distinct ids: numbers by size, texts by their characters."""
    if values.dtype != object:
        return np.sort(values)
    return np.array(sorted(values), dtype=object)
