"""Gain and lift by cuts in falling order of score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import gain, lift


def drawn(n, seed=0):
    random = np.random.default_rng(seed)
    scores = random.random(n)
    return (random.random(n) < 0.4 * scores).astype(int), scores


def test_gain_agrees_with_counting_row_by_row():
    actual, scores = drawn(503)
    table = gain(actual, scores, n_bins=7)
    for row in table.itertuples():
        above = scores >= row.threshold
        assert row.reached == pytest.approx(above.mean())
        assert row.captured == pytest.approx(actual[above].sum() / actual.sum())
    assert table["n"].sum() == 503
    assert table["positives"].sum() == actual.sum()
    assert table["n"].max() - table["n"].min() <= 1


def test_lift_is_the_rate_over_the_rate_of_all():
    actual, scores = drawn(1_000)
    table, gains = lift(actual, scores), gain(actual, scores)
    np.testing.assert_allclose(table["lift"], gains["rate"] / actual.mean())
    np.testing.assert_allclose(table["cumulative_lift"], gains["captured"] / gains["reached"])
    assert table[["cumulative_lift", "cumulative_low", "cumulative_high"]].iloc[-1].tolist() == [1.0, 1.0, 1.0]


def test_equal_scores_are_never_parted():
    actual = [1, 0, 1, 0, 0, 1, 0, 0]
    table = gain(actual, [3, 3, 3, 2, 2, 2, 2, 1], n_bins=4)
    assert table["threshold"].tolist() == [3, 2, 1]
    assert table["n"].tolist() == [3, 4, 1]
    one = gain(actual, np.ones(8))
    assert one["n"].tolist() == [8]
    assert one["captured"].tolist() == [1.0]


def test_the_order_of_rows_does_not_matter():
    actual, scores = drawn(300)
    scores = scores.round(1)
    turned = np.random.default_rng(1).permutation(300)
    pd.testing.assert_frame_equal(gain(actual, scores), gain(actual[turned], scores[turned]))


def test_intervals_hold_what_they_say():
    """Of 600 draws the share of intervals that hold the truth, known from a million rows."""
    actual, scores = drawn(1_000_000, seed=99)
    cut = np.quantile(scores, 0.8)
    true_rate, true_lift = actual[scores >= cut].mean(), actual[scores >= cut].mean() / actual.mean()
    held = np.zeros(2)
    for seed in range(600):
        seen, ranked = drawn(400, seed=seed)
        tops = gain(seen, ranked, n_bins=5).iloc[0]
        times = lift(seen, ranked, n_bins=5).iloc[0]
        held += [
            tops["rate_low"] <= true_rate <= tops["rate_high"],
            times["low"] <= true_lift <= times["high"],
        ]
    assert (held / 600 > 0.925).all()
    assert (held / 600 < 0.99).all()


def test_labels_may_be_words_and_the_positive_one_is_named():
    actual = ["留下", "流失", "留下", "流失"]
    table = gain(actual, [1, 4, 2, 3], n_bins=2, positive="流失")
    assert table["captured"].tolist() == [1.0, 1.0]
    assert gain([True, False], [2, 1], n_bins=1)["positives"].tolist() == [1]


@pytest.mark.parametrize("table", [gain, lift])
def test_without_positive_rows_or_rows_or_scores_there_is_one_error(table):
    with pytest.raises(DataError, match="no row has the positive label"):
        table([0, 0], [1.0, 2.0])
    with pytest.raises(DataError, match="check positive="):
        table(["no", "no"], [1.0, 2.0], positive="yes")
    with pytest.raises(DataError, match="n_bins"):
        table([0, 1], [1.0, 2.0], n_bins=0)
    with pytest.raises(DataError, match="n_bins must be a whole number"):
        table([0, 1], [1.0, 2.0], n_bins=1.5)
    with pytest.raises(DataError, match="row 1"):
        table([0, 1], [1.0, np.nan])
    with pytest.raises(DataError):
        table([], [])
