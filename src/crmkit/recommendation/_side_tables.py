"""What else is known beside events: the category of items, the segment of customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, by_customer, positions
from crmkit.core.errors import DataError
from crmkit.recommendation._ids import Ids, as_ids
from crmkit.recommendation._interactions import item_column

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Labels", "labels_of", "read_customers", "read_items"]


@dataclass
class Labels:
    """A label for each of some ids.

    Attributes
    ----------
    names : list of str
        The labels.
    code : ndarray of int64, shape (n_ids,)
        The place of each id's label among the names, -1 for none.
    """

    names: list[str]
    code: npt.NDArray[np.int64]


def read_items(items: Any) -> tuple[npt.NDArray[Any], pd.DataFrame]:
    """Read a table of items.

    Parameters
    ----------
    items : table
        One row an item, ``item_id`` (or ``product_id``) as column or as index.

    Returns
    -------
    tuple of ndarray and pandas.DataFrame
        The ids, and the table in the same order.

    Raises
    ------
    DataError
        If an id is missing or stands twice.
    """
    frame = as_frame(items, what="items")
    if frame.index.name in {"item_id", "product_id"} and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    column = item_column(frame, what="items")
    ids, missing = as_ids(frame[column])
    if missing.any():
        raise DataError(f"items: {column} is missing in {positions(missing)}")
    twice = pd.Series(ids).duplicated(keep=False).to_numpy()
    if twice.any():
        raise DataError(f"items must have one row an item; {column} stands more than once in {positions(twice)}")
    return ids, frame


def read_customers(customers: Any) -> tuple[Ids, Labels]:
    """Read the segment of each customer.

    Parameters
    ----------
    customers : table
        One row a customer, with ``segment``.

    Returns
    -------
    tuple of Ids and Labels
        The customers, and their segments.

    Raises
    ------
    DataError
        If there is no ``segment``, or a customer stands twice.
    """
    frame = by_customer(customers, what="customers")
    if "segment" not in frame.columns:
        raise DataError("customers need the column segment: the lists of new customers are what their segment buys")
    ids, _ = as_ids(frame.index)
    return Ids(ids), labels_of(frame["segment"])


def labels_of(column: pd.Series) -> Labels:
    """Number the labels of a column in sorted order.

    Parameters
    ----------
    column : Series
        Labels, some perhaps missing.

    Returns
    -------
    Labels
        Names and the number of each row's.
    """
    missing = column.isna().to_numpy(dtype=bool)
    texts = column.astype(object).map(str).to_numpy(dtype=object)
    codes, names = pd.factorize(pd.Series(texts, dtype=object).where(~missing), sort=True, use_na_sentinel=True)
    return Labels([str(name) for name in names], codes.astype(np.int64))
