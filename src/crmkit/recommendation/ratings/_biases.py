"""Baseline ratings: how far a customer and an item lie from the mean of all ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.recommendation.ratings._table import Ratings

__all__ = ["Biases", "als_biases"]


@dataclass
class Biases:
    """The mean rating, and what customers and items add to it.

    Attributes
    ----------
    mean : float
        The mean of all ratings.
    customer : ndarray of float, shape (n_customers,)
        What each customer adds.
    item : ndarray of float, shape (n_items,)
        What each item adds.
    """

    mean: float
    customer: npt.NDArray[np.floating]
    item: npt.NDArray[np.floating]

    def of(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Give the baseline rating of pairs; one who is unknown (-1) adds nothing.

        Parameters
        ----------
        customer, item : ndarray of int64
            Numbers, of shapes that broadcast.

        Returns
        -------
        ndarray of float64
            Ratings, not yet held to the scale.
        """
        of_customer = np.append(self.customer.astype(np.float64), 0.0)[customer]
        of_item = np.append(self.item.astype(np.float64), 0.0)[item]
        return np.asarray(self.mean + of_customer + of_item, dtype=np.float64)


def als_biases(ratings: Ratings, *, n_epochs: int, reg_u: float, reg_i: float) -> Biases:
    """Estimate biases by alternating least squares.

    Parameters
    ----------
    ratings : Ratings
        What is learned from.
    n_epochs : int
        How often items and customers are estimated in turn.
    reg_u, reg_i : float
        Ratings of zero bias that each customer and each item is thought to have beside the real ones.

    Returns
    -------
    Biases
        Items first, then customers, from zero.
    """
    deviation = ratings.value - ratings.mean
    n_customers, n_items = ratings.n_customers, ratings.n_items
    # Who has no ratings keeps a bias of zero, also where nothing else is thought to be there.
    count_u = np.bincount(ratings.customer, minlength=n_customers)
    count_i = np.bincount(ratings.item, minlength=n_items)
    weight_u = np.where(count_u > 0, reg_u + count_u, 1.0)
    weight_i = np.where(count_i > 0, reg_i + count_i, 1.0)
    customer, item = np.zeros(n_customers), np.zeros(n_items)
    for _ in range(n_epochs):
        item = np.bincount(ratings.item, deviation - customer[ratings.customer], n_items) / weight_i
        customer = np.bincount(ratings.customer, deviation - item[ratings.item], n_customers) / weight_u
    return Biases(ratings.mean, customer, item)
