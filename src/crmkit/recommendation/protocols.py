"""The methods that recommending asks of a model; structural, positional-only, never used with isinstance."""

from __future__ import annotations

from typing import Any, Protocol, Self

__all__ = ["RatingRecommender", "Recommender"]


class Recommender(Protocol):
    """Gives each customer a short list of items."""

    def fit(self, interactions: Any, /) -> Self:
        """Learn from one row an event of a customer with an item."""
        ...

    def recommend(self, customer_ids: Any, n: int, /) -> Any:
        """Give at most ``n`` items a customer: customer_id, item_id, rank, score, source."""
        ...


class RatingRecommender(Protocol):
    """Says which mark a customer would give an item."""

    def fit(self, ratings: Any, /) -> Self:
        """Learn from one row a rating: customer_id, item_id, rating."""
        ...

    def predict(self, pairs: Any, /) -> Any:
        """Give the expected rating of each row of customer_id, item_id."""
        ...
