from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.preparation import Cutoff, as_cutoff, rfm_table, time_split

DAY = (dt.date(2010, 12, 10) - dt.date(1970, 1, 1)).days


@pytest.mark.parametrize(
    "given",
    [
        "2010-12-10",
        " 2010-12-10 ",
        dt.date(2010, 12, 10),
        np.datetime64("2010-12-10"),
        pd.Timestamp("2010-12-10"),
        dt.datetime(2010, 12, 10),  # noqa: DTZ001 -- a midnight without a zone is what is tested
        DAY,
        np.int64(DAY),
        Cutoff(DAY),
    ],
)
def test_every_way_to_write_a_date_is_the_same_local_midnight(given):
    assert as_cutoff(given) == Cutoff(DAY)
    assert str(as_cutoff(given)) == "2010-12-10"


def test_a_timestamp_is_an_instant_and_its_day_is_seen_in_part():
    cutoff = as_cutoff("2010-12-10T15:00+08:00")
    assert cutoff.instant == pd.Timestamp("2010-12-10T07:00Z")
    assert cutoff.day == DAY + 1
    assert "15:00" in str(cutoff)


def test_midnight_with_a_zone_is_an_instant_before_which_that_day_is_not_seen():
    cutoff = as_cutoff(pd.Timestamp("2010-12-10", tz="Asia/Shanghai"))
    assert cutoff.day == DAY
    assert cutoff.instant == pd.Timestamp("2010-12-09T16:00Z")


@pytest.mark.parametrize("given", ["2010-13-40", "2010-02-30", "soon", pd.NaT, np.datetime64("NaT")])
def test_what_is_no_time_is_refused(given):
    with pytest.raises(DataError, match="cutoff"):
        as_cutoff(given)


@pytest.mark.parametrize("given", [True, 3.5, ["2010-12-10"]])
def test_what_is_no_date_by_type_is_refused(given):
    with pytest.raises(TypeError, match="cutoff must be a date"):
        as_cutoff(given)


def morning_in_shanghai():
    """Give a purchase at 07:30 on 2 March in Shanghai, which is still 1 March in UTC, and one on the evening before."""
    time = pd.to_datetime(["2024-03-01T12:00Z", "2024-03-01T23:30Z"])
    day = (dt.date(2024, 3, 1) - dt.date(1970, 1, 1)).days
    return pd.DataFrame({"customer_id": ["a", "a"], "time": time, "day": [day, day + 1], "amount": [1.0, 2.0]})


def test_a_purchase_at_0730_in_shanghai_belongs_to_that_day():
    before, after = time_split(morning_in_shanghai(), "2024-03-02")
    assert before["amount"].tolist() == [1.0]
    assert after["amount"].tolist() == [2.0]
    assert rfm_table(morning_in_shanghai(), cutoff="2024-03-03").loc["a"].tolist() == [1, 2, 3.0]


def test_without_day_the_calendar_of_the_time_column_decides():
    utc = morning_in_shanghai().drop(columns="day")
    assert rfm_table(utc, cutoff="2024-03-02").loc["a", "frequency"] == 1
    local = utc.assign(time=utc["time"].dt.tz_convert("Asia/Shanghai"))
    assert rfm_table(local, cutoff="2024-03-03").loc["a", "frequency"] == 2


def test_an_instant_is_compared_with_time_and_is_exclusive():
    table = morning_in_shanghai()
    assert len(time_split(table, "2024-03-01T23:30Z").before) == 1
    assert len(time_split(table, "2024-03-01T23:30:00.000001Z").before) == 2


def test_an_instant_without_a_zone_cannot_be_compared_with_times_that_have_one():
    with pytest.raises(DataError, match="both have a time zone"):
        time_split(morning_in_shanghai(), "2024-03-01T12:00")


def test_an_instant_needs_times():
    with pytest.raises(DataError, match="needs the column 'time'"):
        time_split(morning_in_shanghai().drop(columns="time"), "2024-03-01T12:00Z")
    holes = morning_in_shanghai()
    holes.loc[0, "time"] = pd.NaT
    with pytest.raises(DataError, match="some are missing"):
        time_split(holes, "2024-03-01T12:00Z")


def test_a_leap_day_is_a_day():
    day = (dt.date(2024, 2, 29) - dt.date(1970, 1, 1)).days
    table = pd.DataFrame({"customer_id": ["a", "a"], "day": [day, day + 1], "amount": [1.0, 1.0]})
    assert rfm_table(table, cutoff="2024-03-01").loc["a", "frequency"] == 1
    assert rfm_table(table, cutoff=dt.date(2024, 3, 2)).loc["a", "recency_days"] == 1


def test_every_row_is_in_one_part_and_until_ends_the_second():
    table = pd.DataFrame({"day": [3, 0, 2, 1, 2]}, index=[10, 11, 12, 13, 14])
    before, after = time_split(table, 2)
    assert before.index.tolist() == [11, 13]
    assert after.index.tolist() == [10, 12, 14]
    assert time_split(table, 2, until=3).after.index.tolist() == [12, 14]
    with pytest.raises(DataError, match="must not be before"):
        time_split(table, 2, until=1)


def test_the_days_of_a_date_column_are_read_at_any_resolution():
    for unit in ("s", "us", "ns"):
        days = pd.Series(np.array(["1969-12-31T23:00", "1970-01-02T01:00"], dtype=f"datetime64[{unit}]"))
        before, after = time_split(pd.DataFrame({"day": days}), 0)
        assert (len(before), len(after)) == (1, 1)


@pytest.mark.parametrize(
    ("day", "message"),
    [(["x"], "whole days"), ([0.5], "rows? 0"), ([np.nan], "missing in row 0"), ([True], "whole days")],
)
def test_days_that_are_none_are_refused(day, message):
    with pytest.raises(DataError, match=message):
        time_split(pd.DataFrame({"day": day}), 0)


def test_times_must_be_times_and_something_must_say_when():
    with pytest.raises(DataError, match="time must hold times"):
        time_split(pd.DataFrame({"time": ["2024-01-01"]}), 0)
    with pytest.raises(DataError, match="no column 'day'"):
        time_split(pd.DataFrame({"amount": [1.0]}), 0)
