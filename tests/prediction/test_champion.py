"""Champion against challenger."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression

from crmkit import metrics
from crmkit.core.errors import DataError, DataWarning
from crmkit.prediction import challenge


def drawn(n, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    return X, (X[:, 0] + 0.5 * X[:, 1] + random.normal(size=n) > 0).astype(int)


def models(first=(1, 0, 0), second=(1, 1, 1)):
    X, y = drawn(2_000, seed=99)
    return LogisticRegression().fit(X * first, y), LogisticRegression().fit(X * second, y)


def test_a_better_model_replaces_and_a_worse_one_does_not():
    old, new = models()
    X, y = drawn(3_000)
    won = challenge(old, new, X, y, evaluator="roc-auc", n_resamples=200)
    assert won.verdict == "replace"
    assert float(won.difference) == pytest.approx(float(won.challenger) - float(won.champion))
    lost = challenge(new, old, X, y, evaluator="roc-auc", n_resamples=200)
    assert lost.verdict == "keep"
    assert lost.rows_needed is None
    assert float(lost.difference) == pytest.approx(-float(won.difference))


def test_a_lower_error_is_better():
    old, new = models()
    X, y = drawn(3_000)
    assert challenge(old, new, X, y, evaluator="brier").verdict == "replace"
    X, _ = drawn(500)
    y = X @ [1.0, 2.0, 0.0]
    poor, good = LinearRegression().fit(X[:100, :] * [1, 0, 0], y[:100]), LinearRegression().fit(X[:100], y[:100])
    assert challenge(poor, good, X[100:], y[100:], evaluator="rmse").difference > 0


def test_equal_models_are_rarely_replaced():
    """Two models that differ by noise only, on 150 sets of new rows: 2.5 % may win by chance."""
    old, new = models(first=(1, 1, 0.02), second=(1, 1, -0.02))
    wins = 0
    for seed in range(150):
        X, y = drawn(200, seed)
        wins += challenge(old, new, X, y, evaluator="brier", n_resamples=100).verdict == "replace"
    assert wins <= 150 * 0.07


def test_a_lead_that_may_be_chance_tells_how_many_rows_would_decide():
    old, new = models(first=(1, 0.6, 1), second=(1, 1, 1))
    X, y = drawn(30_000)
    found = [challenge(old, new, X[i : i + 80], y[i : i + 80], evaluator="brier") for i in range(0, 800, 80)]
    undecided = [one for one in found if one.rows_needed is not None]
    assert undecided
    assert all(one.verdict == "keep" and one.rows_needed > 80 for one in undecided)
    assert "would decide" in undecided[0].reason
    typical = int(np.median([one.rows_needed for one in undecided]))
    assert challenge(old, new, X[: 20 * typical], y[: 20 * typical], evaluator="brier").verdict == "replace"


def test_a_lead_must_be_worth_the_change():
    old, new = models()
    X, y = drawn(3_000)
    assert challenge(old, new, X, y, evaluator="brier", worth=0.5).verdict == "keep"


def test_the_paired_interval_is_narrower_than_that_of_either():
    old, new = models(first=(1, 0.9, 1))
    X, y = drawn(2_000)
    found = challenge(old, new, X, y, evaluator="roc-auc", n_resamples=200)
    assert found.difference.high - found.difference.low < 0.5 * (found.champion.high - found.champion.low)


def test_customers_are_drawn_whole():
    old, new = models()
    X, y = drawn(300)
    customers = np.tile(np.arange(300), 4)
    alone = challenge(old, new, X, y, evaluator="brier")
    fourfold = challenge(old, new, np.tile(X, (4, 1)), np.tile(y, 4), evaluator="brier", groups=customers)
    width = alone.difference.high - alone.difference.low
    assert fourfold.difference.high - fourfold.difference.low == pytest.approx(width, rel=0.1)
    assert fourfold.difference.n == 300


def test_models_that_cannot_be_compared_are_told():
    old, _ = models()
    X, y = drawn(50)
    three = LogisticRegression().fit(X, np.arange(50) % 3)
    with pytest.raises(DataError, match="different labels"):
        challenge(old, three, X, y, evaluator="accuracy")
    with pytest.raises(DataError, match="never learned"):
        challenge(old, old, X, y + 5, evaluator="accuracy")
    with pytest.raises(DataError, match="regressor"):
        challenge(old, LinearRegression().fit(X, y), X, y, evaluator="accuracy")
    with pytest.raises(NotFittedError):
        challenge(old, LogisticRegression(), X, y, evaluator="accuracy")
    with pytest.raises(DataError, match="negative"):
        challenge(old, old, X, y, evaluator="accuracy", worth=-1)
    with pytest.raises(DataError, match="greater"):
        challenge(old, old, X, y, evaluator=np.subtract)


def test_it_shows_itself():
    old, new = models()
    X, y = drawn(200)
    found = challenge(old, DummyClassifier().fit(X, y), X, y, evaluator="accuracy")
    assert repr(found).startswith("keep")
    assert found.table.index.tolist() == ["champion", "challenger", "difference"]
    assert "champion" in found._repr_html_()
    assert challenge(old, new, X, y, evaluator="brier", random_state=1).table.equals(
        challenge(old, new, X, y, evaluator="brier", random_state=1).table
    )


def test_a_handful_of_rows_replaces_nothing():
    old, new = models()
    X, y = drawn(400)
    better = (new.predict_proba(X)[np.arange(400), y] > old.predict_proba(X)[np.arange(400), y]).nonzero()[0]
    for n in (1, 2, 5):
        found = challenge(old, new, X[better[:n]], y[better[:n]], evaluator="brier", n_resamples=50)
        assert found.verdict == "keep"
        assert found.rows_needed is None
        assert "do not decide" in found.reason
    # Eighty rows of four customers are four, not eighty.
    found = challenge(old, new, X[better[:80]], y[better[:80]], evaluator="brier", groups=np.arange(80) % 4)
    assert found.verdict == "keep"


def test_intervals_of_few_rows_are_as_much_wider_as_those_of_t():
    old, new = models()
    X, y = drawn(8, seed=3)
    given = [model.predict_proba(X)[:, 1] for model in (old, new)]
    plain = metrics.bootstrap(lambda y, a, b: ((a - y) ** 2 - (b - y) ** 2).mean(), y, *given, n_resamples=200)
    found = challenge(old, new, X, y, evaluator="brier", n_resamples=200).difference
    wider = t.ppf(0.975, 7) / norm.ppf(0.975) * np.sqrt(8 / 7)
    assert found.high - found.value == pytest.approx(wider * (plain.high - plain.value))
    assert found.value - found.low == pytest.approx(wider * (plain.value - plain.low))


def test_rows_whose_outcome_is_not_known_yet_are_set_aside():
    old, new = models()
    X, y = drawn(300)
    later = pd.Series(y).astype(object).where(np.arange(300) >= 20)
    with pytest.warns(DataWarning, match="20 of 300 rows have no y"):
        found = challenge(old, new, X, later, evaluator="brier", groups=np.arange(300), n_resamples=50)
    assert found.table.equals(
        challenge(old, new, X[20:], y[20:], evaluator="brier", groups=np.arange(280), n_resamples=50).table
    )


def test_outcomes_in_another_order_and_no_rows_are_told():
    old, _ = models()
    X, y = drawn(50)
    with pytest.raises(DataError, match="another order"):
        challenge(old, old, pd.DataFrame(X), pd.Series(y)[::-1], evaluator="brier")
    with pytest.raises(DataError, match="no rows"):
        challenge(old, old, X[:0], y[:0], evaluator="brier")
