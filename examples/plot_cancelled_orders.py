"""
Cancelled orders, planned three ways
====================================

The cancelled orders of a British wholesaler (Online Retail II, 2009-2010) are planned by hand, exactly, and against the
worst case; then what a larger budget would bring, and the prices of the limits in plain words.
"""

import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import crmkit
from crmkit import preparation, records, remediation, value
from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource

# %%
# Cases, and what each customer is worth
# --------------------------------------
loaded = records.read(
    Path(os.environ["CRMKIT_DATA"]) / "online_retail_ii" / "online_retail_II_2009_2010.parquet",
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
rfm = preparation.rfm_table(sales, cutoff="2010-12-10", refunds="net")
summary = preparation.purchase_summary(sales, cutoff="2010-12-10", unit="week")
model = crmkit.create("lifetime-model", "bg-nbd").fit(summary)
spend = crmkit.create("spend-model", "gamma-gamma").fit(summary)
worth = value.lifetime_value(model, spend, summary, horizon=52, margin=0.3, annual_discount_rate=0.10)
with warnings.catch_warnings():
    # Customers who only ever cancelled have no value and no remedy; the count is in the warning.
    warnings.simplefilter("ignore", crmkit.DataWarning)
    cases = remediation.make_cases(
        sales,
        by="order_id",
        where=sales["order_id"].str.startswith("C"),
        customers=rfm.join([summary, worth]),
    )

# %%
# What may be done, with how much, and how sure that is
# -----------------------------------------------------
# What a remedy keeps is an assumption here: a share of the lifetime value. ``error`` is each customer's own, from the
# interval of the lifetime value; ``shared_error`` is what all calls (refunds, vouchers) have in common: the share
# itself may be off. Calls are thought best, and are known least.
cases["own"] = (cases["high"] - cases["low"]) / (2 * 1.96)
remedies = [
    Remedy(
        "refund",
        value="0.15 * lifetime_value - amount",
        uses={"budget": "amount"},
        eligible="amount <= 200",
        error="0.15 * own",
        shared_error="0.03 * lifetime_value",
    ),
    Remedy(
        "call",
        value="0.18 * lifetime_value",
        uses={"senior_hours": 0.25},
        error="0.18 * own",
        shared_error="0.10 * lifetime_value",
    ),
    Remedy(
        "voucher",
        value="0.12 * lifetime_value - 10",
        uses={"budget": 10},
        error="0.12 * own",
        shared_error="0.03 * lifetime_value",
    ),
]
limits = [
    Resource("budget", 4_000),
    Resource("senior_hours", 40),
    Cap("voucher", count=300),
    Floor(where="recency_days <= 60", share=0.2, name="recent"),
]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", crmkit.DataWarning)
    problem = Problem(cases, remedies, limits, one_per="customer_id")

# %%
# Three plans
# -----------
# ``greedy`` is what is done by hand and proves nothing; ``auto`` is proved to be next to the best; ``robust`` gives up
# value by these figures for a plan that is worth most when the shares turn out against it.
plans = {
    "greedy": remediation.plan(problem, planner="greedy"),
    "exact": remediation.plan(problem, planner="auto"),
    "robust": remediation.plan(problem, planner=remediation.RobustPlanner(kind="ellipsoidal", size=2.0)),
}
assert all(remediation.verify(made, problem).ok for made in plans.values())
rows = {}
for name, made in plans.items():
    risk = remediation.risk(made, level=0.1)["value"]
    rows[name] = {
        "value": made.value,
        "at most below the best": made.bound - made.value,
        "worst tenth (mean)": risk["cvar"],
        "two standard errors below": risk["worst case, ellipsoidal"],
        **made.summary["cases"].to_dict(),
    }
compared = pd.DataFrame(rows).T
print(compared.round(0).to_string())

# %%
# What would more money bring?
# ----------------------------
# Below the upper line lies every plan there is; the lower one is reached.
curve = plans["exact"].what_if("budget", np.linspace(500, 12_000, 12))
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(curve.index, curve["bound"], color="grey", linewidth=1, label="no plan is worth more")
axes.plot(curve.index, curve["value"], marker="o", markersize=4, label="a plan is worth this")
for name, made in plans.items():
    axes.scatter([4_000], [made.value], label=name, zorder=3)
axes.set(xlabel="budget, pounds", ylabel="value kept, pounds")
axes.legend()
figure.show()

# %%
# The prices, in plain words
# --------------------------
print(*remediation.prices_in_words(plans["exact"]), sep="\n")
print(*remediation.prices_in_words(plans["exact"], language="zh"), sep="\n")
