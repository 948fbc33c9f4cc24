"""
A wholesaler's customers: value, lifecycle and forecast
=======================================================

One year of a British wholesaler of gifts (Online Retail II). Unlike CDNOW the table starts in the middle of its
customers' lives, has refunds, and rises towards Christmas: what lifetime models say here, and how far to believe it.
"""

import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt

import crmkit
from crmkit import preparation, records, value

data = Path(os.environ["CRMKIT_DATA"])

# %%
# Read
# ----
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
# The summary says it at once: this customer base is older than its table. Refunds reduce spend and are no purchases.
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    summary = preparation.purchase_summary(sales, cutoff="2010-12-10", refunds="net")
print(*(str(one.message) for one in told), sep="\n")
summary.head()

# %%
# Can the models be believed?
# ---------------------------
# Fitted on what was known at the end of the summer, judged by the autumn.
names = ["bg-nbd", "bg-cnbd-k", "pareto-nbd"]
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    table = value.compare(names, sales, split="2010-09-10")
print(told[-1].message)  # those before it say again what the table said
with warnings.catch_warnings():
    warnings.simplefilter("ignore", crmkit.DataWarning)  # the same warnings again
    weeks = value.tracking(names[:2], sales, split="2010-09-10")
    tenths = value.calibration(names[:2], sales, split="2010-09-10")
table[["predicted", "actual", "bias", "bias_low", "bias_high", "mae", "rmse", "calibration"]].round(3)

# %%
# All forecasts fall short, the naive ones too: the autumn before Christmas is not like the spring, and none of these
# models knows a season. Their purchases are regular (two stages a gap), so ``bg-cnbd-k`` has the least error; the
# Pareto/NBD model finds nobody who left and says so instead of making something up. What the models are right in is the
# order of the customers.
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
axes[0].plot(weeks.index, weeks["actual"], color="black", linewidth=1, label="actual")
for name in names[:2]:
    axes[0].plot(weeks.index, weeks[name], label=name)
axes[0].axvline(weeks["seen"].sum() + 0.5, color="0.7", linewidth=1)
axes[0].set(xlabel="week", ylabel="repeat purchases", title="week by week")
axes[0].legend()
for name in names[:2]:
    groups = tenths.loc[name]
    axes[1].errorbar(
        groups["predicted"],
        groups["actual"],
        yerr=[groups["actual"] - groups["low"], groups["high"] - groups["actual"]],
        fmt="o",
        capsize=3,
        label=name,
    )
limit = 1.1 * tenths["high"].max()
axes[1].plot([0.2, limit], [0.2, limit], color="0.7", linewidth=1)
axes[1].set(xscale="log", yscale="log", xlabel="forecast purchases", ylabel="purchases", title="tenths of customers")
figure.show()

# %%
# What is each worth?
# -------------------
# The spend model tests its own assumption: those who buy more often spend somewhat more a purchase here.
model = crmkit.create("lifetime-model", "bg-nbd").fit(summary)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    spend = crmkit.create("spend-model", "gamma-gamma", first_purchase="use").fit(summary)
print(*(str(one.message) for one in told), sep="\n")
print(f"correlation of spend and frequency {spend.spend_frequency_correlation_:.2f}")
worth = value.lifetime_value(model, spend, summary, horizon=52, margin=0.3, annual_discount_rate=0.10)
worth.sort_values("lifetime_value", ascending=False).round(0).head()

# %%
# Where does each stand?
# ----------------------
# Stages from each customer's own rhythm: the same silence is usual for one customer and alarming for another.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", crmkit.DataWarning)
    stages = value.lifecycle(sales, cutoff="2010-12-10")
stages.groupby("stage", observed=False)[["recency_days", "typical_gap_days", "p_alive"]].median().round(2).assign(
    customers=stages["stage"].value_counts()
)

# %%
# What will be sold?
# ------------------
# Weekly sales by country, the method chosen by how it would have done on earlier weeks, beside the seasonal naive.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", crmkit.DataWarning)  # one year of weeks has no yearly season, as said below
    found = value.forecast(sales, by="Country", period="day", horizon=14, cutoff="2010-11-25")
found.evaluation[found.evaluation["scope"] == "total"].round(2)

# %%
# Fourteen days ahead, forecast at the end of November, beside what came. A week has a season that can be seen; the
# season of the year cannot be known from one year.
history, ahead = found.history[found.history["scope"] == "total"].tail(42), found.total
came = (
    sales.groupby("day")["amount"]
    .sum()
    .reindex(range(preparation.as_cutoff("2010-11-25").day, sales["day"].max() + 1), fill_value=0)
)
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
axes.plot(history["period"], history["value"], color="black", linewidth=1, label="before")
days = ahead["period"]
axes.fill_between(days, ahead["low_95"], ahead["high_95"], color="0.9", label="95 %")
axes.fill_between(days, ahead["low_80"], ahead["high_80"], color="0.8", label="80 %")
axes.plot(days, ahead["forecast"], label="forecast")
axes.plot(came.index.to_numpy().astype("datetime64[D]"), came, color="black", linewidth=1, linestyle=":", label="came")
axes.set(ylabel="GBP a day", title="sales of all countries")
axes.legend(loc="upper center", ncols=3)
figure.show()

# %%
# What the present customers alone are expected to spend stands beside the total: the rest must come of new ones.
found.customers.head()
