"""The smallest sphere in kernel space: its definition by a solver of its own, its parts by asking every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.datasets import make_circles, make_moons

from crmkit.segmentation.segmenters._enclosing_sphere import enclosing_sphere, segments_inside, sphere_components


def kernel(points, others, gamma):
    return np.exp(-gamma * cdist(points, others, "sqeuclidean"))


def by_every_pair(sphere, points, n_steps):
    """Ask every pair of points at every place, and join."""
    n = len(points)
    joined = np.zeros((n, n), dtype=bool)
    for one in range(n):
        for other in range(n):
            places = np.linspace(0, 1, n_steps + 2)[1:-1, None]
            way = points[one] * (1 - places) + points[other] * places
            joined[one, other] = (kernel(way, sphere.vectors, sphere.gamma) @ sphere.weights >= sphere.level).all()
    return connected_components(joined, directed=False)[1]


def same_parts(one, other):
    return len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(set(one)) == len(set(other))


@pytest.mark.parametrize("nu", [0.1, 0.3, 0.6])
def test_weights_solve_the_dual_problem_of_the_smallest_sphere(nu):
    points = np.random.default_rng(0).normal(size=(14, 2))
    gamma, n = 0.7, 14
    sphere = enclosing_sphere(points, gamma=gamma, nu=nu)
    matrix = kernel(points, points, gamma)
    # The primal: center = sum of weights times points, 0 <= weight <= 1 / (nu n), weights add up to 1.
    solved = minimize(
        lambda weight: weight @ matrix @ weight, np.full(n, 1 / n), jac=lambda weight: 2 * matrix @ weight,
        bounds=[(0, 1 / (nu * n))] * n, constraints={"type": "eq", "fun": lambda weight: weight.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    assert sphere.norm == pytest.approx(solved.fun, abs=1e-7)
    assert sphere.weights.sum() == pytest.approx(1.0)
    assert sphere.weights.max() <= 1 / (nu * n) + 1e-9
    distance2 = 1 - 2 * matrix @ solved.x + solved.fun
    np.testing.assert_allclose(1 - 2 * sphere.height(points) + sphere.norm, distance2, atol=1e-5)


def test_two_points_have_the_sphere_around_their_middle():
    # Closed form: with K = exp(-gamma d^2) the center is half of both, and the squared radius (1 - K) / 2.
    points = np.array([[0.0, 0.0], [3.0, 4.0]])
    sphere = enclosing_sphere(points, gamma=0.05, nu=0.5)
    between = np.exp(-0.05 * 25)
    np.testing.assert_allclose(sphere.weights, [0.5, 0.5])
    assert sphere.norm == pytest.approx((1 + between) / 2)
    assert sphere.radius2 == pytest.approx((1 - between) / 2, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.2, 0.5]), st.sampled_from([0.05, 0.5, 3.0]))
def test_at_most_the_share_nu_is_outside_and_at_least_that_share_are_support_vectors(seed, nu, gamma):
    points = np.random.default_rng(seed).normal(size=(60, 3))
    sphere = enclosing_sphere(points, gamma=gamma, nu=nu)
    assert (~sphere.holds(points)).mean() <= nu + 1e-9
    assert len(sphere.weights) >= nu * 60 - 1e-9
    # Points with no weight are strictly inside, so that the level is that of the surface.
    unweighted = ~(points[:, None] == sphere.vectors[None]).all(axis=2).any(axis=1)
    assert sphere.holds(points[unweighted]).all()


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["moons", "rings", "cloud", "clumps"]),
    st.floats(0.3, 40.0),
    st.sampled_from([0.02, 0.1, 0.3]),
)
def test_parts_are_those_of_asking_every_pair(seed, shape, gamma, nu):
    random = np.random.default_rng(seed)
    points = {
        "moons": lambda: make_moons(40, noise=0.05, random_state=seed)[0],
        "rings": lambda: make_circles(40, factor=0.4, noise=0.05, random_state=seed)[0],
        "cloud": lambda: random.normal(size=(40, 2)),
        "clumps": lambda: random.normal(random.integers(0, 4, (40, 1)) * 2.0, 0.3, (40, 2)),
    }[shape]()
    sphere = enclosing_sphere(points, gamma=gamma, nu=nu)
    inside = points[sphere.holds(points)]
    found = sphere_components(sphere, inside, n_steps=10)
    assert same_parts(found, by_every_pair(sphere, inside, 10))
    firsts = [int(np.flatnonzero(found == part)[0]) for part in range(found.max() + 1)]
    assert firsts == sorted(firsts)


def test_parts_of_more_pairs_than_a_block_are_those_of_asking_every_pair():
    points = np.random.default_rng(3).uniform(0, 10, (120, 2))
    sphere = enclosing_sphere(points, gamma=1.2, nu=0.1)
    inside = points[sphere.holds(points)]
    found = sphere_components(sphere, inside, n_steps=6)
    assert 1 < found.max() + 1 < 60
    assert same_parts(found, by_every_pair(sphere, inside, 6))


def test_a_way_is_asked_at_even_places_between_its_ends():
    points = np.array([[0.0], [1.0], [4.0], [5.0]])
    sphere = enclosing_sphere(points, gamma=1.0, nu=0.1)
    ways = segments_inside(sphere, points[[0, 1, 2]], points[[1, 2, 3]], n_steps=9)
    assert ways.tolist() == [True, False, True]
    # At its middle alone the way from 0 to 5 leaves the sphere; one that is asked nowhere near the gap does not.
    assert segments_inside(sphere, points[[0]], points[[3]], n_steps=1).tolist() == [False]
    assert segments_inside(sphere, points[:0], points[:0], n_steps=3).shape == (0,)


def test_none_and_one_point_are_parts_of_their_own():
    sphere = enclosing_sphere(np.zeros((3, 2)), gamma=1.0, nu=0.5)
    assert sphere_components(sphere, np.zeros((0, 2)), n_steps=3).tolist() == []
    assert sphere_components(sphere, np.zeros((1, 2)), n_steps=3).tolist() == [0]
