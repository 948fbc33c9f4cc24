"""Support vector clustering: what hangs together inside the contour that a smooth envelope draws around customers."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, ClusterMixin, _fit_context
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation.segmenters._enclosing_sphere import (
    N_NEIGHBORS,
    Sphere,
    enclosing_sphere,
    segments_inside,
    sphere_components,
)

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SupportVectorClustering"]

# gamma="auto" grows by doubling, and is then narrowed down by halves of the last step.
DOUBLINGS, HALVINGS = 40, 4
HOW = {
    "near": "inside the contour with the sampled customer that a way inside it leads to; outside with the nearest "
    "sampled customer, if as near as members are; else in no segment",
    "noise": "inside the contour with the sampled customer that a way inside it leads to; outside in no segment",
    "nearest": "inside the contour with the sampled customer that a way inside it leads to; outside with the nearest "
    "sampled customer",
}


class SupportVectorClustering(ClusterMixin, BaseEstimator):
    """Groups of any shape: parts of the table that a contour around the crowd leaves connected.

    Points are thought of in the space of a Gaussian kernel, where the smallest sphere around them is found, a share
    ``nu`` left outside. Back among the columns that sphere is a contour, and it falls apart into islands as ``gamma``
    grows. Two customers are in one segment if the straight way between them stays inside, or if a chain of such ways
    joins them.

    Use it where groups have shapes that no center describes, rings and crescents among them, in few columns. It
    assumes that distance means the same everywhere: scale the columns first. Gaussian blobs are cheaper by ``kmeans``,
    and where all customers count and not a sample, ``dbscan`` and ``hdbscan`` draw shapes, too.

    All work is done on a sample; the others are placed as new customers are. Cost, for samples of n: ``40 n ** 2``
    bytes, a score of support vector machines for ``gamma="auto"``, and up to ``n ** 2 / 2`` ways.

    Parameters
    ----------
    gamma : float or "auto", default="auto"
        Width of the kernel ``exp(-gamma * squared distance)``: larger draws tighter and makes more segments. ``"auto"``
        starts at 1 over the largest squared distance, where there is one segment, and takes the largest value at which
        no more than ``support_share`` of the sample are support vectors: a smooth contour is held by few.
    nu : float, default=0.05
        At most this share of the sample is left outside, and at least this share are support vectors.
    support_share : float, default=0.2
        For ``gamma="auto"``; must be above ``nu``.
    n_steps : int, default=10
        At how many places of a way it is asked whether they are inside.
    min_cluster_size : int, default=5
        Islands of fewer sampled customers are no segments.
    outside : {"near", "noise", "nearest"}, default="near"
        What becomes of a customer outside the contour, or on an island that is none: ``"near"`` puts them with the
        nearest sampled member if that is no farther than members of that segment are from their nearest fellows, and
        into no segment otherwise; ``"noise"`` always into none; ``"nearest"`` always with the nearest.
    sample_size : int, default=1000
        Most customers that the contour is drawn from; decides cost, and how small a group can be seen.
    random_state : int, RandomState or None, default=None
        Draws the sample.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        Segments from 0; -1 is in none. The same as ``predict`` gives.
    n_clusters_ : int
        How many segments.
    gamma_ : float
        The width that was used.
    sample_indices_ : ndarray of int
        Rows of the sample.
    support_vectors_ : ndarray of shape (n_vectors, n_features)
        The sampled customers that hold the contour.
    support_weights_ : ndarray of shape (n_vectors,)
        Their weights, which add up to 1.
    level_, norm_ : float
        Height of the contour, and the squared length of the sphere's center.
    points_ : ndarray of shape (n_points, n_features)
        The sampled customers inside.
    point_labels_ : ndarray of shape (n_points,)
        Their segments.
    reach_ : ndarray of shape (n_clusters,)
        The farthest that a sampled member is from its nearest fellow.
    how_ : str
        How customers are placed, in words.
    n_features_in_ : int
        How many columns it was fitted on.
    feature_names_in_ : ndarray of str
        Their names, where they had text for names.

    Raises
    ------
    DataError
        If distances between customers leave the range of floats.
    ValueError
        If a value is missing or infinite, or a parameter is out of its range.

    Warns
    -----
    DataWarning
        If no island is large enough, so that nobody is in a segment.

    Notes
    -----
    All pairs of the sample are asked, whatever is said elsewhere of asking support vectors or neighbors only: pairs
    already joined by others are skipped, and most ways that leave the contour do so in the middle. A contour held by
    many support vectors leaves out many customers whom it has not seen; ``outside="near"`` is the default for that.

    References
    ----------
    Ben-Hur, Horn, Siegelmann and Vapnik (2001), Support vector clustering, Journal of Machine Learning Research 2,
    125-137. Schölkopf, Platt, Shawe-Taylor, Smola and Williamson (2001), doi:10.1162/089976601750264965, for ``nu``.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import SupportVectorClustering
    >>> turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    >>> ring = np.column_stack([np.cos(turn), np.sin(turn)])
    >>> model = SupportVectorClustering(1.0, random_state=0).fit(np.vstack([ring, 4 * ring]))
    >>> model.n_clusters_, model.predict([[0.0, 1.02], [3.98, 0.0], [9.0, 9.0]]).tolist()
    (2, [0, 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gamma": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "nu": [Interval(Real, 0, 1, closed="neither")],
        "support_share": [Interval(Real, 0, 1, closed="neither")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "min_cluster_size": [Interval(Integral, 1, None, closed="left")],
        "outside": [StrOptions(set(HOW))],
        "sample_size": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        gamma: float | str = "auto",
        *,
        nu: float = 0.05,
        support_share: float = 0.2,
        n_steps: int = 10,
        min_cluster_size: int = 5,
        outside: str = "near",
        sample_size: int = 1000,
        random_state: Any = None,
    ) -> None:
        self.gamma = gamma
        self.nu = nu
        self.support_share = support_share
        self.n_steps = n_steps
        self.min_cluster_size = min_cluster_size
        self.outside = outside
        self.sample_size = sample_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Draw the contour and find its islands.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.
        y : None
            Not used.

        Returns
        -------
        SupportVectorClustering
            Itself.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64))
        random = check_random_state(self.random_state)
        n = len(values)
        drawn = np.arange(n) if n <= self.sample_size else random.choice(n, self.sample_size, replace=False)
        self.sample_indices_ = np.sort(drawn)
        sample = values[self.sample_indices_]
        sphere = self._sphere(sample)
        self.gamma_, self.level_, self.norm_ = sphere.gamma, sphere.level, sphere.norm
        self.support_vectors_, self.support_weights_ = sphere.vectors, sphere.weights
        self.points_ = sample[sphere.holds(sample)]
        self.point_labels_ = _large(
            sphere_components(sphere, self.points_, n_steps=self.n_steps), least=self.min_cluster_size
        )
        self.n_clusters_ = int(self.point_labels_.max(initial=-1)) + 1
        if not self.n_clusters_:
            warnings.warn(
                f"no {self.min_cluster_size} sampled customers hang together at gamma={self.gamma_:g}: nobody is in a "
                "segment; take a smaller gamma",
                DataWarning,
                stacklevel=3,
            )
        self.reach_ = self._reach()
        self.how_ = HOW[self.outside]
        self.labels_ = self._place(values)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Place customers on the islands; nothing is moved.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.

        Returns
        -------
        ndarray of shape (n_customers,)
            Segments from 0; -1 is in none.
        """
        check_is_fitted(self)
        return self._place(np.asarray(validate_data(self, X, dtype=np.float64, reset=False)))

    def squared_radius(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the squared distance of customers from the center of the sphere, in the space of the kernel.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The customers.

        Returns
        -------
        ndarray of shape (n_customers,)
            Squared distances; inside is up to ``1 - 2 * level_ + norm_``.
        """
        check_is_fitted(self)
        values = np.asarray(validate_data(self, X, dtype=np.float64, reset=False))
        distances: npt.NDArray[np.float64] = 1.0 - 2.0 * self._contour().height(values) + self.norm_
        return distances

    def _contour(self) -> Sphere:
        return Sphere(self.support_vectors_, self.support_weights_, self.level_, self.norm_, self.gamma_)

    def _sphere(self, sample: npt.NDArray[np.float64]) -> Sphere:
        """Find the sphere of the declared width, or of the largest one that few support vectors hold."""
        with np.errstate(over="ignore"):
            widest = float(pdist(sample, "sqeuclidean").max(initial=0.0))
        if not np.isfinite(widest):
            raise DataError("distances between customers are too large to be numbers: scale the columns first")
        if not isinstance(self.gamma, str):
            return enclosing_sphere(sample, gamma=float(self.gamma), nu=self.nu)
        if self.support_share <= self.nu:
            raise ValueError(f"support_share={self.support_share:g} must be above nu={self.nu:g}")
        gamma = 1.0 / widest if widest > 0 else 1.0
        best = enclosing_sphere(sample, gamma=gamma, nu=self.nu)
        if widest <= 0:
            return best
        factor = 2.0
        for _ in range(DOUBLINGS):
            tried = enclosing_sphere(sample, gamma=best.gamma * factor, nu=self.nu)
            if len(tried.weights) > self.support_share * len(sample):
                break
            best = tried
        for _ in range(HALVINGS):
            factor = factor**0.5
            tried = enclosing_sphere(sample, gamma=best.gamma * factor, nu=self.nu)
            if len(tried.weights) <= self.support_share * len(sample):
                best = tried
        return best

    def _reach(self) -> npt.NDArray[np.float64]:
        """Say how far a sampled member of each segment may be from its nearest fellow."""
        reach = np.zeros(self.n_clusters_)
        for label in range(self.n_clusters_):
            members = self.points_[self.point_labels_ == label]
            if len(members) > 1:
                reach[label] = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(members).kneighbors()[0].max()
        return reach

    def _place(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        labels = np.full(len(values), -1, dtype=np.int64)
        if not self.n_clusters_:
            return labels
        sphere = self._contour()
        inside = np.flatnonzero(sphere.holds(values))
        if len(inside):
            labels[inside] = self._reached(sphere, values[inside])
        outside = np.flatnonzero(labels < 0)
        if self.outside == "noise" or not len(outside):
            return labels
        kept = np.flatnonzero(self.point_labels_ >= 0)
        search = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(self.points_[kept])
        distance, nearest = search.kneighbors(values[outside])
        placed = self.point_labels_[kept[nearest[:, 0]]]
        if self.outside == "near":
            placed = np.where(distance[:, 0] <= self.reach_[placed], placed, -1)
        labels[outside] = placed
        return labels

    def _reached(self, sphere: Sphere, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Give the island of points inside: that of the nearest sampled point to which a way inside leads.

        Where the nearest ones are all of one island, no way is asked.
        """
        n_near = min(N_NEIGHBORS, len(self.points_))
        search = NearestNeighbors(n_neighbors=n_near, algorithm="kd_tree").fit(self.points_)
        nearest = search.kneighbors(values, return_distance=False)
        islands = self.point_labels_[nearest]
        labels: npt.NDArray[np.int64] = islands[:, 0].astype(np.int64)
        waiting = np.flatnonzero((islands != islands[:, :1]).any(axis=1))
        labels[waiting] = -1
        for place in range(n_near):
            ends = self.points_[nearest[waiting, place]]
            led = segments_inside(sphere, values[waiting], ends, n_steps=self.n_steps)
            labels[waiting[led]] = islands[waiting[led], place]
            waiting = waiting[~led]
        return labels


def _large(components: npt.NDArray[np.intp], *, least: int) -> npt.NDArray[np.int64]:
    """Number the components that are large enough, and give -1 to the others."""
    sizes = np.bincount(components)
    kept = np.flatnonzero(sizes >= least)
    number = np.full(len(sizes), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    found: npt.NDArray[np.int64] = number[components]
    return found
