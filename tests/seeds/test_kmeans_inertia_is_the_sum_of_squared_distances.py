"""k-means whose inertia sums distances, or whose start decides the result, is wrong on six points."""

from __future__ import annotations

import numpy as np
import pytest

import crmkit

SIX = np.array([(1, 2), (1, 4), (1, 0), (10, 2), (10, 4), (10, 0)], dtype=float)


def _inertia(X, model):
    return ((X - model.cluster_centers_[model.labels_]) ** 2).sum()


@pytest.mark.parametrize("seed", range(50))
def test_six_points_give_16_whatever_the_seed(seed):
    model = crmkit.create("segmenter", "kmeans", n_clusters=2, random_state=seed).fit(SIX)
    # Two columns of three points, 2 apart: 2 x (2^2 + 2^2).
    assert model.inertia_ == pytest.approx(16.0, abs=1e-9)
    assert sorted(model.cluster_centers_.tolist()) == [[1.0, 2.0], [10.0, 2.0]]


@pytest.mark.parametrize("n_clusters", [1, 3, 8])
def test_inertia_is_the_sum_of_squared_distances_to_the_nearest_centre(n_clusters):
    X = np.random.default_rng(0).normal(size=(300, 4))
    model = crmkit.create("segmenter", "kmeans", n_clusters=n_clusters, random_state=0).fit(X)
    nearest = ((X[:, None, :] - model.cluster_centers_[None]) ** 2).sum(axis=2).min(axis=1).sum()
    assert model.inertia_ == pytest.approx(nearest, abs=1e-9 * nearest)
    assert model.inertia_ == pytest.approx(_inertia(X, model), abs=1e-9 * nearest)
