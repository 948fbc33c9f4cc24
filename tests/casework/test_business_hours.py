"""Deadlines in working hours, against a count minute by minute."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.casework import BusinessHours
from crmkit.core.errors import DataError

WEEKS = {
    "office": {"mon-fri": "09:00-12:00, 13:00-18:00"},
    "night": {"sat-mon": "22:00-06:00", "wed": "00:00-24:00"},
}


def by_minute(week, zone, start, end, holidays=()):
    """Count the minutes of work between two moments by looking at each."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    if week == "office":
        spans = {day: [(540, 720), (780, 1080)] for day in days[:5]}
    else:
        spans = {"sat": [(1320, 1800)], "sun": [(1320, 1800)], "mon": [(1320, 1800)], "wed": [(0, 1440)]}
    count, moment = 0, start
    while moment < end:
        local = moment.astimezone(ZoneInfo(zone))
        for back in (0, 1):
            date = local.date() - dt.timedelta(days=back)
            minute = local.hour * 60 + local.minute + 1440 * back
            if date not in holidays and any(a <= minute < b for a, b in spans.get(days[date.weekday()], [])):
                count += 1
                break
        moment += dt.timedelta(minutes=1)
    return count


@settings(max_examples=25)
@given(
    week=st.sampled_from(list(WEEKS)),
    zone=st.sampled_from(["UTC", "Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Kolkata"]),
    # Around leap days and the clock changes of 2024 in both zones.
    day=st.sampled_from(["2024-02-27", "2024-03-08", "2024-03-29", "2024-10-25", "2024-11-01", "2025-12-30"]),
    minutes=st.integers(0, 4 * 1440),
    length=st.integers(0, 4 * 1440),
)
def test_hours_between_equal_a_count_minute_by_minute(week, zone, day, minutes, length):
    start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    end = start + dt.timedelta(minutes=length)
    free = {dt.date(2024, 3, 1), dt.date(2026, 1, 1)}
    hours = BusinessHours(WEEKS[week], timezone=zone, holidays=free)
    worked = hours.between([start], [end])[0]
    assert worked * 60 == pytest.approx(by_minute(week, zone, start, end, free))
    due = hours.deadline([start], worked)
    assert hours.between([start], due)[0] == pytest.approx(worked)
    assert worked == 0 or due[0] <= end


def at(text, zone="Asia/Shanghai"):
    return pd.Timestamp(text, tz=zone)


@pytest.mark.parametrize(
    ("start", "amount", "due"),
    [
        ("2026-03-02 10:00", 4, "2026-03-02 14:00"),
        ("2026-03-02 10:00", 8, "2026-03-02 18:00"),
        ("2026-03-02 10:00", 8.5, "2026-03-03 09:30"),
        ("2026-03-06 17:00", 2, "2026-03-09 10:00"),
        ("2026-03-07 12:00", 0, "2026-03-09 09:00"),
        ("2026-03-02 18:00", 0, "2026-03-03 09:00"),
        ("2026-03-02 11:00", 0, "2026-03-02 11:00"),
        ("2024-02-28 17:00", 10, "2024-02-29 18:00"),
        ("2024-02-28 17:00", 11, "2024-03-01 10:00"),
        ("2026-09-30 17:00", 2, "2026-10-09 10:00"),
        ("2026-10-10 08:00", 1, "2026-10-10 10:00"),
        ("2026-03-02 09:00", 9 * 261, "2027-03-08 18:00"),
    ],
)
def test_deadlines_of_a_chinese_office(start, amount, due):
    # National Day is free for eight days, and the Saturday after it is worked.
    hours = BusinessHours(
        timezone="Asia/Shanghai",
        holidays=[f"2026-10-0{day}" for day in range(1, 9)],
        special={"2026-10-10": "09:00-18:00"},
    )
    assert hours.deadline([at(start)], amount)[0] == at(due)
    assert hours.deadline([pd.Timestamp(start)], amount)[0] == at(due)


def test_a_night_shift_is_shorter_when_the_clock_is_put_forward():
    hours = BusinessHours({"mon-sun": "22:00-06:00"}, timezone="Europe/London")
    starts = [
        at("2026-03-28 12:00", "Europe/London"),
        at("2026-10-24 12:00", "Europe/London"),
        at("2026-06-01 12:00", "Europe/London"),
    ]
    ends = [start + pd.Timedelta(days=1) for start in starts]
    assert hours.between(starts, ends).tolist() == [7.0, 9.0, 8.0]


