"""DBSCAN with scikit-learn's answer in memory that grows with the customers, not with their neighborhoods."""

from __future__ import annotations

import os
import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn import cluster
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation.choosing._choose_eps import choose_eps
from crmkit.segmentation.segmenters._dbscan_labels import density_labels

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DBSCAN"]

# kd-trees lose their grip as columns are added: with more of them scikit-learn, too, compares all pairs instead.
MOST_FEATURES = 15
# Lists of so many nearest neighbors cost more than weighing whole neighborhoods.
MOST_NEAREST = 256
# Squares of larger or smaller numbers leave the range of floats.
LARGEST, SMALLEST = 1e150, 1e-150
# A small table shows its clusters by itself; below this many customers nothing is warned of.
LEAST_WARNED = 500
ALMOST_ALL = 0.95


class DBSCAN(ClusterMixin, BaseEstimator):
    """Finds dense regions of any shape and sets apart whoever is in none; memory stays linear.

    A core customer has neighbors within ``eps`` that weigh at least ``min_samples``, itself included. Core customers
    within ``eps`` of each other are in one cluster, with whoever else is within ``eps`` of them; the others are noise.
    Labels and core customers are those of ``sklearn.cluster.DBSCAN``, pairs that are at ``eps`` up to rounding aside.
    That one keeps every neighborhood, gigabytes where ``eps`` is wide; this one asks each customer for ``min_samples``
    neighbors only, joins the core customers by them, and then asks exactly which groups touch.

    Use it for groups of any shape at one density, where outliers should stay outside. Groups of differing density want
    ``hdbscan``; columns must be comparable, so scale them first. It assumes that distance means the same everywhere.

    Cost: ``O(n min(min_samples, 10))`` memory, and the lists of customers who are no core customers, at worst
    ``O(n min_samples)``; time about ``n log n``, whatever ``eps``.

    Parameters
    ----------
    eps : float or "auto", default=0.5
        How far a neighbor may be, in the columns' own unit. ``"auto"`` takes the suggestion of ``choose_eps`` for this
        ``min_samples`` on a sample that is the same in every run: look at it before you rely on it.
    min_samples : int, default=5
        The weight of neighbors, itself included, that makes a core customer.
    metric : str or callable, default="euclidean"
        Any of scikit-learn's; others than ``"euclidean"`` are left to scikit-learn.
    metric_params : dict or None, default=None
        As in scikit-learn; left to it if given.
    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        ``"auto"`` chooses the route; any other asks for scikit-learn's. Changes only cost.
    leaf_size : int, default=30
        Of scikit-learn's trees; changes only the speed.
    p : float or None, default=None
        Power of the Minkowski metric, left to scikit-learn.
    n_jobs : int or None, default=None
        Threads to search with, -1 for one a processor, -2 for one less, 1 if None; changes only the speed.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        Clusters from 0, in the order of their first core customer; -1 is noise.
    core_sample_indices_ : ndarray of shape (n_core,)
        Rows of the core customers.
    components_ : ndarray of shape (n_core, n_features)
        Their columns.
    eps_ : float
        The distance that was used.
    route_ : str
        How it was worked out, and why: ``"nearest neighbors"``, ``"weighed neighborhoods"`` (memory linear too, time
        grows with the neighborhoods) or ``"scikit-learn"``.
    n_features_in_ : int
        How many columns it was fitted on.
    feature_names_in_ : ndarray of str
        Their names, where they had any.

    Raises
    ------
    ValueError
        If a value is missing or infinite, or a parameter is out of range.

    Warns
    -----
    DataWarning
        From 500 customers on: if at least 95 % are noise, if there is one cluster only, or if all are core customers.

    See Also
    --------
    choose_eps : Suggests ``eps`` and ``min_samples``.

    Notes
    -----
    Equal rows are one point with their summed weight. With weights below 1, zero or negative ones among them,
    ``min_samples`` neighbors need not be enough, so whole neighborhoods are weighed, block by block. So it is with more
    than 256 ``min_samples``. Sparse tables, other metrics, more than 15 columns, and numbers whose squares leave the
    range of floats go to scikit-learn.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), KDD-96, 226-231. Schubert, Sander, Ester, Kriegel and Xu (2017),
    doi:10.1145/3068335.

    Examples
    --------
    >>> from crmkit.segmentation import DBSCAN
    >>> spent = [[0.0], [0.4], [0.8], [1.2], [5.0], [9.0], [9.9]]
    >>> model = DBSCAN(eps=0.5, min_samples=3).fit(spent)
    >>> model.labels_.tolist(), model.core_sample_indices_.tolist()
    ([0, 0, 0, 0, -1, -1, -1], [1, 2])
    >>> model.route_
    'nearest neighbors'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "eps": [Interval(Real, 0.0, None, closed="neither"), StrOptions({"auto"})],
        "min_samples": [Interval(Integral, 1, None, closed="left")],
        "metric": [str, callable],
        "metric_params": [dict, None],
        "algorithm": [StrOptions({"auto", "ball_tree", "kd_tree", "brute"})],
        "leaf_size": [Interval(Integral, 1, None, closed="left")],
        "p": [Interval(Real, 0.0, None, closed="left"), None],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Interval(Integral, None, -1, closed="right"), None],
    }

    def __init__(
        self,
        eps: float | str = 0.5,
        *,
        min_samples: int = 5,
        metric: Any = "euclidean",
        metric_params: dict[str, Any] | None = None,
        algorithm: str = "auto",
        leaf_size: int = 30,
        p: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.metric = metric
        self.metric_params = metric_params
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.p = p
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Find the clusters.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_customers, n_features)
            The customers, or distances between them with ``metric="precomputed"``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,) or None, default=None
            How many customers each row stands for; 1 each if None.

        Returns
        -------
        DBSCAN
            Itself.
        """
        X = validate_data(self, X, accept_sparse="csr")
        weight = None if sample_weight is None else np.asarray(_check_sample_weight(sample_weight, X), dtype=np.float64)
        self.eps_ = self._reach(X)
        left_to = self._why_left(X)
        if left_to:
            self.route_ = f"scikit-learn: {left_to}"
            core, labels = self._by_scikit_learn(X, sample_weight)
        else:
            counted = self._why_counted(weight)
            self.route_ = f"weighed neighborhoods: {counted}" if counted else "nearest neighbors"
            core, labels = density_labels(
                np.asarray(X, dtype=np.float64),
                weight,
                self.eps_,
                int(self.min_samples),
                counted=bool(counted),
                workers=self._workers(),
            )
        self.labels_: npt.NDArray[np.intp] = labels
        self.core_sample_indices_ = np.flatnonzero(core)
        self.components_ = X[self.core_sample_indices_].copy()
        self._tell(core)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> npt.NDArray[np.intp]:  # noqa: ARG002 -- scikit-learn's signature
        """Find the clusters and give the labels.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_customers, n_features)
            As in ``fit``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,) or None, default=None
            As in ``fit``.
        **kwargs : object
            Not used.

        Returns
        -------
        ndarray of shape (n_customers,)
            Labels; -1 is noise.
        """
        self.fit(X, y, sample_weight=sample_weight)
        return self.labels_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.sparse = True
        return tags

    def _reach(self, X: Any) -> float:
        if not isinstance(self.eps, str):
            return float(self.eps)
        if issparse(X) or self.metric != "euclidean":
            raise DataError("eps='auto' is for dense tables and metric='euclidean': give a number")
        return choose_eps(X, min_samples=self.min_samples, random_state=0).eps

    def _workers(self) -> int:
        """Count threads as joblib does."""
        if self.n_jobs is None:
            return 1
        return int(self.n_jobs) if self.n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + int(self.n_jobs))

    def _why_left(self, X: Any) -> str:
        """Say why this fit is left to scikit-learn; nothing where it is not."""
        if not isinstance(self.metric, str) or self.metric not in {"euclidean", "l2"} or self.metric_params:
            return "another metric"
        if self.algorithm != "auto":
            return f"algorithm={self.algorithm!r}"
        if issparse(X):
            return "a sparse table"
        if X.shape[1] > MOST_FEATURES:
            return f"more than {MOST_FEATURES} columns"
        if not SMALLEST < self.eps_ < LARGEST or not max(float(X.max()), -float(X.min())) < LARGEST:
            return "numbers whose squares are out of range"
        return ""

    def _why_counted(self, weight: npt.NDArray[np.float64] | None) -> str:
        """Say why some nearest neighbors do not decide; nothing where they do."""
        if weight is not None and weight.min() < 1.0:
            return "a weight is below 1"
        if self.min_samples > MOST_NEAREST:
            return f"min_samples is above {MOST_NEAREST}"
        return ""

    def _by_scikit_learn(self, X: Any, sample_weight: Any) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        params = {**self.get_params(deep=False), "eps": self.eps_}
        model = cluster.DBSCAN(**params).fit(X, sample_weight=sample_weight)
        core = np.zeros(len(model.labels_), dtype=bool)
        core[model.core_sample_indices_] = True
        return core, model.labels_

    def _tell(self, core: npt.NDArray[np.bool_]) -> None:
        """Warn of results that are seldom meant."""
        n = len(core)
        if n < LEAST_WARNED:
            return
        found, noise = int(self.labels_.max()) + 1, float((self.labels_ < 0).mean())
        flags = []
        if noise >= ALMOST_ALL:
            flags.append(
                f"{noise:.0%} of {n:,} customers are noise (a larger eps or smaller min_samples takes in more)"
            )
        elif found == 1:
            flags.append("there is one cluster only (a smaller eps parts more, if there are more)")
        if core.all() and self.min_samples > 1:
            flags.append("all are core customers, so density sets nobody apart (eps is wide, or rows repeat)")
        if flags:
            told = f"eps={self.eps_:g}, min_samples={self.min_samples}: {'; '.join(flags)}; see choose_eps"
            warnings.warn(told, DataWarning, stacklevel=3)
