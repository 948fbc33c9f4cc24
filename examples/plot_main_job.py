"""
From invoice lines to a plan
============================

Half a million invoice lines of a British wholesaler (Online Retail II, 2009-2010) become segments, lifetime values and
a plan for every cancelled order: which remedy, with 20,000 pounds and 200 senior hours.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import crmkit
from crmkit import preparation, records, remediation, segmentation, value
from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource

data = Path(os.environ["CRMKIT_DATA"])

# %%
# Read
# ----
# What cannot be used is set aside with its reason. Cancelled orders stay, as negative amounts.
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

# %%
# Who is alike?
# -------------
rfm = preparation.rfm_table(sales, cutoff="2010-12-10", refunds="net")
segments = segmentation.segment(rfm, "kmeans", n_segments=5, random_state=0)
segments.profile

# %%
# What is each worth, and can the model be believed?
# --------------------------------------------------
# The naive forecast stands in the same table: a model that does not beat it is not worth its assumptions.
value.compare(["bg-nbd"], sales, split="2010-09-10")

# %%
summary = preparation.purchase_summary(sales, cutoff="2010-12-10", unit="week")
model = crmkit.create("lifetime-model", "bg-nbd").fit(summary)
spend = crmkit.create("spend-model", "gamma-gamma").fit(summary)
worth = value.lifetime_value(model, spend, summary, horizon=52, margin=0.3, annual_discount_rate=0.10)
customers = rfm.join([summary, worth, segments.labels])

# %%
# Which remedy for each cancelled order?
# --------------------------------------
cases = remediation.make_cases(sales, by="order_id", where=sales["order_id"].str.startswith("C"), customers=customers)
problem = Problem(
    cases,
    remedies=[
        Remedy("refund", value="0.30 * lifetime_value - amount", uses={"budget": "amount"}, eligible="amount <= 200"),
        Remedy("call", value="0.18 * lifetime_value", uses={"senior_hours": 0.25}),
        Remedy("voucher", value="0.12 * lifetime_value - 10", uses={"budget": 10}),
    ],
    limits=[
        Resource("budget", 20_000),
        Resource("senior_hours", 200),
        Cap("voucher", count=300),
        Floor(where="recency_days <= 60", share=0.2, name="recent"),
    ],
    one_per="customer_id",
)
plan = remediation.plan(problem, planner="auto")
assert remediation.verify(plan, problem).ok
print(plan.table["remedy"].value_counts())
print(f"kept {plan.value:,.0f}, at most {plan.bound:,.0f} possible (gap {plan.gap:.1e})")

# %%
# The prices say what one more pound or hour would keep, and how far that holds.
plan.prices

# %%
# What would another budget keep?
# -------------------------------
budgets = np.linspace(0, 40_000, 9)
curve = plan.what_if("budget", budgets)
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(budgets, curve["value"], marker="o", label="kept by the plan")
axes.plot(budgets, curve["bound"], linestyle="--", label="at most possible")
axes.axvline(20_000, color="0.7", linewidth=1)
axes.set(xlabel="budget (GBP)", ylabel="value kept (GBP)", title=f"{len(cases):,} cancelled orders")
axes.legend()
figure.show()
