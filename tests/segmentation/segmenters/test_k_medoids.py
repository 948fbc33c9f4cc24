"""k-medoids: a local optimum of swaps under any metric, the global one on most tiny tables, frozen medoids."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import spec_of
from crmkit.segmentation import KMedoids
from crmkit.testing import check_plugin


def exhaustive(distances, k):
    """Give the least total of any k medoids."""
    return min(distances[:, list(rows)].min(axis=1).sum() for rows in combinations(range(len(distances)), k))


def best_swap(distances, medoids):
    """Give the least total that one swap leads to."""
    totals = []
    for place in range(len(medoids)):
        for row in set(range(len(distances))) - set(medoids):
            swapped = [*medoids[:place], row, *medoids[place + 1 :]]
            totals.append(distances[:, swapped].min(axis=1).sum())
    return min(totals)


def gower_by_hand(table, other):
    """Work Gower's dissimilarity out pair by pair, with the ranges of ``table``."""
    apart = np.zeros((len(table), len(other)))
    for name in table.columns:
        for row, mine in enumerate(table[name]):
            for column, theirs in enumerate(other[name]):
                if isinstance(mine, str):
                    apart[row, column] += mine != theirs
                else:
                    width = table[name].max() - table[name].min()
                    apart[row, column] += abs(mine - theirs) / width if width else 0.0
    return apart / table.shape[1]


