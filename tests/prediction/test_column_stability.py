from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline

import crmkit
from crmkit import DataError, metrics
from crmkit.prediction import ScaledLogistic, TableColumns, selection_stability

RNG = np.random.default_rng(0)
N = 300
X = RNG.normal(size=(N, 12))
LABELS = np.where(X[:, 3] + 0.3 * RNG.normal(size=N) > 0, "yes", "no")


@pytest.mark.parametrize("selector", ["information-gain", "recursive-elimination", SelectKBest(k=10)])
def test_what_matters_comes_back_in_every_fold(selector):
    found = selection_stability(selector, X, LABELS, cv=5)
    assert found.table.loc["x3", "times_chosen"] == 5
    assert found.estimates["roc-auc"] > 0.9
    assert found.table["times_chosen"].sum() == 50
    assert "chosen in every fold" in repr(found)
    assert "<caption>" in found._repr_html_()


def test_columns_of_noise_do_not_come_back():
    noise = RNG.normal(size=(N, 200))
    found = selection_stability(SelectKBest(k=5), noise, LABELS, cv=metrics_folds())
    assert found.stability < 0.4
    assert found.estimates["roc-auc"].low < 0.5 < found.estimates["roc-auc"].high


def metrics_folds():
    # Halves share few training rows, so that what one finds by chance the other does not.
    halves = RNG.permutation(N).reshape(2, -1)
    return [(halves[0], halves[1]), (halves[1], halves[0])]


def test_levels_of_a_table_are_told_by_name():
    table = pd.DataFrame(
        {"plan": np.where(X[:, 3] > 0, "gold", "basic"), "age": X[:, 1], "city": RNG.choice([*"abcd"], N)}
    )
    found = selection_stability(SelectKBest(k=1), table, LABELS, cv=4)
    assert found.table.index[0].startswith("plan=")
    assert found.stability == 1


def test_a_whole_pipeline_is_taken_as_it_is():
    pipeline = make_pipeline(TableColumns(), SelectKBest(k=2), ScaledLogistic())
    table = pd.DataFrame(X, columns=[f"column {place}" for place in range(12)])
    found = selection_stability(pipeline, table, LABELS, cv=3)
    assert found.table.index[0] == "column 3"
    alone = metrics.cross_validate(pipeline, table, LABELS, evaluators="roc-auc", cv=3)
    assert found.estimates["roc-auc"] == alone["roc-auc"]


def test_numbers_can_be_predicted():
    found = selection_stability(
        "recursive-elimination", X, X[:, 3], kind="regressor", model="ridge", evaluators="rmse", cv=3
    )
    assert found.table.loc["x3", "times_chosen"] == 3


def test_where_nothing_selects_or_one_fold_stands_alone_it_is_refused():
    with pytest.raises(DataError, match="no step of the pipeline selects columns"):
        selection_stability(make_pipeline(crmkit.create("classifier", "logistic")), X, LABELS, cv=2)
    with pytest.raises(DataError, match="one fold has nothing"):
        selection_stability("information-gain", X, LABELS, cv=[(np.arange(200), np.arange(200, N))])
