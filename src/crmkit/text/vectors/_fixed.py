"""Vectors of words as they are: texts to vectors, similar terms, and the way into a file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.language import find_segmenter, normalize
from crmkit.text._texts import read_texts
from crmkit.text.vectors._files import write_vectors
from crmkit.text.vectors._terms import cut, pair_codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["FixedVectors"]

_RARE = 1e-2
_BATCH = 20_000


class FixedVectors:
    """Word vectors that are given: nothing is fitted, so classifiers and clones take them as they are, without a copy.

    From `WordVectors.fixed`, `WordVectors.from_vectors` or `read_vectors`. A text's vector is the weighted mean of
    those of its terms, less the common direction of the training texts where known, at length one. Rare terms weigh
    more, by ``a / (a + share of the term)`` with ``a = .01``, where counts are known.

    Parameters
    ----------
    terms : list of str
        The words, all different.
    vectors : ndarray, shape (n_terms, n_dimensions)
        One a word; kept, not copied.
    counts : ndarray of int or None, default=None
        How often each word was seen; None weighs all the same.
    common : ndarray or None, default=None
        A direction of length one that is taken out of texts.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        Cuts Chinese; None takes pairs of characters that are among the words, and characters.

    Raises
    ------
    DataError
        If words and vectors differ in number, a word stands twice, or a value is not finite.

    References
    ----------
    Arora, Liang, Ma (2017). A simple but tough-to-beat baseline for sentence embeddings. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.text import FixedVectors
    >>> vectors = FixedVectors(["card", "refund"], np.array([[3.0, 0.0], [0.0, 2.0]]))
    >>> vectors.encode(["My card!", "nothing known"]).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    def __init__(
        self,
        terms: Sequence[str],
        vectors: Any,
        *,
        counts: Any = None,
        common: Any = None,
        segmenter: Any = None,
    ) -> None:
        self.terms_: list[str] = list(terms)
        self.vectors_: npt.NDArray[np.floating[Any]] = np.asarray(vectors)
        self.counts_: npt.NDArray[np.int64] | None = None if counts is None else np.asarray(counts, dtype=np.int64)
        self.common_: npt.NDArray[np.float64] | None = None if common is None else np.asarray(common, dtype=np.float64)
        self.segmenter = segmenter
        self.joins_: npt.NDArray[np.int64] = pair_codes(self.terms_)
        self._check()

    def _check(self) -> None:
        """Refuse what is no table of vectors."""
        if self.vectors_.ndim != 2 or self.vectors_.dtype.kind != "f" or not self.vectors_.shape[1]:
            raise DataError(
                f"vectors must be numbers with a fraction, one row a word, got {self.vectors_.dtype} of shape "
                f"{self.vectors_.shape}"
            )
        if len(self.terms_) != len(self.vectors_):
            raise DataError(
                f"there must be a vector for each word: {len(self.terms_)} words, {len(self.vectors_)} vectors"
            )
        if self.counts_ is not None and self.counts_.shape != (len(self.terms_),):
            raise DataError(
                f"there must be a count for each word: {len(self.terms_)} words, {len(self.counts_)} counts"
            )
        twice = pd.Index(self.terms_, dtype=object).duplicated()
        if twice.any():
            raise DataError(f"a word stands more than once, again in {positions(twice)}")
        wrong = ~np.isfinite(self.vectors_).all(axis=1)
        if wrong.any():
            raise DataError(f"a vector holds a value that is not finite in {positions(wrong)}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.terms_)} words, {self.vectors_.shape[1]} dimensions)"

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def encode(self, texts: Any, /) -> npt.NDArray[np.float64]:
        """Give each text its vector.

        Parameters
        ----------
        texts : list, array or Series of str, shape (n_texts,)
            A missing text counts as empty.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_dimensions)
            Rows of length one; zeros for a text without a known term. A text's vector does not depend on the others.
        """
        values = read_texts(texts, what="texts").tolist()
        batches = [self._encode(values[first : first + _BATCH]) for first in range(0, len(values), _BATCH)]
        return np.concatenate([np.empty((0, self.vectors_.shape[1])), *batches])

    def _encode(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """Give the vectors of one batch."""
        means = self.means(texts)
        if self.common_ is not None:
            means -= np.outer(means @ self.common_, self.common_)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        # What the common direction leaves of a text that says nothing else is rounding, not meaning.
        means[lengths[:, 0] < 1e-9] = 0
        return means / np.where(lengths < 1e-9, 1.0, lengths)

    def means(self, texts: list[str]) -> npt.NDArray[np.float64]:
        """Give the weighted mean of the vectors of each text's terms, before anything is taken out or scaled.

        Parameters
        ----------
        texts : list of str
            The texts, all at once.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_dimensions)
            Zeros for a text without a known term.
        """
        table = cut(texts, find_segmenter(self.segmenter), self.joins_)
        index = self._index
        place = np.fromiter((index.get(name, -1) for name in table.names), np.int64, len(table.names))[table.code]
        known = place >= 0
        used, column = np.unique(place[known], return_inverse=True)
        weights = self._weights(used)[column]
        shares = sparse.csr_matrix((weights, (table.text[known], column)), shape=(len(texts), len(used)))
        total = np.bincount(table.text[known], weights=weights, minlength=len(texts))
        means = np.asarray(shares @ self.vectors_[used].astype(np.float64))
        return means / np.where(total > 0, total, 1.0)[:, None]

    def _weights(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Give the weights of words: rare ones more."""
        if self.counts_ is None:
            return np.ones(len(places))
        share = self.counts_[places] / max(int(self.counts_.sum()), 1)
        weights: npt.NDArray[np.float64] = _RARE / (_RARE + share)
        return weights

    def similar(self, term: str, n: int = 10) -> pd.DataFrame:
        """Give the terms used most like one.

        Parameters
        ----------
        term : str
            A word, or several, whose mean is taken.
        n : int, default=10
            How many at most.

        Returns
        -------
        pandas.DataFrame
            ``term``, ``similarity`` (cosine, -1 to 1) and ``count`` (missing where unknown), the most similar first;
            the term itself is left out.

        Raises
        ------
        DataError
            If no part of it is known.
        ValueError
            If ``n`` is less than 1.
        """
        if not isinstance(term, str):
            raise TypeError(f"term must be str, got {type(term).__name__}")
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        own, vector = self._vector(term)
        likeness = (self.vectors_ @ vector) / np.where(self._lengths > 0, self._lengths, np.inf)
        likeness[own] = -np.inf
        likeness[self._lengths == 0] = -np.inf
        n = min(n, int(np.isfinite(likeness).sum()))
        top = np.argsort(-likeness, kind="stable")[:n]
        missing = pd.array([pd.NA] * len(top), dtype="Int64")
        counts = missing if self.counts_ is None else pd.array(self.counts_[top].tolist(), dtype="Int64")
        names = [self.terms_[place] for place in top.tolist()]
        return pd.DataFrame({"term": names, "similarity": likeness[top].astype(np.float64), "count": counts})

    def _vector(self, term: str) -> tuple[list[int], npt.NDArray[np.floating[Any]]]:
        """Give the places of a term's parts and their mean direction."""
        whole = self._index.get(normalize(term).text.lower().strip())
        if whole is None:
            table = cut([term], find_segmenter(self.segmenter), self.joins_)
            names = [table.names[code] for code in table.code.tolist()]
            own = [self._index[name] for name in names if name in self._index]
        else:
            own = [whole]
        if not own:
            raise DataError(f"no part of the term is among the {len(self.terms_):,} known words")
        parts = self.vectors_[own] / np.maximum(self._lengths[own], 1e-12)[:, None]
        mean = parts.mean(axis=0)
        return own, (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(self.vectors_.dtype)

    def write(self, path: str | Path, *, binary: bool = False) -> None:
        """Write the words and vectors in a format of word2vec; see `read_vectors`.

        Parameters
        ----------
        path : str or Path
            Where to; an ending in ``.gz`` compresses.
        binary : bool, default=False
            Whether numbers are written as bytes (exact, four a value) or as text.

        Raises
        ------
        DataError
            If a word holds white space, which neither format can tell from the end of the word.
        """
        write_vectors(path, self.terms_, self.vectors_, binary=binary)

    @cached_property
    def _index(self) -> dict[str, int]:
        """Places by word; a word as it is written in texts, in lower case, where that is no word of its own."""
        index = {term: place for place, term in reversed(list(enumerate(self.terms_)))}
        for place, term in enumerate(self.terms_):
            index.setdefault(normalize(term).text.lower(), place)
        return index

    @cached_property
    def _lengths(self) -> npt.NDArray[np.float64]:
        """The length of each vector."""
        return np.asarray(np.linalg.norm(self.vectors_, axis=1), dtype=np.float64)
