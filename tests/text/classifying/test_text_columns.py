"""Columns beside a text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.text import ColumnFeatures

NAMES = ["channel", "duration", "time", "paid"]


def table():
    return pd.DataFrame(
        {
            "channel": ["phone", "chat", "phone", None],
            "duration": [1.0, 2.0, 1_000.0, np.nan],
            "time": pd.to_datetime(["2024-02-29 08:30", "2024-03-01 23:00", None, "2024-03-02 00:00"], utc=True),
            "paid": [True, False, True, True],
        }
    )


def test_every_kind_of_column_becomes_zeros_and_ones():
    beside = ColumnFeatures(NAMES).fit(table())
    values = beside.transform(table())
    assert set(np.unique(values.toarray())) == {0.0, 1.0}
    assert values.shape == (4, len(beside.get_feature_names_out()))


def row(beside, frame, place):
    names = beside.get_feature_names_out()
    return names[beside.transform(frame).toarray()[place] > 0].tolist()


def test_values_land_in_the_column_of_their_name():
    beside = ColumnFeatures(NAMES).fit(table())
    assert row(beside, table(), 0) == ["channel=phone", "duration <= 1.4", "time 08h", "time weekday 3", "paid=True"]
    assert row(beside, table(), 3) == ["channel missing", "duration missing", "time 00h", "time weekday 5", "paid=True"]
    assert "time missing" in row(beside, table(), 2)


def test_unseen_categories_have_no_column_and_extremes_the_last():
    beside = ColumnFeatures(["channel", "duration"]).fit(table())
    other = pd.DataFrame({"channel": ["letter"], "duration": [1e12]})
    found = row(beside, other, 0)
    assert len(found) == 1
    assert found[0].startswith("duration >")


def test_the_order_of_rows_decides_nothing():
    frame = pd.DataFrame({"channel": ["b", "a", "c", "c"]})
    names = ColumnFeatures(["channel"]).fit(frame).get_feature_names_out().tolist()
    assert names == ["channel=c", "channel=a", "channel=b", "channel missing"]
    assert names == ColumnFeatures(["channel"]).fit(frame[::-1]).get_feature_names_out().tolist()


def test_only_the_most_frequent_categories_get_a_column():
    frame = pd.DataFrame({"channel": ["a", "a", "b", "c"]})
    assert len(ColumnFeatures(["channel"], max_categories=1).fit(frame).get_feature_names_out()) == 2


def test_a_column_without_any_number_still_works():
    frame = pd.DataFrame({"duration": [np.nan, np.nan]})
    beside = ColumnFeatures(["duration"]).fit(frame)
    assert row(beside, frame, 0) == ["duration missing"]
    assert row(beside, pd.DataFrame({"duration": [3.0]}), 0) == ["duration present"]


def test_infinite_numbers_are_named_by_row():
    with pytest.raises(DataError, match=r"'duration'.*infinite in row 1"):
        ColumnFeatures(["duration"]).fit(pd.DataFrame({"duration": [1.0, np.inf]}))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column 'chanel' \\(nearest: 'channel'\\)"):
        ColumnFeatures(["chanel"]).fit(table())


def test_a_column_that_changed_its_kind_is_an_error_without_its_values():
    beside = ColumnFeatures(["duration", "time"]).fit(table())
    with pytest.raises(DataError, match=r"'duration'.*had numbers") as caught:
        beside.transform(table().assign(duration="secret"))
    assert "secret" not in str(caught.value)
    with pytest.raises(DataError, match=r"'time'.*had times"):
        beside.transform(table().assign(time="yesterday"))
