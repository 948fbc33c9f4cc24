"""The search behind k-prototypes: spread starts, then assignment and update in turn, on distinct weighted rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from crmkit.segmentation.segmenters._weights import together

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation.segmenters._mixed import Mixed

__all__ = ["Found", "Points", "alternate", "assign", "distinct", "spread_starts"]

# A block of distances stays within the processor's cache, and memory does not grow with the table.
BLOCK = 32_768


@dataclass(frozen=True)
class Points:
    """Weighted rows of numbers and categories.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_numeric)
        Numbers.
    codes : ndarray of shape (n_rows, n_categorical)
        Categories; -1 matches nothing.
    weights : ndarray of shape (n_rows,)
        How much each row counts.
    levels : tuple of int
        How many categories each categorical column has.
    gamma : float
        What one mismatch costs.
    """

    numbers: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    levels: tuple[int, ...]
    gamma: float

    def __len__(self) -> int:
        return len(self.weights)

    def sample(self, size: int, random: np.random.RandomState) -> Points:
        """Draw so many rows by weight, with replacement."""
        mass = np.cumsum(self.weights)
        drawn = np.searchsorted(mass, random.random_sample(size) * mass[-1], side="right")
        rows, counts = np.unique(np.minimum(drawn, len(self) - 1), return_counts=True)
        return Points(self.numbers[rows], self.codes[rows], counts.astype(np.float64), self.levels, self.gamma)

    def apart(
        self, centers: npt.NDArray[np.float64], modes: npt.NDArray[np.intp], rows: slice = slice(None)
    ) -> npt.NDArray[np.float64]:
        """Give the dissimilarity of rows to prototypes, shape (n_rows, n_prototypes)."""
        if self.numbers.shape[1]:
            found: npt.NDArray[np.float64] = cdist(self.numbers[rows], centers, "sqeuclidean")
        else:
            found = np.zeros((len(self.weights[rows]), len(centers)))
        if self.gamma:
            for codes, levels, mode in zip(self.codes[rows].T, self.levels, modes.T, strict=True):
                # The last line is found by the code -1: a category that was not there mismatches everything.
                costs = np.full((levels + 1, len(mode)), self.gamma)
                costs[mode, np.arange(len(mode))] = 0.0
                found += costs[codes]
        return found


class Found(NamedTuple):
    """Where one search ended.

    Parameters
    ----------
    centers, modes : ndarray
        The prototypes.
    labels : ndarray of shape (n_rows,)
        The nearest prototype of each row.
    cost : float
        Weighted sum of dissimilarities.
    n_iter : int
        How many rounds it took.
    settled : bool
        Whether it ended before ``max_iter``.
    """

    centers: npt.NDArray[np.float64]
    modes: npt.NDArray[np.intp]
    labels: npt.NDArray[np.intp]
    cost: float
    n_iter: int
    settled: bool


def distinct(mixed: Mixed, weights: npt.NDArray[np.float64], levels: tuple[int, ...], gamma: float) -> Points:
    """Collapse equal rows to one with their weights together, in an order that does not depend on the table's.

    Parameters
    ----------
    mixed : Mixed
        The rows.
    weights : ndarray of shape (n_rows,)
        Non-negative; rows of weight 0 are left out.
    levels : tuple of int
        How many categories each categorical column has.
    gamma : float
        What one mismatch costs.

    Returns
    -------
    Points
        Distinct rows.
    """
    rows, mass = together(mixed, weights)
    return Points(mixed.numbers[rows] + 0.0, mixed.codes[rows], mass, levels, gamma)


def spread_starts(points: Points, n_clusters: int, random: np.random.RandomState) -> npt.NDArray[np.intp]:
    """Draw starts far from each other (greedy k-means++ in the mixed dissimilarity).

    Parameters
    ----------
    points : Points
        The rows.
    n_clusters : int
        How many.
    random : RandomState
        The source of chance.

    Returns
    -------
    ndarray of int
        Rows; fewer than asked for where no more are apart from those drawn.
    """
    mass = np.cumsum(points.weights)
    first = np.searchsorted(mass, random.random_sample() * mass[-1], side="right")
    chosen = [min(int(first), len(points) - 1)]
    nearest = points.apart(points.numbers[chosen], points.codes[chosen])[:, 0]
    trials = 2 + int(np.log(n_clusters))
    while len(chosen) < n_clusters:
        mass = np.cumsum(points.weights * nearest)
        if mass[-1] <= 0:
            break
        drawn = np.searchsorted(mass, random.random_sample(trials) * mass[-1], side="right")
        drawn = np.minimum(drawn, len(points) - 1)
        left = np.minimum(points.apart(points.numbers[drawn], points.codes[drawn]), nearest[:, None])
        best = int(np.argmin((points.weights[:, None] * left).sum(axis=0)))
        chosen.append(int(drawn[best]))
        nearest = left[:, best]
    return np.array(chosen, dtype=np.intp)


def assign(
    points: Points, centers: npt.NDArray[np.float64], modes: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Give the nearest prototype of each row, the first of several, and how far it is."""
    labels = np.empty(len(points), dtype=np.intp)
    nearest = np.empty(len(points))
    for start in range(0, len(points), BLOCK):
        rows = slice(start, start + BLOCK)
        apart = points.apart(centers, modes, rows)
        labels[rows] = apart.argmin(axis=1)
        nearest[rows] = apart.min(axis=1)
    return labels, nearest


