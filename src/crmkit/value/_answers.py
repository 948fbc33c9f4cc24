"""Reads what a model answers, which may be anyone's model: one finite number for every customer, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["name_of", "read_answer"]


def name_of(model: Any) -> str:
    """Give a model's name: its title, or that of its class."""
    return str(getattr(model, "_title", type(model).__name__))


def read_answer(answer: Any, column: str, index: pd.Index, name: str) -> npt.NDArray[np.float64]:
    """Read one column of an answer.

    Parameters
    ----------
    answer : table
        What ``predict`` gave.
    column : str
        The column wanted.
    index : pandas.Index, shape (n_customers,)
        The customers asked about.
    name : str
        The model's, for messages.

    Returns
    -------
    ndarray of float, shape (n_customers,)
        The column.

    Raises
    ------
    DataError
        If the column is not there, customers are missing or in another order, or a value is no finite number.
    """
    frame = as_frame(answer, what=f"the forecast of {name}")
    require_columns(frame, [column], what=f"the forecast of {name}")
    if len(frame) != len(index):
        raise DataError(f"{name} forecast {len(frame):,} customers of {len(index):,}")
    if not frame.index.equals(index) and frame.index.isin(index).all() and index.isin(frame.index).all():
        raise DataError(f"{name} forecast the customers in another order than that of the table")
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(values).all():
        raise DataError(f"{name} forecast {(~np.isfinite(values)).sum():,} customers with no finite number")
    return np.asarray(values)