def mixed_table(n=60, seed=0):
    """Give two groups that differ in spend and in channel, and which group each row is of."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, n)
    table = pd.DataFrame(
        {
            "spend": random.normal(group * 100.0, 10.0),
            "channel": np.where(random.random(n) < 0.9, np.array(["门店", "web"], dtype=object)[group], "app"),
            "always": 1.0,
        }
    )
    return table, group


@pytest.mark.filterwarnings("ignore:only:crmkit.core.errors.DataWarning")
@parametrize_with_checks(
    [KMedoids(), KMedoids(metric="gower", init="build"), KMedoids(metric="euclidean", sample_size=15)]
)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_plugin_passes_the_checks_of_its_kind(capsys):
    check_plugin(spec_of("segmenter", "k-medoids"))
    assert "0 failed" in capsys.readouterr().out


@pytest.mark.parametrize(("init", "least"), [("k-medoids++", 48), ("build", 40)])
def test_tiny_tables_end_at_the_best_of_all_medoids_nearly_always(init, least):
    right = 0
    for seed in range(50):
        points = np.random.default_rng(seed).normal(size=(12, 2))
        model = KMedoids(3, init=init, random_state=seed).fit(points)
        right += model.inertia_ == pytest.approx(exhaustive(cdist(points, points, "cityblock"), 3))
    assert right >= least


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 100_000),
    st.integers(5, 30),
    st.integers(1, 4),
    st.sampled_from(["k-medoids++", "build"]),
    st.sampled_from(["manhattan", "euclidean", "chebyshev"]),
)
def test_no_single_swap_makes_the_sum_less(seed, n, k, init, metric):
    points = np.round(np.random.default_rng(seed).normal(size=(n, 2)), 1)
    points[:k] += np.arange(k)[:, None] * 10.0
    distances = cdist(points, points, {"manhattan": "cityblock"}.get(metric, metric))
    model = KMedoids(k, metric=metric, init=init, n_init=1, random_state=seed).fit(points)
    medoids = model.medoid_indices_.tolist()
    assert model.inertia_ == pytest.approx(distances[:, medoids].min(axis=1).sum())
    assert best_swap(distances, medoids) >= model.inertia_ - 1e-9
    np.testing.assert_array_equal(model.labels_, distances[:, medoids].argmin(axis=1))
    np.testing.assert_array_equal(model.predict(points), model.labels_)


def test_a_swap_that_needs_many_blocks_of_candidates_is_still_found():
    points = np.random.default_rng(0).normal(size=(700, 2))
    distances = cdist(points, points, "cityblock")
    medoids = KMedoids(4, n_init=1, random_state=1).fit(points).medoid_indices_
    total = distances[:, medoids].min(axis=1).sum()
    for place in range(4):
        others = distances[:, np.delete(medoids, place)].min(axis=1)
        assert np.minimum(distances, others[:, None]).sum(axis=0).min() >= total - 1e-9


def test_build_takes_the_middle_first_and_needs_no_chance():
    points = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
    assert KMedoids(1, init="build").fit(points).medoid_indices_.tolist() == [2]
    first, second = (KMedoids(2, init="build", random_state=seed).fit(points) for seed in (0, 1))
    np.testing.assert_array_equal(first.medoid_indices_, second.medoid_indices_)
    assert first.inertia_ == 3.0


def test_one_medoid_is_the_row_with_the_least_sum():
    points = np.random.default_rng(0).normal(size=(50, 3))
    distances = cdist(points, points, "cityblock")
    model = KMedoids(1, random_state=0).fit(points)
    assert model.medoid_indices_.tolist() == [int(distances.sum(axis=0).argmin())]


@pytest.mark.parametrize("metric", ["cosine", "correlation", "canberra", "braycurtis", "sqeuclidean", "l1", "l2"])
def test_metrics_are_scipys(metric):
    points = np.random.default_rng(0).uniform(1, 5, (40, 4))
    model = KMedoids(3, metric=metric, random_state=0).fit(points)
    distances = cdist(points, points, {"l1": "cityblock", "l2": "euclidean"}.get(metric, metric))
    assert model.inertia_ == pytest.approx(distances[:, model.medoid_indices_].min(axis=1).sum())


def test_parameters_of_a_metric_are_passed_on():
    points = np.random.default_rng(0).normal(size=(30, 3))
    model = KMedoids(2, metric="minkowski", metric_params={"p": 3}, random_state=0).fit(points)
    distances = cdist(points, points, "minkowski", p=3)
    assert model.inertia_ == pytest.approx(distances[:, model.medoid_indices_].min(axis=1).sum())


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_scales_of_a_metric_are_frozen_so_that_one_row_is_placed_as_in_a_batch(metric):
    points = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 10.0, 100.0]
    model = KMedoids(3, metric=metric, random_state=0).fit(points)
    alone = [int(model.predict(points[row : row + 1])[0]) for row in range(60)]
    assert alone == model.labels_.tolist()


def test_a_function_and_precomputed_distances_give_what_the_name_gives():
    points = np.random.default_rng(0).normal(size=(40, 2))
    distances = cdist(points, points, "cityblock")
    named = KMedoids(3, random_state=0).fit(points)
    by_function = KMedoids(3, metric=lambda a, b: np.abs(a - b).sum(), random_state=0).fit(points)
    by_matrix = KMedoids(3, metric="precomputed", random_state=0).fit(distances)
    np.testing.assert_array_equal(by_function.medoid_indices_, named.medoid_indices_)
    # Columns are searched in an order of their own, and distances in that of the table.
    assert sorted(by_matrix.medoid_indices_) == sorted(named.medoid_indices_)
    new = np.random.default_rng(1).normal(size=(10, 2))
    placed = by_matrix.medoid_indices_[by_matrix.predict(cdist(new, points, "cityblock"))]
    np.testing.assert_array_equal(placed, named.medoid_indices_[named.predict(new)])
    with pytest.raises(AttributeError, match="medoid_indices_"):
        _ = by_matrix.medoids


def test_distances_that_differ_by_direction_are_those_from_row_to_medoid():
    distances = np.array([[0.0, 1.0, 9.0], [9.0, 0.0, 9.0], [9.0, 1.0, 0.0]])
    model = KMedoids(1, metric="precomputed", init="build").fit(distances)
    assert (model.medoid_indices_.tolist(), model.inertia_) == ([1], 2.0)


@pytest.mark.parametrize(
    ("distances", "message"),
    [([[0.0, 1.0]], "square"), ([[0.0, -1.0], [-1.0, 0.0]], "Negative"), ([[0.0, np.nan], [1.0, 0.0]], "NaN")],
)
def test_distances_that_are_none_are_refused(distances, message):
    with pytest.raises(ValueError, match=message):
        KMedoids(1, metric="precomputed").fit(distances)


def test_gower_is_gowers():
    table, group = mixed_table()
    model = KMedoids(2, metric="gower", random_state=0).fit(table)
    distances = gower_by_hand(table, table)
    assert model.inertia_ == pytest.approx(distances[:, model.medoid_indices_].min(axis=1).sum())
    assert model.inertia_ == pytest.approx(exhaustive(distances, 2))
    assert adjusted_rand_score(group, model.labels_) > 0.9
    pd.testing.assert_frame_equal(
        model.medoids.reset_index(drop=True), table.iloc[model.medoid_indices_].reset_index(drop=True)
    )
    assert model.cluster_centers_.shape == (2, 3)


def test_gower_places_by_frozen_ranges_and_tells_new_categories():
    table, _ = mixed_table()
    model = KMedoids(2, metric="gower", random_state=0).fit(table)
    new = pd.DataFrame({"spend": [1e6, -50.0], "channel": ["web", "secret"], "always": [1.0, 7.0]})
    with pytest.warns(DataWarning, match="channel in row 1") as told:
        labels = model.predict(new)
    assert "secret" not in str(told[0].message)
    web = int(np.flatnonzero(model.medoids["channel"] == "web")[0])
    assert labels.tolist() == [web, 1 - web]


def test_gower_of_numbers_or_of_categories_alone():
    numbers = np.array([[0.0, 5.0], [1.0, 5.0], [9.0, 5.0], [10.0, 5.0]])
    model = KMedoids(2, metric="gower", random_state=0).fit(numbers)
    assert model.inertia_ == pytest.approx(0.1)
    words = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": ["p", "p", "q", "r"]})
    assert KMedoids(2, metric="gower", random_state=0).fit(words).inertia_ == pytest.approx(0.5)


def test_categories_without_gower_are_refused_by_name():
    table, _ = mixed_table()
    with pytest.raises(DataError, match=r"channel: not numeric; 'manhattan' takes numbers only.*gower"):
        KMedoids(2).fit(table)
    with pytest.raises(ValueError, match="categorical= is for metric='gower'"):
        KMedoids(2, categorical=["channel"]).fit(table)


def test_a_large_table_is_searched_by_samples_and_ends_nearly_as_low():
    points, group = make_blobs(6000, centers=4, cluster_std=1.5, random_state=0)
    exact = KMedoids(4, random_state=0, sample_size=6000, n_init=1).fit(points)
    sampled = KMedoids(4, random_state=0, sample_size=400).fit(points)
    assert (exact.exact_, sampled.exact_) == (True, False)
    assert exact.inertia_ <= sampled.inertia_ < 1.02 * exact.inertia_
    assert adjusted_rand_score(group, sampled.labels_) > 0.9 * adjusted_rand_score(group, exact.labels_)
    np.testing.assert_allclose(sampled.cluster_centers_, points[sampled.medoid_indices_])
    again = KMedoids(4, random_state=0, sample_size=400).fit(points)
    np.testing.assert_array_equal(again.labels_, sampled.labels_)


def test_samples_together_find_a_group_that_one_of_them_misses():
    points = np.linspace(0.0, 1e-3, 300)[:, None]
    points[:40, 0] += 1.0
    points[299, 0] = 2.0
    model = KMedoids(3, random_state=0, sample_size=280, n_init=8).fit(points)
    assert not model.exact_
    assert sorted(np.round(model.cluster_centers_.ravel(), 1)) == [0.0, 1.0, 2.0]


def test_fewer_rows_apart_than_clusters_give_fewer_groups_and_say_so():
    points = [[0.0], [0.0], [5.0], [5.0]]
    for init in ("k-medoids++", "build"):
        with pytest.warns(DataWarning, match="only 2 of 3 groups"):
            model = KMedoids(3, init=init, random_state=0).fit(points)
        assert sorted(model.cluster_centers_.ravel()) == [0.0, 5.0]
    with pytest.raises(DataError, match="n_samples=4 should be >= n_clusters=5"):
        KMedoids(5).fit(points)


def test_rows_without_a_direction_are_refused_by_position():
    with pytest.raises(DataError, match="'cosine' is not defined for row 1 "):
        KMedoids(2, metric="cosine").fit([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    points = np.random.default_rng(0).uniform(1, 2, (500, 2))
    points[[400, 450]] = 0.0
    with pytest.raises(DataError, match=r"'cosine' is not defined for rows? (400|450|400, 450) "):
        KMedoids(2, metric="cosine", sample_size=50, n_init=1, random_state=0).fit(points)
    model = KMedoids(2, metric="cosine", random_state=0).fit(points[:300])
    with pytest.raises(DataError, match="for row 3 "):
        model.predict(np.vstack([points[:3], np.zeros((1, 2))]))


def test_a_function_with_negative_values_is_refused():
    def odd(a, b):
        return float(a[0] - b[0])

    with pytest.raises(DataError, match="odd gives negative"):
        KMedoids(2, metric=odd).fit([[0.0], [1.0], [2.0]])


def test_missing_values_are_told_by_column_and_row():
    table, _ = mixed_table(10)
    table.loc[3, "spend"] = np.nan
    with pytest.raises(DataError, match=r"spend is missing \(NaN\) in row 3"):
        KMedoids(2).fit(table[["spend", "always"]])


def gappy_table(n, seed):
    """Give numbers and categories of which a fifth is missing, but never all of a row; few values, so many ties."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "spend": random.integers(0, 6, n).astype(float),
            "渠道": random.choice(["门店", "web", "app"], n).astype(object),
            "visits": random.integers(0, 3, n).astype(float),
            "member": random.choice(["yes", "no"], n).astype(object),
        }
    )
    gone = random.random(table.shape) < 0.2
    gone[np.arange(n), random.integers(0, 4, n)] = False
    return table.mask(gone)


