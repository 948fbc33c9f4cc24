"""Rating recommenders on MovieLens (small): root mean squared error and CPU of five folds, ours beside Surprise.

Surprise runs in the interpreter that the environment variable CRMKIT_PEERS names, or in this one. Arguments choose
rows by a part of their name, such as ``item``.
"""

from __future__ import annotations

import os
import subprocess
import sys

from measure import DATA, measure, show

PEERS = os.environ.get("CRMKIT_PEERS", sys.executable)
LOAD = f"""
import numpy as np, pandas as pd
table = pd.read_csv({str(DATA / "movielens_small/ratings.csv")!r})
table.columns = ["customer_id", "item_id", "rating", "timestamp"]
table = table[["customer_id", "item_id", "rating"]]
order = np.arange(len(table))
np.random.RandomState(0).shuffle(order)
parts = np.array_split(order, 5)
squares = []
"""
OURS = (
    LOAD
    + """
import crmkit
model = crmkit.create("recommender", {name!r}, scale=(0.5, 5), **{ours!r})
folds = [(table.iloc[np.concatenate([o for o in parts if o is not part])], table.iloc[part]) for part in parts]
model.fit(folds[0][0].head(100)).predict(folds[0][1].head(10))
start()
for train, test in folds:
    squares.append(((model.fit(train).predict(test) - test["rating"]) ** 2).mean())
answer["rmse"] = round(float(np.sqrt(squares).mean()), 5)
"""
)
THEIRS = (
    LOAD
    + """
import surprise
data = surprise.Dataset.load_from_df(table, surprise.Reader(rating_scale=(0.5, 5)))
folds = []
for part in parts:
    train = [data.raw_ratings[row] for other in parts if other is not part for row in other]
    folds.append((data.construct_trainset(train), data.construct_testset([data.raw_ratings[row] for row in part])))
start()
for train, test in folds:
    model = surprise.{name}(**{theirs!r})
    said = model.fit(train).test(test)
    squares.append(np.mean([(one.r_ui - one.est) ** 2 for one in said]))
answer["rmse"] = round(float(np.sqrt(squares).mean()), 5)
"""
)
QUIET = {"verbose": False}


def neighbors(side: str, similarity: str, centre: str) -> tuple[str, dict[str, object], str, dict[str, object]]:
    """Give one comparison of neighbors: our name and settings, theirs and settings."""
    peer = {"none": "KNNBasic", "mean": "KNNWithMeans", "baseline": "KNNBaseline"}[centre]
    options = {"name": similarity.replace("-", "_"), "user_based": side == "user"}
    ours = {"similarity": similarity, "centre": centre, "otherwise": "mean"}
    return f"{side}-knn-rating", ours, peer, {"sim_options": options, **QUIET}


COMPARISONS = {
    "baseline, least squares": ("baseline-rating", {}, "BaselineOnly", QUIET),
    "baseline, descent": (
        "baseline-rating",
        {"method": "sgd", "random_state": 0},
        "BaselineOnly",
        {"bsl_options": {"method": "sgd"}, **QUIET},
    ),
    "svd": ("svd-rating", {"random_state": 0}, "SVD", {"random_state": 0}),
    "user msd": neighbors("user", "msd", "none"),
    "user cosine": neighbors("user", "cosine", "none"),
    "user pearson, means": neighbors("user", "pearson", "mean"),
    "user msd, baseline": neighbors("user", "msd", "baseline"),
    "user pearson-baseline, baseline": neighbors("user", "pearson-baseline", "baseline"),
    "item msd": neighbors("item", "msd", "none"),
    "item pearson, means": neighbors("item", "pearson", "mean"),
    "item pearson-baseline, baseline": neighbors("item", "pearson-baseline", "baseline"),
}


def surprise_is_there() -> bool:
    """Say whether the peers' interpreter has Surprise."""
    found = subprocess.run([PEERS, "-c", "import surprise"], capture_output=True, check=False)
    return found.returncode == 0


if __name__ == "__main__":
    there = surprise_is_there()
    if not there:
        print("Surprise is not installed here: pip install scikit-surprise, or name an interpreter in CRMKIT_PEERS")
    wanted = {
        title: comparison
        for title, comparison in COMPARISONS.items()
        if not sys.argv[1:] or any(part in title for part in sys.argv[1:])
    }
    for title, (name, ours, peer, theirs) in wanted.items():
        rows = {title: measure(OURS.format(name=name, ours=ours), timeout=900)}
        if there:
            beside = rows[f"Surprise {peer}"] = measure(
                THEIRS.format(name=peer, theirs=theirs), timeout=900, python=PEERS
            )
            if isinstance(rows[title]["cpu_s"], float) and isinstance(beside["cpu_s"], float):
                rows[title]["share"] = f"1/{beside['cpu_s'] / rows[title]['cpu_s']:.1f}"
        show(f"{title}: five folds", rows)
