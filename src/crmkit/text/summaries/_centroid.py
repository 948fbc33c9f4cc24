"""Centroid summaries: sentences nearest to the middle of the text, and unlike each other."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval

from crmkit.text.summaries._base import TextSummarizer, once_each, words_without_meaning
from crmkit.text.summaries._terms import count_terms, weigh_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.text.summaries._pieces import Piece
    from crmkit.text.summaries._turns import Turn

__all__ = ["CentroidSummarizer"]


class CentroidSummarizer(TextSummarizer):
    """Chooses sentences that are near the text's centroid and say something new.

    The centroid is the sum of all sentences' TF-IDF. One sentence after the other is taken whose cosine with it is
    greatest, less what it repeats of those taken already (maximal marginal relevance). Take it where a text has several
    matters, which `TextRankSummarizer` may leave out for its loudest. A sentence said twice is chosen once. Costs a
    pass over the words for each sentence chosen.

    Parameters
    ----------
    diversity : float, default=0.3
        From 0 (near the centroid alone) to 1 (unlike what was chosen alone).
    stop_words : iterable of str, default=None
        Words that do not count, lower-cased; None for those in the box of both languages.

    References
    ----------
    Radev, D. R., Jing, H., Styś, M., & Tam, D. (2004). Centroid-based summarization of multiple documents. Information
    Processing & Management 40, 919-938. doi:10.1016/j.ipm.2003.10.006

    Carbonell, J., & Goldstein, J. (1998). The use of MMR, diversity-based reranking for reordering documents and
    producing summaries. SIGIR 1998, 335-336. doi:10.1145/290941.291025

    Examples
    --------
    >>> from crmkit.text import CentroidSummarizer
    >>> text = "快递一直没有到。快递没有人接电话。客服态度也很差。客服说快递在路上。谢谢。"
    >>> str(CentroidSummarizer().summarize(text, max_sentences=2))
    '快递没有人接电话。客服说快递在路上。'
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "diversity": [Interval(Real, 0, 1, closed="both")],
        "stop_words": ["array-like", frozenset, set, None],
    }

    def __init__(self, *, diversity: float = 0.3, stop_words: Any = None) -> None:
        self.diversity = diversity
        self.stop_words = stop_words

    def _gains(
        self,
        pieces: Sequence[Piece],
        turns: Sequence[Turn],  # noqa: ARG002 -- the base's signature
    ) -> Callable[[int | None], npt.NDArray[np.float64]]:
        """Weigh nearness to the centroid against likeness to what was chosen."""
        counts = count_terms([piece.plain for piece in pieces], words_without_meaning(self.stop_words)).counts
        weighed = weigh_terms(counts)
        center = np.asarray(weighed.sum(axis=0)).ravel()
        length = float(np.linalg.norm(center))
        near = weighed @ (center / length) if length else np.zeros(len(pieces))
        repeated = np.zeros(len(pieces))

        def gains(last: int | None) -> npt.NDArray[np.float64]:
            if last is not None:
                np.maximum(repeated, weighed @ weighed[[last]].toarray().ravel(), out=repeated)
            return (1 - self.diversity) * near - self.diversity * repeated

        return once_each(pieces, gains)
