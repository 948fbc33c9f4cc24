"""Baseline ratings: the mean, plus what is the customer's way of marking, plus how good the item is."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation.ratings._biases import Biases, als_biases
from crmkit.recommendation.ratings._descent import Descent, descend
from crmkit.recommendation.ratings._model import LIST_PARAMETERS, Estimates, RatingModel, baseline_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.recommendation.ratings._table import Ratings

__all__ = ["BaselineRating"]

_EPOCHS = {"als": 10, "sgd": 20}


class BaselineRating(RatingModel):
    """Rates a pair by the mean of all ratings plus a bias of the customer plus a bias of the item.

    A customer who marks half a star lower than others, and an item that is marked half a star higher, are both taken
    into account; nothing else is. Biases are drawn to zero, the more so the fewer ratings there are. It is the
    yardstick of all rating models: one that does not beat it has learned nothing about tastes. Fitting takes a few
    passes over the ratings, predicting a look-up; memory is the ratings'.

    Parameters
    ----------
    method : {"als", "sgd"}, default="als"
        Items and customers in turn by least squares, or stochastic gradient descent on both.
    n_epochs : int or None, default=None
        Passes; None for 10 of ``"als"`` and 20 of ``"sgd"``.
    reg_u, reg_i : float, default=15, 10
        Of ``"als"``: ratings of zero bias that each customer and each item is thought to have beside the real ones.
    reg : float, default=0.02
        Of ``"sgd"``: how strongly biases are drawn to zero.
    learning_rate : float, default=0.005
        Of ``"sgd"``.
    scale : tuple of float or None, default=None
        The lowest and highest rating there may be, such as ``(1, 5)``; None takes those of the ratings fitted.
        Predictions keep to it, and ratings outside it are an error.
    duplicates : {"last", "mean", "error"}, default="last"
        What becomes of several ratings of one item by one customer: the latest by ``time`` or else ``day``
        counts (of equal ones the one that stands last), their mean does, or they are an error.
    fallback, popular_days, memory_limit
        Of lists: as for every recommender; change no rating.
    random_state : int, RandomState or None, default=None
        Of ``"sgd"``: the order of ratings.

    Attributes
    ----------
    scale_ : tuple of float
        The scale.
    mean_ : float
        The mean of all ratings.
    customer_biases_, item_biases_ : pandas.Series
        What each adds, by id.
    n_ratings_, n_replaced_ : int
        Ratings learned from, and ratings that gave way to another of the same pair.
    set_aside_ : dict of str to int
        Rows that could not be used, by reason.

    References
    ----------
    Koren (2010), Factor in the neighbors: scalable and accurate collaborative filtering, ACM TKDD 4(1),
    doi:10.1145/1644873.1644874.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.recommendation.ratings import BaselineRating
    >>> ratings = pd.DataFrame(
    ...     {"customer_id": ["安", "安", "Bo", "Bo"], "item_id": ["tea", "茶", "tea", "jam"], "rating": [5, 4, 3, 1]})
    >>> model = BaselineRating(scale=(1, 5), reg_u=1, reg_i=1).fit(ratings)
    >>> pairs = pd.DataFrame({"customer_id": ["安", "Cy"], "item_id": ["jam", "茶"]})
    >>> model.predict(pairs, details=True)[["rating", "source"]].round(2)
       rating         source
    0    3.14       baseline
    1    3.31  item-baseline
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LIST_PARAMETERS,
        "method": [StrOptions({"als", "sgd"})],
        "n_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "reg_u": [Interval(Real, 0, None, closed="left")],
        "reg_i": [Interval(Real, 0, None, closed="left")],
        "reg": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }
    _source = "baseline"

    def __init__(
        self,
        *,
        method: str = "als",
        n_epochs: int | None = None,
        reg_u: float = 15.0,
        reg_i: float = 10.0,
        reg: float = 0.02,
        learning_rate: float = 0.005,
        scale: tuple[float, float] | None = None,
        duplicates: str = "last",
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(fallback=fallback, popular_days=popular_days, memory_limit=memory_limit)
        self.method = method
        self.n_epochs = n_epochs
        self.reg_u = reg_u
        self.reg_i = reg_i
        self.reg = reg
        self.learning_rate = learning_rate
        self.scale = scale
        self.duplicates = duplicates
        self.random_state = random_state

    def _learn_ratings(self, ratings: Ratings) -> None:
        self._biases = self._biases_of(ratings)

    def _biases_of(self, ratings: Ratings) -> Biases:
        """Estimate biases as the parameters say; for models that start from a baseline, too."""
        n_epochs = self.n_epochs or _EPOCHS[self.method]
        if self.method == "als":
            return als_biases(ratings, n_epochs=n_epochs, reg_u=self.reg_u, reg_i=self.reg_i)
        rate, pull = self.learning_rate, self.reg
        steps = Descent(n_epochs, lr_bu=rate, lr_bi=rate, reg_bu=pull, reg_bi=pull)
        nothing = np.zeros((ratings.n_customers, 0)), np.zeros((ratings.n_items, 0))
        return descend(ratings, steps, *nothing, check_random_state(self.random_state)).biases

    @property
    def customer_biases_(self) -> pd.Series:
        """What each customer adds, by customer_id."""
        check_is_fitted(self)
        ids = pd.Index(self.interactions_.customers.values, name="customer_id")
        return pd.Series(self._biases.customer, index=ids, name="bias")

    @property
    def item_biases_(self) -> pd.Series:
        """What each item adds, by item_id."""
        check_is_fitted(self)
        ids = pd.Index(self.interactions_.items.values, name="item_id")
        return pd.Series(self._biases.item, index=ids, name="bias")

    def _estimate(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Estimates:
        none = np.zeros(len(customer), dtype=np.int64)
        return Estimates(self._biases.of(customer, item), baseline_sources(customer, item), none)
