"""Names in Chinese news (CLUENER2020): fitting, F1 and size on disk, beside python-crfsuite with plain features."""

from __future__ import annotations

from measure import DATA, measure, show

READ = f"""
import os, tempfile
import crmkit
from crmkit.metrics import entity_f1
from crmkit.text import CRFEntities, read_span_json
folder = {str(DATA / "cluener2020")!r}
texts, spans = read_span_json(folder + "/train.json", overlaps="longest")
new, actual = read_span_json(folder + "/test.json", overlaps="longest")
def told(predict, cost):
    figure = entity_f1(actual, predict(new))
    answer.update({{"F1": f"{{figure:.4f}} [{{figure.low:.4f}}, {{figure.high:.4f}}]", "fit CPU s": round(cost, 1)}})
"""
OURS = """
model = CRFEntities(random_state=0{more})
start()
model.fit(texts, spans)
cost = time.process_time() - _t[0]
with tempfile.TemporaryDirectory() as place:
    crmkit.save(model, place + "/model")
    answer["MB on disk"] = round(os.path.getsize(place + "/model") / 1e6, 2)
told(model.predict, cost)
"""
THEIRS = """
import pycrfsuite
def features(text):
    wide = "<<" + text + ">>"
    return [[f"{k}={wide[i + k + 2]}" for k in range(-2, 3)] + [f"p{k}={wide[i + k + 2 : i + k + 4]}" for k in (-1, 0)]
            for i in range(len(text))]
start()
trainer = pycrfsuite.Trainer("ap", verbose=False)
for text, marked in zip(texts, spans):
    tags = ["O"] * len(text)
    for one in marked:
        tags[one.start : one.end] = ["B-" + one.label] + ["I-" + one.label] * (one.end - one.start - 1)
    trainer.append(features(text), tags)
place = tempfile.mkdtemp() + "/model"
trainer.train(place)
cost = time.process_time() - _t[0]
answer["MB on disk"] = round(os.path.getsize(place) / 1e6, 2)
tagger = pycrfsuite.Tagger()
tagger.open(place)
def predict(texts):
    found = []
    for text in texts:
        here, begin, label = [], None, None
        for i, tag in enumerate([*tagger.tag(features(text)), "O"]):
            if begin is not None and tag != "I-" + label:
                here.append((begin, i, label))
                begin = None
            if tag.startswith("B-"):
                begin, label = i, tag[2:]
        found.append(here)
    return found
told(predict, cost)
"""

if __name__ == "__main__":
    rows = {
        "crmkit, averaged perceptron": measure(READ + OURS.format(more="")),
        "crmkit, pieces of rjieba": measure(READ + OURS.format(more=", segmenter='rjieba'")),
        "python-crfsuite, characters": measure(READ + THEIRS),
    }
    show("CLUENER2020, 10,748 sentences to learn from, 1,343 to find names in", rows)
