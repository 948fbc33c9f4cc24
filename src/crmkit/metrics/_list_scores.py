"""What each customer's list found, for all customers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._ranked_lists import check_length, read_lists, read_relevant, same_kind
from crmkit.metrics.intervals import check_level, mean, share

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.metrics._ranked_lists import Lists, Relevant

__all__ = ["Found", "NoRelevant", "find", "mean_of_customers"]

NoRelevant = Literal["exclude", "zero"]


@dataclass(frozen=True)
class Found:
    """Where the relevant items of each customer stand in the first ranks of their list.

    Attributes
    ----------
    n : int
        How many ranks count.
    customers : pandas.Index
        Customers for whom something is relevant.
    n_relevant, n_listed, hits : ndarray, shape (n_customers,)
        Items that are relevant, that are listed within the first ranks, and that are both.
    customer, rank : ndarray of int64, shape (n_hits,)
        Of each hit, sorted by customer and rank.
    gain : ndarray of float64, shape (n_hits,), or None
        Of each hit; None where every pair counts 1.
    relevant : Relevant
        The pairs.
    n_without : int
        Customers who were given a list and for whom nothing is relevant.
    """

    n: int
    customers: pd.Index
    n_relevant: npt.NDArray[np.int64]
    n_listed: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]
    customer: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]
    gain: npt.NDArray[np.float64] | None
    relevant: Relevant
    n_without: int

    def ndcg(self) -> npt.NDArray[np.float64]:
        """Give the discounted gain over that of the best possible list."""
        gained = 1.0 if self.gain is None else self.gain
        return np.asarray(self._sum(gained * _discount(self.rank)) / self._ideal(), dtype=np.float64)

    def _ideal(self) -> npt.NDArray[np.float64]:
        """Give the discounted gain of the best list: the greatest gains first, as many as it has places."""
        if self.relevant.gain is None:
            best = np.cumsum(_discount(np.arange(1, self.n + 1)))
            return np.asarray(best[np.minimum(self.n_relevant, self.n) - 1], dtype=np.float64)
        order = np.lexsort((-self.relevant.gain, self.relevant.customer))
        customer, gain = self.relevant.customer[order], self.relevant.gain[order]
        place = _place(customer)
        worth = np.where(place <= self.n, gain * _discount(place), 0.0)
        return np.asarray(np.bincount(customer, worth, minlength=len(self.customers)), dtype=np.float64)

    def recall(self, *, reachable: bool) -> npt.NDArray[np.float64]:
        """Give the share of relevant items that were found, of all or of as many as the list has places."""
        return np.asarray(self.hits / self._denominator(reachable=reachable), dtype=np.float64)

    def precision(self, *, listed: bool) -> npt.NDArray[np.float64]:
        """Give the share of places, or of places that are filled, that hold a relevant item."""
        places = np.maximum(self.n_listed, 1) if listed else self.n
        return np.asarray(self.hits / places, dtype=np.float64)

    def hit(self) -> npt.NDArray[np.float64]:
        """Give 1 where the list holds anything relevant."""
        return (self.hits > 0).astype(np.float64)

    def average_precision(self, *, reachable: bool) -> npt.NDArray[np.float64]:
        """Give the mean of the precisions at the ranks of relevant items, those not found counting 0."""
        total = self._sum(_place(self.customer) / self.rank)
        return np.asarray(total / self._denominator(reachable=reachable), dtype=np.float64)

    def reciprocal_rank(self) -> npt.NDArray[np.float64]:
        """Give one over the rank of the first relevant item, 0 without any."""
        first = _place(self.customer) == 1
        return self._sum(np.where(first, 1.0 / self.rank, 0.0))

    def _denominator(self, *, reachable: bool) -> npt.NDArray[np.int64]:
        """Count the relevant items, or those that the places have room for."""
        return np.minimum(self.n_relevant, self.n) if reachable else self.n_relevant

    def _sum(self, worth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add what hits are worth up by customer."""
        return np.asarray(np.bincount(self.customer, worth, minlength=len(self.customers)), dtype=np.float64)


