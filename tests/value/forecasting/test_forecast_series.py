from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.value import forecast_series

QUIET = pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
RNG = np.random.default_rng(0)
NOISE = 10 + RNG.normal(size=40)


def periods(series, **options):
    return forecast_series(series, horizon=2, **options).table["period"].tolist()


def test_an_index_of_periods_or_regular_times_is_carried_on():
    months = pd.period_range("2020-01", periods=40, freq="M")
    assert periods(pd.Series(NOISE, index=months)) == [pd.Period("2023-05", "M"), pd.Period("2023-06", "M")]
    days = pd.date_range("2024-01-20", periods=40, freq="D")
    assert periods(pd.Series(NOISE, index=days)) == [pd.Timestamp("2024-02-29"), pd.Timestamp("2024-03-01")]
    ends = pd.DatetimeIndex(list(pd.date_range("2021-01-31", periods=40, freq="ME")))
    assert periods(pd.Series(NOISE, index=ends)) == [pd.Timestamp("2024-05-31"), pd.Timestamp("2024-06-30")]
    weeks = pd.DatetimeIndex(list(pd.date_range("2024-01-01", periods=40, freq="7D")))
    assert periods(pd.Series(NOISE, index=weeks))[0] == pd.Timestamp("2024-10-07")


def test_any_other_index_is_counted_by_places():
    assert periods(NOISE) == [40, 41]
    assert periods(pd.Series(NOISE, index=RNG.permutation(40))) == [40, 41]
    uneven = pd.DatetimeIndex(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(40) ** 2, unit="D"))
    with pytest.warns(DataWarning, match="not at a regular distance"):
        assert periods(pd.Series(NOISE, index=uneven)) == [40, 41]


def test_working_days_are_carried_on():
    days = pd.DatetimeIndex(list(pd.bdate_range("2024-01-01", periods=40)))
    assert periods(pd.Series(NOISE, index=days)) == [pd.Timestamp("2024-02-26"), pd.Timestamp("2024-02-27")]


@pytest.mark.parametrize("start", ["2024-02-18", "2024-03-15"])
def test_local_midnights_are_carried_on_over_the_change_of_the_clock(start):
    midnights = pd.date_range(start, periods=42, tz="Europe/Berlin")
    bare = pd.DatetimeIndex(list(midnights[:40]))
    assert periods(pd.Series(NOISE, index=bare)) == midnights[40:].tolist()


def test_hours_are_carried_on_over_the_change_of_the_clock():
    hours = pd.date_range("2024-03-30", periods=42, freq="h", tz="Europe/Berlin")
    bare = pd.DatetimeIndex(list(hours[:40]))
    assert periods(pd.Series(NOISE, index=bare)) == hours[40:].tolist()


MONTHS = pd.period_range("2020-01", periods=40, freq="M")
DATES = pd.date_range("2024-01-01", periods=40)


@pytest.mark.parametrize(
    ("index", "match"),
    [
        (MONTHS[::-1], "do not follow each other from row 1 on"),
        (pd.period_range("2020-01", periods=41, freq="M").delete(7), "do not follow each other from row 7 on"),
        (MONTHS.insert(3, pd.NaT)[:40], "index is missing in row 3"),
        (DATES[::-1], "do not rise in rows 1, 2"),
        (DATES[:39].insert(5, DATES[5]), "do not rise in row 6"),
        (DATES.insert(3, pd.NaT)[:40], "index is missing in row 3"),
    ],
)
def test_rows_out_of_order_are_refused_because_the_past_would_be_forecast(index, match):
    with pytest.raises(DataError, match=match):
        forecast_series(pd.Series(NOISE, index=index), horizon=2)


def test_columns_are_series_each_for_itself():
    frame = pd.DataFrame({"a": NOISE, "乙": NOISE[::-1] * 5})
    both = forecast_series(frame, horizon=3)
    assert (both.table["scope"] == "group").all()
    for name in frame:
        alone = forecast_series(frame[name], horizon=3).table
        rows = both.table[both.table["series"] == name].reset_index(drop=True)
        assert np.allclose(rows[["forecast", "low_95", "high_95"]], alone[["forecast", "low_95", "high_95"]])


def test_with_a_total_they_are_made_to_add_up():
    frame = pd.DataFrame({"a": NOISE, "b": NOISE[::-1] * 5})
    whole = forecast_series(frame, horizon=3, total=True)
    assert whole.groups.groupby("period")["forecast"].sum().to_numpy() == pytest.approx(whole.total["forecast"])
    bottom_up = forecast_series(frame, horizon=3, total=True, reconcile="bottom-up")
    apart = forecast_series(frame, horizon=3)
    assert bottom_up.groups["forecast"].tolist() == apart.table["forecast"].tolist()


