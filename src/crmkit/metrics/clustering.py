"""How well segments keep to themselves: silhouette, Calinski-Harabasz and Davies-Bouldin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, pairwise_distances_chunked
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._segments import segmented_rows
from crmkit.metrics.intervals import bootstrap, mean

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["calinski_harabasz", "davies_bouldin", "silhouette"]


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
    read = segmented_rows(table, labels)
    points, codes = read.points, read.codes
    if not 2 <= len(read.names) < len(points):
        raise DataError(
            f"a silhouette needs at least 2 segments and fewer than rows: {len(read.names)} in {len(points)} rows"
        )
    order = np.argsort(codes, kind="stable")
    points, codes = points[order], codes[order]
    rows = np.arange(len(points))
    if sample_size is not None and sample_size < len(points):
        rows = np.sort(check_random_state(random_state).choice(len(points), size=sample_size, replace=False))
    values = _per_row(points, codes, rows, metric)
    note = "t, sampled" if len(rows) < len(points) else "t"
    note += read.outside
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


def calinski_harabasz(
    table: Any, labels: Any, *, n_resamples: int = 200, level: float = 0.95, random_state: Any = 0
) -> Estimate:
    """Give the Calinski-Harabasz index: the variance between segments over that within.

    It compares segmentations of one table, has no scale of its own (it grows with the number of rows), favours round
    segments, and can never say that there is only one. Costs a pass over the table, and one for each resample.

    Parameters
    ----------
    table : array-like of float, shape (n_rows, n_features)
        Finite numbers, scaled as they were for the segmenter.
    labels : array-like, shape (n_rows,)
        Segments. Rows with a negative number are in no segment: they are left out, and counted in ``method``.
    n_resamples : int, default=200
        Of the bootstrap over rows, which takes the segments as given; 0 for no interval.
    level : float, default=0.95
        Nominal coverage.
    random_state : int, RandomState or None, default=0
        Changes the ends of the interval a little, never the figure.

    Returns
    -------
    Estimate
        From 0 on; greater is better.

    Raises
    ------
    DataError
        If there are fewer than two segments, every row is its own, or a number is missing.

    References
    ----------
    Calinski, T., & Harabasz, J. (1974). A dendrite method for cluster analysis. Communications in Statistics 3, 1-27.
    doi:10.1080/03610927408827101

    Examples
    --------
    >>> from crmkit.metrics import calinski_harabasz
    >>> round(float(calinski_harabasz([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])), 4)
    200.0
    """
    return _of_segments(calinski_harabasz_score, table, labels, n_resamples, level, random_state)


def davies_bouldin(
    table: Any, labels: Any, *, n_resamples: int = 200, level: float = 0.95, random_state: Any = 0
) -> Estimate:
    """Give the Davies-Bouldin index: how wide segments are for their distance to the one most like them.

    The mean over segments of the largest (width + width of another) / (distance of their centers), a width being the
    mean distance to the center: smaller is better, 0 is best. It compares segmentations of one table, favours round
    segments, and can never say that there is only one. Costs a pass over the table, and one for each resample.

    Parameters
    ----------
    table : array-like of float, shape (n_rows, n_features)
        Finite numbers, scaled as they were for the segmenter.
    labels : array-like, shape (n_rows,)
        Segments. Rows with a negative number are in no segment: they are left out, and counted in ``method``.
    n_resamples : int, default=200
        Of the bootstrap over rows, which takes the segments as given; 0 for no interval.
    level : float, default=0.95
        Nominal coverage.
    random_state : int, RandomState or None, default=0
        Changes the ends of the interval a little, never the figure.

    Returns
    -------
    Estimate
        From 0 on; smaller is better.

    Raises
    ------
    DataError
        If there are fewer than two segments, every row is its own, or a number is missing.

    References
    ----------
    Davies, D. L., & Bouldin, D. W. (1979). A cluster separation measure. IEEE Transactions on Pattern Analysis and
    Machine Intelligence 1, 224-227. doi:10.1109/TPAMI.1979.4766909

    Examples
    --------
    >>> from crmkit.metrics import davies_bouldin
    >>> round(float(davies_bouldin([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])), 4)
    0.1
    """
    return _of_segments(davies_bouldin_score, table, labels, n_resamples, level, random_state)


def _of_segments(
    score: Callable[..., float], table: Any, labels: Any, n_resamples: int, level: float, random_state: Any
) -> Estimate:
    """Work one of scikit-learn's figures out on the rows in segments, with its bootstrap interval."""
    read = segmented_rows(table, labels)
    if not 2 <= len(read.names) < len(read.points):
        raise DataError(
            f"the index needs at least 2 segments and fewer than rows: {len(read.names)} in {len(read.points)} rows"
        )
    found = bootstrap(score, read.points, read.codes, n_resamples=n_resamples, level=level, random_state=random_state)
    method = f"{found.method}{read.outside}".removeprefix("; ")
    return Estimate(found.value, n=found.n, low=found.low, high=found.high, level=level, method=method)
