"""HDBSCAN: two engines with the same meaning, placing by mutual reachability, saved as arrays."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn import cluster
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, MissingExtraError
from crmkit.core.registry import spec_of
from crmkit.segmentation import HDBSCAN, PlacingSegmenter
from crmkit.segmentation.segmenters import _hdbscan
from crmkit.testing import check_plugin

INSTALLED = find_spec("hdbscan") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="the extra hdbscan is not installed")
ENGINES = ["scikit-learn", pytest.param("hdbscan", marks=needs_package)]


def two_crowds(seed=0, n=120):
    """Give a wide crowd, a dense one, and scattered customers between."""
    random = np.random.default_rng(seed)
    return np.vstack(
        [random.normal(size=(n, 2)), random.normal(7, 0.3, (n // 2, 2)), random.uniform(-6, 14, (n // 3, 2))]
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_plugin_passes_the_checks_of_its_kind(engine):
    check_plugin(spec_of("segmenter", "hdbscan"), params={"engine": engine, "min_cluster_size": 10, "min_samples": 5})


@pytest.mark.parametrize("params", [{}, {"min_samples": 3}, {"cluster_selection_method": "leaf"}, {"alpha": 1.3},
                                    {"metric": "manhattan"}, {"max_cluster_size": 80}, {"allow_single_cluster": True},
                                    {"metric": "minkowski", "metric_params": {"p": 3}}])  # fmt: skip
def test_scikit_learns_engine_gives_scikit_learns_partition_and_probabilities(params):
    points = two_crowds()
    ours = HDBSCAN(12, engine="scikit-learn", **params).fit(points)
    theirs = cluster.HDBSCAN(12, copy=True, **params).fit(points)
    np.testing.assert_array_equal(ours.labels_ < 0, theirs.labels_ < 0)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1.0
    np.testing.assert_array_equal(ours.probabilities_, theirs.probabilities_)


@needs_package
@pytest.mark.parametrize("min_samples", [1, 2, 5, 9])
def test_min_samples_counts_the_customer_itself_with_both_engines(min_samples):
    # With the trees exact and no ties of whole numbers the engines part at the rim only; counted otherwise, noise
    # alone differs by more than that.
    differ = [
        np.mean(
            [
                HDBSCAN(12, min_samples=min_samples, engine="scikit-learn").fit(two_crowds(seed)).labels_
                != HDBSCAN(12, min_samples=min_samples, engine="hdbscan").fit(two_crowds(seed)).labels_
            ]
        )
        for seed in range(10)
    ]
    assert np.mean(differ) < 0.01


@needs_package
def test_the_package_is_asked_for_one_neighbor_less_and_an_exact_tree(monkeypatch):
    import hdbscan

    asked = {}

    class Spy(hdbscan.HDBSCAN):
        def fit(self, X, y=None):
            asked.update(self.get_params())
            return super().fit(X, y)

    monkeypatch.setattr(hdbscan, "HDBSCAN", Spy)
    HDBSCAN(12, min_samples=4, engine="hdbscan", max_cluster_size=90).fit(two_crowds())
    assert (asked["min_samples"], asked["approx_min_span_tree"], asked["core_dist_n_jobs"]) == (3, False, 1)
    assert (asked["max_cluster_size"], asked["cluster_selection_epsilon"]) == (90, 0.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_core_distances_are_those_of_the_definition(engine):
    points = two_crowds()
    model = HDBSCAN(12, min_samples=4, engine=engine).fit(points)
    np.testing.assert_allclose(model.core_distances_, np.sort(cdist(points, points), axis=1)[:, 3])


@pytest.mark.parametrize("engine", ENGINES)
def test_reach_is_the_farthest_nearest_fellow_by_mutual_reachability(engine):
    points = two_crowds()
    model = HDBSCAN(12, min_samples=4, engine=engine).fit(points)
    mutual = np.maximum(cdist(points, points), np.maximum.outer(model.core_distances_, model.core_distances_))
    np.fill_diagonal(mutual, np.inf)
    inside = model.labels_ >= 0
    nearest = mutual[np.ix_(inside, inside)].min(axis=1)
    expected = [nearest[model.labels_[inside] == label].max() for label in range(model.labels_.max() + 1)]
    np.testing.assert_allclose(model.reach_, expected)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 12), st.sampled_from(["eom", "leaf"]))
def test_fitted_customers_get_their_labels_back_from_every_engine(seed, size, method):
    points = two_crowds(seed)
    for engine in ("scikit-learn", "hdbscan") if INSTALLED else ("scikit-learn",):
        model = HDBSCAN(size, engine=engine, cluster_selection_method=method).fit(points)
        np.testing.assert_array_equal(model.predict(points), model.labels_)


@pytest.mark.parametrize("engine", ENGINES)
def test_new_customers_go_with_the_crowd_they_are_in_one_alone_as_in_a_batch(engine):
    points = two_crowds()
    model = HDBSCAN(15, engine=engine).fit(points)
    wide, dense = model.labels_[np.argmin((points[:120] ** 2).sum(axis=1))], model.labels_[130]
    new = np.array([[0.01, 0.01], [7.02, 7.01], [40.0, -40.0]])
    assert model.predict(new).tolist() == [wide, dense, -1]
    assert [int(model.predict(new[row : row + 1])[0]) for row in range(3)] == [wide, dense, -1]


@pytest.mark.parametrize("engine", ENGINES)
def test_it_places_as_the_wrapper_does(engine):
    points = two_crowds()
    new = np.random.default_rng(5).uniform(-6, 14, (300, 2))
    model = HDBSCAN(15, engine=engine).fit(points)
    if engine == "hdbscan":
        import hdbscan

        wrapped = PlacingSegmenter(
            hdbscan.HDBSCAN(min_cluster_size=15, min_samples=14, approx_min_span_tree=False, core_dist_n_jobs=1)
        )
    else:
        wrapped = PlacingSegmenter(cluster.HDBSCAN(15, copy=True))
    placed = wrapped.fit(points).predict(new)
    np.testing.assert_array_equal(model.predict(new) < 0, placed < 0)
    assert adjusted_rand_score(model.predict(new), placed) == 1.0
    assert wrapped.how_ == model.how_


def test_clusters_are_numbered_by_their_first_customers():
    points = two_crowds()[::-1]
    labels = HDBSCAN(12).fit(points).labels_
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(labels.max() + 1)]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"metric": "cosine"}, "another metric"),
        ({"metric": "minkowski", "metric_params": {"p": 3}}, "another metric"),
        ({"alpha": 1.1}, "another alpha"),
    ],
)
def test_what_the_package_cannot_do_is_left_to_scikit_learn_or_refused(params, reason):
    points = np.abs(two_crowds()) + 1.0
    model = HDBSCAN(12, **params).fit(points)
    assert model.engine_ == "scikit-learn"
    assert reason in model.engine_reason_
    with pytest.raises(ValueError, match=f"engine='hdbscan' cannot do {reason}"):
        HDBSCAN(12, engine="hdbscan", **params).fit(points)


def test_many_columns_are_left_to_scikit_learn():
    model = HDBSCAN(5).fit(np.random.default_rng(0).normal(size=(40, 61)))
    assert (model.engine_, model.engine_reason_) == ("scikit-learn", "more than 60 columns")


def test_without_the_package_scikit_learn_works_and_asking_for_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(_hdbscan, "find_spec", lambda _: None)
    model = HDBSCAN(12).fit(two_crowds())
    assert (model.engine_, model.engine_reason_) == ("scikit-learn", "the package hdbscan is not installed")
    if not INSTALLED:
        with pytest.raises(MissingExtraError, match=r"crmkit\[hdbscan\]"):
            HDBSCAN(12, engine="hdbscan").fit(two_crowds())


@needs_package
def test_with_the_package_it_is_taken():
    model = HDBSCAN(12).fit(two_crowds())
    assert (model.engine_, model.engine_reason_) == ("hdbscan", "the package hdbscan is installed")


@pytest.mark.parametrize("engine", ENGINES)
def test_one_crowd_is_a_cluster_only_where_that_is_allowed(engine):
    points = np.random.default_rng(0).normal(size=(100, 2))
    alone = HDBSCAN(40, engine=engine).fit(points)
    allowed = HDBSCAN(40, engine=engine, allow_single_cluster=True).fit(points)
    assert (alone.labels_.max(), allowed.labels_.max()) == (-1, 0)
    assert alone.predict([[0.0, 0.0]]).tolist() == [-1]
    assert alone.reach_.shape == (0,)


@needs_package
def test_epsilon_keeps_near_clusters_together():
    random = np.random.default_rng(0)
    points = np.vstack([random.normal(place, 0.1, (30, 2)) for place in (0.0, 1.0, 20.0)])
    assert HDBSCAN(10, engine="hdbscan").fit(points).labels_.max() == 2
    assert HDBSCAN(10, engine="hdbscan", cluster_selection_epsilon=3.0).fit(points).labels_.max() == 1


def test_a_failure_of_scikit_learn_on_epsilon_says_what_to_do(monkeypatch):
    def fail(*_):
        raise TypeError("only 0-dimensional arrays can be converted")

    monkeypatch.setattr(cluster.HDBSCAN, "fit", fail)
    with pytest.raises(DataError, match="engine='hdbscan', or cluster_selection_epsilon=0"):
        HDBSCAN(12, engine="scikit-learn", cluster_selection_epsilon=1.0).fit(two_crowds())
    with pytest.raises(TypeError, match="0-dimensional"):
        HDBSCAN(12, engine="scikit-learn").fit(two_crowds())


@pytest.mark.parametrize("engine", ENGINES)
def test_fewer_customers_than_a_core_distance_needs_are_refused(engine):
    with pytest.raises(DataError, match="n_samples=4 should be >= 2 and >= min_samples=5"):
        HDBSCAN(2, min_samples=5, engine=engine).fit(np.zeros((4, 2)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [2, 3, 6])
def test_few_and_equal_customers_are_borne(engine, n):
    for points in (np.zeros((n, 2)), np.random.default_rng(n).normal(size=(n, 2))):
        model = HDBSCAN(2, min_samples=2, engine=engine).fit(points)
        assert np.isfinite(model.probabilities_).all()
        np.testing.assert_array_equal(model.predict(points) < 0, model.labels_ < 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_values_are_refused_alike(engine):
    points = two_crowds()
    points[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        HDBSCAN(12, engine=engine).fit(points)


def test_precomputed_distances_are_refused():
    with pytest.raises(ValueError, match="precomputed"):
        HDBSCAN(2, metric="precomputed").fit(np.zeros((3, 3)))


@pytest.mark.parametrize("engine", ENGINES)
def test_it_saves_as_arrays_and_places_the_same(engine, tmp_path, rfm):
    model = HDBSCAN(12, engine=engine).fit(two_crowds())
    assert all(type(value).__module__.partition(".")[0] in {"builtins", "numpy"} for value in vars(model).values())
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    new = np.random.default_rng(1).uniform(-6, 14, (100, 2))
    np.testing.assert_array_equal(loaded.predict(new), model.predict(new))
    segments = segmentation.segment(rfm, "hdbscan", params={"engine": engine, "min_cluster_size": 20}, random_state=0)
    assert segments.how_new == model.how_
    crmkit.save(segments, tmp_path / "segments.crmkit")
    again = crmkit.load(tmp_path / "segments.crmkit")
    np.testing.assert_array_equal(again.predict_ids(rfm), segments.segment_id)


def test_unfitted_it_says_so():
    with pytest.raises(NotFittedError):
        HDBSCAN().predict([[0.0]])
