"""What one call of segment gives, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import (
    DBSCAN,
    OPTICS,
    AffinityPropagation,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    SpectralClustering,
)
from sklearn.decomposition import PCA
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import crmkit
from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation import PlacingSegmenter


def small(**columns):
    """Give a customer table of these columns."""
    length = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"c{place}" for place in range(length)], name="customer_id"))


def test_labels_are_names_indexed_by_customer_in_the_order_of_the_table(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0)
    assert segments.labels.name == "segment"
    assert segments.labels.index.equals(rfm.index)
    assert segments.segment_id.index.equals(rfm.index)
    assert segments.labels.tolist() == [segments.names[number] for number in segments.segment_id]


def test_labels_join_the_table_they_came_from(rfm):
    joined = rfm.join(segmentation.segment(rfm, n_segments=3, random_state=0).labels)
    assert joined["segment"].notna().all()
    assert len(joined) == len(rfm)


def test_clear_groups_are_found_and_ordered_by_revenue(rfm):
    segments = segmentation.segment(rfm, random_state=0)
    assert segments.n_segments == 3
    assert segments.choice.criterion == "silhouette"
    assert segments.profile["customers"].tolist() == [60, 140, 100]
    earned = rfm["monetary"].groupby(segments.segment_id).sum()
    assert earned.is_monotonic_decreasing


def test_segments_without_revenue_are_ordered_by_size(rfm):
    segments = segmentation.segment(rfm, n_segments=3, revenue=None, random_state=0)
    assert segments.profile["customers"].tolist() == [140, 100, 60]
    assert "revenue_share" not in segments.profile.columns


def test_another_column_can_be_the_revenue(rfm):
    table = rfm.assign(margin=np.where(rfm["recency_days"] > 200, 10.0, 0.0))
    segments = segmentation.segment(table, n_segments=3, revenue="margin", random_state=0)
    assert segments.profile["revenue_share"].tolist() == [1.0, 0.0, 0.0]
    assert segments.profile["customers"].iloc[0] == 100


def test_revenue_that_sums_to_nothing_is_not_shared_out(rfm):
    segments = segmentation.segment(rfm.assign(net=-1.0), n_segments=3, revenue="net", random_state=0)
    assert "revenue_share" not in segments.profile.columns


def test_unknown_revenue_column_is_refused_with_the_nearest(rfm):
    with pytest.raises(DataError, match=r"no column 'monetry'.*nearest: 'monetary'"):
        segmentation.segment(rfm, revenue="monetry")


def three(table, name):
    """Segment by a built-in segmenter, into three where it takes the number."""
    takes_number = "n_segments" in crmkit.describe("segmenter", name).spec.facts
    return segmentation.segment(table, name, n_segments=3 if takes_number else "auto", random_state=0)


@pytest.mark.parametrize("name", crmkit.available("segmenter"))
def test_every_built_in_segmenter_gives_the_same_again(rfm, name):
    first, second = (three(rfm, name) for _ in range(2))
    pd.testing.assert_series_equal(first.labels, second.labels)
    pd.testing.assert_frame_equal(pd.DataFrame(first.profile), pd.DataFrame(second.profile))


@pytest.mark.parametrize("name", crmkit.available("segmenter"))
def test_every_built_in_segmenter_scores_one_customer_as_in_the_batch(rfm, name):
    segments = three(rfm, name)
    new = rfm.sample(25, random_state=3) * 1.07
    together = segments.predict(new)
    alone = pd.concat([segments.predict(new.iloc[[row]]) for row in range(len(new))])
    pd.testing.assert_series_equal(together, alone)


@pytest.mark.parametrize("name", crmkit.available("segmenter"))
def test_every_built_in_segmenter_places_the_fitted_customers_where_they_were(rfm, name):
    segments = three(rfm, name)
    pd.testing.assert_series_equal(segments.predict(rfm), segments.labels)


INSTANCES = [
    KMeans(3, n_init=2),
    Birch(n_clusters=3),
    BisectingKMeans(3),
    GaussianMixture(3),
    BayesianGaussianMixture(n_components=3),
    AgglomerativeClustering(3, linkage="average"),
    SpectralClustering(3),
    MeanShift(),
    OPTICS(min_samples=10),
    AffinityPropagation(damping=0.9),
    DBSCAN(eps=0.5, metric="manhattan"),
    make_pipeline(PCA(2), KMeans(3, n_init=2)),
]


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: type(instance).__name__)
def test_any_clusterer_of_scikit_learn_passes_into_segment(rfm, instance):
    before = instance.get_params()
    segments = segmentation.segment(rfm, instance, random_state=0)
    assert len(segments.labels) == len(rfm)
    assert segments.choice.criterion == "segmenter"
    assert (segments.predict(rfm) == segments.labels).mean() > 0.95
    assert str(instance.get_params()) == str(before)
    assert not hasattr(instance, "labels_")


def test_number_asked_for_wins_over_the_instances_own(rfm):
    segments = segmentation.segment(rfm, KMeans(8), n_segments=2, random_state=0)
    assert segments.n_segments == 2
    assert segments.choice.reason == "2 segments: asked for"


def test_parameters_go_to_a_segmenter_given_by_name(rfm):
    segments = segmentation.segment(rfm, "dbscan", params={"eps": 0.9, "min_samples": 5})
    assert segments.segmenter.segmenter_.get_params()["eps"] == 0.9
    with pytest.raises(TypeError, match="params are for a segmenter given by name: set them on the DBSCAN"):
        segmentation.segment(rfm, DBSCAN(), params={"eps": 0.9})


def test_number_among_the_parameters_is_not_chosen_again(rfm):
    segments = segmentation.segment(rfm, "kmeans", params={"n_clusters": 4}, random_state=0)
    assert segments.n_segments == 4
    assert segments.choice.criterion == "segmenter"


def test_parameters_leave_the_number_to_be_chosen(rfm):
    segments = segmentation.segment(rfm, "kmeans", params={"n_init": 2}, random_state=0)
    assert segments.segmenter.n_init == 2
    assert segments.choice.criterion == "silhouette"
    assert segments.choice.table.loc[segments.choice.table["chosen"], "n_segments"].tolist() == [3]


def test_segmenter_that_finds_the_number_refuses_one():
    with pytest.raises(ValueError, match="dbscan has no parameter for the number of segments"):
        segmentation.segment(small(a=[1.0, 2.0, 3.0]), "dbscan", n_segments=2, transform="none")


class Halves(BaseEstimator):
    """A segmenter of three methods that knows nothing of scikit-learn's clusterers."""

    def fit(self, X, _y=None):
        self.border_ = np.median(X[:, 0])
        return self

    def fit_predict(self, X, _y=None):
        return self.fit(X).predict(X)

    def predict(self, X):
        return np.where(X[:, 0] > self.border_, 7, 3)


