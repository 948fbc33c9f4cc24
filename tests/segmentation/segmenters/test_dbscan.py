"""DBSCAN in linear memory gives scikit-learn's answer."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import cluster
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation import DBSCAN
from crmkit.segmentation.segmenters import _dbscan, _dbscan_components, _dbscan_neighbors

EPS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
WEIGHTS = ("none", "counts", "zero and negative", "fractions")


def draw_case(seed):
    """Draw a small table full of ties and repeated rows, and settings for it."""
    random = np.random.default_rng(seed)
    n, d, kind = int(random.integers(1, 150)), int(random.integers(1, 7)), random.integers(6)
    if kind == 0:
        X = random.integers(-4, 5, (n, d)).astype(float)
    elif kind == 1:
        X = random.integers(-10, 11, (n, d)) * 0.1
    elif kind == 2:
        X = random.normal(size=(n, d))
    elif kind == 3:
        X = random.normal(size=(n, d))[random.integers(n, size=n)]
    elif kind == 4:
        X = np.round(random.standard_t(2, size=(n, d)), 1)
    else:
        X = random.integers(0, 3, (n, 1)) * 5 + random.integers(0, 6, (n, d)) * 0.25
    X *= np.where(random.random(X.shape) < 0.2, -1.0, 1.0)
    eps = float(random.uniform(0.1, 1.5) * d**0.5) if kind == 2 else float(random.choice(EPS))
    weight = {
        "none": None,
        "counts": random.integers(1, 4, n),
        "zero and negative": random.integers(-1, 3, n),
        "fractions": random.choice([0.25, 0.5, 1.0, 2.0], n),
    }[random.choice(WEIGHTS, p=(0.6, 0.2, 0.1, 0.1))]
    if weight is not None and not weight.any():
        weight = None  # refused by both
    return X, weight, {"eps": eps, "min_samples": int(random.choice([1, 2, 3, 4, 5, 8, 12, 30]))}


def assert_same(X, weight=None, **params):
    """Fit both and compare; the tree is named because scikit-learn rounds otherwise below twelve rows."""
    ours = DBSCAN(**params).fit(X, sample_weight=weight)
    theirs = cluster.DBSCAN(**params, algorithm="kd_tree").fit(X, sample_weight=weight)
    np.testing.assert_array_equal(ours.core_sample_indices_, theirs.core_sample_indices_)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.components_, theirs.components_)
    assert ours.labels_.dtype == theirs.labels_.dtype
    return ours


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
@parametrize_with_checks([DBSCAN(), DBSCAN(eps=0.8, min_samples=3)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_random_tables_with_ties_and_repeats_get_the_labels_of_scikit_learn(first):
    for seed in range(first, first + 50):
        X, weight, params = draw_case(seed)
        assert_same(X, weight, **params)


@pytest.mark.slow
def test_ten_thousand_random_tables_get_the_labels_of_scikit_learn():
    for seed in range(400, 10_400):
        X, weight, params = draw_case(seed)
        assert_same(X, weight, **params)


@pytest.mark.parametrize("eps", [0.1, 0.3, 0.6, 1.5])
@pytest.mark.parametrize("shape", ["blobs", "discrete", "clumps", "filaments", "parallel lines"])
def test_larger_tables_of_every_shape_get_the_labels_of_scikit_learn(shape, eps):
    random = np.random.default_rng(5)
    n, place = 3000, random.integers(60, size=3000)
    if shape == "blobs":
        X, _ = make_blobs(n, 3, centers=8, cluster_std=0.6, random_state=0)
    elif shape == "discrete":
        X = np.round(random.normal(size=(n, 4)) * 2) / 4
    elif shape == "clumps":
        X = random.uniform(0, 6, (60, 3))[place] + random.normal(0, 0.02, (n, 3))
    elif shape == "filaments":
        X = random.uniform(0, 6, (60, 3))[place] + random.normal(size=(60, 3))[place] * random.uniform(0, 3, (n, 1))
    else:
        # Lines just over eps apart: every point's neighbors are on its own line.
        X = np.column_stack([place * 0.31, random.uniform(0, 2, n)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert assert_same(X, eps=eps, min_samples=10).route_ == "nearest neighbors"


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_groups_that_touch_in_one_pair_only_are_joined_in_a_chain():
    # Each group is denser than its one touching pair, so no list of nearest neighbors shows it.
    random = np.random.default_rng(0)
    middles = np.arange(30) * 3.0
    groups = [np.append(middle + random.uniform(-1.0, 1.0, 60), [middle - 1.05, middle + 1.05]) for middle in middles]
    model = assert_same(np.concatenate(groups)[:, None], eps=0.91, min_samples=4)
    assert set(model.labels_) == {0}
    model = assert_same(np.concatenate(groups)[:, None], eps=0.85, min_samples=4)
    assert model.labels_.max() == 29


def test_joining_needs_several_rounds_where_a_third_group_is_nearer():
    # Without links from neighbors, cells alone begin: every pair must be found by asking.
    random = np.random.default_rng(1)
    points = random.uniform(0, 4, (500, 2))
    part = _dbscan_components.join_core_points(points, [], 0.25, 1)
    labels = cluster.DBSCAN(eps=0.25, min_samples=1).fit_predict(points)
    assert len(np.unique(part)) == len(np.unique(labels)) == len(set(zip(part.tolist(), labels.tolist(), strict=True)))


def test_memory_is_that_of_some_neighbors_and_not_of_all():
    points = np.random.default_rng(0).normal(size=(2000, 2))
    hoods = _dbscan_neighbors.find_neighborhoods(points, np.ones(2000), 5.0, 20, 1)
    assert hoods.core.all()
    assert hoods.near.shape == (2000, 10)
    assert hoods.listed.size == 0


def test_lattice_whose_steps_round_differently_is_decided_by_the_plain_sum():
    # .1 * 3 and .3 differ in the last digit: about half of the pairs at eps are within it.
    X = np.array([[i * 0.1, j * 0.1] for i in range(30) for j in range(30)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for min_samples in (20, 25, 26, 27, 28, 29, 30):
            assert_same(X, eps=0.3, min_samples=min_samples)


def test_border_customer_of_two_clusters_goes_to_the_first():
    X = np.array([[5.0], [5.1], [5.2], [4.5], [4.0], [3.9], [3.8]])
    assert assert_same(X, eps=0.5, min_samples=4).labels_.tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_minus_zero_is_zero_and_equal_rows_are_one_point():
    X = np.array([[0.0], [-0.0], [0.0], [-0.0], [7.0]])
    assert assert_same(X, eps=0.1, min_samples=4).labels_.tolist() == [0, 0, 0, 0, -1]


def test_a_weight_stands_for_so_many_rows():
    random = np.random.default_rng(3)
    X, weight = random.normal(size=(200, 2)), random.integers(1, 4, 200)
    repeated = DBSCAN(eps=0.3, min_samples=9).fit(np.repeat(X, weight, axis=0))
    weighted = DBSCAN(eps=0.3, min_samples=9).fit(X, sample_weight=weight)
    assert weighted.route_ == "nearest neighbors"
    np.testing.assert_array_equal(np.repeat(weighted.labels_, weight), repeated.labels_)
    assert -1 in weighted.labels_
    assert weighted.labels_.max() > 0


@pytest.mark.parametrize("least", [0.5, 0.0, -1.0])
def test_weights_below_one_have_a_route_of_their_own(least):
    random = np.random.default_rng(4)
    X, weight = random.normal(size=(300, 2)), random.choice([least, 1.0, 2.0], 300)
    model = assert_same(X, weight, eps=0.3, min_samples=6)
    assert model.route_ == "weighed neighborhoods: a weight is below 1"


def test_blocks_of_weighed_neighborhoods_do_not_change_the_answer(monkeypatch):
    from crmkit.segmentation.segmenters import _dbscan_counting

    monkeypatch.setattr(_dbscan_counting, "MOST_FOUND", 1000)
    X = np.random.default_rng(4).normal(size=(300, 2))
    assert_same(X, np.full(300, 0.5), eps=0.3, min_samples=3)


def test_many_min_samples_are_weighed():
    X, _ = make_blobs(1500, 2, centers=[[0, 0], [9, 9]], random_state=0)
    model = assert_same(X, eps=1.0, min_samples=257)
    assert model.route_ == "weighed neighborhoods: min_samples is above 256"
    assert model.labels_.max() == 1


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"metric": "manhattan"}, "another metric"),
        ({"metric": "minkowski", "p": 3}, "another metric"),
        ({"algorithm": "ball_tree"}, "algorithm='ball_tree'"),
    ],
)
def test_what_the_route_cannot_do_is_left_to_scikit_learn(params, why):
    X, _ = make_blobs(300, 2, centers=3, random_state=0)
    model = DBSCAN(eps=0.7, **params).fit(X)
    np.testing.assert_array_equal(model.labels_, cluster.DBSCAN(eps=0.7, **params).fit(X).labels_)
    assert model.route_ == f"scikit-learn: {why}"


def test_many_columns_are_left_to_scikit_learn():
    X, _ = make_blobs(300, _dbscan.MOST_FEATURES + 1, centers=3, random_state=0)
    model = DBSCAN(eps=4.0).fit(X)
    np.testing.assert_array_equal(model.labels_, cluster.DBSCAN(eps=4.0).fit(X).labels_)
    assert model.route_ == f"scikit-learn: more than {_dbscan.MOST_FEATURES} columns"


def test_sparse_tables_and_distances_are_taken():
    X = np.array([[0.0, 0.0], [0.0, 0.4], [0.0, 0.8], [5.0, 0.0]])
    assert DBSCAN(min_samples=3).fit(csr_array(X)).labels_.tolist() == [0, 0, 0, -1]
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    model = DBSCAN(min_samples=3, metric="precomputed").fit(distances)
    assert model.labels_.tolist() == [0, 0, 0, -1]
    assert model.components_.shape == (1, 4)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_numbers_beyond_the_squares_of_floats_are_left_to_scikit_learn(scale):
    model = DBSCAN(eps=scale, min_samples=2).fit(np.array([[0.0], [1.0]]) * scale)
    assert model.route_ == "scikit-learn: numbers whose squares are out of range"


def test_far_columns_with_a_narrow_eps_still_agree():
    # So many cells along the column that rounding would decide: cells are then left out.
    random = np.random.default_rng(0)
    X = np.concatenate([random.normal(0, 1e-4, 200), random.normal(1e9, 1e-4, 200)])[:, None]
    assert_same(X, eps=1e-3, min_samples=5)


def test_components_keep_the_type_of_the_table():
    X = np.array([[0, 0], [0, 1], [1, 0], [9, 9]], dtype=np.float32)
    model = DBSCAN(eps=1.0, min_samples=2).fit(X)
    assert model.components_.dtype == np.float32
    assert model.labels_.tolist() == [0, 0, 0, -1]


def test_one_customer_is_noise_or_a_cluster_of_its_own():
    assert DBSCAN(min_samples=2).fit([[1.0, 2.0]]).labels_.tolist() == [-1]
    assert DBSCAN(min_samples=1).fit([[1.0, 2.0]]).labels_.tolist() == [0]


def test_missing_values_and_wrong_parameters_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        DBSCAN().fit([[np.nan], [1.0]])
    with pytest.raises(ValueError, match="eps"):
        DBSCAN(eps=0.0).fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match="eps"):
        DBSCAN(eps="wide").fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match="min_samples"):
        DBSCAN(min_samples=0).fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match="n_jobs"):
        DBSCAN(n_jobs=0).fit([[0.0], [1.0]])


@pytest.mark.parametrize("n_jobs", [2, -1, -2, -99])
def test_threads_do_not_change_the_labels(n_jobs):
    X, _ = make_blobs(400, 2, centers=4, random_state=0)
    np.testing.assert_array_equal(DBSCAN(n_jobs=n_jobs).fit(X).labels_, DBSCAN().fit(X).labels_)


@pytest.mark.parametrize(
    ("params", "flag"),
    [
        ({"eps": 0.01}, "100% of 600 customers are noise"),
        ({"eps": 1.5, "min_samples": 10}, "there is one cluster only"),
        ({"eps": 30.0}, "all are core customers"),
    ],
)
def test_red_flags_are_told(params, flag):
    X = np.random.default_rng(0).normal(size=(600, 2))
    with pytest.warns(DataWarning, match=flag):
        DBSCAN(**params).fit(X)


def test_good_clusters_and_small_tables_are_told_nothing_of():
    X, _ = make_blobs(900, 2, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DBSCAN(eps=0.5, min_samples=10).fit(X)
        DBSCAN(eps=1e-6).fit(X[:499])


def test_eps_can_be_left_to_the_knee():
    X, group = make_blobs(900, 2, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.5, random_state=0)
    model = DBSCAN(eps="auto", min_samples=10).fit(X)
    assert model.eps_ == segmentation.choose_eps(X, min_samples=10, random_state=0).eps
    assert model.get_params()["eps"] == "auto"
    clear = model.labels_ >= 0
    assert clear.mean() > 0.9
    assert len(set(zip(model.labels_[clear].tolist(), group[clear].tolist(), strict=True))) == 3


def test_eps_of_other_metrics_is_not_guessed():
    with pytest.raises(DataError, match="give a number"):
        DBSCAN(eps="auto", metric="manhattan").fit(np.zeros((9, 2)))


def test_new_customers_are_placed_by_the_eps_that_was_found():
    X, _ = make_blobs(900, 2, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.5, random_state=0)
    table = pd.DataFrame(X, columns=["a", "b"], index=pd.RangeIndex(900, name="customer_id"))
    segments = segmentation.segment(table, "dbscan", transform="none", params={"eps": "auto"}, random_state=0)
    assert len(segments.profile) == 4
    cores = segments.segmenter.segmenter_.core_sample_indices_
    np.testing.assert_array_equal(segments.predict(table).iloc[cores], segments.labels.iloc[cores])
    assert f"{segments.segmenter.segmenter_.eps_:g}" in segments.how_new


def test_it_is_the_one_of_the_catalogue():
    made = crmkit.create("segmenter", "dbscan")
    assert isinstance(made, DBSCAN)
    assert (made.eps, made.min_samples) == (0.3, 10)
    assert crmkit.describe("segmenter", "dbscan").spec.target == "crmkit.segmentation:DBSCAN"


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_it_is_saved_and_comes_back(tmp_path):
    X, _ = make_blobs(300, 2, centers=3, random_state=0)
    model = DBSCAN(eps=0.7).fit(X)
    crmkit.save(model, tmp_path / "dbscan.crmkit")
    again = crmkit.load(tmp_path / "dbscan.crmkit", expect=DBSCAN)
    np.testing.assert_array_equal(again.labels_, model.labels_)
    assert again.route_ == model.route_
