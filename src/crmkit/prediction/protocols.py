"""The methods that predicting asks of regressors and feature selectors; classifiers stand in ``core.protocols``."""

from __future__ import annotations

from typing import Any, Protocol, Self

__all__ = ["FeatureSelector", "Regressor"]


class Regressor(Protocol):
    """Learns numbers from rows."""

    def fit(self, X: Any, y: Any, /) -> Self:
        """Learn from ``(n, n_features)`` rows and ``(n,)`` numbers."""
        ...

    def predict(self, X: Any, /) -> Any:
        """Give ``(n,)`` numbers."""
        ...


class FeatureSelector(Protocol):
    """Keeps some of the columns, chosen on training rows only."""

    def fit(self, X: Any, y: Any, /) -> Self:
        """Choose columns."""
        ...

    def transform(self, X: Any, /) -> Any:
        """Give the columns that stay."""
        ...

    def get_support(self) -> Any:
        """Say which columns stay, one bool a column."""
        ...