def gower_with_gaps_by_hand(table, other):
    """Work the dissimilarity out pair by pair over the columns known of both; 1 where there is none."""
    apart = np.ones((len(table), len(other)))
    for row in range(len(table)):
        for place in range(len(other)):
            parts = []
            for name in table:
                mine, theirs = table[name].iloc[row], other[name].iloc[place]
                if pd.isna(mine) or pd.isna(theirs):
                    continue
                if isinstance(mine, str):
                    parts.append(float(mine != theirs))
                else:
                    parts.append(abs(mine - theirs) / (table[name].max() - table[name].min()))
            if parts:
                apart[row, place] = sum(parts) / len(parts)
    return apart


@pytest.mark.parametrize("seed", range(6))
def test_gower_leaves_a_missing_column_out_of_the_pair(seed):
    table = gappy_table(24, seed)
    distances = gower_with_gaps_by_hand(table, table)
    model = KMedoids(3, metric="gower", random_state=seed, n_init=10).fit(table)
    medoids = model.medoid_indices_.tolist()
    assert model.inertia_ == pytest.approx(distances[:, medoids].min(axis=1).sum())
    assert best_swap(distances, medoids) >= model.inertia_ - 1e-9
    np.testing.assert_allclose(distances[np.arange(24), np.array(medoids)[model.labels_]], distances[:, medoids].min(1))
    np.testing.assert_array_equal(model.predict(table), model.labels_)
    pd.testing.assert_frame_equal(
        model.medoids.reset_index(drop=True).isna(), table.iloc[medoids].reset_index(drop=True).isna()
    )


