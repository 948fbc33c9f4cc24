"""Keeps a trained encoder as it is where a classifier would copy or fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from crmkit.core.checks import require_methods

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FrozenEncoder"]


class FrozenEncoder:
    """Shows a classifier nothing of a trained model but ``encode``.

    A classifier copies what it is given as ``features=`` and calls its ``fit``, if it has one, with the training texts.
    That is wrong for a model trained elsewhere whose ``fit`` means something else, and copying costs its memory again.
    Wrapped, it is neither copied nor fitted, and clones share it. It can be saved where the model inside can.

    Parameters
    ----------
    encoder : object
        With ``encode(texts) -> (n_texts, n_dimensions)``.
    **options : object
        Handed to every call of ``encode``, such as ``show_progress_bar=False``.

    Raises
    ------
    TypeError
        If the encoder has no ``encode``.

    Examples
    --------
    >>> from crmkit.text import FrozenEncoder, TextSVM, WordVectors
    >>> texts = ["where is my parcel", "where is my package", "refund it now"] * 5
    >>> model = TextSVM(features=FrozenEncoder(WordVectors(dimensions=3).fit(texts)), random_state=0)
    >>> model.fit(["my parcel", "refund"], ["p", "r"]).predict(["package"]).tolist()
    ['p']
    """

    def __init__(self, encoder: Any, **options: Any) -> None:
        require_methods(encoder, ["encode"], role="an encoder")
        self.encoder = encoder
        self.options = options

    def __repr__(self) -> str:
        return f"FrozenEncoder({type(self.encoder).__name__})"

    def __sklearn_clone__(self) -> Self:
        return self

    def encode(self, texts: Any, /) -> npt.NDArray[np.floating[Any]]:
        """Give each text its vector.

        Parameters
        ----------
        texts : list of str, shape (n_texts,)
            As the encoder takes them.

        Returns
        -------
        ndarray, shape (n_texts, n_dimensions)
            What the encoder gives.
        """
        return np.asarray(self.encoder.encode(texts, **self.options))