def alternate(
    points: Points, centers: npt.NDArray[np.float64], modes: npt.NDArray[np.intp], *, max_iter: int, tol: float
) -> Found:
    """Assign and update in turn until nothing moves.

    Parameters
    ----------
    points : Points
        The rows.
    centers, modes : ndarray
        The starts.
    max_iter : int
        Most rounds.
    tol : float
        It also ends where all centers together move by no more than this (squared) and no mode changes that counts.

    Returns
    -------
    Found
        Prototypes, labels and cost, all of one state.
    """
    before: npt.NDArray[np.intp] | None = None
    settled = False
    n_iter = 0
    while n_iter < max_iter and not settled:
        n_iter += 1
        labels, nearest = assign(points, centers, modes)
        members = _filled(labels, nearest, len(centers))
        moved_centers, moved_modes = _update(points, members, centers, modes)
        shift = float(((moved_centers - centers) ** 2).sum())
        same_modes = not points.gamma or bool((moved_modes == modes).all())
        centers, modes = moved_centers, moved_modes
        settled = (before is not None and bool((labels == before).all())) or (shift <= tol and same_modes)
        before = labels
    labels, nearest = assign(points, centers, modes)
    return Found(centers, modes, labels, float((points.weights * nearest).sum()), n_iter, settled)


def _filled(labels: npt.NDArray[np.intp], nearest: npt.NDArray[np.float64], n_clusters: int) -> npt.NDArray[np.intp]:
    """Give each empty cluster the row that is farthest from its prototype."""
    empty = np.flatnonzero(np.bincount(labels, minlength=n_clusters) == 0)
    if not len(empty):
        return labels
    far = np.argsort(-nearest, kind="stable")[: len(empty)]
    far = far[nearest[far] > 0]
    members = labels.copy()
    members[far] = empty[: len(far)]
    return members


def _update(
    points: Points,
    labels: npt.NDArray[np.intp],
    centers: npt.NDArray[np.float64],
    modes: npt.NDArray[np.intp],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Give weighted means and most frequent categories (the first of several); an empty cluster stays where it is."""
    k = len(centers)
    total = np.bincount(labels, points.weights, minlength=k)
    held = total > 0
    moved_centers, moved_modes = centers.copy(), modes.copy()
    for place, column in enumerate(points.numbers.T):
        sums = np.bincount(labels, points.weights * column, minlength=k)
        moved_centers[held, place] = sums[held] / total[held]
    for place, (column, levels) in enumerate(zip(points.codes.T, points.levels, strict=True)):
        counts = np.bincount(labels * levels + column, points.weights, minlength=k * levels).reshape(k, levels)
        moved_modes[held, place] = counts.argmax(axis=1)[held]
    return moved_centers, moved_modes
