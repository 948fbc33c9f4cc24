"""Time in stage is Kaplan-Meier's of the stays, and velocity is the product of its parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import metrics, value
from crmkit.core.errors import DataError, DataWarning
from crmkit.datasets import make_company

STAGES = ["lead", "qualified", "proposal", "negotiation"]
START = pd.Timestamp("2024-01-01", tz="UTC")
EXAMPLE = [
    *[("a", "lead", 0), ("a", "qualified", 4), ("a", "lead", 6), ("a", "qualified", 7), ("a", "won", 10)],
    *[("b", "lead", 1), ("b", "lost", 3), ("c", "lead", 5)],
]


@pytest.fixture(scope="module")
def company():
    return make_company(4_000, seed=1)


@pytest.fixture(scope="module")
def history(company):
    return value.stage_history(company.opportunity_history, stages=STAGES, timezone="Asia/Shanghai")


def example(**columns):
    frame = pd.DataFrame(EXAMPLE, columns=["opportunity_id", "stage", "at"])
    frame["time"] = START + pd.to_timedelta(frame.pop("at"), unit="D")
    return value.stage_history(
        frame.assign(**columns), stages=STAGES[:2], as_of=START + pd.Timedelta(days=12), rows="history"
    )


def test_stays_are_counted_with_the_open_ones_censored():
    found = value.time_in_stage(example())
    assert found[["n", "open"]].to_numpy().tolist() == [[4, 1], [2, 0]]
    # Stays in lead: 4, 1 and 2 days, and 7 so far.
    curve = metrics.kaplan_meier([4, 1, 2, 7], [1, 1, 1, 0])
    median, mean = metrics.median_survival(curve), metrics.restricted_mean(curve)
    row = found.loc["lead"]
    assert row[["median", "median_low", "median_high"]].tolist() == [median, median.low, median.high]
    assert row[["mean", "mean_low", "mean_high", "until"]].tolist() == [mean, mean.low, mean.high, 7]
    assert found.loc["qualified", "mean"] == 2.5


def test_leaving_open_deals_out_would_make_stages_look_faster(history):
    visits = history.visits
    left = visits[visits["next"].notna()].groupby("stage")["days"].median()
    found = value.time_in_stage(history)
    assert (found["median"] >= left[found.index]).all()
    assert found["open"].sum() == history.deals["status"].eq("open").sum()


def test_groups_of_a_stage_are_compared_over_the_same_days(history):
    found = value.time_in_stage(history, by="region")
    # A curve that came down to 0 limits nothing; the others end at their longest stay.
    limits = found["until"].groupby(level="stage")
    assert (limits.min() == limits.max()).all()
    assert found["n"].sum() == len(history.visits)
    short = value.time_in_stage(history, by="region", until=30)
    assert (short["until"] == 30).all()
    assert (short["mean"] <= found["mean"]).all()
    both = value.time_in_stage(history, by=["region", "agent"])
    assert both["n"].sum() == len(history.visits)


def test_a_stage_that_nobody_was_in_is_shown_without_figures():
    frame = pd.DataFrame({"opportunity_id": ["a", "a"], "stage": ["lead", "won"], "time": [START, START]})
    found = value.time_in_stage(frame, stages=STAGES)
    assert found["n"].tolist() == [1, 0, 0, 0]
    assert found.loc["qualified"].drop(["n", "open"]).isna().all()
    assert found.loc["lead", "median"] == 0


def test_a_stage_that_nobody_has_left_has_no_median_yet():
    frame = pd.DataFrame({"opportunity_id": ["a", "b", "b"], "stage": ["lead"] * 2 + ["qualified"], "time": START})
    frame["time"] += pd.to_timedelta([0, 1, 2], unit="D")
    found = value.time_in_stage(frame, stages=STAGES, rows="history", as_of=START + pd.Timedelta(days=9))
    assert found.loc["qualified", ["median", "median_high"]].tolist() == [np.inf, np.inf]
    assert found.loc["qualified", "mean"] == 7
    long = value.time_in_stage(frame, stages=STAGES, rows="history", as_of=START + pd.Timedelta(days=9), until=400)
    assert long["until"].tolist()[:2] == [9, 7]


def test_a_table_of_what_stands_now_tells_no_time_in_stage(company):
    frame = company.opportunities[company.opportunities["stage"] != "lead"]
    with pytest.raises(DataError, match="time_in_stage needs their history"):
        value.time_in_stage(frame, stages=STAGES)
    with pytest.raises(DataError, match="until must be a positive number of days"):
        value.time_in_stage(company.opportunity_history, stages=STAGES, until=0)
    with pytest.warns(DataWarning, match="show only how they ended"):
        some = value.time_in_stage(company.opportunities, stages=STAGES)
    assert some["n"].tolist() == [(company.opportunities["stage"] == "lead").sum(), 0, 0, 0]


def test_velocity_is_the_product_of_its_parts(history):
    row = value.sales_velocity(history).loc["all"]
    assert row["velocity"] == pytest.approx(row["open"] * row["win_rate"] * row["mean_won_amount"] / row["cycle_days"])
    deals = history.deals
    assert row["open"] == (deals["status"] == "open").sum()
    assert row["mean_won_amount"] == pytest.approx(deals.loc[deals["status"] == "won", "amount"].mean())
    assert row["win_rate"] == pytest.approx(value.win_rate(history).loc["all", "ever"])
    assert row["n"] == len(deals)


def test_the_cycle_is_the_mean_of_aalen_and_johansens_times(history):
    deals = history.deals
    days = (deals["closed"].fillna(history.as_of) - deals["opened"]).dt.total_seconds() / 86_400
    curve = metrics.cumulative_incidence(days, deals["status"].where(deals["status"] != "open")).loc["won"]
    steps = np.diff(curve["incidence"], prepend=0.0)
    expected = np.sum(steps * curve.index.to_numpy()) / steps.sum()
    row = value.sales_velocity(history, n_resamples=0).loc["all"]
    assert row["cycle_days"] == pytest.approx(expected, rel=1e-9)
    # Deals won so far are the quick ones.
    won = deals["status"] == "won"
    assert row["cycle_days"] > days[won].mean()
    assert np.isnan(row["velocity_low"])


def test_without_open_deals_the_parts_are_plain_means():
    row = value.sales_velocity(example(amount=[7.0] * 5 + [9.0] * 2 + [1.0]), n_resamples=0).loc["all"]
    assert row[["open", "mean_won_amount", "cycle_days"]].tolist() == [1, 7, 10]


def test_the_bootstrap_of_weights_is_that_of_rows():
    """Weights of resampled deals give the parts that the resampled table itself gives."""
    from crmkit.value.sales._velocity import _parts

    rng = np.random.default_rng(0)
    days, status = np.round(rng.exponential(10, 50)), rng.integers(0, 3, 50)
    amount = rng.random(50)
    order = np.argsort(days, kind="stable")
    days, status, amount = days[order], status[order], amount[order]
    rows = np.sort(rng.integers(0, 50, 50))
    weights = np.bincount(rows, minlength=50)[None].astype(float)
    drawn = _parts(weights, days, status, amount, 5)
    assert drawn == pytest.approx(_parts(np.ones((1, 50)), days[rows], status[rows], amount[rows], 5))


def test_groups_have_their_own_velocity_and_one_without_a_win_has_none(history):
    found = value.sales_velocity(history, by="region", n_resamples=100)
    assert found["open"].sum() == (history.deals["status"] == "open").sum()
    assert (found["velocity_low"] < found["velocity"]).all()
    assert (found["velocity"] < found["velocity_high"]).all()
    lost = value.sales_velocity(example(agent=["x"] * 5 + ["y"] * 3, amount=1.0), by="agent", n_resamples=50)
    assert lost.loc["y", "win_rate"] == 0
    assert np.isnan(lost.loc["y", "velocity"])
    assert lost.loc["y", "won"] == 0


def test_the_same_seed_gives_the_same_ends_and_the_seed_changes_no_figure(history):
    first, second = (value.sales_velocity(history, n_resamples=50, random_state=seed) for seed in (1, 2))
    pd.testing.assert_frame_equal(first, value.sales_velocity(history, n_resamples=50, random_state=1))
    figures = ["velocity", "win_rate", "mean_won_amount", "cycle_days"]
    pd.testing.assert_frame_equal(first[figures], second[figures])
    assert first["velocity_low"].iloc[0] != second["velocity_low"].iloc[0]


def test_won_deals_without_an_amount_are_left_out_of_the_mean_and_told_of():
    frame = pd.DataFrame({"opportunity_id": list("abc"), "stage": "won", "time": START})
    frame["close_time"] = START + pd.to_timedelta([1, 2, 3], unit="D")
    with pytest.warns(DataWarning, match="1 of 3 won opportunities have no amount"):
        row = value.sales_velocity(frame.assign(amount=[10.0, None, 20.0]), stages=STAGES).loc["all"]
    assert row["mean_won_amount"] == 15
    for number in (-1, 2.5, "many", True):
        with pytest.raises(DataError, match="n_resamples must be an int of at least 0"):
            value.sales_velocity(frame, stages=STAGES, n_resamples=number)
