"""The population stability index: its value, its p-value under no change, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, metrics
from crmkit.metrics.population import bin_counts, quantile_edges


def rate_of_alarms(draw, n, m, *, runs, seed=0):
    """Give the share of runs in which two samples of one population differ at 5 %."""
    random = np.random.default_rng(seed)
    return np.mean([metrics.psi(draw(random, n), draw(random, m)).p_value < 0.05 for _ in range(runs)])


def test_index_is_its_formula_with_half_a_customer_in_each_bin():
    p, q = np.array([40.5, 60.5]) / 101, np.array([55.5, 45.5]) / 101
    assert metrics.population_stability([40, 60], [55, 45]) == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-12)


def test_p_value_of_large_counts_is_the_chi_square_of_yurdakul_and_naranjo_after_half_a_customer():
    from scipy.stats import chi2

    index = metrics.population_stability([400, 350, 250], [620, 690, 490])
    # 1,020, 1,040 and 740 customers: 364.29, 371.43 and 264.29 of the 1,000 are expected, half a customer nearer each.
    p = (np.array([400, 350, 250]) + np.array([-0.5, 0.5, 0.5]) + 0.5) / 1002
    q = (np.array([620, 690, 490]) - np.array([-0.5, 0.5, 0.5]) + 0.5) / 1801
    nearer = (p / p.sum() - q / q.sum()) @ np.log(p / p.sum() / (q / q.sum()))
    assert index.p_value == pytest.approx(chi2.sf(nearer / (1 / 1000.5 + 1 / 1799.5), 2), rel=1e-9)
    assert index.p_value > chi2.sf(index.value / (1 / 1000 + 1 / 1800), 2)
    assert index.method == "noncentral chi-square"
    assert index.n == 2800


def test_nobody_is_moved_beyond_no_change():
    assert metrics.population_stability([100, 100, 100], [200, 201, 200]).p_value == pytest.approx(1.0)


def test_two_samples_of_one_population_are_not_significant_in_95_percent_of_200_runs():
    rates = np.array(
        [
            rate_of_alarms(lambda random, size: random.lognormal(size=size), 2000, 2000, runs=200, seed=seed)
            for seed in range(10)
        ]
    )
    # About 3.3 % of all; 200 runs waver by 1.3 points, so one seed in twelve or so lies above 5 % nevertheless.
    assert rates.mean() <= 0.045
    assert np.mean(rates <= 0.05) >= 0.8
    assert rates.max() <= 0.08


@pytest.mark.parametrize(("n", "m"), [(300, 5000), (40, 60), (200, 1000)])
def test_unequal_and_small_samples_of_one_population_raise_no_more_alarms(n, m):
    assert rate_of_alarms(lambda random, size: random.lognormal(size=size), n, m, runs=200) <= 0.05


@pytest.mark.parametrize(("n", "m"), [(30, 30), (400, 50)])
def test_rare_categories_raise_no_false_alarm(n, m):
    shares = np.array([0.6, 0.3, 0.06, 0.02, 0.01, 0.01])
    rate = rate_of_alarms(lambda random, size: random.choice(list("abcdef"), size, p=shares), n, m, runs=200)
    assert rate <= 0.05


def test_a_real_change_is_seen_also_in_small_samples():
    random = np.random.default_rng(0)
    seen = [metrics.psi(random.normal(size=100), random.normal(0.8, 1, 60)).p_value < 0.05 for _ in range(40)]
    assert np.mean(seen) > 0.8


@pytest.mark.parametrize("after", [[0.2, 0.2, 0.2, 0.2, 0.2], [0.25, 0.2, 0.2, 0.2, 0.15], [0.5, 0.2, 0.1, 0.1, 0.1]])
def test_interval_covers_the_index_of_the_populations(after):
    random, p, q = np.random.default_rng(1), np.full(5, 0.2), np.array(after)
    true = ((q - p) * np.log(q / p)).sum()
    drawn = [metrics.population_stability(random.multinomial(1000, p), random.multinomial(600, q)) for _ in range(300)]
    assert np.mean([index.low <= true <= index.high for index in drawn]) >= 0.92
    assert all(index.low <= index <= index.high for index in drawn)


def test_interval_begins_at_0_where_the_change_is_not_significant():
    index = metrics.population_stability([100, 100], [110, 90])
    assert index.p_value > 0.05
    assert index.low == 0


def test_shuffling_stands_in_where_a_bin_is_small():
    index = metrics.population_stability([30, 20, 3], [25, 28, 1])
    assert index.method.endswith("p by shuffling")
    again = metrics.population_stability([30, 20, 3], [25, 28, 1])
    assert index.p_value == again.p_value


def test_shuffling_gives_the_exact_p_value_and_never_less():
    """Of the 252 equally likely deals of 5 and 5 customers, 2 put them as far apart."""
    p_values = [metrics.population_stability([5, 0], [0, 5], random_state=seed).p_value for seed in range(20)]
    assert np.mean(p_values) == pytest.approx(2 / 252 + 1.64 * np.sqrt(2 / 252 / 1999), abs=0.0015)
    assert np.mean(np.array(p_values) >= 2 / 252) >= 0.8


def test_bins_that_nobody_is_in_are_left_out():
    assert metrics.population_stability([9, 0, 11], [12, 0, 8]) == metrics.population_stability([9, 11], [12, 8])


def test_a_bin_that_is_new_gives_a_large_number_and_not_an_infinite_one():
    index = metrics.population_stability([500, 500, 0], [400, 400, 200])
    assert 0.5 < index < 2
    assert index.p_value < 1e-6


def test_one_bin_has_not_changed():
    index = metrics.psi(["a"] * 3, ["a"] * 4)
    assert (index.value, index.p_value, index.method) == (0.0, 1.0, "one bin only")


def test_numbers_are_counted_in_bins_of_the_first_sample():
    random = np.random.default_rng(0)
    before, after = random.normal(size=1000), random.normal(0.3, 1.0, 800)
    edges = quantile_edges(before)
    wanted = metrics.population_stability(bin_counts(before, edges), bin_counts(after, edges), quantiles=True)
    assert len(edges) == 9
    assert metrics.psi(before, after) == wanted
    assert metrics.psi(before, after, bins=edges) == wanted
    assert set(bin_counts(before, edges)[:-1]) == {100}


def test_what_falls_below_a_tied_least_value_is_seen():
    index = metrics.psi(np.ones(200), np.zeros(200))
    assert index > 5
    assert index.p_value < 0.001


def test_missing_entries_are_a_bin_of_their_own():
    before, after = np.arange(200.0), np.arange(200.0)
    after[:80] = np.nan
    index = metrics.psi(before, after)
    assert index.p_value < 0.002
    assert bin_counts(after, [99.5]).tolist() == [20, 100, 80]
    same = metrics.psi(pd.Series([1.0, None, 3.0] * 40), pd.Series([1.0, None, 3.0] * 50))
    assert same == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    "values",
    [pd.Series(list("ab") * 20, dtype="category"), pd.Series([True, False] * 20), ["a", "b"] * 20],
    ids=["category", "bool", "list"],
)
def test_categories_are_counted_by_value(values):
    assert metrics.psi(values, values) == pytest.approx(0.0)


def test_a_column_missing_throughout_is_compared_with_any():
    assert metrics.psi(np.arange(50.0), np.full(30, np.nan)).p_value < 0.002


def test_nullable_numbers_serve():
    before = pd.Series([1, 2, 3, None] * 30, dtype="Int64")
    assert metrics.psi(before, before.to_numpy(dtype=float, na_value=np.nan)) == pytest.approx(0.0)


def through_pickle(index):
    """Send an index to another process and back, as joblib does."""
    return pickle.loads(pickle.dumps(index))  # noqa: S301 -- its own bytes


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle])
def test_copies_keep_the_p_value(again):
    index = metrics.population_stability([40, 60], [55, 45])
    copied = again(index)
    assert (copied, copied.p_value, copied.low, repr(copied)) == (index, index.p_value, index.low, repr(index))
    assert str(index) == repr(index)


def test_a_tiny_p_value_is_not_written_as_0():
    assert "p<0.0001" in repr(metrics.population_stability([500, 500], [900, 100]))


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        ([1, 2], [1, 2, 3], "before has 2 bins and after 3"),
        ([0, 0], [1, 2], "the before sample is empty"),
        ([1, 0], [0, 0], "the after sample is empty"),
        ([1.5, 2], [1, 2], "before must hold whole numbers from 0 on; bins in row 0"),
        ([1, -2], [1, 2], "row 1"),
        (["a"], [1], "list of counts"),
    ],
)
def test_what_are_no_counts_is_refused(before, after, match):
    with pytest.raises(DataError, match=match):
        metrics.population_stability(before, after)


@pytest.mark.parametrize(
    ("before", "after", "bins", "match"),
    [
        ([1.0], ["a"], 10, "not the same column"),
        ([], [1.0], 10, "before is empty"),
        ("abc", ["a"], 10, "got one str"),
        ([1.0, 2.0], [1.0], 1, "bins must be at least 2"),
        ([1.0, 2.0], [1.0], [2.0, 1.0], "finite and ascending"),
        ([1.0, 2.0], [1.0], [], "finite and ascending"),
    ],
)
def test_what_cannot_be_compared_is_refused(before, after, bins, match):
    with pytest.raises(DataError, match=match):
        metrics.psi(before, after, bins=bins)
