"""Which points are core points where weights may be below 1: whole neighborhoods weighed, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree
from sklearn.neighbors import KDTree

from crmkit.segmentation.segmenters._dbscan_neighbors import KEPT, TIE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

__all__ = ["CountedNeighborhoods", "count_neighborhoods"]

# How many neighbors a block may have at most, when all points are neighbors of all: 32 MB of them.
MOST_FOUND = 1 << 22
MOST_ROWS = 4096


@dataclass(frozen=True)
class CountedNeighborhoods:
    """Core points found by weighing whole neighborhoods, of which none is kept.

    Parameters
    ----------
    core : ndarray of bool, shape (n_points,)
        Whose neighbors within eps weigh at least ``min_samples``, itself included.
    points : ndarray of shape (n_points, n_features)
        The points.
    eps : float
        The distance.
    workers : int
        Threads to search with.
    """

    core: npt.NDArray[np.bool_]
    points: npt.NDArray[np.float64]
    eps: float
    workers: int

    def links(self, cores: npt.NDArray[np.intp]) -> Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Give pairs of core points within eps, counted among the core points."""
        points = self.points[cores]
        # Only a beginning of the joining: a pair in doubt at eps may be left out here.
        reach = self.eps * (1.0 - TIE)
        places = np.arange(1, min(len(points), KEPT) + 1)
        _, found = cKDTree(points, balanced_tree=False).query(
            points, k=places, distance_upper_bound=reach, workers=self.workers
        )
        for column in np.asarray(found).T:
            there = np.flatnonzero(column < len(points))
            yield there, column[there]

    def lowest(self, others: npt.NDArray[np.intp], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the lowest label among the core neighbors of points that are none, -1 without a core neighbor."""
        cores = np.flatnonzero(self.core)
        answer = np.full(len(others), -1, dtype=np.int64)
        for rows, start, found in _balls(KDTree(self.points[cores]), self.points[others], self.eps):
            some = np.flatnonzero(np.diff(start))
            if len(some):
                # Labels of empty neighborhoods would be read from their successors: only the others are reduced.
                answer[rows.start + some] = np.minimum.reduceat(labels[cores[found]], start[some])
        return answer


def count_neighborhoods(
    points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], eps: float, min_samples: int, workers: int
) -> CountedNeighborhoods:
    """Find the core points by weighing every neighborhood; cost grows with their sizes, memory does not.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        No two of them equal.
    weights : ndarray of shape (n_points,)
        Any; negative ones too.
    eps : float
        The distance.
    min_samples : int
        The weight that makes a core point.
    workers : int
        Threads for what follows; counting itself takes one.

    Returns
    -------
    CountedNeighborhoods
        Core points.
    """
    core = np.zeros(len(points), dtype=bool)
    for rows, start, found in _balls(KDTree(points), points, eps):
        # No neighborhood is empty: each point is its own neighbor.
        core[rows] = np.add.reduceat(weights[found], start[:-1]) >= min_samples
    return CountedNeighborhoods(core, points, eps, workers)


def _balls(
    tree: Any, asking: npt.NDArray[np.float64], eps: float
) -> Iterable[tuple[slice, npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Give the neighborhoods of some rows at a time, one after the other, and where each begins."""
    size = max(1, min(MOST_ROWS, MOST_FOUND // tree.data.shape[0]))
    for first in range(0, len(asking), size):
        rows = slice(first, min(len(asking), first + size))
        balls = tree.query_radius(asking[rows], eps)
        lengths = np.array([len(ball) for ball in balls])
        yield rows, np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(balls)
