"""Keys of one kind meet, and keys of two kinds are refused, wherever tables are joined."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit import remediation
from crmkit.core.errors import DataError
from crmkit.remediation import Frequency, Problem, Remedy, make_cases


def test_numbers_as_customers_meet_whatever_column_they_stand_in():
    sales = pd.DataFrame(
        {
            "customer_id": [17, 17, 18],
            "order_id": ["a", "b", "c"],
            "amount": [5.0, 6.0, 7.0],
            "time": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01"], utc=True),
        }
    )
    cases = make_cases(sales, by="order_id")
    remedies = [Remedy("call", value="amount")]
    rule = Frequency(sales, most=2, days=7, at="2024-01-03T00:00+00:00")
    problem = Problem(cases, remedies, one_per="customer_id", frequency=rule)
    assert remediation.plan(problem).choice.tolist() == [-1, -1, 0]
    text = sales.assign(customer_id=sales["customer_id"].astype(str))
    with pytest.raises(DataError, match="numbers in the cases and no numbers in the history"):
        Problem(cases, remedies, one_per="customer_id", frequency=Frequency(text, most=2, days=7, at=rule.at))
    new = {"case_id": ["n"], "customer_id": ["18"], "amount": [1.0]}
    with pytest.raises(DataError, match="numbers in the plan and no numbers in the new cases"):
        remediation.plan(problem).assign(new | {"time": pd.to_datetime(["2024-01-04"], utc=True)})
    with pytest.raises(DataError, match="customer_id holds"):
        remediation.plan(problem).update(cases.assign(customer_id=["17", "17", "18"]))
