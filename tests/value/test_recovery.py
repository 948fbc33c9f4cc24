from __future__ import annotations

import pytest

import crmkit
from crmkit import preparation
from crmkit.datasets import make_company


@pytest.fixture(scope="module")
def company():
    """Give the simulated company, whose process of purchases is known, and its purchase summary."""
    made = make_company(3000, seed=0)
    return made.truth.parameters, preparation.purchase_summary(made.transactions)


@pytest.mark.parametrize(
    ("kind", "name", "process"), [("lifetime-model", "bg-nbd", "purchase"), ("spend-model", "gamma-gamma", "spend")]
)
def test_the_parameters_a_company_was_made_from_are_recovered(company, kind, name, process):
    parameters, summary = company
    model = crmkit.create(kind, name).fit(summary)
    assert set(model.params_) == set(parameters[process])
    for parameter, true in parameters[process].items():
        assert abs(model.params_[parameter] - true) < 3 * model.standard_errors_[parameter], parameter
