"""Intervals of differences against published figures, against scipy, and by how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from crmkit.segmentation.over_time._differences import Overlap, mean_difference, share_difference


def paired(both, first_only, second_only, neither):
    """Give the difference of paired shares from the four cells."""
    n = both + first_only + second_only + neither
    overlap = Overlap(
        n, np.array([both + first_only], float), np.array([both + second_only], float), np.array([both], float)
    )
    parts = share_difference([both + first_only], n, [both + second_only], n, overlap=overlap)
    return [float(part[0]) for part in parts]


def test_independent_shares_as_newcombe_published():
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II (a): 56/70 against 48/80, method 10.
    difference, low, high = (float(part[0]) for part in share_difference([48], 80, [56], 70))
    assert (difference, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_paired_shares_as_published():
    # Airway hyper-responsiveness (Bentur et al. 2009): 1, 1, 7, 12; Newcombe's interval for the first less the second
    # is -0.507 to -0.026 (Fagerland, Lydersen and Laake 2014, doi:10.1002/sim.6148). Ours is second less first.
    assert paired(1, 1, 7, 12) == pytest.approx([6 / 21, 0.0256, 0.5069], abs=5e-5)


def test_an_empty_sample_has_no_difference():
    assert np.isnan(share_difference([0], 0, [3], 10)).all()


def test_nobody_moved_still_leaves_some_doubt():
    difference, low, high = paired(140, 0, 0, 160)
    assert difference == 0
    assert -0.02 < low < 0 < high < 0.02


def test_customers_in_both_narrow_the_interval():
    _, low, high = paired(80, 10, 10, 100)
    _, alone_low, alone_high = (float(part[0]) for part in share_difference([90], 200, [90], 200))
    assert high - low < 0.6 * (alone_high - alone_low)


@pytest.mark.parametrize("shared", [0, 200, 300])
@pytest.mark.parametrize("share", [0.05, 0.4])
def test_interval_covers_the_true_difference(shared, share):
    """Of 300 customers before and 300 after, so many are the same; a fifth of these draw anew."""
    random = np.random.default_rng(shared)
    runs, later = 2000, share + 0.02
    before = random.random((runs, 300)) < share
    drawn = random.random((runs, 300)) < later
    # Stayers keep their answer but for a fifth, whose new share makes up the whole change.
    stays = random.random((runs, 300)) < 0.8
    stays[:, shared:] = False
    kept_share = later if not shared else share + 0.02 / 0.2
    drawn[:, :shared] = random.random((runs, shared)) < kept_share
    after = np.where(stays, before, drawn)
    truth = 0.02
    overlap = Overlap(
        shared,
        before[:, :shared].sum(axis=1).astype(float),
        after[:, :shared].sum(axis=1).astype(float),
        (before & after)[:, :shared].sum(axis=1).astype(float),
    )
    _, low, high = share_difference(before.sum(axis=1), 300, after.sum(axis=1), 300, overlap=overlap)
    covered = ((low <= truth) & (truth <= high)).mean()
    assert 0.935 <= covered <= 0.985


def test_means_are_compared_as_scipy_does():
    random = np.random.default_rng(0)
    first, second = random.gamma(2, 50, 40), random.gamma(3, 20, 70)
    interval = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    found = mean_difference(first, second)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.n == 110


def test_means_of_equal_values_differ_for_sure_and_one_value_says_nothing():
    exact = mean_difference([5.0, 5.0], [2.0, 2.0, 2.0])
    assert (exact.value, exact.low, exact.high) == (3.0, 3.0, 3.0)
    assert np.isnan(mean_difference([5.0], [2.0, 3.0]).low)
