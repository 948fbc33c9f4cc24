"""What most customers bought lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ladder import RUNGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from crmkit.recommendation._base import Reasons
    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["Popularity"]


class Popularity(BaseRecommender):
    """Recommends what most customers bought in the last days.

    The score of an item is the sum of its customers' values: with the default ``values="binary"`` it counts customers,
    with ``"count"`` purchases; with ``half_life_days`` recent ones count more. It is the yardstick of every other
    recommender, hard to beat where the assortment moves with the season. It cannot tell customers apart but by what
    they already had.

    Cost: one pass over the events.

    Parameters
    ----------
    window_days : int or None, default=30
        Learn from events of so many days before the cutoff; None for all, which a table without time or day needs.
    half_life_days : float or None, default=None
        Days after which an event weighs half.
    event_weights, values, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    Attributes
    ----------
    popularity_ : ndarray of float64, shape (n_items,)
        The score of each item.

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "popularity", window_days=60).fit(interactions())
    >>> model.recommend(["c0", "someone new"], 2)[["customer_id", "item_id", "score", "source"]]
       customer_id item_id  score      source
    0           c0     i11   11.0  popularity
    1           c0      i3   11.0  popularity
    2  someone new      i4   14.0  popularity
    3  someone new     i11   11.0  popularity
    """

    _source: ClassVar[str] = "popularity"
    _knows_everyone: ClassVar[bool] = True

    def __init__(
        self,
        *,
        event_weights: Mapping[str, float] | None = None,
        values: str = "binary",
        window_days: int | None = 30,
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

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        matrix = interactions.matrix
        totals = np.bincount(matrix.indices, weights=matrix.data, minlength=len(interactions.items))
        self.popularity_: npt.NDArray[np.float64] = np.asarray(totals, dtype=np.float64)

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = np.where(self.popularity_ > 0.0, self.popularity_, -np.inf)
        return np.tile(scores, (len(customers), 1))

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        nobody = np.full(len(customers), -1, dtype=np.int64)
        return np.arange(len(customers), dtype=np.int64), nobody, self.popularity_[items]
