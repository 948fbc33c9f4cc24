"""What acting on the customers with the highest scores brings, by how many are acted on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmkit.metrics._cuts import as_amounts, rank, refuse_bins
from crmkit.metrics.intervals import check_level

__all__ = ["profit"]


def profit(
    actual: Any,
    scores: Any,
    *,
    value: Any,
    cost: Any,
    n_bins: int = 100,
    positive: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Give what acting on the rows with the highest scores brings, for each number acted on.

    Acting on a row costs ``cost``, and brings ``value`` where the row is positive. That takes for granted that the
    action is what brings the value: where customers might have bought without it, an uplift model says what it changes.
    The best row of the table flatters itself, being the best of many: choose the threshold on other rows than those
    that say what it brings. Costs one sort.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    scores : array-like of float, shape (n_rows,)
        Of the positive label, larger is likelier.
    value : float or array-like of float, shape (n_rows,)
        What a positive row brings, one for all or each its own, in money.
    cost : float or array-like of float, shape (n_rows,)
        What acting on a row costs.
    n_bins : int, default=100
        At how many equal steps it is worked out; equal scores stay together.
    positive : object, default=None
        The label that brings the value; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of the intervals: t of the mean over rows, those not acted on counting 0.

    Returns
    -------
    pandas.DataFrame
        One row a cut, beginning with nobody: ``n`` (rows acted on), ``reached`` (their share), ``threshold`` (the
        lowest score among them; infinite for nobody), ``positives``, ``profit``, ``low``, ``high`` of all of them
        together, and ``per_row`` (profit over the rows acted on).

    Raises
    ------
    DataError
        If a column is missing values or has another length.

    Examples
    --------
    >>> from crmkit.metrics import profit
    >>> table = profit([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1], value=10, cost=4, n_bins=4)
    >>> table["profit"].tolist(), float(table.loc[table["profit"].idxmax(), "threshold"])
    ([0.0, 6.0, 12.0, 8.0, 4.0], 0.8)
    """
    check_level(level)
    ranked = rank(actual, scores, positive)
    n_rows = len(ranked.scores)
    refuse_bins(n_bins, n_rows)
    worth = as_amounts(value, "value", ranked.order) * ranked.positive - as_amounts(cost, "cost", ranked.order)
    ends = np.append(0, ranked.cuts(n_bins))
    total, squares, hits = (
        np.append(0.0, np.cumsum(part))[ends] for part in (worth, worth**2, ranked.positive.astype(np.float64))
    )
    half = np.full(len(ends), np.nan)
    if n_rows > 1:
        variance = np.maximum(squares - total**2 / n_rows, 0.0) * n_rows / (n_rows - 1)
        half = stdtrit(n_rows - 1, 0.5 + level / 2) * np.sqrt(variance)
    half[0] = 0.0
    return pd.DataFrame(
        {
            "n": ends,
            "reached": ends / n_rows,
            "threshold": np.append(np.inf, ranked.scores[ends[1:] - 1]),
            "positives": hits.astype(np.int64),
            "profit": total,
            "low": total - half,
            "high": total + half,
            "per_row": np.divide(total, ends, out=np.full(len(ends), np.nan), where=ends > 0),
        }
    )
