"""The defaults on the public Telco churn table, against measured figures."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import crmkit
from crmkit import metrics

FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def telco(data_file):
    table = pd.read_csv(data_file("telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"), keep_default_na=False)
    churn = table.pop("Churn")
    # Eleven customers in their first month have a blank total: nothing was charged yet.
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"].str.strip().replace("", "0"))
    return table.drop(columns="customerID"), churn


def _pipeline(model):
    categories = make_column_selector(dtype_exclude="number")
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", drop="if_binary", sparse_output=False), categories),
        remainder="passthrough",
    )
    return make_pipeline(encoder, model)


@pytest.mark.parametrize(("name", "at_least"), [("logistic", 0.844), ("boosting", 0.846)])
def test_area_under_the_curve_of_churn_reaches_the_measured_figure(telco, name, at_least):
    # Measured on these folds: logistic .845; boosting .848 with these defaults, .836 with scikit-learn's.
    result = metrics.cross_validate(
        _pipeline(crmkit.create("classifier", name)), *telco, evaluators="roc-auc", cv=FOLDS
    )
    area = result["roc-auc"]
    assert area >= at_least
    assert area.low < area < area.high
    assert area.high - area.low < 0.04