def test_rows_with_nothing_known_of_both_are_at_distance_one():
    table = pd.DataFrame({"spend": [1.0, 2.0, 3.0, np.nan], "visits": [np.nan, np.nan, np.nan, 5.0]})
    model = KMedoids(1, metric="gower", init="build").fit(table)
    assert (model.medoid_indices_.tolist(), model.inertia_) == ([1], 0.5 + 0.5 + 1.0)
    assert model.predict(pd.DataFrame({"spend": [np.nan], "visits": [9.0]})).tolist() == [0]


def test_a_row_of_which_nothing_is_known_is_refused_by_position():
    table = gappy_table(20, 0)
    model = KMedoids(2, metric="gower", random_state=0).fit(table)
    table.iloc[7] = np.nan
    for call in (KMedoids(2, metric="gower").fit, model.predict):
        with pytest.raises(DataError, match="nothing is known in row 7"):
            call(table)


def test_a_column_of_which_nothing_is_known_decides_nothing():
    table = gappy_table(30, 1)
    without = KMedoids(2, metric="gower", random_state=0).fit(table)
    beside = KMedoids(2, metric="gower", random_state=0).fit(table.assign(empty=np.nan))
    np.testing.assert_array_equal(beside.labels_, without.labels_)
    np.testing.assert_array_equal(beside.predict(table.assign(empty=3.0)), without.labels_)


def test_missing_values_survive_saving(tmp_path):
    table = gappy_table(30, 2)
    model = KMedoids(4, metric="gower", random_state=0).fit(table)
    crmkit.save(model, tmp_path / "model.crmkit")
    np.testing.assert_array_equal(crmkit.load(tmp_path / "model.crmkit").predict(table), model.labels_)


