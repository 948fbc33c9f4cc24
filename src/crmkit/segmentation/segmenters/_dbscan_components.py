"""Which core points hang together: guessed from near neighbors and cells, then finished exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from crmkit.segmentation.segmenters._dbscan_neighbors import TIE, within
from crmkit.segmentation.segmenters._equal_rows import equal_runs

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

__all__ = ["join_core_points"]

# Beyond so many cells along a column, rounding could put two points into one cell that are not within eps.
MOST_CELLS = 1e9
# A component with so much of what is left is asked by all the others; smaller ones are told apart by codes.
LARGE = 0.2


def join_core_points(
    points: npt.NDArray[np.float64], links: Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]], eps: float,
    workers: int,
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Number the components of core points that are linked by steps of at most eps.

    Parameters
    ----------
    points : ndarray of shape (n_core, n_features)
        The core points, no two of them equal.
    links : iterable of pairs of ndarray
        Pairs known to be within eps, some arrays at a time.
    eps : float
        The distance.
    workers : int
        Threads to search with; changes only the speed.

    Returns
    -------
    ndarray of int64, shape (n_core,)
        The component of each, counted from 0 in no order that means anything.

    Notes
    -----
    Links to near neighbors and between points of one cell of side ``eps / sqrt(n_features)`` leave a few components
    too many at most. Whether any two of them touch is then asked exactly. Where one component holds much of what is
    left, all other points ask it, and it is done with. Where many are of a size, they get different binary codes, and
    for each bit the points on one side ask for the nearest point of the other side. Two components differ in some bit,
    so the one that asks there finds either the other or a third; it is joined, and asks again in the next round, until
    a round joins nothing.
    """
    labels = np.arange(len(points))
    for left, right in links:
        labels = _merged(labels, left, right)
    labels = _merged(labels, *_cell_links(points, eps))
    rest = np.arange(len(points))
    while True:
        of_rest = labels[rest]
        sizes = np.bincount(of_rest)
        largest = int(sizes.argmax())
        if sizes[largest] == len(rest):
            return labels
        if sizes[largest] < LARGE * len(rest):
            return _joined_by_codes(points, labels, rest, eps, workers)
        alone = of_rest != largest
        asking, asked = rest[alone], rest[~alone]
        labels = _merged(labels, *_touching(points, asking, asked, eps, workers))
        rest = asking


def _joined_by_codes(
    points: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    rest: npt.NDArray[np.intp],
    eps: float,
    workers: int,
) -> npt.NDArray[np.int64]:
    """Join what touches among the points that are left, round by round."""
    group = np.unique(labels[rest], return_inverse=True)[1]
    moved = np.ones(int(group.max()) + 1, dtype=bool)
    while moved.any() and len(moved) > 1:
        heads = np.unique(group, return_index=True)[1]
        for one, other in _sides(group, moved):
            labels = _merged(labels, *_touching(points, rest[one], rest[other], eps, workers))
        group = np.unique(labels[rest], return_inverse=True)[1]
        moved = np.bincount(group[heads]) > 1
    return labels


def _merged(
    labels: npt.NDArray[np.int64], left: npt.NDArray[np.intp], right: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    """Give the components after joining those of linked points, numbered without gaps."""
    ends = labels[left], labels[right]
    differ = ends[0] != ends[1]
    if not differ.any():
        return labels
    count = int(labels.max()) + 1
    ones = np.ones(int(differ.sum()), dtype=np.int8)
    graph = csr_array((ones, (ends[0][differ], ends[1][differ])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][labels], dtype=np.int64)


def _cell_links(points: npt.NDArray[np.float64], eps: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Link the points of one cell, whose diagonal is just below eps."""
    side = eps / np.sqrt(points.shape[1]) * (1.0 - 1e-6)
    cells = (points - points.min(axis=0)) / side
    if not cells.max() < MOST_CELLS:
        nobody = np.zeros(0, dtype=np.intp)
        return nobody, nobody
    order, start = equal_runs(np.floor(cells) + 0.0)
    inside = np.ones(len(order), dtype=bool)
    inside[start] = False
    place = np.flatnonzero(inside)
    return order[place - 1], order[place]


def _sides(
    group: npt.NDArray[np.intp], moved: npt.NDArray[np.bool_]
) -> Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Divide points in two so often that each group that moved is parted from every other; the smaller side asks."""
    sizes = np.bincount(group)
    own = np.flatnonzero(moved)
    own = own[np.argsort(-sizes[own], kind="stable")]
    # Groups that did not move share code 0; large ones get few bits, since the side with the bit is the one to ask.
    spare = int(not moved.all())
    numbers = np.arange(1 << (len(own) + spare - 1).bit_length())
    numbers = numbers[np.argsort(np.bitwise_count(numbers), kind="stable")]
    code = np.zeros(len(sizes), dtype=np.int64)
    code[own] = numbers[spare : len(own) + spare]
    of_point = code[group]
    for bit in range(int(code.max()).bit_length()):
        has = (of_point >> bit & 1).astype(bool)
        one, other = np.flatnonzero(has), np.flatnonzero(~has)
        yield (one, other) if len(one) <= len(other) else (other, one)


def _touching(
    points: npt.NDArray[np.float64], asking: npt.NDArray[np.intp], asked: npt.NDArray[np.intp], eps: float, workers: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Give for each asking point one of the asked points within eps, where there is one."""
    own, others = points[asking], points[asked]
    tree = cKDTree(others, balanced_tree=False)
    _, found = tree.query(own, k=np.array([1]), distance_upper_bound=eps * (1.0 + TIE), workers=workers)
    found = np.asarray(found)[:, 0]
    hit = np.flatnonzero(found < len(asked))
    near = within(own[hit], others[found[hit]], eps)
    left, right = [asking[hit[near]]], [asked[found[hit[near]]]]
    for row in hit[~near]:
        # Just beyond eps by the plain sum: another one as far may be within it.
        ball = np.asarray(tree.query_ball_point(own[row], eps * (1.0 + TIE)), dtype=np.intp)
        inside = ball[within(np.broadcast_to(own[row], (len(ball), own.shape[1])), others[ball], eps)][:1]
        left.append(np.full(len(inside), asking[row]))
        right.append(asked[inside])
    return np.concatenate(left), np.concatenate(right)