@pytest.mark.parametrize(
    ("week", "zone", "day", "hours"),
    [
        # Half an hour that is not on the clock; a shift that would begin in it; and days that begin or end in a change.
        ("02:15-02:45", "America/New_York", "2024-03-10", 0.0),
        ("02:30-06:00", "America/New_York", "2024-03-10", 3.0),
        ("00:00-24:00", "Africa/Cairo", "2024-04-26", 23.0),
        ("00:00-24:00", "Australia/Lord_Howe", "2024-04-07", 24.5),
    ],
)
def test_hours_that_a_clock_leaves_out_are_not_worked(week, zone, day, hours):
    shifts = BusinessHours({"mon-sun": "00:01-00:02"}, timezone=zone, special={day: week})
    plain = BusinessHours({"mon-sun": "00:01-00:02"}, timezone=zone, special={day: "12:00-12:01"})
    noon = pd.Timestamp(day, tz="UTC")
    span = ([noon - pd.Timedelta(days=2)], [noon + pd.Timedelta(days=3)])
    assert shifts.between(*span)[0] - (plain.between(*span)[0] - 1 / 60) == pytest.approx(hours)


def test_hours_are_known_to_the_ends_of_the_calendar():
    hours = BusinessHours(timezone="Asia/Shanghai")
    assert hours.between(["2199-12-30T00:00Z"], ["2199-12-31T00:00Z"])[0] == 9.0
    assert hours.deadline(["1800-01-02T00:00Z"], 1)[0] > pd.Timestamp("1800-01-02T00:00Z")


def test_missing_times_and_the_index_are_kept():
    hours = BusinessHours()
    starts = pd.Series([pd.Timestamp("2026-03-02T10:00Z"), pd.NaT], index=["a", "b"])
    due = hours.deadline(starts, [1, 2])
    assert due.index.tolist() == ["a", "b"]
    assert due.isna().tolist() == [False, True]
    assert hours.between(starts, due)["a"] == 1.0
    assert np.isnan(hours.between(starts, due)["b"])
    assert len(hours.deadline(pd.Series([], dtype="datetime64[us, UTC]"), 1)) == 0
    assert hours.deadline("2026-03-02T10:00Z", 1)[0] == pd.Timestamp("2026-03-02T11:00Z")
    assert "mon" in repr(hours)


def test_a_place_that_is_closed_for_long_opens_again():
    # Only Mondays are worked, and the next thirty are free.
    mondays = pd.date_range("2026-03-02", periods=31, freq="7D")
    hours = BusinessHours({"mon": "09:00-10:00"}, holidays=[day.date() for day in mondays])
    assert hours.deadline(["2026-03-02T08:00Z"], 0.5)[0] == pd.Timestamp("2026-10-05T09:30Z")
    assert hours.deadline(["2026-03-02T08:00Z"], 0)[0] == pd.Timestamp("2026-10-05T09:00Z")
    assert hours.between(["2026-03-02T08:00Z"], ["2026-03-03T08:00Z"])[0] == 0.0


def test_a_special_day_within_a_night_shift_counts_no_hour_twice():
    hours = BusinessHours({"fri": "22:00-06:00"}, special={"2026-03-07": "04:00-08:00"})
    assert hours.between(["2026-03-06T12:00Z"], ["2026-03-07T12:00Z"])[0] == 10.0


def test_an_end_before_its_start_is_negative():
    assert BusinessHours().between(["2026-03-03T10:00Z"], ["2026-03-02T10:00Z"])[0] == -9.0


@pytest.mark.parametrize(
    "options",
    [
        {"week": {"monday": "09:00-10:00"}},
        {"week": {"mon": "9-10"}},
        {"week": {"mon": "09:00-10:00, 09:30-11:00"}},
        {"week": {"mon": "25:00-26:00"}},
        {"week": {"mon": "09:60-10:00"}},
        {"week": {"mon-tue": "09:00-10:00", "tue": "09:00-10:00"}},
        {"week": {}},
        {"timezone": "Mars"},
        {"timezone": None},
        {"holidays": ["1.10."]},
        {"holidays": [3]},
    ],
)
def test_what_are_no_hours_is_refused(options):
    with pytest.raises(DataError):
        BusinessHours(**options)


@pytest.mark.parametrize("amount", [-1, np.nan, np.inf, [1, 2], 1e9])
def test_hours_that_cannot_be_promised_are_refused(amount):
    with pytest.raises(DataError, match=r"hours( must be|: )"):
        BusinessHours({"mon": "09:00-09:01"}).deadline(["2026-03-02T10:00Z"], amount)


def test_times_that_are_none_are_refused():
    with pytest.raises(DataError, match="must hold times"):
        BusinessHours().deadline(["soon"], 1)
    with pytest.raises(DataError, match="got 0 for 1"):
        BusinessHours().between(["2026-03-02T10:00Z"], [])