def test_segmenter_with_labels_of_its_own_counting_gets_ids_from_zero(rfm):
    segments = segmentation.segment(rfm, Halves())
    assert sorted(segments.segment_id.unique()) == [0, 1]
    pd.testing.assert_series_equal(segments.predict(rfm), segments.labels)


class Named(Halves):
    """A segmenter with names of its own."""

    def __init__(self, names=("low", "high")):
        self.names = names

    def predict(self, X):
        return (X[:, 0] > self.border_).astype(int)

    @property
    def segment_names_(self):
        return self.names


def test_names_of_the_segmenter_win_over_suggested_ones(rfm):
    segments = segmentation.segment(rfm, Named(), features=["recency_days"])
    assert segments.labels.groupby(segments.segment_id).first().tolist() == ["low", "high"]
    with pytest.raises(DataError, match="Named gives two segments the same name"):
        segmentation.segment(rfm, Named(("same", "same")))


class Plain:
    """A segmenter without parameters or base class, which cannot predict."""

    def fit(self, _X):
        return self

    def fit_predict(self, X, _y=None):
        return (X[:, 0] > 0).astype(int)


def test_segmenter_without_parameters_or_predict_is_wrapped(rfm):
    segments = segmentation.segment(rfm, Plain())
    assert isinstance(segments.segmenter, PlacingSegmenter)
    pd.testing.assert_series_equal(segments.predict(rfm), segments.labels)


