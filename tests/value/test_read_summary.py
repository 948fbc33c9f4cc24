from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.value import BGNBD, NBD, GammaGamma, MeanSpend


@pytest.fixture
def summary():
    """Give a purchase summary."""
    return pd.DataFrame(
        {"repeats": [0, 2], "last_purchase_weeks": [0.0, 3.0], "age_weeks": [5.0, 9.0], "repeat_spend": [0.0, 7.0]},
        index=pd.Index(["a", "b"], name="customer_id"),
    )


@pytest.mark.parametrize("model", [BGNBD(), NBD(), GammaGamma(), MeanSpend()])
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"recency_days": [1], "frequency": [2], "monetary": [3.0]}), "RFM table"),
        (pd.DataFrame({"customer_id": ["a"], "day": [1], "amount": [3.0]}), "table of transactions"),
        (pd.DataFrame({"repeats": [1]}), "no column"),
    ],
)
def test_another_table_is_refused_and_the_right_function_named(model, table, message):
    with pytest.raises(DataError, match=rf"{message}.*preparation\.purchase_summary"):
        model.fit(table)


@pytest.mark.parametrize("model", [BGNBD(), NBD(), GammaGamma(), MeanSpend()])
def test_an_empty_table_is_refused(model, summary):
    with pytest.raises(DataError, match="no rows"):
        model.fit(summary.iloc[:0])


def test_lifetimes_columns_need_a_unit():
    table = pd.DataFrame({"frequency": [1], "recency": [2.0], "T": [3.0]})
    with pytest.raises(DataError, match="unit='week'"):
        NBD().fit(table)
    with pytest.raises(DataError, match="no column 'age'"):
        NBD(unit="week").fit(table.drop(columns="T"))


def test_a_model_of_weeks_is_given_weeks(summary):
    days = summary.rename(columns=lambda name: name.replace("weeks", "days"))
    with pytest.raises(DataError, match=r"in days, expected weeks.*unit='week'\)"):
        NBD(unit="week").fit(days)
    fitted = NBD().fit(pd.DataFrame({**summary, "repeats": [0, 6]}))
    with pytest.raises(DataError, match="in days, expected weeks"):
        fitted.predict(days)


def test_columns_of_two_units_are_refused(summary):
    both = summary.assign(last_purchase_days=0.0, age_days=1.0)
    with pytest.raises(DataError, match="more than one unit"):
        NBD().fit(both)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("repeats", [0, -1], "repeats is negative in row 1"),
        ("repeats", [0, 1.5], "repeats is no whole number in row 1"),
        ("repeats", [0, np.nan], "repeats is missing or infinite in row 1"),
        ("repeats", ["0", "1"], "repeats must hold numbers"),
        ("last_purchase_weeks", [0.0, -3.0], "last_purchase_weeks is negative in row 1"),
        ("last_purchase_weeks", [0.0, 9.1], "last_purchase_weeks is greater than age_weeks in row 1"),
        ("last_purchase_weeks", [1.0, 3.0], "is not 0 although there are no repeats in row 0"),
        ("age_weeks", [np.inf, 9.0], "age_weeks is missing or infinite in row 0"),
    ],
)
def test_impossible_values_are_named_by_column_and_row(summary, column, values, message):
    with pytest.raises(DataError, match=message):
        NBD().fit(summary.assign(**{column: values}))


def test_spend_models_check_their_columns_too(summary):
    with pytest.raises(DataError, match="repeat_spend is missing"):
        MeanSpend().fit(summary.assign(repeat_spend=[0.0, np.nan]))
    with pytest.raises(DataError, match="repeats is negative"):
        MeanSpend().fit(summary.assign(repeats=[0, -2]))
    with pytest.raises(DataError, match="no whole number"):
        MeanSpend().fit(summary.assign(repeats=[0, 0.5]))


def test_the_customer_may_be_a_column_and_stand_once_only(summary):
    fitted = MeanSpend().fit(summary.reset_index())
    assert fitted.predict(summary.reset_index()).index.tolist() == ["a", "b"]
    with pytest.raises(DataError, match="more than once in rows 0, 1"):
        fitted.predict(pd.concat([summary, summary]).iloc[[0, 2]])


def test_nullable_columns_are_read(summary):
    table = summary.astype({"repeats": "Int64", "age_weeks": "Float64"}).assign(repeats=pd.array([0, 6], "Int64"))
    assert NBD().fit(table).params_ == NBD().fit(table.astype(float)).params_
