"""
From complaints to proof: the whole loop
========================================

A simulated company, so that the truth is known: complaints come in, a classifier says what they are about, lifetime
value says what is at stake, past cases say what helps, a plan says who gets what, the cases are carried out, and cases
that were held out of the plan say what it changed. Then the truth says whether they were right.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import crmkit
from crmkit import casework, datasets, effect, metrics, preparation, remediation, value
from crmkit.remediation import Floor, Holdout, Problem, Resource

company = datasets.make_company(60_000, seed=11)
today, cutoff = "2024-12-30T09:00+08:00", "2024-12-30"
company

# %%
# 1. What are the complaints about?
# ---------------------------------
# Three in five messages were labelled by a person, some of these wrongly. The classifier learns from those of the first
# year, so that all later ones are new to it. Chinese and English go through the same one.
messages = company.communications[company.communications["direction"] == "in"].reset_index(drop=True)
first, later = preparation.time_split(messages, "2024-01-01")
labelled = first[first["label"].notna()].tail(12_000)
classifier = crmkit.create("classifier", "text-svm").fit(labelled["text"], labelled["label"])
is_open = later["case_id"].isin(company.cases.loc[company.cases["stage"] == "open", "case_id"])
complaints = later[is_open].copy()
complaints["label"] = classifier.predict(complaints["text"])
truly = company.truth.cases["cause"].reindex(complaints["case_id"]).to_numpy()
known = truly != "other"
metrics.accuracy(truly[known], complaints["label"].to_numpy()[known])

# %%
# 2. What is at stake?
# --------------------
summary = preparation.purchase_summary(company.transactions, cutoff=cutoff, unit="week")
lifetime = crmkit.create("lifetime-model", "bg-nbd").fit(summary)
spend = crmkit.create("spend-model", "gamma-gamma").fit(summary)
worth = value.lifetime_value(lifetime, spend, summary, horizon=52, margin=0.3, annual_discount_rate=0.10)

# %%
# 3. What helped before?
# ----------------------
# Closed cases were given a remedy at random, or none. A doubly robust learner says what each remedy changes, by what
# the classifier took the complaint to be about: the class that the open cases have too.
past = company.cases[company.cases["stage"] == "closed"].merge(later[["case_id", "text"]], on="case_id")
past["cause"] = classifier.predict(past["text"])
marked = past[past["cause"].isin(["attitude", "billing", "delay", "quality"])]
learner = crmkit.create("uplift-model", "dr-learner", control="nothing")
learner.fit(marked[["cause"]], marked["remedy"], marked["outcome"].astype(int))
causes = sorted(marked["cause"].unique())
changes = learner.predict(pd.DataFrame({"cause": causes})).effects.set_axis(pd.Index(causes, name="cause"))
changes.round(3)

# %%
# 4. Cases
# --------
# One case an incident, with its cause and what is at stake, kept in a database with a history that cannot be changed
# unseen. What the classifier took for praise or a question has no remedy; a person reads it.
hours = casework.BusinessHours({"mon-fri": "09:00-18:00"}, timezone="Asia/Shanghai")
found = casework.cases_from(
    {"messages": complaints.rename(columns={"case_id": "ticket"})},
    [casework.Rule(name="complaint", table="messages", key="ticket", cause_from="label", urgency=1)],
    customers=worth.reset_index(),
    at_stake="lifetime_value",
    as_of=today,
)
found["deadline"] = hours.deadline(found["time"], 80)
store = casework.CaseStore(":memory:")
store.add(found, actor="nightly job", at=today)
for state, actor in (("classified", "text classifier"), ("analysed", "value model")):
    print(store.move(found["case_id"], to=state, actor=actor, at=today))

# %%
# 5. The plan
# -----------
# A remedy is worth what it changes times what is at stake, less what it costs. Three cases in ten are held out: nothing
# is done for them, so that it can be known what the plan changed.
offers = company.remedies.assign(case_id="ticket:" + company.remedies["case_id"])
options = offers.merge(found[["case_id", "cause", "value_at_stake"]], on="case_id")
gains = changes.reset_index().melt("cause", var_name="remedy", value_name="gain")
options = options.drop(columns="value").merge(gains, on=["cause", "remedy"])
options["value"] = options.pop("gain") * options["value_at_stake"] - options["uses_budget"]
problem = Problem.from_options(
    options,
    [Resource("budget", 4_000), Resource("hours", 60), Floor("cause == 'quality'", share=0.3, name="quality")],
    one_per="customer_id",
    holdout=Holdout(0.3, random_state=1),
)
plan = remediation.plan(problem)
assert remediation.verify(plan, problem).ok
print(pd.crosstab(plan.table["arm"], plan.table["remedy"]))
print(f"gain expected {plan.value:,.0f}, at most {plan.bound:,.0f} possible")

# %%
# 6. Carried out
# --------------
# Held-out cases are refused by the store itself: nobody treats the comparison group by mistake.
print(store.load_plan(plan, actor="planner", at=today))
for state in ("approved", "in progress", "done", "followed up"):
    print(store.move(plan.table["case_id"], to=state, actor="service", at=today))

# %%
# Weeks later it is known who stayed. Here the company's truth draws it: by the remedy that the case was really given.
chances = company.truth.cases.rename(columns={"kept_if_nothing": "nothing"}).rename(
    index=lambda name: f"ticket:{name}", columns=lambda name: name.removeprefix("kept_if_")
)
given = plan.table.set_index("case_id")[["remedy", "intended", "arm"]]
chance = chances.loc[given.index]
draws = np.random.default_rng(5).random(len(given))


def stayed(remedy: pd.Series) -> np.ndarray:
    """Draw who stays, given the remedy of each case."""
    columns = chance.columns.get_indexer(remedy)
    return draws < chance.to_numpy()[np.arange(len(chance)), columns].astype(float)


outcomes = pd.DataFrame({"case_id": given.index, "stayed": stayed(given["remedy"])})
store.record(outcomes, actor="survey", at="2025-03-03T09:00+08:00")
store.verify_history()

# %%
# 7. Did it help?
# ---------------
# One call: cases that were to be treated, against those that were to be treated and held out.
results = store.results().dropna(subset="arm")
helped = effect.compare_plan(results, None, outcome="stayed", customer="customer_id", share=0.3)
helped

# %%
# And the truth? What the remedies change for the cases they were meant for:
meant = given[given["intended"] != "nothing"]
rows = chances.loc[meant.index]
true = rows.to_numpy()[np.arange(len(rows)), rows.columns.get_indexer(meant["intended"])] - rows["nothing"]
true = true.astype(float)
print(f"true effect {true.mean():.3f}, found {helped.effect!r}")
assert helped.effect.low <= true.mean() <= helped.effect.high

# %%
by_remedy = helped.by_remedy.assign(true=true.groupby(meant["intended"]).mean()).dropna()
figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
places = np.arange(len(by_remedy))
spread = [by_remedy["difference"] - by_remedy["low"], by_remedy["high"] - by_remedy["difference"]]
axes.errorbar(by_remedy["difference"], places, xerr=spread, fmt="o", capsize=4, label="plan less held out")
axes.plot(by_remedy["true"], places, "x", color="black", markersize=9, label="truth")
axes.axvline(0, color="grey", linewidth=0.8)
axes.set(yticks=places, yticklabels=by_remedy.index, xlabel="more customers who stay (share of cases)")
axes.set_title("What each remedy changed, and the truth")
axes.legend()
figure.show()

# %%
# What if nothing had helped?
# ---------------------------
# The classifier is as accurate as before, the plan as well founded, the same cases are treated: but now the remedies
# change nothing. Whoever takes accuracy for effect would see no difference; the comparison does.
nothing = pd.Series("nothing", index=given.index)
idle = pd.DataFrame({"case_id": given.index, "stayed": stayed(nothing)})
without = effect.compare_plan(results.drop(columns="stayed"), idle, outcome="stayed", customer="customer_id", share=0.3)
print(f"without any effect: {without.effect!r}")
assert without.effect.low <= 0 <= without.effect.high
store.close()
