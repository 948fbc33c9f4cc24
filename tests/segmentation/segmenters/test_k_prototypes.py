"""k-prototypes: mixed rows, equal to k-means without categories, the same in any order."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import spec_of
from crmkit.segmentation import KPrototypes
from crmkit.testing import check_plugin


def customers(n=300, seed=0):
    """Give three groups that differ in numbers and in the channel they mostly use, and which group each row is of."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 3, n)
    usual = np.array(["网店", "shop", "app"], dtype=object)
    channel = np.where(random.random(n) < 0.9, usual[group], usual[random.integers(0, 3, n)])
    table = pd.DataFrame(
        {
            "orders": random.normal(np.array([0.0, 3.0, 6.0])[group], 0.7),
            "channel": channel,
            "basket": random.normal(np.array([0.0, 3.0, 0.0])[group], 0.7),
            "member": random.random(n) < np.array([0.9, 0.5, 0.1])[group],
        }
    )
    return table, group


def cost_by_hand(model, table, labels, weights=None):
    """Work the cost out row by row from the prototypes."""
    prototypes = model.prototypes
    total = 0.0
    for row, label in enumerate(labels):
        numbers = sum((table.loc[row, name] - prototypes.loc[label, name]) ** 2 for name in ("orders", "basket"))
        others = sum(table.loc[row, name] != prototypes.loc[label, name] for name in ("channel", "member"))
        total += (1.0 if weights is None else weights[row]) * (numbers + model.gamma_ * others)
    return total


