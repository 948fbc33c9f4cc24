"""Numbers and categories of a mixed table, with the categories frozen when fitting."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_bool_dtype, is_complex_dtype, is_numeric_dtype
from scipy import sparse
from sklearn.utils.validation import validate_data

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = [
    "UNKNOWN",
    "Mixed",
    "as_original",
    "column_names",
    "is_number",
    "read_categories",
    "read_mixed",
    "tell_unseen",
]

# The code of a category that is missing, where that is allowed.
UNKNOWN = -2
# Squares of larger numbers overflow, and every distance would be infinite.
LARGEST = 1e150
_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "empty"})


class Mixed(NamedTuple):
    """A table apart into its numbers and its categories.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numeric)
        Finite float64 values; NaN where missing values are allowed.
    codes : ndarray of shape (n_rows, n_categorical)
        Places in the frozen categories; -1 is a category that was not there when fitting, ``UNKNOWN`` a missing one.
    """

    numbers: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]


def read_mixed(
    estimator: Any, X: Any, *, categorical: Sequence[Any] | None = None, reset: bool, warn: bool = True,
    missing: bool = False,
) -> Mixed:  # fmt: skip
    """Read a table for an estimator, which keeps columns and categories when it is fitted.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_``, ``feature_names_in_``, ``numeric_``, ``categorical_`` and ``categories_`` where
        ``reset``, and is asked for them otherwise.
    X : table or array-like of shape (n_rows, n_features)
        The rows.
    categorical : sequence of str or int, or None
        Names or positions of the categorical columns; None finds them by dtype in a table, and none in an array.
    reset : bool
        Whether the estimator is being fitted.
    warn : bool, default=True
        Whether a category that was not there when fitting is told.
    missing : bool, default=False
        Whether values may be missing.

    Returns
    -------
    Mixed
        Numbers and codes.

    Raises
    ------
    DataError
        One for all columns that cannot be used, with row positions and without values.
    """
    table = _as_table(X)
    if not isinstance(table, pd.DataFrame) and categorical is None and (reset or not len(estimator.categorical_)):
        numbers = _plain_numbers(estimator, table, reset=reset)
        _check_numbers(numbers, [f"column {place}" for place in range(numbers.shape[1])], missing=missing)
        if reset:
            _keep_columns(estimator, list(range(numbers.shape[1])), [])
            estimator.categories_ = []
        return Mixed(numbers, np.zeros((len(numbers), 0), dtype=np.intp))
    _check_shape(table)
    given: Any = table
    validate_data(estimator, given, reset=reset, skip_check_array=True)
    names = column_names(table)
    if reset:
        chosen = _find(table, names, categorical)
        _keep_columns(estimator, [place for place in range(len(names)) if place not in chosen], chosen)
    columns = _columns(table)
    problems: list[str] = []
    numbers = _read_numbers(columns, names, estimator.numeric_.tolist(), problems, missing=missing)
    known = None if reset else estimator.categories_
    places = estimator.categorical_.tolist()
    codes, categories = read_categories(columns, names, places, known, problems, missing=missing)
    if problems:
        raise DataError(f"the table cannot be used: {'; '.join(problems)}")
    if reset:
        estimator.categories_ = categories
    elif warn:
        tell_unseen(codes, [names[place] for place in estimator.categorical_])
    return Mixed(numbers, codes)


def column_names(table: Any) -> list[str]:
    """Give names for messages: a table's own, or the positions in an array."""
    if isinstance(table, pd.DataFrame):
        return [str(name) for name in table.columns]
    return [f"column {place}" for place in range(np.shape(table)[1])]


