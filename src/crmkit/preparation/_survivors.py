"""Turns counts of those who are left of each cohort into the table models of renewals are fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.preparation.units import days_in

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["contracts_from_survivors"]


def contracts_from_survivors(survivors: Any, *, period: str = "year") -> pd.DataFrame:
    """Turn counts of those who are left of each cohort into the table that ``sbg`` is fitted on.

    Parameters
    ----------
    survivors : table, or sequence of int
        One row a cohort and one column an age, in their order: how many started, how many were left after the first
        renewal, after the second, and so on. Where a cohort has not come so far its cells are missing. A sequence is
        one cohort.
    period : {"day", "week", "month", "quarter", "year"}, default="year"
        The time between renewals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cohort``: ``tenure_periods``, ``churned``, ``age_periods`` and ``period`` as of
        ``contract_summary``, and ``customers``, of how many each row speaks.

    Raises
    ------
    DataError
        If a count is negative, no whole number, greater than the one before it, or comes after a missing one.

    Examples
    --------
    >>> from crmkit.preparation import contracts_from_survivors
    >>> contracts_from_survivors([1000, 869, 743]).drop(columns="period").reset_index(drop=True)
       tenure_periods  churned  age_periods  customers
    0               1     True            2        131
    1               2     True            2        126
    2               2    False            2        743
    """
    days_in(period, what="period")
    counts, cohorts = _counts(survivors)
    seen = np.isfinite(counts)
    wrong = ~seen[:, 0] | (np.diff(seen.astype(np.int8), axis=1) > 0).any(axis=1)
    if wrong.any():
        raise DataError(f"survivors: a count is missing before one that is there in {positions(wrong)}")
    with np.errstate(invalid="ignore"):
        odd = seen & ((counts < 0) | (counts != np.floor(counts)))
        more = -np.diff(counts, axis=1) < 0
    if odd.any():
        raise DataError(f"survivors must be whole numbers of at least 0; {positions(odd.any(axis=1))} hold others")
    if more.any():
        raise DataError(f"survivors: more are left than before in {positions(more.any(axis=1))}")
    left = np.nan_to_num(-np.diff(counts, axis=1))
    age = seen.sum(axis=1) - 1
    row, step = np.nonzero(left > 0)
    stayed = counts[np.arange(len(counts)), age]
    kept = np.flatnonzero(stayed > 0)
    cohort = np.concatenate([row, kept])
    tenure = np.concatenate([step + 1, age[kept]])
    churned = np.arange(len(cohort)) < len(row)
    customers = np.concatenate([left[row, step], stayed[kept]]).astype(np.int64)
    order = np.lexsort((~churned, tenure, cohort))
    return pd.DataFrame(
        {
            "tenure_periods": tenure[order],
            "churned": churned[order],
            "age_periods": age[cohort[order]],
            "period": period,
            "customers": customers[order],
        },
        index=cohorts[cohort[order]],
    )


def _counts(survivors: Any) -> tuple[npt.NDArray[np.float64], pd.Index]:
    """Give counts, a row a cohort, with missing ones as NaN, and the cohorts' names."""
    if isinstance(survivors, list | tuple | np.ndarray | pd.Series):
        try:
            counts = np.asarray(survivors, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError("survivors must hold numbers, in rows of one length") from None
        counts = counts[None, :] if counts.ndim == 1 else counts
        if np.isinf(counts).any():
            raise DataError("survivors must be whole numbers of at least 0; some are infinite")
        cohorts: pd.Index = pd.RangeIndex(len(counts))
    else:
        frame = as_frame(survivors, what="survivors")
        counts = np.column_stack([_numbers_or_missing(frame, column) for column in frame.columns])
        cohorts = frame.index
    if counts.ndim != 2 or counts.shape[1] == 0 or len(counts) == 0:
        raise DataError("survivors must hold a row a cohort and a column an age, or be the counts of one cohort")
    return counts, cohorts.rename("cohort")


def _numbers_or_missing(frame: pd.DataFrame, column: Any) -> npt.NDArray[np.float64]:
    """Give a numeric column, missing cells as NaN."""
    if not pd.api.types.is_numeric_dtype(frame[column].dtype):
        raise DataError(f"survivors: {column} must hold numbers, got {frame[column].dtype}")
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"survivors: {column} is infinite in {positions(np.isinf(values))}")
    return np.asarray(values)
