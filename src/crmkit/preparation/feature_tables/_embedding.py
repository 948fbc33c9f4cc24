"""What customers bought or said, as a few numbers: TF-IDF over items or words, and its truncated SVD."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation.feature_tables._rows import EventRows

__all__ = ["Embedding", "FittedEmbedding", "learn_embedding"]


@dataclass(frozen=True)
class Embedding:
    """Columns that say in a few numbers which items a customer bought, or which words they used.

    The items of all rows of a customer before the cutoff are one document. It is weighted by TF-IDF (logarithm of the
    count, rare items more) and projected on the ``n_components`` directions in which customers differ most. Weights and
    directions are learned once, from what was known at the first cutoff, and then frozen: an item that appears later
    counts for nothing. The cost is that of a truncated SVD of a sparse table of customers and items.

    Parameters
    ----------
    column : str
        Items (``product_id``), or texts where there is a ``vectorizer``.
    n_components : int, default=8
        Numbers a customer.
    vectorizer : object, default=None
        Turns texts into counts of words: ``fit(texts)`` and ``transform(texts)``, such as scikit-learn's
        ``CountVectorizer(analyzer=language.Analyzer())``. None takes every value as one item.
    random_state : int, default=0
        Of the SVD.
    """

    column: str
    n_components: int = 8
    vectorizer: Any = None
    random_state: int = 0


@dataclass(frozen=True, eq=False)
class FittedEmbedding:
    """An embedding as learned.

    Parameters
    ----------
    declared : Embedding
        What was asked for.
    items : tuple of str
        The items that count; empty where a vectorizer knows the words.
    vectorizer, weights, directions : estimators or None
        As fitted; ``directions`` is None where there was too little to learn from.
    """

    declared: Embedding
    items: tuple[str, ...]
    vectorizer: Any
    weights: Any
    directions: Any

    @property
    def n_components(self) -> int:
        """How many numbers it gives."""
        return 0 if self.directions is None else int(self.directions.components_.shape[0])

    def transform(
        self, rows: EventRows, visible: npt.NDArray[np.intp], place: npt.NDArray[np.intp], size: int
    ) -> npt.NDArray[np.float64]:
        """Give the numbers of every row of the result, 0 where a customer has no item that counts.

        Parameters
        ----------
        rows : EventRows
            The table.
        visible : ndarray of int
            The rows that were known.
        place : ndarray of int
            The row of the result of each customer.
        size : int
            Rows of the result.

        Returns
        -------
        ndarray of float64, shape (size, n_components)
            Numbers.
        """
        if self.directions is None:
            return np.zeros((size, 0))
        counts = _counts(self, rows, visible, place, size)
        return np.asarray(self.directions.transform(self.weights.transform(counts)), dtype=np.float64)


def learn_embedding(
    declared: Embedding, rows: EventRows, visible: npt.NDArray[np.intp], what: str, *, stacklevel: int
) -> FittedEmbedding:
    """Learn items or words, weights and directions from the rows that may be learned from.

    Parameters
    ----------
    declared : Embedding
        What is asked for.
    rows : EventRows
        The table.
    visible : ndarray of int
        The rows that may be learned from.
    what : str
        The table's name in messages.
    stacklevel : int
        Whose line the warning points at.

    Returns
    -------
    FittedEmbedding
        Frozen.

    Raises
    ------
    DataError
        If ``n_components`` is no number.

    Warns
    -----
    DataWarning
        If there are too few items or customers for as many numbers as asked for.
    """
    if (
        isinstance(declared.n_components, bool)
        or not isinstance(declared.n_components, int)
        or declared.n_components < 1
    ):
        raise DataError(f"n_components must be a whole number of at least 1, got {declared.n_components!r}")
    codes, values = rows.values(declared.column)
    seen = np.unique(codes[visible])
    texts = sorted({str(values[code]) for code in seen.tolist() if code >= 0})
    vectorizer = declared.vectorizer
    items: tuple[str, ...] = ()
    if vectorizer is None:
        items = tuple(texts)
    else:
        require_methods(vectorizer, ("fit", "transform"), role="a vectorizer")
        vectorizer = _fitted(vectorizer, texts)
    draft = FittedEmbedding(declared, items, vectorizer, None, None)
    size = len(rows.ids)
    directions: Any = None
    weights: Any = None
    if texts and (declared.vectorizer is None or vectorizer is not None):
        counts: Any = _counts(draft, rows, visible, np.arange(size), size)
        counts = counts[np.diff(counts.indptr) > 0]
        number = min(declared.n_components, min(counts.shape) - 1)
        if number > 0:
            weights = TfidfTransformer(sublinear_tf=True).fit(counts)
            directions = TruncatedSVD(number, random_state=declared.random_state).fit(weights.transform(counts))
    found = 0 if directions is None else directions.components_.shape[0]
    if found < declared.n_components:
        warnings.warn(
            f"{what}: {declared.column} gives {found} components of the {declared.n_components} asked for: too few "
            "different items, or customers who have any, were known at the first cutoff",
            DataWarning,
            stacklevel=stacklevel,
        )
    return FittedEmbedding(declared, items, vectorizer, weights, directions)


def _fitted(vectorizer: Any, texts: list[str]) -> Any:
    """Fit a vectorizer; None where it finds no word."""
    try:
        fresh: Any = clone(vectorizer)
        return fresh.fit(texts)
    except ValueError:
        # scikit-learn's vectorizers refuse texts that hold no word.
        return None


def _counts(
    learned: FittedEmbedding, rows: EventRows, visible: npt.NDArray[np.intp], place: npt.NDArray[np.intp], size: int
) -> Any:
    """Count items or words by customer, in an order that rows of others do not change."""
    codes, values = rows.values(learned.declared.column)
    code, owner = codes[visible], place[rows.customer[visible]]
    owner, code = owner[code >= 0], code[code >= 0]
    texts = np.array([str(value) for value in values.tolist()], dtype=object)
    if learned.vectorizer is None:
        column = pd.Index(list(learned.items), dtype=object).get_indexer(pd.Index(texts, dtype=object))[code]
        owner, column = owner[column >= 0], column[column >= 0]
        return _added(owner, column, (size, len(learned.items)))
    order = np.argsort(texts, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    used, column = np.unique(rank[code], return_inverse=True)
    words = sparse.csr_array(learned.vectorizer.transform([str(text) for text in texts[order[used]]]))
    found = sparse.csr_array(_added(owner, column, (size, len(used))) @ words)
    found.sort_indices()
    return found


def _added(owner: npt.NDArray[Any], column: npt.NDArray[Any], shape: tuple[int, int]) -> Any:
    """Count pairs in a sparse table."""
    counts = sparse.csr_array((np.ones(len(owner)), (owner, column)), shape=shape)
    counts.sum_duplicates()
    return counts
