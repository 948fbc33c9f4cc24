"""100,000 messages of each language: features, fitting, predicting and explaining, beside scikit-learn's own."""

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
from crmkit.text import TextFeatures, TextLogistic, TextSVM
features = TextFeatures()
model = {model}
"""
THEIRS = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC
words, letters = TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
features = make_union(words, letters) if {spaced} else TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
model = make_pipeline(features, LinearSVC(C=0.8, random_state=0))
"""
DONE = """
answer["a second"] = f"{len(messages) / (time.process_time() - _t[0]):,.0f}"
"""
STEPS = {
    "features": "start()\nfeatures.fit_transform(messages)",
    "fit": "start()\nmodel.fit(messages, y)",
    "predict": "model.fit(messages[:{few}], y[:{few}])\nstart()\nmodel.predict(messages)",
    "explain": "import crmkit\nmodel.fit(messages[:{few}], y[:{few}])\nstart()\ncrmkit.text.explain(model, messages)",
}
# The lines of 77 classes at 100,000 messages take minutes in scikit-learn's learner, whoever makes the features, and
# logistic regression on as many would need gigabytes: those fits see fewer messages (the first all, with "all").
SETS = {
    "English (BANKING77)": ("banking77/train.csv", "text", "category", True, {"fit": 20_000, "fit logistic": 5_000}),
    "Chinese (waimai_10k)": ("waimai_10k/waimai_10k.csv", "review", "label", False, {}),
}
MODELS = {
    "features": ("crmkit", "scikit-learn"),
    "fit": ("crmkit", "scikit-learn", "logistic"),
    "predict": ("crmkit", "scikit-learn", "logistic"),
    "explain": ("crmkit",),
}
NAMES = {"crmkit": "text-svm", "logistic": "text-logistic", "scikit-learn": "scikit-learn"}


def bench(language: str, n: int, *, everything: bool) -> None:
    """Measure and print every step of one language."""
    path, text, label, spaced, fewer = SETS[language]
    if everything:
        fewer = {**fewer, "fit": n}
    rows = {}
    for step, names in MODELS.items():
        for name in names:
            most = fewer.get(f"{step} {name}", fewer.get(step, n))
            made = MESSAGES.format(path=str(DATA / path), text=text, label=label, spaced=spaced, n=min(n, most))
            ours = OURS.format(model="TextLogistic()" if name == "logistic" else "TextSVM(random_state=0)")
            few = min(n, fewer.get("fit logistic", 10_000) if name == "logistic" else 10_000)
            code = (
                made + (THEIRS.format(spaced=spaced) if name == "scikit-learn" else ours) + STEPS[step].format(few=few)
            )
            shown = "crmkit" if (step, name) == ("features", "crmkit") else NAMES[name]
            rows[f"{step}, {shown}, {min(n, most):,} messages"] = measure(code + DONE, timeout=1800.0)
    show(f"{language} (peak of the whole process, messages included)", rows)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    for one in SETS:
        bench(one, *(numbers or [100_000]), everything="all" in sys.argv)
