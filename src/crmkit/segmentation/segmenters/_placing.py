"""A place for new customers in the segments of an algorithm that cannot predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.checks import require_methods
from crmkit.segmentation.segmenters._make import fresh

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PlacingSegmenter"]


class PlacingSegmenter(ClusterMixin, BaseEstimator):
    """Wraps a segmenter without ``predict`` and places new customers by a rule it can state.

    Fitting is the wrapped segmenter's own; its labels are not touched. A new customer is then placed without moving
    any segment, by the rule that suits the algorithm:

    - DBSCAN: the segment of the nearest core customer, if that one is within ``eps``; else in no segment.
    - HDBSCAN: the segment of the nearest member by mutual reachability, if that is no farther than any member of the
      segment is from its own nearest fellow; else in no segment. One exactly like a fitted customer goes with that one.
    - any other: as the nearest customer it was fitted on, in a segment or in none.

    ``segment`` applies it by itself to segmenters that cannot predict. Placing costs one nearest-neighbour search in
    the transformed columns, and the fitted customers' transformed columns are kept for it.

    Parameters
    ----------
    segmenter : estimator
        Anything with ``fit_predict``.

    Attributes
    ----------
    segmenter_ : estimator
        The fitted segmenter.
    labels_ : ndarray of shape (n_customers,)
        Its labels.
    how_ : str
        The rule in words.
    points_ : ndarray of shape (n_points, n_features)
        The customers that new ones are compared with.
    point_labels_ : ndarray of shape (n_points,)
        Their labels.
    n_features_in_ : int
        How many columns it was fitted on.

    Raises
    ------
    ValueError
        If the segmenter was fitted on precomputed distances: a new customer then has no coordinates.

    Notes
    -----
    Placing the fitted customers again gives their labels back, with two exceptions: a DBSCAN border customer within
    reach of two segments belongs to the one found first, and is placed in the one whose core is nearer; and customers
    equal in every column, whom HDBSCAN may label differently where distances are tied, are placed together.

    The rule for HDBSCAN follows from how it cuts: noise is no nearer to a segment than the distance at which that
    segment was split off, and no member is farther than that from its fellows.

    References
    ----------
    Campello, Moulavi and Sander (2013), doi:10.1007/978-3-642-37456-2_14, for mutual reachability.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import DBSCAN
    >>> from crmkit.segmentation import PlacingSegmenter
    >>> spent = np.array([[0.0], [0.4], [0.8], [1.2], [5.0], [9.0], [9.9]])
    >>> placing = PlacingSegmenter(DBSCAN(eps=0.5, min_samples=3)).fit(spent)
    >>> placing.labels_.tolist()
    [0, 0, 0, 0, -1, -1, -1]
    >>> placing.predict([[0.6], [1.25], [2.0]]).tolist()
    [0, 0, -1]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"segmenter": "no_validation"}

    def __init__(self, segmenter: Any) -> None:
        self.segmenter = segmenter

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Fit the wrapped segmenter and keep what placing needs.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.
        y : None
            Not used.

        Returns
        -------
        PlacingSegmenter
            Itself.
        """
        require_methods(self.segmenter, ["fit_predict"], role="a segmenter")
        values = np.asarray(validate_data(self, X, dtype=np.float64))
        self.segmenter_ = fresh(self.segmenter)
        if getattr(self.segmenter_, "metric", None) == "precomputed":
            raise ValueError("customers cannot be placed in segments made from precomputed distances")
        self.labels_ = np.asarray(self.segmenter_.fit_predict(values))
        self.cores_: npt.NDArray[np.float64] | None = None
        self.reach_: npt.NDArray[np.float64] | None = None
        name = type(self.segmenter_).__name__
        if hasattr(self.segmenter_, "core_sample_indices_") and hasattr(self.segmenter_, "eps"):
            cores = np.asarray(self.segmenter_.core_sample_indices_, dtype=np.intp)
            self.points_, self.point_labels_ = values[cores], self.labels_[cores]
            self.how_ = f"with the nearest core customer, if within eps={self._eps():g}; else in no segment"
        elif name == "HDBSCAN":
            self._keep_reach(values)
            self.how_ = "with the nearest member by mutual reachability, if as near as members are; else in no segment"
        else:
            self.points_, self.point_labels_ = values.copy(), self.labels_
            self.how_ = "as the nearest customer that was fitted on"
        return self

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> npt.NDArray[np.integer[Any]]:  # noqa: ARG002 -- scikit-learn's signature
        """Fit the wrapped segmenter and give its labels.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.
        y : None
            Not used.
        **kwargs : object
            Not used.

        Returns
        -------
        ndarray of shape (n_customers,)
            Labels; negative means in no segment.
        """
        return self.fit(X, y).labels_

    def predict(self, X: Any) -> npt.NDArray[np.integer[Any]]:
        """Place customers without moving any segment.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.

        Returns
        -------
        ndarray of shape (n_customers,)
            Labels; negative means in no segment.
        """
        check_is_fitted(self)
        values = np.asarray(validate_data(self, X, dtype=np.float64, reset=False))
        if not len(self.points_):
            return np.full(len(values), -1, dtype=self.labels_.dtype)
        if self.reach_ is not None:
            return self._by_reach(values)
        distance, nearest = self._search(self.points_, 1).kneighbors(values)
        labels = self.point_labels_[nearest[:, 0]]
        if hasattr(self.segmenter_, "core_sample_indices_") and hasattr(self.segmenter_, "eps"):
            labels = np.where(distance[:, 0] <= self._eps(), labels, -1)
        return np.asarray(labels)

    def _eps(self) -> float:
        """Give the distance that was used, which is not the parameter where that was left to be found."""
        return float(getattr(self.segmenter_, "eps_", self.segmenter_.eps))

    def _search(self, points: npt.NDArray[np.float64], n_neighbors: int) -> Any:
        """Index points under the segmenter's own metric."""
        metric = getattr(self.segmenter_, "metric", "euclidean")
        parameters = getattr(self.segmenter_, "metric_params", None)
        search = NearestNeighbors(
            n_neighbors=min(n_neighbors, len(points)),
            metric=metric,
            p=getattr(self.segmenter_, "p", None) or 2,
            metric_params=parameters,
        )
        return search.fit(points)

    def _keep_reach(self, values: npt.NDArray[np.float64]) -> None:
        """Keep each customer's core distance, and how far a member may be from its nearest fellow."""
        inside = self.labels_ >= 0
        self.all_points_ = values.copy()
        self.points_, self.point_labels_ = values[inside], self.labels_[inside]
        distance, _ = self._among_all(values)
        self.cores_ = distance[inside, -1]
        self.reach_ = np.zeros(0)
        if inside.any():
            distance, _ = self._mutual(self.points_, self.cores_, skip_itself=True)
            self.reach_ = np.zeros(int(self.point_labels_.max()) + 1)
            np.maximum.at(self.reach_, self.point_labels_, distance)

    def _among_all(self, values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Find the ``min_samples`` nearest fitted customers; the last of them is at the core distance."""
        distance, nearest = self._search(self.all_points_, self._min_samples()).kneighbors(values)
        return distance, nearest

    def _min_samples(self) -> int:
        return int(self.segmenter_.min_samples or self.segmenter_.min_cluster_size)

    def _mutual(
        self, values: npt.NDArray[np.float64], cores: npt.NDArray[np.float64], *, skip_itself: bool = False
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Give the mutual reachability distance to the nearest member, and who that is."""
        distance, nearest = self._search(self.points_, 2 * self._min_samples() + 1).kneighbors(values)
        distance = distance / getattr(self.segmenter_, "alpha", 1.0)
        member_cores = np.asarray(self.cores_)[nearest]
        mutual = np.maximum(np.maximum(distance, member_cores), cores[:, None])
        if skip_itself:
            mutual[nearest == np.arange(len(values))[:, None]] = np.inf
        best = np.argmin(mutual, axis=1)
        rows = np.arange(len(values))
        return mutual[rows, best], nearest[rows, best]

    def _by_reach(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.integer[Any]]:
        from_all, nearest = self._among_all(values)
        distance, member = self._mutual(values, from_all[:, -1])
        labels = self.point_labels_[member]
        placed = np.where(distance <= np.asarray(self.reach_)[labels], labels, -1)
        return np.where(from_all[:, 0] == 0, self.labels_[nearest[:, 0]], placed)
