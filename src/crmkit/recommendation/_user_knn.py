"""What the customers buy who buy the same."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._neighbors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.recommendation._base import Reasons
    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["UserKNN"]


class UserKNN(BaseRecommender):
    """Recommends what the customers bought who are most like this one.

    The ``n_neighbors`` most similar customers are looked up when lists are asked for; the score of an item is the sum
    of the similarities of those who bought it, times its value for them. Nothing is learned beforehand, so that fitting
    costs nothing and every list costs a look at all customers: for some 100,000 customers, not for millions
    (``item-knn`` is for those). Every score can be told as a sum over the customer's items, which ``explain`` does.

    Cost: for each list the products with all customers who share an item, and a row of ``8 n_customers`` bytes.

    Parameters
    ----------
    n_neighbors : int, default=100
        Customers to look at.
    similarity : {"cosine", "jaccard"}, default="cosine"
        With s(u) the sum of squared values of a customer (their items, for binary values) and c the product of two
        rows: c / sqrt(s(u) s(v)), or c / (s(u) + s(v) - c).
    shrinkage : float, default=0.0
        Added to the denominator: the similarity of customers with few items is believed less.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    References
    ----------
    Herlocker, J. L., Konstan, J. A., Borchers, A. and Riedl, J. (1999). An algorithmic framework for performing
    collaborative filtering. SIGIR '99, 230-237. doi:10.1145/312624.312682

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "user-knn", n_neighbors=10).fit(interactions())
    >>> model.recommend(["c1"], 2)[["item_id", "rank", "source"]]
      item_id  rank    source
    0      i7     1  user-knn
    1      i5     2  user-knn
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecommender._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "similarity": [StrOptions({"cosine", "jaccard"})],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
    }
    _source: ClassVar[str] = "user-knn"

    def __init__(
        self,
        *,
        n_neighbors: int = 100,
        similarity: str = "cosine",
        shrinkage: float = 0.0,
        event_weights: Mapping[str, float] | None = None,
        values: str = "binary",
        window_days: int | None = None,
        half_life_days: float | None = None,
        min_rating: float | None = None,
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
    ) -> None:
        super().__init__(
            event_weights=event_weights,
            values=values,
            window_days=window_days,
            half_life_days=half_life_days,
            min_rating=min_rating,
            fallback=fallback,
            popular_days=popular_days,
            memory_limit=memory_limit,
        )
        self.n_neighbors = n_neighbors
        self.similarity = similarity
        self.shrinkage = shrinkage

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        matrix = interactions.matrix
        squares = matrix.power(2).sum(axis=1)
        self.squares_: npt.NDArray[np.float64] = np.asarray(squares, dtype=np.float64).ravel()
        self._of_item = matrix.T.tocsr()

    def _neighbors(self, customers: npt.NDArray[np.int64]) -> sparse.csr_array:
        """Give the similar customers of some customers, a row for each."""
        mine = self.squares_[customers]

        def similar(
            shared: npt.NDArray[np.float64], row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
        ) -> npt.NDArray[np.float64]:
            if self.similarity == "cosine":
                below = np.sqrt(mine[row]) * np.sqrt(self.squares_[column])
            else:
                below = mine[row] + self.squares_[column] - shared
            return np.asarray(shared / (below + self.shrinkage), dtype=np.float64)

        return nearest(
            self.interactions_.matrix[customers],
            self._of_item,
            self.n_neighbors,
            similarity=similar,
            memory=as_bytes(self.memory_limit),
            own=customers,
        )

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = (self._neighbors(customers) @ self.interactions_.matrix).toarray()
        scores[scores == 0.0] = -np.inf
        return np.asarray(scores, dtype=np.float64)

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        matrix = self.interactions_.matrix
        asked, place = np.unique(customers, return_inverse=True)
        unit = self._neighbors(asked)
        row, other = (axis.astype(np.int64) for axis in unit.tocoo().coords)
        # A similarity is a product, which is a sum over items, times what a unit of it weighs.
        unit.data = unit.data / np.asarray(matrix[asked[row]].multiply(matrix[other]).sum(axis=1)).ravel()
        through = unit[place].multiply(self._of_item[items])
        shared = (through.tocsr() @ matrix).multiply(matrix[customers]).tocoo()
        pair, because = shared.coords
        return pair.astype(np.int64), because.astype(np.int64), shared.data
