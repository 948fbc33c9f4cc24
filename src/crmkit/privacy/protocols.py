"""The method that finding names and numbers in texts asks of a recogniser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from crmkit.privacy import Entity

__all__ = ["EntityRecognizer"]


class EntityRecognizer(Protocol):
    """Finds entities, each with half-open offsets into the text as it was given."""

    def predict(self, texts: Any, /) -> list[list[Entity]]:
        """Give one list of entities for each text."""
        ...
