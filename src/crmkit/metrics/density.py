"""How well dense segments are parted by sparse space: density-based clustering validation (DBCV)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._segments import segmented_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["dbcv"]

_ALIASES = {"manhattan": "cityblock", "l1": "cityblock", "l2": "euclidean"}
_CHUNK = 2**21
"""How many distances are held at once (16 MB)."""


class _Tree(NamedTuple):
    """What the validity of a segment needs of its spanning tree."""

    inner: npt.NDArray[np.float64]
    core: npt.NDArray[np.float64]
    sparseness: float


def dbcv(
    table: Any,
    labels: Any,
    *,
    metric: str = "euclidean",
    sample_size: int | None = 2000,
    random_state: Any = 0,
    level: float = 0.95,
) -> Estimate:
    """Give the density-based validity of segments: how much denser they are inside than between each other.

    Within a segment, customers are joined by the spanning tree of least mutual reachability distances; its longest
    inner edge is the sparseness of the segment. The least mutual reachability distance between inner customers of two
    segments is their separation. A segment's validity is (separation - sparseness) over the larger of both, from -1 to
    1, and the index their mean, weighted by size over *all* customers: those in no segment count 0. It knows segments
    of any shape, where silhouettes want them round, and cannot say that there is only one.

    Costs n_s^2 distances of each segment of n_s measured customers, and of each pair of segments; memory of one chunk
    of distances. Segments beyond ``sample_size`` customers are measured on so many of them, which thins them out: a
    sampled figure may be compared with others of the same sample size, not with exact ones.

    Parameters
    ----------
    table : array-like of float, shape (n_rows, n_features)
        Finite numbers, scaled as they were for the segmenter.
    labels : array-like, shape (n_rows,)
        Segments. Rows with a negative number are in no segment.
    metric : str, default="euclidean"
        Any metric of ``scipy.spatial.distance.cdist`` that takes no parameters.
    sample_size : int or None, default=2000
        How many customers of a segment to measure at most; None for all.
    random_state : int, RandomState or None, default=0
        Which customers are drawn.
    level : float, default=0.95
        Kept with the figure; there is no interval (both ends are NaN), because resampled customers are duplicates, to
        which density is infinite.

    Returns
    -------
    Estimate
        Between -1 and 1; ``n`` counts the rows measured, those in no segment included.

    Raises
    ------
    DataError
        If fewer than two segments have at least two customers, or a number is missing.

    Notes
    -----
    Where the paper is silent, the authors' own program is followed: a segment of one customer counts as none; in a tree
    without inner customers (of degree above 1) or inner edges, all are taken. Distances are not squared, as they
    are in that program but not in the paper.

    A customer who has an equal one in the segment is in infinite density: the core distance is 0, the limit of the
    definition. Where separation and sparseness are both 0 (two segments in one place) the validity is 0.

    Mutual reachability distances are often tied, so that a segment has many least trees and each its own figure. Of
    tied edges the one with the denser end is taken, then the shorter one: the inner customers are the dense ones, and
    the figure does not depend on the order of rows (as long as distances differ).

    References
    ----------
    Moulavi, D., Jaskowiak, P. A., Campello, R. J. G. B., Zimek, A., & Sander, J. (2014). Density-based clustering
    validation. Proceedings of the 2014 SIAM International Conference on Data Mining, 839-847.
    doi:10.1137/1.9781611973440.96

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.metrics import dbcv
    >>> angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> round(float(dbcv(np.vstack([ring, 5 * ring]), np.repeat([0, 1], 60))), 2)
    0.67
    """
    rows = segmented_rows(table, labels)
    sizes = np.bincount(rows.codes, minlength=len(rows.names))
    kept = np.flatnonzero(sizes > 1)
    if len(kept) < 2:
        raise DataError(f"dbcv compares segments: fewer than 2 of {len(sizes)} have at least two customers")
    known: Any = _ALIASES.get(metric, metric)
    try:
        cdist(rows.points[:1], rows.points[:1], known)
    except (ValueError, TypeError) as error:
        raise DataError(f"metric must be one of scipy's cdist without parameters, got {metric!r}: {error}") from error
    random = check_random_state(random_state)
    members = [_drawn(np.flatnonzero(rows.codes == segment), sample_size, random) for segment in kept]
    trees = [_tree(rows.points[inside], known) for inside in members]
    separation = _separations(trees, known)
    sparseness = np.array([tree.sparseness for tree in trees])
    larger = np.maximum(separation, sparseness)
    validity = np.where(larger > 0, (separation - sparseness) / np.where(larger > 0, larger, 1.0), 0.0)
    sampled = sum(len(inside) for inside in members) < sizes[kept].sum()
    outside = rows.n_rows - int(sizes[kept].sum())
    notes = [
        "sampled" if sampled else "exact",
        "no interval",
        *([f"{outside:,} rows in no segment or alone in one"] if outside else []),
    ]
    measured = sum(len(inside) for inside in members) + outside
    value = float((sizes[kept] * validity).sum() / rows.n_rows)
    return Estimate(value, n=measured, low=np.nan, high=np.nan, level=level, method="; ".join(notes))


def _drawn(inside: npt.NDArray[np.intp], most: int | None, random: Any) -> npt.NDArray[np.intp]:
    """Draw at most so many customers of a segment."""
    if most is None or len(inside) <= most:
        return inside
    return np.sort(random.choice(inside, size=max(int(most), 2), replace=False))


def _tree(points: npt.NDArray[np.float64], metric: Any) -> _Tree:
    """Span a segment by its least mutual reachability distances (Prim), keeping one row of distances at a time."""
    core = _core_distances(points, metric)
    n = len(points)
    # Of tied edges the one with the denser end comes first, then the shorter one.
    best = np.full((3, n), np.inf)
    parent = np.zeros(n, dtype=np.intp)
    out = np.ones(n, dtype=bool)
    edges, lengths = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    last = 0
    # One round a customer: each needs the tree of the round before.
    for step in range(n - 1):
        out[last] = False
        apart = cdist(points[last : last + 1], points, metric)[0]
        keys = np.stack([np.maximum(np.maximum(apart, core), core[last]), np.minimum(core, core[last]), apart])
        nearer = out & _before(keys, best)
        best[:, nearer], parent[nearer] = keys[:, nearer], last
        last = _least(best, out)
        edges[step], lengths[step] = (parent[last], last), best[0, last]
    inner = np.bincount(edges.ravel(), minlength=n) > 1
    between = inner[edges].all(axis=1)
    sparseness = lengths[between].max() if between.any() else lengths.max()
    chosen = inner if inner.any() else np.ones(n, dtype=bool)
    return _Tree(points[chosen], core[chosen], float(sparseness))


def _before(keys: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Compare columns by their first row, then the second, then the third."""
    (a, b, c), (x, y, z) = keys, others
    return np.asarray((a < x) | ((a == x) & ((b < y) | ((b == y) & (c < z)))))


