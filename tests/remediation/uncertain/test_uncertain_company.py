"""Plans for the worst scenarios of a company whose true effects are known."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.datasets import make_company
from crmkit.remediation import CvarPlanner, Problem, Resource, plan, risk, scenarios, verify


@pytest.fixture(scope="module")
def measured():
    """Give 597 complaints of which each remedy's effect is known from a trial on about 115 cases."""
    company = make_company(2_000, seed=0)
    trial = company.cases.groupby("remedy")["outcome"].agg(["mean", "count"])
    error = np.sqrt(trial["mean"] * (1 - trial["mean"]) / trial["count"]).drop("nothing")
    options = company.remedies.reset_index(drop=True)
    kept = company.truth.customers["value_if_kept"].reindex(options["customer_id"]).to_numpy()
    random = np.random.default_rng(1)
    off = {remedy: random.normal(0, error[remedy]) for remedy in error.index}
    table = options.assign(
        value=company.truth.remedies["value"].to_numpy() + options["remedy"].map(off).to_numpy() * kept,
        shared_error=options["remedy"].map(error).to_numpy() * kept,
    )
    return Problem.from_options(table, [Resource("budget", 6_000), Resource("hours", 60)], one_per="customer_id")


@pytest.mark.slow
def test_the_lower_tail_out_of_sample_is_better_and_its_cost_in_mean_is_known(measured):
    plain, careful = plan(measured), CvarPlanner(gap=1e-3).plan(measured)
    assert verify(careful, measured).ok
    fresh = scenarios(measured, 5_000, random_state=77)
    before, after = risk(plain, scenarios=fresh), risk(careful, scenarios=fresh)
    assert after.loc["cvar", "low"] > before.loc["cvar", "high"], "the intervals do not touch"
    cost = plain.value - careful.value
    assert 0 < cost < 0.4 * plain.value
    assert before.loc["mean", "value"] - after.loc["mean", "value"] == pytest.approx(cost, rel=1e-6)
