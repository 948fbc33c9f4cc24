"""One declared preparation: every step as it was declared, frozen, told by name, and saved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import crmkit
from crmkit.core.errors import DataError
from crmkit.preparation import ClusteringTransform, Winsorizer, for_clustering, skewed_pipeline


@pytest.fixture
def table():
    """Give 200 customers: skewed spend with one enormous one, age with gaps, a constant, a rare mark."""
    random = np.random.default_rng(0)
    age = random.normal(45, 12, 200)
    age[[3, 50, 51]] = np.nan
    spend = random.lognormal(4, 1, 200)
    spend[7] = 1e7
    mark = np.zeros(200)
    mark[0] = 1.0
    return pd.DataFrame({"spend": spend, "age": age, "country": 1.0, "vip": mark})


@parametrize_with_checks(
    [
        ClusteringTransform(),
        ClusteringTransform(missing="median", indicator=True, winsorize=0.95),
        ClusteringTransform(missing=0.0, skew="yeo-johnson", scaling="robust", min_skew=1.0),
        ClusteringTransform(skew="none", scaling="minmax", pca=True, weights={"x0": 2.0}),
    ]
)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_with_nothing_declared_it_is_the_signed_logarithm_in_units_of_the_median(table):
    numbers = table[["spend", "vip"]]
    assert np.allclose(for_clustering().fit_transform(numbers), skewed_pipeline(scale="median").fit_transform(numbers))


def test_infinite_and_undeclared_missing_values_are_refused_together_by_name_and_row(table):
    table.loc[9, "spend"] = np.inf
    with pytest.raises(DataError) as caught:
        for_clustering().fit(table)
    message = str(caught.value)
    assert "'spend' is infinite in row 9" in message
    assert "'age' is missing (NaN) in rows 3, 50, 51 (say what stands for it: missing={'age': 'median'}" in message
    with pytest.raises(DataError, match="'spend' is infinite"):
        for_clustering(missing="median").fit(table)


def test_the_median_that_fills_is_of_the_known_values_and_does_not_narrow_the_scale(table):
    made = for_clustering(missing="median", skew="none").fit(table)
    known = table["age"].dropna()
    assert made.fills_[1] == known.median()
    assert made.missing_counts_.tolist() == [0, 3, 0, 0]
    got = made.transform(table)[:, 1]
    assert np.allclose(got[known.index], (known - known.mean()) / known.std(ddof=0))
    assert np.allclose(got[[3, 50, 51]], (known.median() - known.mean()) / known.std(ddof=0))


def test_a_number_that_fills_is_a_value_like_any_other():
    table = pd.DataFrame({"credit": [5.0, np.nan, 5.0, np.nan], "visits": [1.0, 2.0, 3.0, 4.0]})
    for missing in ("zero", 0.0, {"credit": 0}):
        made = for_clustering(missing=missing, skew="none").fit(table)
        assert made.transform(table)[:, 0].tolist() == pytest.approx([1.0, -1.0, 1.0, -1.0])
        assert not made.constant_.any()


def test_a_column_without_a_known_value_has_no_median_but_may_have_a_number():
    table = pd.DataFrame({"age": [np.nan, np.nan], "visits": [1.0, 2.0]})
    with pytest.raises(DataError, match="'age' has no known value to take the median of"):
        for_clustering(missing="median").fit(table)
    made = for_clustering(missing="zero", skew="none").fit(table)
    assert made.transform(table).tolist() == [[0.0, -1.0], [0.0, 1.0]]


def test_indicators_mark_what_was_missing_when_fitting(table):
    made = for_clustering(missing="median", indicator=True, weights={"age_is_missing": 4.0}).fit(table)
    assert made.get_feature_names_out().tolist() == ["spend", "age", "country", "vip", "age_is_missing"]
    marks = made.transform(table)[:, -1]
    assert np.flatnonzero(marks).tolist() == [3, 50, 51]
    assert set(marks) == {0.0, 2.0}
    later = table.fillna({"age": 40.0}).assign(spend=np.nan)
    got = made.transform(later)
    assert got.shape == (200, 5)
    assert not got[:, -1].any()


def test_missing_values_are_refused_by_name_where_only_others_are_declared(table):
    table.loc[4, "spend"] = np.nan
    with pytest.raises(DataError, match=r"'spend' is missing \(NaN\) in row 4"):
        for_clustering(missing={"age": "median"}).fit(table)


def test_new_rows_are_refused_where_a_column_was_not_declared(table):
    made = for_clustering(missing={"age": "median"}).fit(table)
    with pytest.raises(DataError, match="'spend' is missing"):
        made.transform(table.assign(spend=np.nan))


def test_caps_are_learned_first_and_kept(table):
    made = for_clustering(missing="median", winsorize={"spend": 0.99}, skew="none").fit(table)
    # Of 200 values the .99 quantile lies between the 198th and the 199th, so that two are capped, at the 198th.
    cap = np.sort(table["spend"])[197]
    assert made.caps_.upper_[0] == cap
    assert made.caps_.capped_.tolist() == [2, 0, 0, 0]
    far = table.assign(spend=1e12)
    assert (made.transform(far)[:, 0] == made.transform(table)[7, 0]).all()
    assert made.inverse_transform(made.transform(far))[:, 0] == pytest.approx(cap)


def test_a_winsorizer_may_be_handed_in_and_is_not_changed(table):
    fences = Winsorizer(fence=5.0)
    made = for_clustering(missing="median", winsorize=fences).fit(table)
    assert made.caps_.fence == 5.0
    assert np.isfinite(made.caps_.upper_[:2]).all()
    assert not hasattr(fences, "upper_")


def test_a_rare_mark_survives_caps_for_all_columns(table):
    made = for_clustering(missing="median", winsorize=0.99).fit(table)
    assert made.caps_.left_alone_.tolist() == [False, False, False, True]
    assert len(np.unique(made.transform(table)[:, 3])) == 2


def test_constant_columns_are_put_at_nothing_now_and_later(table):
    made = for_clustering(missing="median").fit(table)
    assert made.constant_.tolist() == [False, False, True, False]
    assert not made.transform(table.assign(country=99.0))[:, 2].any()
    assert made.inverse_transform(made.transform(table))[:, 2].tolist() == [1.0] * 200


def test_skew_is_declared_by_column(table):
    made = for_clustering(missing="median", skew={"spend": "signed-log", "age": "yeo-johnson"}, scaling="none").fit(
        table
    )
    got = made.transform(table)
    spend = table["spend"].to_numpy()
    assert np.allclose(got[:, 0], np.log1p(spend / np.median(spend)))
    known = table[["age"]].dropna().to_numpy()
    expected = PowerTransformer(standardize=False).fit_transform(known).ravel()
    assert np.allclose(got[table["age"].notna(), 1], expected)
    assert np.array_equal(got[:, 3], table["vip"])


def test_only_what_is_skewed_after_capping_is_turned():
    random = np.random.default_rng(0)
    spend, visits = random.lognormal(3, 1, 500), random.normal(10, 1, 500)
    visits[0] = 1e4
    table = pd.DataFrame({"spend": spend, "visits": visits})
    made = for_clustering(min_skew=1.0).fit(table)
    assert made.table["skew"].tolist() == ["signed-log", "signed-log"]
    capped = for_clustering(min_skew=1.0, winsorize={"visits": 0.99}).fit(table)
    assert capped.table["skew"].tolist() == ["signed-log", "none"]


@pytest.mark.parametrize("scaling", ["standard", "robust", "minmax", "none"])
@pytest.mark.parametrize("skew", ["signed-log", "yeo-johnson", "none"])
def test_the_way_back_leads_to_original_units(scaling, skew):
    X = pd.DataFrame(np.random.default_rng(1).lognormal(2, 1, (60, 3)), columns=list("abc"))
    made = for_clustering(skew=skew, scaling=scaling, weights={"a": 3.0}, pca=True).fit(X)
    assert np.allclose(made.inverse_transform(made.transform(X)), X)


def test_the_way_back_wants_the_columns_that_came_out():
    made = for_clustering(pca=1).fit([[1.0, 2.0], [3.0, 9.0], [4.0, 1.0]])
    with pytest.raises(DataError, match=r"expected 1 columns, got an array of shape \(1, 2\)"):
        made.inverse_transform([[1.0, 2.0]])


@given(arrays(float, (6, 3), elements=st.floats(0, 1e6)), st.sampled_from([0.25, 2.0, 9.0]))
def test_a_weight_multiplies_its_part_of_the_squared_distance(X, weight):
    plain = for_clustering().fit_transform(X)
    weighted = for_clustering(weights={"x1": weight}).fit_transform(X)
    parts = [pdist(plain[:, [column]], "sqeuclidean") for column in range(3)]
    assert np.allclose(pdist(weighted, "sqeuclidean"), parts[0] + weight * parts[1] + parts[2])


def test_a_weight_of_four_is_the_column_four_times(table):
    numbers = table[["spend", "vip"]]
    weighted = for_clustering(weights={"spend": 4.0}).fit_transform(numbers)
    repeated = for_clustering().fit_transform(numbers)[:, [0, 0, 0, 0, 1]]
    assert np.allclose(pdist(weighted), pdist(repeated))
    assert np.allclose(weighted[:, 0], 2 * repeated[:, 0])


def test_a_weight_of_nothing_leaves_the_column_out(table):
    numbers = table[["spend", "vip"]]
    made = for_clustering(weights={"spend": 0.0}).fit(numbers)
    assert np.allclose(pdist(made.transform(numbers)), pdist(for_clustering().fit_transform(numbers[["vip"]])))
    assert np.isfinite(made.inverse_transform(made.transform(numbers))).all()


def test_components_are_those_of_scikit_learn_on_weighted_columns(table):
    numbers = table[["spend", "vip", "age"]].dropna()
    made = for_clustering(skew="none", weights={"age": 2.0}, pca=2).fit(numbers)
    weighted = StandardScaler().fit_transform(numbers) * np.sqrt([1.0, 1.0, 2.0])
    expected = PCA(2).fit(weighted)
    assert np.allclose(np.abs(made.transform(numbers)), np.abs(expected.transform(weighted)))
    assert np.allclose(made.explained_variance_ratio_, expected.explained_variance_ratio_)
    assert made.get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert made.components.columns.tolist() == ["variance", "spend", "vip", "age"]
    assert made.components["variance"].tolist() == made.explained_variance_ratio_.tolist()


def test_all_components_keep_every_distance():
    X = np.random.default_rng(0).lognormal(0, 1, (30, 4))
    plain, turned = for_clustering().fit_transform(X), for_clustering(pca=True).fit_transform(X)
    assert np.allclose(squareform(pdist(plain)), squareform(pdist(turned)))


def test_a_share_keeps_the_least_components_that_hold_it():
    random = np.random.default_rng(0)
    common = random.normal(size=300)
    X = np.column_stack([common + 0.1 * random.normal(size=300) for _ in range(5)])
    made = for_clustering(skew="none", pca=0.9).fit(X)
    assert made.transform(X).shape == (300, 1)
    assert made.explained_variance_ratio_.sum() >= 0.9


def test_more_components_than_there_are_is_refused():
    with pytest.raises(DataError, match="pca=3, but 2 customers by 3 columns have 2 components"):
        for_clustering(pca=3).fit(np.arange(6.0).reshape(2, 3))


def test_no_components_are_asked_for_by_false():
    made = for_clustering(pca=False).fit([[1.0], [2.0]])
    assert made.pca_ is None
    assert made.explained_variance_ratio_ is None
    with pytest.raises(AttributeError, match="declare pca="):
        _ = made.components


@pytest.mark.parametrize("pca", [True, 1, 0.9])
@pytest.mark.parametrize("rows", [1, 2, 40])
def test_equal_customers_have_one_point_and_no_variance(pca, rows):
    made = for_clustering(pca=pca).fit(np.full((rows, 3), 5.0))
    assert not made.transform(np.full((rows, 3), 5.0)).any()
    assert not made.explained_variance_ratio_.any()


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1.0, 1e150, 1e300])
@pytest.mark.parametrize("skew", ["signed-log", "none"])
def test_size_does_not_matter(size, skew):
    X = np.array([[1.0], [2.0], [5.0], [-3.0]])
    assert np.allclose(for_clustering(skew=skew).fit_transform(X * size), for_clustering(skew=skew).fit_transform(X))


def test_yeo_johnson_bears_enormous_values():
    got = for_clustering(skew="yeo-johnson").fit_transform([[1e300], [2e300], [5e300]])
    assert np.isfinite(got).all()
    assert (np.diff(got.ravel()) > 0).all()


def test_what_overflows_later_is_told_by_name_and_row():
    made = for_clustering(skew="none").fit(pd.DataFrame({"a": [1e-200, 2e-200], "b": [1.0, 2.0]}))
    with pytest.raises(DataError, match=r"too large for the scale learned: 'a' in row 1; cap them with winsorize="):
        made.transform(pd.DataFrame({"a": [1e-200, 1e300], "b": [1.0, 1.0]}))


def test_text_is_refused_by_name_without_its_value():
    table = pd.DataFrame({"age": [1.0, 2.0], "name": ["Zhang", "Li"]})
    with pytest.raises(DataError, match="name: not numeric") as caught:
        for_clustering().fit(table)
    assert "Zhang" not in str(caught.value)
    with pytest.raises(DataError, match="a column: not numeric") as caught:
        for_clustering().fit([["Zhang"], ["Li"]])
    assert "Zhang" not in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"missing": "mode"}, "missing must be one of 'refuse', 'median', 'zero', 'category', or a finite number"),
        ({"missing": {"age": np.inf}}, "missing of 'age' must be one of"),
        ({"missing": True}, "missing must be one of"),
        ({"skew": "log"}, "skew must be one of 'signed-log', 'yeo-johnson', 'none', got 'log'"),
        ({"skew": {"age": "log"}}, "skew of 'age' must be one of"),
        ({"scaling": "unit"}, "scaling must be one of 'standard', 'robust', 'minmax', 'none'"),
        ({"weights": [1.0]}, "weights must be a mapping of column to weight, got list"),
        ({"weights": {"age": -1.0}}, "the weight of 'age' must be a finite number of at least 0"),
        ({"weights": {"age": True}}, "the weight of 'age' must be"),
        ({"pca": 0}, "pca must be None, True, a number of components, or a share"),
        ({"pca": 1.5}, "pca must be None, True"),
        ({"pca": "mle"}, "pca must be None, True"),
    ],
)
def test_what_is_no_rule_is_refused_when_it_is_declared(declared, message):
    with pytest.raises(DataError, match=message):
        for_clustering(**declared)


@pytest.mark.parametrize("parameter", ["missing", "skew", "weights", "winsorize"])
def test_a_column_that_is_not_there_is_named_with_the_nearest(table, parameter):
    rule = {"missing": "median", "skew": "none", "weights": 2.0, "winsorize": 0.9}[parameter]
    declared = {"missing": "median", parameter: {"spent": rule}}
    with pytest.raises(DataError, match=r"names 'spent' \(nearest: 'spend'\)"):
        for_clustering(**declared).fit(table.fillna(0.0))


def test_weights_of_nothing_alone_are_refused(table):
    with pytest.raises(DataError, match="all weights are 0"):
        for_clustering(weights={"spend": 0, "vip": 0}).fit(table[["spend", "vip"]])


def test_it_says_which_missing_values_it_fills():
    made = for_clustering(missing={"age": "median", "channel": "category", "visits": "refuse", "credit": 0.0})
    assert [made.fills(name) for name in ("age", "channel", "visits", "credit", "other")] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert made.fills("channel", category=True)
    assert not made.fills("age", category=True)
    assert for_clustering(missing="zero").fills("any")
    assert for_clustering(missing="category").fills("any", category=True)
    assert not for_clustering(missing="category").fills("any")
    made.fit(pd.DataFrame({"age": [1.0, 2.0], "visits": [1.0, 2.0], "credit": [np.nan, 1.0]}))


def test_the_table_tells_a_row_a_column(table):
    made = for_clustering(
        missing={"age": "median"},
        indicator=True,
        winsorize=0.99,
        skew={"spend": "signed-log"},
        weights={"vip": 0, "age": 2},
    ).fit(table)
    told = made.table
    assert told.index.tolist() == ["spend", "age", "country", "vip"]
    assert told["capped"].tolist() == [2, 2, 0, 0]
    assert told["filled"].tolist() == [0, 3, 0, 0]
    assert told["constant"].tolist() == [False, False, True, False]
    assert told["weight"].tolist() == [1.0, 2.0, 1.0, 0.0]
    assert told.loc["age", "center"] == pytest.approx(np.clip(table["age"], None, told.loc["age", "cap_high"]).mean())
    lines = str(made).splitlines()
    assert lines[0].startswith("spend: at most ")
    assert "(2 capped); signed log in units of" in lines[0]
    assert "3 missing filled with its median (" in lines[1]
    assert lines[1].endswith("and marked; mean 0, deviation 1; weight 2")
    assert lines[2] == "country: at most 1 (0 capped); one value only: put at 0"
    assert lines[3] == "vip: not capped, which would leave one value; mean 0, deviation 1; left out by weight 0"


def test_the_words_name_fences_exponents_constants_and_components():
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 50.0], "b": [np.nan, 1.0, 2.0, 4.0, 3.0]})
    made = for_clustering(missing={"b": 0}, winsorize=Winsorizer(fence={"a": 3}), skew={"a": "yeo-johnson"}, pca=1).fit(
        X
    )
    first, second, last = str(made).splitlines()
    assert first.startswith("a: at least -1.448 and at most 7.448 (1 capped); Yeo-Johnson with exponent ")
    assert second == "b: 1 missing filled with 0; mean 0, deviation 1"
    assert last.startswith("then 1 of 2 principal components, ")
    assert str(for_clustering(skew="none", scaling="none").fit(X[["a"]])) == "a: as it is"
    assert str(for_clustering(pca=2)) == "ClusteringTransform(pca=2)"


def test_columns_are_found_by_name_in_tables_of_pandas_only_in_their_order(table):
    made = for_clustering(missing="median").fit(table)
    with pytest.raises(ValueError, match="feature names"):
        made.transform(table[["age", "spend", "country", "vip"]])


def test_it_is_cloned_and_saved_without_pickle_as_it_is(table, tmp_path):
    made = for_clustering(
        missing={"age": "median"}, indicator=True, winsorize=Winsorizer(0.99), skew={"spend": "yeo-johnson"}, pca=0.99
    )
    assert repr(clone(made)) == repr(made)
    made.fit(table)
    crmkit.save(made, tmp_path / "transform.crmkit")
    loaded = crmkit.load(tmp_path / "transform.crmkit")
    assert np.array_equal(loaded.transform(table), made.transform(table))
    assert str(loaded) == str(made)
    pd.testing.assert_frame_equal(loaded.table, made.table)


def test_its_output_may_be_a_table(table):
    got = for_clustering(missing="median", indicator=True).set_output(transform="pandas").fit_transform(table)
    assert got.columns.tolist() == ["spend", "age", "country", "vip", "age_is_missing"]
