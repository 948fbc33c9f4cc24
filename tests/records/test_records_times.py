"""Instants, local days and clock changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.records import CUSTOMERS, TRANSACTIONS
from crmkit.records._times import as_times, check_timezone, local_days

TIME = TRANSACTIONS["time"]
SHANGHAI, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")


def read(values, zone=SHANGHAI, day_first=None, spec=TIME):
    return as_times(pd.Series(values, dtype=object), spec, zone, day_first=day_first)


def utc(text):
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2010-12-01", "2010-11-30 16:00"),
        ("2010-12-01 08:26", "2010-12-01 00:26"),
        ("2010-12-01T08:26:30.250", "2010-12-01 00:26:30.250"),
        ("2010-12-01 08:26:30,25", "2010-12-01 00:26:30.250"),
        ("2010/12/1 8:26", "2010-12-01 00:26"),
        ("2010.12.1", "2010-11-30 16:00"),
        ("２０１０－１２－０１ ０８：２６", "2010-12-01 00:26"),
        ("2010年12月1日", "2010-11-30 16:00"),
        ("2010年12月1日 8时26分30秒", "2010-12-01 00:26:30"),
        ("2010年12月1日 下午3:04", "2010-12-01 07:04"),
        ("2010-12-01 星期三", None),
        ("星期三 2010-12-01", "2010-11-30 16:00"),
        ("20101201", "2010-11-30 16:00"),
        ("20101201082630", "2010-12-01 00:26:30"),
        ("1 Dec 2010 8:26 AM", "2010-12-01 00:26"),
        ("Wed, 01 Dec 2010 08:26:00 +0800", "2010-12-01 00:26"),
        ("Dec 1, 2010 12:00 am", "2010-11-30 16:00"),
        ("December 1 2010 12:30 p.m.", "2010-12-01 04:30"),
        ("01.12.2010", "2010-11-30 16:00"),
        ("2010-12-01T08:26:00Z", "2010-12-01 08:26"),
        ("2010-12-01 08:26:00 UTC", "2010-12-01 08:26"),
        ("2010-12-01 08:26:00 -0400", "2010-12-01 12:26"),
        ("2010-12-01T08:26:00+05:30", "2010-12-01 02:56"),
        ("1291191960", "2010-12-01 08:26"),
        (1291191960, "2010-12-01 08:26"),
        (1291191960.5, "2010-12-01 08:26:00.5"),
        ("1291191960000", "2010-12-01 08:26"),
        (1291191960000000, "2010-12-01 08:26"),
        (1291191960000000000, "2010-12-01 08:26"),
        (20101201, "2010-11-30 16:00"),
        (20101201.0, "2010-11-30 16:00"),
        (dt.date(2010, 12, 1), "2010-11-30 16:00"),
        (dt.datetime.fromisoformat("2010-12-01T08:26"), "2010-12-01 00:26"),
        (dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC), "2010-12-01 08:26"),
        (pd.Timestamp("2010-12-01 08:26", tz="America/New_York"), "2010-12-01 13:26"),
    ],
)
def test_a_written_time_is_an_instant(cell, instant):
    converted = read([cell])
    if instant is None:
        assert list(converted.wrong) == ["not a date or time"]
    else:
        assert not converted.wrong
        assert converted.values.iloc[0] == utc(instant)
    assert str(converted.values.dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "yesterday",
            "2010",
            "2010-12",
            "2010-02-30",
            "2010-13-01",
            "30/30/2010",
            "2010-12-01 24:00",
            "2010-12-01 08:60",
        ),
        *("12 Foo 2010", "13:00 pm", "2010-12-01 13:00 pm", "20101301", "20101201256060", True, [1], b"x", "08:26"),
    ],
)
def test_what_is_no_time_is_wrong(cell):
    assert list(read([cell]).wrong) == ["not a date or time"]


@pytest.mark.parametrize("cell", [5, 40148.5, 201012, -1, 10**40])
def test_a_bare_number_is_not_guessed_at(cell):
    assert list(read([cell]).wrong) == ["a bare number that is neither YYYYMMDD nor a count since 1970"]


@pytest.mark.parametrize(
    "cell",
    ["0000-01-01", "1500-01-01", "9999-12-31 23:59:59", dt.datetime.fromisoformat("2500-01-01"), dt.date(1, 1, 1)],
)
def test_a_time_that_stands_for_never_is_out_of_range(cell):
    assert list(read([cell]).wrong) == ["outside the years 1800 to 2199"]


def test_an_infinite_number_is_no_time():
    assert list(read([float("inf")]).wrong) == ["not finite"]


@pytest.mark.parametrize("cell", [None, "", "NaT", pd.NaT, np.nan])
def test_an_empty_cell_is_missing(cell):
    converted = read([cell])
    assert converted.missing.tolist() == [True]
    assert not converted.wrong


class TestDayOrMonthFirst:
    def test_a_day_above_twelve_shows_the_order_for_the_column(self):
        converted = read(["01/02/2010", "31/01/2010"])
        assert converted.values.iloc[0] == utc("2010-01-31 16:00")
        assert converted.notes == ["time: read with the day first"]

    def test_a_month_first_column_is_recognised_too(self):
        converted = read(["01/02/2010", "01/31/2010"])
        assert converted.values.iloc[0] == utc("2010-01-01 16:00")
        assert converted.notes == ["time: read with the month first"]

    def test_nothing_to_show_it_is_a_problem_of_the_table(self):
        converted = read(["01/02/2010", "03/04/2010"])
        assert "pass day_first" in str(converted.fatal[0])

    def test_contradicting_dates_are_a_problem_of_the_table(self):
        assert "some dates put the day first" in str(read(["31/01/2010", "01/31/2010"]).fatal[0])

    def test_the_caller_can_say_it(self):
        assert read(["01/02/2010"], day_first=True).values.iloc[0] == utc("2010-01-31 16:00")
        assert read(["01/02/2010"], day_first=False).values.iloc[0] == utc("2010-01-01 16:00")

    def test_a_date_that_does_not_fit_what_the_caller_said_is_wrong(self):
        assert read(["31/01/2010"], day_first=False).wrong["not a date or time"].tolist() == [True]

    def test_equal_day_and_month_need_no_order(self):
        assert read(["02/02/2010"]).values.iloc[0] == utc("2010-02-01 16:00")


class TestClockChanges:
    def test_an_hour_left_out_is_moved_forward_by_the_change_and_counted(self):
        converted = read(["2010-03-28 01:30", "2010-03-28 01:30", "2010-03-28 03:00"], LONDON)
        assert converted.values.tolist() == [utc("2010-03-28 01:30")] * 2 + [utc("2010-03-28 02:00")]
        assert converted.notes == [
            "time: hours that a clock change left out were moved forward by the change in 2 rows"
        ]

    def test_an_hour_repeated_is_the_first_of_the_two_and_counted(self):
        converted = read(["2010-10-31 01:30"], LONDON)
        assert converted.values.tolist() == [utc("2010-10-31 00:30")]
        assert converted.notes == [
            "time: hours that a clock change repeated were taken as the first of the two in 1 row"
        ]

    def test_an_offset_settles_a_repeated_hour(self):
        converted = read(["2010-10-31T01:30:00+00:00", "2010-10-31T01:30:00+01:00"], LONDON)
        assert converted.values.tolist() == [utc("2010-10-31 01:30"), utc("2010-10-31 00:30")]
        assert not converted.notes

    def test_a_day_that_a_zone_skipped_is_counted_too(self):
        converted = read(["2011-12-30 12:00"], ZoneInfo("Pacific/Apia"))
        assert converted.values.tolist() == [utc("2011-12-30 22:00")]
        assert len(converted.notes) == 1


def test_times_with_and_without_offset_are_read_together_and_told():
    converted = read(["2010-12-01 08:00", "2010-12-01T08:00:00Z", "2010-12-01 08:00 -0500"])
    assert converted.values.tolist() == [utc("2010-12-01 00:00"), utc("2010-12-01 08:00"), utc("2010-12-01 13:00")]
    assert converted.notes == ["time: some times carry an offset, the others were read in the time zone"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_columns_of_times_are_read_in_any_unit(unit):
    naive = pd.Series(pd.DatetimeIndex(["2010-12-01 08:00", None, "2010-12-01 08:00"]).as_unit(unit))
    converted = as_times(naive, TIME, SHANGHAI, day_first=None)
    assert converted.values.tolist() == [utc("2010-12-01 00:00"), pd.NaT, utc("2010-12-01 00:00")]
    assert converted.missing.tolist() == [False, True, False]
    aware = as_times(naive.dt.tz_localize("America/New_York"), TIME, SHANGHAI, day_first=None)
    assert aware.values.iloc[0] == utc("2010-12-01 13:00")


def test_a_date_has_no_zone():
    converted = read(["1990-05-01", "1990-05-01T23:00:00Z"], spec=CUSTOMERS["birth_date"])
    assert converted.values.tolist() == [pd.Timestamp("1990-05-01"), pd.Timestamp("1990-05-02")]
    assert str(converted.values.dtype) == "datetime64[us]"


def test_leap_days_exist_in_leap_years_only():
    assert not read(["2024-02-29", "2024/2/29", "20240229"]).wrong
    assert read(["2023-02-29", "2023/2/29", "20230229", "1900/2/29"]).wrong["not a date or time"].all()


def test_an_unknown_zone_is_told_with_an_example():
    with pytest.raises(DataError, match="'Beijing' is unknown: give a name of the IANA database"):
        check_timezone("Beijing")


def test_a_local_day_before_eight_in_shanghai_is_not_the_utc_day():
    instants = np.array(["2010-11-30T23:59", "2010-12-01T16:00", "NaT"], dtype="datetime64[us]")
    assert local_days(instants, SHANGHAI).tolist() == [14944, 14945, 0]
    assert np.datetime64("2010-12-01", "D").astype(int) == 14944


NAIVE_START, NAIVE_END = (dt.datetime.fromisoformat(text) for text in ("1971-01-01", "2037-12-31"))


@example(moment=dt.datetime.fromisoformat("2010-03-28T01:30"), zone="Europe/London")
@example(moment=dt.datetime.fromisoformat("2010-10-31T01:30"), zone="Europe/London")
@example(moment=dt.datetime.fromisoformat("2010-10-03T02:15"), zone="Australia/Lord_Howe")
@given(
    moment=st.datetimes(NAIVE_START, NAIVE_END),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
@settings(max_examples=150, deadline=None)
def test_a_local_time_is_the_instant_that_python_gives(moment, zone):
    local = moment.replace(tzinfo=ZoneInfo(zone))
    converted = as_times(pd.Series([moment.isoformat()]), TIME, ZoneInfo(zone), day_first=None)
    assert converted.values.iloc[0].to_pydatetime() == local.astimezone(dt.UTC)
    day = local_days(converted.values.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"), ZoneInfo(zone))
    there = local.astimezone(dt.UTC).astimezone(ZoneInfo(zone))
    assert day.tolist() == [(there.date() - dt.date(1970, 1, 1)).days]
