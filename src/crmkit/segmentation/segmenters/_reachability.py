"""Nearest customers under a metric, and the place of a new customer by mutual reachability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree
from sklearn.neighbors import NearestNeighbors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["Density", "Metric", "density_of", "nearest", "placed_by_density", "reach_of"]

_POWERS = {"euclidean": 2.0, "l2": 2.0, "manhattan": 1.0, "cityblock": 1.0, "l1": 1.0, "chebyshev": np.inf}


class Metric(NamedTuple):
    """How far two customers are apart.

    Parameters
    ----------
    name : str or callable, default="euclidean"
        Any of scikit-learn's.
    parameters : mapping or None, default=None
        Further parameters of it.
    power : float or None, default=None
        Of ``"minkowski"``.
    """

    name: Any = "euclidean"
    parameters: Mapping[str, Any] | None = None
    power: float | None = None


class Density(NamedTuple):
    """What is kept of density clusters, to place new customers.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features)
        All fitted customers.
    labels : ndarray of shape (n_customers,)
        Their labels from 0; negative is in none.
    cores : ndarray of shape (n_customers,)
        Their core distances.
    reach : ndarray of shape (n_clusters,)
        How far by mutual reachability a member may be from its nearest fellow.
    """

    points: npt.NDArray[np.float64]
    labels: npt.NDArray[np.integer[Any]]
    cores: npt.NDArray[np.float64]
    reach: npt.NDArray[np.float64]


def nearest(
    points: npt.NDArray[np.float64], values: npt.NDArray[np.float64], n_neighbors: int, metric: Metric
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Give the distances to the nearest points, and which they are; the same for a customer alone as in a batch.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        Where to look.
    values : ndarray of shape (n_values, n_features)
        For whom.
    n_neighbors : int
        How many, at most as many as there are.
    metric : Metric
        How far apart.

    Returns
    -------
    tuple of ndarray, each of shape (n_values, n_neighbors)
        Distances and positions, the nearest first.
    """
    n_neighbors = min(n_neighbors, len(points))
    power = _POWERS.get(metric.name) if isinstance(metric.name, str) and not metric.parameters else None
    if power is None:
        parameters = dict(metric.parameters or {})
        search = NearestNeighbors(
            n_neighbors=n_neighbors,
            metric=metric.name,
            p=parameters.pop("p", metric.power or 2),
            metric_params=parameters or None,
        )
        distances, found = search.fit(points).kneighbors(values)
        return distances, found
    apart, places = KDTree(points).query(values, k=np.arange(1, n_neighbors + 1), p=power)
    return np.asarray(apart), np.asarray(places, dtype=np.intp)


def density_of(
    points: npt.NDArray[np.float64],
    labels: npt.NDArray[np.integer[Any]],
    *,
    min_samples: int,
    alpha: float,
    metric: Metric,
) -> Density:
    """Measure each customer's core distance, and how far a member may be from its nearest fellow.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features)
        The fitted customers.
    labels : ndarray of shape (n_customers,)
        Their labels.
    min_samples : int
        How many customers, itself included, are within the core distance.
    alpha : float
        What distances are divided by.
    metric : Metric
        How far apart.

    Returns
    -------
    Density
        What placing needs.
    """
    cores = nearest(points, points, min_samples, metric)[0][:, -1]
    inside = np.flatnonzero(labels >= 0)
    reach = np.zeros(int(labels.max(initial=-1)) + 1)
    if len(inside):
        density = Density(points, labels, cores, reach)
        distance, _ = _mutual(density, points[inside], cores[inside], min_samples, alpha, metric, skip_itself=True)
        np.maximum.at(reach, labels[inside], distance)
    return Density(points, labels, cores, reach)


def placed_by_density(
    density: Density, values: npt.NDArray[np.float64], *, min_samples: int, alpha: float, metric: Metric
) -> npt.NDArray[np.integer[Any]]:
    """Place customers with the nearest member by mutual reachability, if no farther than members are from fellows.

    One exactly like a fitted customer goes with that one.

    Parameters
    ----------
    density : Density
        From ``density_of``.
    values : ndarray of shape (n_values, n_features)
        Whom to place.
    min_samples, alpha, metric
        As in ``density_of``.

    Returns
    -------
    ndarray of shape (n_values,)
        Labels; negative is in none.
    """
    if not len(density.reach):
        return np.full(len(values), -1, dtype=density.labels.dtype)
    from_all, fitted = nearest(density.points, values, min_samples, metric)
    distance, member = _mutual(density, values, from_all[:, -1], min_samples, alpha, metric)
    labels = density.labels[member]
    placed = np.where(distance <= density.reach[labels], labels, -1)
    return np.where(from_all[:, 0] == 0, density.labels[fitted[:, 0]], placed)


def reach_of(
    points: npt.NDArray[np.float64], labels: npt.NDArray[np.integer[Any]], metric: Metric
) -> npt.NDArray[np.float64]:
    """Say how far a member of each segment may be from its nearest fellow, by plain distance.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features)
        The fitted customers.
    labels : ndarray of shape (n_customers,)
        Their labels.
    metric : Metric
        How far apart.

    Returns
    -------
    ndarray of shape (n_segments,)
        0 for a segment of one.
    """
    reach = np.zeros(int(labels.max(initial=-1)) + 1)
    for label in range(len(reach)):
        members = points[labels == label]
        if len(members) > 1:
            # The first is the member itself, or one equal to it.
            reach[label] = nearest(members, members, 2, metric)[0][:, 1].max()
    return reach


def _mutual(
    density: Density, values: npt.NDArray[np.float64], cores: npt.NDArray[np.float64], min_samples: int, alpha: float,
    metric: Metric, *, skip_itself: bool = False,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:  # fmt: skip
    """Give the mutual reachability distance to the nearest member, and who that is."""
    inside = np.flatnonzero(density.labels >= 0)
    distance, found = nearest(density.points[inside], values, 2 * min_samples + 1, metric)
    mutual = np.maximum(np.maximum(distance / alpha, density.cores[inside][found]), cores[:, None])
    if skip_itself:
        mutual[found == np.arange(len(values))[:, None]] = np.inf
    best = np.argmin(mutual, axis=1)
    rows = np.arange(len(values))
    return mutual[rows, best], inside[found[rows, best]]