def test_a_series_may_begin_late():
    frame = pd.DataFrame({"a": NOISE, "late": np.where(np.arange(40) < 15, np.nan, NOISE)})
    result = forecast_series(frame, horizon=1)
    alone = forecast_series(NOISE[15:], horizon=1)
    rows = result.table[result.table["series"] == "late"]
    assert rows["forecast"].tolist() == pytest.approx(alone.table["forecast"].tolist())
    assert len(result.history[result.history["series"] == "late"]) == 25


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], [7.0, 7.0]),
        ([0.0] * 30, [0.0, 0.0]),
        ([0.1] * 30, [0.1, 0.1]),
        (np.arange(30.0), [30.0, 31.0]),
        (-np.arange(30.0), [-30.0, -31.0]),
    ],
)
@QUIET
def test_the_simplest_series_are_carried_on_as_anyone_would(values, expected):
    result = forecast_series(values, horizon=2)
    assert result.table["forecast"].to_numpy() == pytest.approx(np.array(expected))


def test_one_period_has_a_forecast_but_no_interval():
    with pytest.warns(DataWarning, match="only one period long"):
        result = forecast_series([7.0], horizon=2)
    assert result.table[["low_80", "high_95"]].isna().all(axis=None)
    assert result.evaluation["n_origins"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("unit", [1e300, 1e-300, 1.0])
def test_huge_and_tiny_numbers_do_no_harm(unit):
    result = forecast_series(NOISE * unit, horizon=2, season=4)
    plain = forecast_series(NOISE, horizon=2, season=4)
    assert np.allclose(result.table["high_95"] / unit, plain.table["high_95"])
    assert np.allclose(result.evaluation["rmse"] / unit, plain.evaluation["rmse"])


def test_a_horizon_longer_than_the_history_is_forecast_with_growing_intervals():
    walk = 100 + np.cumsum(np.random.default_rng(4).normal(size=20))
    table = forecast_series(walk, horizon=50).table
    width = (table["high_95"] - table["low_95"]).to_numpy()
    assert np.isfinite(width).all()
    assert width[49] > width[20] > width[0]


def test_losses_are_forecast_as_losses():
    table = forecast_series(-NOISE, horizon=2).table
    assert (table["forecast"] < -5).all()
    assert (table["low_95"] < table["forecast"]).all()


@pytest.mark.parametrize(
    ("series", "match"),
    [
        ([], "series is empty"),
        (pd.DataFrame(index=range(3)), "series is empty"),
        ([1.0, np.nan, 2.0], "missing or infinite in row 1"),
        ([1.0, np.inf], "missing or infinite in row 1"),
        ([np.nan, np.nan], "missing or infinite in rows 0, 1"),
        (pd.DataFrame({"a": ["x", "y"]}), "these columns do not: a"),
        (np.ones((2, 2, 2)), "array of 3 dimensions"),
        (7.0, "array of 0 dimensions"),
    ],
)
def test_what_is_no_series_is_refused(series, match):
    with pytest.raises(DataError, match=match):
        forecast_series(series, horizon=1)


@QUIET
def test_a_thousand_groups_take_seconds():
    """Not a benchmark: a loop over series in Python would take minutes."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.poisson(20.0, (60, 1_000)).astype(float))
    begin = time.process_time()
    result = forecast_series(frame, horizon=6, season=12, total=True)
    assert time.process_time() - begin < 20
    assert len(result.groups) == 6_000


def test_tables_of_other_libraries_are_read():
    pl = pytest.importorskip("polars")
    plain = forecast_series({"a": NOISE, "b": NOISE[::-1]}, horizon=2)
    assert forecast_series(pl.DataFrame({"a": NOISE, "b": NOISE[::-1]}), horizon=2).table.equals(plain.table)


@pytest.mark.parametrize("levels", [(), 0.8, (0.8, 1.0), (0.0,)])
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(DataError, match="levels must list shares between 0 and 1"):
        forecast_series(NOISE, horizon=1, levels=levels)


def test_a_series_that_changed_its_ways_is_told_of():
    random = np.random.default_rng(1)
    calm, wild = random.normal(100, 1, 130), random.normal(100, 30, 50)
    changed = forecast_series(pd.Series(np.concatenate([calm, wild])), horizon=3, methods=["seasonal-naive"])
    assert any("the intervals may be too narrow" in note for note in changed.notes)
    same = forecast_series(pd.Series(random.normal(100, 1, 100)), horizon=3, methods=["seasonal-naive"])
    assert not any("too narrow" in note for note in same.notes)
