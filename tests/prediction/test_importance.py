"""Permutation importance with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from crmkit.core.errors import DataError, DataWarning
from crmkit.prediction import permutation_importance


def linear(n=4_000, seed=0):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, 3)), columns=["a", "b", "c"])
    y = 2 * X["a"] + X["b"] + random.normal(size=n)
    return LinearRegression().fit(X[: n // 2], y[: n // 2]), X[n // 2 :], y[n // 2 :]


def test_of_a_straight_line_it_is_twice_the_squared_slope():
    """Shuffling a column of variance 1 raises the mean squared error by 2 * slope ** 2."""
    model, X, y = linear()
    table = permutation_importance(model, X, y, evaluator="mse")
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.loc["a", "importance"] == pytest.approx(8, rel=0.1)
    assert table.loc["a", "low"] < 8 < table.loc["a", "high"]
    assert table.loc["b", "low"] < 2 < table.loc["b", "high"]
    assert table.loc["c", "low"] <= 0 <= table.loc["c", "high"] + 1e-3


def test_intervals_hold_what_they_say():
    held = 0
    for seed in range(60):
        model, X, y = linear(600, seed)
        table = permutation_importance(model, X, y, evaluator="mse", n_resamples=100)
        held += table.loc["b", "low"] <= 2 * model.coef_[1] ** 2 <= table.loc["b", "high"]
    assert held / 60 >= 0.85


def test_columns_that_say_the_same_are_needed_together():
    random = np.random.default_rng(1)
    a = random.normal(size=3_000)
    X = pd.DataFrame({"pounds": a, "pence": a + 1e-3 * random.normal(size=3_000)})
    y = a + random.normal(size=3_000)
    model = ExtraTreesRegressor(50, min_samples_leaf=20, random_state=0).fit(X[:1_500], y[:1_500])
    options = {"evaluator": "mse", "n_repeats": 3, "n_resamples": 50}
    alone = permutation_importance(model, X[1_500:], y[1_500:], **options)
    both = permutation_importance(model, X[1_500:], y[1_500:], together={"price": ["pounds", "pence"]}, **options)
    assert both.index.tolist() == ["price"]
    assert both.loc["price", "importance"] > 1.5 * alone["importance"].max()


def test_raw_columns_of_a_pipeline_are_shuffled_with_their_categories():
    random = np.random.default_rng(2)
    X = pd.DataFrame({"渠道": random.choice(["网店", "门店"], 2_000), "x": random.normal(size=2_000)})
    y = 3.0 * (X["渠道"] == "网店") + random.normal(size=2_000)
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["渠道"]), remainder="passthrough"), LinearRegression()
    )
    table = permutation_importance(model.fit(X[:1_000], y[:1_000]), X[1_000:], y[1_000:], evaluator="rmse")
    assert table.index[0] == "渠道"
    assert table["n"].tolist() == [1_000, 1_000]


def test_customers_arrays_and_seeds():
    model, X, y = linear(800)
    plain = LinearRegression().fit(X.to_numpy(), y)
    table = permutation_importance(plain, X.to_numpy(), y, evaluator="mse", groups=np.arange(len(X)) // 4)
    assert table["n"].tolist() == [100] * 3
    assert table.index.tolist() == [0, 1, 2]
    again = permutation_importance(plain, X.to_numpy(), y, evaluator="mse", groups=np.arange(len(X)) // 4)
    pd.testing.assert_frame_equal(table, again)
    kept = X.copy()
    permutation_importance(model, X, y, evaluator="mse", n_resamples=0)
    pd.testing.assert_frame_equal(X, kept)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"evaluator": np.subtract}, "greater"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"together": {"x": ["a", "z"]}}, "no column z"),
        ({"together": {"x": ["a"], "y": ["a"]}}, "twice"),
        ({"together": {"c": ["a", "b"]}}, "name of a column"),
    ],
)
def test_what_does_not_fit_is_told(given, said):
    model, X, y = linear(100)
    with pytest.raises(DataError, match=said):
        permutation_importance(model, X, y, **{"evaluator": "mse", **given})
    with pytest.raises(DataError, match="rows"):
        permutation_importance(model, X, y[:-1], evaluator="mse")


def test_outcomes_in_another_order_missing_or_of_no_rows_are_told():
    model, X, y = linear(200)
    with pytest.raises(DataError, match="another order"):
        permutation_importance(model, X, y[::-1], evaluator="mse")
    with pytest.raises(DataError, match="no rows"):
        permutation_importance(model, X[:0], y[:0], evaluator="mse")
    with pytest.raises(DataError, match="raw table"):
        permutation_importance(model, csr_matrix(X), y.to_numpy(), evaluator="mse")
    with pytest.warns(DataWarning, match="5 of 100 rows have no y"):
        table = permutation_importance(model, X, y.where(np.arange(100) >= 5), evaluator="mse", n_resamples=20)
    assert table["n"].tolist() == [95, 95, 95]
