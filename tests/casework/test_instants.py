"""Times are read in one form only, wherever they come in."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crmkit.casework import BusinessHours, CaseStore, durations
from crmkit.core.errors import DataError

DUE = pd.Timestamp("2026-03-02T02:00Z")


@pytest.mark.parametrize(
    "times",
    [
        ["2026-03-02T10:00+08:00", "2026-03-02 03:00:00+0100"],
        ["2026-03-02T02:00Z", None],
        [DUE, DUE.tz_convert("Asia/Shanghai").to_pydatetime()],
        np.array([DUE, pd.NaT], dtype=object),
    ],
)
def test_text_and_objects_with_their_offset_are_times(store, times):
    store.add({"case_id": ["a", "b"], "time": times}, actor="job")
    store.set_deadlines(["a", "b"], times, actor="job")
    assert store.cases()["deadline"].dropna().eq(DUE).all()
    assert store.cases()["time"].isna().tolist() == pd.isna(pd.Series(times)).tolist()


def test_times_without_an_offset_are_in_the_zone_of_the_store():
    with CaseStore(":memory:", timezone="Asia/Shanghai") as store:
        times = ["2026-03-02", dt.date(2026, 3, 2), dt.datetime(2026, 3, 2), np.datetime64("2026-03-02")]  # noqa: DTZ001 -- without a zone on purpose
        store.add({"case_id": list("abcd"), "time": times}, actor="job")
        assert store.cases()["time"].eq(pd.Timestamp("2026-03-02", tz="Asia/Shanghai")).all()


@pytest.mark.parametrize(
    "moment", ["now", "today", "09:00", "2026", "01/02/2026", "2. März 2026", "2026-02-30", 3, True]
)
def test_what_a_time_means_is_not_guessed(moment):
    with CaseStore(":memory:", timezone="Asia/Shanghai") as store, pytest.raises(DataError, match="at must"):
        store.add({"case_id": ["a"]}, actor="job", at=moment)


@pytest.mark.parametrize("times", [[1, 2], ["01/02/2026"] * 2, ["2026-03-02T10:00Z", "2026-03-02T10:00"]])
def test_columns_that_are_no_times_are_refused(store, times):
    with pytest.raises(DataError, match="must hold times"):
        BusinessHours().deadline(times, 1)
    with pytest.raises(DataError, match="must hold times"):
        durations({"case_id": ["a", "a"], "activity": ["x", "y"], "time": times})
    with pytest.raises(DataError, match="must hold times"):
        store.add({"case_id": ["a", "b"], "time": times}, actor="job")
