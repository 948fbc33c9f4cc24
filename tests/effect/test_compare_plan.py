from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import compare_arms, compare_plan
from crmkit.remediation import Holdout, Problem, Remedy, Resource, plan


def planned(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"case_id": [f"K{at}" for at in range(n)], "arm": rng.choice(["plan", "holdout"], n, p=[0.8, 0.2])}
    )
    table["intended"] = rng.choice(["call", "refund", "nothing"], n)
    lift = table["intended"].map({"call": 0.2, "refund": 0.1, "nothing": 0.0}) * (table["arm"] == "plan")
    table["outcome"] = (rng.random(n) < 0.4 + lift).astype(float)
    return table


def test_only_cases_meant_to_be_treated_are_compared():
    table = planned()
    result = compare_plan(table.drop(columns="outcome"), table[["case_id", "outcome"]].sample(frac=1, random_state=0))
    meant = table[table["intended"] != "nothing"]
    by_hand = compare_arms(meant, outcome="outcome", control="holdout", allocation={"plan": 4, "holdout": 1}).effect
    assert (result.effect.value, result.effect.low) == (by_hand.value, by_hand.low)
    assert result.effect.low < 0.15 < result.effect.high
    assert result.untouched == int((table["intended"] == "nothing").sum())
    treated = int((meant["arm"] == "plan").sum())
    assert float(result.total) == pytest.approx(treated * float(result.effect))
    remedies = result.by_remedy
    assert remedies.index.tolist() == ["call", "refund"]
    assert remedies.loc["call", "low"] < 0.2 < remedies.loc["call", "high"]
    assert (remedies["p_adjusted"] >= remedies["p_value"]).all()


def test_a_plan_made_here_is_compared_in_one_call():
    rng = np.random.default_rng(1)
    n = 3000
    cases = pd.DataFrame(
        {"case_id": np.arange(n), "customer_id": rng.integers(0, 2000, n), "gain": rng.exponential(10, n)}
    )
    problem = Problem(
        cases,
        remedies=[Remedy("call", value="gain", uses={"hours": 0.25}), Remedy("letter", value="gain / 2")],
        limits=[Resource("hours", 100)],
        one_per="customer_id",
        holdout=Holdout(0.3),
    )
    table = plan(problem).table.merge(cases, on="case_id")
    treated = (table["arm"] == "plan") & (table["intended"] != "nothing")
    outcomes = pd.DataFrame({"case_id": table["case_id"], "spend": rng.normal(50, 10, n) + 5 * treated})
    result = compare_plan(
        table, outcomes.set_index("case_id"), outcome="spend", customer="customer_id", covariates="gain"
    )
    assert result.effect.low < 5 < result.effect.high
    assert "clustered" in result.effect.method
    assert result.comparison.sample_ratio.ok


def test_a_remedy_without_cases_held_out_has_no_figures():
    table = planned(3000)
    table.loc[(table["intended"] == "refund") & (table["arm"] == "holdout"), "intended"] = "nothing"
    table.loc[(table["intended"] == "call").idxmax(), "intended"] = "voucher"
    with pytest.warns(DataWarning, match="not as large as designed"):
        result = compare_plan(table, None)
    assert np.isnan(result.by_remedy.loc["refund", "difference"])
    assert np.isfinite(result.by_remedy.loc["call", "difference"])
    assert result.by_remedy.loc["voucher", "n_plan"] + result.by_remedy.loc["voucher", "n_holdout"] == 1


def test_cases_without_an_outcome_are_told_once():
    table = planned(500)
    outcomes = table[["case_id", "outcome"]].iloc[5:]
    with pytest.warns(DataWarning, match=r"outcome is missing.*holdout") as told:
        compare_plan(table.drop(columns="outcome"), outcomes)
    assert len(told) == 1


def test_missing_covariates_are_told():
    table = planned(500).assign(age=lambda t: np.where(t.index < 9, np.nan, t.index))
    with pytest.warns(DataWarning, match="covariates are missing"):
        compare_plan(table, None, covariates="age")


def test_it_shows_itself():
    result = compare_plan(planned(500), None)
    assert "nothing was intended" in repr(result)
    assert "by the remedy intended" in result._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="intended"), "no column 'intended'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "more than once in rows 0, 300"),
        (lambda t: t.assign(arm="plan"), "0 cases of arm 'holdout'"),
        (lambda t: t.assign(arm="A"), "must be 'plan' or 'holdout'"),
        (lambda t: t.assign(intended=None), "intended is missing"),
        (lambda t: t.drop(columns="outcome"), "no column 'outcome'"),
    ],
)
def test_plans_that_cannot_be_compared_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        compare_plan(change(planned(300)), None)


def test_outcomes_that_do_not_fit_are_refused():
    table = planned(100)
    after = table[["case_id", "outcome"]]
    with pytest.raises(DataError, match="stands again"):
        compare_plan(table, pd.concat([after, after]))
    with pytest.raises(DataError, match="text in one table and a number"):
        compare_plan(table, after.assign(case_id=np.arange(100)))
    with pytest.raises(DataError, match="share must lie"):
        compare_plan(table, after, share=1.0)


def test_customers_with_several_cases_are_told_and_sizes_are_held_against_customers():
    # One held-out customer has half of all cases: in cases the arms look alike, in customers they are 1 to 9.
    rng = np.random.default_rng(1)
    owner = np.r_[np.zeros(2000, dtype=int), np.repeat(np.arange(1, 400), 5)]
    held = owner % 10 == 0
    table = pd.DataFrame({"case_id": np.arange(len(owner)), "customer_id": owner, "intended": "call"})
    table["arm"] = np.where(held, "holdout", "plan")
    table["outcome"] = rng.normal(size=len(owner))
    with pytest.warns(DataWarning, match="further rows of the same customer_id.*say customer='customer_id'"):
        compare_plan(table, None)
    result = compare_plan(table, None, customer="customer_id")
    assert result.comparison.sample_ratio.ok
    assert result.comparison.sample_ratio.table["designed"].to_dict() == pytest.approx({"holdout": 0.1, "plan": 0.9})
