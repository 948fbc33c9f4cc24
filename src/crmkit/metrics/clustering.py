"""How well segments keep to themselves: the silhouette, exact for small tables and sampled for large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.utils import check_random_state

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_column, check_lengths
from crmkit.metrics.intervals import mean

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["silhouette"]


def silhouette(
    table: Any,
    labels: Any,
    *,
    metric: str = "euclidean",
    sample_size: int | None = 2000,
    random_state: Any = 0,
    level: float = 0.95,
) -> Estimate:
    """Give the mean silhouette: how much nearer rows are to their own segment than to the next.

    With ``a`` a row's mean distance to its own segment and ``b`` to the nearest other one, it is (b - a) / max(a, b),
    from -1 to 1. It favours round segments of one spread and can never say that there is only one.
    Up to ``sample_size`` rows it is exact. Beyond, that many rows are drawn, and each is measured against *all* rows,
    so that the mean is unbiased however small a segment is. Costs sample_size x n_rows distances and the memory of one
    chunk of them (scikit-learn's ``working_memory``).

    Parameters
    ----------
    table : array-like of float, shape (n_rows, n_features)
        Finite numbers, scaled as they were for the segmenter.
    labels : array-like, shape (n_rows,)
        Segments. Rows with a negative number are in no segment: they are left out, and counted in ``method``.
    metric : str, default="euclidean"
        Any metric of ``sklearn.metrics.pairwise_distances``.
    sample_size : int or None, default=2000
        How many rows to measure; None for all.
    random_state : int, RandomState or None, default=0
        Which rows are drawn.
    level : float, default=0.95
        Nominal coverage of the t interval of the mean over rows, taking the segments as given.

    Returns
    -------
    Estimate
        Between -1 and 1; ``n`` counts the rows measured. A row alone in its segment counts 0.

    Raises
    ------
    DataError
        If there are fewer than two segments, every row is its own, or a number is missing.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    Journal of Computational and Applied Mathematics 20, 53-65. doi:10.1016/0377-0427(87)90125-7

    Examples
    --------
    >>> from crmkit.metrics import silhouette
    >>> round(float(silhouette([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])), 4)
    0.8997
    """
    points = np.asarray(table, dtype=np.float64)
    if points.ndim != 2:
        raise DataError(f"table must have rows and columns, got an array of shape {points.shape}")
    segments = as_column(labels, "labels")
    check_lengths(table=points, labels=segments)
    wrong = ~np.isfinite(points).all(axis=1)
    if wrong.any():
        raise DataError(f"table is missing or not finite in {positions(wrong)}")
    outside = segments < 0 if segments.dtype.kind in "if" else np.zeros(len(segments), dtype=bool)
    points, segments = points[~outside], segments[~outside]
    names, codes = np.unique(segments, return_inverse=True)
    if not 2 <= len(names) < len(points):
        raise DataError(
            f"a silhouette needs at least 2 segments and fewer than rows: {len(names)} in {len(points)} rows"
        )
    order = np.argsort(codes, kind="stable")
    points, codes = points[order], codes[order]
    rows = np.arange(len(points))
    if sample_size is not None and sample_size < len(points):
        rows = np.sort(check_random_state(random_state).choice(len(points), size=sample_size, replace=False))
    values = _per_row(points, codes, rows, metric)
    note = "t, sampled" if len(rows) < len(points) else "t"
    note += f"; {int(outside.sum()):,} rows in no segment left out" if outside.any() else ""
    estimate = mean(values, level=level, method=note)
    low, high = max(-1.0, estimate.low), min(1.0, estimate.high)
    return Estimate(estimate.value, n=estimate.n, low=low, high=high, level=level, method=note)


def _per_row(
    points: npt.NDArray[np.float64], codes: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], metric: str
) -> npt.NDArray[np.float64]:
    """Give the silhouette of the rows asked for against all rows, which are sorted by segment."""
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes

    def reduce(distances: npt.NDArray[np.float64], start: int) -> npt.NDArray[np.float64]:
        asked = rows[start : start + len(distances)]
        own = codes[asked]
        # A row is not its own neighbour; rounding may leave it a small distance to itself.
        distances[np.arange(len(asked)), asked] = 0.0
        sums = np.add.reduceat(distances, starts, axis=1)
        line = np.arange(len(asked))
        within = sums[line, own] / np.maximum(sizes[own] - 1, 1)
        between = sums / sizes
        between[line, own] = np.inf
        nearest = between.min(axis=1)
        widest = np.maximum(within, nearest)
        alone_or_same = (sizes[own] == 1) | (widest == 0)
        return np.where(alone_or_same, 0.0, (nearest - within) / np.where(widest == 0, 1.0, widest))

    chunks = pairwise_distances_chunked(points[rows], points, metric=metric, reduce_func=reduce)
    return np.concatenate(list(chunks))
