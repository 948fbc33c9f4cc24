from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import difference_in_differences, staggered_differences

GIVEN = {"outcome": "y", "period": "month", "first_treated": "start", "unit": "shop"}
TRUTH = 3.25
"""The mean over the treated of make()'s mean effects: cohorts 2 (2, 4 … 12), 4 (.5 … 2) and 6 (1, 2)."""


def make(seed=0, *, n=240, periods=8, never=True, drift=0.0):
    """Give a panel of three cohorts whose effects grow, each at another pace."""
    rng = np.random.default_rng(seed)
    shop, month = np.repeat(np.arange(n), periods), np.tile(np.arange(periods), n)
    start = np.array([2, 4, 6, np.inf] if never else [2, 4, 6, 7])[shop % 4]
    since = np.where(np.isfinite(start), month - start, -1)
    pace = np.array([2.0, 0.5, 1.0, 1.0])[shop % 4]
    wander = np.cumsum(rng.normal(0, 0.3, (n, periods)), axis=1).ravel()
    y = rng.normal(size=n)[shop] + 0.2 * month + wander + rng.normal(size=n * periods)
    y += np.where(since >= 0, (1 + since) * pace, 0) + drift * month * np.isfinite(start)
    return pd.DataFrame({"shop": shop, "month": month, "start": np.where(np.isfinite(start), start, np.nan), "y": y})


def test_each_effect_is_a_difference_of_four_means():
    table = make()
    result = staggered_differences(table, **GIVEN)
    means = table.assign(start=table["start"].fillna(99)).groupby(["start", "month"])["y"].mean()
    by_hand = means[4, 6] - means[4, 3] - (means[99, 6] - means[99, 3])
    cell = result.cells.loc[(4, 6)]
    assert cell["difference"] == pytest.approx(by_hand)
    assert (cell["n_treated"], cell["n_comparison"], cell["after"]) == (60, 60, True)
    later = staggered_differences(table, comparison="not-yet", **GIVEN)
    pooled = table[~(table["start"] <= 4)].groupby("month")["y"].mean()
    assert later.cells.loc[(4, 4), "difference"] == pytest.approx(means[4, 4] - means[4, 3] - (pooled[4] - pooled[3]))
    assert later.cells.loc[(4, 4), "n_comparison"] == 120


def test_the_averages_are_those_of_the_cells_by_the_size_of_cohorts():
    table = make(1)
    table = table[~((table["shop"] % 4 == 1) & (table["shop"] > 120))]
    result = staggered_differences(table, **GIVEN)
    cells = result.cells.reset_index()
    after = cells[cells["after"]]
    sizes = table[table["start"].notna()].groupby("start")["shop"].nunique()
    by_cohort = after.groupby("cohort")["difference"].mean()
    assert result.by_cohort["difference"].to_numpy() == pytest.approx(by_cohort.to_numpy())
    assert float(result.effect) == pytest.approx(float(np.average(by_cohort, weights=sizes)))
    at_one = after[after["period"] - after["cohort"] == 1]
    assert result.event_study.loc[1, "difference"] == pytest.approx(
        float(np.average(at_one["difference"], weights=at_one["n_treated"]))
    )
    in_five = after[after["period"] == 5]
    assert result.by_period.loc[5, "difference"] == pytest.approx(
        float(np.average(in_five["difference"], weights=in_five["n_treated"]))
    )
    assert result.by_period.loc[5, "n_treated"] == sizes[2] + sizes[4]
    assert result.effect.n == table["shop"].nunique()


def test_with_one_cohort_it_is_the_event_study_of_difference_in_differences():
    table = make(2)
    table = table[table["start"].isna() | (table["start"] == 4)].assign(treated=lambda t: t["start"].notna())
    ours = staggered_differences(table, simultaneous=False, **GIVEN)
    other = difference_in_differences(table, outcome="y", treated="treated", period="month", start=4, unit="shop")
    columns = ["difference", "low", "high"]
    assert ours.event_study[columns].to_numpy() == pytest.approx(other.event_study[columns].to_numpy())
    assert ours.trend_p_value == pytest.approx(other.trend_p_value)


@pytest.mark.slow
@pytest.mark.parametrize("comparison", ["never", "not-yet"])
def test_intervals_and_bands_cover_where_the_usual_regression_is_far_off(comparison):
    # 700 runs gave .943 (effect), .957 (band) and .041 (test of the trend).
    runs = 120
    covered = banded = rejected = 0
    usual = np.empty(runs)
    truth = {0: 3.5 / 3, 1: 7 / 3, 2: 7.5 / 2, 3: 5.0, 4: 10.0, 5: 12.0}
    for run in range(runs):
        table = make(5000 + run)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            result = staggered_differences(table, comparison=comparison, **GIVEN)
        covered += result.effect.low <= TRUTH <= result.effect.high
        study = result.event_study.drop(index=-1)
        right = np.array([truth.get(at, 0.0) for at in study.index])
        banded += bool(((study["low"] <= right) & (right <= study["high"])).all())
        rejected += result.trend_p_value < 0.05
        treated = (table["month"] >= table["start"]).astype(float)
        left, y = (
            one
            - one.groupby(table["shop"]).transform("mean")
            - one.groupby(table["month"]).transform("mean")
            + one.mean()
            for one in (treated, table["y"])
        )
        usual[run] = float(left @ y / (left @ left))
    assert 0.90 <= covered / runs <= 0.99
    assert banded / runs >= 0.90
    assert rejected / runs <= 0.10
    # The regression with unit and period effects takes grown effects for a trend of the comparison.
    assert usual.mean() < 0.5 * TRUTH


