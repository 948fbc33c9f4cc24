"""How often, how evenly and how long ago each customer bought each item, as numbers to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NAMES", "PurchaseDays", "Rhythms", "purchase_days", "rhythms"]

NAMES = (
    "log decayed count, 30 days", "log decayed count, 90 days", "log decayed count, 365 days", "log count",
    "bought once", "log days since", "log days known", "overdue", "overdue squared", "late",
    "log buyers of the item lately", "log buyers of the item", "log rebuying of the item",
    "log days since customer bought", "log customer's days", "log customer's basket",
)  # fmt: skip
"""What each column of the features is."""

_HALF_LIVES = (30.0, 90.0, 365.0)
_OLDEST = 10_000


@dataclass
class PurchaseDays:
    """The days on which customers bought items, each day of a pair once, sorted by pair and day.

    Attributes
    ----------
    pair : ndarray of int64, shape (n_days,)
        Customer times the number of items, plus item.
    day : ndarray of int64, shape (n_days,)
        Days.
    n_customers, n_items : int
        How many there are.
    """

    pair: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    n_customers: int
    n_items: int

    def before(self, day: int) -> PurchaseDays:
        """Give what was known on the morning of a day."""
        known = self.day < day
        return PurchaseDays(self.pair[known], self.day[known], self.n_customers, self.n_items)


@dataclass
class Rhythms:
    """What is known of each pair.

    Attributes
    ----------
    pair, times, first, last : ndarray of int64, shape (n_pairs,)
        The pair, on how many days it was bought, and the first and last of them.
    features : ndarray of float64, shape (n_pairs, 16)
        The columns named in ``NAMES``.
    """

    pair: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]


def purchase_days(
    customer: npt.NDArray[np.int64],
    item: npt.NDArray[np.int64],
    day: npt.NDArray[np.int64],
    n_customers: int,
    n_items: int,
) -> PurchaseDays:
    """Sort purchases by pair and day, and count each day once.

    Parameters
    ----------
    customer, item, day : ndarray of int64, shape (n_purchases,)
        Purchases.
    n_customers, n_items : int
        How many there are.

    Returns
    -------
    PurchaseDays
        Sorted.
    """
    pair = customer * n_items + item
    order = np.lexsort((day, pair))
    pair, day = pair[order], day[order]
    first = np.r_[True, (pair[1:] != pair[:-1]) | (day[1:] != day[:-1])][: len(pair)]
    return PurchaseDays(pair[first], day[first], n_customers, n_items)


def rhythms(days: PurchaseDays, now: int, horizon: int) -> Rhythms:
    """Work the features of every pair out.

    Parameters
    ----------
    days : PurchaseDays
        Purchases before ``now``, at least one.
    now : int
        The first day that is not known.
    horizon : int
        How many days count as lately.

    Returns
    -------
    Rhythms
        One row a pair, in order.
    """
    starts = np.flatnonzero(np.r_[True, days.pair[1:] != days.pair[:-1]])
    pair = days.pair[starts]
    customer, item = np.divmod(pair, days.n_items)
    times = np.diff(np.r_[starts, len(days.pair)])
    first, last = days.day[starts], days.day[np.r_[starts[1:], len(days.day)] - 1]
    # What halves every month is 0 after ninety years: a date such as 1900 counts as long ago, and has a logarithm.
    age = np.minimum(now - 1 - days.day, _OLDEST).astype(np.float64)
    decayed = [np.log(np.add.reduceat(np.exp2(-age / half), starts)) for half in _HALF_LIVES]
    since = (now - last).astype(np.float64)
    gap = (last - first) / np.maximum(times - 1, 1)
    # Three days are added to both, so that a gap of one day does not make a week ten times too late.
    overdue = np.where(times > 1, np.log((since + 3.0) / (gap + 3.0)), 0.0)
    lately = days.day >= now - horizon
    buyers_lately = _distinct(days.pair[lately], days.n_items)
    buyers = np.bincount(item, minlength=days.n_items)
    again = np.bincount(item[times > 1], minlength=days.n_items)
    customer_days = days.pair // days.n_items
    last_day = np.full(days.n_customers, -1, dtype=np.int64)
    np.maximum.at(last_day, customer, last)
    lines = np.bincount(customer_days, minlength=days.n_customers)
    visits = _visits(customer_days, days.day, days.n_customers)
    columns = [
        *decayed,
        np.log(times),
        (times == 1).astype(np.float64),
        np.log(since),
        np.log((now - first).astype(np.float64)),
        overdue,
        overdue**2,
        np.maximum(overdue, 0.0),
        np.log1p(buyers_lately[item]),
        np.log(buyers[item]),
        np.log((again[item] + 1.0) / (buyers[item] + 5.0)),
        np.log((now - last_day[customer]).astype(np.float64)),
        np.log(visits[customer]),
        np.log(lines[customer] / visits[customer]),
    ]
    return Rhythms(pair, times.astype(np.int64), first, last, np.column_stack(columns).astype(np.float64))


def _distinct(pair: npt.NDArray[np.int64], n_items: int) -> npt.NDArray[np.int64]:
    """Count the customers of each item among sorted pairs."""
    new = np.r_[True, pair[1:] != pair[:-1]][: len(pair)]
    return np.bincount(pair[new] % n_items, minlength=n_items)


def _visits(customer: npt.NDArray[np.int64], day: npt.NDArray[np.int64], n_customers: int) -> npt.NDArray[np.int64]:
    """Count the days on which each customer bought anything."""
    low = int(day.min())
    key = np.sort(customer * (int(day.max()) - low + 1) + day - low)
    new = np.r_[True, key[1:] != key[:-1]]
    return np.bincount(key[new] // (int(day.max()) - low + 1), minlength=n_customers)
