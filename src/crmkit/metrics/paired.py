"""Whether one model is better than another on the same customers: differences with their paired bootstrap intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ends", "paired_differences", "resampled_means"]

_CELLS = 2**22
"""How many resampled counts are held in memory at once (32 MB of float64)."""


def paired_differences(
    scores: Any,
    baseline: str,
    *,
    groups: Any = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> pd.DataFrame:
    """Compare the mean score of each model with that of one of them, customer by customer.

    All models scored the same customers, some of whom are easy for every model and some hard. Two intervals that stand
    side by side count that luck twice and may overlap although one model is better for nearly everyone; the interval
    of the difference does not. Customers are drawn with replacement, with all their scores, the same ones for every
    model.

    Parameters
    ----------
    scores : table
        One row a customer (or a customer at one of several cutoffs), one column a model, such as the column ``ndcg``
        of ``list_scores`` of each.
    baseline : str
        The column that the others are compared with.
    groups : array-like, shape (n_rows,), default=None
        Rows of one group, such as one customer's at several cutoffs, are drawn together. None: rows are independent.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        How many times customers are drawn.
    random_state : int, RandomState or None, default=0
        Draws them: changes the ends a little, never the figures.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model``, all but the baseline: ``mean``, ``baseline`` (its mean), ``difference``, ``low``,
        ``high``, ``n`` (groups). An interval that holds 0 leaves open which of the two is better.

    Raises
    ------
    DataError
        If there is no row or no such column, or a score is missing or no number.

    Notes
    -----
    The cost is ``n_resamples`` times the number of groups. With very few groups the interval is too narrow; one has
    none.

    References
    ----------
    Efron, B., & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall. doi:10.1201/9780429246593

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import paired_differences
    >>> scores = pd.DataFrame({"old": [0.0, 0.5, 0.2, 0.9], "new": [0.1, 0.7, 0.2, 1.0]})
    >>> paired_differences(scores, "old").round(3)  # doctest: +NORMALIZE_WHITESPACE
           mean  baseline  difference    low   high  n
    model
    new     0.5       0.4         0.1  0.025  0.175  4
    """
    check_level(level)
    frame = as_frame(scores, what="scores")
    if baseline not in frame.columns:
        raise DataError(f"scores has no column {baseline!r}; it has: {', '.join(map(str, frame.columns))}")
    values = np.column_stack([_numbers(frame[name], str(name)) for name in frame.columns])
    codes = _groups(groups, len(values))
    drawn = resampled_means(values, codes, n_resamples, random_state)
    place = frame.columns.tolist().index(baseline)
    low, high = ends(drawn - drawn[:, place : place + 1], level)
    means = values.mean(axis=0)
    table = pd.DataFrame(
        {
            "mean": means,
            "baseline": means[place],
            "difference": means - means[place],
            "low": low,
            "high": high,
            "n": int(codes.max()) + 1,
        },
        index=frame.columns.rename("model"),
    )
    return table.drop(index=baseline)


def resampled_means(
    values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64], n_resamples: int, random_state: Any
) -> npt.NDArray[np.float64]:
    """Give the means of columns over rows of groups that are drawn with replacement, the same for every column.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows, n_columns)
        Finite scores.
    groups : ndarray of int64, shape (n_rows,)
        The group of each row, numbered from 0 without gaps.
    n_resamples : int
        How many draws.
    random_state : int, RandomState or None
        Draws them.

    Returns
    -------
    ndarray of float64, shape (n_resamples, n_columns)
        Means over rows. Empty where there is one group only, which says nothing of others.

    Raises
    ------
    DataError
        If ``n_resamples`` is negative or no whole number.
    """
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        raise DataError(f"n_resamples must be a whole number from 0 on, got {n_resamples!r}")
    n_groups, n_columns = int(groups.max()) + 1, values.shape[1]
    if n_groups < 2 or not n_resamples:
        return np.empty((0, n_columns))
    sums = np.column_stack([np.bincount(groups, column, minlength=n_groups) for column in values.T])
    sizes = np.bincount(groups, minlength=n_groups).astype(np.float64)
    rng = check_random_state(random_state)
    step = max(1, _CELLS // n_groups)
    means = np.empty((n_resamples, n_columns))
    for start in range(0, n_resamples, step):
        stop = min(start + step, n_resamples)
        drawn = rng.randint(n_groups, size=(stop - start, n_groups))
        drawn += n_groups * np.arange(stop - start)[:, np.newaxis]
        # How often each group was drawn: means of all columns are then one product of matrices.
        times = np.bincount(drawn.ravel(), minlength=(stop - start) * n_groups).reshape(stop - start, n_groups)
        weights = times.astype(np.float64)
        means[start:stop] = (weights @ sums) / (weights @ sizes)[:, np.newaxis]
    return means


def ends(drawn: npt.NDArray[np.float64], level: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the ends of the percentile interval of each column, missing where nothing was drawn."""
    if not len(drawn):
        nothing = np.full(drawn.shape[1], np.nan)
        return nothing, nothing
    tail = (1 - check_level(level)) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high


def _numbers(column: pd.Series, name: str) -> npt.NDArray[np.float64]:
    """Give a column of finite scores."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(f"scores: {name} must hold numbers, got {column.dtype}")
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if not len(numbers):
        raise DataError("scores has no row: there is nothing to compare")
    if not np.isfinite(numbers).all():
        raise DataError(f"scores: {name} is missing or infinite in {positions(~np.isfinite(numbers))}")
    return numbers


def _groups(groups: Any, n_rows: int) -> npt.NDArray[np.int64]:
    """Number the groups of rows."""
    if groups is None:
        return np.arange(n_rows)
    codes = pd.factorize(pd.Series(groups) if not isinstance(groups, pd.Index) else groups)[0]
    if len(codes) != n_rows:
        raise DataError(f"groups must have one entry a row: {len(codes):,} for {n_rows:,} rows")
    if (codes < 0).any():
        raise DataError(f"groups is missing in {positions(codes < 0)}")
    return codes.astype(np.int64, copy=False)
