"""What all topic models share: reading, checks, labels, tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.metrics import wilson
from crmkit.text._texts import read_texts
from crmkit.text.topics._class_terms import class_tfidf, label_of, top_terms
from crmkit.text.topics._terms import ReadableTerms

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

__all__ = ["TopicModel", "strongest", "tfidf"]

_LABEL = 10
"""Among how many terms a label is chosen."""


class TopicModel(TransformerMixin, BaseEstimator, ABC):
    """Base of the built-in topic models: fitted on texts alone, readable in terms.

    Texts are read as words (`ReadableTerms`), topics are found by the subclass, and named by class-based TF-IDF: the
    texts for which a topic weighs most are its class. A text without any known term has no topic: all its weights
    are 0, and `predict` gives -1.

    Parameters
    ----------
    n_topics : int, default=10
        How many.
    terms : vectorizer, default=None
        What counts terms: None for ``ReadableTerms()``, or anything with ``fit_transform``, ``transform`` and
        ``get_feature_names_out``; it is cloned.
    random_state : int, RandomState or None, default=None
        The seed.

    Attributes
    ----------
    terms_ : vectorizer
        As fitted.
    labels_ : list of str
        A label for each topic, of its first three terms.
    class_terms_ : ndarray of float, shape (n_topics, n_terms)
        Class-based TF-IDF.
    sizes_ : ndarray of int, shape (n_topics,)
        How many texts each topic had in fitting.
    n_texts_ : int
        How many texts there were, those without a topic included.

    Raises
    ------
    DataError
        If fewer texts than topics differ in what they say, or no text has a term.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "n_topics": [Interval(Integral, 1, None, closed="left")],
        "terms": [HasMethods(["fit_transform", "transform", "get_feature_names_out"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, n_topics: int = 10, *, terms: Any = None, random_state: Any = None) -> None:
        self.n_topics = n_topics
        self.terms = terms
        self.random_state = random_state

    @abstractmethod
    def _fit_topics(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """Find the topics in counts whose rows are not empty; give the weights of these rows."""

    @abstractmethod
    def _weigh(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """Give the weights of topics for counts whose rows are not empty."""

    @abstractmethod
    def _prototypes(self) -> npt.NDArray[np.float64]:
        """Give what each topic says, as weights of the terms, shape (n_topics, n_terms)."""

    def _mix(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """Give the shares of the prototypes that describe a text best; its weights where nothing else is said."""
        return self._weigh(counts)

    def _scale(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Give the term weights that the topics are found in; counts where nothing else is said."""
        return counts

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the topics.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts; a missing one counts as empty.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        TopicModel
            Itself.
        """
        self.fit_transform(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: Any = None) -> npt.NDArray[np.float64]:  # noqa: ARG002 -- scikit-learn's signature  # pyright: ignore[reportIncompatibleMethodOverride] -- no fit parameters to pass on
        """Find the topics and give their weights in the same texts.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        ndarray of float, shape (n_texts, n_topics)
            As from `transform`, but of the fit itself.
        """
        texts = read_texts(X, what="X")
        self.terms_: Any = ReadableTerms() if self.terms is None else clone(self.terms)
        counts = self.terms_.fit_transform(texts)
        filled = np.flatnonzero(np.diff(counts.indptr))
        self._check_enough(counts[filled], len(texts))
        weights = np.zeros((len(texts), self.n_topics))
        weights[filled] = _to_one(self._fit_topics(counts[filled]))
        topic = strongest(weights)
        placed = topic >= 0
        members = np.zeros((self.n_topics, len(texts)))
        members[topic[placed], np.flatnonzero(placed)] = 1
        self.n_texts_ = len(texts)
        self.sizes_ = members.sum(axis=1).astype(np.int64)
        self.class_terms_ = class_tfidf(np.asarray(members @ counts))
        self.labels_ = [label_of(terms) for terms in self.top_terms(_LABEL)]
        return weights

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give how much of each topic is in each text.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts; those of fitting or others.

        Returns
        -------
        ndarray of float, shape (n_texts, n_topics)
            No weight is negative; each row sums to 1, or to 0 for a text without a known term.
        """
        check_is_fitted(self)
        counts = self.terms_.transform(read_texts(X, what="X"))
        weights = np.zeros((counts.shape[0], len(self.labels_)))
        filled = np.flatnonzero(np.diff(counts.indptr))
        if len(filled):
            weights[filled] = _to_one(self._weigh(counts[filled]))
        return weights

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the strongest topic of each text.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        ndarray of int64, shape (n_texts,)
            From 0; -1 for a text without a known term.
        """
        return strongest(self.transform(X))

    def top_terms(self, n_terms: int = 10) -> list[list[str]]:
        """Give the terms of each topic, the heaviest first.

        Parameters
        ----------
        n_terms : int, default=10
            At most how many a topic.

        Returns
        -------
        list of list of str
            By class-based TF-IDF; by what the model itself says for a topic that is the strongest of no text.
        """
        check_is_fitted(self, "class_terms_")
        if n_terms < 1:
            raise ValueError(f"n_terms must be at least 1, got {n_terms}")
        names = self.terms_.get_feature_names_out().tolist()
        own = self._prototypes()
        return [
            top_terms(self.class_terms_[topic] if size else own[topic], names, n_terms)
            for topic, size in enumerate(self.sizes_.tolist())
        ]

    def topics(self, n_terms: int = 10) -> pd.DataFrame:
        """Show the topics.

        Parameters
        ----------
        n_terms : int, default=10
            At most how many terms a topic.

        Returns
        -------
        pandas.DataFrame
            One row a topic, indexed by ``topic``: ``label``; ``n_texts``, those of fitting in which it was strongest;
            their ``share`` of all with its Wilson interval ``low``, ``high``; ``terms``, a list.
        """
        terms = self.top_terms(n_terms)
        low, high = wilson(self.sizes_, self.n_texts_)
        return pd.DataFrame(
            {
                "label": self.labels_,
                "n_texts": self.sizes_,
                "share": self.sizes_ / self.n_texts_,
                "low": low,
                "high": high,
                "terms": terms,
            },
            index=pd.RangeIndex(len(terms), name="topic"),
        )

    def similarity(self, X: Any) -> npt.NDArray[np.float64]:
        """Say how well the topics describe each text.

        Parameters
        ----------
        X : list, array or Series of str, shape (n_texts,)
            The texts.

        Returns
        -------
        ndarray of float, shape (n_texts,)
            The cosine between the terms of a text and what its topics, in their shares, would say; terms that were
            never learned count as not described. From 0 (nothing) to 1.
        """
        check_is_fitted(self)
        texts = read_texts(X, what="X")
        if callable(getattr(self.terms_, "count", None)):
            counts, n_terms = self.terms_.count(texts)
        else:
            counts = self.terms_.transform(texts)
            n_terms = np.asarray(counts.sum(axis=1)).ravel()
        fit = np.zeros(len(texts))
        filled = np.flatnonzero(np.diff(counts.indptr))
        if not len(filled):
            return fit
        known = counts[filled]
        scaled, own = self._scale(known), self._prototypes()
        weights = self._mix(known)
        length = np.sqrt(np.maximum(((weights @ (own @ own.T)) * weights).sum(axis=1), 1e-300))
        shared = (np.asarray(scaled @ own.T) * weights).sum(axis=1)
        size = np.sqrt(np.maximum(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel(), 1e-300))
        described = np.asarray(known.sum(axis=1)).ravel() / n_terms[filled]
        fit[filled] = np.clip(shared / (length * size) * np.sqrt(described), 0, 1)
        return fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags

    def _check_enough(self, counts: sparse.csr_matrix, n_texts: int) -> None:
        """Refuse more topics than there are texts that differ in their terms."""
        mixed = counts @ np.random.default_rng(0).random(counts.shape[1])
        differ = len(np.unique(np.round(mixed, 9)))
        if differ < self.n_topics:
            raise DataError(
                f"{self.n_topics} topics need as many texts that differ in their terms, got {differ} among {n_texts} "
                "texts: lower n_topics"
            )


def tfidf(counts: sparse.csr_matrix) -> tuple[TfidfTransformer, sparse.csr_matrix]:
    """Learn TF-IDF with logarithmic counts and rows of length one, and give the weighed counts."""
    weighing = TfidfTransformer(sublinear_tf=True)
    return weighing, weighing.fit_transform(counts)


def _to_one(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bring each row to a sum of one; a row of zeros stays."""
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / np.where(total > 0, total, 1), dtype=np.float64)


def strongest(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Give the column of each row's greatest weight, -1 where all are zero."""
    return np.where(weights.max(axis=1, initial=0.0) > 0, weights.argmax(axis=1), -1).astype(np.int64)
