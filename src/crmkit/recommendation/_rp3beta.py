"""A walk of three steps from a customer over others' purchases, with popular items held back."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from crmkit.recommendation._item_sums import ItemSums
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._neighbors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scipy import sparse

    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["RP3Beta"]


class RP3Beta(ItemSums):
    """Recommends where a random walk from the customer ends: to an item bought, to its buyers, to their items.

    The chances of the steps are raised to the power ``alpha``, and where the walk ends is divided by the item's
    popularity to the power ``beta``, which brings less known items forward. The main ``n_neighbors`` ways into each
    item are kept. Use it where lists of ``item-knn`` hold too much that everybody buys. Every score is a sum over the
    customer's items, which ``explain`` shows.

    Cost: as ``item-knn``.

    Parameters
    ----------
    n_neighbors : int, default=100
        Bought items kept for each candidate item.
    alpha : float, default=0.6
        Power of the chances of a step; below 1 evens them out.
    beta : float, default=0.3
        How much popularity is held back: 0 not at all, ``alpha`` wholly; more puts items first that hardly anybody
        bought.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    Attributes
    ----------
    neighbors_ : csr_array, shape (n_items, n_items)
        Row i holds the chance to come to candidate item i from each of its neighbours, popularity held back.

    References
    ----------
    Paudel, B., Christoffel, F., Newell, C. and Bernstein, A. (2017). Updatable, accurate, diverse, and scalable
    recommendations for interactive applications. ACM Transactions on Interactive Intelligent Systems 7(1), 1-34.
    doi:10.1145/2955101

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "rp3beta", n_neighbors=10).fit(interactions())
    >>> model.recommend(["c1"], 2)[["item_id", "rank", "source"]]
      item_id  rank   source
    0      i7     1  rp3beta
    1      i5     2  rp3beta
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ItemSums._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "beta": [Interval(Real, 0, None, closed="left")],
    }
    _source: ClassVar[str] = "rp3beta"

    def __init__(
        self,
        *,
        n_neighbors: int = 100,
        alpha: float = 0.6,
        beta: float = 0.3,
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
        self.alpha = alpha
        self.beta = beta

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        matrix = interactions.matrix
        to_item = _chances(matrix, float(self.alpha))
        to_customer = _chances(matrix.T.tocsr(), float(self.alpha))
        bought = np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()
        bought[bought == 0.0] = 1.0  # an item without events is never reached
        held_back = bought ** float(self.beta)
        neighbors = nearest(
            to_item.T.tocsr(),
            to_customer.T.tocsr(),
            self.n_neighbors,
            similarity=lambda chance, candidate, _: chance / held_back[candidate],
            memory=as_bytes(self.memory_limit),
            # A way from an item that hardly anybody bought is certain and says little: ways are chosen as by cosine.
            weight=bought ** (float(self.alpha) / 2.0),
        )
        self._keep(neighbors)


def _chances(matrix: sparse.csr_array, power: float) -> sparse.csr_array:
    """Divide each row by its sum and raise it to a power."""
    sums = np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
    chances = matrix.copy()
    chances.data = (matrix.data / np.repeat(sums, np.diff(matrix.indptr))) ** power
    return chances
