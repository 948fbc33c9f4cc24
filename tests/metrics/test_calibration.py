"""Calibration error and reliability, against sums done by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import metrics
from crmkit.core.errors import DataError

ACTUAL = ["a", "a", "b", "b", "b"]
CHANCES = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8], [0.45, 0.55]]


def test_the_error_is_the_weighted_distance_of_confidence_and_share_right():
    # Bins of ten points: .9 right, .8 right twice, .7 wrong, .55 right.
    by_hand = (1 * 0.1 + 2 * 0.2 + 1 * 0.7 + 1 * 0.45) / 5
    assert metrics.ece(ACTUAL, CHANCES, n_bins=10) == pytest.approx(by_hand)


def test_one_column_of_two_labels_gives_the_same():
    positive = np.array(CHANCES)[:, 1]
    assert metrics.ece(ACTUAL, positive) == pytest.approx(metrics.ece(ACTUAL, CHANCES))
    assert metrics.ece(ACTUAL, 1 - positive, positive="a") == pytest.approx(metrics.ece(ACTUAL, CHANCES))


def test_honest_probabilities_have_a_small_error_and_boasts_a_large_one():
    rng = np.random.default_rng(0)
    chance = rng.uniform(size=20_000)
    happened = rng.uniform(size=20_000) < chance
    honest = metrics.ece(happened, chance)
    assert honest < 0.02
    boast = metrics.ece(happened, np.where(chance > 0.5, 0.99, 0.01))
    assert boast == pytest.approx(0.24, abs=0.01)
    assert boast.low < 0.24 < boast.high


def test_always_sure_and_always_right_is_no_error():
    found = metrics.ece([0, 1, 1], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert found == 0
    assert found.low == found.high == 0


def test_reliability_shows_the_bins_that_have_rows():
    table = metrics.reliability(ACTUAL, CHANCES, n_bins=10)
    assert table["n"].tolist() == [1, 1, 2, 1]
    assert table["right"].tolist() == [1.0, 0.0, 1.0, 1.0]
    assert table["confidence"].to_numpy() == pytest.approx([0.55, 0.7, 0.8, 0.9])
    assert (table["low"] <= table["right"]).all()
    assert (table["right"] <= table["high"]).all()
    error = (table["n"] * (table["right"] - table["confidence"]).abs()).sum() / table["n"].sum()
    assert error == pytest.approx(metrics.ece(ACTUAL, CHANCES, n_bins=10))


def test_what_are_no_probabilities_is_refused():
    with pytest.raises(DataError, match="between 0 and 1"):
        metrics.ece([0, 1], [0.5, 1.5])
    with pytest.raises(DataError, match="n_bins must be at least 1"):
        metrics.ece([0, 1], [0.5, 0.5], n_bins=0)


def test_the_plugin_of_that_name_is_a_loss_of_probabilities():
    found = metrics.resolve("ece")
    assert not found.greater_is_better
    assert found.function(ACTUAL, CHANCES) == metrics.ece(ACTUAL, CHANCES)
