"""HDBSCAN by one of two engines, with one set of parameters and a place for new customers."""

from __future__ import annotations

from importlib.util import find_spec
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn import cluster
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.errors import DataError
from crmkit.core.registry import require_extra
from crmkit.segmentation.segmenters._reachability import Density, Metric, density_of, placed_by_density

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["HDBSCAN"]

SHARED_METRICS = frozenset({"euclidean", "l2", "manhattan", "cityblock", "l1", "chebyshev"})
# With more columns the hdbscan package, too, compares all pairs.
MOST_FEATURES = 60


class HDBSCAN(ClusterMixin, BaseEstimator):
    """Finds dense regions of differing density and sets apart whoever is in none.

    A customer's core distance is that to its ``min_samples``-th neighbor, itself counted; two customers are as far
    apart as the largest of their distance and their core distances. Cutting what hangs together by ever shorter
    distances gives a tree of clusters, of which those are taken that persist longest. New customers go with the nearest
    member by that same distance, if they are as near as members are.

    Use it where some groups are dense and others wide, and where outliers should stay outside; where density is the
    same everywhere ``DBSCAN`` is cheaper. Columns must be comparable, so scale them first. It finds crowds: a group
    of few customers far from each other is noise, however much they spend.

    Two engines do the same work: scikit-learn compares all pairs, so that time grows with their number; the package
    ``hdbscan`` (``pip install 'crmkit[hdbscan]'``) walks trees. Memory is linear with both. They differ where distances
    are tied, see Notes.

    Parameters
    ----------
    min_cluster_size : int, default=5
        Fewer customers than that are no cluster.
    min_samples : int or None, default=None
        How many customers, itself included, are within a core distance; ``min_cluster_size`` if None. Larger calls
        more customers noise.
    cluster_selection_epsilon : float, default=0.0
        Clusters that part at a shorter distance stay together.
    max_cluster_size : int or None, default=None
        With ``"eom"``, most customers of a cluster; no limit if None.
    metric : str or callable, default="euclidean"
        ``"euclidean"``, ``"manhattan"``, ``"chebyshev"``; any other of scikit-learn's is left to scikit-learn.
    metric_params : mapping or None, default=None
        Further parameters of the metric; left to scikit-learn if given.
    alpha : float, default=1.0
        What distances, but not core distances, are divided by; others than 1 are left to scikit-learn, because the
        fast way of the package takes no notice of it.
    leaf_size : int, default=40
        Of the trees; changes only the speed.
    cluster_selection_method : {"eom", "leaf"}, default="eom"
        Take the clusters that persist longest, or the finest.
    allow_single_cluster : bool, default=False
        Whether all in one cluster is an answer.
    engine : {"auto", "scikit-learn", "hdbscan"}, default="auto"
        ``"auto"`` takes the package where it is installed and does what is asked, else scikit-learn. Name one where
        the same labels must come out on every machine.
    n_jobs : int or None, default=None
        Threads; changes only the speed.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        Clusters from 0, in the order of their first customers; -1 is noise.
    probabilities_ : ndarray of shape (n_customers,)
        How deep in its cluster each customer is, from 0 (noise) to 1.
    engine_ : str
        ``"scikit-learn"`` or ``"hdbscan"``.
    engine_reason_ : str
        Why that one.
    min_samples_ : int
        How many customers made a core distance.
    points_ : ndarray of shape (n_customers, n_features)
        The customers, for placing new ones.
    core_distances_ : ndarray of shape (n_customers,)
        Their core distances.
    reach_ : ndarray of shape (n_clusters,)
        The farthest that a member is from its nearest fellow, by mutual reachability.
    how_ : str
        How new customers are placed, in words.
    n_features_in_ : int
        How many columns it was fitted on.
    feature_names_in_ : ndarray of str
        Their names, where they had text for names.

    Raises
    ------
    DataError
        If there are fewer customers than ``min_samples``, or scikit-learn cannot do ``cluster_selection_epsilon`` with
        the numpy that is installed.
    MissingExtraError
        If ``engine="hdbscan"`` is asked for and not installed.
    ValueError
        If a value is missing or infinite, a parameter is out of its range, or ``engine="hdbscan"`` cannot do what the
        other parameters say.

    Notes
    -----
    The package does not count a customer among its own neighbors; it is asked for one less, so that ``min_samples``
    means the same. Its minimum spanning tree is asked to be exact, which its own default is not. Where several edges of
    that tree are equally long, and core distances make many so, either engine takes another; then a few customers at
    the rim, and on whole numbers whole clusters, may come out differently.

    Fitting keeps arrays only, none of either engine's objects, so that saving does not depend on the engine.

    References
    ----------
    Campello, Moulavi and Sander (2013), doi:10.1007/978-3-642-37456-2_14. McInnes, Healy and Astels (2017),
    doi:10.21105/joss.00205.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import HDBSCAN
    >>> random = np.random.default_rng(0)
    >>> spent = np.vstack([random.normal(0, 1, (80, 2)), random.normal(9, 0.2, (40, 2)), [[40.0, 40.0]]])
    >>> model = HDBSCAN(20, engine="scikit-learn").fit(spent)
    >>> int(model.labels_.max()) + 1, int(model.labels_[-1])
    (2, -1)
    >>> model.predict([[9.1, 9.0], [25.0, 25.0]]).tolist() == [model.labels_[100], -1]
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "min_cluster_size": [Interval(Integral, 2, None, closed="left")],
        "min_samples": [Interval(Integral, 1, None, closed="left"), None],
        "cluster_selection_epsilon": [Interval(Real, 0, None, closed="left")],
        "max_cluster_size": [Interval(Integral, 1, None, closed="left"), None],
        "metric": [str, callable],
        "metric_params": [dict, None],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "leaf_size": [Interval(Integral, 1, None, closed="left")],
        "cluster_selection_method": [StrOptions({"eom", "leaf"})],
        "allow_single_cluster": ["boolean"],
        "engine": [StrOptions({"auto", "scikit-learn", "hdbscan"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        min_cluster_size: int = 5,
        *,
        min_samples: int | None = None,
        cluster_selection_epsilon: float = 0.0,
        max_cluster_size: int | None = None,
        metric: Any = "euclidean",
        metric_params: Mapping[str, Any] | None = None,
        alpha: float = 1.0,
        leaf_size: int = 40,
        cluster_selection_method: str = "eom",
        allow_single_cluster: bool = False,
        engine: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.max_cluster_size = max_cluster_size
        self.metric = metric
        self.metric_params = metric_params
        self.alpha = alpha
        self.leaf_size = leaf_size
        self.cluster_selection_method = cluster_selection_method
        self.allow_single_cluster = allow_single_cluster
        self.engine = engine
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Find the clusters.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.
        y : None
            Not used.

        Returns
        -------
        HDBSCAN
            Itself.
        """
        if isinstance(self.metric, str) and self.metric == "precomputed":
            raise ValueError("metric='precomputed' leaves no coordinates to place new customers by: give the columns")
        values = np.asarray(validate_data(self, X, dtype=np.float64, order="C"))
        self.min_samples_ = int(self.min_samples or self.min_cluster_size)
        if len(values) < max(2, self.min_samples_):
            raise DataError(
                f"n_samples={len(values)} should be >= 2 and >= min_samples={self.min_samples_}: a core distance "
                "needs so many customers; take a smaller min_samples, or a segmenter that is not about density"
            )
        self.engine_, self.engine_reason_ = self._choose(values.shape[1])
        by = self._by_hdbscan if self.engine_ == "hdbscan" else self._by_scikit_learn
        labels, probabilities = by(values)
        self.labels_ = _by_first_customer(labels)
        self.probabilities_ = np.asarray(probabilities, dtype=np.float64)
        kept = density_of(values.copy(), self.labels_, **self._density())
        self.points_, self.core_distances_, self.reach_ = kept.points, kept.cores, kept.reach
        self.how_ = "with the nearest member by mutual reachability, if as near as members are; else in no segment"
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Place customers without moving any cluster.

        The nearest member is told by mutual reachability; a customer is in its cluster if no farther from it than any
        member is from its nearest fellow. One exactly like a fitted customer goes with that one.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.

        Returns
        -------
        ndarray of shape (n_customers,)
            Labels; -1 is noise.
        """
        check_is_fitted(self)
        values = np.asarray(validate_data(self, X, dtype=np.float64, reset=False))
        density = Density(self.points_, self.labels_, self.core_distances_, self.reach_)
        labels: npt.NDArray[np.int64] = placed_by_density(density, values, **self._density()).astype(np.int64)
        return labels

    def _density(self) -> dict[str, Any]:
        metric = Metric(self.metric, self.metric_params)
        return {"min_samples": self.min_samples_, "alpha": float(self.alpha), "metric": metric}

    def _choose(self, n_features: int) -> tuple[str, str]:
        """Say which engine does the work, and why."""
        if self.engine == "scikit-learn":
            return "scikit-learn", "asked for"
        cannot = self._why_not_hdbscan(n_features)
        if self.engine == "hdbscan":
            if cannot:
                raise ValueError(f"engine='hdbscan' cannot do {cannot}: take engine='scikit-learn' or 'auto'")
            return "hdbscan", "asked for"
        if cannot:
            return "scikit-learn", cannot
        if find_spec("hdbscan") is None:
            return "scikit-learn", "the package hdbscan is not installed"
        return "hdbscan", "the package hdbscan is installed"

    def _why_not_hdbscan(self, n_features: int) -> str:
        """Say what the package cannot do, or not as asked; nothing where it can."""
        if not isinstance(self.metric, str) or self.metric not in SHARED_METRICS or self.metric_params:
            return "another metric than " + ", ".join(sorted(SHARED_METRICS))
        if self.alpha != 1.0:
            return "another alpha than 1"
        return f"more than {MOST_FEATURES} columns" if n_features > MOST_FEATURES else ""

    def _by_scikit_learn(self, values: npt.NDArray[np.float64]) -> tuple[Any, Any]:
        # Its default for copy differs between releases.
        model = cluster.HDBSCAN().set_params(
            min_cluster_size=self.min_cluster_size,
            min_samples=self.min_samples_,
            cluster_selection_epsilon=float(self.cluster_selection_epsilon),
            max_cluster_size=self.max_cluster_size,
            metric=self.metric,
            metric_params=self.metric_params,
            alpha=float(self.alpha),
            leaf_size=self.leaf_size,
            n_jobs=self.n_jobs,
            cluster_selection_method=self.cluster_selection_method,
            allow_single_cluster=self.allow_single_cluster,
            copy=True,
        )
        try:
            model.fit(values)
        except TypeError as error:
            if not self.cluster_selection_epsilon:
                raise
            raise DataError(
                "scikit-learn fails on cluster_selection_epsilon with the numpy that is installed: take "
                "engine='hdbscan', or cluster_selection_epsilon=0"
            ) from error
        return model.labels_, model.probabilities_

    def _by_hdbscan(self, values: npt.NDArray[np.float64]) -> tuple[Any, Any]:
        package = require_extra("hdbscan", "hdbscan", "HDBSCAN with engine='hdbscan'")
        model = package.HDBSCAN(
            min_cluster_size=int(self.min_cluster_size),
            # It does not count the customer itself. With one or none beside it the distances are the same.
            min_samples=max(1, self.min_samples_ - 1),
            cluster_selection_epsilon=float(self.cluster_selection_epsilon),
            max_cluster_size=int(self.max_cluster_size or 0),
            metric=self.metric,
            algorithm="boruvka_kdtree",
            approx_min_span_tree=False,
            leaf_size=self.leaf_size,
            core_dist_n_jobs=int(self.n_jobs or 1),
            cluster_selection_method=self.cluster_selection_method,
            allow_single_cluster=bool(self.allow_single_cluster),
        )
        # It asks for an array that can be written to.
        model.fit(values.copy())
        return model.labels_, model.probabilities_


def _by_first_customer(labels: Any) -> npt.NDArray[np.int64]:
    """Number clusters in the order of their first customers, so that both engines count alike."""
    values, first, place = np.unique(labels, return_index=True, return_inverse=True)
    inside = values >= 0
    number = np.full(len(values), -1, dtype=np.int64)
    number[np.flatnonzero(inside)[np.argsort(first[inside])]] = np.arange(int(inside.sum()))
    found: npt.NDArray[np.int64] = number[place]
    return found
