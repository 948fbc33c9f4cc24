from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import before_after, compare_arms


def table(**columns):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"arm": ["call", "control"] * 50, "y": rng.normal(size=100), **columns})


@pytest.mark.parametrize(
    ("columns", "given", "message"),
    [
        ({"y": pd.date_range("2024-01-01", periods=100)}, {}, "y must hold numbers, got datetime64"),
        ({"y": pd.Categorical(["a", "b"] * 50)}, {}, "y must hold numbers, got category"),
        ({"y": pd.to_timedelta(np.arange(100), unit="D")}, {}, "y must hold numbers, got timedelta64"),
        ({"y": pd.period_range("2024-01", periods=100, freq="M")}, {}, "y must hold numbers, got period"),
        ({"y": np.arange(100) + 1j}, {}, "y must hold numbers, got complex"),
        ({"y": ["1.5", "2"] * 50}, {}, "y must hold numbers; rows 0, 1, 2"),
        ({"y": pd.Series([1.0, "2"] * 50, dtype=object)}, {}, "y must hold numbers; rows 1, 3"),
        ({"y": [1e80, 2.0] * 50}, {}, r"y is beyond 1e\+60 in rows 0, 2"),
        ({"x": pd.date_range("2024-01-01", periods=100)}, {"covariates": "x"}, "x holds times"),
        ({"x": pd.to_timedelta(np.arange(100), unit="D")}, {"covariates": "x"}, "x holds times"),
        ({"x": [f"v{at}" for at in range(100)]}, {"covariates": ["x"]}, "x has 100 categories"),
        ({"x": [None] + ["c"] * 99}, {"cluster": "x"}, "x is missing in row 0"),
        ({}, {"covariates": [1]}, "covariates must be names"),
    ],
)
def test_columns_that_cannot_be_used_are_refused_by_name_and_position(columns, given, message):
    with pytest.raises(DataError, match=message):
        compare_arms(table(**columns), outcome="y", **given)


def test_arms_of_mixed_kinds_are_ordered_all_the_same():
    mixed = table(arm=pd.Series([1, "control"] * 50, dtype=object))
    assert compare_arms(mixed, outcome="y").table.index.tolist() == ["control", 1]


def test_a_message_never_shows_what_stands_in_a_cell():
    address = "李伟 of 5 Mill Lane"
    with pytest.raises(DataError) as refused:
        compare_arms(table(y=[address] * 100), outcome="y")
    assert address not in str(refused.value)


def test_nullable_numbers_and_mappings_are_read():
    nullable = table(y=pd.array([1, 2, 3, 5] * 25, dtype="Int64"))
    assert compare_arms(nullable, outcome="y").kind == "count"
    mixed = pd.Series([True, None, np.False_, 1] * 25, dtype=object)
    with pytest.warns(DataWarning, match="y is missing"):
        assert compare_arms(table(y=mixed), outcome="y").kind == "binary"
    given = {"arm": ["call", "control"] * 3, "y": [1, 0, 0, 1, 1, 0]}
    assert compare_arms(given, outcome="y").table["n"].tolist() == [3, 3]


def test_one_customer_on_a_side_says_nothing_of_how_customers_differ():
    side = pd.DataFrame({"rating": [9, 3, 8], "customer_id": "a"})
    with pytest.raises(DataError, match="independent rows"):
        before_after(side, side, customer="customer_id")
