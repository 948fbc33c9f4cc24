"""Lists of items a customer was shown and items that turned out right for them, brought to arrays and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Lists", "Relevant", "check_length", "numbered", "read_lists", "read_relevant", "same_kind"]


@dataclass(frozen=True)
class Lists:
    """The first ranks of every list, sorted by customer and item.

    Attributes
    ----------
    customers, items : pandas.Index
        Distinct ids, of all rows.
    customer, item : ndarray of int64, shape (n_rows,)
        Their numbers, of the rows within the first ranks.
    rank : ndarray of int64, shape (n_rows,)
        From 1.
    row : ndarray of int64, shape (n_rows,)
        Where the row stands in the table, for messages.
    """

    # Sorted so that what is relevant is looked up in lists one after the other, which is several times faster than
    # looking lists up in what is relevant.

    customers: pd.Index
    items: pd.Index
    customer: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Relevant:
    """What turned out right.

    Attributes
    ----------
    customers, items : pandas.Index
        Distinct ids, of the rows whose gain is above 0.
    customer, item : ndarray of int64, shape (n_pairs,)
        Their numbers.
    gain : ndarray of float64, shape (n_pairs,), or None
        Above 0; None where every pair counts 1.
    """

    customers: pd.Index
    items: pd.Index
    customer: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    gain: npt.NDArray[np.float64] | None


def check_length(n: Any) -> int:
    """Refuse a length of lists that is no whole number from 1 on."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise DataError(f"n must be a whole number of places from 1 on, got {n!r}")
    return int(n)


def read_lists(recommended: Any, n: int) -> Lists:
    """Check whole lists and give their first ``n`` ranks."""
    frame = as_frame(recommended, what="recommended")
    require_columns(frame, ["customer_id", "item_id", "rank"], what="recommended")
    customer, customers = numbered(frame["customer_id"], "recommended: customer_id")
    item, items = numbered(frame["item_id"], "recommended: item_id")
    rank = _ranks(frame["rank"])
    order = _refuse_repeats(
        customer, item, len(items), "recommended: an item stands more than once in one customer's list"
    )
    # Different ranks none of which is above the length of their list are 1, 2, 3 … up to it.
    length = np.bincount(customer, minlength=len(customers))[customer]
    beyond = rank > length
    if beyond.any():
        raise DataError(
            f"recommended: the ranks of a list must be 1, 2, 3, … without gaps; {positions(beyond)} stand beyond the "
            "length of their list. Number the items anew where some were taken out"
        )
    most = int(length.max(initial=0)) + 1
    _refuse_repeats(customer, rank, most, "recommended: two items have the same rank in one customer's list")
    row = order[rank[order] <= n]
    return Lists(customers, items, customer[row], item[row], rank[row], row)


def _ranks(column: pd.Series) -> npt.NDArray[np.int64]:
    """Give ranks as whole numbers from 1 on."""
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DataError(f"recommended: rank must hold whole numbers from 1 on, got {column.dtype}")
    rank = column.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(rank) | (rank < 1) | (rank != np.floor(rank))
    if wrong.any():
        raise DataError(f"recommended: rank must be a whole number from 1 on; it is not in {positions(wrong)}")
    return rank.astype(np.int64)


def read_relevant(relevant: Any) -> Relevant:
    """Check the pairs of customer and item that turned out right, and leave out those that gain nothing."""
    frame = as_frame(relevant, what="relevant")
    require_columns(frame, ["customer_id", "item_id"], what="relevant")
    customer, customers = numbered(frame["customer_id"], "relevant: customer_id")
    item, items = numbered(frame["item_id"], "relevant: item_id")
    _refuse_repeats(
        customer,
        item,
        len(items),
        "relevant: a customer and item stand together more than once; make it one row a pair, for example with "
        "drop_duplicates(['customer_id', 'item_id'])",
    )
    gain = _gains(frame["gain"]) if "gain" in frame.columns else None
    if gain is not None and not (gain > 0).all():
        kept = gain > 0
        return read_relevant(frame.loc[kept])
    if not len(frame):
        raise DataError("relevant is empty: there is nothing that lists could have found")
    return Relevant(customers, items, customer, item, gain)


def _gains(column: pd.Series) -> npt.NDArray[np.float64]:
    """Give gains as finite numbers from 0 on."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(f"relevant: gain must hold numbers, got {column.dtype}")
    gain = column.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(gain) & (gain >= 0))
    if wrong.any():
        raise DataError(f"relevant: gain must be a finite number from 0 on; it is not in {positions(wrong)}")
    return gain


def numbered(column: Any, what: str) -> tuple[npt.NDArray[np.int64], pd.Index]:
    """Number the ids of a column in the order in which they first appear."""
    codes, unique = pd.factorize(column, use_na_sentinel=True)
    missing = codes < 0
    if missing.any():
        raise DataError(f"{what} is missing in {positions(missing)}")
    ids = pd.Index(unique)
    # Categories are compared as what they stand for.
    ids = pd.Index(ids.to_numpy()) if isinstance(ids.dtype, pd.CategoricalDtype) else ids
    return codes.astype(np.int64, copy=False), ids


def same_kind(left: pd.Index, right: pd.Index, *, column: str, tables: tuple[str, str]) -> None:
    """Refuse numbers on one side and text on the other: they would never meet."""
    kinds = [_kind(ids) for ids in (left, right)]
    if len(left) and len(right) and kinds[0] != kinds[1]:
        raise DataError(
            f"{column} holds {kinds[0]} in {tables[0]} and {kinds[1]} in {tables[1]}: bring both to text, for example "
            f"with astype(str)"
        )


def _kind(ids: pd.Index) -> str:
    """Say whether ids are numbers, or what is compared as text."""
    numeric = pd.api.types.is_numeric_dtype(ids.dtype) or (
        ids.dtype == object and pd.api.types.infer_dtype(ids, skipna=False) in {"integer", "floating", "decimal"}
    )
    return "numbers" if numeric else "text"


def _refuse_repeats(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], n_second: int, message: str
) -> npt.NDArray[np.intp]:
    """Refuse pairs that stand more than once, naming all their rows, and give the order that sorts them."""
    key = first * n_second + second
    # Lists stand together as a rule, and a stable sort makes short work of rows that are nearly in order.
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise DataError(f"{message} ({positions(np.isin(key, twice))})")
    return order