class Wavering(Halves):
    """Predicts a segment that it did not give when it was fitted."""

    def fit_predict(self, X, _y=None):
        self.fit(X)
        return np.zeros(len(X), dtype=int)


def test_segment_that_appears_only_in_predict_is_an_error(rfm):
    segments = segmentation.segment(rfm, Wavering())
    with pytest.raises(DataError, match="did not have when it was fitted"):
        segments.predict(rfm)


class Broken(BaseEstimator):
    def fit_predict(self, X, _y=None):
        return np.zeros(len(X) + 1)


def test_labels_of_the_wrong_kind_are_refused(rfm):
    with pytest.raises(TypeError, match="one integer a customer; Broken gave float64"):
        segmentation.segment(rfm, Broken())


def test_object_without_fit_predict_is_refused(rfm):
    with pytest.raises(TypeError, match=r"a segmenter needs fit_predict\(\)"):
        segmentation.segment(rfm, StandardScaler())


def test_noise_customers_keep_a_negative_id_and_a_name_of_their_own():
    table = small(spent=[0.0, 0.4, 0.8, 1.2, 5.0, 9.0, 9.9])
    segments = segmentation.segment(table, DBSCAN(eps=0.5, min_samples=3), transform="none")
    assert segments.segment_id.tolist() == [0, 0, 0, 0, -1, -1, -1]
    assert segments.labels.iloc[-1] == "in no segment"
    assert segments.profile.index[-1] == "in no segment"
    assert segments.profile["customers"].tolist() == [4, 3]
    assert "3 customers are in no segment" in segments.choice.reason
    assert "3 of them in no segment" in repr(segments)


def test_nobody_in_a_segment_is_told_and_kept():
    with pytest.warns(DataWarning, match="dbscan put nobody into a segment"):
        segments = segmentation.segment(small(a=[0.0, 10.0, 20.0]), "dbscan", transform="none")
    assert segments.n_segments == 0
    assert segments.segment_id.tolist() == [-1, -1, -1]
    assert segments.predict(small(a=[0.0])).tolist() == ["in no segment"]


@pytest.mark.parametrize("transform", ["rfm", "scale", "none", None])
def test_named_transforms_are_frozen_when_fitting(rfm, transform):
    segments = segmentation.segment(rfm, n_segments=3, transform=transform, random_state=0, features=list(rfm))
    shifted = rfm.assign(monetary=rfm["monetary"] * 100)
    pd.testing.assert_series_equal(segments.predict(shifted).iloc[[5]], segments.predict(shifted.iloc[[5]]))
    pd.testing.assert_series_equal(segments.predict(rfm), segments.labels)


def test_transform_rfm_does_not_depend_on_currency_or_unit(rfm):
    pence = rfm.assign(monetary=rfm["monetary"] * 100, recency_days=rfm["recency_days"] * 24)
    first, second = (segmentation.segment(table, n_segments=3, random_state=0) for table in (rfm, pence))
    assert first.segment_id.equals(second.segment_id)


def test_transformer_is_copied_and_sees_column_names(rfm):
    transformer = FunctionTransformer(lambda frame: frame[["frequency"]])
    segments = segmentation.segment(rfm, n_segments=2, transform=transformer, random_state=0, features=list(rfm))
    assert segments.profile["frequency_median"].iloc[0] > 10
    assert not hasattr(transformer, "n_features_in_")