def test_bands_are_wider_than_intervals_of_their_own():
    alone = staggered_differences(make(), simultaneous=False, **GIVEN)
    both = staggered_differences(make(), **GIVEN)
    assert both.event_study.loc[0, "low"] < alone.event_study.loc[0, "low"]
    assert (both.effect.low, both.by_cohort["low"].iloc[0]) == (alone.effect.low, alone.by_cohort["low"].iloc[0])
    again = staggered_differences(make(), **GIVEN)
    assert again.event_study.equals(both.event_study)


def test_cohorts_that_moved_otherwise_before_their_start_are_told():
    with pytest.warns(DataWarning, match="did not move like"):
        result = staggered_differences(make(drift=1.0), **GIVEN)
    assert "NOT parallel" in repr(result)
    assert "by calendar period" in result._repr_html_()


def test_without_anybody_never_treated_the_not_yet_treated_are_compared_with():
    table = make(3, never=False)
    with pytest.raises(DataError, match=r"never treated is left.*comparison='not-yet'"):
        staggered_differences(table, **GIVEN)
    with pytest.raises(DataError, match=r"60 units started in the first period.*never start have a missing one"):
        staggered_differences(make().assign(start=lambda t: t["start"].fillna(0)), **GIVEN)
    result = staggered_differences(table, comparison="not-yet", **GIVEN)
    assert result.by_period.index.tolist() == [2, 3, 4, 5, 6]
    assert 7 not in result.by_cohort.index
    assert "not yet treated" in repr(result)


def test_starts_of_calendar_periods_times_and_infinity_are_read():
    table = make(4)
    expected = float(staggered_differences(table, **GIVEN).effect)
    month = pd.PeriodIndex.from_ordinals(table["month"] + 600, freq="M")
    start = [pd.NaT if np.isnan(one) else pd.Period(ordinal=int(one) + 600, freq="M") for one in table["start"]]
    forms = [
        table.assign(start=table["start"].fillna(np.inf)),
        table.assign(start=table["start"].fillna(40)),
        table.assign(month=month, start=start),
        table.assign(
            month=[one.to_timestamp() for one in month], start=[None if one is pd.NaT else str(one) for one in start]
        ),
    ]
    for form in forms:
        assert float(staggered_differences(form, **GIVEN).effect) == pytest.approx(expected)


def test_units_that_cannot_be_used_are_told():
    table = make(5)
    early = table.assign(start=table["start"].replace(6, 0))
    with pytest.warns(DataWarning, match=r"60 units started in the first period.*a missing one"):
        assert staggered_differences(early, **GIVEN).by_cohort.index.tolist() == [2, 4]
    single = table.assign(start=table["start"].mask(table["shop"] == 0, 5))
    with pytest.warns(DataWarning, match="single unit.*: 5"):
        assert 5 not in staggered_differences(single, **GIVEN).by_cohort.index
    gone = table.drop(index=[0, 9]).assign(y=lambda t: t["y"].mask(t["shop"] == 7))
    with pytest.warns(DataWarning) as told:
        result = staggered_differences(gone, complete=True, **GIVEN)
    assert {
        "y is missing in 8 rows, which are left out",
        "2 units that are not there in every period are left out",
    } == {str(one.message) for one in told}
    assert result.effect.n == 237
    with pytest.warns(DataWarning, match="units only"):
        staggered_differences(make(8, n=40), **GIVEN)


def test_a_cohort_that_lacks_a_period_lacks_its_effect_there():
    table = make(7)
    table = table[~((table["start"] == 4) & (table["month"] == 6))]
    with pytest.warns(DataWarning, match="not there in every period"):
        result = staggered_differences(table, **GIVEN)
    assert (4, 6) not in result.cells.index
    assert np.isfinite(result.event_study.drop(index=-1)["low"]).all()


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        ({"month": None}, {}, "month is missing"),
        ({"shop": None}, {}, "shop is missing"),
        ({"start": np.nan}, {}, "no unit starts after the first month"),
        ({"start": "soon"}, {}, "start must be a value like those of month"),
        ({}, {"comparison": "all"}, "comparison must be"),
        ({"start": np.arange(1920) % 8}, {}, "start must be the same in all rows of a unit"),
        ({"y": np.inf}, {}, "y is infinite"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, given, message):
    with pytest.raises(DataError, match=message):
        staggered_differences(make().assign(**change), **{**GIVEN, **given})


def test_everything_missing_leaves_nothing():
    with pytest.raises(DataError, match="no unit starts"):
        staggered_differences(make().assign(y=np.nan), **GIVEN)
