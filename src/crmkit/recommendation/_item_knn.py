"""Items that are bought by the customers of what a customer bought."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.recommendation._fast_neighbors import nearest_by_cosine
from crmkit.recommendation._item_sums import ItemSums
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._neighbors import SIMILARITIES, nearest, similarity_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["ItemKNN"]


class ItemKNN(ItemSums):
    """Recommends items whose customers also bought what this customer bought.

    The score of an item is the sum, over the customer's items that are among its ``n_neighbors`` most similar ones, of
    similarity times value. The neighbours are kept for each candidate item: kept for each bought item instead, popular
    items fill most places and lists are worse. It is the first choice for large tables: quick to fit, light, and every
    score is a sum over purchases that ``explain`` shows. An item that shares no customer with others is never found
    (``content`` finds it).

    Cost: the products of all pairs of items within each customer, sum over customers of (items)^2; memory
    ``n_items x n_neighbors`` and a block of ``memory_limit``. 10,000,000 events of 1,000,000 customers and 20,000
    items: see the page on recommendation.

    Parameters
    ----------
    n_neighbors : int, default=100
        Items kept for each candidate item.
    similarity : {"cosine", "jaccard", "conditional", "lift"}, default="cosine"
        With s(i) the sum of squared values of item i (its customers, for binary values) and c the product of two
        columns (the customers they share): c / sqrt(s(i) s(j)); c / (s(i) + s(j) - c); c / s(j), how often who bought
        j bought i; c / (s(i) s(j) / n), how much oftener than by chance.
    shrinkage : float, default=0.0
        Added to the denominator: the similarity of items with few customers is believed less.
    engine : {"scipy", "fast"}, default="scipy"
        ``"fast"`` finds the neighbours by cosine without shrinkage with the package sparse-dot-topn
        (``pip install 'crmkit[fast]'``); what it does not offer goes by scipy. Changes only the speed.
    event_weights : mapping of str to float or None, default=None
        What each kind in the column ``event`` weighs, such as ``{"view": 0.1, "purchase": 1.0}``. Needed where there
        is more than one kind; a kind without a weight is an error.
    values : {"binary", "count", "log"}, default="binary"
        The value of a pair of customer and item: the greatest weight among its events, their sum, or log(1 + sum).
    window_days : int or None, default=None
        Learn only from events of so many days before the cutoff.
    half_life_days : float or None, default=None
        Days after which an event weighs half.
    min_rating : float or None, default=None
        Learn only from events rated at least so high.
    fallback : sequence of {"segment", "category", "popular", "any"}, default=all four
        What fills a list where the model has nothing to say, in order: what is popular in the customer's segment, in
        the category the customer buys most from, with all, and then anything that may be given.
    popular_days : int, default=30
        Days of events that count as popular in the fallback.
    memory_limit : int or str, default="256MB"
        What fitting and scoring may take at once, beside the model; changes only the speed.

    Attributes
    ----------
    neighbors_ : csr_array, shape (n_items, n_items)
        Row i holds the similarity of candidate item i to each of its neighbours.

    References
    ----------
    Deshpande, M. and Karypis, G. (2004). Item-based top-N recommendation algorithms. ACM Transactions on Information
    Systems 22(1), 143-177. doi:10.1145/963770.963776

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "item-knn", n_neighbors=10).fit(interactions())
    >>> lists = model.recommend(["c0"], 2)
    >>> lists[["item_id", "rank", "source"]]
      item_id  rank    source
    0     i12     1  item-knn
    1      i3     2   popular
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ItemSums._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "similarity": [StrOptions(set(SIMILARITIES))],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "engine": [StrOptions({"scipy", "fast"})],
    }
    _source: ClassVar[str] = "item-knn"

    def __init__(
        self,
        *,
        n_neighbors: int = 100,
        similarity: str = "cosine",
        shrinkage: float = 0.0,
        engine: str = "scipy",
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
        self.engine = engine

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        by_item = interactions.matrix.T.tocsr()
        squares = np.asarray(by_item.power(2).sum(axis=1), dtype=np.float64).ravel()
        similarity = similarity_of(
            self.similarity, squares, shrinkage=float(self.shrinkage), n_customers=len(interactions.customers)
        )
        memory = as_bytes(self.memory_limit)
        if self.engine == "fast" and self.similarity == "cosine" and self.shrinkage == 0.0:
            neighbors = nearest_by_cosine(
                by_item, interactions.matrix, self.n_neighbors, squares=squares, similarity=similarity, memory=memory
            )
        else:
            neighbors = nearest(by_item, interactions.matrix, self.n_neighbors, similarity=similarity, memory=memory)
        self._keep(neighbors)
