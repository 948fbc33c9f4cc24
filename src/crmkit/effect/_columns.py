"""Brings the columns of an evaluation to arrays: outcomes, arms, covariates and clusters."""

from __future__ import annotations

import warnings
from decimal import Decimal
from numbers import Real
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
_LARGEST = 1e60
"""Fourth powers of larger numbers are no longer numbers, and intervals of lifts need them."""


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
        If it holds text, categories, times, or numbers that are infinite or beyond 1e60, naming positions.
    """
    series = frame[column]
    kind = series.dtype
    loose = pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind)
    plain = pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)
    if isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_complex_dtype(kind) or not (loose or plain):
        raise DataError(f"{column} must hold numbers, got {kind}: turn it into a number or a truth value first")
    absent = series.isna().to_numpy(dtype=bool)
    if loose:
        number = (Real, Decimal, np.bool_)
        strange = ~np.fromiter((isinstance(value, number) for value in series), dtype=bool, count=len(series))
        if (strange & ~absent).any():
            raise DataError(f"{column} must hold numbers; {positions(strange & ~absent)} hold text or something else")
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isinf(numbers)
    if wrong.any():
        raise DataError(f"{column} is infinite in {positions(wrong)}")
    wrong = np.abs(numbers) > _LARGEST
    if wrong.any():
        raise DataError(f"{column} is beyond {_LARGEST:g} in {positions(wrong)}: give it in a larger unit")
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
) -> tuple[npt.NDArray[np.float64], list[str], list[str]]:
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
    names, owners : list of str
        Of its columns, and the covariate that each comes from.

    Raises
    ------
    DataError
        If a covariate is infinite, a time, or has more than 50 categories.
    """
    columns: list[npt.NDArray[np.float64]] = []
    names: list[str] = []
    owners: list[str] = []
    filled: list[str] = []
    for name in covariates:
        series = frame[name]
        absent = series.isna().to_numpy(dtype=bool)
        if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
            numbers = column_numbers(frame, name)
            numbers = np.where(absent, numbers[~absent].mean() if not absent.all() else 0.0, numbers)
            columns.append(numbers)
            names.append(name)
        elif getattr(series.dtype, "kind", "O") in "mM" or isinstance(series.dtype, pd.PeriodDtype):
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
        owners += [name] * (len(names) - len(owners))
    if filled:
        warnings.warn(
            f"covariates are missing and take the mean and an indicator of their own: {', '.join(filled)}",
            DataWarning,
            stacklevel=stacklevel,
        )
    varied = [at for at, column in enumerate(columns) if np.ptp(column) > 0]
    matrix = np.column_stack([columns[at] for at in varied]) if varied else np.empty((len(frame), 0))
    return matrix, [names[at] for at in varied], [owners[at] for at in varied]
