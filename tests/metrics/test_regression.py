from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as peer

from crmkit import DataError, metrics

RNG = np.random.default_rng(0)
ACTUAL, PREDICTED = RNG.normal(size=50), RNG.normal(size=50)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (metrics.mse, peer.mean_squared_error),
        (metrics.rmse, peer.root_mean_squared_error),
        (metrics.mae, peer.mean_absolute_error),
    ],
)
def test_figures_agree_with_scikit_learn(figure, expected):
    got = figure(ACTUAL, PREDICTED)
    assert got == pytest.approx(expected(ACTUAL, PREDICTED))
    assert 0 <= got.low < got < got.high
    assert got.n == 50


@pytest.mark.parametrize("figure", [metrics.mse, metrics.rmse, metrics.mae])
def test_intervals_cover_the_true_error(figure):
    truth = {metrics.mse: 1.0, metrics.rmse: 1.0, metrics.mae: np.sqrt(2 / np.pi)}[figure]
    rng = np.random.default_rng(1)
    estimates = [figure(rng.normal(size=100), np.zeros(100)) for _ in range(400)]
    covered = np.mean([one.low <= truth <= one.high for one in estimates])
    assert 0.92 < covered < 0.98


def test_an_interval_of_errors_never_reaches_below_0():
    got = metrics.mse([0.0, 0.0, 0.0], [0.0, 0.0, 9.0])
    assert got.low == 0
    assert metrics.rmse([0.0, 0.0, 0.0], [0.0, 0.0, 9.0]).low == 0


def test_one_row_has_no_interval():
    for figure in (metrics.mse, metrics.rmse, metrics.mae):
        got = figure([1.0], [3.0])
        assert np.isnan(got.low)
        assert got > 0


@pytest.mark.parametrize(
    ("actual", "predicted", "match"),
    [
        ([1.0, None], [1.0, 2.0], "actual is missing in row 1"),
        ([1.0, np.inf], [1.0, 2.0], "actual is not finite in row 1"),
        ([1.0], [1.0, 2.0], "actual has 1, predicted has 2"),
        (["x"], [1.0], "actual must hold numbers, got str"),
        ([], [], "actual is empty"),
        (pd.Series([1, None], dtype="Int64"), [1, 2], "actual is missing in row 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(actual, predicted, match):
    with pytest.raises(DataError, match=match):
        metrics.mae(actual, predicted)


def test_nullable_integers_are_taken():
    assert metrics.mae(pd.Series([1, 2], dtype="Int64"), [1, 4]) == 1
