"""Finds for every cancelled line the line it undoes: the customer's latest earlier one of equal product and price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.preparation._events import amounts, calendar_days, customer_codes, numbers, times

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Matches", "match_cancellations", "refund_lines", "undo_cancellations"]

_UNITS = 10_000  # quantities by weight are compared to four decimals
_CENTS = 10_000  # prices are compared to four decimals
_ROUNDING = 1e-9  # shares of a line that add up to the whole differ from 1 by rounding


@dataclass(frozen=True)
class Matches:
    """Which cancelled line undoes how much of which line.

    Parameters
    ----------
    cancellation, purchase : ndarray of int, shape (n_matches,)
        Row positions in the table.
    quantity : ndarray of float, shape (n_matches,)
        Units undone.
    exact : ndarray of bool, shape (n_matches,)
        True where both lines have the same quantity.
    """

    cancellation: npt.NDArray[np.intp]
    purchase: npt.NDArray[np.intp]
    quantity: npt.NDArray[np.float64]
    exact: npt.NDArray[np.bool_]


def refund_lines(frame: pd.DataFrame, amount: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say which lines take something back: a negative amount, or a negative quantity (of a free item)."""
    back = amount < 0
    if "quantity" in frame.columns and pd.api.types.is_numeric_dtype(frame["quantity"].dtype):
        back |= frame["quantity"].to_numpy(dtype=np.float64, na_value=np.nan) < 0
    return back


def match_cancellations(frame: pd.DataFrame, *, product: str | None = None) -> Matches:
    """Match cancelled lines to the lines they undo.

    First each cancelled line takes the latest earlier line of the same customer, product, unit price and quantity
    that is not yet undone; then what is left takes units of the latest earlier lines of the same customer, product
    and unit price, a part of one or several. Lines of one instant count as bought before they were cancelled.

    Parameters
    ----------
    frame : pandas.DataFrame
        Transactions.
    product : str or None
        The column that names the product; None for ``product_id`` or ``item_id``, and where there is neither, price
        and quantity alone decide.

    Returns
    -------
    Matches
        A row for each pair of lines.
    """
    if product is not None:
        require_columns(frame, [product], what="transactions")
    else:
        product = next((name for name in ("product_id", "item_id") if name in frame.columns), None)
    quantity, price = _quantities_and_prices(frame)
    parts = [customer_codes(frame)[0], pd.factorize(np.rint(price * _CENTS))[0]]
    if product is not None:
        parts.append(pd.factorize(frame[product])[0])
    group = _combine(parts)
    if product is not None:
        group[parts[-1] < 0] = -1  # a line without a product is like no other
    # Only groups with both a purchase and a cancellation can hold a match: the rest is left out of the sorting.
    n_groups = int(group.max(initial=-1)) + 1
    back, known = quantity < 0, group >= 0
    bought = np.bincount(group[known & (quantity > 0)], minlength=n_groups) > 0
    cancelled = np.bincount(group[known & back], minlength=n_groups) > 0
    rows = np.flatnonzero(known & (quantity != 0))
    rows = rows[(bought & cancelled)[group[rows]]]
    time = times(frame)
    when = calendar_days(frame) if time is None or time.isna().any() else time.astype("int64").to_numpy()
    rows = rows[np.lexsort((back[rows], when[rows], group[rows]))]
    units = np.rint(quantity[rows] * _UNITS).astype(np.int64)
    exact = _pairs(_combine([group[rows], np.abs(units)]), np.sign(units))
    first = exact[:2]
    left = units.copy()
    left[np.concatenate(first)] = 0
    keep = np.flatnonzero(left)
    rest = _pairs(group[rows][keep], left[keep])
    purchase = rows[np.concatenate([first[0], keep[rest[0]]])]
    cancellation = rows[np.concatenate([first[1], keep[rest[1]]])]
    taken = np.concatenate([np.abs(units[first[0]]), rest[2]]) / _UNITS
    return Matches(cancellation, purchase, taken, np.arange(len(taken)) < len(first[0]))


