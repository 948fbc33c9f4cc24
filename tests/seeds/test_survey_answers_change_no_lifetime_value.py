"""What customers answer in surveys says how they feel, not what they buy: it must not move a lifetime value."""

from __future__ import annotations

import numpy as np
import pandas as pd

import crmkit
from crmkit import preparation, value
from crmkit.datasets import make_company


def test_other_answers_leave_every_lifetime_value_as_it_was():
    company = make_company(400, seed=3)
    summary = preparation.purchase_summary(company.transactions)
    columns = ["score", "rating"]
    asked = company.feedback.columns.intersection(columns)
    assert len(asked) > 0, "the company has no answers"
    mean = company.feedback.groupby("customer_id")[list(asked)].mean()
    worth = []
    for answers in (mean, 11 - mean, mean * 0):
        table = summary.join(answers)
        model = crmkit.create("lifetime-model", "bg-nbd").fit(table)
        spend = crmkit.create("spend-model", "gamma-gamma").fit(table)
        worth.append(value.lifetime_value(model, spend, table, horizon=52, margin=0.3))
    assert np.isfinite(worth[0].to_numpy()).all()
    for other in worth[1:]:
        pd.testing.assert_frame_equal(other, worth[0])
