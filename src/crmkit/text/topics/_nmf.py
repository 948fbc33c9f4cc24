"""Non-negative matrix factorisation: each text is a sum of topics, each topic a few words that go together."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.utils._param_validation import Interval

from crmkit.text.topics._base import TopicModel, tfidf

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NMFTopics"]


class NMFTopics(TopicModel):
    """Finds topics as parts that add up to the texts, on TF-IDF weights.

    Coordinate descent from the singular vectors (scikit-learn's), so that the seed matters little. It suits short
    messages and gives topics of few, telling words; small topics survive better than in `LDATopics`. Costs one pass
    over all terms for each iteration and topic.

    Parameters
    ----------
    n_topics : int, default=10
        How many; at most as many as there are terms and texts.
    terms : vectorizer, default=None
        What counts terms; None for `ReadableTerms`.
    max_iter : int, default=400
        Most iterations.
    random_state : int, RandomState or None, default=None
        The seed.

    References
    ----------
    Lee, D. D., & Seung, H. S. (1999). Learning the parts of objects by non-negative matrix factorization. Nature 401,
    788-791. doi:10.1038/44565

    Examples
    --------
    >>> from crmkit.text import NMFTopics
    >>> texts = ["refund the order", "退款 refund", "parcel late", "parcel lost late"] * 5
    >>> model = NMFTopics(2, random_state=0).fit(texts)
    >>> sorted(model.labels_)
    ['late / parcel / lost', 'refund / order / 退款']
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **TopicModel._parameter_constraints,  # noqa: SLF001 -- scikit-learn's own name
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_topics: int = 10, *, terms: Any = None, max_iter: int = 400, random_state: Any = None) -> None:
        super().__init__(n_topics, terms=terms, random_state=random_state)
        self.max_iter = max_iter

    def _fit_topics(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        self.weighing_, weighed = tfidf(counts)
        n_topics: Any = self.n_topics
        self.nmf_ = NMF(
            n_topics,
            init="nndsvda" if self.n_topics <= min(weighed.shape) else "random",
            tol=1e-3,
            max_iter=self.max_iter,
            random_state=self.random_state,
        )
        # What is left of texts that the topics say exactly may come out below zero, of which scikit-learn takes a root.
        with np.errstate(invalid="ignore"):
            return np.asarray(self.nmf_.fit_transform(weighed), dtype=np.float64)

    def _weigh(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        return np.asarray(self.nmf_.transform(self._scale(counts)), dtype=np.float64)

    def _scale(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        return sparse.csr_matrix(cast("Any", self.weighing_.transform(counts)))

    def _prototypes(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.nmf_.components_, dtype=np.float64)
