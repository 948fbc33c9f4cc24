from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.metrics._calendar import FREQUENCIES, period_of, period_start

DAYS = st.integers(-40_000, 60_000)


def as_day(date):
    return int(np.datetime64(date, "D").astype(np.int64))


@pytest.mark.parametrize("period", FREQUENCIES)
@given(day=DAYS)
def test_periods_are_those_of_the_calendar(period, day):
    expected = pd.Timestamp(np.datetime64(day, "D")).to_period(FREQUENCIES[period])
    start = period_start(period_of(np.array([day]), period), period)[0]
    assert np.datetime64(int(start), "D") == expected.start_time.to_datetime64().astype("datetime64[D]")


@pytest.mark.parametrize("period", FREQUENCIES)
@given(day=DAYS)
def test_periods_follow_each_other_without_a_gap(period, day):
    number = period_of(np.array([day]), period)
    following = period_start(number + 1, period)
    assert period_of(following, period)[0] == number[0] + 1
    assert period_of(following - 1, period)[0] == number[0]
    assert period_start(number, period)[0] <= day < following[0]


def test_a_leap_day_belongs_to_february():
    leap = np.array([as_day("2024-02-29"), as_day("2024-03-01")])
    february, march = period_of(leap, "month")
    assert march == february + 1
    assert period_start(np.array([march]), "month")[0] == leap[1]


def test_the_week_of_new_year_is_one_week():
    week = period_of(np.array([as_day("2024-12-30"), as_day("2025-01-01"), as_day("2025-01-05")]), "week")
    assert len(set(week.tolist())) == 1
    assert period_start(week[:1], "week")[0] == as_day("2024-12-30")


def test_what_is_no_period_is_refused():
    with pytest.raises(DataError, match="period must be one of 'day', 'week', 'month', 'quarter', 'year', got 'hour'"):
        period_of(np.array([0]), "hour")
