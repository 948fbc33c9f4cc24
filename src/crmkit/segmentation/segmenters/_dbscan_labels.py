"""DBSCAN's labels from distinct points, their neighborhoods and their components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.segmentation.segmenters._dbscan_components import join_core_points
from crmkit.segmentation.segmenters._dbscan_counting import count_neighborhoods
from crmkit.segmentation.segmenters._dbscan_neighbors import find_neighborhoods, in_tree_order
from crmkit.segmentation.segmenters._equal_rows import equal_runs

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["density_labels"]


def density_labels(
    values: npt.NDArray[np.float64],
    sample_weight: npt.NDArray[np.float64] | None,
    eps: float,
    min_samples: int,
    *,
    counted: bool,
    workers: int,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Tell who is a core point, and label every row as scikit-learn does.

    Clusters are numbered by their first core row; a border row takes the lowest label among its core neighbors.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        Finite.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights, 1 each if None.
    eps : float
        The distance.
    min_samples : int
        The weight that makes a core point.
    counted : bool
        Whether whole neighborhoods are weighed: needed where a weight is below 1.
    workers : int
        Threads to search with; changes only the speed.

    Returns
    -------
    tuple of ndarray
        Core or not, and labels, each of shape (n_rows,).
    """
    points, weights, first, place = _distinct(values, sample_weight)
    find = count_neighborhoods if counted else find_neighborhoods
    hoods = find(points, weights, eps, min_samples, workers)
    cores, others = np.flatnonzero(hoods.core), np.flatnonzero(~hoods.core)
    labels = np.full(len(points), -1, dtype=np.int64)
    if len(cores):
        part = join_core_points(points[cores], hoods.links(cores), eps, workers)
        lowest = np.full(int(part.max()) + 1, len(values))
        np.minimum.at(lowest, part, first[cores])
        number = np.empty(len(lowest), dtype=np.int64)
        number[np.argsort(lowest)] = np.arange(len(lowest))
        labels[cores] = number[part]
        labels[others] = hoods.lowest(others, labels)
    return hoods.core[place], labels[place].astype(np.intp)


def _distinct(
    values: npt.NDArray[np.float64], sample_weight: npt.NDArray[np.float64] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Give the distinct points, their weights, the first row of each, and the point of each row."""
    values = values + 0.0  # -0.0 and 0.0 are one place
    order, start = equal_runs(values)
    lengths = np.diff(start, append=len(order))
    first = np.minimum.reduceat(order, start)
    nearby = in_tree_order(values[first])
    rank = np.empty(len(nearby), dtype=np.intp)
    rank[nearby] = np.arange(len(nearby))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.repeat(rank, lengths)
    first = first[nearby]
    weights = np.bincount(place, weights=sample_weight, minlength=len(first)).astype(np.float64)
    return values[first], weights, first, place
