from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import DataError, metrics

HISTORY = [10.0, 12.0, 11.0, 13.0, 12.0, 14.0]


def test_it_is_the_mean_absolute_error_over_the_mean_step_of_the_history():
    # Steps 2, 1, 2, 1, 2: 1.6 on average; errors 1 and 3.
    assert metrics.mase([15.0, 12.0], [14.0, 15.0], HISTORY) == pytest.approx(2 / 1.6)


def test_with_a_season_the_step_is_from_one_season_to_the_next():
    # 11-10, 13-12, 12-11, 14-13: all 1.
    assert metrics.mase([15.0, 12.0], [14.0, 15.0], HISTORY, season=2) == pytest.approx(2.0)


def test_the_naive_forecast_of_the_history_itself_has_1():
    past = np.array(HISTORY)
    assert metrics.mase(past[1:], past[:-1], past) == pytest.approx(1.0)


def test_neither_unit_nor_sign_of_the_series_matters():
    rng = np.random.default_rng(0)
    actual, predicted, past = rng.normal(size=(3, 20))
    figure = metrics.mase(actual, predicted, past, season=4)
    assert metrics.mase(-1000 * actual, -1000 * predicted, -1000 * past, season=4) == pytest.approx(figure)
    assert 0 <= figure.low < figure < figure.high
    assert figure.n == 20


def test_one_forecast_has_no_interval():
    assert np.isnan(metrics.mase([1.0], [2.0], HISTORY).low)


@pytest.mark.parametrize(
    ("columns", "options", "match"),
    [
        (([1.0], [1.0], [5.0, 5.0, 5.0]), {}, "repeats itself exactly"),
        (([1.0], [1.0], [5.0]), {}, "longer than a season of 1 periods, got 1"),
        (([1.0], [1.0], HISTORY), {"season": 6}, "longer than a season of 6 periods, got 6"),
        (([1.0], [1.0], [1.0, np.nan]), {}, "history is missing in row 1"),
        (([1.0], [1.0, 2.0], HISTORY), {}, "actual has 1, predicted has 2"),
        (([1.0], [1.0], HISTORY), {"season": 0}, "season must be a whole number"),
        (([1.0], [1.0], HISTORY), {"season": True}, "season must be a whole number"),
    ],
)
def test_what_cannot_be_scaled_is_refused(columns, options, match):
    with pytest.raises(DataError, match=match):
        metrics.mase(*columns, **options)


def test_it_is_an_evaluator_that_takes_a_series():
    figure = crmkit.create("evaluator", "mase", season=2)
    assert figure(pd.Series([15.0, 12.0]), pd.Series([14.0, 15.0]), pd.Series(HISTORY)) == pytest.approx(2.0)
