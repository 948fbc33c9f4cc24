"""Forest proximity: groups of rows that a forest cannot tell apart, while it tells the data from a permuted copy."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import share
from crmkit.segmentation.segmenters._medoid_search import Swapped, spread_medoids, swap
from crmkit.segmentation.segmenters._mixed import Mixed, as_original, read_mixed
from crmkit.segmentation.segmenters._proximity_forest import (
    Growth,
    as_columns,
    grow,
    held_out_right,
    leaves_of,
    proximities,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    from crmkit.core.estimate import Estimate

__all__ = ["ForestProximity"]

# Rows whose leaves are looked up at once: some 13 MB for 200 trees.
BLOCK = 8192
MAX_SWAPS = 10_000


class ForestProximity(ClusterMixin, BaseEstimator):
    """The given number of groups by distances that a random forest learns from the table alone.

    Forests are grown to tell the rows from copies in which every column is permuted by itself, so that all they can
    learn is how columns go together. Two rows are near if they end in the same leaf of many trees; the distance is
    ``sqrt(1 - share of trees)``. Medoids are then searched by swaps on a sample, and every other row goes to the medoid
    with which it shares most leaves.

    Use it for columns of different kind and scale, numbers beside categories, outliers and columns of mere noise:
    nothing needs scaling, because only the order of values counts, and columns that depend on no other are ignored. It
    does not see groups that differ in one column only, or in columns that are independent of each other, and it finds
    a small group beside a large one less well than ``KMeans`` or ``HDBSCAN``.

    Cost: three matrices of ``8 * sample_size ** 2`` bytes (2,000 rows: 32 MB each) and ``n_copies * n_estimators``
    trees on twice the sample; the others cost one walk down each tree.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups.
    categorical : sequence of str or int, or None, default=None
        Names or positions of the categorical columns. None takes, in a table, all columns of text, categories and
        booleans, and none in an array. Each category is a column of 0 and 1 to the trees, so that no order of them
        matters.
    n_copies : int, default=4
        How many permuted copies are drawn, each with a forest of its own.
    n_estimators : int, default=50
        Trees of each forest; more make the distances smoother.
    min_samples_leaf : int or float, default=0.05
        What a leaf holds at least, of data and copy together: rows, or a share. Small leaves leave most rows at the
        largest distance from most others, where no medoid is nearer than another.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Columns that a split may choose from, as in scikit-learn's forests.
    n_init : int, default=5
        How many searches for medoids; the one with the least sum of distances is kept.
    sample_size : int, default=2000
        Most rows that the forests are grown and the medoids searched on.
    n_jobs : int or None, default=None
        Threads for the trees; changes only the speed.
    random_state : int, RandomState or None, default=None
        Draws sample, copies, trees and starts.

    Attributes
    ----------
    labels_ : ndarray of shape (n_rows,)
        The group of each row, as ``predict`` gives it.
    medoid_indices_ : ndarray of shape (n_found,)
        The rows that are medoids.
    sample_indices_ : ndarray of int
        The rows of the sample.
    inertia_ : float
        Sum of the distances of all rows to their medoids.
    right_ : int
        How many of ``asked_`` rows a forest of the other half of the sample tells rightly from a permuted copy.
    asked_ : int
        See there.
    forests_ : list of RandomForestClassifier
        The forests.
    cuts_ : list of ndarray
        The sampled values of each numeric column, which make values places.
    medoid_leaves_ : ndarray of shape (n_found, n_trees)
        The leaves of the medoids.
    leaf_shares_ : ndarray of shape (n_nodes, n_found)
        Which share of the sampled rows of each group is in each leaf; decides between medoids equally near.
    medoid_numbers_, medoid_codes_ : ndarray
        The medoids' numbers, and their categories as places in ``categories_``.
    numeric_, categorical_ : ndarray of int
        Positions of the columns.
    categories_ : list of list
        The frozen categories of each categorical column.
    how_ : str
        How rows are placed, in words.
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
        If fewer than two columns vary, or a forest cannot be seen to tell data it was not grown on from a permuted
        copy, so that the distances mean little; if fewer groups are found; when predicting, if a category was not there
        when fitting.

    Notes
    -----
    A missing value would be a place of its own to a tree, and rows would come together for what is not known of them:
    they are refused.

    References
    ----------
    Breiman (2001), doi:10.1023/A:1010933404324. Shi and Horvath (2006), doi:10.1198/106186006X94072.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import ForestProximity
    >>> random = np.random.default_rng(0)
    >>> group = np.repeat([0, 1], 150)
    >>> spent = np.exp(random.normal(group[:, None] * 4.0, 1.0, (300, 3)))
    >>> groups = ForestProximity(2, random_state=0).fit(spent)
    >>> bool((groups.labels_[:150] != groups.labels_[150:]).mean() > 0.9), bool(groups.held_out_accuracy > 0.7)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "categorical": ["array-like", None],
        "n_copies": [Interval(Integral, 1, None, closed="left")],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")],
        "max_features": [
            StrOptions({"sqrt", "log2"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="right"),
            None,
        ],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "sample_size": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }
    takes_categories = True
    """What ``segment`` asks before it hands over columns that are not numeric."""
    compares_pairs = True
    """What ``choose_k`` asks: each fit costs the square of the customers, so a smaller sample must do."""

    numeric_: npt.NDArray[np.intp]
    categorical_: npt.NDArray[np.intp]
    categories_: list[list[Any]]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Sequence[str | int] | None = None,
        n_copies: int = 4,
        n_estimators: int = 50,
        min_samples_leaf: float = 0.05,
        max_features: Any = "sqrt",
        n_init: int = 5,
        sample_size: int = 2000,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.categorical = categorical
        self.n_copies = n_copies
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.n_init = n_init
        self.sample_size = sample_size
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Grow the forests and find the medoids.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features)
            The rows.
        y : None
            Not used.

        Returns
        -------
        ForestProximity
            Itself.
        """
        mixed = read_mixed(self, X, categorical=self.categorical, reset=True)
        n = len(mixed.numbers)
        if n < self.n_clusters:
            raise DataError(f"n_samples={n} should be >= n_clusters={self.n_clusters}")
        random = check_random_state(self.random_state)
        size = max(self.sample_size, self.n_clusters)
        drawn = np.arange(n) if n <= size else random.choice(n, size, replace=False)
        self.sample_indices_ = np.sort(drawn)
        sample = _rows(mixed, self.sample_indices_)
        self.cuts_ = [np.unique(column) for column in sample.numbers.T]
        growth = Growth(self.n_copies, self.n_estimators, self.min_samples_leaf, self.max_features, self.n_jobs)
        self.forests_: list[RandomForestClassifier] = grow(sample, self.cuts_, self._levels(), growth, random)
        self.right_, self.asked_ = held_out_right(sample, self.cuts_, self._levels(), growth, random)
        self._tell_dependence(sample)
        leaves = leaves_of(self.forests_, as_columns(sample, self.cuts_, self._levels()))
        found = self._searched(np.sqrt(1.0 - proximities(leaves)), random)
        self.medoid_indices_ = self.sample_indices_[found]
        self.medoid_leaves_ = leaves[found]
        self.medoid_numbers_, self.medoid_codes_ = _rows(mixed, self.medoid_indices_)
        self._keep_shares(leaves)
        self.how_ = "with the medoid with which most leaves of the forest are shared"
        self.labels_, distances = self._place(mixed)
        self.inertia_ = float(distances.sum())
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the medoid with which each row shares most leaves; nothing is moved.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features)
            Columns as fitted.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels from 0.
        """
        check_is_fitted(self)
        return self._place(read_mixed(self, X, reset=False))[0]

    @property
    def held_out_accuracy(self) -> Estimate:
        """Share of rows, half of them permuted, that a forest grown on other rows tells rightly.

        Near .5 the columns do not go together in any way that the forest sees, and its distances mean nothing.
        """
        check_is_fitted(self)
        return share(self.right_, self.asked_)

    @property
    def medoids(self) -> pd.DataFrame:
        """The medoids, one row a group, columns as fitted."""
        check_is_fitted(self)
        return as_original(self, self.medoid_numbers_, self.medoid_codes_)

    def _levels(self) -> list[int]:
        return [len(known) for known in self.categories_]

    def _tell_dependence(self, sample: Mixed) -> None:
        if not self.asked_:
            return
        varying = [bool((column != column[0]).any()) for part in sample for column in part.T]
        if sum(varying) < 2:
            warnings.warn(
                f"{sum(varying)} of {len(varying)} columns vary, and a permuted copy of one column is the column "
                "itself: there is nothing for a forest to learn, so these distances mean little; take k-medoids, or "
                "natural breaks",
                DataWarning,
                stacklevel=4,
            )
            return
        told = self.held_out_accuracy
        if not told.low > 0.5:
            warnings.warn(
                f"a forest tells only {told:.0%} of {self.asked_:,} rows that it was not grown on from rows with "
                "permuted columns, no more than chance may: no column is seen to go with another, so these distances "
                "mean little",
                DataWarning,
                stacklevel=4,
            )

    def _searched(self, distances: npt.NDArray[np.float64], random: np.random.RandomState) -> npt.NDArray[np.intp]:
        """Give the medoids of the best of several searches."""
        best: Swapped | None = None
        for _ in range(self.n_init):
            found = swap(distances, spread_medoids(distances, self.n_clusters, random), max_swaps=MAX_SWAPS)
            if best is None or found.total < best.total:
                best = found
        assert best is not None  # noqa: S101 -- there is at least one start
        if len(best.medoids) < self.n_clusters:
            warnings.warn(
                f"only {len(best.medoids)} of {self.n_clusters} groups were found: the forest tells no more rows apart",
                DataWarning,
                stacklevel=4,
            )
        return best.medoids

    def _keep_shares(self, leaves: npt.NDArray[np.intp]) -> None:
        """Keep which share of each group's sampled rows is in each leaf."""
        n_nodes = sum(tree.tree_.node_count for forest in self.forests_ for tree in forest.estimators_)
        nearest = np.stack([(leaves == medoid).sum(axis=1) for medoid in self.medoid_leaves_], axis=1).argmax(axis=1)
        self.leaf_shares_ = np.zeros((n_nodes, len(self.medoid_leaves_)))
        for label in range(len(self.medoid_leaves_)):
            members = leaves[nearest == label]
            counts = np.bincount(members.ravel(), minlength=n_nodes)
            self.leaf_shares_[:, label] = counts / max(1, len(members))

    def _place(self, mixed: Mixed) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give the nearest medoid of each row and its distance; of several equally near, that of the nearest group."""
        n = len(mixed.numbers)
        labels, distances = np.empty(n, dtype=np.int64), np.empty(n)
        for start in range(0, n, BLOCK):
            block = np.arange(start, min(start + BLOCK, n))
            leaves = leaves_of(self.forests_, as_columns(_rows(mixed, block), self.cuts_, self._levels()))
            shared = np.stack([(leaves == medoid).sum(axis=1) for medoid in self.medoid_leaves_], axis=1)
            most = shared.max(axis=1)
            labels[block] = shared.argmax(axis=1)
            distances[block] = np.sqrt(1.0 - most / leaves.shape[1])
            tied = np.flatnonzero((shared == most[:, None]).sum(axis=1) > 1)
            mean = np.stack([of_group[leaves[tied]].sum(axis=1) for of_group in self.leaf_shares_.T], axis=1)
            labels[block[tied]] = np.where(shared[tied] == most[tied, None], mean, -1.0).argmax(axis=1)
        return labels, distances


def _rows(mixed: Mixed, rows: npt.NDArray[np.intp]) -> Mixed:
    return Mixed(mixed.numbers[rows], mixed.codes[rows])
