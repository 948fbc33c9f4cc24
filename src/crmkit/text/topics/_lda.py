"""Latent Dirichlet allocation: each text is a mixture of topics, each topic a distribution of words."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.utils._param_validation import Interval

from crmkit.text.topics._base import TopicModel

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

__all__ = ["LDATopics"]


class LDATopics(TopicModel):
    """Finds topics as distributions of words of which each text is a mixture, on plain counts.

    Variational inference (scikit-learn's). It suits texts of some length, where a text may be about several things, and
    large numbers of texts; messages of one sentence hold little for it to tell topics apart by, and `NMFTopics` or
    `LSAKMeansTopics` do better there. Costs one pass over all terms for each iteration and topic.

    Parameters
    ----------
    n_topics : int, default=10
        How many.
    terms : vectorizer, default=None
        What counts terms; None for `ReadableTerms`.
    topic_prior : float, default=None
        Dirichlet prior of the mixture of a text; None for ``1 / n_topics``. Smaller: fewer topics a text.
    word_prior : float, default=None
        Dirichlet prior of the words of a topic; None for ``1 / n_topics``.
    max_iter : int, default=20
        Passes over the texts.
    random_state : int, RandomState or None, default=None
        The seed.

    References
    ----------
    Blei, D. M., Ng, A. Y., & Jordan, M. I. (2003). Latent Dirichlet allocation. JMLR 3, 993-1022.

    Hoffman, M., Bach, F., & Blei, D. (2010). Online learning for latent Dirichlet allocation. NIPS 23, 856-864.

    Examples
    --------
    >>> from crmkit.text import LDATopics
    >>> texts = ["refund the order", "退款 refund", "parcel late", "parcel lost late"] * 5
    >>> LDATopics(2, random_state=0).fit(texts).transform(["refund please"]).shape
    (1, 2)
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **TopicModel._parameter_constraints,  # noqa: SLF001 -- scikit-learn's own name
        "topic_prior": [Interval(Real, 0, None, closed="neither"), None],
        "word_prior": [Interval(Real, 0, None, closed="neither"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_topics: int = 10,
        *,
        terms: Any = None,
        topic_prior: float | None = None,
        word_prior: float | None = None,
        max_iter: int = 20,
        random_state: Any = None,
    ) -> None:
        super().__init__(n_topics, terms=terms, random_state=random_state)
        self.topic_prior = topic_prior
        self.word_prior = word_prior
        self.max_iter = max_iter

    def _fit_topics(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        self.lda_ = LatentDirichletAllocation(
            self.n_topics,
            doc_topic_prior=self.topic_prior,
            topic_word_prior=self.word_prior,
            max_iter=self.max_iter,
            learning_method="batch",
            random_state=self.random_state,
        )
        return np.asarray(self.lda_.fit_transform(counts), dtype=np.float64)

    def _weigh(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        return np.asarray(self.lda_.transform(counts), dtype=np.float64)

    def _prototypes(self) -> npt.NDArray[np.float64]:
        said = np.asarray(self.lda_.components_, dtype=np.float64)
        return np.asarray(said / said.sum(axis=1, keepdims=True), dtype=np.float64)
