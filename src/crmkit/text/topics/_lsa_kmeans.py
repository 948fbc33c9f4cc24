"""Latent semantic analysis and k-means: each text is of the topic whose middle it is nearest to."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from crmkit.text.topics._base import TopicModel, tfidf

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LSAKMeansTopics"]


class LSAKMeansTopics(TopicModel):
    """Finds topics as groups of texts near each other in the main directions of their TF-IDF weights.

    Truncated singular value decomposition, rows brought to length one, k-means (all scikit-learn's). Each text has one
    topic; the weights say how near the others are, as in fuzzy clustering: the inverse squares of the distances. It
    suits messages that are each about one thing, and many topics. Costs a few passes over all terms for the directions
    and one over texts, directions and topics for each iteration.

    Parameters
    ----------
    n_topics : int, default=10
        How many.
    terms : vectorizer, default=None
        What counts terms; None for `ReadableTerms`.
    n_directions : int, default=100
        How many directions are kept; fewer where there are fewer terms or texts.
    n_init : int, default=5
        Starts of k-means; the best is kept.
    random_state : int, RandomState or None, default=None
        The seed.

    References
    ----------
    Deerwester, S., Dumais, S. T., Furnas, G. W., Landauer, T. K., & Harshman, R. (1990). Indexing by latent semantic
    analysis. JASIS 41, 391-407. doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9

    Bezdek, J. C. (1981). Pattern recognition with fuzzy objective function algorithms. doi:10.1007/978-1-4757-0450-1

    Examples
    --------
    >>> from crmkit.text import LSAKMeansTopics
    >>> texts = ["refund the order", "退款 refund", "parcel late", "parcel lost late"] * 5
    >>> model = LSAKMeansTopics(2, random_state=0).fit(texts)
    >>> bool(model.predict(["refund"])[0] == model.predict(["退款"])[0])
    True
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **TopicModel._parameter_constraints,  # noqa: SLF001 -- scikit-learn's own name
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_topics: int = 10,
        *,
        terms: Any = None,
        n_directions: int = 100,
        n_init: int = 5,
        random_state: Any = None,
    ) -> None:
        super().__init__(n_topics, terms=terms, random_state=random_state)
        self.n_directions = n_directions
        self.n_init = n_init

    def _fit_topics(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        random = check_random_state(self.random_state)
        self.weighing_, weighed = tfidf(counts)
        # Fewer directions than terms are asked of the decomposition; with one term there is one direction.
        n = min(self.n_directions, *weighed.shape)
        self.directions_ = TruncatedSVD(n, random_state=random)
        # Equal texts have no variance, which scikit-learn divides by.
        with np.errstate(divide="ignore", invalid="ignore"):
            places = normalize(self.directions_.fit_transform(weighed))
        starts: Any = self.n_init
        self.groups_ = KMeans(self.n_topics, n_init=starts, random_state=random).fit(places)
        self.middles_ = np.zeros((self.n_topics, weighed.shape[1]))
        for topic in range(self.n_topics):
            members = self.groups_.labels_ == topic
            if members.any():
                self.middles_[topic] = np.asarray(weighed[members].mean(axis=0)).ravel()
        return _memberships(self.groups_.transform(places))

    def _weigh(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        places = normalize(self.directions_.transform(self._scale(counts)))
        return _memberships(self.groups_.transform(places))

    def _mix(self, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        # A text is described by the one middle it is nearest to.
        weights = self._weigh(counts)
        return np.asarray(np.eye(weights.shape[1])[weights.argmax(axis=1)], dtype=np.float64)

    def _scale(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        return sparse.csr_matrix(cast("Any", self.weighing_.transform(counts)))

    def _prototypes(self) -> npt.NDArray[np.float64]:
        return self.middles_


def _memberships(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the inverse squares of distances, in shares; a text at a middle belongs to it alone."""
    squares = np.maximum(distances**2, 1e-12)
    nearest = squares.min(axis=1, keepdims=True)
    return np.asarray(nearest / squares, dtype=np.float64)
