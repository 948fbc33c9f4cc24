"""The day after the last row, and rows that cannot have happened yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import prediction, preparation
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._last_day import day_after_last


def sales(last="2025-06-30"):
    days = pd.date_range("2025-01-01", periods=99, freq="D", tz="UTC").append(pd.DatetimeIndex([last], tz="UTC"))
    frame = pd.DataFrame({"customer_id": [f"c{i % 9}" for i in range(100)], "time": days, "amount": 5.0})
    return frame.assign(item_id=[f"i{i % 7}" for i in range(100)])


def test_it_is_the_day_after_the_last_row_that_counts():
    assert day_after_last(np.array([3, 9, 5]), what="sales") == 10
    assert day_after_last(np.array([3, 9, 5]), what="sales", counted=np.array([True, False, True])) == 6
    assert day_after_last(np.array([-400, -300]), what="sales") == -299
    assert day_after_last(np.array([], dtype=np.int64), what="sales") == 0
    assert day_after_last(np.array([3]), what="sales", counted=np.array([False])) == 0


@pytest.mark.parametrize(
    "step",
    [
        preparation.rfm_table,
        preparation.purchase_summary,
        lambda table: crmkit.create("recommender", "popularity", window_days=None).fit(table),
        lambda table: preparation.features(table, ["2025-03-01"], windows=[30], horizon=30, censored="unknown"),
        lambda table: prediction.will_buy(table, ["2025-03-01"], windows=[30], horizon=30),
    ],
    ids=["rfm", "summary", "recommender", "features", "target"],
)
def test_a_row_in_the_future_is_told_by_its_row_and_at_the_line_of_the_caller(step):
    with pytest.warns(DataWarning, match="row 99 lie in the future") as told:
        step(sales("2090-01-01"))
    assert [one.filename for one in told if "future" in str(one.message)] == [__file__]


def test_whoever_names_the_moment_is_not_told():
    preparation.rfm_table(sales("2090-01-01"), cutoff="2025-05-01")
    crmkit.create("recommender", "item-knn").fit(sales("2090-01-01"), cutoff="2025-05-01")


def test_of_a_table_without_rows_nothing_is_known():
    with pytest.raises(DataError, match="hold no rows"):
        preparation.features(sales().iloc[:0], ["2025-03-01"], windows=[30], horizon=30)
