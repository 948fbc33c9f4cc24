"""The defaults on the public Telco churn table, read as it is, against measured figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold

import crmkit
from crmkit import metrics
from crmkit.core.errors import DataWarning

FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def telco(data_file):
    table = pd.read_csv(data_file("telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"))
    churn = table.pop("Churn")
    return table, churn


@pytest.mark.parametrize(("name", "area", "error"), [("logistic", 0.844, 0.136), ("boosting", 0.846, 0.136)])
def test_figures_of_churn_reach_what_was_measured_on_the_table_as_it_is(telco, name, area, error):
    # Measured on these folds with columns encoded by hand: logistic .845; boosting .848, .836 with scikit-learn's own
    # defaults. Here nothing is done by hand: 16 columns are text, one of them numbers with eleven blanks.
    model = crmkit.create("classifier", name)
    with pytest.warns(DataWarning, match="customerID"):
        result = metrics.cross_validate(model, *telco, evaluators=["roc-auc", "brier"], cv=FOLDS)
    assert result["roc-auc"] >= area
    assert result["brier"] <= error
    assert result["roc-auc"].low < result["roc-auc"] < result["roc-auc"].high
    assert result["roc-auc"].high - result["roc-auc"].low < 0.04


def test_a_column_of_noise_with_three_hundred_levels_does_no_harm(telco):
    # With levels as they are, scikit-learn's boosting falls from .848 to .833 and LightGBM's from .849 to .835.
    table, churn = telco
    table = table.drop(columns="customerID")
    noise = [f"level {number}" for number in np.random.default_rng(0).integers(0, 300, len(table))]
    model = crmkit.create("classifier", "boosting")
    result = metrics.cross_validate(model, table.assign(noise=noise), churn, evaluators="roc-auc", cv=FOLDS)
    assert result["roc-auc"] >= 0.846
