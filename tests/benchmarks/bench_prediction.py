"""Models of crmkit beside scikit-learn's and LightGBM's own defaults, on customer tables and on many levels.

Run ``python bench_prediction.py [telco] [shoppers] [levels] [calibration]``; without a name, all of them. The peers get
what crmkit does by itself done by hand: ids dropped, numbers parsed, categories one-hot or of pandas' own type.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import crmkit
from crmkit import metrics, prediction

FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
DATA = Path(os.environ.get("CRMKIT_DATA", "../shared/data"))


def telco() -> tuple[pd.DataFrame, pd.Series]:
    """Read the churn table as it is."""
    table = pd.read_csv(DATA / "telco/WA_Fn-UseC_-Telco-Customer-Churn.csv")
    return table, table.pop("Churn")


def shoppers() -> tuple[pd.DataFrame, pd.Series]:
    """Read the sessions, without those whose outcome is not known."""
    table = pd.read_csv(DATA / "online_shoppers/online_shoppers_intention.csv").dropna(subset=["Revenue"])
    return table, table.pop("Revenue").astype(bool)


def by_hand(table: pd.DataFrame) -> pd.DataFrame:
    """Drop ids and parse numbers, as every user of the peers has to."""
    table = table.drop(columns=["customerID"], errors="ignore")
    if "TotalCharges" in table:
        table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce").fillna(0.0)
    texts = table.select_dtypes(exclude=["number", "bool"]).columns
    return table.astype(dict.fromkeys(texts, "category"))


def one_hot(model: Any) -> Any:
    """Put scikit-learn's own encoding before a model."""
    encode = OneHotEncoder(handle_unknown="ignore", drop="if_binary", sparse_output=False)
    columns = make_column_transformer(
        (encode, make_column_selector(dtype_include="category")), remainder=StandardScaler()
    )
    return make_pipeline(columns, model)


def ours() -> dict[str, Any]:
    """Give crmkit's models, which get the table as it is."""
    return {
        "crmkit logistic": crmkit.create("classifier", "logistic"),
        "crmkit boosting": crmkit.create("classifier", "boosting"),
        "crmkit boosting, lightgbm": crmkit.create("classifier", "boosting", engine="lightgbm"),
        "crmkit forest": crmkit.create("classifier", "forest", random_state=0),
    }


def peers() -> dict[str, Any]:
    """Give the peers' defaults, on one thread."""
    given = {"cv": 5, "scoring": "neg_log_loss", "max_iter": 2000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logistic = LogisticRegressionCV(**given)
    return {
        "LogisticRegressionCV": one_hot(logistic),
        "HistGradientBoosting": HistGradientBoostingClassifier(categorical_features="from_dtype"),
        "LightGBM": LGBMClassifier(n_jobs=1, verbose=-1),
    }


def compare(title: str, table: pd.DataFrame, y: pd.Series, peers_table: pd.DataFrame) -> None:
    """Print one table."""
    print(f"\n{title}: {table.shape[0]:,} rows, five stratified folds, seed 0")
    models = [(name, model, table) for name, model in ours().items()]
    models += [(name, model, peers_table) for name, model in peers().items()]
    for name, model, X in models:
        if name == "HistGradientBoosting" and any(X[one].nunique() > 255 for one in X.select_dtypes("category")):
            print(f"{name:28} refuses a category with more than 255 levels")
            continue
        start = time.process_time()
        found = metrics.cross_validate(model, X, y, evaluators=["roc-auc", "brier"], cv=FOLDS)
        area, error = found["roc-auc"], found["brier"]
        spent = time.process_time() - start
        print(f"{name:28} AUC {area:.4f} [{area.low:.3f}, {area.high:.3f}]  Brier {error:.4f}  {spent:6.1f} CPU s")


def levels() -> None:
    """Add a column with 300 levels to Telco: of noise, then of signal, with labels drawn anew."""
    table, churn = telco()
    random = np.random.default_rng(0)
    noise = table.assign(noise=[f"level {number}" for number in random.integers(0, 300, len(table))])
    compare("telco with 300 levels of noise", noise, churn, by_hand(noise))
    effect, place = random.normal(0, 1.0, 300), random.integers(0, 300, len(table))
    odds = 2.2 * ((churn == "Yes").to_numpy() - 0.5) + 1.2 * effect[place] - 0.9
    y = pd.Series(random.random(len(table)) < 1 / (1 + np.exp(-odds)))
    signal = table.assign(city=[f"city {number}" for number in place])
    compare("telco with 300 levels that matter", signal, y, by_hand(signal))


def calibration() -> None:
    """Print ECE and Brier before and after, of models that need it and that do not."""
    table, churn = telco()
    for name in ("logistic", "boosting", "forest", "svm"):
        print(f"\ncalibration of {name} on telco")
        rows = table.iloc[:3000] if name == "svm" else table
        found = prediction.compare_calibration(name, rows, churn.iloc[: len(rows)], cv=FOLDS, inner_cv=3)
        print(found[["brier", "ece", "ece_low", "ece_high", "log-loss"]].round(4).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*")
    parts = parser.parse_args().parts or ["telco", "shoppers", "levels", "calibration"]
    warnings.simplefilter("ignore")
    if "telco" in parts:
        compare("telco", *telco(), by_hand(telco()[0]))
    if "shoppers" in parts:
        compare("online shoppers", *shoppers(), by_hand(shoppers()[0]))
    if "levels" in parts:
        levels()
    if "calibration" in parts:
        calibration()
