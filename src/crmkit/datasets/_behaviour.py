"""Draws visits to the shop, and ratings of the products bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column
from crmkit.datasets._people import channel_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["draw_events", "draw_ratings"]

_RATED = 0.25
_BROWSING_PER_PURCHASE = 1.5
_CHANNELS = ("app", "web", "store")


def draw_ratings(
    transactions: pd.DataFrame,
    satisfaction: npt.NDArray[np.float64],
    order_ids: pd.Index[str],
    product_ids: pd.Index[str],
    *,
    seed: int,
    end: float,
    calendar: Calendar,
) -> tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.float64]]:
    """Let customers rate a quarter of what they bought.

    A rating is 3.4 + the product's own quality (normal, sigma .6) + .4 times how far the order's satisfaction lies from
    4 + noise (sigma .7), rounded and cut to 1-5. Nobody rates a product twice: the first rating stays.

    Parameters
    ----------
    transactions : pandas.DataFrame
        The lines.
    satisfaction : ndarray of float64, shape (n_orders,)
        Of each order.
    order_ids, product_ids : pandas.Index
        Ids by position.
    seed : int
        Of the simulation.
    end : float
        Days from the start to the end of the window.
    calendar : Calendar
        For time and day.

    Returns
    -------
    ratings : pandas.DataFrame
        customer_id, item_id, rating, time, day.
    truth : pandas.DataFrame
        In the same order: expected (the rating before noise).
    quality : ndarray of float64, shape (n_products,)
        Of each product.
    """
    rng = stream(seed, "ratings")
    quality = 0.6 * rng.standard_normal(len(product_ids))
    product = product_ids.get_indexer(pd.Index(transactions["product_id"]))
    order = order_ids.get_indexer(pd.Index(transactions["order_id"]))
    expected = 3.4 + quality[product] + 0.4 * (satisfaction[order] - 4)
    rating = np.rint(expected + 0.7 * rng.standard_normal(len(product))).clip(1, 5)
    first_day = calendar.first_day
    at = transactions["day"].to_numpy() - first_day + rng.random(len(product)) + 1 + rng.exponential(10.0, len(product))
    rated = np.flatnonzero((rng.random(len(product)) < _RATED) & (at < end))
    rated = rated[np.argsort(at[rated], kind="stable")]
    again = transactions.iloc[rated].duplicated(["customer_id", "product_id"]).to_numpy(dtype=bool)
    rated = rated[~again]
    ratings = pd.DataFrame(
        {
            "customer_id": text_column(transactions["customer_id"].to_numpy(dtype=object)[rated]),
            "item_id": text_column(transactions["product_id"].to_numpy(dtype=object)[rated]),
            "rating": rating[rated],
            "time": calendar.times(at[rated]),
            "day": calendar.days(at[rated]),
        }
    )
    return ratings, pd.DataFrame({"expected": expected[rated]}), quality


def draw_events(
    per_order: pd.DataFrame,
    customer_ids: pd.Index[str],
    persona: npt.NDArray[np.int64],
    joined: npt.NDArray[np.float64],
    left: npt.NDArray[np.float64],
    rate: npt.NDArray[np.float64],
    *,
    seed: int,
    calendar: Calendar,
    end: float,
) -> pd.DataFrame:
    """Draw visits: one to three in the week before an order, and browsing as long as a customer has not left.

    Browsing visits are a Poisson process with 1.5 times the customer's purchase rate.

    Parameters
    ----------
    per_order : pandas.DataFrame, indexed by order_id
        The orders.
    customer_ids : pandas.Index
        Ids by position.
    persona, joined, left, rate : ndarray, shape (n_customers,)
        Channel, active days, and purchases per week.
    seed : int
        Of the simulation.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window.

    Returns
    -------
    pandas.DataFrame
        customer_id, time, day, event ("visit", "search", "cart"), channel.
    """
    rng = stream(seed, "events")
    visits = rng.integers(1, 4, len(per_order))
    before = np.repeat(per_order["elapsed"].to_numpy(dtype=float), visits)
    buyer = np.repeat(per_order["customer"].to_numpy(dtype=np.int64), visits)
    before = before - 7 * rng.random(len(before)) ** 2
    active = (np.minimum(left, end) - joined).clip(0)
    browsing = rng.poisson(_BROWSING_PER_PURCHASE * rate * active / 7)
    browser = np.repeat(np.arange(len(joined)), browsing)
    at = joined[browser] + rng.random(len(browser)) * active[browser]
    customer, elapsed = np.concatenate([buyer, browser]), np.concatenate([before, at])
    kind = np.concatenate(
        [rng.choice(3, len(buyer), p=[0.4, 0.3, 0.3]), rng.choice(3, len(browser), p=[0.6, 0.3, 0.1])]
    )
    keep = np.flatnonzero((elapsed >= 0) & (elapsed < end))
    keep = keep[np.argsort(elapsed[keep], kind="stable")]
    channel = channel_of(rng, persona[customer])
    return pd.DataFrame(
        {
            "customer_id": text_column(customer_ids.to_numpy(dtype=object)[customer[keep]]),
            "time": calendar.times(elapsed[keep]),
            "day": calendar.days(elapsed[keep]),
            "event": text_column(np.array(["visit", "search", "cart"], dtype=object)[kind[keep]]),
            "channel": text_column(np.array(_CHANNELS, dtype=object)[channel[keep]]),
        }
    )
