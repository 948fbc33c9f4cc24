"""Ratings by matrix factorization: tastes and traits as vectors, learned with biases by gradient descent."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation.ratings._descent import Descent, descend
from crmkit.recommendation.ratings._model import LIST_PARAMETERS, SOURCES, Estimates, RatingModel, baseline_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.recommendation.ratings._table import Ratings

__all__ = ["SVDRating"]

_POSITIVE = [Interval(Real, 0, None, closed="neither")]
_NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]


class SVDRating(RatingModel):
    """Rates a pair by biases plus the product of a vector of the customer's tastes with one of the item's traits.

    The vectors are learned by stochastic gradient descent on the squared error of single ratings, each drawn to zero
    (Funk's "SVD" of the Netflix prize). It finds tastes that go across items no two customers have both rated, and is
    quick to predict, but cannot say why. Ratings are learned from in batches so small that no customer and no item
    moves far within one; a pass costs ratings x factors, memory (customers + items + a batch) x factors in single
    precision. Stopping early is part of the model: more passes want a stronger ``reg_all``.

    Parameters
    ----------
    n_factors : int, default=100
        Length of the vectors.
    n_epochs : int, default=20
        Passes over all ratings.
    biased : bool, default=True
        Whether there are a mean and biases beside the vectors; without, one who is unknown gets the mean.
    init_mean, init_std_dev : float, default=0, 0.1
        The vectors begin as normal numbers of this mean and standard deviation.
    lr_all : float, default=0.005
        Learning rate of all parameters.
    reg_all : float, default=0.02
        How strongly all parameters are drawn to zero.
    lr_bu, lr_bi, lr_pu, lr_qi : float or None, default=None
        Learning rates of customers' and items' biases and of customers' and items' vectors; None for ``lr_all``.
    reg_bu, reg_bi, reg_pu, reg_qi : float or None, default=None
        The same for ``reg_all``.
    scale : tuple of float or None, default=None
        The lowest and highest rating there may be, such as ``(1, 5)``; None takes those of the ratings fitted.
    duplicates : {"last", "mean", "error"}, default="last"
        What becomes of several ratings of one item by one customer.
    fallback, popular_days, memory_limit
        Of lists: as for every recommender; change no rating.
    random_state : int, RandomState or None, default=None
        Where vectors begin, and the order of ratings. The same seed gives the same model.

    Attributes
    ----------
    scale_ : tuple of float
        The scale.
    mean_ : float
        The mean of all ratings.
    customer_factors_, item_factors_ : ndarray of float32, shape (n_customers, n_factors) and (n_items, n_factors)
        The vectors, in the order of ``interactions_.customers`` and ``interactions_.items``.
    n_ratings_, n_replaced_ : int
        Ratings learned from, and ratings that gave way to another of the same pair.
    set_aside_ : dict of str to int
        Rows that could not be used, by reason.

    Raises
    ------
    ConvergenceError
        If the descent runs away, for the learning rate is too high.

    References
    ----------
    Koren, Bell & Volinsky (2009), Matrix factorization techniques for recommender systems, Computer 42(8),
    doi:10.1109/MC.2009.263.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.recommendation.ratings import SVDRating
    >>> ratings = pd.DataFrame(
    ...     {"customer_id": [1, 1, 2, 2, 3], "item_id": [10, 20, 10, 20, 10], "rating": [5, 1, 5, 1, 5]})
    >>> model = SVDRating(n_factors=2, n_epochs=200, lr_all=0.05, random_state=0).fit(ratings)
    >>> model.predict({"customer_id": [3], "item_id": [20]}).round(1).tolist()
    [1.7]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LIST_PARAMETERS,
        "n_factors": [Interval(Integral, 1, None, closed="left")],
        "n_epochs": [Interval(Integral, 1, None, closed="left")],
        "biased": ["boolean"],
        "init_mean": [Real],
        "init_std_dev": _NOT_NEGATIVE,
        "lr_all": _POSITIVE,
        "reg_all": _NOT_NEGATIVE,
        **{name: [*_POSITIVE, None] for name in ("lr_bu", "lr_bi", "lr_pu", "lr_qi")},
        **{name: [*_NOT_NEGATIVE, None] for name in ("reg_bu", "reg_bi", "reg_pu", "reg_qi")},
        "random_state": ["random_state"],
    }
    _source = "factors"

    def __init__(
        self,
        *,
        n_factors: int = 100,
        n_epochs: int = 20,
        biased: bool = True,
        init_mean: float = 0.0,
        init_std_dev: float = 0.1,
        lr_all: float = 0.005,
        reg_all: float = 0.02,
        lr_bu: float | None = None,
        lr_bi: float | None = None,
        lr_pu: float | None = None,
        lr_qi: float | None = None,
        reg_bu: float | None = None,
        reg_bi: float | None = None,
        reg_pu: float | None = None,
        reg_qi: float | None = None,
        scale: tuple[float, float] | None = None,
        duplicates: str = "last",
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(fallback=fallback, popular_days=popular_days, memory_limit=memory_limit)
        self.n_factors = n_factors
        self.n_epochs = n_epochs
        self.biased = biased
        self.init_mean = init_mean
        self.init_std_dev = init_std_dev
        self.lr_all = lr_all
        self.reg_all = reg_all
        self.lr_bu = lr_bu
        self.lr_bi = lr_bi
        self.lr_pu = lr_pu
        self.lr_qi = lr_qi
        self.reg_bu = reg_bu
        self.reg_bi = reg_bi
        self.reg_pu = reg_pu
        self.reg_qi = reg_qi
        self.scale = scale
        self.duplicates = duplicates
        self.random_state = random_state

    def _learn_ratings(self, ratings: Ratings) -> None:
        random = check_random_state(self.random_state)
        begin = []
        for numbers, n in ((ratings.customer, ratings.n_customers), (ratings.item, ratings.n_items)):
            # In the order in which they first appear, as Surprise draws them: the same seed begins at the same place.
            order = pd.unique(numbers)
            vectors = np.zeros((n, self.n_factors), dtype=np.float32)
            vectors[order] = random.normal(self.init_mean, self.init_std_dev, (len(order), self.n_factors))
            begin.append(vectors)
        learned = descend(ratings, self._steps(), begin[0], begin[1], random)
        self._biases = learned.biases
        self.customer_factors_, self.item_factors_ = learned.customer, learned.item

    def _steps(self) -> Descent:
        """Fill in the rates that are not given singly."""
        parts = ("bu", "bi", "pu", "qi")
        single = {f"{kind}_{part}": getattr(self, f"{kind}_{part}") for kind in ("lr", "reg") for part in parts}
        general = {"lr": self.lr_all, "reg": self.reg_all}
        rates = {name: general[name.partition("_")[0]] if rate is None else rate for name, rate in single.items()}
        return Descent(self.n_epochs, biased=self.biased, **rates)

    def _estimate(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Estimates:
        both = (customer >= 0) & (item >= 0)
        source = baseline_sources(customer, item, both="factors")
        rating = self._biases.of(customer, item)
        if not self.biased:
            rating = np.where(both, 0.0, self.mean_)
            source = np.where(both, source, np.int8(SOURCES.index("mean"))).astype(np.int8)
        p, q = self.customer_factors_[customer[both]], self.item_factors_[item[both]]
        rating[both] += np.einsum("nf,nf->n", p, q)
        return Estimates(rating, source, np.zeros(len(customer), dtype=np.int64))

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
        """Rate all items for some customers by one product of matrices."""
        scores = self._biases.of(customers[:, None], np.arange(self.n_items_)[None, :])
        scores += self.customer_factors_[customers] @ self.item_factors_.T
        scores[:, ~self._item_is_rated] = -np.inf
        return scores
