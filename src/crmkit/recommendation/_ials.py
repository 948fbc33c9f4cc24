"""Factors of customers and items, learned by alternating least squares with confidence."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._factors import by_conjugate_gradient, by_solving
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.recommendation._base import Reasons
    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["ImplicitALS"]


class ImplicitALS(BaseRecommender):
    """Recommends by a few hidden factors that customers and items share.

    A pair with value v is taken as liked with confidence 1 + ``confidence`` x v, any other as not liked with
    confidence 1; factors minimize the weighted squared error with a ridge penalty, customers and items in turn. Take
    it for assortments that are too large for ``ease``: its memory grows with the factors alone. A customer's factors
    are solved for exactly when lists are made, so that each score is a sum over the customer's items, which
    ``explain`` shows.

    Cost: for each iteration ``n_pairs x n_factors`` steps by conjugate gradients, or ``n_pairs x n_factors^2`` by
    solving; ``8 (n_customers + n_items) n_factors`` bytes.

    Parameters
    ----------
    n_factors : int, default=64
        How many.
    confidence : float, default=3.0
        By how much more a pair of value 1 counts than a pair without events.
    regularization : float, default=0.01
        The ridge penalty, for each unit of confidence that a row rests on, that of pairs without events included; so
        it need not be chosen anew for a larger table.
    n_iterations : int, default=15
        How often customers and items take turns.
    solver : {"cg", "direct"}, default="cg"
        Three steps of conjugate gradients from the last factors, or the exact solution. Nearly the same result; direct
        is slower with many factors.
    random_state : int, RandomState or None, default=None
        Seed of the first factors of items.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items, n_factors)
        The factors of items; 0 for an item without events.
    active_ : ndarray of int64, shape (n_active,)
        The items that have events, by number.

    References
    ----------
    Hu, Y., Koren, Y. and Volinsky, C. (2008). Collaborative filtering for implicit feedback datasets. ICDM '08,
    263-272. doi:10.1109/ICDM.2008.22

    Takács, G., Pilászy, I. and Tikk, D. (2011). Applications of the conjugate gradient method for implicit feedback
    collaborative filtering. RecSys '11, 297-300. doi:10.1145/2043932.2043987

    Rendle, S., Krichene, W., Zhang, L. and Koren, Y. (2022). Revisiting the performance of iALS on item recommendation
    benchmarks. RecSys '22, 427-435. doi:10.1145/3523227.3548486

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "ials", n_factors=8, random_state=0).fit(interactions())
    >>> model.recommend(["c1"], 2)[["item_id", "rank", "source"]]
      item_id  rank source
    0      i7     1   ials
    1      i8     2   ials
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecommender._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "n_factors": [Interval(Integral, 1, None, closed="left")],
        "confidence": [Interval(Real, 0, None, closed="neither")],
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "n_iterations": [Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions({"cg", "direct"})],
        "random_state": ["random_state"],
    }
    _source: ClassVar[str] = "ials"

    def __init__(
        self,
        *,
        n_factors: int = 64,
        confidence: float = 3.0,
        regularization: float = 0.01,
        n_iterations: int = 15,
        solver: str = "cg",
        random_state: Any = None,
        event_weights: Mapping[str, float] | None = None,
        values: str = "binary",
        window_days: int | None = None,
        half_life_days: float | None = None,
        min_rating: float | None = None,
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
    ) -> None:
        super().__init__(
            event_weights=event_weights,
            values=values,
            window_days=window_days,
            half_life_days=half_life_days,
            min_rating=min_rating,
            fallback=fallback,
            popular_days=popular_days,
            memory_limit=memory_limit,
        )
        self.n_factors = n_factors
        self.confidence = confidence
        self.regularization = regularization
        self.n_iterations = n_iterations
        self.solver = solver
        self.random_state = random_state

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        random = check_random_state(self.random_state)
        rows = interactions.matrix * float(self.confidence)
        columns = rows.T.tocsr()
        n_customers, n_items = rows.shape
        self.active_ = np.flatnonzero(np.diff(columns.indptr))
        item = random.normal(scale=0.1 / self.n_factors**0.5, size=(n_items, self.n_factors))
        item[np.diff(columns.indptr) == 0] = 0.0
        customer = np.zeros((n_customers, self.n_factors))
        for _ in range(self.n_iterations):
            customer = self._turn(rows, item, self._ridge(rows, len(self.active_)), customer)
            item = self._turn(columns, customer, self._ridge(columns, n_customers), item)
        self.item_factors_: npt.NDArray[np.float64] = item

    def _ridge(self, pairs: sparse.csr_array, possible: int) -> npt.NDArray[np.float64]:
        """Give each row's penalty."""
        sums = np.asarray(pairs.sum(axis=1), dtype=np.float64).ravel()
        return float(self.regularization) * (sums + possible)

    def _turn(
        self,
        pairs: sparse.csr_array,
        other: npt.NDArray[np.float64],
        ridge: npt.NDArray[np.float64],
        now: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Learn one side from the other."""
        memory = as_bytes(self.memory_limit)
        if self.solver == "direct":
            return by_solving(pairs, other, ridge, memory=memory)
        return by_conjugate_gradient(pairs, other, ridge, now, n_steps=3, memory=memory)

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = np.full((len(customers), self.n_items_), -np.inf)
        known = np.flatnonzero(np.diff(self.interactions_.matrix[customers].indptr))
        factors = self._solved(customers[known])
        scores[np.ix_(known, self.active_)] = factors @ self.item_factors_[self.active_].T
        return scores

    def _solved(
        self, customers: npt.NDArray[np.int64], right: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.float64]:
        """Solve the systems of some customers, for their own events or for other right sides."""
        pairs = self.interactions_.matrix[customers] * float(self.confidence)
        ridge = self._ridge(pairs, len(self.active_))
        return by_solving(pairs, self.item_factors_, ridge, memory=as_bytes(self.memory_limit), right=right)

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        through = self._solved(customers, self.item_factors_[items])
        history = (self.interactions_.matrix[customers] * float(self.confidence)).tocoo()
        pair, because = (axis.astype(np.int64) for axis in history.coords)
        met = np.einsum("ek,ek->e", through[pair], self.item_factors_[because])
        return pair, because, (1.0 + history.data) * met
