"""Density-based validity, against the paper's definitions worked out by brute force and against hdbscan."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons

from crmkit import DataError, metrics


def by_brute_force(points, labels):
    """Work the definitions of Moulavi et al. (2014) out one customer, edge and pair at a time."""
    points = np.asarray(points, dtype=float)
    clusters = [np.flatnonzero(labels == name) for name in np.unique(labels[labels >= 0])]
    clusters = [inside for inside in clusters if len(inside) > 1]
    found = []
    for inside in clusters:
        apart = np.linalg.norm(points[inside, None] - points[None, inside], axis=2)
        n, d = len(inside), points.shape[1]
        core = np.zeros(n)
        for i in range(n):
            others = [apart[i, j] for j in range(n) if j != i]
            core[i] = 0.0 if min(others) == 0 else (sum((1 / x) ** d for x in others) / (n - 1)) ** (-1 / d)
        pairs = [(i, j) for i in range(n) for j in range(i)]
        key = {(i, j): (max(core[i], core[j], apart[i, j]), min(core[i], core[j]), apart[i, j]) for i, j in pairs}
        group, tree = list(range(n)), []
        for i, j in sorted(pairs, key=key.get):  # Kruskal, where the library has Prim
            if group[i] != group[j]:
                tree.append((i, j))
                group = [group[i] if one == group[j] else one for one in group]
        degree = np.bincount(np.ravel(tree), minlength=n)
        inner = [i for i in range(n) if degree[i] > 1] or list(range(n))
        edges = [pair for pair in tree if degree[pair[0]] > 1 and degree[pair[1]] > 1] or tree
        found.append((inside, core, inner, max(key[pair][0] for pair in edges)))
    total = 0.0
    for place, (inside, core, inner, sparse) in enumerate(found):
        parted = min(
            max(np.linalg.norm(points[inside[i]] - points[other[j]]), core[i], theirs[j])
            for rival, (other, theirs, their_inner, _) in enumerate(found)
            if rival != place
            for i in inner
            for j in their_inner
        )
        larger = max(parted, sparse)
        total += len(inside) * ((parted - sparse) / larger if larger > 0 else 0.0)
    return total / len(points)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_the_paper_defines(seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(random.integers(8, 40), random.integers(1, 5)))
    labels = random.integers(-1, 3, len(points))
    labels[:4] = [0, 0, 1, 1]
    assert metrics.dbcv(points, labels) == pytest.approx(by_brute_force(points, labels), abs=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_an_equal_customer_makes_infinite_density(seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(30, 2)) + np.repeat([0.0, 4.0], 15)[:, None]
    points[[3, 4, 20, 22]] = points[[5, 5, 19, 19]]
    labels = np.repeat([0, 1], 15)
    assert metrics.dbcv(points, labels) == pytest.approx(by_brute_force(points, labels), abs=1e-10)


def test_discrete_customers_are_the_limit_of_those_nearly_equal():
    random = np.random.default_rng(0)
    points = random.integers(0, 4, (200, 2)) + random.integers(0, 2, (200, 1)) * 20.0
    labels = (points[:, 0] > 10).astype(int)
    got = metrics.dbcv(points, labels)
    assert got > 0.9
    assert metrics.dbcv(points + random.normal(0, 1e-9, points.shape), labels) == pytest.approx(got, abs=0.01)


def chain(n, start):
    """Give customers each twice as far off as the one before, in so many columns that no two edges are tied."""
    return np.outer(start + 2.0 ** np.arange(n), np.ones(20))


def test_it_is_hdbscan_s_where_the_spanning_tree_is_the_only_one():
    validity = pytest.importorskip("hdbscan.validity")
    points = np.vstack([chain(7, 0.0), chain(6, 300.0), -chain(5, 500.0), [[90.0] * 20]])
    labels = np.repeat([0, 1, 2, -1], [7, 6, 5, 1])
    assert metrics.dbcv(points, labels) == pytest.approx(validity.validity_index(points, labels), rel=1e-9)


@pytest.mark.parametrize("make", [make_moons, make_blobs])
def test_the_order_of_rows_does_not_matter(make):
    points, labels = make(200, random_state=0, **({"noise": 0.05} if make is make_moons else {}))
    order = np.random.default_rng(0).permutation(200)
    assert metrics.dbcv(points[order], labels[order]) == pytest.approx(metrics.dbcv(points, labels), abs=1e-12)


def test_shapes_that_a_silhouette_cannot_see_are_seen():
    points, moons = make_moons(400, noise=0.04, random_state=0)
    halves = (points[:, 0] > np.median(points[:, 0])).astype(int)
    assert metrics.silhouette(points, halves) > metrics.silhouette(points, moons)
    assert metrics.dbcv(points, moons) > 0.5
    assert metrics.dbcv(points, halves) < 0


def test_customers_in_no_segment_and_alone_in_one_count_0():
    points, labels = make_blobs(60, centers=[[0, 0], [20, 0]], random_state=0)
    whole = metrics.dbcv(points, labels)
    more = np.vstack([points, np.full((20, 2), 60.0) + np.arange(20)[:, None]])
    noisy = metrics.dbcv(more, np.r_[labels, np.full(19, -1), 2])
    assert noisy == pytest.approx(whole * 60 / 80)
    assert noisy.method == "exact; no interval; 20 rows in no segment or alone in one"
    assert noisy.n == 80


@pytest.mark.parametrize(("sizes", "expected"), [([2, 2], 0.9), ([3, 3], 0.9), ([2, 30], 0.8)])
def test_tiny_segments_have_a_validity(sizes, expected):
    random = np.random.default_rng(0)
    points = np.vstack([random.uniform(0, 1, (size, 2)) + 50 * place for place, size in enumerate(sizes)])
    assert metrics.dbcv(points, np.repeat([0, 1], sizes)) > expected


def test_segments_of_equal_customers_are_as_valid_as_can_be():
    assert metrics.dbcv([[0.0]] * 5 + [[1.0]] * 5, [0] * 5 + [1] * 5) == 1.0


def test_two_segments_in_one_place_are_worth_nothing():
    assert metrics.dbcv([[1.0]] * 10, [0] * 5 + [1] * 5) == 0.0


def test_many_columns_do_not_overflow():
    random = np.random.default_rng(0)
    points = np.vstack([random.normal(size=(30, 400)), random.normal(5, 1, (30, 400))]) * 1e-3
    assert 0 < metrics.dbcv(points, np.repeat([0, 1], 30)) < 1


def test_large_segments_are_sampled_and_small_ones_are_not():
    points, labels = make_blobs([900, 40], centers=[[0, 0, 0], [12, 0, 0]], random_state=0)
    sampled = metrics.dbcv(points, labels, sample_size=300)
    assert sampled.n == 340
    assert sampled.method == "sampled; no interval"
    assert np.isnan(sampled.low)
    assert sampled == metrics.dbcv(points, labels, sample_size=300)
    assert sampled == pytest.approx(metrics.dbcv(points, labels, sample_size=None), abs=0.15)


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "cosine"])
def test_other_distances_serve(metric):
    points, labels = make_blobs(80, centers=[[0, 9], [9, 0]], random_state=0)
    assert metrics.dbcv(points, labels, metric=metric) > 0.5


@pytest.mark.parametrize(
    ("table", "labels", "metric", "match"),
    [
        ([[0.0], [1.0], [2.0]], [0, 0, 1], "euclidean", "fewer than 2 of 2 have at least two customers"),
        ([[0.0], [1.0]], [-1, -1], "euclidean", "fewer than 2 of 0"),
        ([[0.0], [np.nan], [2.0], [3.0]], [0, 0, 1, 1], "euclidean", "not finite in row 1"),
        ([[0.0], [1.0], [2.0], [np.inf]], [0, 0, 1, -1], "euclidean", "not finite in row 3"),
        ([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], "gower", "metric must be one of scipy's cdist"),
    ],
)
def test_what_has_no_validity_is_refused(table, labels, metric, match):
    with pytest.raises(DataError, match=match):
        metrics.dbcv(table, labels, metric=metric)
