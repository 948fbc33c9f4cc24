"""A dissimilarity by name, with what it depends on frozen when fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.distance import cdist

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.segmentation.segmenters._mixed import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.segmentation.segmenters._mixed import Mixed

__all__ = ["METRICS", "between", "frozen_parameters", "metric_name"]

_SCIPY = {
    name: name
    for name in (
        "braycurtis", "canberra", "chebyshev", "cityblock", "correlation", "cosine", "euclidean", "hamming", "jaccard",
        "jensenshannon", "mahalanobis", "minkowski", "seuclidean", "sqeuclidean",
    )
}  # fmt: skip
_ALIASES = {"manhattan": "cityblock", "l1": "cityblock", "l2": "euclidean"}
METRICS = frozenset({*_SCIPY, *_ALIASES, "gower", "precomputed"})
"""The names that are known."""


def frozen_parameters(
    metric: Any, given: Mapping[str, Any] | None, numbers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """Give the metric's parameters, with those worked out that scipy would take from the rows at hand.

    Parameters
    ----------
    metric : str or callable
        The metric.
    given : mapping or None
        What the caller set.
    numbers : ndarray of shape (n_rows, n_numeric)
        The rows it is fitted on.
    weights : ndarray of shape (n_rows,)
        How much each counts; positive.

    Returns
    -------
    dict
        Scales of ``"gower"``, variances of ``"seuclidean"``, the inverse covariance of ``"mahalanobis"``; all else as
        given.
    """
    known = dict(given or {})
    if metric == "gower":
        # Of the values known; a column without any stays without ends.
        return {"low": np.fmin.reduce(numbers, axis=0), "high": np.fmax.reduce(numbers, axis=0)}
    if metric == "seuclidean" and "V" not in known:
        variance = np.diag(_covariance(numbers, weights))
        # A constant column tells no rows apart; its variance must only not be zero.
        known["V"] = np.where(variance > 0, variance, 1.0)
    if metric == "mahalanobis" and "VI" not in known:
        known["VI"] = np.linalg.pinv(_covariance(numbers, weights))
    return known


def between(
    metric: Any, parameters: Mapping[str, Any], rows: Mixed, others: Mixed, *, places: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Give the dissimilarity of every row to every other, shape (n_rows, n_others).

    Parameters
    ----------
    metric : str or callable
        The metric; never ``"precomputed"``.
    parameters : mapping
        From ``frozen_parameters``.
    rows, others : Mixed
        Two tables of the same columns.
    places : ndarray of shape (n_rows,)
        Where ``rows`` stand in the caller's table, for messages.

    Returns
    -------
    ndarray
        Dissimilarities; a row's own does not depend on who else is in the table.

    Raises
    ------
    DataError
        If it is not a number for some rows, with their positions, or negative.
    """
    if metric == "gower":
        return _gower(parameters, rows, others)
    name: Any = metric if callable(metric) else _ALIASES.get(metric, metric)
    apart: npt.NDArray[np.float64] = cdist(rows.numbers, others.numbers, name, **parameters)
    undefined = np.isnan(apart)
    if undefined.any():
        # A row that has no distance to any is the cause; those that have none to it are not.
        lost = undefined.all(axis=1) if undefined.all(axis=1).any() else undefined.any(axis=1)
        mask = np.zeros(int(places.max()) + 1, dtype=bool)
        mask[places[lost]] = True
        raise DataError(
            f"the metric {metric_name(metric)} is not defined for {positions(mask)} (a row of zeros has no "
            "direction): drop them or take another metric"
        )
    if (apart < 0).any():
        # A cosine of nearly equal rows rounds to a hair below zero; anything more is no dissimilarity.
        if float(apart.min()) < -1e-9:
            raise DataError(f"the metric {metric_name(metric)} gives negative dissimilarities")
        np.maximum(apart, 0.0, out=apart)
    return apart


def metric_name(metric: Any) -> str:
    """Write a metric for messages."""
    return repr(metric) if isinstance(metric, str) else str(getattr(metric, "__name__", type(metric).__name__))


def _covariance(numbers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the sample covariance, where a weight of 2 is the row twice."""
    total = float(weights.sum())
    away = numbers - np.average(numbers, axis=0, weights=weights)
    scatter: npt.NDArray[np.float64] = (away * weights[:, None]).T @ away
    return scatter / (total - 1.0 if total > 1.0 else total)


def _gower(parameters: Mapping[str, Any], rows: Mixed, others: Mixed) -> npt.NDArray[np.float64]:
    """Give the mean difference, in ranges or as a mismatch, over the columns known of both; 1 where there is none."""
    low, high = np.asarray(parameters["low"], dtype=np.float64), np.asarray(parameters["high"], dtype=np.float64)
    width = np.where(high > low, high - low, 1.0)
    # Values beyond the fitted range stand at its end, so that no column outweighs another.
    mine, theirs = (np.clip(table.numbers, low, high) / width for table in (rows, others))
    full: npt.NDArray[np.bool_] = np.logical_not(np.isnan(np.vstack([mine, theirs])).any(axis=0))
    whole: npt.NDArray[np.bool_] = (np.vstack([rows.codes, others.codes]) != UNKNOWN).all(axis=0)
    found = np.zeros((len(rows.codes), len(others.codes)))
    if full.any():
        found += cdist(mine[:, full], theirs[:, full], "cityblock")
    if whole.any():
        one, other = (table.codes[:, whole].astype(np.float64) for table in (rows, others))
        found += cdist(one, other, "hamming") * whole.sum()
    if full.all() and whole.all():
        found /= len(full) + len(whole)
        return found
    shared = np.full(found.shape, float(full.sum() + whole.sum()))
    for one, other in zip(mine[:, ~full].T, theirs[:, ~full].T, strict=True):
        apart = np.abs(one[:, None] - other)
        shared += ~np.isnan(apart)
        found += np.nan_to_num(apart, copy=False)
    for code, against in zip(rows.codes[:, ~whole].T, others.codes[:, ~whole].T, strict=True):
        known = (code != UNKNOWN)[:, None] & (against != UNKNOWN)
        shared += known
        found += known & (code[:, None] != against)
    np.divide(found, shared, out=found, where=shared > 0)
    found[shared == 0] = 1.0
    return found
