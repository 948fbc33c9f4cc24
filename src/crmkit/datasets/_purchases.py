"""Draws purchases from the BG/NBD process and their amounts from the gamma-gamma model, and keeps what was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column
from crmkit.datasets._people import CHANNELS, channel_of, pick

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["CATEGORIES", "Latent", "Orders", "Season", "draw_latent", "draw_lines", "draw_orders", "products"]

WEEKS_PER_YEAR = 365.25 / 7

CATEGORIES = ("phone", "tablet", "computer", "audio", "kitchen", "clothing", "books", "toys")
"""What a product is; electronics are the first four."""

_PER_CATEGORY = 15
_TASTE = np.array(
    [
        [4.0, 3.0, 3.0, 3.0, 0.5, 1.0, 1.0, 0.5],
        [1.0, 0.5, 0.5, 1.0, 3.0, 4.0, 2.0, 2.0],
        [0.5, 1.0, 0.5, 0.5, 4.0, 2.0, 2.0, 4.0],
        [0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 5.0, 1.0],
    ]
)
_FAVOURITE_SHARE = 0.4


@dataclass(frozen=True)
class Season:
    """A yearly cycle: the purchase rate at week t is ``1 + amplitude * sin(2 pi t / year)`` times the customer's own.

    Parameters
    ----------
    amplitude : float
        0 for none; below 1.
    """

    amplitude: float

    def elapsed(self, weeks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the operational time, in which purchases are a plain Poisson process."""
        if not self.amplitude:
            return weeks
        turn = 2 * np.pi / WEEKS_PER_YEAR
        return weeks + self.amplitude / turn * (1 - np.cos(turn * weeks))

    def calendar_weeks(self, elapsed: npt.NDArray[np.float64], until: float) -> npt.NDArray[np.float64]:
        """Give the weeks at which operational times lie."""
        if not self.amplitude:
            return elapsed
        grid = np.linspace(0.0, until, int(until * 200) + 2)
        return np.interp(elapsed, self.elapsed(grid), grid)


@dataclass(frozen=True)
class Latent:
    """What the purchase process knows of each customer and no table shows; arrays of shape (n_customers,)."""

    rate: npt.NDArray[np.float64]
    dropout: npt.NDArray[np.float64]
    spend_mean: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Orders:
    """The orders of the window, in the order of time, with what happens after it; arrays.

    Parameters
    ----------
    customer : ndarray of int64, shape (n_orders,)
        Position of the customer.
    elapsed : ndarray of float64, shape (n_orders,)
        Days from the start.
    value : ndarray of float64, shape (n_orders,)
        The gamma-gamma amount, before it is split into lines.
    left : ndarray of float64, shape (n_customers,)
        Days from the start to the purchase after which the customer left; infinite where not yet.
    future_purchases, future_spend : ndarray, shape (n_customers,)
        What the customer buys in the horizon after the window.
    """

    customer: npt.NDArray[np.int64]
    elapsed: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    left: npt.NDArray[np.float64]
    future_purchases: npt.NDArray[np.int64]
    future_spend: npt.NDArray[np.float64]


def draw_latent(
    n_customers: int,
    *,
    seed: int,
    purchase: tuple[float, float, float, float],
    spend: tuple[float, float, float],
) -> Latent:
    """Draw each customer's purchase rate (per week), dropout probability and mean spend.

    Parameters
    ----------
    n_customers : int
        How many.
    seed : int
        Of the simulation.
    purchase : tuple of float
        ``(r, alpha, a, b)``: rates are Gamma(r, rate alpha), dropout probabilities Beta(a, b).
    spend : tuple of float
        ``(p, q, gamma)``: amounts are Gamma(p, rate nu) with nu Gamma(q, rate gamma).

    Returns
    -------
    Latent
        The draws.
    """
    r, alpha, a, b = purchase
    p, q, gamma = spend
    rng = stream(seed, "latent")
    rate = rng.gamma(r, 1 / alpha, n_customers)
    dropout = rng.beta(a, b, n_customers)
    scale = rng.gamma(q, 1 / gamma, n_customers)
    return Latent(rate, dropout, p / scale)


def draw_orders(
    latent: Latent,
    joined: npt.NDArray[np.float64],
    *,
    seed: int,
    shape: float,
    window: float,
    horizon: float,
    season: Season,
) -> Orders:
    """Draw every order up to the end of the horizon.

    One round draws the next purchase of everyone who is still there, so that the loop is over purchases, not customers.

    Parameters
    ----------
    latent : Latent
        Rates, dropout probabilities, mean spends.
    joined : ndarray of float64, shape (n_customers,)
        Days from the start to the first purchase.
    seed : int
        Of the simulation.
    shape : float
        The gamma-gamma p.
    window, horizon : float
        Lengths in weeks of what is observed and of what follows.
    season : Season
        The yearly cycle.

    Returns
    -------
    Orders
        Those of the window, sorted by time.
    """
    rng = stream(seed, "purchases")
    last = window + horizon
    now = season.elapsed(joined / 7)
    end = float(season.elapsed(np.array([last]))[0])
    left = np.full(len(joined), np.inf)
    active = np.arange(len(joined))
    customers, times = [active], [now.copy()]
    while len(active):
        at = now[active] + rng.exponential(size=len(active)) / latent.rate[active].clip(1e-300)
        leaves = rng.random(len(active)) < latent.dropout[active]
        happens = at <= end
        active, at, leaves = active[happens], at[happens], leaves[happens]
        now[active] = at
        customers.append(active)
        times.append(at)
        left[active[leaves]] = at[leaves]
        active = active[~leaves]
    customer = np.concatenate(customers)
    elapsed = season.calendar_weeks(np.concatenate(times), last) * 7
    finite = np.isfinite(left)
    left[finite] = season.calendar_weeks(left[finite], last) * 7
    order = np.lexsort((customer, elapsed))
    customer, elapsed = customer[order], elapsed[order]
    value = stream(seed, "spend").gamma(shape, 1 / shape, len(customer)) * latent.spend_mean[customer]
    future = elapsed >= window * 7
    count = np.bincount(customer[future], minlength=len(joined))
    total = np.bincount(customer[future], weights=value[future], minlength=len(joined)).astype(np.float64)
    seen = ~future
    return Orders(customer[seen], elapsed[seen], value[seen], left, count.astype(np.int64), total)


