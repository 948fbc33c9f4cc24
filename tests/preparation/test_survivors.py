from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.metrics import kaplan_meier
from crmkit.preparation import contracts_from_survivors


def test_every_customer_of_a_cohort_is_in_one_row():
    table = contracts_from_survivors([100, 80, 80, 50], period="month")
    assert table[["tenure_periods", "churned", "customers"]].to_numpy().tolist() == [
        [1, True, 20],
        [3, True, 30],
        [3, False, 50],
    ]
    assert table["customers"].sum() == 100
    assert set(table["age_periods"]) == {3}
    assert set(table["period"]) == {"month"}


def test_cohorts_of_different_age_keep_their_names_and_their_ages():
    wide = pd.DataFrame(
        {"0": [100, 50, 10], "1": [90.0, 40.0, np.nan], "2": [70.0, np.nan, np.nan]}, index=["甲", "乙", "丙"]
    )
    table = contracts_from_survivors(wide)
    assert table.groupby(level="cohort")["customers"].sum().to_dict() == {"甲": 100, "乙": 50, "丙": 10}
    assert table.groupby(level="cohort")["age_periods"].first().to_dict() == {"甲": 2, "乙": 1, "丙": 0}
    assert table.loc[["丙"], ["tenure_periods", "churned"]].to_numpy().tolist() == [[0, False]]
    pd.testing.assert_frame_equal(contracts_from_survivors(wide.astype("Int64")), table)


def test_the_curve_of_one_cohort_is_its_shares():
    counts = [1000, 869, 743, 653]
    table = contracts_from_survivors(counts)
    curve = kaplan_meier(table["tenure_periods"], table["churned"], weights=table["customers"])
    assert curve["survival"].to_numpy() == pytest.approx(np.array(counts[1:]) / 1000)


def test_a_cohort_all_of_whom_left_has_no_row_of_those_who_stayed():
    table = contracts_from_survivors([5, 2, 0, 0])
    assert table[["tenure_periods", "churned", "customers"]].to_numpy().tolist() == [[1, True, 3], [2, True, 2]]
    assert len(contracts_from_survivors([0, 0])) == 0


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([5, 6], "more are left than before in row 0"),
        ([[5, 4], [5, -1]], "whole numbers of at least 0; row 1"),
        ([5, 4.5], "whole numbers"),
        ([5, np.inf], "infinite"),
        ([np.nan, 4], "missing before"),
        ([5, np.nan, 3], "missing before"),
        ([], "a row a cohort"),
        (np.zeros((0, 3)), "a row a cohort"),
        (np.zeros((2, 2, 2)), "a row a cohort"),
        ({"0": ["a"]}, "must hold numbers"),
        (["a", "b"], "must hold numbers, in rows of one length$"),
        ([[5, 4], [3]], "must hold numbers, in rows of one length$"),
        ({"0": [5.0], "1": [np.inf]}, "infinite"),
    ],
)
def test_what_cannot_be_counts_is_refused(counts, message):
    with pytest.raises(DataError, match=message):
        contracts_from_survivors(counts)


def test_an_unknown_period_is_refused():
    with pytest.raises(DataError, match="period must be one of"):
        contracts_from_survivors([5, 4], period="decade")
