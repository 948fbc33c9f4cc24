"""What acting on the highest scores brings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import profit


def drawn(n, seed=0):
    random = np.random.default_rng(seed)
    scores = random.random(n)
    return (random.random(n) < 0.4 * scores).astype(int), scores


def test_profit_agrees_with_counting_and_its_interval_with_the_bootstrap():
    actual, scores = drawn(400)
    random = np.random.default_rng(5)
    value, cost = random.lognormal(2, 0.5, 400), random.uniform(1, 3, 400)
    table = profit(actual, scores, value=value, cost=cost, n_bins=20)
    for row in table.itertuples():
        above = scores >= row.threshold
        assert row.n == above.sum()
        assert row.profit == pytest.approx((value * actual - cost)[above].sum())
    half = table.iloc[10]
    parts = np.where(scores >= half["threshold"], value * actual - cost, 0.0)
    again = parts[random.integers(0, 400, (4_000, 400))].sum(axis=1)
    assert half["high"] - half["profit"] == pytest.approx(1.966 * again.std(), rel=0.05)


def test_nobody_costs_nothing():
    actual, scores = drawn(50)
    first = profit(actual, scores, value=5, cost=1).iloc[0]
    assert first[["n", "profit", "low", "high"]].tolist() == [0, 0, 0, 0]
    assert np.isinf(first["threshold"])


def test_amounts_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="value"):
        profit([0, 1], [1, 2], value=[1.0, np.inf], cost=1)
    with pytest.raises(DataError, match="cost"):
        profit([0, 1], [1, 2], value=1, cost=[1.0])
    with pytest.raises(DataError, match="finite"):
        profit([0, 1], [1, 2], value=np.nan, cost=1)


def test_the_order_of_rows_does_not_matter():
    actual, scores = drawn(300)
    scores = scores.round(1)
    turned = np.random.default_rng(1).permutation(300)
    first = profit(actual, scores, value=scores * 10, cost=1)
    pd.testing.assert_frame_equal(first, profit(actual[turned], scores[turned], value=scores[turned] * 10, cost=1))


def test_the_interval_holds_what_it_says():
    """Of 600 draws the share of intervals that hold the truth, known from a million rows."""
    actual, scores = drawn(1_000_000, seed=99)
    truth = np.where(scores >= np.quantile(scores, 0.8), 5 * actual - 1, 0).mean()
    held = 0
    for seed in range(600):
        seen, ranked = drawn(400, seed=seed)
        paid = profit(seen, ranked, value=5, cost=1, n_bins=5).iloc[1]
        held += paid["low"] <= 400 * truth <= paid["high"]
    assert 0.925 < held / 600 < 0.99
