"""The methods that working with uplift asks of a model; structural, positional-only, never used with isinstance."""

from __future__ import annotations

from typing import Any, Protocol, Self

__all__ = ["UpliftModel"]


class UpliftModel(Protocol):
    """Says of each customer what each treatment would change, against the control."""

    def fit(self, X: Any, treatment: Any, outcome: Any, /) -> Self:
        """Learn from features, the arm each customer was in, and what came of it."""
        ...

    def predict(self, X: Any, /) -> Any:
        """Give effects of shape (n_customers, n_arms), or a tuple of effects and their standard errors."""
        ...
