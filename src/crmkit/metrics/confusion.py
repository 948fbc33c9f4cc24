"""Which labels are taken for which: the confusion table and the report by label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics._labels import code_pair
from crmkit.metrics.classification import share_intervals, shares
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["class_report", "confusion"]


def confusion(
    actual: Any,
    predicted: Any,
    *,
    labels: Sequence[Any] | None = None,
    normalize: Literal["actual", "predicted", "all"] | None = None,
) -> pd.DataFrame:
    """Count rows by actual and predicted label, with both sides named.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    labels : sequence, default=None
        Their order in the table; must hold every label seen. Where None, ascending order. Changes the order only: a
        count is found by its labels, ``table.loc[actual, predicted]``, whatever the order.
    normalize : {"actual", "predicted", "all"} or None, default=None
        Give shares of each row (recall on the diagonal), of each column (precision on the diagonal), or of all. The
        shares of a label that never occurs are missing.

    Returns
    -------
    pandas.DataFrame, shape (n_labels, n_labels)
        Index ``actual``, columns ``predicted``.

    Raises
    ------
    DataError
        If the columns are empty, of unequal length, have missing labels, or ``labels`` leaves one out.

    Examples
    --------
    >>> from crmkit.metrics import confusion
    >>> confusion([1, 1, 1, 0, 0], [1, 0, 0, 0, 1], labels=[1, 0])  # doctest: +NORMALIZE_WHITESPACE
    predicted  1  0
    actual
    1          1  2
    0          1  1
    """
    coded = code_pair(actual, predicted, labels)
    index = pd.Index(coded.labels, name="actual")
    table = pd.DataFrame(coded.counts(), index=index, columns=index.rename("predicted"))
    if normalize is None:
        return table
    if normalize == "all":
        return table / coded.n_rows
    if normalize == "actual":
        return table.div(table.sum(axis=1).replace(0, np.nan), axis=0)
    if normalize == "predicted":
        return table.div(table.sum(axis=0).replace(0, np.nan), axis=1)
    raise DataError(f"normalize must be 'actual', 'predicted', 'all' or None, got {normalize!r}")


def class_report(
    actual: Any, predicted: Any, *, labels: Sequence[Any] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Give precision, recall and F1 of every label with their intervals and supports.

    Many labels are many intervals: with 77 labels at 95 %, four of them are expected to miss. Use a higher ``level``
    before acting on the worst label of many.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    labels : sequence, default=None
        Their order; must hold every label seen. Where None, ascending order.
    level : float, default=0.95
        Nominal coverage of each interval.

    Returns
    -------
    pandas.DataFrame
        One row a label: ``precision``, ``recall`` and ``f1``, each followed by its ``_low`` and ``_high``; then
        ``support`` (rows with that actual label) and ``predicted`` (rows predicted so). A figure that is not defined,
        such as the precision of a label never predicted, is missing.

    Raises
    ------
    DataError
        As for ``confusion``.

    Examples
    --------
    >>> from crmkit.metrics import class_report
    >>> report = class_report([1, 1, 1, 0, 0], [1, 0, 0, 0, 1])
    >>> report[["precision", "recall", "support", "predicted"]].round(3)  # doctest: +NORMALIZE_WHITESPACE
           precision  recall  support  predicted
    label
    0          0.333   0.500        2          3
    1          0.500   0.333        3          2
    """
    check_level(level)
    coded = code_pair(actual, predicted, labels)
    counts = coded.counts()
    hits, support, chosen = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    columns: dict[str, Any] = {}
    for name in ("precision", "recall", "f1"):
        values, base = shares(name, hits, support, chosen)
        low, high = share_intervals(name, hits, base, level)
        columns |= {name: values, f"{name}_low": low, f"{name}_high": high}
    columns |= {"support": support, "predicted": chosen}
    return pd.DataFrame(columns, index=pd.Index(coded.labels, name="label"))
