"""How many segments: several where there are several, and one where there is one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.mixture import GaussianMixture

from crmkit.core.errors import DataError
from crmkit.segmentation import Choice, choose_k
from crmkit.segmentation.choosing._choice import _dispersion


def separated(k, seed, n_features=3, n=900):
    """Give blobs of deviation 1 whose centres are at least 7 apart."""
    drawn = np.random.default_rng(1000 * k + seed).uniform(-12, 12, (4000, n_features))
    centers = drawn[:1]
    for center in drawn:
        if len(centers) < k and np.linalg.norm(centers - center, axis=1).min() > 7:
            centers = np.vstack([centers, center])
    assert len(centers) == k
    return make_blobs(n, centers=centers, random_state=seed)[0]


@pytest.mark.parametrize("k", [2, 3, 4, 5, 7, 9])
def test_number_of_separated_blobs_is_found(k):
    assert choose_k(KMeans(n_init=5), separated(k, seed=k), n_references=5, random_state=0).n_segments == k


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("cloud", ["normal", "uniform", "standard_t"])
def test_one_cloud_is_one_segment(cloud, seed):
    random = np.random.default_rng(seed)
    points = random.standard_t(5, (700, 3)) if cloud == "standard_t" else getattr(random, cloud)(size=(700, 3))
    choice = choose_k(KMeans(n_init=3), points, range(1, 8), n_references=5, random_state=seed)
    assert choice.n_segments == 1
    assert choice.reason.startswith("1 segment")


@pytest.mark.parametrize("segmenter", [GaussianMixture(), AgglomerativeClustering()], ids=["mixture", "hierarchy"])
def test_other_segmenters_find_the_number_too(segmenter):
    choice = choose_k(segmenter, separated(3, seed=1, n=300), range(1, 7), n_references=4, random_state=0)
    assert choice.n_segments == 3
    assert choice.criterion == ("bic" if isinstance(segmenter, GaussianMixture) else "gap")


def test_mixture_of_one_is_one():
    points = np.random.default_rng(0).normal(size=(400, 2))
    choice = choose_k(GaussianMixture(), points, random_state=0)
    assert choice.n_segments == 1
    assert choice.reason == "1 segment: least Bayesian information criterion of 1 to 10"


def test_mixture_that_wants_more_says_so():
    choice = choose_k(GaussianMixture(), separated(5, seed=2), range(1, 4), random_state=0)
    assert choice.n_segments == 3
    assert choice.reason.endswith("it was still falling, so there may be more")


def test_gap_that_rises_to_the_end_says_so():
    choice = choose_k(KMeans(n_init=5), separated(7, seed=2), range(1, 5), n_references=4, random_state=0)
    assert choice.n_segments == 4
    assert "still rising at 4, so there may be more" in choice.reason


def test_criteria_are_those_of_scikit_learn():
    points = separated(3, seed=0, n=300)
    row = choose_k(KMeans(n_init=3), points, [3], n_references=2, random_state=0).table.iloc[0]
    labels = KMeans(3, n_init=3, random_state=0).fit_predict(points)
    assert row["silhouette"] == pytest.approx(silhouette_score(points, labels))
    assert row["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(points, labels))


def test_dispersion_is_the_inertia_of_kmeans():
    points = separated(3, seed=0, n=300)
    kmeans = KMeans(3, n_init=3, random_state=0).fit(points)
    assert _dispersion(points, kmeans.labels_) == pytest.approx(kmeans.inertia_, rel=1e-9)


def test_groups_that_are_no_clouds_are_not_split_without_end():
    random = np.random.default_rng(0)
    lines = np.vstack(
        [np.column_stack([random.uniform(0, 3, 150), np.full(150, height)]) for height in (0.0, 9.0, 30.0)]
    )
    choice = choose_k(KMeans(n_init=5), lines, random_state=0)
    assert choice.n_segments == 3
    assert choice.criterion == "silhouette"
    assert "gap statistic would take split them further" in choice.reason


def test_a_continuum_says_that_nothing_separates_clearly():
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 800)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + random.normal(0, 0.02, (800, 2))
    choice = choose_k(KMeans(n_init=3), ring, n_references=4, random_state=0)
    assert choice.n_segments > 1
    assert choice.criterion == "gap"


def test_few_distinct_customers_are_counted():
    points = np.repeat([[0.0, 0.0], [1.0, 5.0], [9.0, 2.0]], 30, axis=0)
    choice = choose_k(KMeans(n_init=3), points, random_state=0)
    assert choice.n_segments == 3
    assert choice.table["n_segments"].max() == 3


def test_equal_customers_are_one_segment():
    assert choose_k(KMeans(), np.ones((9, 2))).n_segments == 1


def test_the_same_seed_gives_the_same_table():
    points = separated(4, seed=1)
    first, second = (choose_k(KMeans(n_init=2), points, range(1, 6), sample_size=300, random_state=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table)


def test_number_parameter_may_be_named():
    with pytest.raises(TypeError, match="DBSCAN has no parameter for the number"):
        choose_k(DBSCAN(), np.zeros((9, 2)))


def test_no_number_to_try_is_refused():
    with pytest.raises(DataError, match="no number of segments to try: there are 4 distinct customers"):
        choose_k(KMeans(), np.arange(4.0)[:, None], [3, 9])


def test_choice_prints_its_reason_and_table():
    choice = Choice(2, "given", "2 segments: asked <for>", {"n_segments": [2], "silhouette": [0.5]})
    assert str(choice).splitlines()[0] == "2 segments: asked <for>"
    assert repr(choice) == str(choice)
    assert "asked &lt;for&gt;" in choice._repr_html_()