def find(recommended: Any, relevant: Any, n: Any) -> Found:
    """Look for the relevant items of each customer in the first ``n`` ranks of their list."""
    n = check_length(n)
    lists, right = read_lists(recommended, n), read_relevant(relevant)
    tables = ("recommended", "relevant")
    same_kind(lists.customers, right.customers, column="customer_id", tables=tables)
    same_kind(lists.items, right.items, column="item_id", tables=tables)
    return _meet(lists, right, n)


def _meet(lists: Lists, right: Relevant, n: int) -> Found:
    """Join lists and pairs by number."""
    n_customers, n_items = len(right.customers), len(lists.items)
    place = right.customers.get_indexer(lists.customers)
    n_listed = np.bincount(lists.customer, minlength=len(lists.customers))
    customer = lists.customers.get_indexer(right.customers)[right.customer]
    item = lists.items.get_indexer(right.items)[right.item]
    possible = np.flatnonzero((customer >= 0) & (item >= 0))
    wanted = customer[possible] * np.int64(n_items) + item[possible]
    # Sorted on both sides, looking up is a walk through memory.
    order = np.argsort(wanted)
    wanted, possible = wanted[order], possible[order]
    listed = np.append(lists.customer * n_items + lists.item, -1)
    at = np.searchsorted(listed[:-1], wanted)
    found = np.flatnonzero(listed[at] == wanted)
    hit, pair = at[found], possible[found]
    by_rank = np.lexsort((lists.rank[hit], right.customer[pair]))
    hit, pair = hit[by_rank], pair[by_rank]
    customer = right.customer[pair]
    return Found(
        n=n,
        customers=right.customers,
        n_relevant=np.bincount(right.customer, minlength=n_customers),
        n_listed=_given(n_listed, place, n_customers),
        hits=np.bincount(customer, minlength=n_customers),
        customer=customer,
        rank=lists.rank[hit],
        gain=None if right.gain is None else right.gain[pair],
        relevant=right,
        n_without=int((place < 0).sum()),
    )


def _given(n_listed: npt.NDArray[np.int64], place: npt.NDArray[np.intp], n_customers: int) -> npt.NDArray[np.int64]:
    """Put the lengths of lists beside the customers for whom something is relevant, 0 where there is no list."""
    given = np.zeros(n_customers, dtype=np.int64)
    given[place[place >= 0]] = n_listed[place >= 0]
    return given


def _discount(rank: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Give what a place is worth: 1 for the first, 1 / log2(1 + rank) further down."""
    return np.asarray(1.0 / np.log2(1.0 + rank), dtype=np.float64)


def _place(group: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the rows of each group from 1, groups standing together."""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    lengths = np.diff(np.r_[starts, len(group)])
    return np.arange(1, len(group) + 1) - np.repeat(starts, lengths)


def mean_of_customers(
    values: npt.NDArray[np.float64], found: Found, *, no_relevant: NoRelevant, level: float
) -> Estimate:
    """Give the mean of a figure between 0 and 1 over customers, with its interval."""
    check_level(level)
    if no_relevant not in {"exclude", "zero"}:
        raise DataError(f"no_relevant must be 'exclude' or 'zero', got {no_relevant!r}")
    note = ""
    if no_relevant == "zero":
        values = np.append(values, np.zeros(found.n_without))
    elif found.n_without:
        note = f"; {found.n_without:,} customers with nothing relevant left out"
    # A hit or none is a share; and where all customers score alike their spread, 0, would promise certainty.
    if np.isin(values, (0.0, 1.0)).all() or (values == values[0]).all():
        return share(float(values.sum()), len(values), level=level, method=f"wilson{note}")
    figure = mean(values, level=level)
    low, high = max(figure.low, 0.0), min(figure.high, 1.0)
    return Estimate(figure.value, n=figure.n, low=low, high=high, level=level, method=f"t{note}")
