"""The methods that the text room asks of what is handed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Encoder", "Summarizer"]


class Encoder(Protocol):
    """Turns texts into dense vectors: word vectors, or a sentence model read from a local folder."""

    def encode(self, texts: Any, /) -> npt.NDArray[np.floating[Any]]:
        """Give an ``(n_texts, n_dimensions)`` array for a list of str."""
        ...


class Summarizer(Protocol):
    """Makes a text, or the turns of a conversation, short."""

    def summarize(self, text: Any, /, max_sentences: int | None = 3) -> Any:
        """Give what ``str`` writes as a text of at most so many sentences."""
        ...