@pytest.mark.filterwarnings("ignore:only:crmkit.core.errors.DataWarning")
@parametrize_with_checks([KPrototypes(), KPrototypes(gamma=0, sample_size=20), KPrototypes(n_init=1)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_plugin_passes_the_checks_of_its_kind(capsys):
    check_plugin(spec_of("segmenter", "k-prototypes"))
    assert "0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("tol", [0, 1e-4])
def test_without_categories_it_is_k_means_from_the_same_starts(seed, tol):
    random = np.random.default_rng(seed)
    points = random.normal(size=(400, 3)) + random.integers(0, 4, (400, 1))
    starts = points[random.choice(400, 5, replace=False)]
    kmeans = KMeans(5, init=starts, n_init=1, tol=tol, algorithm="lloyd").fit(points)
    ours = KPrototypes(5, init=starts, tol=tol).fit(points)
    np.testing.assert_array_equal(ours.labels_, kmeans.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, kmeans.cluster_centers_, atol=1e-12)
    assert ours.cost_ == pytest.approx(kmeans.inertia_, rel=1e-12)
    assert ours.n_iter_ == kmeans.n_iter_


def test_gamma_zero_leaves_categories_out_and_still_tells_them():
    table, _ = customers()
    numbers = table[["orders", "basket"]]
    starts = table.iloc[[3, 50, 200]]
    kmeans = KMeans(3, init=numbers.iloc[[3, 50, 200]].to_numpy(), n_init=1, algorithm="lloyd").fit(numbers.to_numpy())
    ours = KPrototypes(3, gamma=0, init=starts).fit(table)
    np.testing.assert_array_equal(ours.labels_, kmeans.labels_)
    for label, row in ours.prototypes.iterrows():
        assert row["channel"] == table["channel"][ours.labels_ == label].mode()[0]


def test_weights_are_k_means_weights():
    random = np.random.default_rng(1)
    points, weights = random.normal(size=(200, 2)), random.uniform(0.1, 5.0, 200)
    starts = points[:4]
    kmeans = KMeans(4, init=starts, n_init=1, tol=0, algorithm="lloyd").fit(points, sample_weight=weights)
    ours = KPrototypes(4, init=starts, tol=0).fit(points, sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, kmeans.labels_)
    assert ours.cost_ == pytest.approx(kmeans.inertia_)


def test_gamma_is_half_the_mean_standard_deviation():
    table, _ = customers()
    expected = 0.5 * np.mean([table["orders"].std(ddof=0), table["basket"].std(ddof=0)])
    assert KPrototypes(3, random_state=0).fit(table).gamma_ == pytest.approx(expected)


def test_groups_are_found_and_prototypes_are_means_and_modes():
    table, group = customers()
    model = KPrototypes(3, random_state=0).fit(table)
    assert adjusted_rand_score(group, model.labels_) > 0.95
    assert list(model.prototypes.columns) == list(table.columns)
    for label, row in model.prototypes.iterrows():
        inside = table[model.labels_ == label]
        assert row["orders"] == pytest.approx(inside["orders"].mean())
        assert row["channel"] == inside["channel"].mode()[0]
        assert row["member"] == inside["member"].mode()[0]
    assert model.cost_ == pytest.approx(cost_by_hand(model, table, model.labels_))
    assert model.modes_.tolist() == model.prototypes[["channel", "member"]].to_numpy().tolist()


def test_every_row_is_with_the_prototype_it_differs_least_from():
    table, _ = customers(80)
    model = KPrototypes(4, random_state=3).fit(table)
    for row in range(80):
        alone = table.iloc[[row]].reset_index(drop=True)
        costs = [cost_by_hand(model, alone, [label]) for label in range(4)]
        assert model.labels_[row] == int(np.argmin(costs))
    np.testing.assert_array_equal(model.predict(table), model.labels_)


def test_categories_part_what_numbers_do_not():
    table = pd.DataFrame({"spend": [1.0, 1.1] * 20, "channel": ["web"] * 20 + ["shop"] * 20})
    model = KPrototypes(2, gamma=1.0, random_state=0).fit(table)
    assert set(model.labels_[:20]) != set(model.labels_[20:])
    assert len(set(model.labels_[:20])) == len(set(model.labels_[20:])) == 1


def test_categories_alone_are_k_modes():
    table = pd.DataFrame({"a": ["x", "x", "y", "y"] * 5, "b": ["p", "p", "q", "q"] * 5})
    model = KPrototypes(2, random_state=0).fit(table)
    assert model.gamma_ == 1.0
    assert model.cost_ == 0.0
    assert model.cluster_centers_.shape == (2, 0)
    assert model.labels_[:4].tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_constant_columns_change_nothing():
    table, _ = customers()
    plain = KPrototypes(3, gamma=0.7, random_state=0).fit(table)
    more = KPrototypes(3, gamma=0.7, random_state=0).fit(table.assign(always=1.0, country="CN"))
    np.testing.assert_array_equal(plain.labels_, more.labels_)
    constant_numbers = pd.DataFrame({"always": [2.0] * 4, "channel": ["a", "a", "b", "b"]})
    assert KPrototypes(2, random_state=0).fit(constant_numbers).gamma_ == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_order_of_rows_does_not_matter_and_cost_is_right(seed, k):
    random = np.random.default_rng(seed)
    table, _ = customers(60, seed)
    table["orders"] = table["orders"].round()
    weights = random.integers(0, 3, 60)
    weights[:10] = 1
    model = KPrototypes(k, random_state=seed).fit(table, sample_weight=weights)
    mixed_up = random.permutation(60)
    again = KPrototypes(k, random_state=seed).fit(table.iloc[mixed_up], sample_weight=weights[mixed_up])
    np.testing.assert_array_equal(again.labels_, model.labels_[mixed_up])
    assert model.cost_ == pytest.approx(cost_by_hand(model, table, model.labels_, weights))


def test_weight_two_is_the_row_twice():
    table, _ = customers(100)
    weights = np.random.default_rng(0).integers(0, 4, 100)
    repeated = table.loc[np.repeat(np.arange(100), weights)]
    weighted = KPrototypes(4, random_state=0).fit(table, sample_weight=weights)
    twice = KPrototypes(4, random_state=0).fit(repeated)
    assert weighted.gamma_ == pytest.approx(twice.gamma_, rel=1e-12)
    np.testing.assert_array_equal(weighted.predict(table), twice.predict(table))


def test_the_way_by_a_sample_ends_as_cheap_as_all_starts_on_all_rows():
    table, _ = customers(5000)
    whole = KPrototypes(3, random_state=0, sample_size=None, tol=0).fit(table)
    sampled = KPrototypes(3, random_state=0, sample_size=500, tol=0).fit(table)
    assert sampled.cost_ == pytest.approx(whole.cost_, rel=1e-6)


def test_a_sample_without_enough_distinct_rows_falls_back_to_all_rows():
    points = np.zeros((1000, 1))
    points[:3, 0] = [5.0, 10.0, 20.0]
    points[3:, 0] = np.linspace(0, 1e-3, 997)
    model = KPrototypes(4, random_state=0, sample_size=2, n_init=3).fit(points)
    assert sorted(np.round(model.cluster_centers_.ravel())) == [0, 5, 10, 20]


def test_fewer_distinct_rows_than_clusters_give_fewer_groups_and_say_so():
    table = pd.DataFrame({"orders": [1.0, 1.0, 2.0, 2.0], "channel": ["a", "a", "a", "b"]})
    with pytest.warns(DataWarning, match="only 3 of 4 groups .* 3 distinct rows"):
        model = KPrototypes(4, random_state=0).fit(table)
    assert len(model.prototypes) == 3
    assert model.cost_ == 0.0
    np.testing.assert_array_equal(model.predict(table), model.labels_)


def test_an_empty_cluster_is_given_the_farthest_row():
    points = np.array([[0.0], [1.0], [2.0], [50.0]])
    model = KPrototypes(2, init=[[0.0], [-900.0]]).fit(points)
    assert sorted(model.cluster_centers_.ravel()) == [1.0, 50.0]


def test_fewer_rows_than_clusters_are_refused():
    with pytest.raises(DataError, match="n_samples=2 should be >= n_clusters=3"):
        KPrototypes(3).fit([[0.0], [1.0]])


def test_ties_go_to_the_first():
    table = pd.DataFrame({"spend": [0.0, 2.0], "channel": ["b", "a"]})
    model = KPrototypes(1, random_state=0).fit(table)
    assert model.prototypes["channel"].tolist() == ["a"]
    two = KPrototypes(2, init=[[0.0], [2.0]]).fit([[0.0], [2.0]])
    assert two.predict([[1.0]]).tolist() == [0]


def test_new_categories_differ_from_all_and_are_told_without_their_value():
    table, _ = customers()
    model = KPrototypes(3, random_state=0).fit(table)
    new = table.iloc[:4].copy()
    new.loc[[1, 3], "channel"] = "top secret"
    with pytest.warns(DataWarning, match="channel in rows 1, 3") as told:
        labels = model.predict(new)
    assert "secret" not in str(told[0].message)
    numbers = new[["orders", "basket"]].to_numpy()
    member = new["member"].to_numpy()[:, None] != model.modes_[:, 1][None, :]
    apart = ((numbers[:, None] - model.cluster_centers_) ** 2).sum(axis=2) + model.gamma_ * member
    assert labels[[1, 3]].tolist() == apart.argmin(axis=1)[[1, 3]].tolist()


def test_missing_and_infinite_values_are_told_in_one_error_without_values():
    table, _ = customers(20)
    table.loc[[2, 5], "orders"] = np.nan
    table.loc[7, "basket"] = np.inf
    table.loc[9, "channel"] = None
    with pytest.raises(DataError) as told:
        KPrototypes(2).fit(table)
    for part in ("orders is missing (NaN) in rows 2, 5", "basket is infinite in row 7", "channel is missing in row 9"):
        assert part in str(told.value)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])), "Timestamp"),
        (pd.Series([[1], [2], [3]]), "no categories"),
        (pd.Series([1 + 2j, 2, 3]), "complex"),
    ],
)
def test_columns_that_are_neither_number_nor_category_are_refused(column, message):
    with pytest.raises(DataError, match=message):
        KPrototypes(2).fit(pd.DataFrame({"a": [1.0, 2.0, 3.0], "odd": column}))


