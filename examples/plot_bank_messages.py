"""
What do customers write about?
==============================

Ten thousand messages to a bank's service desk with 77 intents (BANKING77, Casanueva et al. 2020): train on one part,
evaluate on another, each figure with its interval, and let the classes decide which message gets which answer.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import crmkit
from crmkit import metrics, remediation
from crmkit.remediation import Floor, Problem, Remedy, Resource

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

# %%
# The classes become the types of cases
# -------------------------------------
# Every message is a case whose type is its predicted class. What an answer is worth is this example's assumption: much
# where a card or money is lost, little elsewhere. A person can answer for 100 hours; a message the classifier is unsure
# of (a small margin) must not be answered by a template.
margins = classifier.decision_function(test["text"])
cases = pd.DataFrame(
    {
        "case_id": [f"message {number}" for number in range(len(test))],
        "label": predicted,
        "margin": margins.max(axis=1),
    }
)
urgent = (
    "label in ('lost_or_stolen_card', 'compromised_card', 'lost_or_stolen_phone', 'cash_withdrawal_not_recognised')"
)
problem = Problem(
    cases,
    remedies=[
        Remedy("person", value=f"4 + 46 * ({urgent})", uses={"hours": 0.2}),
        Remedy("template", value="2", eligible=f"margin > 0 and not ({urgent})"),
    ],
    limits=[Resource("hours", 100), Floor(where=urgent, share=1.0, name="every urgent message")],
)
plan = remediation.plan(problem)
assert remediation.verify(plan, problem).ok
print(plan)
pd.crosstab(cases["label"], plan.table["remedy"].to_numpy()).nlargest(8, "person")
