from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import difference_in_differences


def panel(seed=0, *, n=100, effect=0.5, drift=0.0, periods=6):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n), periods)
    month = np.tile(np.arange(periods), n)
    treated = unit % 2 == 0
    wander = np.cumsum(rng.normal(0, 0.5, (n, periods)), axis=1).ravel()
    y = rng.normal(size=n)[unit] + 0.1 * month + wander + treated * (drift * month + effect * (month >= 4))
    return pd.DataFrame({"shop": unit, "month": month, "treated": treated, "y": y})


GIVEN = {"outcome": "y", "treated": "treated", "period": "month", "unit": "shop", "start": 4}


def test_in_a_balanced_panel_it_is_the_regression_with_unit_and_period_effects():
    table = panel()
    result = difference_in_differences(table, **GIVEN)
    both = (table["treated"] & (table["month"] >= 4)).astype(float)

    def within(x):
        frame = table.assign(x=x)
        return (
            x - frame.groupby("shop")["x"].transform("mean") - frame.groupby("month")["x"].transform("mean") + x.mean()
        )

    left, right = within(both), within(table["y"])
    slope = float(left @ right / (left @ left))
    assert float(result.effect) == pytest.approx(slope)
    residual = (right - slope * left) * left
    clustered = np.sqrt((residual.groupby(table["shop"]).sum() ** 2).sum()) / float(left @ left)
    half = (result.effect.high - result.effect.low) / 2
    assert half == pytest.approx(clustered * 1.984, rel=0.03)
    assert result.effect.n == 100


@pytest.mark.slow
def test_intervals_cover_though_units_remember_and_the_trend_test_keeps_its_level():
    runs = 400
    covered = rejected = 0
    for run in range(runs):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            result = difference_in_differences(panel(run), **GIVEN)
        covered += result.effect.low < 0.5 < result.effect.high
        rejected += result.trend_p_value < 0.05
    assert 0.92 <= covered / runs <= 0.98
    assert 0.02 <= rejected / runs <= 0.08


def test_a_different_trend_before_the_start_is_told():
    with pytest.warns(DataWarning, match="did not move alike"):
        result = difference_in_differences(panel(drift=0.5), **GIVEN)
    assert result.trend_p_value < 0.01
    assert "NOT parallel" in repr(result)
    assert result.placebo.high < 0


def test_the_event_study_is_relative_to_the_last_period_before():
    result = difference_in_differences(panel(effect=3.0), **GIVEN)
    study = result.event_study
    assert study.loc[3, "difference"] == 0
    assert study["after"].tolist() == [False] * 4 + [True] * 2
    assert (study.loc[[4, 5], "low"] > 1).all()
    assert (study.loc[[0, 1, 2], "low"] < 0).all()
    assert (study.loc[[0, 1, 2], "high"] > 0).all()
    gap = result.means["treated"] - result.means["comparison"]
    assert study["difference"].to_numpy() == pytest.approx((gap - gap[3]).to_numpy())
    assert "event study" in result._repr_html_()


def test_one_period_before_cannot_test_the_assumption_and_says_so():
    result = difference_in_differences(panel()[lambda t: t["month"] >= 3], **GIVEN)
    assert np.isnan(result.trend_p_value)
    assert result.placebo is None
    assert "cannot be tested" in repr(result)


def test_answers_of_different_people_and_calendar_periods_work():
    table = panel()
    table["month"] = pd.PeriodIndex.from_ordinals(table["month"] + 600, freq="M")
    result = difference_in_differences(
        table, outcome="y", treated="treated", period="month", unit=None, start=pd.Period("2020-05")
    )
    assert result.effect.n == 600
    assert str(result.base) == "2020-04"


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_the_start_of_times_and_calendar_periods_can_be_text(zone):
    table = panel()
    month = table["month"]
    expected = difference_in_differences(table, **GIVEN).effect
    table["month"] = pd.PeriodIndex.from_ordinals(month + 600, freq="M")
    for when in (table["month"], table["month"].dt.to_timestamp().dt.tz_localize(zone)):
        effect = difference_in_differences(table.assign(month=when), **{**GIVEN, "start": "2020-05"}).effect
        assert float(effect) == float(expected)
    with pytest.raises(DataError, match=r"like those of month \(Period\), got str"):
        difference_in_differences(table, **{**GIVEN, "start": "May be"})


def test_outcomes_that_do_not_vary_have_no_interval_and_it_is_told():
    with pytest.warns(DataWarning, match="changes alike in all units"):
        result = difference_in_differences(panel().assign(y=1.0), **GIVEN)
    assert np.isnan(result.effect.low)
    assert "nothing varies" in repr(result)


def test_units_that_come_and_go_are_told_or_left_out():
    table = panel().drop(index=[0, 7, 20])
    with pytest.warns(DataWarning, match="3 of 100 units are not there in every period"):
        everybody = difference_in_differences(table, **GIVEN)
    with pytest.warns(DataWarning, match="3 units that are not there in every period are left out"):
        complete = difference_in_differences(table, complete=True, **GIVEN)
    assert everybody.effect.n == 100
    assert complete.effect.n == 97


def test_missing_outcomes_are_told():
    table = panel()
    table.loc[table["shop"] == 3, "y"] = np.nan
    with pytest.warns(DataWarning, match="y is missing in 6 rows"):
        assert difference_in_differences(table, **GIVEN).effect.n == 99


def test_few_units_are_told():
    with pytest.warns(DataWarning, match="only 6 units in one group"):
        difference_in_differences(panel(n=12), **GIVEN)


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        ({}, {"start": 0}, "both sides: 0 of 6"),
        ({}, {"start": 9}, "both sides: 6 of 6"),
        ({}, {"start": "May"}, "start must be a value like"),
        ({"treated": 2}, {}, "must be true or false"),
        ({"treated": True}, {}, "no row in period"),
        ({"month": None}, {}, "month is missing"),
        ({"shop": None}, {}, "shop is missing"),
        ({"y": np.nan}, {"complete": True}, "no row is left"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, given, message):
    with pytest.raises(DataError, match=message):
        difference_in_differences(panel().assign(**change), **{**GIVEN, **given})


def test_units_that_change_their_group_and_single_units_are_refused():
    table = panel()
    late = table.assign(treated=table["treated"] & (table["month"] >= 4))
    with pytest.raises(DataError, match="50 units change their group"):
        difference_in_differences(late, **GIVEN)
    with pytest.raises(DataError, match="single unit"):
        difference_in_differences(table[table["shop"].isin([0, 1, 3])], **GIVEN)
