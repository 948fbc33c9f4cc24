"""The suggestion of a distance for density clustering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs, make_moons

from crmkit.core.errors import DataError
from crmkit.segmentation import DBSCAN, choose_eps

THREE = [[0, 0], [9, 0], [0, 9]]


def found(X, choice):
    return DBSCAN(eps=choice.eps, min_samples=choice.min_samples).fit_predict(X)


@pytest.mark.parametrize("seed", range(5))
def test_groups_among_scattered_customers_are_found_with_it(seed):
    X, group = make_blobs(2700, centers=THREE, random_state=seed)
    lonely = np.random.default_rng(seed).uniform(-5, 15, (300, 2))
    choice = choose_eps(np.vstack([X, lonely]), random_state=0)
    labels = found(np.vstack([X, lonely]), choice)[:2700]
    large = np.bincount(labels[labels >= 0]) > 50
    assert large.sum() == 3
    inside = labels >= 0
    assert inside.mean() > 0.9
    majority = [np.bincount(group[labels == label]).max() / (labels == label).sum() for label in np.flatnonzero(large)]
    assert min(majority) > 0.99


def test_moons_are_told_apart_with_it():
    X, moon = make_moons(2000, noise=0.05, random_state=0)
    labels = found(X, choose_eps(X, random_state=0))
    inside = labels >= 0
    assert labels.max() == 1
    assert len(set(zip(labels[inside].tolist(), moon[inside].tolist(), strict=True))) == 2


def test_min_samples_is_twice_the_columns_or_the_logarithm_of_the_customers():
    random = np.random.default_rng(0)
    # Sander et al. 1998: 2 x columns; Birant and Kut 2007: ln(n); Ester et al. 1996: at least 4.
    for n, columns, expected in ((500, 5, 10), (5000, 2, 9), (20, 1, 4)):
        assert choose_eps(random.normal(size=(n, columns)), random_state=0).min_samples == expected


def test_least_size_of_a_segment_is_one_in_a_hundred_or_min_samples():
    random = np.random.default_rng(0)
    assert choose_eps(random.normal(size=(5000, 2)), random_state=0).min_cluster_size == 50
    assert choose_eps(random.normal(size=(300, 2)), random_state=0).min_cluster_size == 6


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_curve_is_the_distance_to_the_so_manieth_customer_repeats_counted(seed, min_samples, repeats):
    random = np.random.default_rng(seed)
    X = random.normal(size=(60, 2))
    X = np.round(X) if repeats else X
    expected = np.sort(np.sort(cdist(X, X), axis=1)[:, min_samples - 1])
    choice = choose_eps(X, min_samples=min_samples)
    np.testing.assert_allclose(choice.curve["distance"], expected, atol=1e-12)
    assert choice.curve["share"].iloc[-1] == 1.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.booleans())
def test_noise_is_what_dbscan_leaves_out_where_everybody_is_in_the_sample(seed, min_samples, repeats):
    random = np.random.default_rng(seed)
    X = random.standard_t(3, size=(200, 2))
    X = np.round(X, 1) if repeats else X
    choice = choose_eps(X, min_samples=min_samples)
    assert float(choice.noise) == pytest.approx((found(X, choice) == -1).mean())
    assert choice.noise.n == 200


def test_a_sample_is_held_against_all_customers():
    X, _ = make_blobs(20_000, centers=THREE, random_state=0)
    whole = choose_eps(X, min_samples=10, sample=20_000)
    sampled = choose_eps(X, min_samples=10, sample=1000, random_state=0)
    inside = choose_eps(X[np.random.default_rng(0).choice(20_000, 1000, replace=False)], min_samples=10)
    assert len(sampled.curve) == 1000
    # The bend of one sample wavers, its middle does not; a subsample alone is sparser by the root of twenty.
    middle = [choice.curve["distance"].median() for choice in (whole, sampled, inside)]
    assert middle[1] == pytest.approx(middle[0], rel=0.05)
    assert middle[2] > 4 * middle[0]
    assert sampled.eps < 2 * whole.eps < inside.eps * 2
    assert sampled.noise.low <= (found(X, sampled) == -1).mean() <= sampled.noise.high


def test_same_seed_gives_the_same_suggestion():
    X = np.random.default_rng(0).normal(size=(5000, 2))
    assert choose_eps(X, sample=500, random_state=3).eps == choose_eps(X, sample=500, random_state=3).eps
    assert choose_eps(X, sample=500, random_state=3).eps != choose_eps(X, sample=500, random_state=4).eps


def test_repeated_customers_have_no_say_in_the_knee_and_are_told():
    X, _ = make_blobs(900, centers=THREE, random_state=0)
    repeated = np.vstack([X, np.zeros((900, 2))])
    choice = choose_eps(repeated, min_samples=10)
    assert (choice.curve["distance"] == 0).mean() == 0.5
    assert choice.eps > 0.1
    assert "50% of customers have as many equal ones" in choice.reason


def test_where_all_have_equals_eps_parts_the_places():
    X = np.repeat([[0.0], [1.0], [3.0]], 20, axis=0)
    choice = choose_eps(X, min_samples=5)
    assert choice.eps == 0.5
    assert found(X, choice).max() == 2
    assert float(choice.noise) == 0.0


def test_even_spacing_has_no_knee_and_its_distance_is_taken():
    choice = choose_eps(np.array([[0.0], [1.0]]), min_samples=2)
    assert choice.eps == pytest.approx(1.0, rel=2e-3)
    assert "no knee" in choice.reason


def test_faint_knee_is_told():
    # From evenly to more and more thinly placed: the distances rise in a straight line.
    choice = choose_eps(np.cumsum(np.arange(1.0, 400.0))[:, None], min_samples=2)
    assert choice.height < 0.1
    assert "faint" in choice.reason


def test_much_noise_is_told():
    # Four in ten stand close, the others at steadily growing gaps: the bend is where the close ones end.
    X = np.cumsum(np.concatenate([np.full(400, 0.001), np.linspace(1.0, 100.0, 600)]))[:, None]
    choice = choose_eps(X, min_samples=2)
    assert float(choice.noise) > 0.5
    assert f"it leaves {float(choice.noise):.0%} in no segment" in choice.reason


def test_it_fails_on_groups_of_differing_density():
    # What the documentation says: the thin group falls apart at the distance that suits both least badly.
    random = np.random.default_rng(0)
    X = np.vstack([random.normal(0, 0.2, (1500, 2)), random.normal(6, 1.5, (1500, 2))])
    labels = found(X, choose_eps(X, random_state=0))
    assert labels[:1500].max() == 0
    assert labels.max() > 1


def test_it_fails_where_one_distant_customer_stretches_the_curve():
    X, _ = make_blobs(3000, centers=THREE, random_state=0)
    without, stretched = choose_eps(X), choose_eps(np.vstack([X, [[500.0, 500.0]]]), sample=3001)
    assert stretched.eps > 2 * without.eps
    assert stretched.height > 0.95


def test_few_customers_equal_customers_and_bad_numbers_are_refused():
    with pytest.raises(DataError, match="only 3 customers"):
        choose_eps(np.arange(6.0).reshape(3, 2))
    with pytest.raises(DataError, match="all customers are equal"):
        choose_eps(np.ones((50, 2)))
    with pytest.raises(ValueError, match="NaN"):
        choose_eps([[np.nan], [1.0]])
    with pytest.raises(ValueError, match="min_samples must be a whole number"):
        choose_eps(np.eye(9), min_samples=2.5)
    with pytest.raises(ValueError, match="sample must be a whole number"):
        choose_eps(np.eye(9), sample=0)


def test_it_prints_and_displays_its_suggestion():
    X, _ = make_blobs(900, centers=THREE, random_state=0)
    choice = choose_eps(X)
    assert str(choice).startswith(f"eps={choice.eps:.4g}: the knee of the distance to the 7th of all customers")
    assert "min_cluster_size" in repr(choice)
    assert "min_cluster_size" in choice._repr_html_()
