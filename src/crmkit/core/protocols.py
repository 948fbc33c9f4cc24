"""The methods that rooms ask of what is handed to them; structural, positional-only, never used with isinstance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, SupportsFloat

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Classifier", "Evaluator", "InductiveSegmenter", "ProbabilisticClassifier", "Record", "Segmenter"]


class Record(Protocol):
    """One row of an event table, read by column name."""

    @property
    def customer_id(self) -> str:
        """Whose row it is."""
        ...

    def __getitem__(self, name: str, /) -> Any:
        """Give the value of a column."""
        ...

    def keys(self) -> Iterable[str]:
        """Give the names of the columns."""
        ...


class Segmenter(Protocol):
    """Puts rows into segments; every negative label means "in no segment"."""

    def fit(self, X: Any, y: Any = None, /) -> Self:
        """Learn the segments of an ``(n_customers, n_features)`` array."""
        ...

    def fit_predict(self, X: Any, y: Any = None, /) -> Any:
        """Learn the segments and give ``(n_customers,)`` int labels."""
        ...


class InductiveSegmenter(Segmenter, Protocol):
    """A segmenter that can also place customers it was not fitted on."""

    def predict(self, X: Any, /) -> Any:
        """Give ``(n_customers,)`` int labels without moving any segment."""
        ...


class Classifier(Protocol):
    """Learns labels from rows or texts."""

    def fit(self, X: Any, y: Any, /) -> Self:
        """Learn from ``(n,)`` or ``(n, n_features)`` inputs and ``(n,)`` labels."""
        ...

    def predict(self, X: Any, /) -> Any:
        """Give ``(n,)`` labels."""
        ...


class ProbabilisticClassifier(Classifier, Protocol):
    """A classifier that also says how sure it is."""

    def predict_proba(self, X: Any, /) -> Any:
        """Give ``(n, n_classes)`` probabilities, rows summing to 1."""
        ...


class Evaluator(Protocol):
    """Turns columns into one number; the plugin's ``inputs`` name the columns, in order."""

    def __call__(self, *columns: Any, **options: Any) -> SupportsFloat:
        """Compute the number."""
        ...