@pytest.mark.parametrize("init", ["k-medoids++", "build"])
@pytest.mark.parametrize("seed", range(5))
def test_weights_count_as_repeated_rows_and_end_where_no_swap_helps(seed, init):
    random = np.random.default_rng(seed)
    points, weights = random.normal(size=(14, 2)), random.integers(0, 5, 14)
    repeated = np.repeat(points, weights, axis=0)
    model = KMedoids(3, init=init, random_state=seed).fit(points, sample_weight=weights)
    twice = KMedoids(3, init=init, random_state=seed).fit(repeated)
    assert model.inertia_ == pytest.approx(twice.inertia_)
    np.testing.assert_array_equal(model.cluster_centers_, twice.cluster_centers_)
    assert (weights[model.medoid_indices_] > 0).all()
    distances = cdist(points, points, "cityblock") * weights[:, None]
    best = min(distances[:, list(rows)].min(axis=1).sum() for rows in combinations(np.flatnonzero(weights), 3))
    assert best - 1e-9 <= model.inertia_ <= 1.1 * best


def test_weights_of_precomputed_distances_are_those_of_rows():
    random = np.random.default_rng(0)
    points, weights = random.normal(size=(20, 2)), random.random(20)
    weights[[3, 4]] = 0.0
    distances = cdist(points, points, "cityblock")
    by_matrix = KMedoids(3, metric="precomputed", random_state=0).fit(distances, sample_weight=weights)
    named = KMedoids(3, random_state=0).fit(points, sample_weight=weights)
    assert by_matrix.inertia_ == pytest.approx(named.inertia_)
    assert sorted(by_matrix.medoid_indices_) == sorted(named.medoid_indices_)


def test_the_order_of_rows_does_not_matter():
    points = np.round(np.random.default_rng(0).normal(size=(200, 2)), 1)
    order = np.random.default_rng(1).permutation(200)
    first, second = (KMedoids(4, random_state=0).fit(rows) for rows in (points, points[order]))
    np.testing.assert_array_equal(first.labels_[order], second.labels_)


def test_weights_decide_what_a_large_table_is_sampled_by():
    points, group = make_blobs(4000, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    weights = np.where(group == 2, 1e-6, 1.0) * np.random.default_rng(0).uniform(0.5, 1.5, 4000)
    model = KMedoids(2, sample_size=200, random_state=0).fit(points, sample_weight=weights)
    assert not model.exact_
    assert set(group[model.medoid_indices_]) == {0, 1}
    exact = KMedoids(2, sample_size=4000, n_init=1, random_state=0).fit(points, sample_weight=weights)
    assert exact.inertia_ <= model.inertia_ < 1.03 * exact.inertia_


def test_scales_of_a_metric_take_weights_as_repeated_rows():
    random = np.random.default_rng(0)
    points, weights = random.normal(size=(30, 3)), random.integers(1, 4, 30)
    for metric, name in (("seuclidean", "V"), ("mahalanobis", "VI")):
        weighted = KMedoids(2, metric=metric, random_state=0).fit(points, sample_weight=weights)
        repeated = KMedoids(2, metric=metric, random_state=0).fit(np.repeat(points, weights, axis=0))
        np.testing.assert_allclose(weighted.metric_params_[name], repeated.metric_params_[name])
    numpys = np.linalg.pinv(np.cov(points, rowvar=False, fweights=weights))
    np.testing.assert_allclose(weighted.metric_params_["VI"], numpys)


@pytest.mark.parametrize(("weights", "message"), [([1, -1, 1], "negative in row 1"), ([0, 0, 0], "zero")])
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        KMedoids(1).fit([[0.0], [1.0], [2.0]], sample_weight=weights)


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="metric"):
        KMedoids(2, metric="manhatten").fit([[0.0], [1.0]])


def test_an_end_by_max_swaps_is_told():
    points = np.random.default_rng(0).normal(size=(200, 2))
    with pytest.warns(ConvergenceWarning, match="max_swaps=1"):
        KMedoids(8, max_swaps=1, n_init=1, random_state=0).fit(points)


def test_it_saves_and_predicts_the_same(tmp_path):
    table, _ = mixed_table()
    model = KMedoids(2, metric="gower", random_state=0).fit(table)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    np.testing.assert_array_equal(loaded.predict(table), model.labels_)
    pd.testing.assert_frame_equal(loaded.medoids, model.medoids)


def test_unfitted_it_says_so():
    with pytest.raises(NotFittedError):
        KMedoids().predict([[0.0]])
    with pytest.raises(NotFittedError):
        _ = KMedoids().cluster_centers_
