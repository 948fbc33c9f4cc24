"""Refitting keeps who is who: ids, names, and a table of what became of each segment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

import crmkit
from crmkit import preparation, segmentation
from crmkit.core.errors import DataError


@pytest.fixture
def segments(rfm):
    return segmentation.segment(rfm, n_segments=3, random_state=0)


def blobs(centers, sizes, seed=0):
    """Give a table of two columns with groups around centers."""
    random = np.random.default_rng(seed)
    points = np.concatenate(
        [random.normal(center, 0.3, (size, 2)) for center, size in zip(centers, sizes, strict=True)]
    )
    index = pd.Index([f"c{number}" for number in range(len(points))], name="customer_id")
    return pd.DataFrame(points, columns=["a", "b"], index=index)


def plain(table, segmenter="kmeans", **options):
    """Segment by two columns as they are."""
    return segmentation.segment(table, segmenter, transform="none", features=["a", "b"], random_state=0, **options)


class Shuffled(KMeans):
    """KMeans whose labels are in another order at each fit."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        order = np.random.default_rng(self.random_state).permutation(self.n_clusters)
        self.labels_ = order[self.labels_].astype(self.labels_.dtype)
        self.cluster_centers_ = self.cluster_centers_[np.argsort(order)]
        return self


def test_permuted_labels_keep_ids_and_names_in_100_of_100_refits():
    centers = [(0, 0), (9, 0), (0, 9), (9, 9), (20, 4)]
    table = blobs(centers, [40] * 5)
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(5), 40)
    first = segmentation.segment(
        table.assign(value=np.array([5.0, 4, 3, 2, 1])[group]), Shuffled(5, n_init=2, random_state=0),
        transform="none", features=["a", "b"], revenue="value",
    ).rename({0: "zero", 1: "one", 2: "two"})  # fmt: skip
    matched = 0
    for seed in range(100):
        # The order of the segments by revenue is another one each time; who belongs together is not.
        later = table.assign(value=random.permutation(5)[group] + 1.0).sample(frac=1, random_state=seed)
        again = first.refit(later, random_state=seed)
        matched += again.labels.equals(first.labels.reindex(again.labels.index)) and again.names == first.names
        assert set(again.identity.table["what"]) == {"kept"}
        assert again.identity.rand == 1
    assert matched == 100


def test_the_profile_and_rules_follow_the_ids(rfm):
    segments = segmentation.segment(
        rfm, n_segments=3, transform="scale", features=["recency_days", "frequency"], random_state=0
    )
    later = rfm.assign(monetary=rfm["monetary"].where(segments.segment_id.reindex(rfm.index) != 2, 1e6))
    again = segments.refit(later, least_jaccard=0.9)
    assert again.segment_id.loc[segments.segment_id.index].equals(segments.segment_id)
    profile = again.profile
    assert profile["segment_id"].tolist() == [0, 1, 2]
    # The richest are no longer the first: a refit does not reorder.
    assert profile["revenue_share"].idxmax() == segments.names[2]
    for name, part in later.groupby(again.labels.reindex(later.index)):
        assert profile.loc[name, "customers"] == len(part)
        assert profile.loc[name, "frequency_median"] == pytest.approx(part["frequency"].median())
        assert profile.loc[name, "frequency_mean"] == pytest.approx(part["frequency"].mean())
        assert profile.loc[name, "revenue_share_low"] <= profile.loc[name, "revenue_share"]
        assert profile.loc[name, "revenue_share_high"] >= profile.loc[name, "revenue_share"]
        assert profile.loc[name, "revenue_share"] == pytest.approx(part["monetary"].sum() / later["monetary"].sum())
    rules = again.rules
    assert set(rules["segment"]) <= set(again.labels)
    assert (rules["precision"] > 0.9).all()


def test_predictions_of_the_new_model_give_the_kept_names(segments, rfm):
    again = segments.rename({0: "best"}).refit(rfm.sample(frac=1, random_state=5))
    pd.testing.assert_series_equal(again.predict(rfm), again.labels.reindex(rfm.index))
    assert (again.labels == "best").sum() == 60
    assert again.names[0] == "best"


