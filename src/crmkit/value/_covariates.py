"""Reads static covariates of customers: numbers as they are, text and categories as indicators of frozen levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["check_informative", "codes", "design", "learn_levels", "terms"]

_MOST_LEVELS = 50
"""More levels than these are an identifier or need grouping first: each costs a coefficient."""

_CONSTANT = "covariate {!r} is the same for every customer"
_COLLINEAR = 1e-7
_FARTHEST = 1e6


def learn_levels(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Freeze the levels of each covariate.

    Parameters
    ----------
    frame : pandas.DataFrame
        The covariates of the customers fitted on.

    Returns
    -------
    dict of str to list of str
        The levels in the order of the category, or sorted; none for numbers and truth values.

    Raises
    ------
    DataError
        If a column is neither of numbers, truth values, text nor categories, holds a missing value, or has one level or
        more than 50.
    """
    levels: dict[str, list[str]] = {}
    for column in frame.columns:
        series = frame[column]
        _refuse(series.isna().to_numpy(dtype=bool), column, "is missing")
        if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
            levels[column] = []
            continue
        texts = _texts(series, column)
        seen = set(texts)
        if isinstance(series.dtype, pd.CategoricalDtype):
            known = [str(level) for level in series.cat.categories if str(level) in seen]
        else:
            known = sorted(seen)
        if len(known) > _MOST_LEVELS:
            raise DataError(
                f"covariate {column!r} has {len(known):,} levels, at most {_MOST_LEVELS} are estimated: group the rare "
                "ones, or leave it out if it says who the customer is"
            )
        if len(known) == 1:
            raise DataError(_CONSTANT.format(column))
        levels[column] = known
    return levels


def codes(frame: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> list[npt.NDArray[np.float64]]:
    """Give each covariate as one column of numbers: its own, or those of its levels.

    Parameters
    ----------
    frame : pandas.DataFrame
        The covariates.
    levels : mapping of str to sequence of str
        As frozen.

    Returns
    -------
    list of ndarray of float, shape (n_customers,)
        In the order of ``levels``.

    Raises
    ------
    DataError
        If a value is missing, infinite, or of a level that was not seen before; the message names the column and
        positions.
    """
    columns = []
    for column, known in levels.items():
        series = frame[column]
        _refuse(series.isna().to_numpy(dtype=bool), column, "is missing")
        if known:
            if pd.api.types.is_numeric_dtype(series.dtype):
                raise DataError(f"covariate {column!r} held text when the model was fitted, and now {series.dtype}")
            code = pd.Index(list(known)).get_indexer(pd.Index(_texts(series, column)))
            _refuse(code < 0, column, "is of a level that no customer fitted on had")
            columns.append(code.astype(np.float64))
            continue
        if not (pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)):
            raise DataError(f"covariate {column!r} held numbers when the model was fitted, and now {series.dtype}")
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        _refuse(~np.isfinite(values), column, "is infinite")
        columns.append(values)
    return columns


def terms(column: str, levels: Sequence[str]) -> list[str]:
    """Name the columns of the design that come of one covariate.

    Parameters
    ----------
    column : str
        The covariate.
    levels : sequence of str
        Its levels; none for numbers.

    Returns
    -------
    list of str
        The column itself, or ``column=level`` for every level but the first.
    """
    return [f"{column}={level}" for level in levels[1:]] if levels else [column]


def design(columns: Sequence[npt.NDArray[np.float64]], levels: Mapping[str, Sequence[str]]) -> npt.NDArray[np.float64]:
    """Expand columns of numbers to the terms of a linear predictor.

    Parameters
    ----------
    columns : sequence of ndarray of float, shape (n_rows,)
        As ``codes`` gives them.
    levels : mapping of str to sequence of str
        As frozen.

    Returns
    -------
    ndarray of float, shape (n_rows, n_terms)
        A column for each number, an indicator for every level but the first.
    """
    parts: list[Any] = []
    for column, known in zip(columns, levels.values(), strict=True):
        parts.extend([column == level for level in range(1, len(known))] if known else [column])
    return np.column_stack(parts).astype(np.float64)


def check_informative(
    matrix: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], owners: Sequence[str], names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the mean and spread of each term, refusing those that tell nothing.

    Parameters
    ----------
    matrix : ndarray of float, shape (n_groups, n_terms)
        The design.
    weights : ndarray of float, shape (n_groups,)
        Customers of each group.
    owners : sequence of str
        The covariate each term comes of.
    names : sequence of str
        The terms.

    Returns
    -------
    mean, spread : ndarray of float, shape (n_terms,)
        Over customers.

    Raises
    ------
    DataError
        If a covariate is constant, varies too little to be told from a constant, or follows from those before it.
    """
    share = weights / weights.sum()
    mean = share @ matrix
    spread = np.sqrt(share @ (matrix - mean) ** 2)
    for term, owner in enumerate(owners):
        if np.ptp(matrix[:, term]) == 0:
            raise DataError(_CONSTANT.format(owner))
        if abs(mean[term]) > _FARTHEST * spread[term]:
            raise DataError(
                f"covariate {owner!r} hardly varies for its size: subtract a constant from it, such as its mean"
            )
    upper = np.linalg.qr((matrix - mean) / spread * np.sqrt(share)[:, None], mode="r")
    own = np.zeros(len(names))
    own[: len(upper)] = np.abs(np.diag(upper))
    follows = np.flatnonzero(own < _COLLINEAR)
    if follows.size:
        first = int(follows[0])
        raise DataError(
            f"covariate {owners[first]!r} ({names[first]!r}) follows from those before it: "
            + ", ".join(map(repr, names[:first]))
        )
    return mean, spread


def _texts(series: pd.Series, column: str) -> list[str]:
    """Give levels as text."""
    values = series.astype(object).tolist()
    if not isinstance(series.dtype, pd.CategoricalDtype):
        wrong = np.array([not isinstance(value, str | bool) for value in values], dtype=bool)
        if wrong.any():
            raise DataError(
                f"covariate {column!r} must hold numbers, truth values, text or categories, got {series.dtype}"
                + (f" with something else in {positions(wrong)}" if series.dtype == object else "")
            )
    return [str(value) for value in values]


def _refuse(wrong: npt.NDArray[np.bool_], column: str, reason: str) -> None:
    """Raise naming the column and positions."""
    if wrong.any():
        raise DataError(f"covariate {column!r} {reason} in {positions(wrong)}")
