"""The smallest sphere around most points in the space of a Gaussian kernel, and what hangs together inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from sklearn.svm import OneClassSVM

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Sphere", "enclosing_sphere", "segments_inside", "sphere_components"]

# Points are asked for in blocks, so that a block of kernel values stays in the cache of the processor.
BLOCK_VALUES = 400_000
# The solver ends where the conditions of its optimum hold to this; what differs by less lies on the surface.
TOLERANCE = 1e-6
SLACK = 1e-4
# So many neighbors join most of what hangs together, before all pairs of the rest are asked.
N_NEIGHBORS = 10


class Sphere(NamedTuple):
    """A sphere, told by its support vectors.

    The squared distance of a point x from the center is ``1 - 2 * height(x) + norm``, where the height is the sum of
    ``weights * exp(-gamma * squared distance)`` to the support vectors: inside is where the height is at least
    ``level``.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_features)
        The support vectors.
    weights : ndarray of shape (n_vectors,)
        Their weights, which add up to 1.
    level : float
        The height on the surface.
    norm : float
        Squared length of the center.
    gamma : float
        Width of the kernel.
    """

    vectors: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    level: float
    norm: float
    gamma: float

    @property
    def radius2(self) -> float:
        """Squared radius."""
        return 1.0 - 2.0 * self.level + self.norm

    def height(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the height of points, shape (n_points,)."""
        found = np.empty(len(points))
        size = max(1, BLOCK_VALUES // max(1, len(self.vectors)))
        for start in range(0, len(points), size):
            kernel = cdist(points[start : start + size], self.vectors, "sqeuclidean")
            kernel *= -self.gamma
            np.exp(kernel, out=kernel)
            # Not a matrix product: its order of summing, and so the last digit, depends on the size of the block.
            found[start : start + size] = np.einsum("ij,j->i", kernel, self.weights)
        return found

    def holds(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Say which points are inside or on the surface."""
        return self.height(points) >= self.level


def enclosing_sphere(points: npt.NDArray[np.float64], *, gamma: float, nu: float) -> Sphere:
    """Find the sphere with the least radius, where points may stay outside at a price.

    Its dual problem is that of the one-class support vector machine, because every point has length 1 in the space of
    a Gaussian kernel; the machine's multipliers divided by their sum are the weights.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        The points.
    gamma : float
        Width of the kernel.
    nu : float
        At most this share of the points is outside.

    Returns
    -------
    Sphere
        The sphere.
    """
    machine: Any = OneClassSVM(kernel="rbf", nu=nu, tol=TOLERANCE).set_params(gamma=gamma).fit(points)
    multipliers = machine.dual_coef_.ravel()
    weights = multipliers / multipliers.sum()
    vectors = points[machine.support_]
    free = (multipliers < 1.0 - SLACK) & (multipliers > SLACK)
    sphere = Sphere(vectors, weights, 0.0, 0.0, gamma)
    heights = sphere.height(vectors)
    # Without a support vector on the surface every level between those outside and the rest is as good.
    level = heights[free].min() if free.any() else heights.max()
    return sphere._replace(level=float(level) * (1.0 - SLACK), norm=float(weights @ heights))


def segments_inside(
    sphere: Sphere, starts: npt.NDArray[np.float64], ends: npt.NDArray[np.float64], *, n_steps: int
) -> npt.NDArray[np.bool_]:
    """Say for which pairs of points the straight way between them stays inside, at ``n_steps`` places of it.

    The middle is asked first, where most ways that leave the sphere are outside.

    Parameters
    ----------
    sphere : Sphere
        The sphere.
    starts, ends : ndarray of shape (n_pairs, n_features)
        Points inside.
    n_steps : int
        How many places between them are looked at, evenly.

    Returns
    -------
    ndarray of bool, shape (n_pairs,)
        Whether all are inside.
    """
    places = np.arange(1, n_steps + 1) / (n_steps + 1)
    open_pairs = np.arange(len(starts))
    for place in places[np.argsort(np.abs(places - 0.5), kind="stable")]:
        if not len(open_pairs):
            break
        between = starts[open_pairs] * (1.0 - place) + ends[open_pairs] * place
        open_pairs = open_pairs[sphere.holds(between)]
    found = np.zeros(len(starts), dtype=bool)
    found[open_pairs] = True
    return found


def sphere_components(sphere: Sphere, points: npt.NDArray[np.float64], *, n_steps: int) -> npt.NDArray[np.intp]:
    """Give what hangs together: points joined by ways that stay inside, over all pairs of points.

    Nearest neighbors are joined first. Then all pairs that are still apart are asked, the nearer ones first, and a
    pair is skipped once others have joined it; the answer is that of asking all pairs.

    Parameters
    ----------
    sphere : Sphere
        The sphere.
    points : ndarray of shape (n_points, n_features)
        Points inside it.
    n_steps : int
        How many places of a way are looked at.

    Returns
    -------
    ndarray of shape (n_points,)
        Components from 0, in the order of their first points.
    """
    n = len(points)
    if n < 2:
        return np.zeros(n, dtype=np.intp)
    n_near = min(N_NEIGHBORS + 1, n)
    near = NearestNeighbors(n_neighbors=n_near).fit(points).kneighbors(points, return_distance=False)
    pairs = np.column_stack([np.repeat(np.arange(n), n_near), near.ravel()])
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    joined = pairs[segments_inside(sphere, points[pairs[:, 0]], points[pairs[:, 1]], n_steps=n_steps)]
    labels = _components(n, joined)
    first, second = np.triu_indices(n, k=1)
    apart = labels[first] != labels[second]
    first, second = first[apart], second[apart]
    distance = ((points[first] - points[second]) ** 2).sum(axis=1)
    order = np.argsort(distance, kind="stable")
    first, second = first[order], second[order]
    size = 4 * n
    while len(first):
        ways = segments_inside(sphere, points[first[:size]], points[second[:size]], n_steps=n_steps)
        if ways.any():
            joined = np.vstack([joined, np.column_stack([first[:size], second[:size]])[ways]])
            labels = _components(n, joined)
        first, second = first[size:], second[size:]
        if ways.any():
            apart = labels[first] != labels[second]
            first, second = first[apart], second[apart]
    return labels


def _components(n: int, joined: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Number components by their first points."""
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    _, first, place = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    found: npt.NDArray[np.intp] = rank[place]
    return found
