"""Intervals of sales figures cover the truth over many simulated companies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import value
from crmkit.datasets._clock import Calendar
from crmkit.datasets._opportunities import draw_opportunities
from crmkit.datasets._people import draw_people
from crmkit.datasets._purchases import draw_latent

STAGES = ["lead", "qualified", "proposal", "negotiation"]
N_COMPANIES = 120
# Three standard errors of a share of .95 among 120 are 6 points.
SLACK = 0.06


@pytest.fixture(scope="module")
def companies():
    """Opportunities of many companies: same customers, other deals."""
    calendar = Calendar("2023-01-02", "Asia/Shanghai")
    customers, _, _ = draw_people(4_000, seed=0, language="en", calendar=calendar, joining_days=364.0)
    latent = draw_latent(4_000, seed=0, purchase=(0.9, 9.0, 0.8, 2.4), spend=(6.0, 4.0, 60.0))
    made = []
    for seed in range(N_COMPANIES):
        deals = draw_opportunities(customers, latent, seed=seed, calendar=calendar, end=728.0)
        history = value.stage_history(deals.history, stages=STAGES, timezone="Asia/Shanghai", as_of="2024-12-30")
        made.append((history, deals))
    return made


def covered(low, high, truth):
    return (low <= truth) & (truth <= high)


def test_conversions_cover_the_true_ones(companies):
    plain, ever = [], []
    for history, deals in companies:
        found, truth = value.stage_conversion(history), deals.stages["conversion"].to_numpy()
        plain.append(covered(found["conversion_low"].to_numpy(), found["conversion_high"].to_numpy(), truth))
        ever.append(covered(found["ever_low"].to_numpy(), found["ever_high"].to_numpy(), truth))
    assert np.mean(plain) == pytest.approx(0.95, abs=SLACK / 2)
    assert np.mean(ever) == pytest.approx(0.95, abs=SLACK / 2)


def test_stage_times_cover_the_true_ones(companies):
    median, mean = [], []
    for history, deals in companies:
        found = value.time_in_stage(history, until=100)
        days = deals.stages["mean_days"].to_numpy()
        median.append(covered(found["median_low"].to_numpy(), found["median_high"].to_numpy(), days * np.log(2)))
        # Times are kept in the hours in which people shop, so a stay is off by some hours that cancel out.
        limit = found["until"].to_numpy()
        mean.append(
            covered(found["mean_low"].to_numpy(), found["mean_high"].to_numpy(), days * -np.expm1(-limit / days))
        )
    assert np.mean(median) == pytest.approx(0.95, abs=SLACK / 2)
    assert np.mean(mean) == pytest.approx(0.95, abs=SLACK / 2)


def test_win_rates_in_the_end_cover_the_true_ones_and_those_counted_so_far_do_not(companies):
    ever, counted = [], []
    for history, deals in companies:
        row = value.win_rate(history).loc["all"]
        truth = deals.truth["win_probability"].mean()
        ever.append(covered(row["ever_low"], row["ever_high"], truth))
        counted.append(row["win_rate"] - truth)
    assert np.mean(ever) > 0.95 - SLACK
    # Losses come sooner than wins, so the decided show too few wins.
    assert np.mean(counted) < -0.005


def test_the_parts_of_velocity_cover_the_true_ones(companies):
    rate, cycle = [], []
    for history, deals in companies[:60]:
        row = value.sales_velocity(history, n_resamples=200).loc["all"]
        rate.append(covered(row["win_rate_low"], row["win_rate_high"], deals.truth["win_probability"].mean()))
        cycle.append(covered(row["cycle_days_low"], row["cycle_days_high"], 4 * 21.0))
    assert np.mean(rate) > 0.95 - 1.5 * SLACK
    assert np.mean(cycle) > 0.95 - 1.5 * SLACK


def test_the_pipeline_covers_what_is_won_and_bands_of_amount_take_most_of_its_bias(companies):
    inside, banded, plain, by_stage = [], [], [], []
    for seed, (history, deals) in enumerate(companies):
        found = value.weighted_pipeline(history, n_draws=500)
        flat = value.weighted_pipeline(history, n_draws=1, amount_bands=1)
        chance = deals.truth.loc[found.deals.index, "win_probability_now"].to_numpy()
        amount = found.deals["amount"].to_numpy()
        true = float(np.sum(amount * chance))
        won = np.random.default_rng(seed).random(len(chance)) < chance
        inside.append(covered(found.total.low, found.total.high, float(np.sum(amount * won))))
        banded.append(float(found.total) / true - 1)
        plain.append(float(flat.total) / true - 1)
        by_stage.append(
            pd.Series(chance - flat.deals["probability"].to_numpy()).groupby(found.deals["stage"].to_numpy()).mean()
        )
    assert np.mean(inside) == pytest.approx(0.95, abs=SLACK)
    assert abs(np.mean(banded)) < 0.05
    assert abs(np.mean(banded)) < 0.75 * abs(np.mean(plain))
    # Deal by deal, without their amounts, the chances are right on average.
    assert pd.DataFrame(by_stage).mean().abs().max() < 0.02
