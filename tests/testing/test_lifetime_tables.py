"""A lifetime model is checked on the table that its spec says it reads."""

from __future__ import annotations

import sys
import types

import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit import PluginSpec
from crmkit.core.errors import DataError
from crmkit.testing import ConformanceError, check_plugin
from crmkit.testing.tables import contracts, period_summary, purchase_summary

TABLES = {"summary": purchase_summary, "period-summary": period_summary, "contracts": contracts}


class NeedsColumn(BaseEstimator):
    """Expects one purchase in all of every customer, where the table has a column."""

    def __init__(self, column="age_weeks"):
        self.column = column

    def fit(self, summary):
        if self.column not in summary.columns:
            raise DataError(f"there is no {self.column}")
        return self

    def predict(self, summary, horizon=1.0):
        del horizon
        self.fit(summary)
        return pd.DataFrame({"p_alive": 1.0, "expected_purchases": 1.0}, index=summary.index)


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch):
    """Put the model where a target can point at it."""
    module = types.ModuleType("a_lifetime_plugin")
    module.NeedsColumn = NeedsColumn
    monkeypatch.setitem(sys.modules, "a_lifetime_plugin", module)


def spec(inputs, column):
    """Give the spec of a model that needs a column and says it reads a table."""
    return PluginSpec(
        kind="lifetime-model",
        name="needs-column",
        target="a_lifetime_plugin:NeedsColumn",
        summary="Expects one purchase of everyone.",
        inputs=inputs,
        defaults={"column": column},
    )


@pytest.mark.parametrize(
    ("inputs", "column"),
    [
        ((), "age_weeks"),
        (("summary",), "age_weeks"),
        (("anything",), "age_weeks"),
        (("period-summary",), "age_periods"),
        (("contracts",), "churned"),
    ],
)
def test_a_model_is_given_the_table_its_inputs_name(inputs, column):
    check_plugin(spec(inputs, column))


def test_a_model_that_names_the_wrong_table_fails():
    with pytest.raises(ConformanceError, match="there is no churned"):
        check_plugin(spec(("period-summary",), "churned"))


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_seeded_and_of_customers(name):
    table = TABLES[name](50)
    assert table.index.name == "customer_id"
    assert table.index.is_unique
    pd.testing.assert_frame_equal(table, TABLES[name](50))
    assert not table.equals(TABLES[name](50, seed=1))
    assert table.notna().all(axis=None)