def as_original(estimator: Any, numbers: npt.NDArray[np.float64], codes: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Put numbers and codes together to a table of a fitted estimator's columns.

    Parameters
    ----------
    estimator : estimator
        That read its table with ``read_mixed``.
    numbers, codes : ndarray
        What to write, one row a segment.

    Returns
    -------
    pandas.DataFrame
        One row a segment, columns as fitted.
    """
    columns: dict[int, Any] = dict(zip(estimator.numeric_.tolist(), numbers.T, strict=True))
    for place, known, code in zip(estimator.categorical_.tolist(), estimator.categories_, codes.T, strict=True):
        columns[place] = [None if position < 0 else known[position] for position in code]
    names = getattr(estimator, "feature_names_in_", [f"x{place}" for place in range(estimator.n_features_in_)])
    table = pd.DataFrame({place: columns[place] for place in sorted(columns)}, index=pd.RangeIndex(len(numbers)))
    return table.set_axis([str(name) for name in names], axis=1).rename_axis("segment")


def _as_table(X: Any) -> Any:
    """Bring tables of Polars and PyArrow to pandas, and leave everything else."""
    if isinstance(X, pd.DataFrame) or not hasattr(X, "columns"):
        return X
    return as_frame(X)


def _plain_numbers(estimator: Any, X: Any, *, reset: bool) -> npt.NDArray[np.float64]:
    """Let scikit-learn check an array of numbers, without its repeating a value in the message."""
    try:
        return np.asarray(validate_data(estimator, X, dtype=np.float64, ensure_all_finite=False, reset=reset))
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
    raise DataError("the array holds text: name its columns in categorical=, or give a DataFrame")


def _check_shape(table: Any) -> None:
    if sparse.issparse(table):
        raise TypeError("sparse input has no categories: give a dense array or a DataFrame")
    if np.ndim(table) != 2 or not np.shape(table)[0] or not np.shape(table)[1]:
        raise DataError(f"expected a table with rows and columns, got shape {np.shape(table)}")


def _keep_columns(estimator: Any, numeric: list[int], categorical: list[int]) -> None:
    estimator.numeric_ = np.array(numeric, dtype=np.intp)
    estimator.categorical_ = np.array(categorical, dtype=np.intp)


def _columns(table: Any) -> list[pd.Series[Any]]:
    """Give each column as a Series."""
    if isinstance(table, pd.DataFrame):
        return [table.iloc[:, place] for place in range(table.shape[1])]
    rows = table if isinstance(table, np.ndarray) else np.asarray(table, dtype=object)
    return [pd.Series(rows[:, place]) for place in range(rows.shape[1])]


def _find(table: Any, names: list[str], categorical: Sequence[Any] | None) -> list[int]:
    """Give the positions of the categorical columns."""
    if categorical is None:
        return [place for place, column in enumerate(_columns(table)) if not is_number(column)]
    found = []
    for wanted in [categorical] if isinstance(categorical, str) else categorical:
        if isinstance(wanted, str) and wanted in names:
            found.append(names.index(wanted))
        elif not isinstance(wanted, str | bool) and isinstance(wanted, int | np.integer) and 0 <= wanted < len(names):
            found.append(int(wanted))
        else:
            raise DataError(f"categorical={wanted!r} is no column; there are: {', '.join(names)}")
    return sorted(set(found))


def is_number(column: pd.Series[Any]) -> bool:
    """Say whether a column counts as numeric by its dtype; objects by what they are."""
    if column.dtype == np.dtype(object):
        return infer_dtype(column, skipna=True) in _NUMBERS
    return bool(is_numeric_dtype(column) and not is_bool_dtype(column) and not is_complex_dtype(column))


def _read_numbers(
    columns: list[pd.Series[Any]], names: list[str], places: list[int], problems: list[str], *, missing: bool
) -> npt.NDArray[np.float64]:
    numbers = np.zeros((len(columns[0]), len(places)))
    for target, place in enumerate(places):
        column = columns[place]
        try:
            if is_complex_dtype(column):
                raise TypeError  # noqa: TRY301 -- a complex number is no number here, as text is none
            numbers[:, target] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (ValueError, TypeError):
            problems.append(f"{names[place]} is not numeric ({column.dtype}): name it in categorical=")
    try:
        _check_numbers(numbers, [names[place] for place in places], missing=missing)
    except DataError as error:
        problems.append(str(error))
    return numbers


def _check_numbers(numbers: npt.NDArray[np.float64], names: list[str], *, missing: bool) -> None:
    """Refuse what has no distance, every column in one error."""
    problems = []
    for name, column in zip(names, numbers.T, strict=True):
        gap, endless = np.isnan(column), np.isinf(column)
        large = ~gap & ~endless & (np.abs(column) >= LARGEST)
        gap &= not missing
        for what, mask in (("missing (NaN)", gap), ("infinite", endless), ("too large to square", large)):
            if mask.any():
                problems.append(f"{name} is {what} in {positions(mask)}")
    if problems:
        raise DataError(f"{'; '.join(problems)}: fill, scale or drop first")


def read_categories(
    columns: list[pd.Series[Any]], names: list[str], places: list[int], known: Any, problems: list[str], *,
    missing: bool = False,
) -> tuple[npt.NDArray[np.intp], list[list[Any]]]:  # fmt: skip
    """Turn categories into codes; those known are frozen, else all there are, numbers before text, in order."""
    codes = np.full((len(columns[0]), len(places)), -1, dtype=np.intp)
    categories: list[list[Any]] = []
    for target, place in enumerate(places):
        try:
            found, values = pd.factorize(columns[place])
        except TypeError:
            problems.append(f"{names[place]} holds values that are no categories (lists or the like)")
            continue
        if not missing and (found < 0).any():
            problems.append(f"{names[place]} is missing in {positions(found < 0)}: fill or drop first")
            continue
        plain = [value.item() if isinstance(value, np.generic) else value for value in values]
        strange = {type(value).__name__ for value in plain if not isinstance(value, str | bool | int | float)}
        if strange:
            problems.append(
                f"{names[place]} holds {', '.join(sorted(strange))}, neither number nor category: make it days or text"
            )
            continue
        there = sorted(plain, key=lambda value: (isinstance(value, str), value)) if known is None else known[target]
        position = {value: code for code, value in enumerate(there)}
        # What is missing is found at -1, the end.
        each = [*(position.get(value, -1) for value in plain), UNKNOWN]
        codes[:, target] = np.array(each, dtype=np.intp)[found]
        categories.append(there)
    return codes, categories


def tell_unseen(codes: npt.NDArray[np.intp], names: list[str]) -> None:
    """Warn of categories that no segment can match."""
    told = [
        f"{name} in {positions(column == -1)}"
        for name, column in zip(names, codes.T, strict=True)
        if (column == -1).any()
    ]
    if told:
        warnings.warn(
            f"categories that were not there when fitting match no segment's: {'; '.join(told)}",
            DataWarning,
            stacklevel=4,
        )
