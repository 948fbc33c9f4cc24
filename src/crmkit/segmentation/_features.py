"""The columns that customers are segmented by: chosen, named, and refused where a value cannot be used."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import (
    is_bool_dtype,
    is_complex_dtype,
    is_datetime64_any_dtype,
    is_numeric_dtype,
    is_timedelta64_dtype,
)

from crmkit.core.checks import by_customer, positions, require_columns
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["RFM_COLUMNS", "WHAT", "choose_features", "declaration", "feature_frame", "read_customers"]

RFM_COLUMNS = ("recency_days", "frequency", "monetary")
WHAT = "customer table"
MOST_NAMED = 3


def read_customers(table: Any) -> pd.DataFrame:
    """Bring a customer table to one row a customer, with columns named by text; a CSV file gives numbers as numbers."""
    frame = by_customer(table, what=WHAT)
    if isinstance(table, str | Path):
        frame = _with_numbers(frame)
    if not len(frame):
        raise DataError(f"{WHAT} has no rows: there is nobody to segment")
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        raise DataError(f"{WHAT} has more than one column named {', '.join(map(repr, twice))}")
    return frame


def _with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn text columns into numbers where every text of them is one, because a CSV file is read as text."""
    turned = frame.copy()
    for name, column in frame.items():
        if not is_numeric_dtype(column):
            with contextlib.suppress(ValueError, TypeError):
                turned[name] = pd.to_numeric(column)
    return turned


def choose_features(
    frame: pd.DataFrame, features: Sequence[str] | None, *, rfm: bool, mixed: bool = False
) -> tuple[str, ...]:
    """Say which columns to segment by, telling what is left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        The customer table.
    features : sequence of str or None
        What the caller asked for.
    rfm : bool
        Whether the three RFM columns are meant where the caller asked for none.
    mixed : bool, default=False
        Whether the segmenter takes categories, so that all columns are meant.

    Returns
    -------
    tuple of str
        Column names, in the order they are used.
    """
    if features is not None:
        if isinstance(features, str):
            raise TypeError(f"features must be a list of column names, got one str: [{features!r}]")
        chosen = tuple(map(str, features))
        if not chosen or len(set(chosen)) < len(chosen):
            raise DataError(f"features must name at least one column, each once, got {list(chosen)}")
        require_columns(frame, chosen, what=WHAT)
        return chosen
    if rfm:
        hint = "make it with preparation.rfm_table, or name other columns in features= (transform='scale' fits any)"
        require_columns(frame, RFM_COLUMNS, what=WHAT, hint=hint)
        return RFM_COLUMNS
    if mixed and len(frame.columns):
        return tuple(frame.columns)
    numeric = tuple(name for name in frame.columns if _is_number(frame[name]))
    left_out = [name for name in frame.columns if name not in numeric]
    if not numeric:
        raise DataError(f"{WHAT} has no numeric column to segment by; it has: {', '.join(left_out) or 'no columns'}")
    if left_out:
        warnings.warn(
            f"not segmented by {', '.join(left_out)}: not numeric; name the columns in features= to choose",
            DataWarning,
            stacklevel=4,
        )
    return numeric


def feature_frame(
    frame: pd.DataFrame, features: Sequence[str], *, filled: Collection[str] = (), hint: bool = False
) -> pd.DataFrame:
    """Take the columns as float64, or say in one error what cannot be used and where.

    Parameters
    ----------
    frame : pandas.DataFrame
        The customer table.
    features : sequence of str
        The columns.
    filled : collection of str, default=()
        Those that may be missing, because it is declared what fills them.
    hint : bool, default=False
        Whether the error says how to declare that.

    Returns
    -------
    pandas.DataFrame
        Finite float64 values, NaN where that is filled later.

    Raises
    ------
    DataError
        Naming every column that is missing, not numeric, or holds missing or infinite values, with row positions.
    """
    require_columns(frame, list(features), what=WHAT)
    problems, gaps = [], []
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name in features:
        if not _is_number(frame[name]):
            problems.append(f"{name!r} is not numeric ({frame[name].dtype}){_way_out(frame[name])}")
            continue
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        columns[name] = values
        if name not in filled and np.isnan(values).any():
            gaps.append(name)
            problems.append(f"{name!r} is missing in {positions(np.isnan(values))}")
        if np.isinf(values).any():
            problems.append(f"{name!r} is infinite in {positions(np.isinf(values))}")
    if problems:
        way = "fill or drop them first"
        if gaps and hint:
            way += f", or declare what fills them: {declaration(gaps, 'median')}"
        elif gaps:
            way += f", such as with table.dropna(subset={gaps})" if len(gaps) <= MOST_NAMED else ""
        raise DataError(f"{WHAT} cannot be segmented: {'; '.join(problems)}; {way}")
    return pd.DataFrame(columns, index=frame.index)


def declaration(names: Sequence[str], rule: str) -> str:
    """Write what a caller types so that missing values of these columns are filled."""
    rules = ", ".join(f"{name!r}: {rule!r}" for name in names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    return f"transform=preparation.for_clustering(missing={{{rules}}})"


def _way_out(column: pd.Series[Any]) -> str:
    """Say what times can be made of."""
    times = is_datetime64_any_dtype(column) or is_timedelta64_dtype(column)
    return ": make it days, such as those before a cutoff" if times else ""


def _is_number(column: pd.Series[Any]) -> bool:
    """Say whether a column can stand as float64."""
    return bool((is_numeric_dtype(column) or is_bool_dtype(column)) and not is_complex_dtype(column))
