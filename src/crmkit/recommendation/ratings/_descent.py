"""Stochastic gradient descent on biases and factors, in batches in which nobody moves far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit.core.errors import ConvergenceError
from crmkit.recommendation.ratings._biases import Biases

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.recommendation.ratings._table import Ratings

__all__ = ["REACH", "Descent", "Factors", "descend", "spread"]

REACH = 0.1
"""Most that a batch may hold of one customer or item: this many ratings times the learning rate."""


@dataclass(frozen=True)
class Descent:
    """How the descent goes.

    Attributes
    ----------
    n_epochs : int
        Passes over all ratings.
    lr_bu, lr_bi, lr_pu, lr_qi : float
        Learning rates of customers' and items' biases and of customers' and items' factors.
    reg_bu, reg_bi, reg_pu, reg_qi : float
        How strongly each is drawn to zero.
    biased : bool
        Whether there are biases and a mean.
    """

    n_epochs: int
    lr_bu: float
    lr_bi: float
    reg_bu: float
    reg_bi: float
    lr_pu: float = 0.0
    lr_qi: float = 0.0
    reg_pu: float = 0.0
    reg_qi: float = 0.0
    biased: bool = True


@dataclass
class Factors:
    """What is learned.

    Attributes
    ----------
    biases : Biases
        All zero where there are none.
    customer : ndarray of float, shape (n_customers, n_factors)
        Customers' factors.
    item : ndarray of float, shape (n_items, n_factors)
        Items' factors.
    """

    biases: Biases
    customer: npt.NDArray[np.floating]
    item: npt.NDArray[np.floating]


@dataclass(frozen=True)
class _Batch:
    """Ratings that are learned from together: customers and items that occur, and a matrix of their errors."""

    customers: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    customer: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    deviation: npt.NDArray[np.floating]
    n_of_customer: npt.NDArray[np.floating]
    n_of_item: npt.NDArray[np.floating]
    errors: Any

    @classmethod
    def of(cls, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64], deviation: Any) -> _Batch:
        """Lay out a batch; the matrix is by customer, so the ratings are put into that order."""
        order = np.lexsort((item, customer))
        customers, customer = np.unique(customer[order], return_inverse=True)
        items, item = np.unique(item[order], return_inverse=True)
        kind = deviation.dtype
        n_of_customer = np.bincount(customer).astype(kind)
        pointer = np.append(0, np.cumsum(np.bincount(customer))).astype(np.int32)
        errors = sparse.csr_array(
            (np.empty(len(order), dtype=kind), item.astype(np.int32), pointer), shape=(len(customers), len(items))
        )
        n_of_item = np.bincount(item).astype(kind)
        return cls(customers, items, customer, item, deviation[order], n_of_customer, n_of_item, errors)


def descend(
    ratings: Ratings,
    steps: Descent,
    customer: npt.NDArray[np.floating],
    item: npt.NDArray[np.floating],
    random: np.random.RandomState,
    *,
    reach: float = REACH,
) -> Factors:
    """Learn biases and factors by stochastic gradient descent on the squared error of single ratings.

    Ratings of one batch are learned from as if at once. Where no customer and no item stands in a batch twice this is
    what learning from one after the other gives; elsewhere it differs by as much as one of them moves within a batch,
    which ``reach`` keeps small.

    Parameters
    ----------
    ratings : Ratings
        What is learned from.
    steps : Descent
        Rates and passes.
    customer : ndarray of float, shape (n_customers, n_factors)
        Where customers' factors begin; changed in place. Its type is the precision of all.
    item : ndarray of float, shape (n_items, n_factors)
        Where items' factors begin; changed in place.
    random : RandomState
        Orders the ratings.
    reach : float, default=0.1
        Most of one customer or item in a batch, times the learning rate.

    Returns
    -------
    Factors
        Where the descent ends.

    Raises
    ------
    ConvergenceError
        If it runs away.
    """
    kind = customer.dtype
    mean = ratings.mean if steps.biased else 0.0
    deviation = (ratings.value - mean).astype(kind)
    fastest = max(steps.lr_bu, steps.lr_bi, steps.lr_pu, steps.lr_qi)
    batches = [
        _Batch.of(ratings.customer[rows], ratings.item[rows], deviation[rows])
        for rows in spread(ratings, fastest / reach, random)
    ]
    biases = Biases(mean, np.zeros(len(customer), dtype=kind), np.zeros(len(item), dtype=kind))
    learned = Factors(biases, customer, item)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps.n_epochs):
            for batch in batches:
                _learn(learned, batch, steps)
            if not all(np.isfinite(part).all() for part in (biases.customer, biases.item, customer, item)):
                raise ConvergenceError(
                    "the descent ran away: predictions grew without bound. Lower the learning rate (lr_all, or "
                    "learning_rate of a baseline)",
                    parameter="lr_all",
                )
    return learned


def _learn(learned: Factors, batch: _Batch, steps: Descent) -> None:
    """Take one step along the errors of a batch."""
    of_customer, of_item = learned.biases.customer[batch.customers], learned.biases.item[batch.items]
    errors = batch.deviation - of_customer[batch.customer] - of_item[batch.item]
    if learned.customer.shape[1]:
        p, q = learned.customer[batch.customers], learned.item[batch.items]
        errors = errors - np.einsum("nf,nf->n", p[batch.customer], q[batch.item])
        batch.errors.data[:] = errors
        pull_p, pull_q = batch.n_of_customer[:, None] * steps.reg_pu, batch.n_of_item[:, None] * steps.reg_qi
        learned.customer[batch.customers] = p + steps.lr_pu * (batch.errors @ q - pull_p * p)
        learned.item[batch.items] = q + steps.lr_qi * (batch.errors.T @ p - pull_q * q)
    if steps.biased:
        sum_u = np.bincount(batch.customer, errors, len(batch.customers))
        sum_i = np.bincount(batch.item, errors, len(batch.items))
        pull_u, pull_i = batch.n_of_customer * steps.reg_bu, batch.n_of_item * steps.reg_bi
        learned.biases.customer[batch.customers] = of_customer + steps.lr_bu * (sum_u - pull_u * of_customer)
        learned.biases.item[batch.items] = of_item + steps.lr_bi * (sum_i - pull_i * of_item)


def spread(ratings: Ratings, share: float, random: np.random.RandomState) -> list[npt.NDArray[np.int64]]:
    """Divide ratings into batches over which those of each customer (or item) are spread evenly.

    Parameters
    ----------
    ratings : Ratings
        What is divided.
    share : float
        Batches for each rating of the customer or item that has most.
    random : RandomState
        Orders the ratings.

    Returns
    -------
    list of ndarray of int64
        Positions; each rating is in one batch.
    """
    of_customer, of_item = np.bincount(ratings.customer), np.bincount(ratings.item)
    side, count = (ratings.customer, of_customer) if of_customer.max() >= of_item.max() else (ratings.item, of_item)
    n = len(side)
    n_batches = int(np.clip(np.ceil(count.max() * share), 1, n))
    shuffled = random.permutation(n)
    order = shuffled[np.argsort(side[shuffled], kind="stable")]
    rank = np.arange(n) - np.repeat(np.cumsum(count) - count, count)
    # Evenly spaced over the pass, from a start of one's own.
    place = (rank + np.repeat(random.random_sample(len(count)), count)) / count[side[order]]
    return list(np.array_split(order[np.argsort(place, kind="stable")], n_batches))
