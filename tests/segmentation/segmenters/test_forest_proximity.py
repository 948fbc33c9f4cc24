"""Forest proximity: shares of leaves, blind to rising transforms, and honest where columns do not go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation import ForestProximity
from crmkit.segmentation.segmenters._mixed import Mixed
from crmkit.segmentation.segmenters._proximity_forest import (
    Growth,
    as_columns,
    grow,
    held_out_right,
    leaves_of,
    proximities,
)

SMALL = {"n_copies": 2, "n_estimators": 25, "random_state": 0}
GROWTH = Growth(2, 10, 0.05, "sqrt", None)


def skewed(n=600, seed=0):
    """Give three groups on skewed columns of several scales, three columns of noise beside them."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 3, n)
    centers = np.array([[0, 0, 2, 2], [2, 0, 0, 2], [2, 2, 2, 0]], dtype=float) * 1.5
    spent = np.exp(random.normal(centers[group], 0.6)) * [1.0, 1e3, 1e-3, 50.0]
    return np.hstack([spent, random.lognormal(0, 2, (n, 3))]), group


def mixed_table(n=400, seed=0):
    """Give two groups that differ in spend, visits and channel together."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, n)
    table = pd.DataFrame(
        {
            "spend": random.normal(group * 6.0, 1.0),
            "channel": np.where(random.random(n) < 0.95, np.array(["门店", "web"], dtype=object)[group], "app"),
            "member": np.where(random.random(n) < 0.9, group == 1, group == 0),
        }
    )
    return table, group


def test_groups_on_skewed_columns_beside_noise_come_out_better_than_by_k_means_on_scaled_columns():
    points, group = skewed()
    model = ForestProximity(3, random_state=0).fit(points)
    means = KMeans(3, n_init=5, random_state=0).fit(StandardScaler().fit_transform(points)).labels_
    assert adjusted_rand_score(group, model.labels_) > 0.85
    assert adjusted_rand_score(group, model.labels_) > adjusted_rand_score(group, means) + 0.2


def test_rising_transforms_of_columns_change_nothing_for_new_rows_either():
    points, _ = skewed(400)
    new = skewed(200, seed=1)[0]
    rising = [np.log, np.sqrt, lambda column: column**3, np.log1p, lambda column: 1e6 * column + 7, np.sqrt, np.cbrt]

    def bent(table):
        return np.column_stack([way(column) for way, column in zip(rising, table.T, strict=True)])

    plain, moved = ForestProximity(3, **SMALL).fit(points), ForestProximity(3, **SMALL).fit(bent(points))
    np.testing.assert_array_equal(plain.labels_, moved.labels_)
    np.testing.assert_array_equal(plain.predict(new), moved.predict(bent(new)))
    assert plain.inertia_ == moved.inertia_


def test_numbers_that_single_precision_would_join_are_still_apart():
    points = np.repeat([[1e9, 0.0], [1e9 + 1.0, 1.0]], 100, axis=0)
    model = ForestProximity(2, **SMALL).fit(points)
    assert adjusted_rand_score(np.repeat([0, 1], 100), model.labels_) == 1.0


def test_proximity_is_the_share_of_trees_in_which_two_rows_share_a_leaf():
    mixed = Mixed(np.random.default_rng(0).normal(size=(30, 3)), np.zeros((30, 0), dtype=np.intp))
    cuts = [np.unique(column) for column in mixed.numbers.T]
    forests = grow(mixed, cuts, [], GROWTH, np.random.RandomState(0))
    columns = as_columns(mixed, cuts, [])
    found = proximities(leaves_of(forests, columns))
    trees = [tree for forest in forests for tree in forest.estimators_]
    leaves = np.array([tree.apply(columns) for tree in trees])
    by_hand = [[np.mean(leaves[:, one] == leaves[:, other]) for other in range(30)] for one in range(30)]
    np.testing.assert_allclose(found, by_hand, atol=1e-7)
    assert (np.diag(found) == 1).all()


def test_places_are_halves_between_sampled_values_and_unknown_categories_are_none():
    mixed = Mixed(np.array([[5.0], [6.0], [10.0], [99.0], [-1.0]]), np.array([[0], [1], [2], [-1], [1]]))
    columns = as_columns(mixed, [np.array([5.0, 10.0])], [3])
    np.testing.assert_array_equal(columns[:, 0], [0.5, 1.0, 1.5, 2.0, 0.0])
    np.testing.assert_array_equal(columns[:, 1:], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]])


def test_medoids_are_rows_and_every_row_has_the_medoid_with_most_leaves_in_common():
    points, _ = skewed(300)
    model = ForestProximity(3, **SMALL).fit(points)
    np.testing.assert_array_equal(model.medoid_numbers_, points[model.medoid_indices_])
    np.testing.assert_array_equal(model.medoids.to_numpy(), points[model.medoid_indices_])
    mixed = Mixed(points, np.zeros((300, 0), dtype=np.intp))
    leaves = leaves_of(model.forests_, as_columns(mixed, model.cuts_, []))
    shared = np.array([[(row == medoid).sum() for medoid in model.medoid_leaves_] for row in leaves])
    assert (shared[np.arange(300), model.labels_] == shared.max(axis=1)).all()
    assert model.inertia_ == pytest.approx(np.sqrt(1 - shared.max(axis=1) / leaves.shape[1]).sum())


def test_of_medoids_equally_near_the_one_whose_group_shares_more_leaves_is_taken():
    points, _ = skewed(400)
    model = ForestProximity(3, n_copies=1, n_estimators=3, random_state=0).fit(points)
    mixed = Mixed(points, np.zeros((400, 0), dtype=np.intp))
    leaves = leaves_of(model.forests_, as_columns(mixed, model.cuts_, []))
    shared = np.array([[(row == medoid).sum() for medoid in model.medoid_leaves_] for row in leaves])
    tied = (shared == shared.max(axis=1)[:, None]).sum(axis=1) > 1
    assert tied.sum() > 10
    groups = shared.argmax(axis=1)
    for row in np.flatnonzero(tied):
        mean = [np.mean([(leaves[row] == other).sum() for other in leaves[groups == label]]) for label in range(3)]
        candidates = np.flatnonzero(shared[row] == shared[row].max())
        best = max(mean[label] for label in candidates)
        assert mean[model.labels_[row]] == pytest.approx(best)


def test_a_sample_grows_the_forest_and_all_are_placed_by_it_one_alone_as_in_a_batch():
    points, truth = make_blobs(9000, centers=3, n_features=4, random_state=0)
    model = ForestProximity(3, sample_size=500, **SMALL).fit(points)
    assert len(model.sample_indices_) == 500
    assert set(model.medoid_indices_) <= set(model.sample_indices_)
    assert adjusted_rand_score(truth, model.labels_) > 0.95
    np.testing.assert_array_equal(model.predict(points), model.labels_)
    alone = [int(model.predict(points[row : row + 1])[0]) for row in range(0, 9000, 300)]
    assert alone == model.labels_[::300].tolist()
    again = ForestProximity(3, sample_size=500, **SMALL).fit(points)
    np.testing.assert_array_equal(again.labels_, model.labels_)


def test_columns_that_do_not_go_together_are_warned_of():
    points = np.random.default_rng(0).normal(size=(500, 4))
    with pytest.warns(DataWarning, match="no column is seen to go with another"):
        model = ForestProximity(3, **SMALL).fit(points)
    accuracy = model.held_out_accuracy
    assert accuracy.low <= 0.5
    assert accuracy.n == 1000


@pytest.mark.parametrize("beside", [0, 1])
def test_one_column_that_varies_is_its_own_permuted_copy_and_that_is_said(beside):
    group = np.repeat([0, 1, 2], 20)
    spent = np.random.default_rng(0).normal(np.array([1.0, 20.0, 60.0])[group], 1.0)
    table = np.column_stack([spent, *np.ones((beside, 60))])
    with pytest.warns(DataWarning, match=f"1 of {1 + beside} columns vary, and a permuted copy .* take k-medoids"):
        ForestProximity(3, random_state=0).fit(table)


def test_sixty_rows_in_three_groups_come_apart_in_three_columns():
    group = np.repeat([0, 1, 2], 20)
    for seed in range(3):
        table = np.random.default_rng(seed).normal(np.array([1.0, 20.0, 60.0])[group][:, None], 1.0, (60, 3))
        labels = ForestProximity(3, random_state=0).fit(table).labels_
        assert adjusted_rand_score(group, labels) > 0.9


def test_held_out_rows_are_told_by_chance_where_columns_are_independent_and_better_where_not():
    random = np.random.default_rng(1)
    shares = []
    for _ in range(12):
        mixed = Mixed(random.normal(size=(200, 4)), np.zeros((200, 0), dtype=np.intp))
        cuts = [np.unique(column) for column in mixed.numbers.T]
        right, asked = held_out_right(mixed, cuts, [], GROWTH, np.random.RandomState(0))
        shares.append(right / asked)
    # 12 x 400 rows: a standard error of .007.
    assert np.mean(shares) == pytest.approx(0.5, abs=0.025)
    assert ForestProximity(3, **SMALL).fit(skewed()[0]).held_out_accuracy.low > 0.7


def test_categories_count_without_an_order_and_new_ones_are_told():
    table, group = mixed_table()
    model = ForestProximity(2, **SMALL).fit(table)
    assert adjusted_rand_score(group, model.labels_) > 0.8
    assert model.medoids.columns.tolist() == ["spend", "channel", "member"]
    renamed = table.assign(channel=table["channel"].map({"门店": "z", "web": "a", "app": "k"}))
    assert adjusted_rand_score(group, ForestProximity(2, **SMALL).fit(renamed).labels_) > 0.7
    with pytest.warns(DataWarning, match="channel in row 0") as told:
        model.predict(pd.DataFrame({"spend": [6.0], "channel": ["secret"], "member": [True]}))
    assert "secret" not in str(told[0].message)


def test_categories_of_an_array_are_named_by_position():
    table, group = mixed_table()
    array = table.to_numpy(dtype=object)
    model = ForestProximity(2, categorical=[1, 2], **SMALL).fit(array)
    np.testing.assert_array_equal(model.labels_, ForestProximity(2, **SMALL).fit(table).labels_)
    assert adjusted_rand_score(group, model.labels_) > 0.8


def test_missing_values_are_refused_by_column_and_row():
    table, _ = mixed_table(20)
    table.loc[3, "spend"] = np.nan
    with pytest.raises(DataError, match=r"spend is missing \(NaN\) in row 3"):
        ForestProximity(2).fit(table)
    with pytest.raises(DataError, match="n_samples=2 should be >= n_clusters=3"):
        ForestProximity(3).fit([[0.0], [1.0]])


def test_rows_that_no_leaf_tells_apart_give_fewer_groups_and_say_so():
    with pytest.warns(DataWarning) as told:
        model = ForestProximity(3, **SMALL).fit(np.ones((50, 2)))
    assert any("only 1 of 3 groups were found" in str(warning.message) for warning in told)
    assert set(model.labels_) == {0}
    assert model.inertia_ == 0.0


def test_one_row_is_one_group():
    model = ForestProximity(1, **SMALL).fit([[1.0, 2.0]])
    assert (model.labels_.tolist(), model.asked_) == ([0], 0)


def test_it_saves_alone_and_as_segments(tmp_path):
    table, _ = mixed_table()
    model = ForestProximity(2, **SMALL).fit(table)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    np.testing.assert_array_equal(loaded.predict(table), model.labels_)
    assert loaded.held_out_accuracy == model.held_out_accuracy
    customers = table.rename_axis("customer_id").set_axis([f"c{row}" for row in range(len(table))])
    customers.index.name = "customer_id"
    segments = segmentation.segment(
        customers, "forest-proximity", n_segments=2, transform="none", random_state=0, features=list(table.columns),
        params={"n_copies": 2, "n_estimators": 20},
    )  # fmt: skip
    assert segments.n_segments == 2
    assert "leaves" in segments.how_new
    crmkit.save(segments, tmp_path / "segments.crmkit")
    again = crmkit.load(tmp_path / "segments.crmkit")
    np.testing.assert_array_equal(again.predict_ids(customers), segments.segment_id)


def test_unfitted_it_says_so():
    with pytest.raises(NotFittedError):
        ForestProximity().predict([[0.0]])
    with pytest.raises(NotFittedError):
        _ = ForestProximity().held_out_accuracy
