"""k-medoids: groups around customers who are there, under any metric."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation.segmenters._dissimilarity import METRICS, between, frozen_parameters, metric_name
from crmkit.segmentation.segmenters._medoid_search import Swapped, built_starts, spread_medoids, swap
from crmkit.segmentation.segmenters._mixed import UNKNOWN, Mixed, as_original, read_mixed
from crmkit.segmentation.segmenters._weights import read_weights, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["KMedoids"]

# A block of distances to the medoids, so that memory does not grow with the table.
BLOCK = 32_768


class KMedoids(ClusterMixin, BaseEstimator):
    """The given number of groups, each around one of its own rows, under any metric.

    The medoid of a group is the row with the least sum of distances to the others, and the sum over all groups is made
    as small as swaps can: FasterPAM weighs every row in place of every medoid, until no swap helps. Equal rows are one
    row with their weights together. Tables of more than ``sample_size`` distinct rows are searched by samples (CLARA):
    each sample is solved, all rows are put to its medoids, and the sample that serves the whole table best wins.

    Use it where squared Euclidean distance is wrong: where a few large values would decide (``"manhattan"``), where
    the mix counts and not the amount (``"cosine"``), for numbers beside categories (``"gower"``), or where only a
    distance is known (a callable, or ``"precomputed"``); and where a group should be shown by a customer who exists.
    Scale the columns first, except for ``"cosine"`` and ``"gower"``. Values may be missing with ``"gower"`` alone.

    Memory is two to three matrices of ``8 * sample_size ** 2`` bytes at the most (2,000 rows: 32 MB each); time grows
    with ``n_init * sample_size ** 2``, and with the table only by rows x medoids. A callable is called once a pair from
    Python: some seconds a million.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups.
    metric : str or callable, default="manhattan"
        ``"manhattan"``, ``"euclidean"``, ``"cosine"``, ``"gower"``, or another metric of scipy's ``cdist``;
        ``"precomputed"``, where X holds all distances; or a function of two rows of numbers.
    metric_params : mapping or None, default=None
        Further parameters of the metric, such as ``{"p": 3}`` of ``"minkowski"``.
    categorical : sequence of str or int, or None, default=None
        With ``metric="gower"``: names or positions of the categorical columns. None takes, in a table, all columns of
        text, categories and booleans, and none in an array.
    init : {"k-medoids++", "build"}, default="k-medoids++"
        How to start: draws far from each other, or PAM's greedy choice, which needs no chance.
    n_init : int, default=5
        How many starts; in a table of more than ``sample_size`` distinct rows, how many samples, each with one start.
        ``"build"`` has only one start on a small table.
    sample_size : int, default=2000
        Most rows that are searched at once; decides memory, and how near the result comes to that of all rows.
    max_swaps : int, default=10000
        Most swaps of one search.
    random_state : int, RandomState or None, default=None
        Draws samples and starts.

    Attributes
    ----------
    medoid_indices_ : ndarray of shape (n_found,)
        The rows that are medoids.
    labels_ : ndarray of shape (n_rows,)
        The group of each row.
    inertia_ : float
        Weighted sum of the distances of all rows to their medoids.
    exact_ : bool
        Whether all distinct rows were searched, so that no single swap makes the sum less.
    n_swaps_ : int
        Swaps of the search that won.
    medoid_numbers_, medoid_codes_ : ndarray
        The medoids' numbers, and their categories as places in ``categories_``.
    metric_params_ : dict
        Parameters of the metric, what was learned from the rows included (ranges of ``"gower"``).
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
        If values are infinite or missing (with ``"gower"``: all values of a row), a column is no number (without
        ``"gower"``), the metric is not defined for some rows, distances are negative or not square, or there are fewer
        rows than clusters.
    ValueError, TypeError
        If the metric is not known, or a parameter is out of its range.

    Warns
    -----
    DataWarning
        If rows that are apart are fewer than ``n_clusters``, so that fewer groups are found; when predicting, if a
        category was not there when fitting.
    ConvergenceWarning
        If ``max_swaps`` ended the search.

    Notes
    -----
    Of several swaps in a block of candidates the best is done, of equal ones the first; FasterPAM as published takes
    candidates one by one. Both end where no swap helps. Of two medoids equally near, the first is taken.

    Gower's dissimilarity is the mean over the columns of the difference divided by the fitted range, and of 1 for each
    category that differs. A constant column adds nothing, and values beyond the fitted range stand at its end. A column
    that is missing in either of two rows is left out of their mean, as Gower has it; two rows with no column known of
    both are at distance 1. So a row of which little is known is near to many, and may become a medoid.

    References
    ----------
    Schubert and Rousseeuw (2021), doi:10.1016/j.is.2021.101804. Kaufman and Rousseeuw (1990), Finding Groups in Data,
    for BUILD and sampling, doi:10.1002/9780470316801. Gower (1971), doi:10.2307/2528823.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import KMedoids
    >>> spent = np.array([[1.0], [2.0], [3.0], [50.0], [51.0], [900.0]])
    >>> groups = KMedoids(2, random_state=0).fit(spent)
    >>> sorted(groups.cluster_centers_.ravel().tolist()), groups.inertia_
    ([3.0, 900.0], 98.0)
    >>> groups.predict([[4.0], [800.0]]).tolist() == groups.labels_[[2, 5]].tolist()
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions(set(METRICS)), callable],
        "metric_params": [dict, None],
        "categorical": ["array-like", None],
        "init": [StrOptions({"k-medoids++", "build"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "sample_size": [Interval(Integral, 2, None, closed="left")],
        "max_swaps": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    numeric_: npt.NDArray[np.intp]
    categorical_: npt.NDArray[np.intp]
    categories_: list[list[Any]]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: str | Callable[..., float] = "manhattan",
        metric_params: Mapping[str, Any] | None = None,
        categorical: Sequence[str | int] | None = None,
        init: str = "k-medoids++",
        n_init: int = 5,
        sample_size: int = 2000,
        max_swaps: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.metric_params = metric_params
        self.categorical = categorical
        self.init = init
        self.n_init = n_init
        self.sample_size = sample_size
        self.max_swaps = max_swaps
        self.random_state = random_state

    compares_pairs = True
    """What ``choose_k`` asks: each fit costs the square of the customers, so a smaller sample must do."""

    @property
    def takes_categories(self) -> bool:
        """What ``segment`` asks before it hands over columns that are not numeric."""
        return isinstance(self.metric, str) and self.metric == "gower"

    @property
    def bears_missing(self) -> bool:
        """What ``segment`` asks before it hands over missing values that no transform fills."""
        return self.takes_categories

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Find the medoids.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features), or (n_rows, n_rows) where precomputed
            The rows, or all distances between them: of row i to row j in ``X[i, j]``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_rows,) or None, default=None
            How much each row counts; a weight of 2 is the row twice, a weight of 0 is only placed.

        Returns
        -------
        KMedoids
            Itself.
        """
        random = check_random_state(self.random_state)
        mixed = self._read(X, reset=True)
        weights = read_weights(sample_weight, mixed.numbers)
        n_rows = len(mixed.numbers)
        if n_rows < self.n_clusters:
            raise DataError(f"n_samples={n_rows} should be >= n_clusters={self.n_clusters}")
        rows = np.flatnonzero(weights > 0)
        self.metric_params_ = frozen_parameters(self.metric, self.metric_params, mixed.numbers[rows], weights[rows])
        mass = weights[rows]
        if not self._is_precomputed():
            rows, mass = together(mixed, weights)
        self.exact_ = self._is_precomputed() or len(rows) <= self.sample_size
        if self.exact_:
            starts = 1 if self.init == "build" else self.n_init
            found = self._searched(self._all_distances(mixed, rows), mass, random, starts=starts)
            found = found._replace(medoids=rows[found.medoids])
        else:
            found = self._sampled(mixed, rows, mass, random)
        self._tell(found)
        self.medoid_indices_ = found.medoids
        self.n_swaps_ = found.n_swaps
        kept = Mixed(mixed.numbers[:0], mixed.codes[:0]) if self._is_precomputed() else _rows(mixed, found.medoids)
        self.medoid_numbers_, self.medoid_codes_ = kept
        self.labels_, nearest = self._place(mixed)
        self.inertia_ = float(nearest @ weights)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the nearest medoid of each row; nothing is moved.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features), or (n_rows, n_fitted) where precomputed
            Columns as fitted, or the distances to all rows it was fitted on.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels from 0.
        """
        check_is_fitted(self)
        labels: npt.NDArray[np.int64] = self._place(self._read(X, reset=False))[0]
        return labels

    @property
    def medoids(self) -> pd.DataFrame:
        """The medoids, one row a group, columns as fitted."""
        check_is_fitted(self)
        if self._is_precomputed():
            raise AttributeError("precomputed distances have no columns: look the rows up by medoid_indices_")
        return as_original(self, self.medoid_numbers_, self.medoid_codes_)

    @property
    def cluster_centers_(self) -> npt.NDArray[Any]:
        """The medoids as an array: of float64, or of objects where there are categories."""
        check_is_fitted(self)
        if not self._is_precomputed() and not len(self.categorical_):
            return self.medoid_numbers_
        return self.medoids.to_numpy(dtype=object)

    def _is_precomputed(self) -> bool:
        return isinstance(self.metric, str) and self.metric == "precomputed"

    def _read(self, X: Any, *, reset: bool) -> Mixed:
        """Read rows, or distances, which stand as numbers."""
        if self._is_precomputed():
            distances = np.asarray(validate_data(self, X, dtype=np.float64, reset=reset))
            if reset and len(distances) != distances.shape[1]:
                raise DataError(f"precomputed distances must be a square array, got shape {distances.shape}")
            if (distances < 0).any():
                raise DataError("Negative values in data passed to KMedoids: precomputed distances are none")
            return Mixed(distances, np.zeros((len(distances), 0), dtype=np.intp))
        if self.categorical is not None and not self.takes_categories:
            raise ValueError(f"categorical= is for metric='gower'; {metric_name(self.metric)} takes numbers only")
        missing = self.bears_missing
        mixed = read_mixed(self, X, categorical=self.categorical, reset=reset, missing=missing)
        unknown = np.isnan(mixed.numbers).all(axis=1) & (mixed.codes == UNKNOWN).all(axis=1)
        if unknown.any():
            raise DataError(f"nothing is known in {positions(unknown)}: such a row is near nobody; drop it")
        if len(self.categorical_) and not self.takes_categories:
            names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))[self.categorical_]
            raise DataError(
                f"{', '.join(map(str, names))}: not numeric; {metric_name(self.metric)} takes numbers only, "
                "metric='gower' takes both"
            )
        return mixed

    def _all_distances(self, mixed: Mixed, places: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Give the distance to each row in a line of its own; a function need not be the same both ways."""
        if self._is_precomputed():
            return np.ascontiguousarray(mixed.numbers[np.ix_(places, places)].T)
        part = _rows(mixed, places)
        distances = between(self.metric, self.metric_params_, part, part, places=places)
        return np.ascontiguousarray(distances.T) if callable(self.metric) else distances

    def _searched(
        self, distances: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], random: np.random.RandomState, *,
        starts: int,
    ) -> Swapped:  # fmt: skip
        """Give the best end of several starts."""
        best: Swapped | None = None
        for _ in range(starts):
            if self.init == "build":
                start = built_starts(distances, self.n_clusters, weights)
            else:
                start = spread_medoids(distances, self.n_clusters, random, weights)
            found = swap(distances, start, max_swaps=self.max_swaps, weights=weights)
            if best is None or found.total < best.total:
                best = found
        assert best is not None  # noqa: S101 -- there is at least one start
        return best

    def _sampled(
        self, mixed: Mixed, rows: npt.NDArray[np.intp], weights: npt.NDArray[np.float64], random: np.random.RandomState
    ) -> Swapped:
        """Solve samples, each with the best medoids so far in it, and keep what serves all rows best."""
        best: Swapped | None = None
        least = np.inf
        for _ in range(self.n_init):
            drawn, mass = _sample(weights, self.sample_size, random)
            places = rows[drawn]
            if best is not None:
                # They may be taken again, and count only as often as they were drawn.
                more = np.setdiff1d(best.medoids, places)
                places, mass = np.concatenate([places, more]), np.concatenate([mass, np.zeros(len(more))])
            found = self._searched(self._all_distances(mixed, places), mass, random, starts=1)
            found = found._replace(medoids=places[found.medoids])
            total = float(self._nearest(_rows(mixed, rows), _rows(mixed, found.medoids), rows)[1] @ weights)
            if best is None or total < least:
                best, least = found, total
        assert best is not None  # noqa: S101 -- there is at least one sample
        return best

    def _nearest(
        self, mixed: Mixed, medoids: Mixed, places: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        labels = np.empty(len(mixed.numbers), dtype=np.int64)
        nearest = np.empty(len(labels))
        for start in range(0, len(labels), BLOCK):
            block = np.arange(start, min(start + BLOCK, len(labels)))
            apart = between(self.metric, self.metric_params_, _rows(mixed, block), medoids, places=places[block])
            labels[block] = apart.argmin(axis=1)
            nearest[block] = apart.min(axis=1)
        return labels, nearest

    def _place(self, mixed: Mixed) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        if self._is_precomputed():
            apart = mixed.numbers[:, self.medoid_indices_]
            return apart.argmin(axis=1).astype(np.int64), apart.min(axis=1)
        return self._nearest(mixed, Mixed(self.medoid_numbers_, self.medoid_codes_), np.arange(len(mixed.numbers)))

    def _tell(self, found: Swapped) -> None:
        """Warn of what is short."""
        if len(found.medoids) < self.n_clusters:
            warnings.warn(
                f"only {len(found.medoids)} of {self.n_clusters} groups were found: no more rows are apart under "
                f"{metric_name(self.metric)}",
                DataWarning,
                stacklevel=4,
            )
        if not found.settled:
            warnings.warn(f"the search was ended by max_swaps={self.max_swaps}", ConvergenceWarning, stacklevel=4)

    def __sklearn_tags__(self) -> Any:
        """Say what bears missing values, and that precomputed distances are not negative and go by pairs."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.bears_missing
        tags.input_tags.pairwise = tags.input_tags.positive_only = self._is_precomputed()
        return tags


def _rows(mixed: Mixed, rows: npt.NDArray[np.intp]) -> Mixed:
    return Mixed(mixed.numbers[rows], mixed.codes[rows])


def _sample(
    weights: npt.NDArray[np.float64], size: int, random: np.random.RandomState
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Draw so many rows by weight, and say how often each; without repeats where all weigh the same."""
    if (weights == weights[0]).all():
        return random.choice(len(weights), size, replace=False), np.ones(size)
    mass = np.cumsum(weights)
    drawn = np.searchsorted(mass, random.random_sample(size) * mass[-1], side="right")
    rows, counts = np.unique(np.minimum(drawn, len(weights) - 1), return_counts=True)
    return rows, counts.astype(np.float64)
