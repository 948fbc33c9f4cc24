"""Reading ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.recommendation.ratings import BaselineRating
from crmkit.recommendation.ratings._table import read_ratings


def table(**columns):
    given = {"customer_id": ["a", "a", "b"], "item_id": ["p", "q", "p"], "rating": [1.0, 2.0, 3.0]}
    return pd.DataFrame({**given, **columns})


def test_the_scale_is_declared_or_that_of_the_ratings():
    assert read_ratings(table()).scale == (1.0, 3.0)
    assert read_ratings(table(), scale=(0.5, 5)).scale == (0.5, 5.0)


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), (1, np.inf), (1,), "15x", (1, "five"), 5])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        BaselineRating(scale=scale).fit(table())


def test_ratings_outside_the_declared_scale_are_named_by_row_without_their_value():
    with pytest.raises(DataError, match=r"from 1 to 5; outside are rows 0, 2") as raised:
        read_ratings(table(rating=[77.25, 2.0, -3.125]), scale=(1, 5))
    assert "77" not in str(raised.value)
    assert "3.125" not in str(raised.value)


def test_rows_without_a_rating_or_an_id_are_set_aside_and_counted():
    rows = table(customer_id=["a", None, "b"], rating=[1.0, 2.0, np.nan])
    with pytest.warns(DataWarning, match=r"2 of 3 rows .* rows 1, 2"):
        read = read_ratings(rows)
    assert len(read.frame) == 1
    assert read.set_aside == {"no customer_id": 1, "no item_id": 0, "no rating": 1}


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match="no row with"):
        read_ratings(table(rating=[np.nan] * 3))
    with pytest.raises(DataError, match="no row with"):
        read_ratings(table().iloc[:0])
    timed = table(time=pd.to_datetime(["2024-01-01"] * 3, utc=True))
    with pytest.raises(DataError, match="before the cutoff"):
        read_ratings(timed, cutoff="2023-01-01")


def test_ratings_that_are_no_finite_numbers_are_refused():
    with pytest.raises(DataError, match="rating must hold numbers"):
        read_ratings(table(rating=["1", "2", "3"]))
    with pytest.raises(DataError, match="rating must hold numbers"):
        read_ratings(table(rating=[True, False, True]))
    with pytest.raises(DataError, match="infinite in row 1"):
        read_ratings(table(rating=[1.0, np.inf, 2.0]))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column 'rating'"):
        read_ratings(table().drop(columns="rating"))
    with pytest.raises(DataError, match="no column 'item_id'"):
        read_ratings(table().drop(columns="item_id"))


TWICE = {"customer_id": ["a", "b", "a", "a"], "item_id": ["p", "p", "p", "p"], "rating": [1.0, 2.0, 3.0, 5.0]}


def test_of_several_ratings_the_latest_by_time_counts():
    times = pd.to_datetime(
        ["2024-01-03 10:00:00.5", "2024-01-01", "2024-01-02", "2024-01-03 10:00:00.4"], format="ISO8601"
    )
    for given in (times, times.tz_localize("Asia/Shanghai"), times.strftime("%Y-%m-%dT%H:%M:%S.%f")):
        read = read_ratings({**TWICE, "time": given})
        assert read.frame["rating"].tolist() == [1.0, 2.0]
        assert read.n_replaced == 2


def test_of_equal_times_the_row_that_stands_last_counts_and_a_missing_time_comes_first():
    times = pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-03", None], utc=True)
    assert read_ratings({**TWICE, "time": times}).frame["rating"].tolist() == [2.0, 3.0]
    assert read_ratings({**TWICE, "time": [9, 0, 8, 7]}).frame["rating"].tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match="time must hold times"):
        read_ratings({**TWICE, "time": ["soon", "later", "x", "y"]})


def test_without_a_time_the_latest_by_day_counts():
    assert read_ratings({**TWICE, "day": [9, 0, 8, 7]}).frame["rating"].tolist() == [1.0, 2.0]
    assert read_ratings({**TWICE, "day": [9, 0, 9, 7]}).frame["rating"].tolist() == [2.0, 3.0]


def test_without_a_time_the_last_row_counts_with_a_warning():
    with pytest.warns(DataWarning, match="3 rows rate an item"):
        read = read_ratings(TWICE)
    assert read.frame["rating"].tolist() == [2.0, 5.0]


def test_several_ratings_may_be_averaged_or_refused():
    averaged = read_ratings(TWICE, duplicates="mean")
    assert averaged.frame["rating"].tolist() == [3.0, 2.0]
    assert averaged.frame["customer_id"].tolist() == ["a", "b"]
    with pytest.raises(DataError, match="more than once in rows 0, 2, 3"):
        read_ratings(TWICE, duplicates="error")


def test_an_id_as_number_and_as_text_is_one_id():
    rows = {"customer_id": [7, "7", "8"], "item_id": ["p", "p", "p"], "rating": [1.0, 2.0, 3.0], "time": [1, 2, 3]}
    assert read_ratings(rows).frame["rating"].tolist() == [2.0, 3.0]


def test_times_that_tell_every_day_are_kept_and_others_are_not():
    times = pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-03"], utc=True)
    assert "time" in read_ratings(table(time=times)).frame
    assert "time" not in read_ratings(table(time=times.where([True, False, True]))).frame
    assert "time" not in read_ratings(table(time=[1, 2, 3])).frame
    assert "day" in read_ratings(table(day=[1, 2, 3])).frame


def test_the_table_handed_in_is_left_alone():
    rows = table(rating=[1, 2, 3])
    before = rows.copy()
    BaselineRating().fit(rows)
    pd.testing.assert_frame_equal(rows, before)
