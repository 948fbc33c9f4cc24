"""Tables at the edge: a right answer or one clear error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN

from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning

CHOOSERS = ["kmeans", "mini-batch-kmeans", "gaussian-mixture", "agglomerative"]


def rfm(recency, frequency, monetary):
    index = pd.Index([f"c{place}" for place in range(len(recency))], name="customer_id")
    return pd.DataFrame({"recency_days": recency, "frequency": frequency, "monetary": monetary}, index=index)


def test_empty_table_is_refused():
    with pytest.raises(DataError, match="no rows"):
        segmentation.segment(rfm([], [], []))


def test_table_without_customers_is_refused():
    with pytest.raises(DataError, match="needs customer_id"):
        segmentation.segment(pd.DataFrame({"recency_days": [1], "frequency": [1], "monetary": [1.0]}))


def test_customer_in_two_rows_is_refused_with_positions():
    table = rfm([1, 2, 3], [1, 2, 3], [1.0, 2.0, 3.0]).set_axis(pd.Index(["a", "b", "a"], name="customer_id"))
    with pytest.raises(DataError, match="more than once in rows 0, 2"):
        segmentation.segment(table)


def test_customer_id_may_be_a_column():
    table = rfm([1, 100, 2, 99], [9, 1, 8, 1], [90.0, 1.0, 80.0, 1.0]).reset_index()
    segments = segmentation.segment(table, n_segments=2, random_state=0)
    assert segments.labels.index.tolist() == ["c0", "c1", "c2", "c3"]
    assert segments.labels.index.name == "customer_id"


def test_missing_rfm_column_names_what_makes_the_table():
    with pytest.raises(DataError, match=r"no column 'monetary'.*preparation.rfm_table"):
        segmentation.segment(rfm([1], [1], [1.0]).drop(columns="monetary"))


def test_every_bad_column_is_told_in_one_error_without_values():
    table = rfm([1.0, np.nan, 3.0], ["12345", "1", "2"], [1.0, 2.0, np.inf])
    with pytest.raises(DataError) as caught:
        segmentation.segment(table)
    message = str(caught.value)
    assert "'recency_days' is missing in row 1" in message
    assert "'frequency' is not numeric" in message
    assert "'monetary' is infinite in row 2" in message
    assert "12345" not in message


def test_nullable_numbers_count_as_numbers_and_their_gaps_as_missing():
    table = rfm([1, 50, 2, 60], [5, 1, 6, 1], [9.0, 1.0, 8.0, 1.0]).astype({"frequency": "Int64"})
    assert segmentation.segment(table, n_segments=2, random_state=0).n_segments == 2
    table.loc["c1", "frequency"] = pd.NA
    with pytest.raises(DataError, match="'frequency' is missing in row 1"):
        segmentation.segment(table)


def test_columns_named_twice_are_refused():
    table = rfm([1, 2], [1, 2], [1.0, 2.0])
    with pytest.raises(DataError, match="more than one column named 'frequency'"):
        segmentation.segment(table.set_axis(["recency_days", "frequency", "frequency"], axis=1))


@pytest.mark.parametrize("features", [[], ["frequency", "frequency"]])
def test_no_feature_or_one_twice_is_refused(features):
    with pytest.raises(DataError, match="at least one column, each once"):
        segmentation.segment(rfm([1, 2], [1, 2], [1.0, 2.0]), features=features)


def test_features_as_one_text_is_refused():
    with pytest.raises(TypeError, match=r"got one str: \['frequency'\]"):
        segmentation.segment(rfm([1, 2], [1, 2], [1.0, 2.0]), features="frequency")


def test_table_without_numbers_is_refused():
    table = pd.DataFrame({"city": ["York"]}, index=pd.Index(["a"], name="customer_id"))
    with pytest.raises(DataError, match="no numeric column to segment by; it has: city"):
        segmentation.segment(table, transform="scale")


@pytest.mark.parametrize("name", ["kmeans", "mini-batch-kmeans", "rfm-rules"])
def test_one_customer_is_one_segment(name):
    segments = segmentation.segment(rfm([5], [2], [10.0]), name, random_state=0)
    assert segments.n_segments == 1
    assert segments.profile["share"].tolist() == [1.0]
    assert segments.rules["precision"].tolist() == [1.0]
    assert segments.predict(rfm([500], [1], [1.0])).notna().all()


@pytest.mark.parametrize("name", CHOOSERS)
def test_equal_customers_are_one_segment(name):
    with pytest.warns(DataWarning, match="recency_days, frequency, monetary: one value only"):
        segments = segmentation.segment(rfm([5] * 20, [2] * 20, [10.0] * 20), name, random_state=0)
    assert segments.n_segments == 1
    assert segments.choice.reason == "1 segment: all customers are equal"
    assert segments.labels.unique().tolist() == ["everybody"]


def test_equal_customers_score_the_middle_of_the_rules():
    with pytest.warns(DataWarning, match="one value only"):
        segments = segmentation.segment(rfm([5] * 20, [2] * 20, [10.0] * 20), "rfm-rules")
    assert segments.labels.unique().tolist() == ["need attention"]


def test_constant_column_is_told_and_changes_nothing():
    random = np.random.default_rng(0)
    table = rfm(random.integers(1, 300, 80), [1] * 80, random.gamma(2, 50, 80))
    with pytest.warns(DataWarning, match="frequency: one value only"):
        segments = segmentation.segment(table, n_segments=2, random_state=0)
    without = segmentation.segment(table, n_segments=2, random_state=0, features=["recency_days", "monetary"])
    assert segments.segment_id.equals(without.segment_id)


def test_more_segments_than_distinct_customers_is_refused():
    table = rfm([1, 1, 9, 9], [2, 2, 1, 1], [5.0, 5.0, 1.0, 1.0])
    with pytest.raises(DataError, match="n_segments=3, but there are only 2 distinct customers"):
        segmentation.segment(table, n_segments=3)
    assert segmentation.segment(table, n_segments=2, random_state=0).n_segments == 2


@pytest.mark.parametrize("name", CHOOSERS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_handful_of_customers_is_segmented_without_a_fuss(name, count):
    random = np.random.default_rng(count)
    table = rfm(random.integers(1, 300, count), random.integers(1, 9, count), random.gamma(2, 50, count))
    segments = segmentation.segment(table, name, random_state=0)
    assert 1 <= segments.n_segments <= max(1, count // 2)
    assert segments.profile["customers"].sum() == count


@pytest.mark.parametrize("name", CHOOSERS)
def test_one_cloud_is_one_segment(name):
    random = np.random.default_rng(0)
    cloud = pd.DataFrame(random.normal(size=(500, 3)), columns=list("abc"))
    cloud.index = pd.Index(map(str, range(500)), name="customer_id")
    segments = segmentation.segment(cloud, name, transform="scale", random_state=0)
    assert segments.n_segments == 1
    assert segments.choice.reason.startswith("1 segment")
    assert segments.labels.unique().tolist() == ["everybody"]


def test_the_only_segment_is_not_everybody_where_some_are_in_none():
    table = pd.DataFrame({"spent": [0.0, 0.1, 0.2, 90.0]}, index=pd.Index(list("abcd"), name="customer_id"))
    segments = segmentation.segment(table, DBSCAN(eps=0.5, min_samples=2), transform="none")
    assert segments.labels.tolist() == ["low spent"] * 3 + ["in no segment"]


def test_only_segment_in_chinese_is_everybody():
    segments = segmentation.segment(rfm([5, 9], [2, 1], [10.0, 3.0]), n_segments=1, random_state=0, language="zh")
    assert segments.labels.tolist() == ["全部客户", "全部客户"]


def test_a_csv_file_gives_the_same_segments_as_its_table(tmp_path):
    table = rfm([1, 100, 2, 99], [9, 1, 8, 1], [90.0, 1.5, 80.25, 1.0]).assign(city="York")
    table.to_csv(tmp_path / "rfm.csv")
    from_file = segmentation.segment(tmp_path / "rfm.csv", n_segments=2, random_state=0)
    from_table = segmentation.segment(table, n_segments=2, random_state=0)
    pd.testing.assert_series_equal(from_file.labels, from_table.labels)
    assert from_file.predict(str(tmp_path / "rfm.csv")).tolist() == from_table.labels.tolist()


def test_a_csv_file_with_text_among_numbers_is_refused(tmp_path):
    rfm([1, 2], ["3", "four"], [1.0, 2.0]).to_csv(tmp_path / "rfm.csv")
    with pytest.raises(DataError, match="'frequency' is not numeric"):
        segmentation.segment(tmp_path / "rfm.csv")


def test_chinese_columns_and_ids_are_kept():
    table = pd.DataFrame({"访问次数": [1, 2, 1, 50, 52, 49]}, index=pd.Index(list("甲乙丙丁戊己"), name="customer_id"))
    segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0, language="zh")
    assert segments.labels.to_dict()["丁"] == "访问次数高"
    assert segments.profile.columns[3] == "访问次数_median"
    assert segments.rules["rule"].str.startswith("访问次数").all()


def test_integer_customer_ids_stay_integers():
    table = rfm([1, 100, 2, 99], [9, 1, 8, 1], [90.0, 1.0, 80.0, 1.0]).set_axis(
        pd.Index([4, 3, 2, 1], name="customer_id")
    )
    assert segmentation.segment(table, n_segments=2, random_state=0).labels.index.tolist() == [4, 3, 2, 1]


def test_huge_values_stay_finite():
    table = rfm([1, 2, 300, 301], [1, 2, 3, 4], [1e300, 2e300, -1e300, 5.0])
    segments = segmentation.segment(table, n_segments=2, random_state=0)
    assert np.isfinite(segments.profile[["recency_days_median", "monetary_median"]].to_numpy()).all()


def test_a_table_of_polars_is_taken():
    polars = pytest.importorskip("polars")
    random = np.random.default_rng(1)
    table = rfm(random.integers(1, 300, 60), random.integers(1, 9, 60), random.gamma(2, 50, 60)).reset_index()
    assert len(segmentation.segment(polars.from_pandas(table), n_segments=3, random_state=0).labels) == 60


@pytest.mark.parametrize("name", ["agglomerative", "gaussian-mixture", "hdbscan"])
def test_one_customer_alone_is_told_in_plain_words_where_customers_are_compared(rfm, name):
    with pytest.raises(DataError, match=f"^{name} compares customers with each other, and there is one customer only$"):
        segmentation.segment(rfm.iloc[:1], name, random_state=0)


def test_two_customers_are_too_few_for_a_core_distance(rfm):
    with pytest.raises(DataError, match="take a smaller min_samples"):
        segmentation.segment(rfm.iloc[:2], "hdbscan")


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_separation_does_not_depend_on_the_unit(rfm, factor):
    raw = segmentation.segment(rfm * factor, "rfm-rules").choice
    plain = segmentation.segment(rfm, "rfm-rules").choice
    for name in ("silhouette", "calinski_harabasz"):
        np.testing.assert_allclose(raw.columns[name], plain.columns[name], rtol=1e-9)
