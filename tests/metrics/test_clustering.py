from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as peer
from sklearn.datasets import make_blobs

import crmkit
from crmkit import DataError, metrics

X, LABELS = make_blobs(500, centers=[[0, 0], [2, 2], [5, 0]], random_state=0)


def test_small_tables_are_exact():
    got = metrics.silhouette(X, LABELS)
    assert got == pytest.approx(peer.silhouette_score(X, LABELS))
    assert got.n == 500
    assert got.method == "t"


@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
def test_other_distances_serve(metric):
    assert metrics.silhouette(X, LABELS, metric=metric) == pytest.approx(
        peer.silhouette_score(X, LABELS, metric=metric)
    )


def test_sampled_rows_are_measured_against_all_rows():
    exact = metrics.silhouette(X, LABELS, sample_size=None)
    sampled = [metrics.silhouette(X, LABELS, sample_size=50, random_state=seed) for seed in range(40)]
    assert {one.n for one in sampled} == {50}
    assert {one.method for one in sampled} == {"t, sampled"}
    # Unbiased: a sample that only knew itself would be biased by its small segments.
    assert np.mean(sampled) == pytest.approx(exact, abs=0.02)
    assert np.mean([one.low <= exact <= one.high for one in sampled]) >= 0.85


def test_the_seed_decides_the_sample():
    first, again, other = (metrics.silhouette(X, LABELS, sample_size=50, random_state=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_rows_in_no_segment_are_left_out_and_counted():
    labels = LABELS.copy()
    labels[:7] = -1
    got = metrics.silhouette(X, labels)
    assert got == pytest.approx(peer.silhouette_score(X[7:], LABELS[7:]))
    assert got.method == "t; 7 rows in no segment left out"


def test_names_of_segments_serve():
    names = pd.Series(LABELS).map({0: "loyal", 1: "new", 2: "lost"})
    assert metrics.silhouette(pd.DataFrame(X), names) == pytest.approx(peer.silhouette_score(X, LABELS))


def test_a_row_alone_and_rows_in_one_place_count_0():
    points = [[0.0], [0.0], [0.0], [0.0], [9.0]]
    got = metrics.silhouette(points, [0, 0, 1, 1, 2])
    assert got == 0


@pytest.mark.parametrize(
    ("table", "labels", "match"),
    [
        ([[1.0], [2.0]], [0, 0], "at least 2 segments"),
        ([[1.0], [2.0]], [0, 1], "fewer than rows"),
        ([[1.0], [np.nan], [2.0]], [0, 1, 1], "not finite in row 1"),
        ([1.0, 2.0], [0, 1], "rows and columns"),
        ([[1.0], [2.0]], [0], "table has 2, labels has 1"),
    ],
)
def test_what_has_no_silhouette_is_refused(table, labels, match):
    with pytest.raises(DataError, match=match):
        metrics.silhouette(table, labels)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.calinski_harabasz, peer.calinski_harabasz_score),
        (metrics.davies_bouldin, peer.davies_bouldin_score),
    ],
)
def test_indices_are_scikit_learn_s_with_an_interval(ours, theirs):
    got = ours(X, LABELS)
    assert got == pytest.approx(theirs(X, LABELS))
    assert got.low < got < got.high
    assert (got.n, got.method) == (500, "bootstrap")
    labels = np.where(np.arange(500) < 9, -1, LABELS)
    noisy = ours(X, labels, n_resamples=0)
    assert noisy == pytest.approx(theirs(X[9:], LABELS[9:]))
    assert noisy.method == "9 rows in no segment left out"
    assert np.isnan(noisy.low)


@pytest.mark.parametrize("index", [metrics.calinski_harabasz, metrics.davies_bouldin])
def test_what_has_no_index_is_refused(index):
    with pytest.raises(DataError, match="at least 2 segments"):
        index([[1.0], [2.0]], [0, 0])
    with pytest.raises(DataError, match="not finite in row 1"):
        index([[1.0], [np.nan], [2.0]], [0, 1, 1])


@pytest.mark.parametrize(("index", "low", "high"), [("calinski-harabasz", 300, 1200), ("davies-bouldin", 0.3, 0.9)])
def test_indices_go_by_name(index, low, high):
    assert low < crmkit.create("evaluator", index, n_resamples=0)(X, LABELS) < high
