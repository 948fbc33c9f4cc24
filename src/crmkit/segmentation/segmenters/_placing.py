"""A place for new customers in the segments of an algorithm that cannot predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.checks import require_methods
from crmkit.segmentation.segmenters._make import fresh
from crmkit.segmentation.segmenters._reachability import (
    Density,
    Metric,
    density_of,
    nearest,
    placed_by_density,
    reach_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PlacingSegmenter"]

OWN = "by the segmenter's own predict"
CORES = "with the nearest core customer, if within eps={eps:g}; else in no segment"
DENSITY = "with the nearest member by mutual reachability, if as near as members are; else in no segment"
EXEMPLARS = "with the nearest exemplar"
NEAR = "as the nearest customer that was fitted on, if as near as members are; else in no segment"
NEAREST = "as the nearest customer that was fitted on"
_EXEMPLARS = ("medoid_indices_", "cluster_centers_indices_")


class PlacingSegmenter(ClusterMixin, BaseEstimator):
    """Wraps a segmenter without ``predict`` and places new customers by a rule it can state.

    Fitting is the wrapped segmenter's own; its labels are not touched. A new customer is then placed without moving
    any segment, by the rule that suits the algorithm:

    - one with a ``predict``: by that.
    - DBSCAN, and OPTICS cut at an eps: the segment of the nearest core customer, if that one is within ``eps``; else
      in no segment.
    - HDBSCAN: the segment of the nearest member by mutual reachability, if that is no farther than any member of the
      segment is from its own nearest fellow; else in no segment. One exactly like a fitted customer goes with that one.
    - one with exemplars (``medoid_indices_`` or ``cluster_centers_indices_``): the segment of the nearest exemplar.
    - one that left customers out (OPTICS cut by steepness): as the nearest customer it was fitted on, if no farther
      from that one than any member of its segment is from its nearest fellow; else in no segment.
    - any other: as the nearest customer it was fitted on.

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
    reach_ : ndarray of shape (n_segments,) or None
        How far from it a segment takes customers in, where that is a limit of its own.
    n_features_in_ : int
        How many columns it was fitted on.

    Raises
    ------
    ValueError
        If the segmenter was fitted on precomputed distances: a new customer then has no coordinates.

    Notes
    -----
    Placing the fitted customers again gives their labels back, with three exceptions: a DBSCAN border customer within
    reach of two segments belongs to the one found first, and is placed in the one whose core is nearer (OPTICS may
    leave it out); a customer nearer to another exemplar than to its own; and customers equal in every column whom the
    algorithm labels differently, as HDBSCAN may where distances are tied, are placed together.

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
        if "precomputed" in {getattr(self.segmenter_, name, None) for name in ("metric", "affinity")}:
            raise ValueError("customers cannot be placed in segments made from precomputed distances")
        self.labels_ = np.asarray(self.segmenter_.fit_predict(values))
        self.cores_: npt.NDArray[np.float64] | None = None
        self.reach_: npt.NDArray[np.float64] | None = None
        self.points_, self.point_labels_ = values.copy(), self.labels_
        self.how_ = self._keep(values)
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
        if self.how_ == OWN:
            return np.asarray(self.segmenter_.predict(values))
        if not len(self.points_):
            return np.full(len(values), -1, dtype=self.labels_.dtype)
        if self.cores_ is not None and self.reach_ is not None:
            density = Density(self.points_, self.point_labels_, self.cores_, self.reach_)
            return placed_by_density(density, values, **self._density())
        distance, found = nearest(self.points_, values, 1, self._metric())
        labels = self.point_labels_[found[:, 0]]
        if self.reach_ is not None:
            within = distance[:, 0] <= self.reach_[np.maximum(labels, 0)]
            labels = np.where(within | (labels < 0), labels, -1)
        return np.asarray(labels)

    def _keep(self, values: npt.NDArray[np.float64]) -> str:
        """Keep what the rule needs, and say which it is."""
        made = self.segmenter_
        n_segments = int(self.labels_.max(initial=-1)) + 1
        cores, eps = self._cores()
        if callable(getattr(made, "predict", None)):
            self.points_, self.point_labels_ = values[:0], self.labels_[:0]
            return OWN
        if cores is not None:
            self.points_, self.point_labels_ = values[cores], self.labels_[cores]
            self.reach_ = np.full(n_segments, eps)
            return CORES.format(eps=eps)
        if type(made).__name__ == "HDBSCAN":
            kept = density_of(values.copy(), self.labels_, **self._density())
            self.cores_, self.reach_ = kept.cores, kept.reach
            return DENSITY
        exemplars = next((getattr(made, name) for name in _EXEMPLARS if hasattr(made, name)), None)
        if exemplars is not None and len(exemplars):
            self.points_, self.point_labels_ = values[exemplars], self.labels_[exemplars]
            return EXEMPLARS
        if (self.labels_ < 0).any() or type(made).__name__ == "OPTICS":
            if not n_segments:
                self.points_, self.point_labels_ = values[:0], self.labels_[:0]
            self.reach_ = reach_of(values, self.labels_, self._metric())
            return NEAR
        return NEAREST

    def _cores(self) -> tuple[npt.NDArray[np.intp] | None, float]:
        """Find core customers and the distance they reach, None where the algorithm has none."""
        made = self.segmenter_
        if hasattr(made, "core_sample_indices_") and hasattr(made, "eps"):
            # The distance that was used is not the parameter where that was left to be found.
            return np.asarray(made.core_sample_indices_, dtype=np.intp), float(getattr(made, "eps_", made.eps))
        if type(made).__name__ == "OPTICS" and made.cluster_method == "dbscan":
            eps = float(made.max_eps if made.eps is None else made.eps)
            return np.flatnonzero(made.core_distances_ <= eps), eps
        return None, 0.0

    def _metric(self) -> Metric:
        """Give the segmenter's own metric."""
        made = self.segmenter_
        name = getattr(made, "metric", None)
        return Metric(
            "euclidean" if name is None else name, getattr(made, "metric_params", None), getattr(made, "p", None)
        )

    def _density(self) -> dict[str, Any]:
        """Give what placing by mutual reachability goes by."""
        made = self.segmenter_
        min_samples = int(made.min_samples or made.min_cluster_size)
        # The hdbscan package does not count the customer itself.
        itself = type(made).__module__.partition(".")[0] == "hdbscan"
        return {"min_samples": min_samples + itself, "alpha": float(made.alpha), "metric": self._metric()}
