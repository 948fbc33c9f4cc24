"""First-contact resolution, contact rates, and medians, against brute force and known figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

import crmkit
from crmkit.core.errors import DataError
from crmkit.metrics import contact_cost, contact_rate, first_contact_resolution, kaplan_meier, median, wilson


def test_recent_contacts_do_not_count_whether_they_came_back_or_not():
    repeat, followed = [1.0, None, None, 1.0], [20.0, 20.0, 2.0, 2.0]
    estimate = first_contact_resolution(repeat, followed, days=7)
    assert (estimate.value, estimate.n) == (0.5, 2)
    assert "2 contacts followed for less than 7 days left out" in estimate.method


def test_a_repeat_on_the_last_day_counts_and_a_later_one_does_not():
    assert first_contact_resolution([7.0], [7.0], days=7) == 0
    assert first_contact_resolution([7.01], [9.0], days=7) == 1


def test_kaplan_meier_uses_every_contact():
    rng = np.random.default_rng(0)
    true, seen = rng.exponential(10, 4000), rng.uniform(0, 20, 4000)
    repeat = np.where(true <= seen, true, np.nan)
    estimate = first_contact_resolution(repeat, seen, days=7, method="kaplan-meier")
    curve = kaplan_meier(np.minimum(np.minimum(true, seen), 7), (true <= seen) & (true <= 7))
    assert estimate.value == pytest.approx(curve["survival"].iloc[-1])
    assert estimate.low < np.exp(-0.7) < estimate.high
    assert estimate.n == 4000


def test_contacts_of_one_customer_widen_the_interval():
    repeat = np.repeat([1.0, np.nan], 40)
    followed = np.full(80, 30.0)
    plain = first_contact_resolution(repeat, followed)
    customers = np.repeat(np.arange(8), 10)
    grouped = first_contact_resolution(repeat, followed, groups=customers)
    assert grouped.value == plain.value == 0.5
    # Ten contacts that always agree are one: the design effect is 10 (times 8/7 for the variance of eight groups).
    low, high = wilson(0.5 * 7, 7)
    assert (grouped.low, grouped.high) == (pytest.approx(low), pytest.approx(high))
    assert "8 groups, design effect 11.43" in grouped.method


def test_groups_of_one_contact_change_little():
    repeat = np.where(np.arange(200) % 4 == 0, 1.0, np.nan)
    plain = first_contact_resolution(repeat, np.full(200, 30.0))
    grouped = first_contact_resolution(repeat, np.full(200, 30.0), groups=np.arange(200))
    assert grouped.low == pytest.approx(plain.low, abs=1e-3)


@pytest.mark.parametrize(("owner", "effective"), [(np.repeat([0, 1], 5), 2), (np.zeros(10), 1)])
def test_where_all_agree_each_customer_counts_once(owner, effective):
    estimate = first_contact_resolution([None] * 10, [30.0] * 10, groups=owner)
    assert estimate.low == pytest.approx(float(wilson(effective, effective)[0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [5.0]), "no contact was followed for 7 days"),
        (([9.0], [8.0]), "after the end of the table in row 0"),
        (([-1.0], [8.0]), "negative"),
        (([1.0, 2.0], [8.0]), "one entry for each row"),
    ],
)
def test_contradictions_are_named(arguments, message):
    with pytest.raises(DataError, match=message):
        first_contact_resolution(*arguments)


def test_options_are_checked():
    with pytest.raises(DataError, match="days"):
        first_contact_resolution([1.0], [8.0], days=0)
    with pytest.raises(DataError, match="method"):
        first_contact_resolution([1.0], [8.0], method="all")
    with pytest.raises(DataError, match="groups"):
        first_contact_resolution([1.0], [8.0], method="kaplan-meier", groups=["a"])


def test_a_rate_of_equal_days_is_the_mean_with_its_t_interval():
    counts = np.array([4.0, 0.0, 2.0, 7.0])
    rate, mean = contact_rate(counts), contact_cost(counts)
    assert (rate.value, rate.low, rate.high) == pytest.approx((mean.value, mean.low, mean.high))
    assert rate.n == 4


def test_a_rate_of_unequal_days_is_that_of_the_ratio():
    counts, hours = np.array([4.0, 1.0, 2.0]), np.array([1.0, 0.0, 2.0])
    rate = contact_rate(counts, hours)
    assert rate.value == pytest.approx(7 / 3)
    assert contact_rate([3.0]).low != contact_rate([3.0]).low


def test_rates_refuse_what_is_no_count():
    with pytest.raises(DataError, match="negative in row 1"):
        contact_rate([1.0, -1.0])
    with pytest.raises(DataError, match="exposure is 0"):
        contact_rate([1.0], [0.0])


@pytest.mark.parametrize("n", [6, 7, 10, 25, 100, 101])
def test_the_ends_of_a_median_cover_and_no_nearer_ones_do(n):
    estimate = median(np.arange(n))
    below = int(estimate.low)
    assert estimate.high == n - 1 - below
    assert 1 - 2 * binom.cdf(below, n, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(below + 1, n, 0.5) < 0.95


def test_few_values_have_no_interval():
    estimate = median([3.0, 1.0, 2.0, 5.0, 4.0])
    assert estimate.value == 3
    assert np.isnan(estimate.low)
    assert np.isnan(estimate.high)


def test_a_median_of_nothing_is_refused():
    with pytest.raises(DataError, match="empty"):
        median([])


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("first-contact-resolution", ([2.0, None, None], [30.0, 30.0, 1.0]), 0.5),
        ("contact-rate", ([4, 0, 2],), 2.0),
    ],
)
def test_figures_of_conversations_are_evaluators(name, columns, expected):
    assert crmkit.create("evaluator", name)(*columns).value == expected
    assert len(crmkit.describe("evaluator", name).spec.inputs) == len(columns)