def undo_cancellations(
    frame: pd.DataFrame, rows: npt.NDArray[np.intp], amount: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Take matched cancellations off the lines they undo.

    Parameters
    ----------
    frame : pandas.DataFrame
        Transactions.
    rows : ndarray of int, shape (n_seen,)
        Positions of the lines that are known; a cancellation among the others has not happened yet.
    amount : ndarray of float, shape (n_rows,)
        The amount of each line.

    Returns
    -------
    amount : ndarray of float, shape (n_rows,)
        What is left of each line.
    gone : ndarray of bool, shape (n_rows,)
        Lines of which nothing is left, cancellations among them.
    """
    matches = match_cancellations(frame.iloc[rows])
    units = np.ones(len(amount))
    if "quantity" in frame.columns:
        quantity = np.abs(frame["quantity"].to_numpy(dtype=np.float64)[rows])
        units[rows] = np.where(quantity > 0, quantity, 1.0)
    both = rows[np.concatenate([matches.purchase, matches.cancellation])]
    undone = np.bincount(both, np.tile(matches.quantity, 2), minlength=len(amount)) / units
    return amount * (1 - undone), undone >= 1 - _ROUNDING


def _quantities_and_prices(frame: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give signed quantities and unit prices; without quantities a line is one unit at its amount."""
    amount = amounts(frame)
    if "quantity" not in frame.columns:
        return np.where(amount < 0, -1.0, 1.0), np.abs(amount)
    quantity = numbers(frame, "quantity")
    if "unit_price" in frame.columns:
        return quantity, numbers(frame, "unit_price")
    return quantity, np.abs(np.divide(amount, quantity, out=np.zeros_like(amount), where=quantity != 0))


def _combine(parts: list[npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
    """Number the distinct combinations of several codes."""
    combined = parts[0]
    for part in parts[1:]:
        codes, unique = pd.factorize(part)
        combined = pd.factorize(combined * max(len(unique), 1) + codes)[0]
    return combined.copy()


def _pairs(
    group: npt.NDArray[np.intp], change: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Pair what each negative change takes with the latest earlier positive changes of its group.

    Within a group the units are a pile: a purchase lays units on top, a cancellation takes them from the top, and what
    it asks beyond the bottom stays unmatched. The height of the pile before and after each row says which stretch of
    it the row laid or took; cut at every height that occurs, each stretch is laid and taken in turn, so that sorting by
    group, stretch and row puts every taking right behind its laying. Time is that of the sort.

    Parameters
    ----------
    group : ndarray of int, shape (n_rows,)
        Groups; the rows of each in the order of time.
    change : ndarray of int, shape (n_rows,)
        Units laid (positive) or taken (negative).

    Returns
    -------
    laid, taken : ndarray of int, shape (n_pairs,)
        Positions of the two rows of each pair.
    units : ndarray of int, shape (n_pairs,)
        How many units.
    """
    nothing = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.int64)
    if len(group) == 0:
        return nothing
    by_group = pd.Series(change).groupby(group)
    total = by_group.cumsum().to_numpy()
    lowest = pd.Series(total).groupby(group).cummin().to_numpy()
    after = total - np.minimum(lowest, 0)
    before = pd.Series(after).groupby(group).shift(fill_value=0).to_numpy()
    low, high = np.minimum(before, after), np.maximum(before, after)
    # Cut the piles at every height that occurs.
    codes = np.concatenate([group, group])
    heights = np.concatenate([low, high])
    order = np.lexsort((heights, codes))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(codes[order]) != 0) | (np.diff(heights[order]) != 0)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.cumsum(new) - 1
    height_of = heights[order][new]
    low_rank, high_rank = rank[: len(group)], rank[len(group) :]
    counts = high_rank - low_rank
    row = np.repeat(np.arange(len(group)), counts)
    stretch = np.repeat(low_rank - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    order = np.lexsort((row, stretch))
    row, stretch = row[order], stretch[order]
    pair = np.flatnonzero((change[row[:-1]] > 0) & (change[row[1:]] < 0) & (stretch[:-1] == stretch[1:]))
    if len(pair) == 0:
        return nothing
    laid, taken = row[pair], row[pair + 1]
    units = height_of[stretch[pair] + 1] - height_of[stretch[pair]]
    # Stretches of one pair are added up again.
    pairs = pd.DataFrame({"laid": laid, "taken": taken, "units": units}).groupby(["laid", "taken"], sort=True)
    summed = pairs["units"].sum()
    return (
        summed.index.get_level_values("laid").to_numpy(dtype=np.intp),
        summed.index.get_level_values("taken").to_numpy(dtype=np.intp),
        summed.to_numpy(dtype=np.int64),
    )
