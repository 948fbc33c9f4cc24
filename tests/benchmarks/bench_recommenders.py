"""Recommenders: worth of lists on public data, and cost at 1,000,000 customers x 20,000 items.

python tests/benchmarks/bench_recommenders.py [movielens] [retail] [scale] [diversity]
"""

from __future__ import annotations

import sys

from measure import DATA, measure, show

MODELS = {
    "popularity": "window_days=30",
    "item-knn": "",
    "item-knn, shrinkage 10": "shrinkage=10.0",
    "item-knn, half-life 90 days": "half_life_days=90.0",
    "user-knn": "n_neighbors=50",
    "rp3beta": "",
    "ials": "random_state=0",
    "ease": "precision='single'",
    "ease, half-life 90 days": "precision='single', half_life_days=90.0",
    "repeat-purchase, count": "method='count'",
    "repeat-purchase": "",
    "hybrid": "random_state=0",
    "hybrid, goal new": "random_state=0, goal='new', parts=['ease', 'popularity']",
}

COMMON = """
import numpy as np, pandas as pd, crmkit
def ndcg(lists, truth, n=10):
    truth = truth[["customer_id", "item_id"]].drop_duplicates()
    hits = lists.merge(truth, on=["customer_id", "item_id"])
    gain = (1 / np.log2(hits["rank"] + 1)).groupby(hits["customer_id"]).sum()
    many = truth.groupby("customer_id").size().clip(upper=n)
    ideal = pd.Series(np.cumsum(1 / np.log2(np.arange(2, n + 2)))[many - 1], index=many.index)
    return round(float((gain.reindex(ideal.index).fillna(0.0) / ideal).mean()), 4)
"""

MOVIELENS = f"""
{COMMON}
table = pd.read_csv("{DATA}/movielens_small/ratings.csv")
table = table[table["rating"] >= 4].rename(columns={{"userId": "customer_id", "movieId": "item_id"}})
table["draw"] = np.random.default_rng(0).random(len(table))
place = table.groupby("customer_id")["draw"].rank(method="first")
hidden = place <= np.floor(0.2 * table.groupby("customer_id")["draw"].transform("size"))
known, hidden = table.loc[~hidden, ["customer_id", "item_id"]], table.loc[hidden, ["customer_id", "item_id"]]
"""

RETAIL = f"""
{COMMON}
from crmkit import records
sales = records.read(
    "{DATA}/online_retail_ii/online_retail_II_2009_2010.parquet", records.TRANSACTIONS, on_error="set-aside",
    currency="GBP", timezone="Europe/London", columns={{"customer_id": "Customer ID", "time": "InvoiceDate",
    "order_id": "Invoice", "quantity": "Quantity", "unit_price": "Price", "product_id": "StockCode"}},
).table.rename(columns={{"product_id": "item_id"}})
cutoff = int(np.datetime64("2010-11-09").astype("datetime64[D]").astype(int))
before, after = sales[sales["day"] < cutoff], sales[(sales["day"] >= cutoff) & (sales["day"] < cutoff + 30)]
truth = after.loc[after["quantity"] > 0, ["customer_id", "item_id"]].drop_duplicates()
pairs = before.loc[before["quantity"] > 0, ["customer_id", "item_id"]].drop_duplicates()
seen = truth.merge(pairs, how="left", indicator=True)["_merge"].eq("both").to_numpy()
known = truth["customer_id"].isin(before["customer_id"]).to_numpy()
every, new = truth[known], truth[known & ~seen]
customers = every["customer_id"].unique()
answer["new_buyers"] = round(1 - len(customers) / truth["customer_id"].nunique(), 3)
"""

SCALE = """
import numpy as np, pandas as pd, crmkit
random, n_customers, n_items, n_events = np.random.default_rng(0), {customers}, 20_000, {events}
popular = 1 / np.arange(1, n_items + 1) ** 0.8
active = random.gamma(0.8, 1, n_customers)
def draw(weight):
    place = np.searchsorted(np.cumsum(weight / weight.sum()), random.random(n_events))
    return np.minimum(place, len(weight) - 1)
events = pd.DataFrame({{"customer_id": draw(active), "item_id": draw(popular)}})
start()
model = crmkit.create("recommender", "{name}", {params}).fit(events)
import time; answer["fit_s"] = round(time.process_time() - _t[0], 1)
model.recommend(np.arange(2000), 10)
answer["ms_a_list"] = round((time.process_time() - _t[0] - answer["fit_s"]) / 2, 2)
"""


def movielens() -> None:
    """Show NDCG@10 of hidden ratings."""
    rows = {}
    for label, params in MODELS.items():
        name = label.split(",")[0]
        if name in {"repeat-purchase", "hybrid"} or "half-life" in label:
            continue
        params = "window_days=None" if name == "popularity" else params  # noqa: PLW2901 -- the table has no days
        rows[label] = measure(
            f"{MOVIELENS}\nstart()\nmodel = crmkit.create('recommender', '{name}', {params}).fit(known)\n"
            "answer['ndcg'] = ndcg(model.recommend(hidden['customer_id'].unique(), 10), hidden)"
        )
    show("movielens_small, ratings of 4 and more, a fifth of each customer's hidden: NDCG@10", rows)


def retail() -> None:
    """Show NDCG@10 of the next 30 days, all items and new ones."""
    rows = {}
    for label, params in MODELS.items():
        rows[label] = measure(
            f"{RETAIL}\nstart()\nmodel = crmkit.create('recommender', '{label.split(',')[0]}', {params}).fit(before)\n"
            "answer['all'] = ndcg(model.recommend(customers, 10, exclude='nothing'), every)\n"
            "answer['new'] = ndcg(model.recommend(customers, 10, exclude='bought'), new)"
        )
    show("Online Retail II, cutoff 2010-11-09, the next 30 days, customers with history: NDCG@10", rows)


def scale() -> None:
    """Show what item-knn costs."""
    rows = {}
    for customers, events in ((200_000, 2_000_000), (1_000_000, 10_000_000)):
        for params in ("", "engine='fast'"):
            code = SCALE.format(customers=customers, events=events, name="item-knn", params=params)
            rows[f"item-knn {params or 'scipy'}, {customers:,} customers"] = measure(code)
    show("20,000 items", rows)


def diversity() -> None:
    """Show what diverse lists cost: NDCG@10 of new items, and how alike the items of a list are."""
    rows = {}
    for share in (0.0, 0.1, 0.2, 0.3, 0.5, 0.7):
        rows[f"diversity {share}"] = measure(
            f"{RETAIL}\nmodel = crmkit.create('recommender', 'ease', precision='single').fit(before)\nstart()\n"
            f"lists = model.recommend(customers, 10, diversity={share})\nanswer['new'] = ndcg(lists, new)\n"
            "place = model.interactions_.items.numbers_of(lists['item_id'].to_numpy(dtype=object))\n"
            "vectors = model._vectors()[place]\n"
            "alike = np.einsum('cid,cjd->cij', *[vectors.reshape(-1, 10, vectors.shape[1])] * 2)\n"
            "answer['mean_likeness'] = round(float((alike.sum() - len(lists)) / (len(alike) * 90)), 3)\n"
            "answer['items_given'] = int(lists['item_id'].nunique())"
        )
    show("ease, Online Retail II, new items", rows)


if __name__ == "__main__":
    asked = sys.argv[1:] or ["movielens", "retail", "scale", "diversity"]
    for name in asked:
        {"movielens": movielens, "retail": retail, "scale": scale, "diversity": diversity}[name]()