def test_numbers_too_large_to_square_are_refused():
    with pytest.raises(DataError, match="column 0 is too large"):
        KPrototypes(2).fit([[1e200], [1.0], [2.0]])


def test_text_in_an_array_is_refused_without_repeating_it():
    with pytest.raises(DataError, match="categorical=") as told:
        KPrototypes(2).fit(np.array([["1", "secret"], ["2", "secret"]]))
    assert "secret" not in str(told.value)


def test_text_named_as_number_is_refused_without_repeating_it():
    table = pd.DataFrame({"a": ["secret", "b"], "c": ["x", "y"]})
    with pytest.raises(DataError, match="a is not numeric") as told:
        KPrototypes(2, categorical=["c"]).fit(table)
    assert "secret" not in str(told.value)


def test_arrays_take_positions_and_tables_names_or_positions():
    table, _ = customers(100)
    array = table.to_numpy(dtype=object)
    of_table = KPrototypes(3, random_state=0).fit(table)
    for model, given_ in (
        (KPrototypes(3, categorical=[1, 3], random_state=0), array),
        (KPrototypes(3, categorical=[1, 3], random_state=0), array.tolist()),
        (KPrototypes(3, categorical=["channel", 3], random_state=0), table),
    ):
        np.testing.assert_array_equal(model.fit_predict(given_), of_table.labels_)
    with pytest.raises(DataError, match="'chanel' is no column; there are: orders, channel"):
        KPrototypes(3, categorical=["chanel"]).fit(table)
    numbers_too = KPrototypes(2, categorical=[0], random_state=0).fit(np.array([[1, 5.0], [1, 5.1], [2, 9.0]]))
    assert numbers_too.categories_ == [[1.0, 2.0]]


