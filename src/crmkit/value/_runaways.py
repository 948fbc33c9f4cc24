"""What in a table makes a parameter run away, told in the same words by every model in which it means the same."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["BUYING", "LEAVING_AFTER_PURCHASES", "NOBODY_LEFT"]

NOBODY_LEFT = "the table shows no customer who left; 'nbd' is the model in which nobody does"

BUYING = MappingProxyType(
    {
        ("r", "small"): "too few customers bought again",
        ("alpha", "small"): "the repeat purchases fall close to the first ones",
        ("r", "large"): "the customers' purchase rates hardly differ",
        ("alpha", "large"): "the customers' purchase rates hardly differ",
    }
)
"""Of gamma distributed rates of buying, shape ``r`` and scale ``alpha``."""

LEAVING_AFTER_PURCHASES = MappingProxyType(
    {
        ("a", "small"): NOBODY_LEFT,
        ("b", "large"): "the customers' chances of leaving hardly differ, or the table shows no customer who left",
        ("a", "large"): "the customers' chances of leaving hardly differ",
        ("b", "small"): "all who bought again seem to have left at once",
    }
)
"""Of beta distributed chances ``a``, ``b`` of leaving after a repeat purchase."""
