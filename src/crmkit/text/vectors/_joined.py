"""Puts an encoder's vectors beside the terms of each text."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from crmkit.text._encoders import encode_texts, fit_encoder
from crmkit.text._texts import read_texts
from crmkit.text.features._text_features import TextFeatures

__all__ = ["JoinedFeatures"]


class JoinedFeatures(TransformerMixin, BaseEstimator):
    """Words and characters of each text, and beside them the vector an encoder gives it.

    For the ``features=`` of a text classifier when labels are few: terms say exactly what was written, vectors what is
    like it. Both parts have about length one a text, so ``weight`` is how much the vectors say beside the terms. Takes
    any encoder: `WordVectors`, vectors read from a file, or a sentence model from a local folder. Cost: that of both.

    Parameters
    ----------
    encoder : object or str
        With ``encode(texts) -> (n_texts, n_dimensions)``; one with ``fit`` is copied and fitted on the training texts
        (wrap a trained model whose ``fit`` means something else in `FrozenEncoder`), another is used as it is; a name
        is a plugin of kind ``encoder``. Changes the result.
    features : None or vectorizer, default=None
        The other part; None is `TextFeatures`. Changes the result.
    weight : float, default=0.5
        What the vectors are multiplied by, once at length one. Changes the result.

    Raises
    ------
    DataError
        If the encoder gives another number of rows, or values that are not finite.
    TypeError
        If the encoder has no ``encode``, or its ``fit`` takes no texts.

    Examples
    --------
    >>> from crmkit.text import JoinedFeatures, WordVectors
    >>> texts = ["where is my parcel", "where is my package", "refund it"] * 5
    >>> vectors = WordVectors(dimensions=4).fit(texts).fixed()
    >>> JoinedFeatures(vectors).fit(["my parcel"]).transform(["my package"]).shape
    (1, 35)
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "encoder": "no_validation",
        "features": "no_validation",
        "weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, encoder: Any, *, features: Any = None, weight: float = 0.5) -> None:
        self.encoder = encoder
        self.features = features
        self.weight = weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the terms, and the encoder where it learns.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            Training texts.
        y : array-like or None, default=None
            Handed on to the features.

        Returns
        -------
        JoinedFeatures
            Itself.
        """
        texts = read_texts(X, what="X")
        if not isinstance(self.encoder, str) and not callable(getattr(self.encoder, "encode", None)):
            raise TypeError(f"encoder must have encode(texts); {type(self.encoder).__name__} has none")
        self.encoder_ = fit_encoder(self.encoder, texts.tolist())
        features: Any = TextFeatures() if self.features is None else clone(self.features)
        self.features_ = features.fit(texts, y)
        return self

    def transform(self, X: Any) -> sparse.csr_matrix:
        """Give both parts, the terms first.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            Texts.

        Returns
        -------
        scipy.sparse.csr_matrix, shape (n_texts, n_terms + n_dimensions)
            The features.
        """
        check_is_fitted(self, "features_")
        texts = read_texts(X, what="X")
        terms = self.features_.transform(texts)
        vectors = encode_texts(self.encoder_, texts)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        scaled = sparse.csr_matrix(vectors * (self.weight / np.where(lengths > 0, lengths, 1.0)))
        both: list[Any] = [terms, scaled]
        return sparse.csr_matrix(sparse.hstack(both, format="csr"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags
