"""What a ranking of customers is worth: who is found among the first, and how many times chance that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics._cuts import Ranked, rank, refuse_bins
from crmkit.metrics.intervals import check_level, wilson

__all__ = ["gain", "lift"]


def gain(actual: Any, scores: Any, *, n_bins: int = 10, positive: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Give which share of the positive rows is found among the rows with the highest scores.

    Rows are put in falling order of score and divided into ``n_bins`` equal parts. Equal scores stay together, since no
    threshold can part them: parts may then differ in size, and be fewer. Judge a model on rows it has not seen. Costs
    one sort.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    scores : array-like of float, shape (n_rows,)
        Of the positive label, larger is likelier; only their order counts.
    n_bins : int, default=10
        How many parts.
    positive : object, default=None
        The label that is looked for; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``part`` from 1, the highest scores first: ``n``, ``positives``, ``rate`` with ``rate_low`` and
        ``rate_high`` (Wilson) of the part itself; and of it and all parts before it ``threshold`` (the lowest score
        there), ``reached`` (the share of all rows), ``captured`` with ``captured_low`` and ``captured_high`` (the share
        of all positive rows; Wilson).

    Raises
    ------
    DataError
        If no row is positive, scores are missing, or there are no rows.

    See Also
    --------
    lift : The same, as a multiple of chance.
    profit : What it is worth in money.

    Examples
    --------
    >>> from crmkit.metrics import gain
    >>> table = gain([1, 1, 0, 1, 0, 0, 0, 0], [8, 7, 6, 5, 4, 3, 2, 1], n_bins=4)
    >>> table["positives"].tolist(), table["captured"].round(2).tolist()
    ([2, 1, 0, 0], [0.67, 1.0, 1.0, 1.0])
    """
    check_level(level)
    ranked, ends, hits = _parts(actual, scores, n_bins, positive)
    sizes, own = np.diff(ends, prepend=0), np.diff(hits, prepend=0)
    low, high = wilson(own, sizes, level=level)
    captured_low, captured_high = wilson(hits, hits[-1], level=level)
    return pd.DataFrame(
        {
            "n": sizes,
            "positives": own,
            "rate": own / sizes,
            "rate_low": low,
            "rate_high": high,
            "threshold": ranked.scores[ends - 1],
            "reached": ends / ends[-1],
            "captured": hits / hits[-1],
            "captured_low": captured_low,
            "captured_high": captured_high,
        },
        index=pd.RangeIndex(1, len(ends) + 1, name="part"),
    )


def lift(actual: Any, scores: Any, *, n_bins: int = 10, positive: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Give how many times as many positive rows the highest scores hold as rows drawn by chance would.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    scores : array-like of float, shape (n_rows,)
        Of the positive label, larger is likelier.
    n_bins : int, default=10
        How many equal parts; equal scores stay together, as for :func:`gain`.
    positive : object, default=None
        The label that is looked for; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of the intervals: Wilson's of the share of all positive rows that a part holds, over its share
        of all rows. They are too wide where nearly every row of a part is positive.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``part`` from 1, the highest scores first: ``n``, ``positives``, ``lift``, ``low``, ``high`` of the
        part itself; ``reached``, ``cumulative_lift``, ``cumulative_low``, ``cumulative_high`` of it and all parts
        before it. A lift of 1 is chance.

    Raises
    ------
    DataError
        As for :func:`gain`.

    Examples
    --------
    >>> from crmkit.metrics import lift
    >>> table = lift([1, 1, 0, 1, 0, 0, 0, 0], [8, 7, 6, 5, 4, 3, 2, 1], n_bins=4)
    >>> table["lift"].round(2).tolist(), table["cumulative_lift"].round(2).tolist()
    ([2.67, 1.33, 0.0, 0.0], [2.67, 2.0, 1.33, 1.0])
    """
    check_level(level)
    _, ends, hits = _parts(actual, scores, n_bins, positive)
    sizes, own = np.diff(ends, prepend=0), np.diff(hits, prepend=0)
    low, high = wilson(own, hits[-1], level=level)
    reached = ends / ends[-1]
    cumulative_low, cumulative_high = wilson(hits, hits[-1], level=level)
    # All rows hold all positive rows, whatever was drawn.
    cumulative_low[-1] = cumulative_high[-1] = 1.0
    chance = sizes / ends[-1]
    return pd.DataFrame(
        {
            "n": sizes,
            "positives": own,
            "lift": own / hits[-1] / chance,
            "low": low / chance,
            "high": high / chance,
            "reached": reached,
            "cumulative_lift": hits / hits[-1] / reached,
            "cumulative_low": cumulative_low / reached,
            "cumulative_high": cumulative_high / reached,
        },
        index=pd.RangeIndex(1, len(ends) + 1, name="part"),
    )


def _parts(actual: Any, scores: Any, n_bins: int, positive: Any) -> tuple[Ranked, Any, Any]:
    """Rank rows; give the number of rows, and of positive rows, above each cut."""
    ranked = rank(actual, scores, positive)
    refuse_bins(n_bins, len(ranked.scores))
    if not ranked.positive.any():
        raise DataError("no row has the positive label, so there is nothing to find")
    ends = ranked.cuts(n_bins)
    return ranked, ends, np.cumsum(ranked.positive)[ends - 1]
