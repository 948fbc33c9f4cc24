from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.preparation._calendar import first_day, period_of, periods_between

FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
_days = st.integers(-60_000, 80_000)


def date(day):
    """Give a day since 1970-01-01 as a timestamp."""
    return pd.Timestamp(np.datetime64(day, "D"))


@pytest.mark.parametrize("period", FREQUENCIES)
@given(day=_days)
def test_periods_are_those_of_pandas_and_begin_on_their_first_day(period, day):
    number = int(period_of(day, period))
    begin, end = first_day(number, period), first_day(number + 1, period)
    assert begin <= day < end
    assert date(begin) == date(day).to_period(FREQUENCIES[period]).start_time
    assert int(period_of(end, period)) == number + 1


@pytest.mark.parametrize("period", FREQUENCIES)
@given(start=_days, length=st.integers(-500, 5000))
def test_whole_periods_between_two_days_are_counted_on_anniversaries(period, start, length):
    step = {
        "day": {"days": 1},
        "week": {"weeks": 1},
        "month": {"months": 1},
        "quarter": {"months": 3},
        "year": {"years": 1},
    }
    end = start + length
    count = int(periods_between(start, end, period))

    def anniversary(number):
        name, size = next(iter(step[period].items()))
        return date(start) + pd.DateOffset(**{name: size * number})

    assert anniversary(count) <= date(end) < anniversary(count + 1)


def test_short_months_and_leap_days_end_a_period_on_their_last_day():
    days = [
        np.datetime64(text, "D").astype(int)
        for text in ("2023-01-31", "2023-02-27", "2023-02-28", "2023-03-30", "2023-03-31")
    ]
    assert periods_between([days[0]] * 5, days, "month").tolist() == [0, 0, 1, 1, 2]
    leap, before, after = (np.datetime64(text, "D").astype(int) for text in ("2024-02-29", "2025-02-27", "2025-02-28"))
    assert periods_between([leap] * 2, [before, after], "year").tolist() == [0, 1]


def test_an_unknown_period_is_refused():
    for call in (
        lambda: period_of(0, "decade"),
        lambda: first_day(0, "decade"),
        lambda: periods_between(0, 1, "decade"),
    ):
        with pytest.raises(DataError, match="must be one of"):
            call()
