"""Support vector clustering: shapes that no center describes, one place for a customer alone and in a batch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation import SupportVectorClustering


def rings(n=400, seed=0):
    return make_circles(n, factor=0.4, noise=0.05, random_state=seed)


@pytest.mark.parametrize("seed", range(3))
def test_rings_and_crescents_come_out_where_k_means_cuts_through_them(seed):
    for points, truth in (rings(seed=seed), make_moons(400, noise=0.06, random_state=seed)):
        model = SupportVectorClustering(random_state=0).fit(points)
        inside = model.labels_ >= 0
        assert model.n_clusters_ == 2
        assert adjusted_rand_score(truth[inside], model.labels_[inside]) == 1.0
        assert inside.mean() > 0.97
        means = KMeans(2, n_init=5, random_state=0).fit(points).labels_
        assert adjusted_rand_score(truth, means) < 0.6


def test_blobs_apart_are_counted_and_one_cloud_is_one():
    points, truth = make_blobs(600, centers=[[0, 0], [9, 0], [0, 9], [9, 9]], random_state=0)
    model = SupportVectorClustering(random_state=0).fit(points)
    assert adjusted_rand_score(truth, model.labels_) > 0.97
    cloud = SupportVectorClustering(random_state=0).fit(np.random.default_rng(0).normal(size=(600, 2)))
    assert cloud.n_clusters_ == 1


def test_gamma_auto_is_the_largest_that_few_support_vectors_hold():
    points, _ = rings()
    model = SupportVectorClustering(random_state=0).fit(points)
    assert len(model.support_weights_) <= 0.2 * 400
    tighter = SupportVectorClustering(model.gamma_ * 2 ** (1 / 8), random_state=0).fit(points)
    assert len(tighter.support_weights_) > 0.2 * 400
    assert model.gamma_ > 1 / cdist(points, points, "sqeuclidean").max()


def test_gamma_as_declared_is_used_and_larger_makes_more():
    points, _ = rings()
    wide, tight = (SupportVectorClustering(gamma).fit(points) for gamma in (0.5, 20.0))
    assert (wide.gamma_, wide.n_clusters_, tight.n_clusters_) == (0.5, 1, 2)


def test_the_squared_radius_is_the_distance_in_kernel_space():
    points, _ = rings(60)
    model = SupportVectorClustering(1.5, nu=0.2).fit(points)
    new = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    among = np.exp(-1.5 * cdist(model.support_vectors_, model.support_vectors_, "sqeuclidean"))
    to_new = np.exp(-1.5 * cdist(new, model.support_vectors_, "sqeuclidean"))
    weights = model.support_weights_
    expected = 1 - 2 * to_new @ weights + weights @ among @ weights
    np.testing.assert_allclose(model.squared_radius(new), expected, atol=1e-12)
    np.testing.assert_array_equal(
        model.squared_radius(points) <= 1 - 2 * model.level_ + model.norm_,
        (points[:, None] == model.points_[None]).all(axis=2).any(axis=1),
    )


def test_a_sample_draws_the_contour_and_all_are_placed_by_it():
    points, truth = rings(4000)
    model = SupportVectorClustering(sample_size=500, random_state=0).fit(points)
    assert len(model.sample_indices_) == 500
    inside = model.labels_ >= 0
    assert adjusted_rand_score(truth[inside], model.labels_[inside]) > 0.99
    assert inside.mean() > 0.97
    np.testing.assert_array_equal(model.predict(points), model.labels_)
    alone = [int(model.predict(points[row : row + 1])[0]) for row in range(0, 4000, 40)]
    assert alone == model.labels_[::40].tolist()
    again = SupportVectorClustering(sample_size=500, random_state=0).fit(points)
    np.testing.assert_array_equal(again.labels_, model.labels_)


def test_outside_the_contour_goes_as_declared():
    points, _ = rings()
    new = np.array([[0.0, 1.0], [1.2, 0.0], [6.0, 0.0]])
    near, noise, nearest = (
        SupportVectorClustering(20.0, outside=outside).fit(points) for outside in ("near", "noise", "nearest")
    )
    ring = near.labels_[np.argmin(cdist(points, new[:1]).ravel())]
    limit = near.reach_[ring]
    fellow = cdist(new, near.points_[near.point_labels_ == ring]).min(axis=1)
    assert near.squared_radius(new).tolist()[1] > 1 - 2 * near.level_ + near.norm_
    assert near.predict(new).tolist() == [ring, ring if fellow[1] <= limit else -1, -1]
    assert noise.predict(new).tolist() == [ring, -1, -1]
    assert nearest.predict(new).tolist() == [ring, ring, ring]
    assert (nearest.labels_ >= 0).all()
    assert near.how_.endswith("else in no segment")


def test_reach_is_the_farthest_nearest_fellow_and_takes_in_up_to_it():
    points, _ = make_blobs(200, centers=[[0, 0], [20, 0]], random_state=0)
    model = SupportVectorClustering(0.3, nu=0.1).fit(points)
    for label in range(model.n_clusters_):
        members = model.points_[model.point_labels_ == label]
        apart = cdist(members, members)
        np.fill_diagonal(apart, np.inf)
        assert model.reach_[label] == pytest.approx(apart.min(axis=1).max())
    kept = model.points_[model.point_labels_ >= 0]
    rim = kept[np.argmax(kept[:, 0])]
    label = model.predict([rim])[0]
    step = np.array([model.reach_[label], 0.0])
    just, beyond = rim + 0.999 * step, rim + 1.001 * step
    assert model.predict([beyond]).tolist() == [-1]
    assert model.predict([just]).tolist() == [label]


def test_a_way_inside_the_contour_decides_and_not_the_nearest_customer():
    # A bar on the left holds 40 customers, a dense dot on the right 40; the new one is in the bar and nearer the dot.
    bar = np.column_stack([np.zeros(40), np.linspace(0, 8, 40)])
    dot = np.random.default_rng(0).normal([1.6, 4.0], 0.02, (40, 2))
    model = SupportVectorClustering(1.0, nu=0.02).fit(np.vstack([bar, dot]))
    assert model.n_clusters_ == 2
    asked = np.column_stack([np.linspace(0.0, 1.6, 81), np.full(81, 4.0)])
    inside = model.squared_radius(asked) <= 1 - 2 * model.level_ + model.norm_
    ends = np.flatnonzero(~inside)
    left = inside & (np.arange(81) < ends[0])
    assert set(model.predict(asked[left])) == {model.labels_[0]}
    assert set(model.predict(asked[inside & (np.arange(81) > ends[-1])])) == {model.labels_[-1]}


def test_islands_that_are_too_small_are_no_segments():
    random = np.random.default_rng(0)
    points = np.vstack([random.normal(size=(80, 2)), random.normal(30, 0.1, (6, 2))])
    assert SupportVectorClustering(0.1, min_cluster_size=5).fit(points).n_clusters_ == 2
    model = SupportVectorClustering(0.1, min_cluster_size=7).fit(points)
    assert model.n_clusters_ == 1
    assert (model.labels_[80:] == -1).all()
    with pytest.warns(DataWarning, match="nobody is in a segment"):
        nobody = SupportVectorClustering(0.1, min_cluster_size=200).fit(points)
    assert set(nobody.predict(points)) == {-1}


@pytest.mark.parametrize("points", [[[1.0, 2.0]], [[1.0, 1.0]] * 7, [[1.0], [2.0]]])
def test_few_and_equal_customers_are_one_segment(points):
    model = SupportVectorClustering(min_cluster_size=1).fit(points)
    assert set(model.labels_) == {0}
    assert set(model.predict(points)) == {0}


def test_distances_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="too large"):
        SupportVectorClustering().fit([[1e200], [-1e200], [0.0]])
    with pytest.raises(ValueError, match=r"support_share=0.05 must be above nu=0.1"):
        SupportVectorClustering(support_share=0.05, nu=0.1).fit([[0.0], [1.0]])


def test_it_saves_alone_and_as_segments(tmp_path, rfm):
    points, _ = rings()
    model = SupportVectorClustering(random_state=0).fit(points)
    crmkit.save(model, tmp_path / "model.crmkit")
    np.testing.assert_array_equal(crmkit.load(tmp_path / "model.crmkit").predict(points), model.labels_)
    segments = segmentation.segment(rfm, "support-vector-clustering", random_state=0)
    assert segments.n_segments == 3
    assert segments.how_new == model.how_
    crmkit.save(segments, tmp_path / "segments.crmkit")
    again = crmkit.load(tmp_path / "segments.crmkit")
    np.testing.assert_array_equal(again.predict_ids(rfm), segments.segment_id)


def test_unfitted_it_says_so():
    with pytest.raises(NotFittedError):
        SupportVectorClustering().predict([[0.0]])
