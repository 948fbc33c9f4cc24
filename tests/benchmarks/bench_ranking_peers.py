"""EASE and item-knn beside the package implicit on MovieLens (small): NDCG@10 with paired intervals.

Ratings of 4 and more count as liked. A fifth of each customer's is held back for the test (seed 0), and a fifth of the
rest for validation, on which every model, ours and theirs, is tuned over a grid of its own; the best is fitted again on
all that is not test. implicit runs in the interpreter that CRMKIT_PEERS names, or in this one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from measure import DATA

import crmkit
from crmkit import metrics

PEERS = os.environ.get("CRMKIT_PEERS", sys.executable)
Settings = list[tuple[str, dict[str, object]]]
Lists = list[pd.DataFrame]


def grid(name: str, **values: list[object]) -> Settings:
    """Give every combination of a model's values."""
    return [(name, dict(zip(values, chosen, strict=True))) for chosen in product(*values.values())]


NEIGHBORS: list[object] = [20, 50, 100, 200, 400]
OURS = [
    *grid("ease", regularization=[30, 100, 200, 300, 500, 1000]),
    *grid("item-knn", n_neighbors=[50, 100, 200], similarity=["cosine", "jaccard"], shrinkage=[0.0, 2.0, 10.0]),
]
THEIRS = [
    *grid("cosine", K=NEIGHBORS),
    *grid("tf-idf", K=NEIGHBORS),
    *grid("bm25", K=NEIGHBORS, K1=[1.2, 2.0], B=[0.2, 0.75]),
    *grid("als", factors=[32, 64], regularization=[0.01, 1.0, 10.0], alpha=[1.0, 10.0, 40.0], iterations=[15]),
]


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold back a fifth of each customer's rows, drawn at random."""
    drawn = np.random.default_rng(seed).random(len(table))
    place = pd.Series(drawn, index=table.index).groupby(table["customer_id"]).rank(method="first")
    size = table.groupby("customer_id")["customer_id"].transform("size")
    held = place <= np.floor(size * 0.2)
    return table[~held], table[held]


def our_lists(train: pd.DataFrame, settings: Settings) -> Lists:
    """Make lists with crmkit."""
    customers = train["customer_id"].unique()
    return [
        crmkit.create("recommender", name, fallback=(), **chosen).fit(train).recommend(customers, 10)
        for name, chosen in settings
    ]


def their_lists(train: pd.DataFrame, settings: Settings) -> Lists:
    """Make lists with implicit, in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "asked.json", Path(folder) / "answered.json"
        pairs = train[["customer_id", "item_id"]].to_numpy().tolist()
        source.write_text(json.dumps({"pairs": pairs, "settings": settings}), encoding="utf-8")
        script = Path(__file__).with_name("rank_with_implicit.py")
        subprocess.run([PEERS, "-W", "ignore", str(script), str(source), str(target)], check=True)
        answers = json.loads(target.read_text(encoding="utf-8"))
    tables = [pd.DataFrame(rows, columns=["customer_id", "item_id", "place"]) for rows in answers]
    # A list that had to be thinned closes up.
    return [table.assign(rank=table.groupby("customer_id")["place"].rank().astype(int)) for table in tables]


def main() -> None:
    """Tune, test, and print one table."""
    table = pd.read_csv(DATA / "movielens_small/ratings.csv")
    table = table[table["rating"] >= 4].rename(columns={"userId": "customer_id"})
    table["item_id"] = pd.factorize(table["movieId"])[0]
    table = table[["customer_id", "item_id"]].reset_index(drop=True)
    known, test = split(table, seed=0)
    train, validation = split(known, seed=1)
    makers = {"crmkit": (our_lists, OURS)}
    if subprocess.run([PEERS, "-c", "import implicit"], capture_output=True, check=False).returncode == 0:
        makers["implicit"] = (their_lists, THEIRS)
    else:
        print("implicit is not installed here: pip install implicit, or name an interpreter in CRMKIT_PEERS")
    scores: dict[str, pd.Series] = {}
    for maker, (lists_of, settings) in makers.items():
        tried = [float(metrics.ndcg(lists, validation, n=10)) for lists in lists_of(train, settings)]
        best = {}
        for (name, chosen), value in zip(settings, tried, strict=True):
            if value > best.get(name, (-1.0, {}))[0]:
                best[name] = (value, chosen)
        again: Settings = [(name, chosen) for name, (_, chosen) in best.items()]
        for (name, chosen), lists in zip(again, lists_of(known, again), strict=True):
            scores[f"{maker} {name}"] = metrics.list_scores(lists, test, n=10)["ndcg"]
            print(f"{maker} {name}: {chosen}, NDCG@10 {metrics.ndcg(lists, test, n=10)!r}", flush=True)
    for ours in ("crmkit ease", "crmkit item-knn"):
        print(f"\nDifferences from {ours}, customers drawn anew 2,000 times")
        print(metrics.paired_differences(pd.DataFrame(scores), ours, n_resamples=2000).round(4).to_string())


if __name__ == "__main__":
    main()
