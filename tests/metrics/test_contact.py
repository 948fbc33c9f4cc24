from __future__ import annotations

import numpy as np
import pytest

from crmkit import DataError, metrics


def test_the_cost_of_a_contact_is_the_mean():
    got = metrics.contact_cost([2.0, 4.0, 6.0])
    assert got == 4
    assert (got.n, got.method) == (3, "t")
    assert 0 <= got.low < got < got.high


def test_a_cheap_channel_that_resolves_little_is_dear():
    phone = metrics.contact_cost([5.0] * 10, [True] * 9 + [False])
    chat = metrics.contact_cost([1.0] * 10, [True] + [False] * 9)
    assert phone == pytest.approx(50 / 9)
    assert chat == 10


def test_the_interval_of_the_ratio_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        resolved = rng.random(200) < 0.6
        got = metrics.contact_cost(rng.gamma(2, 2, 200), resolved)
        covered += got.low <= 4 / 0.6 <= got.high
    assert 0.92 < covered / 400 < 0.98


def test_one_contact_has_no_interval():
    for got in (metrics.contact_cost([3.0]), metrics.contact_cost([3.0], [True])):
        assert got == 3
        assert np.isnan(got.low)


@pytest.mark.parametrize(
    ("cost", "resolved", "match"),
    [
        ([1.0, -2.0], None, "cost is negative in row 1"),
        ([1.0, None], None, "cost is missing in row 1"),
        ([], None, "cost is empty"),
        ([1.0], [False], "no contact was resolved"),
        ([1.0, 2.0], [True], "cost has 2, resolved has 1"),
        ([1.0], [0.5], "True or False; row 0"),
    ],
)
def test_costs_that_cannot_be_are_refused(cost, resolved, match):
    with pytest.raises(DataError, match=match):
        metrics.contact_cost(cost, resolved)
