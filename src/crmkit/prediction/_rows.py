"""Rows whose target is known: the others can be neither learned from nor tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.core.telling import tell
from crmkit.metrics._columns import check_same_order

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["known_rows", "take_rows"]


def known_rows(X: Any, y: Any, groups: Any = None) -> tuple[Any, Any, Any]:
    """Set aside the rows whose target is missing, and say so.

    Parameters
    ----------
    X : table, array, sparse matrix or texts, shape (n_rows, …)
        The rows.
    y : array-like, shape (n_rows,)
        Labels or numbers, some of them missing.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is.

    Returns
    -------
    X, y, groups
        The same where nothing is missing, else the rows that are known.

    Raises
    ------
    DataError
        If lengths differ, no row is known, two columns have one name, or X and y hold the same rows in another order.

    Warns
    -----
    DataWarning
        With the number of rows set aside, and where they stand.
    """
    if hasattr(X, "columns"):
        X = as_frame(X, what="X")
        check_same_order(X=pd.Series(0, index=X.index), y=y)
    column = pd.Series(y) if not isinstance(y, pd.Series) else y
    missing = column.isna().to_numpy(dtype=bool)
    if not missing.any():
        # True and False that came as objects are labels like any others.
        known = isinstance(y, pd.Series) and y.dtype == object
        return X, y.infer_objects() if known else y, groups
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows != len(column):
        raise DataError(f"X has {n_rows:,} rows, y has {len(column):,}")
    if missing.all():
        raise DataError("y is missing in every row: there is nothing to learn from")
    tell(f"{int(missing.sum()):,} of {len(column):,} rows have no y and are set aside: {positions(missing)}")
    kept = np.flatnonzero(~missing)
    # Labels that had to share a column with missing values get their own type back.
    target = column.iloc[kept].infer_objects()
    return take_rows(X, kept), target, None if groups is None else take_rows(groups, kept)


def take_rows(values: Any, rows: npt.NDArray[Any]) -> Any:
    """Take rows by position from a table, an array, a sparse matrix or a list."""
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "tocsr"):
        return values.tocsr()[rows]
    return np.asarray(values)[rows]
