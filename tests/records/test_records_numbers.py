"""Numbers as people and programs write them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmkit.records import Column
from crmkit.records._numbers import as_numbers

ANY = Column(name="amount", role="money", dtype="number")


def read(values, spec=ANY):
    return as_numbers(pd.Series(values, dtype=object), spec)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", 12.5),
        (" 12 ", 12.0),
        ("1,234.50", 1234.5),
        ("1,234", 1234.0),
        ("-3", -3.0),
        ("−3", -3.0),
        ("3-", -3.0),
        ("(12.00)", -12.0),
        ("- 7", -7.0),
        ("￥１２.５０", 12.5),
        ("£1,000", 1000.0),
        ("12元", 12.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1'234.5", 1234.5),
        (7, 7.0),
        (Decimal("7.25"), 7.25),
        (np.float32(0.5), 0.5),
    ],
)
def test_a_written_number_is_read(text, number):
    converted = read([text])
    assert converted.values.tolist() == [number]
    assert not converted.wrong
    assert not converted.notes


@pytest.mark.parametrize(
    "text", ["abc", "12abc", "1,23,4", "1_000", "--3", True, pd.Timestamp("2020-01-01"), b"1", "3/4"]
)
def test_what_is_no_number_is_wrong(text):
    converted = read([text])
    assert list(converted.wrong) == ["not a number"]
    assert converted.values.isna().all()


@pytest.mark.parametrize("cell", [float("inf"), "-inf", "Infinity", 10**400, "9" * 400])
def test_an_infinite_number_is_wrong(cell):
    assert list(read([cell]).wrong) == ["not finite"]


@pytest.mark.parametrize("cell", [None, np.nan, "", " ", "NaN", "n/a"])
def test_an_empty_cell_is_missing(cell):
    converted = read([cell])
    assert converted.missing.tolist() == [True]
    assert not converted.wrong


def test_decimal_commas_are_recognised_for_the_column_and_told():
    converted = read(["12,50", "1.234,00", "7", "1.234"])
    assert converted.values.tolist() == [12.5, 1234.0, 7.0, 1234.0]
    assert converted.notes == ["amount: read with decimal commas"]


def test_a_comma_before_three_digits_alone_separates_thousands():
    converted = read(["1,234", "5"])
    assert converted.values.tolist() == [1234.0, 5.0]
    assert not converted.notes


def test_points_and_decimal_commas_in_one_column_are_not_guessed_at():
    converted = read(["12.50", "12,50"])
    assert converted.values.iloc[0] == 12.5
    assert converted.wrong["not a number"].tolist() == [False, True]


def test_two_currency_signs_in_one_column_are_a_problem_of_the_table():
    assert "2 different currency signs" in str(read(["£1", "$2"]).fatal[0])
    assert not read(["¥1", "2元"]).fatal


def test_a_boolean_column_is_no_column_of_numbers():
    assert as_numbers(pd.Series([True, False]), ANY).wrong["not a number"].all()


def test_a_range_sets_apart_what_lies_outside_it():
    spec = Column(name="x", role="measure", dtype="number", low=0, high=10)
    converted = as_numbers(pd.Series([-1.0, 0.0, 10.0, 11.0, np.nan]), spec)
    assert {reason: mask.tolist() for reason, mask in converted.wrong.items()} == {
        "below 0": [True, False, False, False, False],
        "above 10": [False, False, False, True, False],
    }


def test_an_integer_column_takes_whole_numbers_only():
    spec = Column(name="turn", role="measure", dtype="integer")
    assert as_numbers(pd.Series([1.0, 1.5]), spec).wrong["not a whole number"].tolist() == [False, True]


def test_nullable_numbers_keep_their_gaps():
    converted = as_numbers(pd.Series([1, None], dtype="Int64"), ANY)
    assert converted.values.tolist()[0] == 1.0
    assert converted.missing.tolist() == [False, True]
