"""The methods that the text room asks of what is handed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["Encoder", "Summarizer", "TopicFinder"]


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


class TopicFinder(Protocol):
    """Finds what many texts are about."""

    def fit(self, texts: Any, /) -> Any:
        """Learn the topics; give the model itself."""
        ...

    def transform(self, texts: Any, /) -> npt.NDArray[np.floating[Any]]:
        """Give an ``(n_texts, n_topics)`` array of weights that are not negative."""
        ...

    def topics(self, n_terms: int = 10, /) -> pd.DataFrame:
        """Give a row a topic, its ``terms`` as a list in a column."""
        ...