def test_the_old_model_is_not_changed(segments, rfm):
    before = segments.predict(rfm)
    again = segments.refit(rfm.assign(monetary=rfm["monetary"] * 3))
    assert segments.identity is None
    assert segments.predict(rfm).equals(before)
    assert again.segmenter is not segments.segmenter
    assert again.transform is not segments.transform
    assert again.segmenter.get_params() == segments.segmenter.get_params()


def test_scales_are_those_of_the_new_table(segments, rfm):
    again = segments.refit(rfm.assign(monetary=rfm["monetary"] * 1000))
    # All money in a thousandth of the unit: frozen cuts would see other customers, a refit the same segments.
    assert again.identity.contingency.to_numpy().sum() == 300
    assert again.n_segments == 3
    assert again.predict(rfm.assign(monetary=rfm["monetary"] * 1000)).equals(again.labels.reindex(rfm.index))


def test_a_new_segment_gets_a_fresh_id_and_an_unused_name():
    first = plain(blobs([(0, 0), (9, 0)], [50, 40]), n_segments=2).rename({0: "high b", 1: "rest"})
    later = blobs([(0, 0), (9, 0), (0, 30)], [50, 40, 30])
    again = first.refit(later, n_segments=3)
    assert {**again.names} == {0: "high b", 1: "rest", 2: again.names[2], -1: first.names[-1]}
    assert again.names[2] not in {"high b", "rest"}
    assert again.labels.value_counts()[again.names[2]] == 30
    assert again.identity.appeared == [again.names[2]]
    assert again.identity.table.set_index("after").loc[again.names[2], "what"] == "appeared"


def test_a_vanished_id_stays_known_and_is_not_given_again():
    first = plain(blobs([(0, 0), (9, 0), (0, 30)], [50, 40, 60]), n_segments=3)
    gone = first.names[first.segment_id["c95"]]
    less = first.refit(blobs([(0, 0), (9, 0)], [50, 40]), n_segments=2)
    assert gone in less.names.values()
    assert gone not in set(less.labels)
    assert less.identity.vanished == [gone]
    assert less.n_segments == 2
    back = less.refit(blobs([(0, 0), (9, 0), (30, 30)], [50, 40, 60]), n_segments=3)
    assert back.names[3] not in first.names.values()
    assert sorted(back.segment_id.unique()) == sorted({*less.segment_id.unique(), 3})
    assert len(back.identity.table) == 3


def test_a_segment_in_two_parts_is_told_as_split():
    first = plain(blobs([(0, 0), (9, 0)], [80, 40]), n_segments=2)
    later = blobs([(-2, 0), (2, 0), (9, 0)], [44, 36, 40])
    again = first.refit(later, n_segments=3)
    table = again.identity.table.set_index("before_id")
    assert table.loc[0, "what"] == f"split into {again.names[0]!r}, {again.names[2]!r}"
    assert table.loc[1, "what"] == "kept"
    # The larger part goes on as the old segment.
    assert (again.segment_id == 0).sum() == 44


def test_customers_need_not_be_the_same():
    first = plain(blobs([(0, 0), (9, 0)], [50, 40]), n_segments=2)
    later = blobs([(0, 0), (9, 0)], [30, 70], seed=1)
    later.index = pd.Index([f"n{number}" for number in range(100)], name="customer_id")
    again = first.refit(later)
    assert set(again.identity.table["what"]) == {"kept"}
    assert again.identity.rand.n == 100
    assert again.labels.value_counts().to_dict() == {first.names[0]: 30, first.names[1]: 70}


def test_little_overlap_makes_another_segment():
    first = plain(blobs([(0, 0), (9, 0)], [50, 40]), n_segments=2)
    later = blobs([(4, 0), (4, 9)], [60, 60])
    loose, strict = first.refit(later), first.refit(later, least_jaccard=0.9)
    assert strict.identity.table["what"].str.startswith("kept").sum() == 0
    assert min(strict.segment_id) >= 2
    assert strict.identity.least_jaccard == 0.9
    assert len(loose.identity.table) >= 2


