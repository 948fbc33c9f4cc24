"""
Segments with names, month after month
======================================

One year of a British wholesaler of gifts (Online Retail II): from invoice lines to segments that have names, are
explained, keep who they are from month to month, and are held against what the business asks for.
"""

import os
import tomllib
import warnings
from datetime import date
from pathlib import Path

import pandas as pd

import crmkit
from crmkit import preparation, records, segmentation

data = Path(os.environ["CRMKIT_DATA"])

# %%
# Read, and make one row a customer
# ---------------------------------
loaded = records.read(
    data / "online_retail_ii" / "online_retail_II_2009_2010.parquet",
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
)
sales = loaded.table
print(loaded.report)
warnings.simplefilter("ignore", crmkit.DataWarning)  # customers with refunds and no purchase, at every cutoff
dates = [date(2010, 9, 10), date(2010, 10, 10), date(2010, 11, 10), date(2010, 12, 10)]
months = {day: preparation.rfm_table(sales, cutoff=str(day), refunds="net") for day in dates}
first = months[dates[0]]
first.describe().round(1)

# %%
# How many groups are there?
# --------------------------
# Every criterion in one table. No number separates clearly here: customers are a continuum, and segments cut it. So the
# need may decide, and five is a number that people can keep in mind.
points = preparation.for_clustering().fit_transform(first)
choice = segmentation.choose_k("kmeans", points, random_state=0)
print(choice.reason)
choice.table.round(3)

# %%
# What is each of them?
# ---------------------
# Extreme customers are capped at the 99th percentile, and the cap is kept: it is the same next month.
declared = preparation.for_clustering(winsorize={"frequency": 0.99, "monetary": 0.99})
segments = segmentation.segment(first, "kmeans", n_segments=5, transform=declared, random_state=0)
print(segments.transform)
print()
print(segments.profile)

# %%
segments.profile.snake_plot()

# %%
segments.profile.heat_map()

# %%
# In rules that can be used as they are, each with how often it is right about customers it was not made on:
print(segments.rules)

# %%
# Names are suggestions; these are ours, from here on.
segments = segments.rename({0: "best", 1: "regular", 2: "fading", 3: "new", 4: "lost"})
segments.profile[["customers", "share", "recency_days_median", "frequency_median", "monetary_median"]].round(2)

# %%
# Month after month
# -----------------
# Caps, scales and centers are those of September; nothing is worked out anew.
tracking = segmentation.track(segments, months)
print(tracking)

# %%
# Who went where between October and November, as shares of the segment left:
tracking.migration(dates[2])

# %%
# An average month:
tracking.transitions.round(2)

# %%
# Are they still the same groups?
# -------------------------------
# Fitted anew on December, each segment that is still there keeps its name.
again = segments.refit(months[dates[-1]])
print(again.identity)

# %%
# Does it serve the business?
# ---------------------------
# Needs are declared, here as a manager writes them in a file, and answered with intervals. What a segment spent *after*
# the cutoff is something it was not made from.
needs = tomllib.loads("""
[[needs]]
need = "segment-count"
low = 3
high = 7

[[needs]]
need = "least-size"
share = 0.05

[[needs]]
need = "difference"
column = "bought_next_month"
at_least = 0.05
""")["needs"]
month = sales[(sales["time"] >= "2010-09-10") & (sales["time"] < "2010-10-10") & (sales["quantity"] > 0)]
customers = pd.DataFrame({"bought_next_month": first.index.isin(month["customer_id"])}, index=first.index)
print(segments.check(needs, customers))

# %%
# The names people know
# ---------------------
# Scores and a map of names, a partition by construction; equal values get equal scores.
named = segmentation.segment(first, "rfm-rules")
print(named.choice.reason)
named.profile.bars()
