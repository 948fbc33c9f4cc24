"""
What do customers write about?
==============================

Ten thousand messages to a bank's service desk with 77 intents (BANKING77, Casanueva et al. 2020): train on one part,
evaluate on another, each figure with its interval.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import crmkit
from crmkit import metrics

folder = Path(os.environ["CRMKIT_DATA"]) / "banking77"
train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")

# %%
# Train and predict
# -----------------
classifier = crmkit.create("classifier", "text-svm").fit(train["text"], train["category"])
predicted = classifier.predict(test["text"])
metrics.accuracy(test["category"], predicted)

# %%
# Which intents are hard?
# -----------------------
report = metrics.class_report(test["category"], predicted)
report.head(10)

# %%
# Which intents are taken for which?
# ----------------------------------
confusion = metrics.confusion(test["category"], predicted)
pairs = confusion.rename_axis(index="actual", columns=None).reset_index().melt("actual", var_name="predicted")
wrong = pairs[pairs["actual"] != pairs["predicted"]].nlargest(10, "value").iloc[::-1]
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
axes.barh(wrong["actual"] + " → " + wrong["predicted"], wrong["value"])
axes.set(xlabel=f"messages, of {len(test):,}", title="The ten most frequent mistakes")
figure.show()
