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
from crmkit.segmentation import Choice, KMedoids, KPrototypes, choose_k
from crmkit.segmentation.choosing._choose_k import _by_gap, _doubts
from crmkit.segmentation.choosing._mixed_space import space_of
from crmkit.segmentation.choosing._space import squares


def separated(k, seed, n_features=3, n=900):
    """Give blobs of deviation 1 whose centres are at least 7 apart."""
    drawn = np.random.default_rng(1000 * k + seed).uniform(-12, 12, (4000, n_features))
    centers = drawn[:1]
    for center in drawn:
        if len(centers) < k and np.linalg.norm(centers - center, axis=1).min() > 7:
            centers = np.vstack([centers, center])
    assert len(centers) == k
    return make_blobs(n, centers=centers, random_state=seed)[0]


def mixed(k, seed, n=400):
    """Give groups in two numbers and two categories, which seven in ten of a group share."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % k
    table = pd.DataFrame(
        random.normal(size=(n, 2)) + 6.0 * np.column_stack([group // 2, group % 2]), columns=["a", "b"]
    )
    for name in ("channel", "region"):
        usual = random.random(n) < 0.7
        table[name] = pd.Series(np.where(usual, group, random.integers(0, k, n))).map("option {}".format)
    return table


# The benchmark runs 20 seeds of each number and cloud.
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("k", [2, 5, 10])
def test_number_of_separated_blobs_is_found(k, seed):
    choice = choose_k(KMeans(n_init=3), separated(k, seed), n_references=5, n_resamples=0, random_state=seed)
    assert choice.n_segments == k


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("cloud", ["normal", "uniform", "standard_t"])
def test_one_cloud_is_one_segment(cloud, seed):
    random = np.random.default_rng(seed)
    points = random.standard_t(5, (700, 3)) if cloud == "standard_t" else getattr(random, cloud)(size=(700, 3))
    choice = choose_k(KMeans(n_init=3), points, range(1, 8), n_references=5, n_resamples=0, random_state=seed)
    assert choice.n_segments == 1
    assert choice.reason.startswith("1 segment")


def test_segmenters_go_by_name():
    points = separated(3, seed=0, n=300)
    named = choose_k("kmeans", points, range(1, 5), n_references=3, n_resamples=3, random_state=0)
    given = choose_k(KMeans(n_init=10), points, range(1, 5), n_references=3, n_resamples=3, random_state=0)
    pd.testing.assert_frame_equal(named.table, given.table)


def test_stability_stands_beside_the_other_criteria():
    points = separated(3, seed=0, n=300)
    choice = choose_k("kmeans", points, range(1, 6), n_references=3, n_resamples=6, random_state=0)
    table = choice.table.set_index("n_segments")
    assert np.isnan(table.loc[1, "stability"])
    assert table.loc[3, "stability"] == table.loc[3, "least_stability"] == 1.0
    assert table.loc[5, "least_stability"] < table.loc[5, "stability"] < 1.0
    without = choose_k("kmeans", points, range(1, 6), n_references=3, n_resamples=0, random_state=0)
    pd.testing.assert_frame_equal(without.table, choice.table.drop(columns=["stability", "least_stability"]))
    assert without.reason == choice.reason


def two_groups(random):
    return np.vstack([random.normal(size=(150, 2)), random.normal(12, 1, (150, 2))])


def test_segments_that_do_not_come_back_are_told():
    points = two_groups(np.random.default_rng(0))
    choice = choose_k("kmeans", points, [12], n_references=2, n_resamples=8, random_state=0)
    assert choice.table.loc[0, "stability"] < 0.6
    assert "they do not hold when customers are drawn anew (stability 0." in choice.reason


def test_one_segment_that_does_not_come_back_is_told():
    columns = {"stability": [float("nan"), 0.8], "least_stability": [float("nan"), 0.55]}
    told = "; one of them does not hold when customers are drawn anew (stability 0.55, below .6)"
    assert _doubts(columns, 1) == told
    assert _doubts(columns, 0) == ""


def test_a_number_that_comes_back_wins_over_one_that_the_gap_would_take():
    columns = {
        "n_segments": [1, 2, 3],
        "silhouette": [float("nan"), 0.70, 0.65],
        "gap": [0.1, 1.0, 1.2],
        "gap_error": [0.01] * 3,
        "stability": [float("nan"), 1.0, 0.8],
    }
    place, criterion, reason = _by_gap(columns)
    assert (columns["n_segments"][place], criterion) == (2, "stability")
    assert reason.endswith(
        "the 3 that the gap statistic would take do not come back as surely (stability 0.80 against 1.00)"
    )
    columns["stability"] = [float("nan"), 1.0, 0.95]
    assert _by_gap(columns)[:2] == (2, "gap")


def test_small_groups_that_the_silhouette_hardly_minds_are_counted():
    columns = {
        "n_segments": [1, 2, 3, 4, 5],
        "silhouette": [float("nan"), 0.60, 0.72, 0.71, 0.5],
        "gap": [0.1, 1.0, 1.2, 1.3, 1.5],
        "gap_error": [0.01] * 5,
    }
    assert _by_gap(columns)[:2] == (3, "silhouette")


@pytest.mark.parametrize(
    ("segmenter", "k"), [("k-prototypes", 2), ("k-prototypes", 4), (KMedoids(metric="gower", n_init=1), 4)]
)
def test_groups_in_numbers_and_categories_are_counted(segmenter, k):
    choice = choose_k(segmenter, mixed(k, 0, n=240), range(1, 6), n_references=3, n_resamples=2, random_state=0)
    assert choice.n_segments == k
    row = choice.table.set_index("n_segments").loc[k]
    assert row["silhouette"] > choice.table["silhouette"].drop(k - 1).max()
    assert row["calinski_harabasz"] > 0


def test_categories_that_know_nothing_of_each_other_are_one_segment():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(300, 2)), columns=["a", "b"])
    for name, shares in (("channel", [0.5, 0.3, 0.2]), ("member", [0.7, 0.3])):
        table[name] = pd.Categorical(random.choice(len(shares), 300, p=shares))
    assert choose_k("k-prototypes", table, range(1, 6), n_references=4, n_resamples=0, random_state=0).n_segments == 1


def test_categories_alone_are_counted():
    random = np.random.default_rng(0)
    group = random.integers(0, 3, 300)
    table = pd.DataFrame(
        {name: np.where(random.random(300) < 0.8, group, random.integers(0, 3, 300)) for name in "abcdef"}
    ).astype("category")
    choice = choose_k("k-prototypes", table, range(1, 6), n_references=4, n_resamples=0, random_state=0)
    assert choice.n_segments == 3


def test_mixed_figures_are_their_definitions():
    table = mixed(2, 0, n=60)
    space = space_of(table, KPrototypes())
    labels = np.arange(60) % 2
    numbers = table[["a", "b"]].to_numpy()
    spread = sum(((numbers[labels == one] - numbers[labels == one].mean(axis=0)) ** 2).sum() for one in (0, 1))
    wrong = sum(
        (table.loc[labels == one, name] != table.loc[labels == one, name].mode()[0]).sum()
        for one in (0, 1)
        for name in ("channel", "region")
    )
    gamma = 0.5 * numbers.std(axis=0).mean()
    assert space.dispersion(labels) == pytest.approx(spread + gamma * wrong)
    fitted = KPrototypes(2, random_state=0).fit(table)
    assert space.dispersion(fitted.labels_) == pytest.approx(fitted.cost_)
    width, _ = space.separation(labels, seed=0)
    ranges = np.ptp(numbers, axis=0)
    apart = np.abs(numbers[:, None] / ranges - numbers[None] / ranges).sum(axis=2)
    for name in ("channel", "region"):
        apart += table[name].to_numpy()[:, None] != table[name].to_numpy()[None]
    assert width == pytest.approx(silhouette_score(apart, labels, metric="precomputed"))


def test_references_keep_the_shares_of_categories_and_break_their_ties():
    table = mixed(4, 0)
    drawn = space_of(table, KPrototypes()).structureless(np.random.default_rng(0))
    assert list(drawn.points.columns) == list(table.columns)
    for name in ("channel", "region"):
        assert sorted(drawn.points[name].value_counts()) == sorted(table[name].value_counts())
    both = (drawn.points["channel"].cat.codes == drawn.points["region"].cat.codes).mean()
    assert both < 0.4 < (table["channel"] == table["region"]).mean()


def test_missing_categories_are_refused_without_their_values():
    table = mixed(2, 0, n=20)
    table.loc[3, "channel"] = None
    with pytest.raises(DataError, match="channel is missing in row 3"):
        choose_k("k-prototypes", table, random_state=0)


@pytest.mark.parametrize("segmenter", [GaussianMixture(), AgglomerativeClustering()], ids=["mixture", "hierarchy"])
def test_other_segmenters_find_the_number_too(segmenter):
    choice = choose_k(
        segmenter, separated(3, seed=1, n=300), range(1, 7), n_references=4, n_resamples=4, random_state=0
    )
    assert choice.n_segments == 3
    assert choice.criterion == ("bic" if isinstance(segmenter, GaussianMixture) else "gap")


def test_mixture_of_one_is_one():
    points = np.random.default_rng(0).normal(size=(400, 2))
    choice = choose_k(GaussianMixture(), points, n_resamples=0, random_state=0)
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
    assert squares(points, kmeans.labels_) == pytest.approx(kmeans.inertia_, rel=1e-9)


def test_groups_that_are_no_clouds_are_not_split_without_end():
    random = np.random.default_rng(0)
    lines = np.vstack(
        [np.column_stack([random.uniform(0, 3, 150), np.full(150, height)]) for height in (0.0, 9.0, 30.0)]
    )
    choice = choose_k(KMeans(n_init=5), lines, n_resamples=4, random_state=0)
    assert choice.n_segments == 3
    assert choice.criterion == "silhouette"
    assert "gap statistic would take split them further" in choice.reason


def test_a_continuum_says_that_nothing_separates_clearly():
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 800)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + random.normal(0, 0.02, (800, 2))
    choice = choose_k(KMeans(n_init=3), ring, n_references=4, n_resamples=0, random_state=0)
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
    first, second = (
        choose_k(KMeans(n_init=2), points, range(1, 4), sample_size=200, n_references=3, n_resamples=3, random_state=5)
        for _ in range(2)
    )
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
