from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.value._arguments import check_horizon, check_level, check_number, check_whole_number


@pytest.mark.parametrize("value", [1, 1.5, np.float32(2), np.int8(3), Fraction(1, 2)])
def test_numbers_of_all_kinds_pass(value):
    assert check_number("rate", value, low=0) == float(value)
    assert isinstance(check_number("rate", value, low=0), float)


@pytest.mark.parametrize("value", ["1", None, True, pd.NA, [1], np.array([1.0]), 1j, Decimal(1)])
def test_what_is_no_number_is_named_by_its_type_alone(value):
    with pytest.raises(DataError, match="rate must be a finite number of at least 0, got ") as told:
        check_number("rate", value, low=0)
    assert str(told.value).endswith(type(value).__name__ if value is not True else "True")


def test_the_least_is_allowed_only_where_it_says_so():
    assert check_number("rate", -1, low=-1) == -1
    with pytest.raises(DataError, match="rate must be a finite number greater than -1, got -1"):
        check_number("rate", -1, low=-1, closed=False)


def test_a_horizon_is_without_end_only_where_it_may_be():
    assert check_horizon(np.inf, endless=True) == np.inf
    for value, endless in ((np.inf, False), (-np.inf, True), (np.nan, True), ("inf", True)):
        with pytest.raises(DataError, match="horizon must be a finite number of at least 0"):
            check_horizon(value, endless=endless)


def test_a_whole_number_has_no_parts_and_is_no_truth_value():
    assert check_whole_number("n", np.int64(2), low=0) == 2
    for value in (2.0, True, "2", -1, None):
        with pytest.raises(DataError, match="n must be a whole number of at least 0"):
            check_whole_number("n", value, low=0)


def test_a_level_lies_between_0_and_1():
    assert check_level(np.float32(0.5)) == 0.5
    for value in (0, 1, 2, -0.1, np.nan, "0.9", None, True):
        with pytest.raises(DataError, match="level must be between 0 and 1"):
            check_level(value)
