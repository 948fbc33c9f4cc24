from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from crmkit.preparation import purchase_summary
from crmkit.value._regularity import regularity, regularity_of_days


def evenness(gaps):
    """Give the geometric over the arithmetic mean of each row."""
    return np.exp(np.log(gaps).mean(axis=1)) / gaps.mean(axis=1)


@pytest.mark.parametrize("shape", [0.6, 1.0, 2.5])
def test_two_gaps_each_give_the_maximum_likelihood_of_wheat_and_morrisons_model(shape):
    gaps = np.random.default_rng(0).gamma(shape, 1.0, (3000, 2)) * np.random.default_rng(1).gamma(0.5, 1.0, (3000, 1))
    found, _ = regularity(np.full(3000, 2.0), evenness(gaps))
    first = gaps[:, 0] / gaps.sum(axis=1)
    # Wheat and Morrison 1990: the first gap's share is Beta(k, k) distributed, whatever the rates.
    likelihoods = {k: beta.logpdf(first, k, k).sum() for k in float(found) * np.array([0.97, 1.0, 1.03])}
    assert max(likelihoods, key=likelihoods.get) == float(found)
    # Its moments give the same but for their own error.
    assert float(found) == pytest.approx((1 - 4 * first.var()) / (8 * first.var()), rel=0.1)
    assert found.low < shape < found.high


def test_the_interval_covers_and_the_test_keeps_its_level():
    random = np.random.default_rng(0)
    covered, refused = [], []
    for _ in range(400):
        x = random.integers(2, 7, 60)
        even = np.concatenate([evenness(random.gamma(1.0, 1.0, (1, count))) for count in x])
        found, p_value = regularity(x.astype(float), even)
        covered.append(found.low <= 1 <= found.high)
        refused.append(p_value < 0.05)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
    assert np.mean(refused) == pytest.approx(0.05, abs=0.03)


def test_neither_rates_nor_leaving_nor_the_end_of_the_table_matter(simulated_gaps):
    for a, alpha in ((0.1, 2.0), (3.0, 20.0)):
        summary, _ = simulated_gaps(20_000, k=2, a=a, alpha=alpha)
        found, p_value = regularity(summary["repeats"].to_numpy(float), summary["gap_evenness"].to_numpy())
        assert found.low < 2 < found.high
        assert p_value < 1e-6


def test_who_bought_once_again_says_nothing():
    found, p_value = regularity(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert found.n == 0
    assert np.isnan([found, found.low, found.high, p_value]).all()
    unknown, _ = regularity(np.array([5.0]), None)
    assert np.isnan(unknown)


def test_a_clock_is_infinitely_regular():
    found, p_value = regularity(np.array([3.0, 4.0]), np.array([1.0, 1.0]))
    assert (found, found.low, found.n, p_value) == (np.inf, np.inf, 2, 0.0)


def purchases_by_day(mean_gap, shape, *, n=1500):
    """Draw customers who buy at random, a year by the day."""
    random = np.random.default_rng(0)
    rate, start = random.gamma(shape, 1 / shape, n) / mean_gap, random.uniform(0, 180, n)
    times = start[:, None] + np.cumsum(np.c_[np.zeros(n), random.exponential(1.0, (n, 250))], axis=1) / rate[:, None]
    who, which = np.nonzero(times < 365)
    days = np.floor(times[who, which]).astype(np.int64)
    return pd.DataFrame({"customer_id": who.astype(str), "day": days, "amount": 1.0})


@pytest.mark.parametrize("mean_gap", [4, 14, 40])
@pytest.mark.parametrize("shape", [0.5, 2.0, 50.0])
def test_random_gaps_in_whole_days_look_no_more_regular_than_days_make_them(mean_gap, shape):
    summary = purchase_summary(purchases_by_day(mean_gap, shape), cutoff=365, unit="day")
    x, days = summary["repeats"].to_numpy(float), summary["last_purchase_days"].to_numpy()
    found, _ = regularity(x, summary["gap_evenness"].to_numpy())
    bound = regularity_of_days(x, days)
    assert 1 < found < bound + 3 * (found - found.low) / 1.96
    assert (found - 1) / (bound - 1) > 0.6
    assert regularity_of_days(x, days + 0.5) == 1.0
    assert regularity_of_days(np.zeros(2), np.zeros(2)) == 1.0
