"""The linear model of items that is learned in one step."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import lapack
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.core.errors import ConvergenceError, DataError
from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from crmkit.recommendation._base import Reasons
    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["EASE"]

_BLOCK = 512


class EASE(BaseRecommender):
    """Recommends by the linear model that best rebuilds each customer's items from their other items.

    The weights B between items minimize the squared error of X B against X, with a ridge penalty and nothing on the
    diagonal; the answer is one inverse of the matrix of products. It is the most accurate recommender here for up to
    some 15,000 items, also on sparse tables, and has one parameter. Every score is a sum over the customer's items,
    which ``explain`` shows; some summands are negative ("although you bought").

    Cost: ``n_items^3 / 3`` steps and ``8 n_items^2`` bytes (4 with single precision), whatever the number of
    customers: 8,000 items take 512 MB, 20,000 take 3.2 GB. A fit above ``fit_memory`` is refused before it begins.

    Parameters
    ----------
    regularization : float, default=300.0
        The ridge penalty, in customers: an item with far fewer says little. Raise it for many customers and few
        purchases each.
    precision : {"double", "single"}, default="double"
        Numbers of 8 or of 4 bytes; single is twice as fast and differs in the sixth digit.
    fit_memory : int or str, default="2GB"
        What the matrix may take.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    Attributes
    ----------
    active_ : ndarray of int64, shape (n_active,)
        The items that have events, by number; the model says nothing of the others.
    weights_ : ndarray of shape (n_active, n_active)
        What each bought item (row) adds to the score of each candidate (column).

    Raises
    ------
    DataError
        If there are more items than ``fit_memory`` allows.

    References
    ----------
    Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. WWW '19, 3251-3257.
    doi:10.1145/3308558.3313710

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "ease", regularization=5.0).fit(interactions())
    >>> model.recommend(["c1"], 2)[["item_id", "rank", "source"]]
      item_id  rank source
    0      i7     1   ease
    1      i5     2   ease
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecommender._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "precision": [StrOptions({"double", "single"})],
        "fit_memory": [Integral, str],
    }
    _source: ClassVar[str] = "ease"

    def __init__(
        self,
        *,
        regularization: float = 300.0,
        precision: str = "double",
        fit_memory: int | str = "2GB",
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
        self.regularization = regularization
        self.precision = precision
        self.fit_memory = fit_memory

    def _learn(self, interactions: Interactions, events: Events) -> None:
        del events
        matrix = interactions.matrix
        self.active_ = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))
        kind = np.dtype(np.float64 if self.precision == "double" else np.float32)
        self._check_memory(len(self.active_), kind)
        products = _products(matrix[:, self.active_], kind)
        products[np.diag_indices_from(products)] += kind.type(self.regularization)
        inverse = _inverse(products)
        scale = -1.0 / np.diag(inverse)
        inverse *= scale[None, :]
        np.fill_diagonal(inverse, 0.0)
        self.weights_ = inverse

    def _check_memory(self, n_items: int, kind: np.dtype[Any]) -> None:
        """Refuse what would not fit."""
        needed, allowed = n_items**2 * kind.itemsize, as_bytes(self.fit_memory)
        if needed > allowed:
            most = int((allowed / kind.itemsize) ** 0.5)
            raise DataError(
                f"ease needs {needed / 1e9:.1f} GB for {n_items:,} items and may take {allowed / 1e9:.1f} GB, enough "
                f"for {most:,}: raise fit_memory, halve it with precision='single', leave out items with few "
                "customers, or take 'item-knn' or 'rp3beta', whose memory grows with the items and not with their "
                "square"
            )

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = np.full((len(customers), self.n_items_), -np.inf)
        history = self.interactions_.matrix[customers][:, self.active_]
        known = np.flatnonzero(np.diff(history.indptr))
        scores[np.ix_(known, self.active_)] = history[known] @ self.weights_
        # A sum of nothing is no opinion: lists would be filled by the order of the ids.
        scores[scores == 0.0] = -np.inf
        return scores

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        place = np.full(self.n_items_, -1, dtype=np.int64)
        place[self.active_] = np.arange(len(self.active_))
        history = self.interactions_.matrix[customers].tocoo()
        pair, because = (axis.astype(np.int64) for axis in history.coords)
        known = place[items[pair]] >= 0
        pair, because, value = pair[known], because[known], history.data[known]
        return pair, because, value * self.weights_[place[because], place[items[pair]]].astype(np.float64)


def _products(matrix: sparse.csr_array, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Multiply all columns with each other, as one dense matrix made in blocks."""
    by_item = matrix.T.tocsr()
    n_items = by_item.shape[0]
    products = np.empty((n_items, n_items), dtype=kind)
    for start in range(0, n_items, _BLOCK):
        products[start : start + _BLOCK] = (by_item[start : start + _BLOCK] @ matrix).toarray()
    return products


def _inverse(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Invert a symmetric positive definite matrix in its own memory."""
    factor, invert = (lapack.dpotrf, lapack.dpotri) if matrix.dtype == np.float64 else (lapack.spotrf, lapack.spotri)
    # LAPACK counts columns first; the transpose of a symmetric matrix is the matrix.
    turned, failed = factor(matrix.T, lower=1, clean=0, overwrite_a=1)
    if not failed:
        turned, failed = invert(turned, lower=1, overwrite_c=1)
    if failed:
        raise ConvergenceError(
            "ease: the matrix of products cannot be inverted at this precision; raise regularization or use "
            "precision='double'",
            parameter="regularization",
        )
    inverse: npt.NDArray[Any] = turned.T
    # One triangle is filled; the other is its mirror, copied in blocks.
    n_items = len(inverse)
    for start in range(0, n_items, _BLOCK):
        stop = min(start + _BLOCK, n_items)
        corner = inverse[start:stop, start:stop]
        inverse[start:stop, start:stop] = np.triu(corner) + np.triu(corner, 1).T
        inverse[stop:, start:stop] = inverse[start:stop, stop:].T
    return inverse
