"""Which rows train and which are tested, the same whatever order the table's rows stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.metrics._columns import as_column, check_lengths, check_same_order

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Fold", "Rows", "make_folds", "take"]


@dataclass(frozen=True)
class Fold:
    """Positions of the rows that train and of those that are tested."""

    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Rows:
    """A table, its target and its groups, checked to be of one length."""

    X: Any
    y: npt.NDArray[Any]
    groups: npt.NDArray[Any] | None

    @classmethod
    def of(cls, X: Any, y: Any, groups: Any) -> Rows:
        """Check and bring to forms that rows can be taken from."""
        if isinstance(X, pd.DataFrame | pd.Series):
            check_same_order(X=pd.Series(0, index=X.index), y=y)
        target = as_column(y, "y")
        if target.dtype.kind == "f" and not np.isfinite(target).all():
            raise DataError(f"y is not finite in {positions(~np.isfinite(target))}")
        table = _indexable(X)
        n_rows = table.shape[0]
        if n_rows != len(target):
            raise DataError(f"the columns must have one entry for each row: X has {n_rows:,}, y has {len(target):,}")
        grouping = None if groups is None else as_column(groups, "groups")
        if grouping is not None:
            check_lengths(groups=grouping, y=target)
        return cls(table, target, grouping)

    def __len__(self) -> int:
        return len(self.y)


def _indexable(X: Any) -> Any:
    """Give a table, array, sparse matrix or column of texts from which rows can be taken by position."""
    if isinstance(X, pd.DataFrame | pd.Series | np.ndarray):
        return X
    if _is_sparse(X):
        return X.tocsr()
    if hasattr(X, "columns"):
        return as_frame(X, what="X")
    if hasattr(X, "to_list"):
        X = X.to_list()
    items = list(X)
    if items and all(item is None or isinstance(item, str) for item in items):
        return np.array(items, dtype=object)
    return np.asarray(items)


def _is_sparse(X: Any) -> bool:
    """Say whether a table is sparse, without narrowing its type to one that has no methods."""
    return bool(issparse(X))


def take(table: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Take rows by position."""
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]


def make_folds(rows: Rows, cv: Any, *, stratify: bool, random_state: Any) -> list[Fold]:
    """Give the folds of a number, a splitter or a list of pairs, refusing any that trains on what it tests."""
    if isinstance(cv, int | np.integer):
        folds = _shuffled(rows, int(cv), stratify=stratify, random_state=random_state)
    else:
        try:
            given = cv.split(rows.X, rows.y, rows.groups) if callable(getattr(cv, "split", None)) else cv
            folds = [Fold(np.asarray(train, dtype=np.intp), np.asarray(test, dtype=np.intp)) for train, test in given]
        except TypeError:
            raise DataError(
                f"cv must be a number of folds, a splitter, or pairs of row positions, got {type(cv).__name__}"
            ) from None
    if not folds:
        raise DataError("cv gives no fold")
    for number, fold in enumerate(folds):
        if not len(fold.train) or not len(fold.test):
            raise DataError(f"fold {number} has {len(fold.train)} training and {len(fold.test)} test rows")
        if max(fold.train.max(), fold.test.max()) >= len(rows):
            raise DataError(f"fold {number} names a row beyond the {len(rows):,} there are")
        shared = np.intersect1d(fold.train, fold.test)
        if len(shared):
            mask = np.zeros(len(rows), dtype=bool)
            mask[shared] = True
            raise DataError(f"fold {number} trains on rows it tests: {positions(mask)}")
    return folds


def _shuffled(rows: Rows, n_folds: int, *, stratify: bool, random_state: Any) -> list[Fold]:
    """Shuffle rows into folds by what they hold, not by where they stand."""
    units = len(rows) if rows.groups is None else len(pd.unique(rows.groups))
    if not 2 <= n_folds <= units:
        raise DataError(
            f"cv must be from 2 to the number of {'rows' if rows.groups is None else 'groups'} ({units}), got {n_folds}"
        )
    if rows.groups is None:
        kind = StratifiedKFold if stratify else KFold
    else:
        kind = StratifiedGroupKFold if stratify else GroupKFold
    order = _order_by_content(rows)
    groups = None if rows.groups is None else rows.groups[order]
    splitter = kind(n_splits=n_folds, shuffle=True, random_state=random_state)
    try:
        pairs = list(splitter.split(np.zeros(len(rows)), rows.y[order], groups))
    except ValueError as error:
        raise DataError(f"the rows cannot be split into {n_folds} folds: {error}") from error
    return [Fold(order[train], order[test]) for train, test in pairs]


def _order_by_content(rows: Rows) -> npt.NDArray[np.intp]:
    """Order rows by a hash of what they hold; rows that hold the same may stand either way round."""
    columns: dict[Any, Any]
    if _is_sparse(rows.X):
        weights = np.random.default_rng(0).standard_normal(rows.X.shape[1])
        columns = {"X": rows.X @ weights}
    elif isinstance(rows.X, pd.DataFrame):
        columns = {position: rows.X.iloc[:, position].reset_index(drop=True) for position in range(rows.X.shape[1])}
    else:
        array = np.asarray(rows.X)
        columns = {"X": _hash_numbers(array) if array.ndim == 2 and array.dtype.kind in "biuf" else pd.Series([*array])}
    columns["__y"] = rows.y
    if rows.groups is not None:
        columns["__groups"] = rows.groups
    keys = pd.util.hash_pandas_object(pd.DataFrame(columns), index=False).to_numpy()
    return np.argsort(keys, kind="stable")


def _hash_numbers(table: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Hash each row of numbers; many times faster than column by column."""
    # Adding 0.0 makes -0.0 and 0.0, which are equal, the same bits.
    bits = (np.ascontiguousarray(table, dtype=np.float64) + 0.0).view(np.uint64)
    multipliers = np.random.default_rng(0).integers(2**63, size=table.shape[1], dtype=np.uint64) * 2 + 1
    mixed = (bits ^ (bits >> np.uint64(29))) * multipliers
    return np.asarray((mixed ^ (mixed >> np.uint64(32))).sum(axis=1, dtype=np.uint64))
