"""Reads ratings: ids numbered, the scale kept, one rating a pair of customer and item."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import time_split
from crmkit.recommendation._ids import number_ids
from crmkit.recommendation._interactions import item_column

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RatingTable", "Ratings", "read_ratings"]

_WHAT = "ratings"


@dataclass
class Ratings:
    """Ratings as arrays, one a pair of customer and item.

    Attributes
    ----------
    customer, item : ndarray of int64, shape (n_ratings,)
        Numbers, in the order of the table's rows.
    value : ndarray of float64, shape (n_ratings,)
        The ratings.
    n_customers, n_items : int
        How many there are; some may have no rating.
    scale : tuple of float
        The lowest and highest rating there may be.
    """

    customer: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    n_customers: int
    n_items: int
    scale: tuple[float, float]

    @property
    def mean(self) -> float:
        """The mean of all ratings."""
        return float(self.value.mean())


@dataclass
class RatingTable:
    """A table of ratings from which nothing needs to be taken away any more.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``customer_id``, ``item_id``, ``rating``, and ``time`` or ``day`` where every row has one; one row a pair.
    scale : tuple of float
        The lowest and highest rating there may be.
    n_replaced : int
        Ratings that gave way to another of the same pair.
    set_aside : dict of str to int
        Rows that could not be used, by reason.
    """

    frame: pd.DataFrame
    scale: tuple[float, float]
    n_replaced: int
    set_aside: dict[str, int]


def read_ratings(ratings: Any, *, scale: Any = None, duplicates: str = "last", cutoff: Any = None) -> RatingTable:
    """Read a table of ratings.

    Parameters
    ----------
    ratings : table
        ``customer_id``, ``item_id`` (or ``product_id``), ``rating``, and ``time`` or ``day`` where it is known.
    scale : tuple of float or None, default=None
        The lowest and highest rating there may be; None takes the lowest and highest there are.
    duplicates : {"last", "mean", "error"}, default="last"
        What becomes of several ratings of one item by one customer.
    cutoff : date, time or None, default=None
        Rows at or after it are not read.

    Returns
    -------
    RatingTable
        The rows that can be used.

    Raises
    ------
    DataError
        If a column is not there, ratings are no finite numbers or outside the scale, no row is left, or a pair is
        rated twice where that is an error.
    """
    frame = as_frame(ratings, what=_WHAT)
    require_columns(frame, ["customer_id", "rating"], what=_WHAT, hint="records.RATINGS reads other headers")
    items_in = item_column(frame, what=_WHAT)
    low, high = _checked_scale(scale)
    if cutoff is not None:
        frame = time_split(frame, cutoff).before
    value = _numbers(frame["rating"])
    customer, _ = number_ids(frame["customer_id"])
    item, items = number_ids(frame[items_in])
    problems = {"no customer_id": customer < 0, f"no {items_in}": item < 0, "no rating": np.isnan(value)}
    lost = np.logical_or.reduce(list(problems.values()))
    if lost.all():
        raise DataError(
            f"{_WHAT} hold no row with a customer_id, an {items_in} and a rating"
            + (" before the cutoff" if cutoff is not None else "")
        )
    if lost.any():
        warnings.warn(
            f"{_WHAT}: {int(lost.sum()):,} of {len(frame):,} rows have no customer_id, {items_in} or rating and are "
            f"set aside: {positions(lost)}",
            DataWarning,
            stacklevel=4,
        )
    outside = ~lost & ((value < low) | (value > high))
    if outside.any():
        raise DataError(
            f"{_WHAT} must lie within the scale from {low:g} to {high:g}; outside are {positions(outside)}: give the "
            "right scale=(lowest, highest), or mend the rows"
        )
    rows = np.flatnonzero(~lost)
    rows, value, n_replaced = _one_a_pair(frame, rows, customer * max(len(items), 1) + item, value, duplicates)
    kept = {"customer_id": frame["customer_id"], "item_id": frame[items_in]}
    kept |= {name: frame[name] for name in ("time", "day") if name in frame.columns and _tells_days(frame[name])}
    table = pd.DataFrame(kept) if len(rows) == len(frame) else pd.DataFrame(kept).iloc[rows]
    if scale is None:
        low, high = float(value.min()), float(value.max())
    counts = {reason: int(with_it.sum()) for reason, with_it in problems.items()}
    return RatingTable(table.assign(rating=value), (low, high), n_replaced, counts)


def _tells_days(column: pd.Series) -> bool:
    """Say whether every row of a column has a day that lists of lately popular items may count by."""
    if column.name == "time" and not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return False
    return not bool(column.isna().any())


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    """Give the ratings as numbers, NaN where missing."""
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DataError(f"{_WHAT}: rating must hold numbers, got {column.dtype}; records.read turns text into numbers")
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise DataError(f"{_WHAT}: rating is infinite in {positions(np.isinf(numbers))}")
    return numbers


def _checked_scale(scale: Any) -> tuple[float, float]:
    """Give the declared scale, unbounded where there is none."""
    if scale is None:
        return -np.inf, np.inf
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        raise ValueError(f"scale must be a pair of numbers such as (1, 5), got {scale!r}") from None
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"scale must rise from its lowest to its highest rating, both finite, got {scale!r}")
    return low, high


def _one_a_pair(
    frame: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    pair: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    duplicates: str,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
    """Leave one row a pair, and give its rating; rows keep the order of the table."""
    pair = pair[rows]
    twice = pd.Series(pair).duplicated(keep=False).to_numpy()
    if not twice.any():
        return rows, value[rows], 0
    if duplicates == "error":
        repeated = np.zeros(len(frame), dtype=bool)
        repeated[rows[twice]] = True
        raise DataError(
            f"{_WHAT}: a customer rates an item more than once in {positions(repeated)}; duplicates='last' keeps the "
            "latest, duplicates='mean' the mean"
        )
    if duplicates == "mean":
        _, first, place = np.unique(pair, return_index=True, return_inverse=True)
        means = np.bincount(place, weights=value[rows]) / np.bincount(place)
        order = np.argsort(first, kind="stable")
        return rows[first[order]], means[order], len(rows) - len(first)
    by_time = np.arange(len(rows))
    told_by = next((name for name in ("time", "day") if name in frame.columns), None)
    if told_by is not None:
        by_time = np.argsort(_instants(frame[told_by].iloc[rows]), kind="stable")
    else:
        warnings.warn(
            f"{_WHAT}: {int(twice.sum()):,} rows rate an item that their customer rates more than once; without a "
            "column time or day, the row that stands last counts",
            DataWarning,
            stacklevel=5,
        )
    kept = by_time[~pd.Series(pair[by_time]).duplicated(keep="last").to_numpy()]
    kept = np.sort(kept)
    return rows[kept], value[rows[kept]], len(rows) - len(kept)


def _instants(time: pd.Series) -> npt.NDArray[np.float64]:
    """Give times as numbers that sort alike; a missing one comes before all others."""
    if not pd.api.types.is_numeric_dtype(time.dtype):
        try:
            time = pd.to_datetime(time, utc=True, format="ISO8601")
        except (ValueError, TypeError):
            raise DataError(
                f"{_WHAT}: {time.name} must hold times or numbers to tell which of two ratings is the later; "
                "records.read turns text into times"
            ) from None
        # Whole microseconds, which a float holds exactly until the year 2255.
        exact = time.to_numpy(dtype="datetime64[us]").astype(np.int64).astype(np.float64)
        return np.where(time.isna().to_numpy(), -np.inf, exact)
    return time.to_numpy(dtype=np.float64, na_value=-np.inf)
