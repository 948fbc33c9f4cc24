"""Brings the columns of an evaluation to arrays: outcomes, arms, covariates and clusters."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["as_names", "cluster_codes", "column_numbers", "covariate_matrix", "evaluation_frame", "labels_and_codes"]

_MOST_LEVELS = 50


def evaluation_frame(table: Any, columns: Sequence[str | None], *, what: str = "table") -> pd.DataFrame:
    """Give the columns named, of a table whose ``customer_id`` may stand in the index.

    Parameters
    ----------
    table : table
        What was handed in.
    columns : sequence of str or None
        The columns wanted; None is left out.
    what : str, default="table"
        Its name in messages.

    Returns
    -------
    pandas.DataFrame
        Those columns with a new index.

    Raises
    ------
    DataError
        If one is missing or the table has no rows.
    """
    frame = as_frame(table, what=what)
    wanted = list(dict.fromkeys(name for name in columns if name is not None))
    if frame.index.name in wanted and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    require_columns(frame, wanted, what=what)
    if not len(frame):
        raise DataError(f"{what} has no rows: there is nothing to evaluate")
    return frame[wanted].reset_index(drop=True)


def as_names(names: str | Sequence[str], what: str) -> list[str]:
    """Give a list of column names, also of one name.

    Parameters
    ----------
    names : str or sequence of str
        One name or several.
    what : str
        The parameter's name in messages.

    Returns
    -------
    list of str
        Without repetition.

    Raises
    ------
    DataError
        If one is no text.
    """
    listed = [names] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) for name in listed):
        raise DataError(f"{what} must be names of columns")
    return list(dict.fromkeys(listed))


def column_numbers(frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """Give a column of numbers, missing where it is missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        Its name.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Finite or NaN.

    Raises
    ------
    DataError
        If it holds text, times or infinite numbers, naming positions.
    """
    series = frame[column]
    if isinstance(series.dtype, pd.CategoricalDtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        raise DataError(f"{column} must hold numbers, got {series.dtype}")
    absent = series.isna().to_numpy(dtype=bool)
    try:
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        text = np.fromiter((isinstance(value, str) for value in series), dtype=bool, count=len(series))
        raise DataError(
            f"{column} must hold numbers; {positions(text & ~absent)} hold text or something else"
        ) from None
    wrong = np.isinf(numbers)
    if wrong.any():
        raise DataError(f"{column} is infinite in {positions(wrong)}")
    return np.asarray(numbers, dtype=np.float64)


def labels_and_codes(values: pd.Series[Any]) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """Number the different values of a column in their order.

    Parameters
    ----------
    values : Series
        Arms, segments, periods.

    Returns
    -------
    labels : list
        The different values, sorted where they can be.
    codes : ndarray of int, shape (n_rows,)
        The place of each row's value; -1 where it is missing.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        return list(values.cat.categories), values.cat.codes.to_numpy().astype(np.intp)
    found, labels = pd.factorize(values.astype(object), use_na_sentinel=True)
    codes: npt.NDArray[np.intp] = np.asarray(found, dtype=np.intp)
    try:
        order = np.array(sorted(range(len(labels)), key=lambda at: labels[at]), dtype=np.intp)
    except TypeError:
        order = np.array(sorted(range(len(labels)), key=lambda at: str(labels[at])), dtype=np.intp)
    place = np.empty(len(labels) + 1, dtype=np.intp)
    place[order] = np.arange(len(labels))
    place[-1] = -1
    return [labels[at] for at in order.tolist()], np.asarray(place[codes], dtype=np.intp)


def cluster_codes(frame: pd.DataFrame, cluster: str | None) -> npt.NDArray[np.intp] | None:
    """Number the clusters, refusing rows without one.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    cluster : str or None
        The column, such as ``customer_id``.

    Returns
    -------
    ndarray of int or None
        None where there is no such column.

    Raises
    ------
    DataError
        If it is missing in a row.
    """
    if cluster is None:
        return None
    codes = pd.factorize(frame[cluster])[0].astype(np.intp)
    if (codes < 0).any():
        raise DataError(f"{cluster} is missing in {positions(codes < 0)}: rows without it belong to no cluster")
    return codes


def covariate_matrix(
    frame: pd.DataFrame, covariates: Sequence[str], *, stacklevel: int = 3
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Turn covariates into numbers: categories into indicators, missing ones into the mean and an indicator.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    covariates : sequence of str
        Columns of numbers, truth values or categories.
    stacklevel : int, default=3
        Of the warning.

    Returns
    -------
    matrix : ndarray of float64, shape (n_rows, n_columns)
        Finite; constant columns are left out.
    names : list of str
        Of its columns.

    Raises
    ------
    DataError
        If a covariate is infinite, a time, or has more than 50 categories.
    """
    columns: list[npt.NDArray[np.float64]] = []
    names: list[str] = []
    filled: list[str] = []
    for name in covariates:
        series = frame[name]
        absent = series.isna().to_numpy(dtype=bool)
        if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
            numbers = column_numbers(frame, name)
            numbers = np.where(absent, numbers[~absent].mean() if not absent.all() else 0.0, numbers)
            columns.append(numbers)
            names.append(name)
        elif pd.api.types.is_datetime64_any_dtype(series.dtype):
            raise DataError(f"{name} holds times: turn it into a number, such as days before the experiment")
        else:
            labels, codes = labels_and_codes(series)
            if len(labels) > _MOST_LEVELS:
                raise DataError(f"{name} has {len(labels):,} categories: group them to at most {_MOST_LEVELS} first")
            # The most frequent category stands behind the intercept.
            base = int(np.bincount(codes[codes >= 0]).argmax()) if labels else 0
            for at, label in enumerate(labels):
                if at != base:
                    columns.append((codes == at).astype(np.float64))
                    names.append(f"{name}={label}")
        if absent.any():
            filled.append(f"{name} ({int(absent.sum()):,})")
            columns.append(absent.astype(np.float64))
            names.append(f"{name} is missing")
    if filled:
        warnings.warn(
            f"covariates are missing and take the mean and an indicator of their own: {', '.join(filled)}",
            DataWarning,
            stacklevel=stacklevel,
        )
    varied = [at for at, column in enumerate(columns) if np.ptp(column) > 0]
    matrix = np.column_stack([columns[at] for at in varied]) if varied else np.empty((len(frame), 0))
    return matrix, [names[at] for at in varied]
