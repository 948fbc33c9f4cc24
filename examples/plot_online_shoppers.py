"""
Which visitor will buy?
=======================

Twelve thousand sessions of a web shop (Sakar et al. 2018), read as they are: every model in one table, each figure with
its interval, its seconds and its memory; a test that is scored once; probabilities checked, and corrected for a month
in which more people buy.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import crmkit
from crmkit import metrics, prediction

folder = Path(os.environ["CRMKIT_DATA"]) / "online_shoppers"
sessions = pd.read_csv(folder / "online_shoppers_intention.csv")
bought = sessions.pop("Revenue")

# %%
# Which algorithms fit?
# ---------------------
# From the table's shape alone: nothing is fitted, and nothing said of how good a model will be.
suggestions = prediction.suggest(sessions, bought)
print(*suggestions.notes, sep="\n")
suggestions.table[["fit", "why", "why_not", "seconds"]]

# %%
# Four columns are numbers that are really codes.
codes = ["OperatingSystems", "Browser", "Region", "TrafficType"]
sessions = sessions.astype(dict.fromkeys(codes, "category"))

# %%
# All of them in one table
# ------------------------
# A fifth of the sessions is set aside before anything is tried, and scored once at the end. Sessions without an outcome
# are set aside with a warning.
found = prediction.search(
    {
        "logistic": ("logistic", {"C": [0.01, 1.0]}),
        "tree": "tree",
        "forest": crmkit.create("classifier", "forest", n_estimators=60, random_state=0),
        "boosting": ("boosting", {"max_leaf_nodes": [4, 8]}),
        "mlp": crmkit.create("classifier", "mlp", max_iter=20, random_state=0),
        "svm": "svm",
    },
    sessions,
    bought,
    evaluators=["roc-auc", "accuracy"],
    cv=3,
    test=0.2,
    n_jobs=2,
)
print(found)
found.table.drop(columns=["n_train", "reason", "chosen"]).round(3)

# %%
ranked = found.table.iloc[::-1]
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
width = [ranked["roc-auc"] - ranked["roc-auc_low"], ranked["roc-auc_high"] - ranked["roc-auc"]]
axes.errorbar(ranked["roc-auc"], ranked.index, xerr=width, fmt="o", capsize=3)
axes.set(xlabel="area under the ROC curve, 95 % interval, three folds", title="Who buys: every model on the same folds")
figure.show()

# %%
# Do probabilities happen as often as they say?
# ---------------------------------------------
# Boosting's do as they are; a forest's are drawn to the middle.
known = bought.notna()
forest = crmkit.create("classifier", "forest", n_estimators=60, random_state=0)
compared = prediction.compare_calibration(
    forest, sessions[known], bought[known].astype(bool), methods=["sigmoid", "beta"], cv=3, inner_cv=3, n_jobs=2
)
compared.round(4)

# %%
# When more people buy than before
# --------------------------------
# A model learns from sessions of which 15 % bought; next month (drawn here) 40 % do. From the scores alone the new rate
# is found, and the probabilities are brought to it.
random = np.random.default_rng(0)
rows = random.permutation(np.flatnonzero(known))
labels = bought.to_numpy()[rows].astype(bool)
half = len(rows) // 2
buyers = rows[half:][labels[half:]]
others = random.choice(rows[half:][~labels[half:]], int(1.5 * len(buyers)), replace=False)
month = np.concatenate([buyers, others])
learn, held = rows[: half * 2 // 3], rows[half * 2 // 3 : half]
model = crmkit.create("classifier", "boosting").fit(sessions.iloc[learn], labels[: len(learn)])
before = model.predict_proba(sessions.iloc[month])[:, 1]
shift = prediction.estimate_prior(
    before, validation=(labels[len(learn) : half], model.predict_proba(sessions.iloc[held])[:, 1])
)
print(shift)
outcome = np.repeat([True, False], [len(buyers), len(others)])
pd.DataFrame(
    {
        "before": {name: metrics.resolve(name).value(outcome, before) for name in ("brier", "ece", "roc-auc")},
        "after": {
            name: metrics.resolve(name).value(outcome, shift.correct(before)) for name in ("brier", "ece", "roc-auc")
        },
    }
).round(4)
