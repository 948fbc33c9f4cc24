"""Recommenders on Online Retail II and MovieLens: the two jobs apart, in time, beside what was popular lately."""

from __future__ import annotations

import sys
import warnings

import pandas as pd
from measure import DATA

import crmkit
from crmkit import DataWarning, recommendation, records

COLLABORATIVE = ("item cosine", "user cosine", "ease", "ials", "rp3beta")
PARTS = ("repeat-purchase", "ease", "popularity (30 days)")
SHOWN = ["ndcg", "ndcg_low", "ndcg_high", "recall", "precision", "hit", "average_precision", "reciprocal_rank"]


def retail() -> pd.DataFrame:
    """Read the transactions as the README does."""
    return records.read(
        DATA / "online_retail_ii" / "online_retail_II_2009_2010.parquet",
        records.TRANSACTIONS,
        on_error="set-aside",
        currency="GBP",
        timezone="Europe/London",
        columns={
            "customer_id": "Customer ID",
            "time": "InvoiceDate",
            "order_id": "Invoice",
            "quantity": "Quantity",
            "unit_price": "Price",
        },
    ).table


def models() -> dict[str, object]:
    """Make the models, unfitted."""

    def make(name: str, **given: object) -> object:
        return crmkit.create("recommender", name, **given)

    return {
        "item cosine": make("item-knn"),
        "user cosine": make("user-knn"),
        "ease": make("ease"),
        "ials": make("ials", random_state=0),
        "rp3beta": make("rp3beta"),
        "repeat-purchase": make("repeat-purchase"),
        "own counts": make("repeat-purchase", method="count"),
        "discover": make("hybrid", parts=["ease", "popularity"], goal="new", random_state=0),
        "hybrid": make("hybrid", random_state=0),
        "popularity, ever": make("popularity", window_days=None),
    }


def tell(judged: recommendation.RankingEvaluation, better: str, than: tuple[str, ...], group: tuple[str, str]) -> None:
    """Print whether a model is better than others, by the interval of the difference."""
    for other in than:
        gain = judged.against(other).loc[(*group, better)]
        held = "yes" if gain["ndcg_low"] > 0 else "no" if gain["ndcg_high"] < 0 else "open"
        print(
            f"  {better} over {other} ({', '.join(group)}): {gain['ndcg']:+.4f} "
            f"[{gain['ndcg_low']:+.4f}, {gain['ndcg_high']:+.4f}]  {held}"
        )


def shop(cutoffs: list[str]) -> None:
    """Judge all models on the shop."""
    judged = recommendation.evaluate(models(), retail(), cutoffs=cutoffs)
    print(judged.windows.T.to_string(), judged.table[["n_customers", *SHOWN]].round(4).to_string(), sep="\n\n")
    print(judged.variety.round(3).T.to_string(), "better, by the NDCG of the same customers:", sep="\n\n")
    tell(judged, "discover", ("popularity (30 days)", "item cosine", "ease"), ("all", "new"))
    tell(judged, "repeat-purchase", COLLABORATIVE, ("all", "any"))
    tell(judged, "hybrid", PARTS, ("all", "any"))


def films() -> None:
    """Judge on films by a random holdout, and by half-years in time."""
    ratings = pd.read_csv(DATA / "movielens_small" / "ratings.csv")
    ratings = ratings.rename(columns={"userId": "customer_id", "movieId": "item_id"})
    ratings["time"] = pd.to_datetime(ratings.pop("timestamp"), unit="s", utc=True)
    liked = ratings[ratings["rating"] >= 4]
    # Hardly anyone rates within 30 days: the fallback for new customers goes by what was ever popular too.
    some = [
        (name, crmkit.create("recommender", name, popular_days=10_000)) for name in ("item-knn", "user-knn", "ease")
    ]
    ever = ("popularity, ever", crmkit.create("recommender", "popularity", window_days=None))
    halves = [f"{year}-{month}-01" for year in range(2003, 2016) for month in ("01", "07")]
    random = recommendation.evaluate(some, liked, split="random")
    timed = recommendation.evaluate([*some, ever], liked, cutoffs=halves, horizon=180, baseline="popularity, ever")
    for judged, groups in ((random, [("all", "new")]), (timed, [("all", "new"), ("warm", "new"), ("cold", "any")])):
        for group in groups:
            print(group, judged.table.loc[group, ["n_customers", *SHOWN]].round(3).to_string(), sep="\n")
            gains = ["ndcg", "ndcg_low", "ndcg_high"]
            print(f"less {judged.baseline}", judged.paired.loc[group, gains].round(3).to_string(), sep="\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore", DataWarning)
    asked = sys.argv[1:] or ["shop", "films"]
    if "shop" in asked:
        shop(["2010-11-09"])
    if "months" in asked:
        shop(["2010-08-11", "2010-09-10", "2010-10-10", "2010-11-09"])
    if "films" in asked:
        films()
