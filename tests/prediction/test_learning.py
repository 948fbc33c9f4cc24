"""Learning curves and what they advise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import crmkit
from crmkit.core.errors import DataError, DataWarning
from crmkit.prediction import learning_curve


def drawn(n, seed=0, n_columns=4, noise=1.0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, n_columns))
    return X, (X[:, 0] + noise * random.normal(size=n) > 0).astype(int)


def test_a_wide_table_with_few_rows_wants_more_data():
    X, y = drawn(800, n_columns=60, noise=0.5)
    curve = learning_curve("logistic", X, y, evaluator="roc-auc")
    assert curve.verdict == "more data"
    assert curve.doubling.low > 0
    assert curve.table["value"].is_monotonic_increasing


def test_a_tree_that_knows_its_rows_by_heart_should_be_simpler():
    X, y = drawn(1_500, n_columns=2, noise=3.0)
    curve = learning_curve(DecisionTreeClassifier(random_state=0), X, y, evaluator="accuracy")
    assert curve.verdict == "simpler"
    assert curve.table["training"].min() == 1.0
    assert curve.carried < 0.5


def test_a_straight_line_through_many_rows_has_enough():
    random = np.random.default_rng(1)
    X = random.normal(size=(3_000, 2))
    y = X @ [1.0, -2.0] + random.normal(size=3_000)
    curve = learning_curve(LinearRegression(), X, y, evaluator="rmse")
    assert curve.verdict == "enough"
    assert curve.carried == pytest.approx(1, abs=0.02)
    assert curve.table["chance"].iloc[0] == pytest.approx(np.sqrt(6), rel=0.05)


def test_pure_noise_is_neither_called_for_more_data_nor_enough_of_a_wild_model():
    verdicts = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        X, y = random.normal(size=(300, 3)), random.integers(0, 2, 300)
        verdicts.append(learning_curve(DecisionTreeClassifier(random_state=0), X, y, evaluator="accuracy").verdict)
    assert verdicts.count("simpler") >= 9


def test_a_lower_error_is_a_change_for_the_better():
    random = np.random.default_rng(2)
    X = random.normal(size=(300, 30))
    y = X.sum(axis=1) + random.normal(size=300)
    model = make_pipeline(PolynomialFeatures(1), LinearRegression())
    curve = learning_curve(model, X, y, evaluator="rmse", sizes=[0.25, 0.5, 1])
    assert curve.doubling > 0
    assert curve.verdict == "more data"
    assert learning_curve(model, X, y, evaluator="rmse", sizes=[0.5, 1], worth=5).verdict != "more data"


def test_customers_are_drawn_whole():
    X, y = drawn(400)
    seen = []

    class Spy(DecisionTreeClassifier):
        def fit(self, X, y):
            seen.append(X[:, -1])
            return super().fit(X, y)

    owners = np.repeat(np.arange(100), 4)
    learning_curve(Spy(max_depth=2), np.column_stack([X, owners]), y, evaluator="accuracy", groups=owners)
    for part in seen:
        assert (np.bincount(part.astype(int))[np.unique(part).astype(int)] == 4).all()
    sizes = sorted({len(part) for part in seen})
    assert sizes[0] < 60
    assert sizes[-1] >= 300


def test_texts_and_frames_and_names_go_through():
    texts = ["the parcel is late", "包裹迟到了", "thank you all", "谢谢你们"] * 30
    labels = ["late", "late", "thanks", "thanks"] * 30
    assert learning_curve("text-svm", texts, labels, evaluator="accuracy", cv=3).verdict == "enough"
    X, y = drawn(300)
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(300) + 7)
    model = make_pipeline(StandardScaler(), crmkit.create("classifier", "logistic"))
    curve = learning_curve(model, frame, pd.Series(y, index=frame.index), evaluator="brier")
    assert curve.table["n_train"].tolist() == sorted(curve.table["n_train"])


def test_the_same_seed_gives_the_same_curve():
    X, y = drawn(300)
    first, again = (learning_curve("tree", X, y, evaluator="roc-auc", random_state=3) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, again.table)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sizes": [0.2, 0.5]}, "0.5 and 1"),
        ({"sizes": [0, 0.5, 1]}, "above 0"),
        ({"cv": 1}, "at least 2"),
        ({"evaluator": np.subtract}, "greater"),
        ({"sizes": [0.004, 0.5, 1]}, "every label"),
    ],
)
def test_what_cannot_be_judged_is_told(given, said):
    X, y = drawn(200)
    with pytest.raises(DataError, match=said):
        learning_curve("tree", X, y, **{"evaluator": "accuracy", **given})


def test_it_shows_itself():
    X, y = drawn(200)
    curve = learning_curve("tree", X, y, evaluator="accuracy")
    assert repr(curve).startswith(curve.verdict)
    assert "n_train" in curve._repr_html_()


def test_targets_in_another_order_are_refused_and_missing_ones_set_aside():
    X, y = drawn(200)
    table, target = pd.DataFrame(X), pd.Series(y, dtype=float)
    with pytest.raises(DataError, match="another order"):
        learning_curve("logistic", table, target[::-1], evaluator="roc-auc", cv=2)
    with pytest.warns(DataWarning, match="20 of 200 rows have no y"):
        curve = learning_curve("logistic", table, target.where(np.arange(200) >= 20), evaluator="roc-auc", cv=2)
    assert curve.table["n_train"].iloc[-1] == 90