def _least(keys: npt.NDArray[np.float64], allowed: npt.NDArray[np.bool_]) -> int:
    """Find the least of the columns allowed."""
    tied = np.flatnonzero(allowed)
    for key in keys:
        tied = tied[key[tied] == key[tied].min()]
    return int(tied[0])


def _core_distances(points: npt.NDArray[np.float64], metric: Any) -> npt.NDArray[np.float64]:
    """Give each customer's distance to the others, averaged by the power of minus the number of columns."""
    n, dimensions = points.shape
    core = np.empty(n)
    for rows in _chunks(n, n):
        apart = cdist(points[rows], points, metric)
        with np.errstate(divide="ignore"):
            # In logarithms: in many columns the powers overflow.
            powers = -dimensions * np.log(apart)
        powers[np.arange(len(apart)), np.arange(rows.start, rows.stop)] = -np.inf
        mean = logsumexp(powers, axis=1) - np.log(n - 1)
        core[rows] = np.exp(-mean / dimensions)
    return core


def _separations(trees: list[_Tree], metric: Any) -> npt.NDArray[np.float64]:
    """Give each segment's least mutual reachability distance to an inner customer of any other."""
    found = np.full(len(trees), np.inf)
    for first, mine in enumerate(trees):
        for second in range(first + 1, len(trees)):
            theirs = trees[second]
            for rows in _chunks(len(mine.inner), len(theirs.inner)):
                apart = cdist(mine.inner[rows], theirs.inner, metric)
                reach = np.maximum(np.maximum(apart, theirs.core), mine.core[rows, None])
                least = float(reach.min())
                found[first], found[second] = min(found[first], least), min(found[second], least)
    return found


def _chunks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Cut rows so that a chunk of distances stays small."""
    size = max(1, _CHUNK // n_columns)
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
