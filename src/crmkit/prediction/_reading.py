"""Reads one column of a customer table: numbers, times and categories, whatever type they come in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_datetime64_any_dtype, is_numeric_dtype

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["as_levels", "as_numbers", "kind_of", "looks_like_id"]

_DAY = np.timedelta64(1, "D")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\S+)?")
# A code such as a postcode, in which 0123 and 123 are two things.
_CODE = re.compile(r"[+-]?0\d")
_ID_NAME = re.compile(r"(?i:(^|[\W_])(id|uuid|guid|key|number|nr|no))$|(?<=[a-z])I[Dd]$|编号$|号码?$")
# Texts of which so many rows hold numbers are numbers with a few remarks among them.
_MOSTLY = 0.9


def kind_of(column: pd.Series[Any], *, max_levels: int) -> str:
    """Say what a column holds.

    Parameters
    ----------
    column : pandas.Series
        The training rows.
    max_levels : int
        With more levels than this, texts that are numbers in nine of ten rows are numbers.

    Returns
    -------
    str
        ``"number"`` (booleans, durations in days and numbers written as text among them), ``"time"`` or ``"category"``.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if is_complex_dtype(dtype):
        raise DataError(f"Complex data not supported: column {column.name!r} holds complex numbers")
    if is_datetime64_any_dtype(dtype):
        return "time"
    if is_numeric_dtype(dtype) or is_bool_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return "number"
    codes, found = _factorized(column)
    inferred = pd.api.types.infer_dtype(found, skipna=True)
    if inferred in {"boolean", "integer", "floating", "mixed-integer-float", "decimal", "timedelta", "empty"}:
        return "number"
    if inferred in {"date", "datetime", "datetime64"}:
        return "time"
    return _kind_of_texts(codes, found, max_levels) if inferred == "string" else "category"


def _kind_of_texts(codes: npt.NDArray[np.intp], found: npt.NDArray[Any], max_levels: int) -> str:
    """Say what texts stand for."""
    words = [str(word).strip() for word in found]
    filled = np.array([bool(word) for word in words], dtype=bool)
    if not filled.any():
        return "number"
    rows = np.bincount(codes[codes >= 0], minlength=len(words))
    if all(_ISO_DATE.fullmatch(word) for word in words if word):
        return "time"
    if any(_CODE.match(word) for word in words):
        return "category"
    parsed = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").notna().to_numpy()
    if parsed[filled].all():
        return "number"
    mostly = rows[parsed].sum() >= _MOSTLY * rows[filled].sum()
    return "number" if mostly and len(words) > max_levels else "category"


def as_numbers(column: pd.Series[Any], kind: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give a column as numbers.

    Parameters
    ----------
    column : pandas.Series
        Of any type.
    kind : {"number", "time"}
        What it held when it was fitted.

    Returns
    -------
    values : ndarray of float64, shape (n_rows,)
        Times in days since 1970-01-01 UTC, durations in days; NaN where missing.
    lost : ndarray of bool, shape (n_rows,)
        Rows that hold something that is no such value, given as NaN.
    """
    dtype = column.dtype
    if kind == "time":
        values = _days(column)
    elif isinstance(dtype, pd.CategoricalDtype):
        return as_numbers(column.astype(dtype.categories.dtype), kind)
    elif pd.api.types.is_timedelta64_dtype(dtype):
        values = np.asarray(column.to_numpy() / _DAY, dtype=np.float64)
    elif is_numeric_dtype(dtype) or is_bool_dtype(dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, found = _factorized(column)
        words = pd.Series([_number(value) for value in found], dtype=object)
        known = np.asarray(pd.to_numeric(words, errors="coerce"), dtype=np.float64)
        values = np.append(known, np.nan)[codes]
    there = column.notna().to_numpy(dtype=bool)
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        there = there & column.astype(str).str.strip().ne("").to_numpy(dtype=bool)
    return values, np.isnan(values) & there


def _number(value: Any) -> Any:
    """Bring one entry to what pandas reads as a number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return float(value)
    return value / pd.Timedelta(days=1) if isinstance(value, pd.Timedelta) else value


def _days(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Give times as days since 1970-01-01, those without a zone as if of UTC."""
    if not is_datetime64_any_dtype(column.dtype):
        given = column.astype(object)
        texts = pd.api.types.infer_dtype(given, skipna=True) == "string"
        column = pd.to_datetime(given, errors="coerce", utc=True, format="ISO8601" if texts else None)
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    instants = column.to_numpy(dtype="datetime64[us]")
    return np.asarray((instants - np.datetime64(0, "us")) / _DAY, dtype=np.float64)


def as_levels(column: pd.Series[Any]) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Give a column as places in a list of words; blanks are missing.

    Parameters
    ----------
    column : pandas.Series
        Of any type.

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
        Places in ``words``; -1 is missing.
    words : list of str
        Different ones.
    """
    codes, found = _factorized(column)
    words = [_word(value) for value in found]
    places = {word: place for place, word in enumerate(dict.fromkeys(word for word in words if word))}
    moved = np.array([*(places.get(word, -1) for word in words), -1], dtype=np.intp)
    return moved[codes], list(places)


def _word(value: Any) -> str:
    """Write one level: 3.0 and 3 are the same."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _factorized(column: pd.Series[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any]]:
    """Give places among the different values of a column, -1 where it is missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.intp), column.cat.categories.to_numpy(dtype=object)
    try:
        codes, found = pd.factorize(column.astype(object))
    except TypeError:
        raise DataError(
            f"column {column.name!r} holds lists or other objects that are neither numbers nor words: drop it"
        ) from None
    return np.asarray(codes, dtype=np.intp), np.asarray(found, dtype=object)


def looks_like_id(name: str) -> bool:
    """Say whether a column is called as numbers that only name something are.

    Parameters
    ----------
    name : str
        Such as ``"customerID"``.

    Returns
    -------
    bool
        True for names that end in id, number, key, 编号 and the like.
    """
    return bool(_ID_NAME.search(name))
