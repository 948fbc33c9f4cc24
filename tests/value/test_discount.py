"""Discounted sums over time come out as if every period had been added."""

from __future__ import annotations

from math import ceil, inf

import numpy as np
import pytest

from crmkit.core.errors import DataError
from crmkit.value._discount import schedule

WEEK, MONTH = 7 / 365.25, 1 / 12


def cumulative(time, origin):
    """Purchases up to a time, of a kind lifetime models give: analytic from ``-origin`` on."""
    return ((origin + time) / origin) ** 0.4 - 1


def one_by_one(horizon, years, rate, origin):
    """Add every period."""
    force = years * np.log1p(rate)
    last = 45.0 / force if horizon == inf else horizon
    ends = np.arange(1, ceil(last) + 1, dtype=float)
    ends[-1] = last
    bought = np.diff(np.append(0.0, cumulative(ends, origin)))
    return float(np.exp(-force * ends) @ bought)


@pytest.mark.parametrize(
    ("horizon", "years", "rate", "origin"),
    [
        (0.3, WEEK, 0.1, 1.0),
        (12, MONTH, 0.1, 1.0),
        (12, MONTH, 0.1, 0.02),
        (52, WEEK, 0.1, 1.0),
        (52.4, WEEK, 0.0, 0.1),
        (520, WEEK, -0.05, 1.0),
        (4096, WEEK, 0.1, 1.0),
        (4096.5, WEEK, 0.0, 1.0),
        (4098.2, WEEK, 0.0, 1.0),
        (9_999.5, 1 / 365.25, 0.02, 1.0),
        (inf, WEEK, 0.10, 1.0),
        (inf, 1 / 365.25, 0.10, 1.0),
        (inf, MONTH, 0.001, 0.05),
    ],
)
def test_a_few_times_give_the_sum_over_all_periods(horizon, years, rate, origin):
    times, weights = schedule(horizon, years, rate, origin=origin)
    expected = one_by_one(horizon, years, rate, origin)
    assert float(weights @ cumulative(times, origin)) == pytest.approx(expected, rel=1e-8)
    assert len(times) <= 70


def test_no_time_has_no_purchases():
    times, weights = schedule(0, WEEK, 0.1)
    assert times.tolist() == [0.0]
    assert weights.tolist() == [0.0]


@pytest.mark.parametrize("rate", [0.0, -0.1])
def test_without_discount_nothing_ends(rate):
    with pytest.raises(DataError, match="annual_discount_rate is positive"):
        schedule(inf, WEEK, rate)
