"""On labels that nothing predicts, the interval of the accuracy covers one half."""

from __future__ import annotations

import numpy as np
import pytest

import crmkit
from crmkit import metrics


def _noise(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(500, 10)), rng.integers(0, 2, 500)


@pytest.mark.parametrize("name", ["logistic", "tree"])
def test_the_interval_of_the_accuracy_on_500_noise_rows_covers_one_half(name):
    X, y = _noise(0)
    got = metrics.cross_validate(crmkit.create("classifier", name), X, y, evaluators="accuracy")["accuracy"]
    assert got.n == 500
    assert got.low <= 0.5 <= got.high
    assert got.high - got.low < 0.15


def test_it_does_so_for_nearly_every_table_of_noise():
    model = crmkit.create("classifier", "logistic")
    estimates = [metrics.cross_validate(model, *_noise(seed), evaluators="accuracy")["accuracy"] for seed in range(40)]
    covered = sum(one.low <= 0.5 <= one.high for one in estimates)
    # The interval of independent rows covers it in 33 of these 40: models of folds that share rows err together.
    assert covered >= 37
