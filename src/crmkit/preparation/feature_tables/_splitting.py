"""Divides rows of a feature table once, by time, by customer, or by both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.preparation._cutoff import as_cutoff

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["parts"]

Masks = "tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]"


def parts(
    index: pd.Index, horizon: int, *, test: Any, by: str, gap: int, share: float, random_state: Any
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which rows train and which are tested.

    Parameters
    ----------
    index : pandas.MultiIndex
        ``customer_id`` and ``cutoff``.
    horizon, gap : int
        Days.
    test : date, time or None
        The first cutoff of the test.
    by : {"time", "customer", "both"}
        How to divide.
    share : float
        Of customers to test.
    random_state : int, RandomState or None
        Of the choice of customers.

    Returns
    -------
    train, tested : ndarray of bool, shape (n_rows,)
        Masks.

    Raises
    ------
    DataError
        If one of them is empty, or the share is none.
    """
    train = np.ones(len(index), dtype=bool)
    tested = np.ones(len(index), dtype=bool)
    if by != "customer":
        cutoff = pd.DatetimeIndex(index.get_level_values("cutoff"))
        first = _first(cutoff, test)
        tested &= np.asarray(cutoff >= first)
        train &= np.asarray(cutoff + pd.Timedelta(days=horizon + gap) <= first)
    elif test is not None:
        raise DataError("test names a cutoff, which by='customer' does not look at: write by='both'")
    if by != "time":
        if not 0 < share < 1:
            raise DataError(f"share must lie between 0 and 1, got {share!r}")
        codes, names = pd.factorize(index.get_level_values("customer_id"), sort=True)
        number = max(1, round(share * len(names)))
        chosen = np.zeros(len(names), dtype=bool)
        chosen[check_random_state(random_state).permutation(len(names))[:number]] = True
        tested &= chosen[codes]
        train &= ~chosen[codes]
    if not train.any() or not tested.any():
        raise DataError(
            f"the split leaves {int(train.sum()):,} rows to train on and {int(tested.sum()):,} to test: training "
            f"cutoffs must lie {horizon + gap} days (horizon and gap) before the test"
        )
    return train, tested


def _first(cutoff: pd.DatetimeIndex, test: Any) -> pd.Timestamp:
    """Give the first cutoff of the test."""
    if test is None:
        return cutoff.max()
    limit = as_cutoff(test)
    when = pd.Timestamp(limit.date) if limit.instant is None else limit.instant
    if (when.tzinfo is None) != (cutoff.tz is None):
        raise DataError("test must be a date where the cutoffs of the table are dates, and a time where they are times")
    return when