def test_transform_that_loses_values_is_refused_with_positions(rfm):
    logarithm = FunctionTransformer(lambda frame: np.log(frame.clip(lower=0)))
    table = rfm.assign(monetary=np.where(np.arange(300) == 17, -5.0, rfm["monetary"]))
    with np.errstate(divide="ignore"), pytest.raises(DataError, match="infinite values in row 17"):
        segmentation.segment(table, transform=logarithm, features=list(rfm))


def test_transform_that_drops_rows_is_refused(rfm):
    with pytest.raises(DataError, match="one row a customer"):
        segmentation.segment(rfm, transform=FunctionTransformer(lambda frame: frame.iloc[1:]), features=list(rfm))


def test_unknown_transform_is_refused(rfm):
    with pytest.raises(ValueError, match="transform must be 'rfm', 'scale', 'none' or a scikit-learn transformer"):
        segmentation.segment(rfm, transform="log")
    with pytest.raises(TypeError, match=r"a transform needs fit\(\), transform\(\)"):
        segmentation.segment(rfm, transform=3, features=list(rfm))


def test_rules_take_raw_columns_and_refuse_another_transform(rfm):
    segments = segmentation.segment(rfm, "rfm-rules")
    assert segments.transform is None
    with pytest.raises(ValueError, match="wants its columns with transform='none'"):
        segmentation.segment(rfm, "rfm-rules", transform="scale")


def test_refunds_beyond_the_purchases_do_not_make_a_segment_of_their_own(rfm):
    net = rfm.assign(monetary=np.where(np.arange(300) < 3, -20.0, rfm["monetary"]))
    segments = segmentation.segment(net, n_segments=3, random_state=0)
    assert segments.profile["customers"].min() > 50


def test_columns_beside_rfm_do_no_harm(rfm):
    table = rfm.assign(name="x", p_alive=0.5, missing=np.nan)
    assert segmentation.segment(table, n_segments=3, random_state=0).features == tuple(rfm.columns)


def test_features_are_taken_in_the_order_given(rfm):
    assert segmentation.segment(rfm, n_segments=2, features=["monetary", "frequency"], random_state=0).features == (
        "monetary",
        "frequency",
    )


def test_all_numeric_columns_are_taken_without_rfm_and_the_others_told(rfm):
    table = rfm.assign(city="York", member=rfm["frequency"] > 3)
    with pytest.warns(DataWarning, match="not segmented by city: not numeric"):
        segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0)
    assert segments.features == ("recency_days", "frequency", "monetary", "member")


def test_language_gives_chinese_names(rfm):
    segments = segmentation.segment(rfm, n_segments=3, random_state=0, language="zh")
    assert "近期购买" in segments.labels.iloc[0] or "久未购买" in "".join(segments.labels)
    assert segments.names[-1] == "未归入任何分群"


def test_unknown_language_is_refused(rfm):
    with pytest.raises(ValueError, match="language must be one of 'en', 'zh'"):
        segmentation.segment(rfm, language="fr")


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "five", None])
def test_wrong_number_of_segments_is_refused(rfm, wrong):
    with pytest.raises(ValueError, match="n_segments must be 'auto' or a whole number"):
        segmentation.segment(rfm, n_segments=wrong)


def test_all_pairs_of_many_customers_are_refused_before_memory_ends():
    table = small(a=np.arange(40_000.0))
    with pytest.raises(DataError, match="40,000 customers, 6 GB: take 'mini-batch-kmeans'"):
        segmentation.segment(table, "agglomerative", n_segments=2, transform="none")


def test_generator_of_numpy_seeds_but_is_not_kept(rfm):
    state = np.random.RandomState(0)
    segments = segmentation.segment(rfm, n_segments=3, random_state=state)
    assert segments.n_segments == 3
    assert isinstance(segments.segmenter.random_state, int)
