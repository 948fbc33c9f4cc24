"""
When to say "I do not know"
===========================

Messages to an assistant with 150 intents, and 1,000 messages about none of them (CLINC150, Larson et al. 2019,
doi:10.18653/v1/D19-1131). No message about nothing known is shown to the classifier. How many of them does each
threshold leave out, and what does it cost?
"""

import json
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from crmkit import metrics, text

parts = json.loads((Path(os.environ["CRMKIT_DATA"]) / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
texts = {part: [message for message, _ in pairs] for part, pairs in parts.items()}
labels = {part: [label for _, label in pairs] for part, pairs in parts.items()}

# %%
# Keep 95 % of what is known
# --------------------------
# The training messages are paraphrases of one another, so the threshold is chosen on the validation messages.
assistant = text.RejectingClassifier("text-svm", keep=0.95, cv=2, random_state=0).fit(texts["train"], labels["train"])
assistant.retune(texts["val"], labels["val"])
likeliest = assistant.estimator_.predict(texts["test"])
known, outside = assistant.sureness(texts["test"]), assistant.sureness(texts["oos_test"])
right = likeliest == np.array(labels["test"])
print(metrics.accuracy(labels["test"], likeliest))

# %%
# The whole curve
# ---------------
curve = text.rejection_curve(known, right, outside=outside)
print(curve.iloc[:30].to_string())

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(curve["kept"], curve["outside_left"], label="of 1,000 messages about nothing known, left out")
axes.plot(curve["kept"], curve["precision"], label="of the labels given to known messages, right")
axes.axvline(0.95, color="grey", linewidth=1)
axes.set(xlabel="share of known messages that get a label", xlim=(0.5, 1.0), ylim=(0.0, 1.01))
axes.legend(loc="lower left")
figure.show()

# %%
# The paper's rule beside it
# --------------------------
# Larson et al. choose the threshold at which most messages of the validation part, the 100 about nothing known
# included, are put right. Known messages are many and the others few, so that rule keeps nearly all. Their figures are
# for the same data; recall is of the 1,000 messages about nothing known, and a known message that is left out is wrong.
sure = np.concatenate([assistant.sureness(texts["val"]), assistant.sureness(texts["oos_val"])])
hits = assistant.estimator_.predict(texts["val"]) == np.array(labels["val"])
given = np.concatenate([hits, np.zeros(len(texts["oos_val"]), dtype=bool)])
silent = np.concatenate([np.zeros(len(hits), dtype=bool), np.ones(len(texts["oos_val"]), dtype=bool)])
candidates = np.unique(sure)
put_right = [np.sum(given & (sure >= cut)) + np.sum(silent & (sure < cut)) for cut in candidates]
papers_rule = candidates[int(np.argmax(put_right))]

rows = {}
for name, cut in {"keep 95 %": assistant.promises_["threshold"].iloc[0], "the paper's rule": papers_rule}.items():
    rows[f"text-svm, {name}"] = {
        "threshold": cut,
        "known kept": np.mean(known >= cut),
        "known put right": np.mean(right & (known >= cut)),
        "recall of the others": np.mean(outside < cut),
    }
for name, put_right_of_known, recall in [("SVM", 0.882, 0.180), ("MLP", 0.934, 0.491), ("BERT", 0.962, 0.523)]:
    rows[f"paper's {name}, its rule"] = {"known put right": put_right_of_known, "recall of the others": recall}
print(pd.DataFrame(rows).T.round(3).to_string(na_rep=""))
