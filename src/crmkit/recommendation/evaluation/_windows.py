"""What models may see and what they are judged by: before and after a cutoff, or pairs held out at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.preparation import Cutoff, as_cutoff, time_split
from crmkit.recommendation._interactions import add_pairs, read_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.recommendation._interactions import Events

__all__ = ["Counting", "Window", "held_out_at_random", "window_after"]


@dataclass(frozen=True)
class Counting:
    """Which events count as what a customer wanted.

    Attributes
    ----------
    weights : dict of str to float or None
        Every kind of event there is; None where there are no kinds.
    events : tuple of str or None
        The kinds that count; None where there are no kinds.
    min_rating : float or None
        Only events rated at least so high count.
    """

    weights: Mapping[str, float] | None
    events: tuple[str, ...] | None
    min_rating: float | None

    def read(self, rows: pd.DataFrame) -> Events:
        """Read rows into arrays."""
        return read_events(rows, event_weights=self.weights, had_events=self.events)

    def counted(self) -> dict[str, float] | None:
        """Give a weight of 1 to the kinds that count and of 0 to others."""
        return None if self.weights is None else {kind: float(kind in (self.events or ())) for kind in self.weights}


@dataclass(frozen=True)
class Window:
    """One question: what was known, and what came of it.

    Attributes
    ----------
    label : str
        The cutoff, or that pairs were held out.
    known : pandas.DataFrame
        The rows that models learn from.
    cutoff : Cutoff or None
        Ages are counted from it; None for pairs held out at random.
    until : str
        Where the window ends, exclusive; empty for pairs held out at random.
    relevant : pandas.DataFrame
        ``customer_id``, ``item_id``, ``new`` (the customer did not have the item before) and ``warm`` (the customer
        has events before).
    n_customers : int
        Customers with events before.
    items : ndarray of shape (n_items,)
        Items with events before.
    bought : pandas.DataFrame
        ``customer_id``, ``item_id`` of the pairs that were had before.
    """

    label: str
    known: pd.DataFrame
    cutoff: Cutoff | None
    until: str
    relevant: pd.DataFrame
    n_customers: int
    items: npt.NDArray[Any]
    bought: pd.DataFrame


def window_after(interactions: pd.DataFrame, cutoff: Any, horizon: int, counting: Counting) -> Window:
    """Divide events at a cutoff and look at the days after it.

    Parameters
    ----------
    interactions : pandas.DataFrame
        The events.
    cutoff : date, time or text of one
        Models see what is before it.
    horizon : int
        How many days from it on count.
    counting : Counting
        Which events count.

    Returns
    -------
    Window
        The question.

    Raises
    ------
    DataError
        If nothing lies before the cutoff, or nothing that counts in the days after it.
    """
    begin = as_cutoff(cutoff)
    instant = None if begin.instant is None else begin.instant + pd.Timedelta(days=horizon)
    end = Cutoff(begin.day + horizon, instant)
    known, after = time_split(interactions, begin, until=end)
    if not len(known):
        raise DataError(f"no event lies before the cutoff {begin}: models would have nothing to learn from")
    nothing = f"nothing that counts happened in the {horizon} days from {begin} on"
    if not len(after):
        raise DataError(nothing)
    return _window(str(begin), known, after, counting, cutoff=begin, until=str(end), nothing=nothing)


def held_out_at_random(interactions: pd.DataFrame, share: float, counting: Counting, random_state: Any) -> Window:
    """Hold out a share of each customer's items, with all their events, whenever they were.

    Parameters
    ----------
    interactions : pandas.DataFrame
        The events.
    share : float
        Between 0 and 1; of each customer with at least two items at least one is held out and one kept.
    counting : Counting
        Which events count.
    random_state : int, RandomState or None
        Draws.

    Returns
    -------
    Window
        The question, to which the future may have answered.

    Raises
    ------
    DataError
        If no customer has two items, or nothing of what is held out counts.
    """
    read = counting.read(interactions)
    key = read.customer * np.int64(len(read.items)) + read.item
    pairs, of_row = np.unique(key, return_inverse=True)
    customer = pairs // len(read.items)
    many = np.bincount(customer)[customer]
    wanted = np.clip(np.floor(share * many + 0.5), 1, many - 1)
    drawn = np.lexsort((check_random_state(random_state).random_sample(len(pairs)), customer))
    place = np.empty(len(pairs), dtype=np.int64)
    place[drawn] = np.arange(len(pairs)) - np.searchsorted(customer, customer[drawn])
    held = (place < wanted)[of_row]
    if not held.any():
        raise DataError("no customer has two items: there is nothing to hold out")
    known, after = interactions.loc[~held], interactions.loc[held]
    return _window("random", known, after, counting, nothing="nothing of what was held out counts")


def _window(
    label: str,
    known: pd.DataFrame,
    after: pd.DataFrame,
    counting: Counting,
    *,
    nothing: str,
    cutoff: Cutoff | None = None,
    until: str = "",
) -> Window:
    """Say of each pair that counts whether the customer had it before, and whether the customer was there at all."""
    before, later = counting.read(known), counting.read(after)
    weight = later.weight
    if counting.min_rating is not None:
        assert later.rating is not None  # noqa: S101 -- a table without ratings was refused when min_rating was read
        weight = np.where(later.rating >= counting.min_rating, weight, 0.0)
    positive, had = add_pairs(later, weight, "binary")
    # What was taken back within the window, or only looked at, was not wanted.
    key = np.intersect1d(_keys(positive), _keys(had), assume_unique=True)
    if not len(key):
        raise DataError(nothing)
    customer, item = np.divmod(key, len(later.items))
    was_customer = before.customers.numbers_of(later.customers.values)[customer]
    was_item = before.items.numbers_of(later.items.values)[item]
    known_pair = (was_customer >= 0) & (was_item >= 0)
    earlier = _keys(add_pairs(before, before.weight, "binary")[1])
    repeat = known_pair & np.isin(was_customer * np.int64(len(before.items)) + was_item, earlier)
    known_items, wanted_items = before.items.values, later.items.values
    if known_items.dtype != wanted_items.dtype:
        # One side happens to hold numbers only.
        known_items, wanted_items = (ids.astype(str).astype(object) for ids in (known_items, wanted_items))
    relevant = pd.DataFrame(
        {
            "customer_id": later.customers.values[customer],
            "item_id": wanted_items[item],
            "new": ~repeat,
            "warm": was_customer >= 0,
        }
    )
    owner, thing = np.divmod(earlier, len(before.items))
    bought = pd.DataFrame({"customer_id": before.customers.values[owner], "item_id": known_items[thing]})
    return Window(label, known, cutoff, until, relevant, len(before.customers), known_items, bought)


def _keys(pairs: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Number the stored pairs of a matrix."""
    row = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    return np.asarray(row * np.int64(pairs.shape[1]) + pairs.indices, dtype=np.int64)
