"""Which segments come back when customers are drawn anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs

from crmkit import metrics, segmentation
from crmkit.core.errors import DataError
from crmkit.segmentation import stability
from crmkit.segmentation.choosing._resampling import resampled_jaccard

THREE = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0]


@pytest.mark.parametrize("scheme", ["bootstrap", "subset"])
def test_segments_that_are_there_come_back_whole(scheme):
    table = stability("kmeans", THREE, n_segments=3, n_resamples=8, scheme=scheme, random_state=0)
    assert table["jaccard"].tolist() == [1.0] * 3
    assert table["recovered"].tolist() == [1.0] * 3
    assert table["dissolved"].tolist() == [0.0] * 3
    assert table["reading"].tolist() == ["stable"] * 3
    assert table["resamples"].tolist() == [8] * 3
    assert table["customers"].sum() == 300


def test_a_group_cut_in_two_is_told_from_those_left_whole():
    table = stability(KMeans(4, n_init=3), THREE, n_resamples=20, random_state=0)
    assert (table["reading"] == "stable").sum() >= 1
    assert table["jaccard"].min() < 0.75
    assert (table["low"] <= table["jaccard"]).all()
    assert (table["jaccard"] <= table["high"]).all()


def test_thousand_cuts_of_a_cloud_dissolve():
    points = np.random.default_rng(0).normal(size=(200, 4))
    table = stability("kmeans", points, n_segments=12, n_resamples=10, random_state=0)
    assert table["dissolved"].mean() > 0.4
    assert set(table["reading"]) & {"doubtful", "dissolved"}


def test_figures_are_those_of_the_metric():
    refound = []

    def refit(rows, seed):
        found = np.asarray(KMeans(5, n_init=1, random_state=seed).fit_predict(THREE[rows]))
        row = np.full(len(THREE), np.nan)
        row[rows] = found
        refound.append(row)
        return found

    labels = KMeans(5, n_init=1, random_state=0).fit_predict(THREE)
    each = resampled_jaccard(labels, refit, n_resamples=6, scheme="bootstrap", seed=0)
    assert metrics.stability(labels, np.array(refound)) == pytest.approx(each.mean())


def test_a_model_is_asked_about_its_own_segments(rfm):
    segments = segmentation.segment(rfm, "kmeans", n_segments=3, random_state=0)
    table = stability(segments, rfm, n_resamples=6, random_state=0)
    assert table["customers"].to_dict() == segments.labels.value_counts().to_dict()
    assert (table["jaccard"] > 0.9).all()
    renamed = segments.rename({table.index[0]: "renamed"})
    assert stability(renamed, rfm, n_resamples=2, random_state=0).index[0] == "renamed"


def test_a_model_with_categories_or_without_prediction_is_asked_too(rfm):
    channel = np.where(rfm["frequency"] > 9, "web", "shop")
    mixed = segmentation.segment(
        rfm.assign(channel=channel), "k-prototypes", n_segments=2, transform="scale", random_state=0
    )
    assert len(stability(mixed, rfm.assign(channel=channel), n_resamples=2, random_state=0)) == 2
    placed = segmentation.segment(rfm, "agglomerative", n_segments=3, random_state=0)
    assert (stability(placed, rfm, n_resamples=3, random_state=0)["jaccard"] > 0.8).all()


def test_noise_is_no_segment():
    points = np.vstack([THREE, np.random.default_rng(0).uniform(-30, 40, (40, 2))])
    table = stability(DBSCAN(eps=1.5, min_samples=5), points, n_resamples=5, scheme="subset", random_state=0)
    assert -1 not in table.index
    assert table["customers"].nlargest(3).sum() > 280
    with pytest.raises(DataError, match="nobody is in a segment"):
        stability(DBSCAN(eps=1e-9, min_samples=5), points, random_state=0)


def test_too_few_customers_are_counted_in_one_error():
    with pytest.raises(DataError, match="KMeans could not be fitted on 1 customer: "):
        stability("kmeans", THREE[:1], n_segments=3, random_state=0)
    with pytest.raises(DataError, match="KMeans could not be fitted on 2 customers: "):
        stability("kmeans", THREE[:4], n_segments=3, scheme="subset", random_state=0)


def test_a_segment_that_no_resample_holds_is_told():
    points = np.vstack([THREE[:40], [[99.0, 99.0]]])
    table = stability("kmeans", points, n_segments=4, n_resamples=2, scheme="subset", random_state=1)
    alone = table[table["customers"] == 1]
    assert (alone["resamples"] < 2).all()
    for row in alone[alone["resamples"] == 0].itertuples():
        assert row.reading == "not drawn"


def test_large_tables_are_sampled_and_the_seed_decides():
    points = make_blobs(5000, centers=4, random_state=0)[0]
    first, again = (
        stability("kmeans", points, n_segments=4, sample_size=300, n_resamples=4, random_state=7) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert first["customers"].sum() == 300


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"scheme": "jitter"}, "scheme must be one of 'bootstrap', 'subset'"),
        ({"n_resamples": 1}, "n_resamples must be a whole number of at least 2"),
        ({"sample_size": 1.5}, "sample_size must be"),
    ],
)
def test_what_makes_no_sense_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        stability("kmeans", THREE, **options)


def test_a_model_keeps_its_own_number(rfm):
    segments = segmentation.segment(rfm, "kmeans", n_segments=2, random_state=0)
    with pytest.raises(ValueError, match="n_segments is for a segmenter"):
        stability(segments, rfm, n_segments=3)
