"""100,000 messages of each language: fitting, predicting and explaining, beside scikit-learn's own features."""

from __future__ import annotations

import sys

from measure import DATA, measure, show

MESSAGES = """
import numpy as np, pandas as pd
random = np.random.default_rng(0)
table = pd.read_csv({path!r})
texts, labels = table[{text!r}].astype(str).to_numpy(object), table[{label!r}].to_numpy()
rows = random.integers(0, len(texts), {n})
# A message resampled as it is would be free: one word (character) is dropped from each and one of another put in.
other = random.integers(0, len(texts), {n})
def cut(text):
    return text.split(" ") if {spaced} else list(text)
joint = " " if {spaced} else ""
messages = []
for row, stranger, place in zip(rows, other, random.random({n})):
    mine, theirs = cut(texts[row]), cut(texts[stranger])
    at = int(place * len(mine))
    mine[at : at + 1] = [theirs[int(place * len(theirs))]]
    messages.append(joint.join(mine))
messages, y = np.array(messages, dtype=object), labels[rows]
"""
OURS = """
from crmkit.text import TextSVM
model = TextSVM(random_state=0)
"""
THEIRS = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC
words, letters = TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
features = make_union(words, letters) if {spaced} else TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
model = make_pipeline(features, LinearSVC(C=0.8, random_state=0))
"""
FIT = """
start()
model.fit(messages, y)
answer["a second"] = f"{{len(messages) / (time.process_time() - _t[0]):,.0f}}"
"""
PREDICT = """
model.fit(messages[:{few}], y[:{few}])
start()
model.predict(messages)
answer["a second"] = f"{{len(messages) / (time.process_time() - _t[0]):,.0f}}"
"""
EXPLAIN = """
from crmkit.text import explain
model.fit(messages[:{few}], y[:{few}])
start()
explain(model, messages[:{few}])
answer["a second"] = f"{{{few} / (time.process_time() - _t[0]):,.0f}}"
"""
SETS = {
    "English (BANKING77)": ("banking77/train.csv", "text", "category", True),
    "Chinese (waimai_10k)": ("waimai_10k/waimai_10k.csv", "review", "label", False),
}

if __name__ == "__main__":
    n = int(sys.argv[1]) if sys.argv[1:] else 100_000
    for language, (path, text, label, spaced) in SETS.items():
        made = MESSAGES.format(path=str(DATA / path), text=text, label=label, spaced=spaced, n=n)
        few = min(n, 10_000)
        steps = {"fit": FIT.format(), "predict": PREDICT.format(few=few)}
        rows = {}
        for step, code in steps.items():
            for name, model in {"crmkit": OURS, "scikit-learn": THEIRS.format(spaced=spaced)}.items():
                rows[f"{step}, {name}"] = measure(made + model + code, timeout=900.0)
        rows[f"explain {few:,}, crmkit"] = measure(made + OURS + EXPLAIN.format(few=few))
        show(f"{language}: {n:,} messages (peak of the whole process, messages included)", rows)
