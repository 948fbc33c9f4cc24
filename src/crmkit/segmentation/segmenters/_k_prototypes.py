"""k-prototypes: k-means for tables that have categories beside numbers."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation.segmenters._mixed import Mixed, as_original, read_mixed
from crmkit.segmentation.segmenters._prototype_search import Found, Points, alternate, assign, distinct, spread_starts
from crmkit.segmentation.segmenters._weights import read_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["KPrototypes"]


class KPrototypes(ClusterMixin, BaseEstimator):
    """The given number of groups of rows that have numbers and categories.

    Each group has a prototype: the mean of every numeric column and the most frequent category of every other. A row
    belongs to the prototype it differs least from: squared Euclidean distance of the numbers, plus ``gamma`` for every
    category that is another one. Rows are assigned and prototypes updated in turn until nothing moves, from several
    starts, and the cheapest end is kept. Without categories, or with ``gamma=0``, this is k-means.

    Use it where a table says how customers buy and through which channel, and where groups are round. Scale the
    numeric columns first: the one with the largest spread decides otherwise. Look elsewhere (``KMedoids`` with
    ``metric="gower"``) where squares would let a few large values decide.

    A round costs time in proportion to rows x columns x clusters. Memory is a copy of the distinct rows and one label a
    row; a column of n_categories keeps n_clusters x n_categories counts while it is fitted.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups.
    gamma : float or None, default=None
        What one category that differs costs, in squared units of the numeric columns. None is Huang's rule: half the
        mean standard deviation of the numeric columns (1 where there is none, or all are constant). 0 leaves categories
        out of the search; the prototypes still tell them.
    categorical : sequence of str or int, or None, default=None
        Names or positions of the categorical columns. None takes, in a table, all columns of text, categories and
        booleans (an object column that holds numbers only is numeric), and none in an array.
    init : {"k-means++"} or table or array-like of shape (n_clusters, n_features), default="k-means++"
        ``"k-means++"`` draws starts far from each other. Rows in the layout of X are taken as the one start.
    n_init : int, default=10
        How many starts; more of them find a cheaper end.
    max_iter : int, default=300
        Most rounds of one search.
    tol : float, default=1e-4
        A search also ends where the centers move by no more than this, relative to the mean variance of the numeric
        columns, and no mode changes. As in scikit-learn's KMeans.
    sample_size : int or None, default=10000
        Where there are more distinct rows, all starts are tried on a sample of so many rows and only the best is
        carried on with all of them. None tries every start on all rows: slower, hardly ever cheaper.
    random_state : int, RandomState or None, default=None
        Draws sample and starts. With a seed, the same rows give the same prototypes in any order of rows.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_found, n_numeric)
        Means of the numeric columns.
    mode_codes_ : ndarray of shape (n_found, n_categorical)
        Most frequent categories, as places in ``categories_``.
    labels_ : ndarray of shape (n_rows,)
        The group of each row.
    cost_ : float
        Weighted sum of the dissimilarities of all rows to their prototypes.
    gamma_ : float
        What one mismatch costs.
    n_iter_ : int
        Rounds of the last search.
    numeric_, categorical_ : ndarray of int
        Positions of the columns.
    categories_ : list of list
        The frozen categories of each categorical column.
    n_features_in_ : int
        How many columns it was fitted on.
    feature_names_in_ : ndarray of str
        Their names, where they had text for names.

    Raises
    ------
    DataError
        If values are missing or infinite, or a column is neither number nor category (all columns in one error, with
        row positions), or there are fewer rows than clusters.

    Warns
    -----
    DataWarning
        If there are fewer distinct rows than ``n_clusters``, so that fewer groups are found; when predicting, if a
        category was not there when fitting.
    ConvergenceWarning
        If ``max_iter`` ended the last search.

    Notes
    -----
    Equal rows are collapsed to one with their weights together, so that repeating a row and weighting it are the same.
    Of two prototypes equally near, and of two categories equally frequent, the first is taken. An empty cluster is
    given the row that is farthest from its prototype. Modes are updated once a round, not after every row as in
    Huang's paper; the ends are no worse, and the result does not depend on the order of rows.

    References
    ----------
    Huang, Z. (1998), doi:10.1023/A:1009769707641. Arthur and Vassilvitskii (2007), SODA '07, for the starts.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import KPrototypes
    >>> customers = pd.DataFrame({
    ...     "orders": [1.0, 1.2, 0.9, 5.0, 5.1, 4.9],
    ...     "channel": ["web", "web", "shop", "shop", "shop", "shop"]})
    >>> groups = KPrototypes(2, random_state=0).fit(customers)
    >>> groups.prototypes.sort_values("orders", ignore_index=True)
         orders channel
    0  1.033333     web
    1  5.000000    shop
    >>> bool(groups.predict(pd.DataFrame({"orders": [4.0], "channel": ["shop"]}))[0] == groups.labels_[3])
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "categorical": ["array-like", None],
        "init": [StrOptions({"k-means++"}), "array-like"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "sample_size": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    takes_categories = True
    """What ``segment`` asks before it hands over columns that are not numeric."""

    numeric_: npt.NDArray[np.intp]
    categorical_: npt.NDArray[np.intp]
    categories_: list[list[Any]]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        gamma: float | None = None,
        categorical: Sequence[str | int] | None = None,
        init: Any = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        tol: float = 1e-4,
        sample_size: int | None = 10_000,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.gamma = gamma
        self.categorical = categorical
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.sample_size = sample_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Find the prototypes.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features)
            The rows.
        y : None
            Not used.
        sample_weight : array-like of shape (n_rows,) or None, default=None
            How much each row counts; a weight of 2 is the row twice, a weight of 0 is only placed.

        Returns
        -------
        KPrototypes
            Itself.
        """
        mixed = read_mixed(self, X, categorical=self.categorical, reset=True)
        weights = read_weights(sample_weight, mixed.numbers)
        if len(weights) < self.n_clusters:
            raise DataError(f"n_samples={len(weights)} should be >= n_clusters={self.n_clusters}")
        levels = tuple(len(known) for known in self.categories_)
        self.gamma_ = _gamma(mixed.numbers, weights) if self.gamma is None else float(self.gamma)
        points = distinct(mixed, weights, levels, self.gamma_)
        tol = self.tol * float(np.mean(_variance(points.numbers, points.weights))) if len(self.numeric_) else 0.0
        random = check_random_state(self.random_state)
        found = self._from_rows(points, tol) if not isinstance(self.init, str) else self._search(points, tol, random)
        self._keep(found, points)
        self.labels_ = self._place(mixed)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the nearest prototype of each row; nothing is moved.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features)
            Columns as fitted. A category that was not there when fitting differs from every prototype's, and is told
            in a ``DataWarning``.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels from 0.
        """
        check_is_fitted(self)
        return self._place(read_mixed(self, X, reset=False))

    @property
    def modes_(self) -> npt.NDArray[np.object_]:
        """The most frequent category of each group and categorical column."""
        check_is_fitted(self)
        modes = np.empty(self.mode_codes_.shape, dtype=object)
        for place, known in enumerate(self.categories_):
            modes[:, place] = [known[code] for code in self.mode_codes_[:, place]]
        return modes

    @property
    def prototypes(self) -> pd.DataFrame:
        """One row a group: its mean in the numeric columns and its most frequent category in the others."""
        check_is_fitted(self)
        return as_original(self, self.cluster_centers_, self.mode_codes_)

    def _search(self, points: Points, tol: float, random: np.random.RandomState) -> Found:
        """Give the cheapest end of all starts, by way of a sample where there are many rows."""
        if self.sample_size is not None and self.n_init > 1 and len(points) > self.sample_size:
            best = self._cheapest(points.sample(self.sample_size, random), tol, random)
            if len(best.centers) == self.n_clusters:
                return alternate(points, best.centers, best.modes, max_iter=self.max_iter, tol=tol)
        return self._cheapest(points, tol, random)

    def _cheapest(self, points: Points, tol: float, random: np.random.RandomState) -> Found:
        best: Found | None = None
        for _ in range(self.n_init):
            rows = spread_starts(points, self.n_clusters, random)
            found = alternate(points, points.numbers[rows], points.codes[rows], max_iter=self.max_iter, tol=tol)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None  # noqa: S101 -- n_init is at least 1
        return best

    def _from_rows(self, points: Points, tol: float) -> Found:
        """Start from the rows that the caller gave."""
        shape = np.shape(self.init)
        if shape != (self.n_clusters, self.n_features_in_):
            raise ValueError(
                f"init must be {self.n_clusters} rows of {self.n_features_in_} columns laid out as X, got shape {shape}"
            )
        starts = read_mixed(self, self.init, reset=False, warn=False)
        if (starts.codes < 0).any():
            raise DataError(
                f"init holds categories that X does not have, in {positions((starts.codes < 0).any(axis=1))}"
            )
        return alternate(points, starts.numbers, starts.codes, max_iter=self.max_iter, tol=tol)

    def _keep(self, found: Found, points: Points) -> None:
        """Keep the prototypes that hold rows, and tell what is short."""
        held = np.unique(found.labels)
        if len(held) < self.n_clusters:
            warnings.warn(
                f"only {len(held)} of {self.n_clusters} groups were found: there are {len(points):,} distinct rows",
                DataWarning,
                stacklevel=4,
            )
        if not found.settled:
            warnings.warn(
                f"the search was ended by max_iter={self.max_iter} while rows still moved", ConvergenceWarning,
                stacklevel=4,
            )  # fmt: skip
        self.cluster_centers_ = found.centers[held]
        self.mode_codes_ = found.modes[held]
        self.cost_ = found.cost
        self.n_iter_ = found.n_iter

    def _place(self, mixed: Mixed) -> npt.NDArray[np.int64]:
        levels = tuple(len(known) for known in self.categories_)
        points = Points(mixed.numbers, mixed.codes, np.ones(len(mixed.numbers)), levels, self.gamma_)
        return assign(points, self.cluster_centers_, self.mode_codes_)[0].astype(np.int64)


def _variance(numbers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the weighted variance of each column."""
    mean = np.average(numbers, axis=0, weights=weights)
    variance: npt.NDArray[np.float64] = np.average((numbers - mean) ** 2, axis=0, weights=weights)
    return variance


def _gamma(numbers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Give half the mean standard deviation (Huang 1998), or 1 where no number differs: then categories are all."""
    spread = float(np.sqrt(_variance(numbers, weights)).mean()) if numbers.shape[1] else 0.0
    return spread / 2 if spread > 0 else 1.0
