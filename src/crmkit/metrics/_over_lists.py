"""Figures of all lists together, with what each customer's list adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._ranked_lists import check_length, numbered, read_lists, same_kind
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.metrics._ranked_lists import Lists

__all__ = ["jackknife", "lists_and_items", "some_lists"]


def some_lists(recommended: Any, n: Any) -> Lists:
    """Read lists, of which there must be any."""
    lists = read_lists(recommended, check_length(n))
    if not len(lists.row):
        raise DataError("recommended is empty: there is no list to measure")
    return lists


def lists_and_items(recommended: Any, items: Any, n: Any) -> tuple[Lists, npt.NDArray[np.int64], int]:
    """Read lists and the catalogue, and give the number of each row's item in it and the catalogue's size."""
    lists, catalogue = some_lists(recommended, n), _catalogue(items)
    same_kind(lists.items, catalogue, column="item_id", tables=("recommended", "items"))
    place = catalogue.get_indexer(lists.items)[lists.item]
    unknown = np.zeros(int(lists.row.max()) + 1, dtype=bool)
    unknown[lists.row[place < 0]] = True
    if unknown.any():
        raise DataError(f"recommended: item_id is none of the items in {positions(unknown)}")
    return lists, place.astype(np.int64, copy=False), len(catalogue)


def _catalogue(items: Any) -> pd.Index:
    """Give the distinct items of a table with ``item_id``, or of a column of ids."""
    if isinstance(items, str | bytes):
        raise DataError("items must be a table with item_id or a column of ids, got one text")
    if hasattr(items, "columns") or isinstance(items, dict):
        frame = as_frame(items, what="items")
        require_columns(frame, ["item_id"], what="items")
        ids = numbered(frame["item_id"], "items: item_id")[1]
    else:
        ids = numbered(pd.Series(items if hasattr(items, "__len__") else list(items)), "items")[1]
    if not len(ids):
        raise DataError("items is empty: there is no catalogue to cover")
    return ids


def jackknife(value: float, without: npt.NDArray[np.float64], *, level: float, high: float = 1.0) -> Estimate:
    """Give a figure of all lists the interval of its delete-one-customer jackknife, within 0 and ``high``.

    Its variance is never too small in expectation, whatever the figure (Efron & Stein 1981), where a bootstrap repeats
    customers, and so makes lists seem to cover less, and to crowd more, than they do.
    """
    check_level(level)
    n = len(without)
    half = float("nan")
    if n > 1:
        spread = float(np.sum((without - without.mean()) ** 2)) * (n - 1) / n
        half = float(stdtrit(n - 1, 0.5 + level / 2)) * np.sqrt(spread)
    # A customer alone has no interval; min and max would hide that.
    low, top = float(np.clip(value - half, 0.0, high)), float(np.clip(value + half, 0.0, high))
    return Estimate(value, n=n, low=low, high=top, level=level, method="jackknife" if n > 1 else "")