@pytest.mark.parametrize(
    "name", ["dbscan", "hdbscan", "gaussian-mixture", "agglomerative", "k-medoids", "k-prototypes"]
)
def test_every_kind_keeps_its_segments_on_the_same_table(name):
    table = blobs([(0, 0), (9, 0), (0, 9)], [60, 50, 40])
    params = {"eps": 1.0, "min_samples": 5} if name == "dbscan" else None
    number = "auto" if "dbscan" in name else 3
    first = plain(table, name, n_segments=number, params=params).rename({0: "<first>"})
    again = first.refit(table.sample(frac=1, random_state=1))
    pd.testing.assert_series_equal(again.labels.reindex(table.index), first.labels)
    assert (again.identity.table["what"] == "kept").all()
    assert again.how_new == first.how_new


def test_whoever_the_old_cuts_cannot_place_is_in_no_segment_there():
    first = plain(blobs([(0, 0), (9, 0)], [50, 50]), "dbscan", params={"eps": 1.0, "min_samples": 5})
    again = first.refit(blobs([(0, 0), (9, 0), (30, 30)], [50, 50, 40]))
    assert again.identity.contingency.loc["in no segment"].max() == 40
    assert again.identity.appeared == [again.names[2]]


def test_named_segments_are_the_same_where_the_name_is(rfm):
    first = segmentation.segment(rfm, "rfm-rules")
    first = first.rename({"champions": "stars"})
    again = first.refit(rfm.iloc[:150])
    assert again.names == first.names
    stars = [segment for segment, name in first.names.items() if name == "stars"]
    champions = again.segmenter.segment_names_.index("champions")
    raw = again.segmenter.predict(rfm.iloc[:150].to_numpy(dtype=float))
    np.testing.assert_array_equal(again.segment_id.to_numpy() == stars[0], raw == champions)
    assert again.identity.least_jaccard == 0
    assert set(again.labels) <= set(first.names.values())
    told = again.identity.table
    assert (told.loc[told["after_id"].notna() & told["before_id"].notna(), "before"]
            == told.loc[told["after_id"].notna() & told["before_id"].notna(), "after"]).all()  # fmt: skip


def test_categories_and_their_columns_are_kept():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"spend": np.r_[random.normal(10, 1, 60), random.normal(50, 1, 60)], "channel": ["web"] * 60 + ["shop"] * 60},
        index=pd.Index(range(120), name="customer_id"),
    )
    first = segmentation.segment(table, "k-prototypes", n_segments=2, transform="scale", random_state=0)
    later = table.assign(channel=np.where(table.index < 30, "app", table["channel"]))
    with pytest.warns(match="categories that were not there when fitting"):
        again = first.refit(later)
    assert again.features == ("spend", "channel")
    assert (again.identity.table["what"] == "kept").all()
    assert "channel=app_mean" in again.profile.columns


def test_a_given_transformer_and_revenue_column_are_kept(rfm):
    table = rfm.rename(columns={"monetary": "turnover"})
    pipeline = make_pipeline(StandardScaler(), RobustScaler())
    first = segmentation.segment(
        table, KMeans(3, n_init=2, random_state=0), transform=pipeline, features=["recency_days", "frequency"],
        revenue="turnover",
    )  # fmt: skip
    again = first.refit(table)
    assert type(again.transform).__name__ == "Pipeline"
    pd.testing.assert_frame_equal(pd.DataFrame(again.profile), pd.DataFrame(first.profile))


def test_the_number_is_kept_or_chosen_anew_or_given(rfm):
    first = segmentation.segment(rfm, random_state=0)
    kept, anew, given = first.refit(rfm), first.refit(rfm, n_segments="auto"), first.refit(rfm, n_segments=2)
    assert kept.choice.n_segments == first.choice.n_segments
    assert kept.choice.reason.endswith("the number was kept from the fit before")
    assert anew.choice.criterion == first.choice.criterion
    assert (given.n_segments, given.choice.reason) == (2, "2 segments: asked for")


