"""Which points are core points, from a few nearest neighbors of each, whatever the density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

__all__ = ["Neighborhoods", "find_neighborhoods", "in_tree_order", "within"]

# cKDTree and a plain sum of squares round differently: pairs this near to eps are decided by the plain sum.
TIE = 1e-9
# Enough to join nearly all of a cluster; what they miss is found exactly afterwards.
KEPT = 10
# With one or two min_samples the nearest alone would join nobody.
LEAST_ASKED = 5
CELLS_A_BLOCK = 80_000
LEAF = 24
# Neighbors in memory need to be near, not nearest.
COARSE = 64


@dataclass(frozen=True)
class Neighborhoods:
    """Core points, some neighbors of each, and all neighbors of every other point.

    Parameters
    ----------
    core : ndarray of bool, shape (n_points,)
        Whose neighbors within eps weigh at least ``min_samples``, itself included.
    near : ndarray of int32, shape (n_points, n_kept)
        Up to ten neighbors of each core point within eps; ``n_points`` where there is none.
    start : ndarray of int64, shape (n_listed + 1,)
        Where the list of each point that is no core point begins in ``listed``.
    listed : ndarray of int32
        The complete lists of all points that are no core points, one after the other.
    """

    core: npt.NDArray[np.bool_]
    near: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    listed: npt.NDArray[np.int32]

    def links(self, cores: npt.NDArray[np.intp]) -> Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Give pairs of core points within eps, counted among the core points."""
        number = np.full(len(self.core) + 1, -1, dtype=np.intp)
        number[cores] = np.arange(len(cores))
        for column in self.near.T:
            other = number[column[cores]]
            there = np.flatnonzero(other >= 0)
            yield there, other[there]

    def lowest(self, others: npt.NDArray[np.intp], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the lowest label among the core neighbors of points that are none, -1 without a core neighbor."""
        none = len(labels)
        of_core = np.where(self.core, labels, none)
        # Each point stands in its own list, so that no list is empty.
        found = np.minimum.reduceat(of_core[self.listed], self.start[:-1]) if len(others) else of_core[:0]
        return np.where(found == none, -1, found)


def in_tree_order(points: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Order points so that those near to each other stand near to each other in memory."""
    return np.asarray(cKDTree(points, balanced_tree=False, compact_nodes=False, leafsize=COARSE).indices)


def within(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64], eps: float) -> npt.NDArray[np.bool_]:
    """Tell which pairs of rows are at most eps apart, by the plain sum of squares that scikit-learn's trees use."""
    total = np.zeros(len(left))
    for column in range(left.shape[1]):
        total += (left[:, column] - right[:, column]) ** 2
    return np.asarray(total <= eps * eps)


def find_neighborhoods(
    points: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    eps: float,
    min_samples: int,
    workers: int,
) -> Neighborhoods:
    """Find the core points exactly without counting anybody's whole neighborhood.

    ``min_samples`` different neighbors that weigh at least 1 each are enough for a core point, and a shorter list is
    complete: so the ``min_samples`` nearest of each point decide, and cost does not grow with eps.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        No two of them equal.
    weights : ndarray of shape (n_points,)
        At least 1 each.
    eps : float
        The distance.
    min_samples : int
        The weight that makes a core point.
    workers : int
        Threads to search with; changes only the speed.

    Returns
    -------
    Neighborhoods
        Core points and lists.
    """
    n = len(points)
    k = min(n, max(min_samples, LEAST_ASKED))
    tree = cKDTree(points, balanced_tree=False, leafsize=LEAF)
    # Where nobody weighs more than 1, a list that is not full cannot weigh enough.
    light = k == min_samples and bool((weights == 1.0).all())
    weights = np.append(weights, 0.0)
    core = np.zeros(n, dtype=bool)
    near = np.full((n, min(k, KEPT)), n, dtype=np.int32)
    lengths: list[npt.NDArray[np.int64]] = []
    lists: list[npt.NDArray[np.int32]] = []
    size = max(64, CELLS_A_BLOCK // k)
    for first in range(0, n, size):
        rows = slice(first, min(n, first + size))
        found = _nearest(tree, points, points[rows], eps, wanted=k, k=k, workers=workers)
        is_core = (found[:, -1] < n) & (k >= min_samples)
        if not light:
            short = np.flatnonzero(~is_core)
            is_core[short] = weights[found[short]].sum(axis=1) >= min_samples
        core[rows] = is_core
        near[np.flatnonzero(is_core) + first] = found[is_core, : near.shape[1]]
        others = found[~is_core]
        there = others < n
        lengths.append(there.sum(axis=1))
        lists.append(others[there].astype(np.int32))
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(lengths))])
    return Neighborhoods(core, near, start, np.concatenate(lists))


def _nearest(
    tree: cKDTree,
    points: npt.NDArray[np.float64],
    asking: npt.NDArray[np.float64],
    eps: float,
    *,
    wanted: int,
    k: int,
    workers: int,
) -> npt.NDArray[np.intp]:
    """Give up to ``wanted`` neighbors within eps, in front; the number of points stands where there are fewer."""
    n = len(points)
    distances, places = tree.query(
        asking, k=np.arange(1, k + 1), distance_upper_bound=eps * (1.0 + TIE), workers=workers
    )
    distance, found = np.asarray(distances), np.asarray(places)
    row, place = np.nonzero((distance >= eps * (1.0 - TIE)) & (found < n))
    lost = ~within(asking[row], points[found[row, place]], eps)
    if not lost.any():
        return found[:, :wanted]
    changed, where = np.unique(row[lost], return_inverse=True)
    full = found[changed, -1] < n
    lists = found[changed]
    lists[where, place[lost]] = n
    lists = np.take_along_axis(lists, np.argsort(lists == n, axis=1, kind="stable"), axis=1)
    found[changed] = lists
    # A full list that lost a pair may have left out another one that is just as far and does count.
    short = changed[full & (lists[:, wanted - 1] == n)] if k < n else changed[:0]
    found = found[:, :wanted]
    if len(short):
        wider = min(n, 2 * k)
        found[short] = _nearest(tree, points, asking[short], eps, wanted=wanted, k=wider, workers=workers)
    return found
