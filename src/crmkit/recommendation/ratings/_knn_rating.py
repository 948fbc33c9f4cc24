"""Ratings by neighbors: what similar customers gave the item, or what the customer gave similar items."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.recommendation._ids import Ids, as_ids
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._top import top_n
from crmkit.recommendation.ratings._baseline_rating import BaselineRating
from crmkit.recommendation.ratings._model import LIST_PARAMETERS, SOURCES, Estimates, RatingModel, unanswered
from crmkit.recommendation.ratings._neighbors import Neighborhoods
from crmkit.recommendation.ratings._similarity import SIMILARITIES, Similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.recommendation.ratings._table import Ratings

__all__ = ["KNNRating"]


class KNNRating(RatingModel):
    """What user-kNN and item-kNN share; they differ in which side is compared."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LIST_PARAMETERS,
        "similarity": [StrOptions(set(SIMILARITIES))],
        "centre": [StrOptions({"none", "mean", "baseline"})],
        "k": [Interval(Integral, 1, None, closed="left")],
        "min_k": [Interval(Integral, 1, None, closed="left")],
        "min_support": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "baseline": [BaselineRating, None],
        "otherwise": [StrOptions({"baseline", "mean"})],
    }
    _source = "neighbors"
    # What is predicted where neighbors are too few and deviations from means are learned.
    _mean_source: ClassVar[str]

    def __init__(
        self,
        *,
        similarity: str = "pearson-baseline",
        centre: str = "baseline",
        k: int = 40,
        min_k: int = 1,
        min_support: int = 1,
        shrinkage: float = 100.0,
        baseline: BaselineRating | None = None,
        otherwise: str = "baseline",
        scale: tuple[float, float] | None = None,
        duplicates: str = "last",
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
    ) -> None:
        super().__init__(fallback=fallback, popular_days=popular_days, memory_limit=memory_limit)
        self.similarity = similarity
        self.centre = centre
        self.k = k
        self.min_k = min_k
        self.min_support = min_support
        self.shrinkage = shrinkage
        self.baseline = baseline
        self.otherwise = otherwise
        self.scale = scale
        self.duplicates = duplicates

    @abstractmethod
    def _sides(self, customer: Any, item: Any) -> tuple[Any, Any]:
        """Give those who are compared, then the others."""

    def _measure(self) -> Similarity:
        return Similarity(self.similarity, self.min_support, self.shrinkage)

    def _learn_ratings(self, ratings: Ratings) -> None:
        baseline = BaselineRating() if self.baseline is None else self.baseline
        self._biases = baseline._biases_of(ratings)  # noqa: SLF001 -- rooms share what users need not see
        target, other = self._sides(ratings.customer, ratings.item)
        n_targets, n_others = self._sides(ratings.n_customers, ratings.n_items)
        count = np.bincount(target, minlength=n_targets)
        means = np.bincount(target, ratings.value, n_targets) / np.maximum(count, 1)
        beyond = ratings.value - self._biases.of(ratings.customer, ratings.item)
        deviation = {"none": ratings.value, "mean": ratings.value - means[target], "baseline": beyond}[self.centre]
        # Whole and half stars stay exact if what is taken away is whole.
        plain = ratings.value - np.rint(ratings.mean) if self._measure().shifts else ratings.value
        compared = beyond if self.similarity == Similarity.SHRUNK else plain
        self._means = means
        self._neighborhoods = Neighborhoods(target, other, n_targets, n_others, compared, deviation)

    def _estimate(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Estimates:
        said = unanswered("baseline" if self.centre == "baseline" else self.otherwise, self._biases, customer, item)
        both = np.flatnonzero((customer >= 0) & (item >= 0))
        target, other = self._sides(customer[both], item[both])
        weighted = self._neighborhoods.weigh(target, other, self._measure(), self.k)
        enough = weighted.n >= self.min_k
        said.neighbors[both] = weighted.n
        if self.centre == "mean":
            said.rating[both] = self._means[target]
            said.source[both] = SOURCES.index(self._mean_source)
        answered = both[enough]
        start = 0.0 if self.centre == "none" else said.rating[answered]
        said.rating[answered] = start + weighted.deviation[enough]
        said.source[answered] = SOURCES.index("neighbors")
        return said

    def _similar(self, ids: Any, known: Ids, n: int, what: str) -> pd.DataFrame:
        """List the nearest of some customers or items."""
        check_is_fitted(self)
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1, got {n!r}")
        asked, missing = as_ids(ids)
        numbers = known.numbers_of(asked)
        if missing.any() or (numbers < 0).any():
            raise DataError(f"similar: the model does not know the {what} in {positions(missing | (numbers < 0))}")
        parts = []
        step = max(1, 2**21 // len(known))
        for first in range(0, len(numbers), step):
            with threadpool_limits(limits=1):
                similarity, common = self._neighborhoods.common(numbers[first : first + step], self._measure())
            row, column, found = top_n(np.where(similarity > 0, similarity, -np.inf), int(n))
            parts.append((row + first, column, found, common[row, column]))
        empty = np.zeros(0, dtype=np.int64)
        row, column, found, common = (
            np.concatenate(part) for part in zip(*parts or [(empty, empty, np.zeros(0), empty)], strict=True)
        )
        return pd.DataFrame(
            {
                what: asked[row],
                "neighbor": known.values[column],
                "rank": np.arange(len(row)) - np.searchsorted(row, row) + 1,
                "similarity": found,
                "common": common,
            }
        )
