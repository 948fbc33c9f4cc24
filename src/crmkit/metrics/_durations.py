"""Durations, flags and weights as what measures waiting takes them, or refused by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.metrics._columns import as_column, as_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["as_durations", "as_flags", "as_weights"]


def as_durations(duration: Any) -> Floats:
    """Give durations as numbers, or say by position what is none.

    Parameters
    ----------
    duration : array-like, shape (n,)
        Numbers of at least 0.

    Returns
    -------
    ndarray of float, shape (n,)
        The same.

    Raises
    ------
    DataError
        If one is missing, infinite or negative, or they are timedeltas, whose unit is not said.
    """
    if getattr(getattr(duration, "dtype", None), "kind", "") == "m":
        raise DataError("duration must hold numbers in one unit; for days write duration / pd.Timedelta(days=1)")
    time = as_numbers(duration, "duration")
    if (time < 0).any():
        raise DataError(f"duration is negative in {positions(time < 0)}: the end lies before the start")
    return time


def as_flags(observed: Any, what: str = "observed") -> npt.NDArray[np.bool_]:
    """Give flags (true and false, or 1 and 0) as booleans.

    Parameters
    ----------
    observed : array-like, shape (n,)
        Flags.
    what : str, default="observed"
        Their name in messages.

    Returns
    -------
    ndarray of bool, shape (n,)
        The same.

    Raises
    ------
    DataError
        If one is missing or neither, by position.
    """
    given = as_column(observed, what)
    if given.dtype.kind == "b":
        return given
    wrong = ~np.asarray(pd.Series(given, dtype=object).isin([0, 1]), dtype=bool)
    if wrong.any():
        raise DataError(f"{what} must be true or false (1 or 0); it is not in {positions(wrong)}")
    return given.astype(bool)


def as_weights(weights: Any, n_rows: int) -> Floats:
    """Give how many rows each row stands for.

    Parameters
    ----------
    weights : array-like of float, shape (n_rows,), or None
        None for one each.
    n_rows : int
        How many rows there are.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        The same.

    Raises
    ------
    DataError
        If one is missing, infinite or negative, or all are 0.
    """
    if weights is None:
        return np.ones(n_rows)
    weight = as_numbers(weights, "weights")
    if len(weight) != n_rows:
        raise DataError(f"the columns must have one entry for each row: weights has {len(weight):,} for {n_rows:,}")
    if (weight < 0).any():
        raise DataError(f"weights is negative in {positions(weight < 0)}")
    if not (weight > 0).any():
        raise DataError("weights are all 0: there is nothing to measure")
    return weight