def test_other_tables_and_other_dtypes_give_the_same():
    polars = pytest.importorskip("polars")
    table, _ = customers(100)
    expected = KPrototypes(3, random_state=0).fit_predict(table)
    forms = [
        polars.DataFrame(table.to_dict("list")),
        table.astype({"channel": "category", "member": object}),
        table.astype({"channel": "string", "orders": object}),
    ]
    for form in forms:
        np.testing.assert_array_equal(KPrototypes(3, random_state=0).fit_predict(form), expected)


def test_sparse_and_flat_input_is_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="sparse"):
        KPrototypes(2, categorical=[0]).fit(sparse.eye_array(4).tocsr())
    with pytest.raises(DataError, match="rows and columns"):
        KPrototypes(2, categorical=[0]).fit(np.array(["a", "b"], dtype=object))


def test_init_of_another_shape_or_with_other_categories_is_refused():
    table, _ = customers(30)
    with pytest.raises(ValueError, match="3 rows of 4 columns"):
        KPrototypes(3, init=table.iloc[:2]).fit(table)
    with pytest.raises(DataError, match="row 1"):
        KPrototypes(2, init=table.iloc[:2].assign(channel=["app", "pigeon"])).fit(table)


@pytest.mark.parametrize("weights", [np.zeros(4), [-1.0, 1.0, 1.0, 1.0]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        KPrototypes(2).fit([[0.0], [1.0], [2.0], [3.0]], sample_weight=weights)


def test_an_end_by_max_iter_is_told():
    table, _ = customers(300)
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        KPrototypes(5, max_iter=1, tol=0, n_init=1, random_state=0).fit(table)


def test_it_saves_and_predicts_the_same(tmp_path):
    table, _ = customers()
    model = KPrototypes(3, random_state=0).fit(table)
    crmkit.save(model, tmp_path / "model.crmkit")
    loaded = crmkit.load(tmp_path / "model.crmkit")
    np.testing.assert_array_equal(loaded.predict(table), model.labels_)
    pd.testing.assert_frame_equal(loaded.prototypes, model.prototypes)


def test_unfitted_it_says_so_and_a_clone_is_unfitted():
    table, _ = customers(30)
    model = KPrototypes(2, random_state=0).fit(table)
    with pytest.raises(NotFittedError):
        clone(model).predict(table)
    with pytest.raises(NotFittedError):
        _ = clone(model).prototypes


def test_fitting_a_hundred_thousand_rows_warns_of_nothing():
    table, group = customers(100_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = KPrototypes(3, random_state=0).fit(table)
    assert adjusted_rand_score(group, model.labels_) > 0.95
