from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from crmkit.contact import QuietHours
from crmkit.core.errors import DataError

NIGHT = QuietHours(start="21:00", end="08:00")


def utc(*texts):
    return pd.to_datetime(list(texts), utc=True, format="ISO8601")


def test_hours_over_midnight_include_their_start_and_not_their_end():
    times = utc(
        "2024-01-01T20:59:59", "2024-01-01T21:00", "2024-01-02T00:00", "2024-01-02T07:59:59", "2024-01-02T08:00"
    )
    assert NIGHT.is_quiet(times, "UTC").tolist() == [False, True, True, True, False]


def test_the_clock_is_the_customers():
    noon = utc("2024-06-01T13:30")
    assert NIGHT.is_quiet(noon, "Asia/Shanghai").tolist() == [True]
    assert NIGHT.is_quiet(noon, "Europe/London").tolist() == [False]


def test_weekends_and_holidays_are_left_together():
    spring = QuietHours(start="21:00", end="08:00", days=["sat", "sun"], holidays=["2024-02-12", dt.date(2024, 2, 13)])
    friday = utc("2024-02-09T21:30+08:00")
    assert spring.next_allowed(friday, "Asia/Shanghai")[0] == pd.Timestamp("2024-02-14T08:00+08:00")


def test_a_leap_day_may_be_a_holiday():
    leap = QuietHours(holidays=["2024-02-29"])
    assert leap.next_allowed(utc("2024-02-29T12:00"), "UTC")[0] == pd.Timestamp("2024-03-01T00:00Z")
    with pytest.raises(ValueError, match="holiday"):
        QuietHours(holidays=["2023-02-29"])


def test_an_end_that_summer_time_leaves_out_is_the_first_instant_after_the_gap():
    # In New York clocks jump from 2:00 to 3:00 on 2024-03-10.
    early = QuietHours(start="22:00", end="02:30")
    assert early.next_allowed(utc("2024-03-10T06:00"), "America/New_York")[0] == pd.Timestamp("2024-03-10T07:00Z")


def test_hours_that_winter_time_repeats_are_quiet_both_times():
    # In New York clocks go back from 2:00 to 1:00 on 2024-11-03: 1:15 comes at 5:15 and at 6:15 UTC.
    early = QuietHours(start="22:00", end="01:30")
    times = utc("2024-11-03T05:15", "2024-11-03T05:45", "2024-11-03T06:15")
    assert early.is_quiet(times, "America/New_York").tolist() == [True, False, True]
    expected = utc("2024-11-03T05:30", "2024-11-03T05:45", "2024-11-03T06:30")
    assert early.next_allowed(times, "America/New_York").tolist() == expected.tolist()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Santiago"])
@pytest.mark.parametrize(("start", "end"), [("21:00", "08:00"), ("01:15", "02:45"), ("23:30", "00:15")])
def test_next_allowed_agrees_with_trying_every_quarter_of_an_hour(zone, start, end):
    quiet = QuietHours(start=start, end=end, days=["sun"], holidays=["2024-03-11"])
    rng = np.random.default_rng(1)
    # Changes of clocks in these zones fall into these weeks.
    days = np.concatenate([np.arange(66, 72), np.arange(95, 99), np.arange(249, 253), np.arange(277, 281), [307, 308]])
    minutes = rng.choice(days, 40) * 1440 + rng.integers(0, 96, 40) * 15
    times = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(minutes, unit="m")
    found = quiet.next_allowed(times, zone)

    def shut(stamp):
        local = stamp.astimezone(ZoneInfo(zone))
        clock = local.strftime("%H:%M")
        night = start <= clock < end if start < end else clock >= start or clock < end
        return night or local.weekday() == 6 or local.date() == dt.date(2024, 3, 11)

    for time, first in zip(times, found, strict=True):
        probe = time.to_pydatetime()
        while shut(probe):
            probe += dt.timedelta(minutes=15)
        assert first == pd.Timestamp(probe)


def test_no_times_and_missing_times():
    assert len(NIGHT.next_allowed(utc(), "UTC")) == 0
    assert NIGHT.is_quiet(utc("2024-01-01T23:00", None), "UTC").tolist() == [True, False]
    with pytest.raises(DataError, match="time zone"):
        NIGHT.is_quiet(pd.to_datetime(["2024-01-01"]), "UTC")


def test_years_without_an_hour_are_told():
    every = QuietHours(holidays=pd.date_range("2024-01-01", periods=1200).date.tolist())
    with pytest.raises(DataError, match="no hour"):
        every.next_allowed(utc("2024-01-01"), "UTC")


@pytest.mark.parametrize(
    "fields",
    [
        {"start": "21:00"},
        {"start": "21:00", "end": "21:00"},
        {"start": "24:00", "end": "08:00"},
        {"start": 21, "end": "08:00"},
        {"days": ["sunday"]},
        {"days": "sun"},
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        {"holidays": [20240101]},
    ],
)
def test_malformed_hours_are_refused(fields):
    with pytest.raises(ValueError):
        QuietHours(**fields)
