"""Learns vectors of words from the company's own texts, without labels."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.errors import DataError
from crmkit.language import find_segmenter
from crmkit.text._texts import read_texts
from crmkit.text.vectors._cooccurrence import count_neighbours, factorize, positive_information
from crmkit.text.vectors._fixed import FixedVectors
from crmkit.text.vectors._terms import cut, learn_joins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

__all__ = ["WordVectors"]

_BATCH = 20_000


class WordVectors(BaseEstimator):
    """Vectors of words by shifted positive mutual information and truncated SVD, learned from texts without labels.

    Terms that stand near the same other terms get near vectors, so "parcel" and "package" come together without a
    dictionary. It counts which terms stand at most ``window`` places apart, keeps what is more than chance, and
    reduces it to ``dimensions`` numbers a term: what word2vec does, by counting.
    Use it for `similar` terms, and as features where labels are few and unlabelled texts many. It needs some
    thousands of texts. Cost: two sparse matrices with an entry for each pair of terms met.

    A classifier fits a `WordVectors` given as ``features=`` anew, on its own training texts; give it `fixed` ones to
    keep what was learned from many unlabelled texts.

    Parameters
    ----------
    dimensions : int, default=100
        Numbers a term. Changes the result.
    window : int, default=5
        How many terms away a neighbour may stand; nearer ones count more. Changes the result.
    shift : float, default=1.0
        How many times more often than chance, at least 1, terms must stand together to count (the number of negative
        samples of word2vec). Changes the result.
    min_count : int, default=3
        Leave out terms seen fewer times. Changes the result.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        Cuts Chinese into words; None joins pairs of characters that stand together more than chance has it, and
        takes characters else. ``"auto"`` makes the result depend on what is installed when it is fitted.
    random_state : int, RandomState or None, default=0
        Seed of the decomposition; changes the last digits.

    Attributes
    ----------
    terms_ : list of str
        The terms, the most frequent first.
    vectors_ : ndarray of float32, shape (n_terms, dimensions)
        One a term.
    counts_ : ndarray of int64, shape (n_terms,)
        How often each was seen.

    Raises
    ------
    DataError
        If no two terms that are frequent enough stand near each other.

    References
    ----------
    Levy, Goldberg (2014). Neural word embedding as implicit matrix factorization. NeurIPS 27.

    Levy, Goldberg, Dagan (2015). Improving distributional similarity with lessons learned from word embeddings.
    doi:10.1162/tacl_a_00134

    Examples
    --------
    >>> from crmkit.text import WordVectors
    >>> texts = ["where is my parcel now", "where is my package now", "please refund the order", "refund the fee"] * 5
    >>> vectors = WordVectors(dimensions=4, window=2).fit(texts)
    >>> vectors.similar("parcel", 1)["term"].tolist(), vectors.encode(["my parcel"]).shape
    (['package'], (1, 4))
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "dimensions": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "shift": [Interval(Real, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "segmenter": [callable, str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        dimensions: int = 100,
        window: int = 5,
        shift: float = 1.0,
        min_count: int = 3,
        segmenter: Any = None,
        random_state: Any = 0,
    ) -> None:
        self.dimensions = dimensions
        self.window = window
        self.shift = shift
        self.min_count = min_count
        self.segmenter = segmenter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, texts: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Learn the vectors.

        Parameters
        ----------
        texts : list, array or Series of str, shape (n_texts,)
            As many as there are; labels are not needed.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        WordVectors
            Itself.
        """
        values = read_texts(texts, what="texts").tolist()
        cutter = find_segmenter(self.segmenter)
        # What "auto" found is kept, so that a saved model never meets another cut.
        named = isinstance(self.segmenter, str)
        self.segmenter_ = ("rjieba" if cutter is not None else None) if named else self.segmenter
        joins = np.empty(0, dtype=np.int64) if cutter else learn_joins(values, self.min_count)
        table = cut(values, cutter, joins)
        times = np.bincount(table.code, minlength=len(table.names))
        kept = np.flatnonzero(times >= self.min_count)
        kept = kept[np.argsort(-times[kept], kind="stable")]
        place = np.full(len(table.names), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        code = place[table.code]
        # Rare terms are taken out before distances are measured.
        counts = count_neighbours(code[code >= 0], table.text[code >= 0], len(kept), self.window)
        if not counts.nnz:
            raise DataError(
                f"no two terms seen {self.min_count} times stand near each other in {len(values)} texts: "
                "give more texts, or lower min_count"
            )
        with threadpool_limits(limits=1):
            vectors = factorize(positive_information(counts, self.shift), self.dimensions, self.random_state)
            terms = [table.names[term] for term in kept.tolist()]
            plain = FixedVectors(terms, vectors, counts=times[kept], segmenter=self.segmenter_)
            common = _common(plain.means(values[first : first + _BATCH]) for first in range(0, len(values), _BATCH))
        self.fixed_ = FixedVectors(terms, vectors, counts=times[kept], common=common, segmenter=self.segmenter_)
        return self

    @property
    def terms_(self) -> list[str]:
        """The terms, the most frequent first."""
        return self.fixed_.terms_

    @property
    def vectors_(self) -> npt.NDArray[np.floating[Any]]:
        """One vector a term."""
        return self.fixed_.vectors_

    @property
    def counts_(self) -> npt.NDArray[np.int64] | None:
        """How often each term was seen."""
        return self.fixed_.counts_

    def fixed(self) -> FixedVectors:
        """Give the vectors as they are, for a classifier that must not learn them anew.

        Returns
        -------
        FixedVectors
            On the same arrays, not a copy.
        """
        check_is_fitted(self, "fixed_")
        return self.fixed_

    def encode(self, texts: Any, /) -> npt.NDArray[np.float64]:
        """Give each text its vector; see `FixedVectors.encode`.

        Parameters
        ----------
        texts : list, array or Series of str, shape (n_texts,)
            A missing text counts as empty.

        Returns
        -------
        ndarray of float64, shape (n_texts, dimensions)
            Rows of length one; zeros for a text without a known term.
        """
        return self.fixed().encode(texts)

    def similar(self, term: str, n: int = 10) -> pd.DataFrame:
        """Give the terms used most like one; see `FixedVectors.similar`.

        Parameters
        ----------
        term : str
            A word, or several, whose mean is taken.
        n : int, default=10
            How many at most.

        Returns
        -------
        pandas.DataFrame
            ``term``, ``similarity`` (cosine) and ``count``.
        """
        return self.fixed().similar(term, n)

    def write(self, path: str | Path, *, binary: bool = False) -> None:
        """Write the words and vectors in a format of word2vec; see `FixedVectors.write`.

        Parameters
        ----------
        path : str or Path
            Where to.
        binary : bool, default=False
            Whether numbers are written as bytes.
        """
        self.fixed().write(path, binary=binary)

    @classmethod
    def from_vectors(
        cls, words: Sequence[str], array: Any, *, counts: Any = None, segmenter: Any = None
    ) -> FixedVectors:
        """Take vectors made elsewhere.

        Parameters
        ----------
        words : sequence of str
            All different.
        array : ndarray, shape (n_words, n_dimensions)
            Kept, not copied.
        counts : ndarray of int or None, default=None
            How often each word was seen, so that rare ones weigh more in a text.
        segmenter : callable, {"auto", "rjieba"} or None, default=None
            How Chinese is cut; for vectors of Chinese words ``"rjieba"`` finds the most of them.

        Returns
        -------
        FixedVectors
            Nothing is left to fit.

        Examples
        --------
        >>> import numpy as np
        >>> from crmkit.text import WordVectors
        >>> WordVectors.from_vectors(["card"], np.ones((1, 3)))
        FixedVectors(1 words, 3 dimensions)
        """
        return FixedVectors(words, array, counts=counts, segmenter=segmenter)


def _common(batches: Iterable[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Give the direction that the training texts have in common."""
    # The second moment is as small as there are dimensions, however many texts there are.
    moment = sum(means.T @ means for means in batches)
    _, directions = np.linalg.eigh(moment)
    common: npt.NDArray[np.float64] = directions[:, -1]
    return common * (1.0 if common[np.argmax(np.abs(common))] > 0 else -1.0)
