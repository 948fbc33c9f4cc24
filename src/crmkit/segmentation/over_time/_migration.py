"""Who went where: customers of two dates, or two models, by segment before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["contingency", "shared_ids", "square", "was_and_is"]


def shared_ids(before: pd.Series[int], after: pd.Series[int]) -> pd.DataFrame:
    """Join the segment ids of the customers in both, every negative id as -1.

    Parameters
    ----------
    before, after : Series of int
        Segment ids, each customer once.

    Returns
    -------
    DataFrame
        Columns ``before`` and ``after``, indexed by customer.
    """
    parts = [before.clip(lower=-1).rename("before"), after.clip(lower=-1).rename("after")]
    return pd.concat(parts, axis=1, join="inner")


def contingency(
    before: npt.ArrayLike, after: npt.ArrayLike, rows: Sequence[int], columns: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Count customers by their ids before and after.

    Parameters
    ----------
    before, after : array-like of int, shape (n_customers,)
        Ids, all of them among rows and columns.
    rows, columns : sequence of int
        The ids, in the order of the table.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The counts.
    """
    first = pd.Index(rows).get_indexer(pd.Index(np.asarray(before, dtype=np.int64)))
    second = pd.Index(columns).get_indexer(pd.Index(np.asarray(after, dtype=np.int64)))
    flat = np.bincount(first * len(columns) + second, minlength=len(rows) * len(columns))
    return flat.reshape(len(rows), len(columns)).astype(np.int64)


def square(counts: npt.NDArray[np.int64], names: Sequence[str]) -> pd.DataFrame:
    """Put names to a migration matrix, before down the side and after along the top.

    Parameters
    ----------
    counts : ndarray of shape (n_segments, n_segments)
        Customers.
    names : sequence of str
        Segment names.

    Returns
    -------
    DataFrame
        The matrix.
    """
    before, after = pd.Index(list(names), name="before"), pd.Index(list(names), name="after")
    return pd.DataFrame(counts, index=before, columns=after)


def was_and_is(migration: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Write a migration matrix with one row a pair of segments, as shares of the segment left.

    Parameters
    ----------
    migration : DataFrame
        Customers by segment before (rows) and after (columns).
    level : float, default=0.95
        Nominal coverage of Wilson's intervals.

    Returns
    -------
    DataFrame
        ``from``, ``to``, ``customers``, ``n`` (of the segment before), ``share``, ``low``, ``high``; segments that
        nobody was in before are left out, because there is nothing to take a share of.
    """
    counts = migration.to_numpy()
    n = counts.sum(axis=1)
    held = n > 0
    counts, n = counts[held], n[held]
    width = counts.shape[1]
    each: npt.NDArray[Any] = np.repeat(n, width)
    low, high = wilson(counts.ravel(), each, level=level)
    return pd.DataFrame(
        {
            "from": np.repeat(migration.index.to_numpy(dtype=object)[held], width),
            "to": np.tile(migration.columns.to_numpy(dtype=object), len(counts)),
            "customers": counts.ravel(),
            "n": each,
            "share": counts.ravel() / each,
            "low": low,
            "high": high,
        }
    )
