"""Ids and text from cells of every type."""

from __future__ import annotations

import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmkit.records._cells import as_ids, as_text, distinct, missing_cells, text_series


def ids(values, **options):
    converted = as_ids(pd.Series(values, **options))
    return [None if pd.isna(value) else value for value in converted.values]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (13085.0, "13085"),
        (13085, "13085"),
        ("13085.0", "13085"),
        ("00123", "00123"),
        ("00123.0", "00123"),
        (" A-7　", "A-7"),
        (np.int64(5), "5"),
        (Decimal(12), "12"),
        (Decimal(12345678901234567890), "12345678901234567890"),
        (2**60, "1152921504606846976"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("1.5.0", "1.5.0"),
        ("5E10", "5E10"),
        ("NA", "NA"),
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ("'t Hoen", "'t Hoen"),
    ],
)
def test_an_id_is_text_however_it_was_written(cell, text):
    assert ids([cell], dtype=object) == [text]


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, "", "  ", "nan", "None", "NULL", "#N/A", '=""'])
def test_an_empty_id_is_missing_and_not_wrong(cell):
    converted = as_ids(pd.Series([cell], dtype=object))
    assert converted.missing.tolist() == [True]
    assert not converted.wrong


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (True, "not an id"),
        (pd.Timestamp("2020-01-01"), "not an id"),
        (b"a", "not an id"),
        ([1], "not an id"),
        (2.5, "not a whole number"),
        (float("inf"), "not finite"),
        (2.0**60, "a number that has lost digits (read the id as text)"),
        ("1.38E+10", "a number that has lost digits (read the id as text)"),
    ],
)
def test_what_is_no_id_is_wrong_with_its_reason(cell, reason):
    converted = as_ids(pd.Series([cell], dtype=object))
    assert list(converted.wrong) == [reason]
    assert not converted.missing.any()


def test_nullable_and_categorical_columns_give_the_same_ids():
    assert ids([1, None], dtype="Int64") == ["1", None]
    assert ids([1.0, None], dtype="Float64") == ["1", None]
    assert ids(["a", None, "a"], dtype="category") == ["a", None, "a"]
    assert ids([7, None, 7], dtype="category") == ["7", None, "7"]


def test_arrow_columns_give_the_same_ids():
    pytest.importorskip("pyarrow")
    assert ids([1, None], dtype="int64[pyarrow]") == ["1", None]
    assert ids(["x", None], dtype="string[pyarrow]") == ["x", None]


def test_equal_cells_of_different_types_stay_distinct():
    codes, found = distinct(pd.Series([1, 1.0, True, "1", None], dtype=object))
    assert codes.tolist() == [0, 1, 2, 3, -1]
    assert [type(cell) for cell in found] == [int, float, bool, str]


def test_lists_in_cells_do_not_stop_the_reading():
    codes, found = distinct(pd.Series([[1], [1], None], dtype=object))
    assert codes.tolist() == [0, 1, -1]
    assert found == [[1], [1]]


def test_categories_lose_outer_spaces_and_free_text_keeps_them():
    column = pd.Series([" phone ", "   ", 3.0, 2.5, None], dtype=object)
    assert [None if pd.isna(cell) else cell for cell in as_text(column, strip=True).values] == [
        "phone",
        None,
        "3",
        "2.5",
        None,
    ]
    assert as_text(column, strip=False).values.iloc[0] == " phone "


def test_missing_cells_are_told_from_filled_ones():
    assert missing_cells(pd.Series(["a", "", "null", None, 0], dtype=object)).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert missing_cells(pd.Series([1.0, np.nan])).tolist() == [False, True]


def test_a_text_column_has_the_running_pandas_text_type_even_when_empty():
    assert text_series([]).dtype == text_series(["a", None]).dtype
    assert text_series([None]).isna().all()
