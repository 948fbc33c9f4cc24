"""Features of 100,000 customers at five cutoffs from 5,000,000 events, beside plain pandas and featuretools.

Featuretools is measured where it is installed in the environment this is run in.
"""

from __future__ import annotations

import importlib.util

from measure import measure, show

EVENTS = """
import warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
n, m = {events}, {customers}
rate = rng.gamma(0.7, 1.0, m)
ids = np.array([f"c{{number:06d}}" for number in range(m)], dtype=object)
events = pd.DataFrame({{
    "customer_id": pd.Series(ids[rng.choice(m, n, p=rate / rate.sum())]).astype("str"),
    "day": rng.integers(14_000, 14_730, n),
    "amount": rng.gamma(2.0, 10.0, n),
    "product_id": rng.integers(0, 5_000, n),
    "channel": rng.integers(0, 5, n),
}})
cutoffs = [14_500, 14_530, 14_560, 14_590, 14_620]
windows = [30, 90, 365]
"""
CRMKIT = """
from crmkit.preparation import EventColumns, features
start()
made = features(events, cutoffs, windows=windows, horizon=30, columns=EventColumns(categories=["channel"]))
answer.update(rows=f"{{len(made.features):,}}", columns=made.features.shape[1])
"""
PLAIN = """
start()
parts = []
for cutoff in cutoffs:
    past = events[events["day"] < cutoff]
    who = past.groupby("customer_id")
    wide = pd.DataFrame({{"recency": cutoff - who["day"].max(), "tenure": cutoff - who["day"].min(),
                          "days": who["day"].nunique(), "items": who["product_id"].nunique(),
                          "std": who["amount"].std(), "least": who["amount"].min(), "most": who["amount"].max()}})
    for window in windows:
        last = past[past["day"] >= cutoff - window].groupby("customer_id")
        wide[f"count_{{window}}"] = last.size()
        wide[f"days_{{window}}"] = last["day"].nunique()
        wide[f"sum_{{window}}"] = last["amount"].sum()
        wide[f"mean_{{window}}"] = last["amount"].mean()
        wide[f"items_{{window}}"] = last["product_id"].nunique()
    shares = pd.crosstab(past["customer_id"], past["channel"], normalize="index")
    after = events[(events["day"] >= cutoff) & (events["day"] < cutoff + 30)]
    wide["bought"] = wide.index.isin(after["customer_id"])
    parts.append(wide.join(shares.add_prefix("share_")).assign(cutoff=cutoff))
made = pd.concat(parts)
answer.update(rows=f"{{len(made):,}}", columns=made.shape[1] - 2)
"""
FEATURETOOLS = """
import featuretools as ft
frame = events.assign(time=pd.to_datetime(events["day"], unit="D"), row=np.arange(len(events))).drop(columns="day")
people = pd.DataFrame({{"customer_id": ids}})
start()
es = ft.EntitySet("shop")
es.add_dataframe(dataframe_name="events", dataframe=frame, index="row", time_index="time")
es.add_dataframe(dataframe_name="people", dataframe=people, index="customer_id")
es.add_relationship("people", "customer_id", "events", "customer_id")
moments = pd.to_datetime(cutoffs, unit="D")
times = pd.DataFrame([(who, moment) for moment in moments for who in ids], columns=["customer_id", "time"])
rows = 0
for window in windows:
    made, _ = ft.dfs(entityset=es, target_dataframe_name="people", cutoff_time=times,
                     training_window=f"{{window}} days", include_cutoff_time=False,
                     agg_primitives=["count", "sum", "mean", "num_unique"], trans_primitives=[], verbose=False)
    rows = len(made)
answer.update(rows=f"{{rows:,}}", columns=made.shape[1] * len(windows))
"""


def main() -> None:
    """Print what each form costs."""
    for events, customers in ((5_000_000, 100_000), (200_000, 4_000)):
        size = {"events": events, "customers": customers}
        steps = {"crmkit": CRMKIT, "pandas groupby": PLAIN}
        if importlib.util.find_spec("featuretools"):
            steps["featuretools"] = FEATURETOOLS
        rows = {name: measure((EVENTS + code).format(**size), timeout=300) for name, code in steps.items()}
        show(f"{events:,} events of {customers:,} customers, 5 cutoffs, windows of 30, 90 and 365 days", rows)


if __name__ == "__main__":
    main()
