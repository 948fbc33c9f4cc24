"""What fills a list where the model has nothing to say: popular in the segment, in the category, lately, anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.recommendation._ids import Ids
    from crmkit.recommendation._interactions import Events, Interactions
    from crmkit.recommendation._side_tables import Labels

__all__ = ["RUNGS", "Ladder"]

RUNGS = ("segment", "category", "popular", "any")
"""The rungs there are, as a recommender's ``fallback`` names them."""

SOURCES = {
    "segment": "popular in segment",
    "category": "popular in category",
    "popular": "popular",
    "any": "any",
}
"""What stands in ``source`` for each rung."""


class Ladder:
    """How many customers bought each item lately, in all and in each segment, and ever.

    Parameters
    ----------
    rungs : sequence of str
        Which rungs to use, in order.
    """

    def __init__(self, rungs: Sequence[str]) -> None:
        self.rungs: list[str] = list(rungs)

    def learn(
        self,
        events: Events,
        interactions: Interactions,
        *,
        days: int,
        categories: Labels | None,
        segments: tuple[Ids, Labels] | None,
    ) -> None:
        """Count customers by item.

        Parameters
        ----------
        events : Events
            The rows.
        interactions : Interactions
            What is left of them.
        days : int
            How many days of events before the cutoff count as lately; all of them where days are not known.
        categories : Labels or None
            The category of each item.
        segments : tuple of Ids and Labels, or None
            The segment of each customer.
        """
        lately = events.had & (events.weight > 0)
        if events.day is not None:
            lately = lately & (events.now - 1 - events.day < days)
        n_items = len(events.items)
        pairs = np.sort(events.customer[lately] * n_items + events.item[lately])
        pairs = pairs[np.r_[True, pairs[1:] != pairs[:-1]][: len(pairs)]]
        # What was sent back, or rated too low, is not what to offer others.
        matrix = interactions.matrix
        learned = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * n_items + matrix.indices
        place = np.minimum(np.searchsorted(learned, pairs), len(learned) - 1)
        customer, item = np.divmod(pairs[learned[place] == pairs], n_items)
        self.lately = np.bincount(item, minlength=n_items).astype(np.float64)
        self.ever = np.bincount(interactions.matrix.indices, minlength=n_items).astype(np.float64)
        self.category = categories.code if categories is not None else None
        self.n_categories = len(categories.names) if categories is not None else 0
        self.segmented = self.segment = self.by_segment = None
        if segments is not None:
            ids, labels = segments
            number = ids.numbers_of(events.customers.values)
            segment = np.where(number >= 0, labels.code[number], -1)[customer]
            known = segment >= 0
            shape = (len(labels.names), n_items)
            counts = sparse.coo_array((np.ones(int(known.sum())), (segment[known], item[known])), shape=shape)
            self.segmented, self.segment, self.by_segment = ids, labels.code, sparse.csr_array(counts)

    def scores(
        self, rung: str, ids: npt.NDArray[Any], codes: npt.NDArray[np.int64], matrix: sparse.csr_array
    ) -> npt.NDArray[np.float64] | None:
        """Give what a rung says of every item.

        Parameters
        ----------
        rung : str
            The rung.
        ids : ndarray of shape (n,)
            Customers, as ``as_ids`` gives them.
        codes : ndarray of int64, shape (n,)
            Their numbers, -1 for a customer without events.
        matrix : csr_array, shape (n_customers, n_items)
            The values of pairs.

        Returns
        -------
        ndarray of shape (n, n_items), (n_items,) where it is the same for all, or None where it does not apply
            How many customers bought the item; minus infinity where nobody did, except on the rung "any".
        """
        if rung == "any":
            return self.ever
        if rung == "popular":
            return _some(self.lately)
        if rung == "segment":
            if self.segmented is None or self.segment is None or self.by_segment is None:
                return None
            number = self.segmented.numbers_of(ids)
            segment = np.where(number >= 0, self.segment[number], -1)
            counts = np.zeros((len(ids), len(self.lately)))
            counts[segment >= 0] = self.by_segment[segment[segment >= 0]].toarray()
            return _some(counts)
        return self._in_category(codes, matrix)

    def _in_category(self, codes: npt.NDArray[np.int64], matrix: sparse.csr_array) -> npt.NDArray[np.float64] | None:
        """Give what is popular in the category that each customer bought most from."""
        if self.category is None or not self.n_categories:
            return None
        known = np.flatnonzero(self.category >= 0)
        member = sparse.csr_array(
            (np.ones(len(known)), (known, self.category[known])), shape=(len(self.category), self.n_categories)
        )
        bought = np.zeros((len(codes), self.n_categories))
        bought[codes >= 0] = (matrix[codes[codes >= 0]] @ member).toarray()
        favourite = np.where(bought.max(axis=1) > 0, bought.argmax(axis=1), -2)
        return np.where(self.category[None, :] == favourite[:, None], _some(self.lately)[None, :], -np.inf)


def _some(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Leave out what nobody bought."""
    return np.where(counts > 0, counts, -np.inf)
