"""The adjusted Rand index against scikit-learn, and whether its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from crmkit.core.errors import DataError
from crmkit.segmentation.over_time._agreement import adjusted_rand


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60))
def test_is_that_of_scikit_learn(pairs):
    first, second = np.array(pairs).T
    counts = contingency_matrix(first, second)
    assert adjusted_rand(counts, n_resamples=3).value == pytest.approx(adjusted_rand_score(first, second), abs=1e-12)


def test_one_group_on_both_sides_agrees():
    assert adjusted_rand([[7]]) == 1.0
    assert adjusted_rand([[1]]).n == 1


def test_unrelated_groupings_are_near_zero_and_the_interval_tells_so():
    random = np.random.default_rng(0)
    counts = contingency_matrix(random.integers(0, 4, 2000), random.integers(0, 3, 2000))
    index = adjusted_rand(counts)
    assert abs(index) < 0.01
    assert index.low < 0.005
    assert index.n == 2000


def test_the_same_seed_gives_the_same_interval():
    counts = [[50, 10], [5, 60]]
    assert repr(adjusted_rand(counts)) == repr(adjusted_rand(counts))
    assert adjusted_rand(counts, level=0.5).low > adjusted_rand(counts).low


def test_nobody_in_both_is_an_error():
    with pytest.raises(DataError, match="no customer is in both"):
        adjusted_rand([[0, 0], [0, 0]])


def test_interval_covers_the_index_of_the_population():
    shares = np.array([[0.22, 0.03, 0.01], [0.04, 0.25, 0.05], [0.02, 0.06, 0.32]])
    # With so many customers the index of the table is that of the population.
    truth = adjusted_rand(np.round(shares * 10**8).astype(np.int64), n_resamples=0).value
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(400):
        index = adjusted_rand(random.multinomial(2000, shares.ravel()).reshape(3, 3), n_resamples=300, seed=seed)
        covered += index.low <= truth <= index.high
    # 95 % nominal: 400 draws waver by about 1.1 points.
    assert 0.915 <= covered / 400 <= 0.985
