"""Where new customers go when the algorithm itself cannot predict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    OPTICS,
    AffinityPropagation,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    SpectralClustering,
)
from sklearn.datasets import make_blobs, make_moons
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
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


def test_optics_cut_at_eps_places_as_dbscan_does():
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [50.0]])
    placing = PlacingSegmenter(OPTICS(min_samples=2, cluster_method="dbscan", eps=1.0)).fit(points)
    assert placing.labels_.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert placing.predict([[1.1], [2.0], [4.0], [50.0]]).tolist() == [0, -1, 1, -1]
    assert "eps=1" in placing.how_


def test_others_are_placed_as_their_nearest_fitted_customer():
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    placing = PlacingSegmenter(AgglomerativeClustering(2)).fit(points)
    low, high = placing.labels_[[0, 5]]
    assert placing.predict([[2.0], [4.0], [99.0]]).tolist() == [low, high, high]
    assert placing.how_ == "as the nearest customer that was fitted on"


def test_precomputed_distances_are_refused():
    with pytest.raises(ValueError, match="precomputed"):
        PlacingSegmenter(DBSCAN(metric="precomputed")).fit(np.zeros((3, 3)))


def test_object_without_fit_predict_is_refused():
    with pytest.raises(TypeError, match="fit_predict"):
        PlacingSegmenter(object()).fit([[0.0]])


@pytest.fixture(scope="module")
def crowds():
    """Give three crowds and who is in which."""
    return make_blobs(150, centers=[[0, 0], [8, 0], [0, 8]], cluster_std=0.7, random_state=0)


class Exemplars(ClusterMixin, BaseEstimator):
    """A k-medoids that tells its medoids and cannot predict."""

    def fit(self, X, _=None):
        self.medoid_indices_ = np.array([0, 50, 100])
        self.labels_ = ((X[:, None] - X[None, self.medoid_indices_]) ** 2).sum(axis=2).argmin(axis=1)
        return self


@pytest.mark.parametrize(
    ("segmenter", "how"),
    [
        (AffinityPropagation(damping=0.9, preference=-50, random_state=0), "by the segmenter's own predict"),
        (KMeans(3, n_init=3, random_state=0), "by the segmenter's own predict"),
        (BisectingKMeans(3, random_state=0), "by the segmenter's own predict"),
        (Birch(n_clusters=3), "by the segmenter's own predict"),
        (MeanShift(bandwidth=3.0), "by the segmenter's own predict"),
        (AgglomerativeClustering(3), "as the nearest customer that was fitted on"),
        (AgglomerativeClustering(3, linkage="average", metric="cosine"), "as the nearest customer that was fitted on"),
        (SpectralClustering(3, random_state=0), "as the nearest customer that was fitted on"),
        (Exemplars(), "with the nearest exemplar"),
        (DBSCAN(eps=1.5), "with the nearest core customer, if within eps=1.5; else in no segment"),
        (OPTICS(min_samples=5, cluster_method="dbscan", eps=1.5), "with the nearest core customer, if within eps=1.5"),
        (OPTICS(min_samples=10), "as the nearest customer that was fitted on, if as near as members are"),
        (HDBSCAN(20, copy=True), "with the nearest member by mutual reachability"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_algorithm_places_the_fitted_where_they_are_and_new_ones_with_their_crowd(segmenter, how, crowds):
    points, _ = crowds
    if getattr(segmenter, "metric", None) == "cosine":
        # From the middle of all three: directions then tell them apart.
        points = points - points.mean(axis=0)
    placing = PlacingSegmenter(segmenter).fit(points)
    assert placing.how_.startswith(how)
    back = placing.predict(points)
    assert (back == placing.labels_).mean() >= 0.99
    shift = np.array([0.03, -0.02])
    moved = placing.predict(points + shift)
    inside = (placing.labels_ >= 0) & (moved >= 0)
    assert inside.mean() > 0.8 or isinstance(segmenter, OPTICS)
    assert (moved[inside] == placing.labels_[inside]).mean() > 0.98
    alone = [int(placing.predict(points[row : row + 1])[0]) for row in range(0, 150, 10)]
    assert alone == back[::10].tolist()


@pytest.mark.parametrize(
    "segmenter",
    [DBSCAN(eps=1.5), HDBSCAN(20, copy=True), OPTICS(min_samples=10), OPTICS(cluster_method="dbscan", eps=1.5)],
    ids=lambda value: type(value).__name__,
)
def test_algorithms_that_leave_customers_out_leave_out_who_is_far_from_all(segmenter, crowds):
    placing = PlacingSegmenter(segmenter).fit(crowds[0])
    assert placing.predict([[100.0, 100.0], [-30.0, 0.0]]).tolist() == [-1, -1]


def test_exemplars_alone_are_kept_and_the_nearest_decides(crowds):
    points, _ = crowds
    placing = PlacingSegmenter(Exemplars()).fit(points)
    assert placing.points_.shape == (3, 2)
    new = np.random.default_rng(0).uniform(-3, 10, (50, 2))
    nearest = ((new[:, None] - points[None, [0, 50, 100]]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(placing.predict(new), placing.point_labels_[nearest])


class Marking(ClusterMixin, BaseEstimator):
    """An algorithm of nobody's that leaves customers out under labels of its own."""

    def __init__(self, given=(0, 0, 0, -3)):
        self.given = given

    def fit(self, _, __=None):
        self.labels_ = np.array(self.given)
        return self


def test_one_that_leaves_customers_out_takes_in_as_near_as_members_are_and_not_beyond():
    placing = PlacingSegmenter(Marking()).fit([[0.0], [0.1], [0.25], [50.0]])
    assert placing.reach_ == pytest.approx([0.15])
    assert placing.predict([[-0.14], [-0.16], [0.39], [0.41], [50.01]]).tolist() == [0, -1, 0, -1, -3]


def test_optics_cut_by_steepness_has_the_reach_of_its_members(crowds):
    points, _ = crowds
    placing = PlacingSegmenter(OPTICS(min_samples=10)).fit(points)
    for label in range(placing.labels_.max() + 1):
        members = points[placing.labels_ == label]
        apart = cdist(members, members)
        np.fill_diagonal(apart, np.inf)
        assert placing.reach_[label] == pytest.approx(apart.min(axis=1).max())


def test_affinities_given_beforehand_are_refused():
    with pytest.raises(ValueError, match="precomputed"):
        PlacingSegmenter(SpectralClustering(2, affinity="precomputed")).fit(np.eye(4))


def test_placing_saves_and_places_the_same(tmp_path, crowds):
    new = np.random.default_rng(0).uniform(-3, 10, (50, 2))
    for segmenter in (AgglomerativeClustering(3), OPTICS(min_samples=10), HDBSCAN(20, copy=True)):
        placing = PlacingSegmenter(segmenter).fit(crowds[0])
        crmkit.save(placing, tmp_path / "placing.crmkit")
        loaded = crmkit.load(tmp_path / "placing.crmkit")
        np.testing.assert_array_equal(loaded.predict(new), placing.predict(new))


def test_one_that_left_everybody_out_places_nobody():
    placing = PlacingSegmenter(Marking((-1, -1, -2))).fit([[0.0], [1.0], [2.0]])
    assert placing.labels_.tolist() == [-1, -1, -2]
    assert placing.predict([[0.0], [9.0]]).tolist() == [-1, -1]
    assert placing.how_.startswith("as the nearest customer that was fitted on, if as near")