def test_the_same_seed_gives_the_same_refit(segments, rfm):
    first, second = segments.refit(rfm.iloc[:200]), segments.refit(rfm.iloc[:200])
    assert first.labels.equals(second.labels)
    assert repr(first.identity) == repr(second.identity)
    seeded = segments.refit(rfm, random_state=np.random.RandomState(3))
    assert isinstance(seeded.segmenter.get_params()["random_state"], int)
    assert segments.refit(rfm, random_state=7).segmenter.get_params()["random_state"] == 7


def test_it_is_saved_and_loaded_without_pickle(segments, rfm, tmp_path):
    again = segments.rename({0: "best"}).refit(rfm.iloc[:250], n_segments=4)
    crmkit.save(again, tmp_path / "segments.crmkit")
    loaded = crmkit.load(tmp_path / "segments.crmkit")
    assert loaded.names == again.names
    pd.testing.assert_frame_equal(loaded.identity.table, again.identity.table)
    assert loaded.predict(rfm).equals(again.predict(rfm))
    once_more = loaded.refit(rfm)
    assert once_more.labels.equals(again.refit(rfm).labels)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "many"])
def test_a_number_that_is_none_is_refused(segments, rfm, wrong):
    with pytest.raises(ValueError, match="n_segments must be None, 'auto' or a whole number"):
        segments.refit(rfm, n_segments=wrong)


@pytest.mark.parametrize("wrong", [0, 1.5, True])
def test_an_overlap_that_is_none_is_refused(segments, rfm, wrong):
    with pytest.raises(ValueError, match="least_jaccard must be above 0 and at most 1"):
        segments.refit(rfm, least_jaccard=wrong)


def test_fewer_customers_than_segments_is_an_error(segments, rfm):
    with pytest.raises(DataError, match="only 2 distinct customers"):
        segments.refit(rfm.iloc[:2])
    with pytest.raises(DataError, match="'monetary'"):
        segments.refit(rfm.drop(columns="monetary"))


def test_one_segment_stays_one(rfm):
    first = segmentation.segment(rfm, n_segments=1, random_state=0)
    again = first.refit(rfm.iloc[:100])
    assert again.names == first.names
    assert again.identity.rand == 1


def test_missing_values_that_the_transform_fills_stay_allowed(rfm, tmp_path):
    table = rfm.assign(age=np.where(np.arange(300) % 7 == 0, np.nan, 40.0 + np.arange(300) % 30))
    with pytest.warns(match="missing values are filled as declared"):
        first = segmentation.segment(
            table, n_segments=3, transform=preparation.for_clustering(missing="median"), random_state=0,
            features=["recency_days", "frequency", "age"],
        )  # fmt: skip
    later = table.assign(age=table["age"].where(np.arange(300) > 100))
    crmkit.save(first, tmp_path / "segments.crmkit")
    with pytest.warns(match="missing values are filled as declared"):
        again = crmkit.load(tmp_path / "segments.crmkit").refit(later)
    assert (again.identity.table["what"] == "kept").all()
    with pytest.warns(match="missing values are filled as declared"):
        columns = first.compare(later).columns
    assert columns.loc["age", ["known_before", "known_after"]].tolist() == [257, later["age"].notna().sum()]


def test_segments_may_come_out_of_nobody_and_go_again():
    groups = blobs([(0, 0), (9, 0)], [50, 50])
    sparse = groups * 1000
    with pytest.warns(match="put nobody into a segment"):
        first = plain(sparse, "dbscan", params={"eps": 1.0, "min_samples": 5})
    with pytest.warns(match="put nobody into a segment"):
        still = first.refit(sparse)
    assert (still.n_segments, len(still.identity.table), len(still.rules)) == (0, 0, 1)
    found = still.refit(groups)
    assert found.n_segments == 2
    with pytest.warns(match="put nobody into a segment"):
        lost = found.refit(sparse)
    assert lost.identity.vanished == [found.names[0], found.names[1]]
    again = lost.refit(groups)
    # Ids are never given twice, and nobody is mistaken for who was there before.
    assert sorted(again.segment_id.unique()) == [2, 3]
    assert len(set(again.names.values())) == 5