def products() -> pd.DataFrame:
    """Give the list of products: product_id as index, category."""
    ids = [f"P{number:03d}" for number in range(1, len(CATEGORIES) * _PER_CATEGORY + 1)]
    category = np.repeat(np.array(CATEGORIES, dtype=object), _PER_CATEGORY)
    frame = pd.DataFrame({"product_id": text_column(ids), "category": text_column(category)})
    return frame.set_index("product_id")


def draw_lines(
    orders: Orders,
    persona: npt.NDArray[np.int64],
    customer_ids: pd.Index[str],
    *,
    seed: int,
    calendar: Calendar,
    currency: str,
) -> tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.int64]]:
    """Split orders into lines of products, prices and quantities.

    Parameters
    ----------
    orders : Orders
        The orders.
    persona : ndarray of int64, shape (n_customers,)
        Decides tastes and channels.
    customer_ids : pandas.Index
        Ids by position.
    seed : int
        Of the simulation.
    calendar : Calendar
        For time and day.
    currency : str
        Of every amount.

    Returns
    -------
    transactions : pandas.DataFrame
        One row a line.
    per_order : pandas.DataFrame, indexed by order_id
        customer (position), elapsed, amount (as booked), channel, category of the first line, delivery_days.
    favourites : ndarray of int64, shape (n_customers, 2)
        The two products a customer comes back for, as positions in ``products()``.
    """
    rng = stream(seed, "lines")
    n_orders, n_products = len(orders.customer), len(CATEGORIES) * _PER_CATEGORY
    favourites = np.stack([_draw_products(rng, persona) for _ in range(2)], axis=1)
    channel = channel_of(rng, persona[orders.customer])
    count = 1 + rng.poisson(0.6, n_orders).clip(0, 4)
    delivery = 1 + rng.poisson(2.0, n_orders) + (rng.random(n_orders) < 0.05) * rng.poisson(5.0, n_orders)
    order = np.repeat(np.arange(n_orders), count)
    first = np.cumsum(count) - count
    weight = 0.3 + rng.random(len(order))
    share = weight / np.bincount(order, weights=weight, minlength=n_orders)[order]
    quantity = 1 + rng.binomial(2, 0.2, len(order))
    price = np.round(orders.value[order] * share / quantity, 2).clip(0.01)
    amount = np.round(price * quantity, 2)
    product = _draw_products(rng, persona[orders.customer[order]])
    usual = rng.random(len(order)) < _FAVOURITE_SHARE
    chosen = favourites[orders.customer[order], rng.integers(0, 2, len(order))]
    product = np.where(usual, chosen, product)
    order_ids = np.array([f"O{number:08d}" for number in range(1, n_orders + 1)], dtype=object)
    product_ids = products().index.to_numpy(dtype=object)
    category = product // _PER_CATEGORY
    ids = customer_ids.to_numpy(dtype=object)
    transactions = pd.DataFrame(
        {
            "customer_id": text_column(ids[orders.customer[order]]),
            "time": calendar.times(orders.elapsed)[order],
            "day": calendar.days(orders.elapsed)[order],
            "order_id": text_column(order_ids[order]),
            "product_id": text_column(product_ids[product % n_products]),
            "quantity": quantity.astype(np.float64),
            "unit_price": price,
            "amount": amount,
            "currency": text_column(np.full(len(order), currency, dtype=object)),
            "channel": text_column(np.array(CHANNELS, dtype=object)[channel[order]]),
            "delivery_days": delivery[order].astype(np.int64),
        }
    )
    per_order = pd.DataFrame(
        {
            "order_id": text_column(order_ids),
            "customer": orders.customer,
            "elapsed": orders.elapsed,
            "amount": np.round(np.bincount(order, weights=amount, minlength=n_orders).astype(np.float64), 2),
            "channel": channel,
            "category": category[first] if n_orders else np.empty(0, dtype=np.int64),
            "delivery_days": delivery.astype(np.int64),
        }
    ).set_index("order_id")
    return transactions, per_order, favourites


def _draw_products(rng: np.random.Generator, persona: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Draw products: a category by the persona's taste, then a product with weights 1, 1/2, 1/3, and so on."""
    category = pick(rng, _TASTE, persona)
    within = pick(rng, 1 / np.arange(1.0, _PER_CATEGORY + 1)[None, :], np.zeros(len(persona), dtype=np.int64))
    return category * _PER_CATEGORY + within
