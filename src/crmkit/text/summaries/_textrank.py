"""TextRank: sentences that are like many others that are like many others."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.core.errors import ConvergenceError
from crmkit.text.summaries._base import TextSummarizer, once_each, words_without_meaning
from crmkit.text.summaries._terms import count_terms, weigh_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._turns import Turn

__all__ = ["TextRankSummarizer"]

_SATURATION, _LENGTH = 1.2, 0.75
"""The usual k1 and b of BM25."""


class TextRankSummarizer(TextSummarizer):
    """Ranks sentences by a random walk from each to those that share words with it.

    Each sentence is a page and what two share is a link; the walk follows links in proportion to their weight and
    starts anew anywhere now and then. A sentence ranks high that is like many sentences that rank high themselves.
    It suits texts with a theme that returns, such as long complaints, notes and reports; in a short message there is
    little to rank, and `LeadSummarizer` does as well. A sentence said twice is chosen once.

    The similarities are never written down: both kinds are products of two sparse matrices of sentences by words, so
    a step of the walk costs two passes over the words, and a text of a megabyte takes a second or two without leaving
    anything out.

    Parameters
    ----------
    similarity : {"cosine", "bm25"}, default="cosine"
        Cosine of TF-IDF, or BM25 of each sentence as a query of the other, taken both ways. Words of two letters or
        more that are no stop words count, and pairs of Han characters.
    damping : float, default=0.85
        The chance of following a link rather than starting anew.
    tol : float, default=1e-8
        The walk ends when no more than this moves in a step, as a sum over sentences.
    max_iter : int, default=1000
        Most steps.
    stop_words : iterable of str, default=None
        Words that do not count, lower-cased; None for those in the box of both languages.

    Raises
    ------
    ConvergenceError
        If the walk has not settled within ``max_iter`` steps.

    References
    ----------
    Mihalcea, R., & Tarau, P. (2004). TextRank: bringing order into text. EMNLP 2004, 404-411.
    https://aclanthology.org/W04-3252

    Barrios, F., López, F., Argerich, L., & Wachenchauzer, R. (2016). Variations of the similarity function of TextRank
    for automated summarization. arXiv:1602.03606

    Examples
    --------
    >>> from crmkit.text import TextRankSummarizer
    >>> text = "Hello there. The parcel never came. Where is the parcel? The courier lost the parcel twice. Bye."
    >>> str(TextRankSummarizer().summarize(text, max_sentences=1))
    'Where is the parcel?'
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "similarity": [StrOptions({"cosine", "bm25"})],
        "damping": [Interval(Real, 0, 1, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "stop_words": ["array-like", frozenset, set, None],
    }

    def __init__(
        self,
        *,
        similarity: str = "cosine",
        damping: float = 0.85,
        tol: float = 1e-8,
        max_iter: int = 1000,
        stop_words: Any = None,
    ) -> None:
        self.similarity = similarity
        self.damping = damping
        self.tol = tol
        self.max_iter = max_iter
        self.stop_words = stop_words

    def _gains(
        self,
        pieces: Sequence[Piece],
        turns: Sequence[Turn],  # noqa: ARG002 -- the base's signature
    ) -> Callable[[int | None], npt.NDArray[np.float64]]:
        """Rank once; nothing changes by what was chosen, but what was said twice."""
        counts = count_terms([piece.plain for piece in pieces], words_without_meaning(self.stop_words)).counts
        scores = self._walk(*_factors(counts, self.similarity))
        return once_each(pieces, lambda last: scores)  # noqa: ARG005 -- nothing depends on what was chosen

    def _walk(
        self, left: sparse.csr_array, right: sparse.csr_array, own: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Give the share of the time that the walk spends at each sentence.

        The weight of a link is ``left @ right.T``, made symmetric; ``own`` is its diagonal, which is no link.
        """
        n = left.shape[0]
        left_across, right_across = left.T.tocsr(), right.T.tocsr()

        def spread(mass: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            both = left @ (right_across @ mass) + right @ (left_across @ mass)
            return np.asarray(np.maximum(both / 2 - own * mass, 0.0), dtype=np.float64)

        degree = spread(np.ones(n))
        # What rounding leaves of a sentence that shares nothing is no link.
        linked = degree > 1e-9 * own
        inverse = np.where(linked, 1 / np.where(linked, degree, 1), 0.0)
        rank, change = np.full(n, 1 / n), np.inf
        for _ in range(self.max_iter):
            lost = rank[~linked].sum()
            moved = (1 - self.damping) / n + self.damping * (spread(rank * inverse) + lost / n)
            # A sentence without links gives its mass to all, so that nothing is lost in a step.
            moved /= moved.sum()
            change = float(np.abs(moved - rank).sum())
            rank = moved
            if change <= self.tol:
                return np.asarray(rank, dtype=np.float64)
        raise ConvergenceError(
            f"the walk still moves {change:.1e} after {self.max_iter} steps: raise max_iter or tol, or lower damping",
            parameter="max_iter",
        )


def _factors(
    counts: sparse.csr_array, similarity: str
) -> tuple[sparse.csr_array, sparse.csr_array, npt.NDArray[np.float64]]:
    """Give two matrices whose product is the similarity, and its diagonal."""
    if similarity == "cosine":
        weighed = weigh_terms(counts)
        own = np.asarray(weighed.multiply(weighed).sum(axis=1), dtype=np.float64).ravel()
        return weighed, weighed, own
    n = counts.shape[0]
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    usual = max(float(lengths.mean()), 1e-300)
    room = np.repeat(_SATURATION * (1 - _LENGTH + _LENGTH * lengths / usual), np.diff(counts.indptr))
    query, page = counts.copy(), counts.copy()
    query.data = np.log1p((n - found + 0.5) / (found + 0.5))[counts.indices]
    page.data = counts.data * (_SATURATION + 1) / (counts.data + room)
    own = np.asarray(query.multiply(page).sum(axis=1), dtype=np.float64).ravel()
    return query, page, own
