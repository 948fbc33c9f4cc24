"""Scores that are sums over the customer's items, of what is kept for each candidate item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.recommendation._base import BaseRecommender

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

    from crmkit.recommendation._base import Reasons

__all__ = ["ItemSums"]


class ItemSums(BaseRecommender):
    """A recommender that learns a sparse matrix of items by items, and scores by it.

    Attributes
    ----------
    neighbors_ : csr_array, shape (n_items, n_items)
        Row i holds what each of its neighbours adds to the score of candidate item i.
    """

    def _keep(self, neighbors: sparse.csr_array) -> None:
        """Keep the matrix, and its transpose, which scores."""
        self.neighbors_ = neighbors
        self._of_bought = neighbors.T.tocsr()

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = (self.interactions_.matrix[customers] @ self._of_bought).toarray()
        scores[scores == 0.0] = -np.inf
        return np.asarray(scores, dtype=np.float64)

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        shared = self.neighbors_[items].multiply(self.interactions_.matrix[customers]).tocoo()
        pair, because = shared.coords
        return pair.astype(np.int64), because.astype(np.int64), shared.data
