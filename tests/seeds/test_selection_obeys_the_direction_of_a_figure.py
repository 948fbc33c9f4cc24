"""Choosing the largest error, or the smallest negated one, chooses the worst model."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as peer

import crmkit
from crmkit import DataError, metrics, prediction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = X @ [3.0, -2.0, 0.0, 0.0] + RNG.normal(size=120)
CANDIDATES = {
    "mean": crmkit.create("regressor", "tree", max_depth=1),
    "linear": crmkit.create("regressor", "linear"),
    "tree": crmkit.create("regressor", "tree"),
    "stiff": crmkit.create("regressor", "ridge", alpha=1e4),
}
ERRORS = {
    "rmse": "rmse",
    "mse": "mse",
    "negated mse": "neg_mean_squared_error",
    "negated by hand": metrics.evaluator(lambda a, p: -np.mean((a - p) ** 2), greater_is_better=True, name="negated"),
    "a scikit-learn metric": peer.mean_squared_error,
    "a scorer": peer.make_scorer(metrics.mse, greater_is_better=False),
}


@pytest.mark.parametrize("evaluator", ERRORS.values(), ids=ERRORS.keys())
def test_every_form_of_the_squared_error_chooses_the_same_model(evaluator):
    got = prediction.select_model(CANDIDATES, X, Y, evaluator=evaluator, n_resamples=50)
    assert got.name == "linear"
    assert got.table["chosen"].tolist() == [True, False, False, False]
    assert got.table.index.tolist() == ["linear", "tree", "mean", "stiff"]
    assert got.table.loc["linear", "times_chosen"] == 5


def test_a_figure_of_unknown_direction_chooses_nothing():
    with pytest.raises(DataError, match="nobody said whether a greater 'loss' is better"):
        prediction.select_model(CANDIDATES, X, Y, evaluator=_loss_of_unknown_direction())


def _loss_of_unknown_direction():
    def loss(actual, predicted):
        return float(np.mean(np.abs(actual - predicted)))

    return loss
