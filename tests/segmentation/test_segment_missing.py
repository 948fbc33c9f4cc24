"""Missing values: refused with the way out, or filled as declared, told, and never among the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import crmkit
from crmkit import preparation, segmentation
from crmkit.core.errors import DataError, DataWarning


@pytest.fixture
def gappy():
    """Give 300 customers in three groups; the age of one in ten and the channel of some are not known."""
    random = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 100)
    age = random.normal(np.array([25.0, 45.0, 70.0])[group], 3)
    age[::10] = np.nan
    channel = np.array(["web", "shop", "app"], dtype=object)[group]
    channel[5::50] = None
    return pd.DataFrame(
        {"spend": random.gamma(25, np.array([1.0, 4.0, 20.0])[group]), "age": age, "channel": channel},
        index=pd.Index([f"c{number}" for number in range(300)], name="customer_id"),
    )


def filled(table, missing="median", **parameters):
    parameters = {"features": ["spend", "age"], "n_segments": 3, "random_state": 0, **parameters}
    transform = parameters.pop("transform", None) or preparation.for_clustering(missing=missing)
    with pytest.warns(DataWarning, match="missing values are filled as declared"):
        return segmentation.segment(table, transform=transform, **parameters)


@pytest.mark.parametrize("transform", ["scale", "none", preparation.for_clustering(missing={"spend": "median"})])
def test_undeclared_missing_values_are_refused_with_what_to_type(gappy, transform):
    with pytest.raises(DataError) as caught:
        segmentation.segment(gappy, features=["spend", "age"], transform=transform, n_segments=3)
    message = str(caught.value)
    assert "'age' is missing in rows 0, 10, 20, 30, 40, … (30 in all)" in message
    assert message.endswith("declare what fills them: transform=preparation.for_clustering(missing={'age': 'median'})")


def test_a_segmenter_that_takes_raw_columns_is_not_told_of_transforms(gappy):
    with pytest.raises(DataError) as caught:
        segmentation.segment(gappy.assign(recency_days=gappy["age"]), "rfm-rules", features=["recency_days", "spend"])
    assert "for_clustering" not in str(caught.value)


def test_filling_is_told_by_column(gappy):
    with pytest.warns(DataWarning, match="missing values are filled as declared: age in 30 of 300 customers$"):
        segmentation.segment(
            gappy, features=["spend", "age"], n_segments=3, transform=preparation.for_clustering(missing="median")
        )


def test_customers_with_gaps_stand_where_the_same_table_filled_by_hand_puts_them(gappy):
    segments = filled(gappy, missing="zero")
    by_hand = segmentation.segment(gappy.fillna({"age": 0.0}), features=["spend", "age"], n_segments=3, random_state=0,
                                   transform=preparation.for_clustering())  # fmt: skip
    assert segments.segment_id.equals(by_hand.segment_id)


def test_figures_are_over_known_values(gappy):
    segments = filled(gappy)
    for segment, rows in gappy.groupby(segments.labels):
        known = rows["age"].dropna()
        assert segments.profile.loc[segment, "age_median"] == pytest.approx(known.median())
        assert segments.profile.loc[segment, "age_mean"] == pytest.approx(known.mean())
    assert np.isfinite(segments.profile.filter(like="_effect").to_numpy()).all()
    assert "nan" not in str(segments)


def test_new_customers_with_gaps_are_placed_and_compared_by_the_same_rule(gappy):
    segments = filled(gappy)
    with pytest.warns(DataWarning, match="age in 30 of 300"):
        pd.testing.assert_series_equal(segments.predict(gappy), segments.labels)
    with pytest.warns(DataWarning, match="age in 1 of 1 customers"):
        alone = segments.predict(gappy.iloc[[10]])
    assert alone.tolist() == [segments.labels.iloc[10]]
    with pytest.warns(DataWarning, match="age in 30 of 300"):
        changed = segments.compare(gappy)
    assert changed.moved == 0
    with pytest.raises(DataError, match="'age' is infinite in row 3"):
        segments.predict(gappy.assign(age=np.where(np.arange(300) == 3, np.inf, 1.0)))


def test_a_column_that_had_no_gap_may_have_one_later_where_that_is_declared(gappy):
    segments = filled(gappy)
    with pytest.warns(DataWarning, match="spend in 300"):
        assert len(segments.predict(gappy.fillna({"age": 40.0}).assign(spend=np.nan))) == 300
    only_age = filled(gappy, missing={"age": "median"})
    with pytest.raises(DataError, match="'spend' is missing in"):
        only_age.predict(gappy.assign(spend=np.nan))


def test_it_is_saved_with_the_rule(gappy, tmp_path):
    segments = filled(gappy)
    crmkit.save(segments, tmp_path / "segments.crmkit")
    loaded = crmkit.load(tmp_path / "segments.crmkit")
    with pytest.warns(DataWarning, match="age in 30"):
        pd.testing.assert_series_equal(loaded.predict(gappy), segments.labels)
    assert str(loaded.transform) == str(segments.transform)


def test_revenue_may_be_missing_where_it_is_filled_as_a_column(gappy):
    table = gappy.assign(spend=gappy["spend"].mask(np.arange(300) % 7 == 0))
    segments = filled(table, revenue="spend")
    known = table["spend"].groupby(segments.labels).sum() / table["spend"].sum()
    assert segments.profile["revenue_share"].to_dict() == pytest.approx(known.to_dict())
    with pytest.raises(DataError, match="'spend' is missing"):
        segmentation.segment(table.fillna({"age": 1.0}), features=["age"], transform="scale", revenue="spend")


def test_a_pipeline_of_scikit_learn_that_fills_is_believed_and_looked_at(gappy):
    segments = filled(gappy, transform=make_pipeline(SimpleImputer(), StandardScaler()))
    assert segments.n_segments == 3
    with pytest.warns(DataWarning, match="age in 30"), pytest.raises(DataError, match="the transform gives missing"):
        segmentation.segment(gappy, features=["spend", "age"], transform=StandardScaler(), n_segments=3)


def test_an_indicator_lets_the_gap_itself_count(gappy):
    table = gappy.assign(age=gappy["age"].mask(np.arange(300) < 150), spend=1.0 + np.arange(300) % 2)
    transform = preparation.for_clustering(
        missing={"age": "zero"}, indicator=True, weights={"age": 0, "age_is_missing": 100}
    )
    segments = filled(table, transform=transform, n_segments=2)
    assert segments.segment_id.groupby(table["age"].isna()).nunique().tolist() == [1, 1]


def test_a_constant_column_with_gaps_is_told_as_constant(gappy):
    table = gappy.assign(age=gappy["age"] * 0 + 40.0)
    with pytest.warns(DataWarning) as told:
        segmentation.segment(
            table, features=["spend", "age"], n_segments=2, transform=preparation.for_clustering(missing="median")
        )
    assert any("age: one value only" in str(one.message) for one in told)


def test_missing_categories_are_refused_unless_they_are_one(gappy):
    mixed = {"features": ["spend", "channel"], "segmenter": "k-prototypes", "n_segments": 3, "random_state": 0}
    with pytest.raises(DataError, match=r"channel is missing in rows 5, 55.*missing=\{'channel': 'category'\}"):
        segmentation.segment(gappy, transform=preparation.for_clustering(missing="median"), **mixed)
    segments = filled(gappy, missing={"channel": "category"}, **mixed)
    assert "channel=missing_mean" in segments.profile.columns
    gone = gappy["channel"].isna().groupby(segments.labels).mean()
    assert segments.profile["channel=missing_mean"].to_dict() == pytest.approx(gone.to_dict())
    with pytest.warns(DataWarning, match="channel in 6 of 300"):
        pd.testing.assert_series_equal(segments.predict(gappy), segments.labels)


def test_categories_alone_keep_the_rule_for_their_gaps(gappy, tmp_path):
    segments = filled(gappy, missing="category", features=["channel"], segmenter="k-prototypes")
    assert segments.transform is None
    crmkit.save(segments, tmp_path / "segments.crmkit")
    with pytest.warns(DataWarning, match="channel in 6"):
        pd.testing.assert_series_equal(crmkit.load(tmp_path / "segments.crmkit").predict(gappy), segments.labels)


def test_yes_no_and_not_known_are_three_categories(gappy):
    member = pd.array([True, False, None] * 100, dtype="boolean")
    segments = filled(
        gappy.assign(member=member), missing="category", features=["spend", "member"], segmenter="k-prototypes"
    )
    assert {"member=True_mean", "member=False_mean", "member=missing_mean"} <= set(segments.profile.columns)


def test_gaps_in_nullable_arrow_and_polars_columns_are_gaps(gappy):
    plain = filled(gappy)
    for table in (gappy.convert_dtypes(), gappy.convert_dtypes(dtype_backend="pyarrow")):
        pd.testing.assert_series_equal(filled(table).segment_id, plain.segment_id, check_index_type=False)
    polars = pytest.importorskip("polars")
    assert filled(polars.from_pandas(gappy.reset_index())).segment_id.tolist() == plain.segment_id.tolist()


def test_a_refit_fills_by_the_same_rule(gappy):
    segments = filled(gappy, missing={"age": "median"})
    with pytest.warns(DataWarning, match="age in 30 of 300"):
        again = segments.refit(gappy)
    pd.testing.assert_series_equal(again.labels, segments.labels)
    with pytest.raises(DataError, match="'spend' is missing"):
        segments.refit(gappy.assign(spend=np.nan))


def gower(table, **parameters):
    parameters = {"features": ["spend", "age", "channel"], "n_segments": 3, "random_state": 0, **parameters}
    given = {"metric": "gower", **parameters.pop("params", {})}
    with pytest.warns(
        DataWarning, match="left out of the distances of these customers: age in 30, channel in 6 of 300"
    ):
        return segmentation.segment(table, "k-medoids", params=given, transform="none", **parameters)


def test_gowers_distance_bears_missing_numbers_and_categories_without_any_declared(gappy):
    segments = gower(gappy)
    alone = segmentation.KMedoids(3, metric="gower", random_state=0).fit(gappy[["spend", "age", "channel"]])
    assert adjusted_rand_score(segments.segment_id, alone.labels_) == 1.0
    assert adjusted_rand_score(segments.segment_id, np.repeat([0, 1, 2], 100)) > 0.95
    with pytest.warns(DataWarning, match="left out"):
        pd.testing.assert_series_equal(segments.predict(gappy), segments.labels)
    assert "channel=missing" in " ".join(map(str, segments.profile.columns))


def test_gowers_distance_bears_what_is_missing_next_month_only(gappy):
    whole = gappy.dropna()
    segments = segmentation.segment(
        whole, "k-medoids", params={"metric": "gower"}, transform="none", n_segments=3, random_state=0,
        features=["spend", "age", "channel"],
    )  # fmt: skip
    later = whole.copy()
    later.loc[whole.index[:40], "channel"] = None
    with pytest.warns(DataWarning, match=r"left out of the distances of these customers: channel in 40"):
        placed = segments.predict(later)
    assert (placed == segments.labels).mean() > 0.95


def test_what_gowers_distance_bore_survives_saving_and_a_refit(gappy, tmp_path):
    segments = gower(gappy)
    crmkit.save(segments, tmp_path / "segments.crmkit")
    with pytest.warns(DataWarning, match="left out"):
        again = crmkit.load(tmp_path / "segments.crmkit").predict(gappy)
    pd.testing.assert_series_equal(again, segments.labels)
    with pytest.warns(DataWarning, match="left out"):
        refit = segments.refit(gappy)
    pd.testing.assert_series_equal(refit.labels, segments.labels)


def test_gowers_distance_refuses_who_is_unknown_and_numbers_to_choose(gappy):
    nobody = gappy.copy()
    nobody.loc["c7", ["spend", "age", "channel"]] = np.nan
    with (
        pytest.warns(DataWarning, match="left out"),
        pytest.raises(DataError, match="nothing is known in row 7"),
    ):
        segmentation.segment(
            nobody, "k-medoids", params={"metric": "gower"}, transform="none", n_segments=2, random_state=0
        )
    with pytest.raises(DataError, match="cannot be chosen where values are missing: give n_segments"):
        gower(gappy, n_segments="auto")


def test_under_a_transform_gowers_distance_asks_for_what_fills(gappy):
    with pytest.raises(DataError, match="'age' is missing"):
        segmentation.segment(
            gappy, "k-medoids", params={"metric": "gower"}, transform="scale", n_segments=3, features=["spend", "age"]
        )


def test_rules_on_raw_columns_say_how_to_go_on_without_missing_values(gappy):
    table = gappy.rename(columns={"age": "recency_days"})
    with pytest.raises(
        DataError, match=r"fill or drop them first, such as with table.dropna\(subset=\['recency_days'\]"
    ):
        segmentation.segment(table, "rfm-rules", features=["recency_days", "spend"])
