"""Where new customers go when the algorithm itself cannot predict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS, AgglomerativeClustering
from sklearn.datasets import make_blobs, make_moons
from sklearn.utils.estimator_checks import parametrize_with_checks

from crmkit.segmentation import PlacingSegmenter


@parametrize_with_checks(
    [
        PlacingSegmenter(AgglomerativeClustering(3)),
        PlacingSegmenter(DBSCAN(eps=0.6)),
        PlacingSegmenter(HDBSCAN(copy=True)),
    ]
)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_dbscan_places_within_eps_of_a_core_customer_and_not_beyond():
    line = np.array([[0.0], [0.4], [0.8], [1.2], [5.0], [9.0], [9.9]])
    placing = PlacingSegmenter(DBSCAN(eps=0.5, min_samples=3)).fit(line)
    assert placing.labels_.tolist() == [0, 0, 0, 0, -1, -1, -1]
    # The cores are .4 and .8: a customer beside the border customer 1.2 is not within eps of either.
    assert placing.predict([[-0.1], [-0.2], [1.29], [1.31], [5.0]]).tolist() == [0, -1, 0, -1, -1]
    assert "eps=0.5" in placing.how_


def test_dbscan_without_core_customers_places_nobody():
    placing = PlacingSegmenter(DBSCAN(eps=0.1)).fit([[0.0], [5.0]])
    assert placing.predict([[0.0], [9.0]]).tolist() == [-1, -1]


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev"])
def test_dbscan_places_by_its_own_metric(metric):
    points, _ = make_blobs(200, centers=3, random_state=0)
    placing = PlacingSegmenter(DBSCAN(eps=0.9, metric=metric)).fit(points)
    cores = placing.segmenter_.core_sample_indices_
    np.testing.assert_array_equal(placing.predict(points[cores]), placing.labels_[cores])
    outside = placing.labels_ == -1
    np.testing.assert_array_equal(placing.predict(points[outside]), -1)


def test_minkowski_power_is_respected():
    # At (1, 1) the distance to the origin is 2 with p = 1 and below 1.5 with p = 2.
    points = np.zeros((5, 2))
    for power, expected in ((1, -1), (2, 0)):
        placing = PlacingSegmenter(DBSCAN(eps=1.5, metric="minkowski", p=power)).fit(points)
        assert placing.predict([[1.0, 1.0]]).tolist() == [expected]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 12), st.sampled_from(["eom", "leaf"]), st.sampled_from([1.0, 1.4]))
def test_hdbscan_gives_fitted_customers_their_labels_back(seed, size, method, alpha):
    random = np.random.default_rng(seed)
    points = np.vstack([random.normal(size=(60, 2)), random.normal(6, 0.4, (40, 2)), random.uniform(-6, 12, (40, 2))])
    placing = PlacingSegmenter(
        HDBSCAN(size, min_samples=size, cluster_selection_method=method, alpha=alpha, copy=True)
    ).fit(points)
    np.testing.assert_array_equal(placing.predict(points), placing.labels_)


def test_hdbscan_decides_by_its_rule_beside_the_middle_of_a_segment_and_beside_noise():
    random = np.random.default_rng(3)
    points = np.vstack([random.normal(size=(80, 2)), random.normal(8, 0.5, (60, 2)), [[30.0, 30.0], [-20.0, 9.0]]])
    placing = PlacingSegmenter(HDBSCAN(15, copy=True)).fit(points)
    first, second = placing.labels_[np.argmin((points**2).sum(axis=1))], placing.labels_[90]
    assert first != second
    beside = [[0.01, 0.01], [8.01, 8.01], [30.01, 30.01], [-20.0, 9.01], [4.0, 4.0]]
    assert placing.predict(beside).tolist() == [first, second, -1, -1, -1]


def test_hdbscan_follows_shapes_that_centres_would_not():
    points, moon = make_moons(400, noise=0.04, random_state=0)
    placing = PlacingSegmenter(HDBSCAN(20, copy=True)).fit(points)
    new, new_moon = make_moons(200, noise=0.03, random_state=1)
    placed = placing.predict(new)
    inside = placed >= 0
    assert inside.mean() > 0.8
    of_moon = {label: np.bincount(moon[placing.labels_ == label]).argmax() for label in (0, 1)}
    assert (np.vectorize(of_moon.get)(placed[inside]) == new_moon[inside]).all()
    assert placing.predict([[0.5, 5.0]]).tolist() == [-1]


def test_hdbscan_without_segments_places_nobody():
    placing = PlacingSegmenter(HDBSCAN(20, copy=True)).fit(np.random.default_rng(0).uniform(size=(25, 2)))
    assert set(placing.labels_) == {-1}
    assert placing.predict([[0.5, 0.5]]).tolist() == [-1]


def test_others_are_placed_as_their_nearest_fitted_customer_also_in_none():
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [50.0]])
    placing = PlacingSegmenter(OPTICS(min_samples=2, cluster_method="dbscan", eps=1.0)).fit(points)
    assert placing.labels_.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert placing.predict([[2.0], [4.0], [40.0]]).tolist() == [0, 1, -1]
    assert placing.how_ == "as the nearest customer that was fitted on"


def test_precomputed_distances_are_refused():
    with pytest.raises(ValueError, match="precomputed"):
        PlacingSegmenter(DBSCAN(metric="precomputed")).fit(np.zeros((3, 3)))


def test_object_without_fit_predict_is_refused():
    with pytest.raises(TypeError, match="fit_predict"):
        PlacingSegmenter(object()).fit([[0.0]])
