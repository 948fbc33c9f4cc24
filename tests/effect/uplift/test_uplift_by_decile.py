"""Uplift by decile: by hand, with ties, several arms and empty cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import DataError, effect
from crmkit.effect import DRLearner, uplift_by_decile
from crmkit.metrics import qini


def test_each_decile_is_a_difference_of_means():
    random = np.random.default_rng(0)
    score, treated, amount = random.random(1_000), random.integers(0, 2, 1_000), random.gamma(2, size=1_000)
    table = uplift_by_decile(amount, score, treated)
    top = score >= np.quantile(score, 0.9)
    expected = amount[top & (treated == 1)].mean() - amount[top & (treated == 0)].mean()
    assert table.loc[1, "uplift"] == pytest.approx(expected)
    assert table.loc[1, "predicted"] == pytest.approx(score[top].mean())
    assert (table["n_treated"] + table["n_control"] == 100).all()
    assert ((table["low"] < table["uplift"]) & (table["uplift"] < table["high"])).all()


def test_equal_predictions_stay_together():
    table = uplift_by_decile(np.resize([0, 1, 1], 90), np.repeat([2.0, 1.0, 0.0], 30), np.resize([0, 1], 90), n_bins=9)
    sizes = table["n_treated"] + table["n_control"]
    assert sizes[sizes > 0].tolist() == [30, 30, 30]
    assert table.loc[sizes == 0, ["uplift", "low", "predicted"]].isna().all(axis=None)


def test_fewer_customers_than_deciles_leave_deciles_empty():
    table = uplift_by_decile([0, 1, 1, 0], [4.0, 3.0, 2.0, 1.0], [1, 0, 1, 0])
    assert (table["n_treated"] + table["n_control"]).sum() == 4
    assert table["uplift"].isna().all()


def test_columns_in_another_order_than_the_predictions_are_refused():
    score = pd.Series(np.arange(20.0), index=[f"c{at}" for at in range(20)])
    outcome, arm = pd.Series(np.resize([0, 1], 20), index=score.index[::-1]), np.resize([0, 0, 1], 20)
    with pytest.raises(DataError, match="outcome names the same rows in another order"):
        uplift_by_decile(outcome, score, arm)
    assert uplift_by_decile(outcome.reindex(score.index), score, arm)["n_treated"].sum() == 6


def test_intervals_cover_the_effect_in_every_decile():
    """Nominal 95 % of 1,500 intervals; three binomial standard deviations either way."""
    covered = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        treated = random.integers(0, 2, 2_000)
        outcome = random.random(2_000) < 0.1 + 0.1 * treated
        table = uplift_by_decile(outcome, random.random(2_000), treated)
        covered.append(((table["low"] <= 0.1) & (table["high"] >= 0.1)).mean())
    assert 0.93 <= np.mean(covered) <= 0.97


def test_of_several_arms_one_is_named():
    arm = np.resize(["control", "call", "letter"], 300)
    outcome, score = np.resize([0, 1, 1, 0, 0], 300), np.arange(300.0)
    assert uplift_by_decile(outcome, score, arm, arm="call")[["n_treated", "n_control"]].to_numpy().sum() == 200
    with pytest.raises(DataError, match="say which arm"):
        uplift_by_decile(outcome, score, arm)
    with pytest.raises(DataError, match="no treated arm 'fax'"):
        uplift_by_decile(outcome, score, arm, arm="fax")
    with pytest.raises(DataError, match="uplift is missing"):
        uplift_by_decile(outcome, np.where(score == 3, np.nan, score), arm, arm="call")
    with pytest.raises(DataError, match="n_bins must be at least 1"):
        uplift_by_decile(outcome, score, arm, arm="call", n_bins=0)


def test_hillstrom_ranks_the_womens_mail_and_hardly_the_mens(data_file):
    """Visits: +7.66 points by the men's mail and +4.52 by the women's on all 64,000 (published)."""
    table = pd.read_csv(data_file("hillstrom/hillstrom.csv"))
    X = table[["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]]
    half = np.random.default_rng(0).random(len(table)) < 0.5
    everybody = effect.DRLearner(control="No E-Mail").fit(X, table["segment"], table["visit"]).average_effects_
    assert everybody["Mens E-Mail"] == pytest.approx(0.0766, abs=0.001)
    assert everybody["Womens E-Mail"] == pytest.approx(0.0452, abs=0.001)
    model = DRLearner(control="No E-Mail").fit(X[half], table["segment"][half], table["visit"][half])
    effects, rest = model.predict(X[~half]).effects, table[~half]
    found = {}
    for name in model.arms_:
        pair = rest["segment"].isin([name, "No E-Mail"])
        found[name] = qini(rest["visit"][pair], effects[name][pair], rest["segment"][pair], control="No E-Mail")
    assert found["Womens E-Mail"].low > 0
    assert found["Mens E-Mail"].low < 0 < found["Mens E-Mail"].high
    deciles = uplift_by_decile(
        rest["visit"], effects["Womens E-Mail"], rest["segment"], control="No E-Mail", arm="Womens E-Mail"
    )
    assert deciles["uplift"].iloc[:5].mean() > deciles["uplift"].iloc[5:].mean() + 0.03
