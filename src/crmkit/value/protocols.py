"""The methods that valuing and comparing ask of a model; structural, positional-only, never used with isinstance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LifetimeModel", "SpendModel"]


class LifetimeModel(Protocol):
    """Forecasts purchases of customers from a purchase summary."""

    def fit(self, summary: Any, /) -> Self:
        """Learn from a table made by ``preparation.purchase_summary``."""
        ...

    def predict(self, summary: Any, /, horizon: float = ...) -> pd.DataFrame:
        """Give ``p_alive`` and ``expected_purchases`` within a horizon in the model's unit, indexed like the table."""
        ...


class SpendModel(Protocol):
    """Forecasts what customers spend a purchase."""

    def fit(self, summary: Any, /) -> Self:
        """Learn from a table made by ``preparation.purchase_summary``."""
        ...

    def predict(self, summary: Any, /) -> pd.DataFrame:
        """Give ``expected_spend``, indexed like the table."""
        ...
