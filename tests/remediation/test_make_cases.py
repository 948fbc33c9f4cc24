"""Cases made of events: one a key, beside their customer, nothing lost on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation import make_cases


@pytest.fixture
def events():
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "a", "c", "b"],
            "order_id": ["C1", "C1", "7", "C2", "C3", "C4"],
            "amount": [-5.0, -2.5, 9.0, -1.0, 3.0, -8.0],
            "time": pd.to_datetime(
                ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"], utc=True
            ),
            "day": np.array([19781, 19782, 19783, 19784, 19785, 19786]),
            "currency": "GBP",
        }
    )


@pytest.fixture
def customers():
    return pd.DataFrame(
        {"vip": [True, False, True], "time": [1, 2, 3]}, index=pd.Index(list("abc"), name="customer_id")
    )


def test_one_case_a_key_with_its_sum_last_time_and_customer(events, customers):
    cases = make_cases(events, by="order_id", where=events["order_id"].str.startswith("C"), customers=customers)
    assert cases["case_id"].tolist() == ["C1", "C2", "C3", "C4"]
    assert cases["order_id"].tolist() == ["C1", "C2", "C3", "C4"]
    assert cases["customer_id"].tolist() == ["a", "a", "c", "b"]
    assert cases["amount"].tolist() == [7.5, 1.0, 3.0, 8.0]
    assert cases["lines"].tolist() == [2, 1, 1, 1]
    assert cases["day"].tolist() == [19782, 19784, 19785, 19786]
    assert cases["time"].iloc[0] == pd.Timestamp("2024-02-29", tz="UTC")
    assert cases["currency"].tolist() == ["GBP"] * 4
    assert cases["vip"].tolist() == [True, True, True, False]
    assert cases["vip"].dtype == bool
    assert cases["customer_time"].tolist() == [1, 1, 3, 2]


@pytest.mark.parametrize(
    "where",
    [
        "amount < 0",
        [True, True, False, True, False, True],
    ],
)
def test_where_is_a_condition_or_one_entry_an_event(events, where):
    assert make_cases(events, by="order_id", where=where)["case_id"].tolist() == ["C1", "C2", "C4"]


@pytest.mark.parametrize(
    "where",
    [
        pd.Series([True, True, None, True, None, True], dtype="boolean"),
        pd.Series([True, True, np.nan, True, np.nan, True], dtype=object),
        "flag",
    ],
)
def test_events_of_which_it_is_unknown_are_left_out_and_counted(events, where):
    events["flag"] = pd.Series([True, True, None, True, None, True], dtype="boolean")
    with pytest.warns(DataWarning, match="of 2 events it is not known whether they meet where="):
        cases = make_cases(events, by="order_id", where=where)
    assert cases["case_id"].tolist() == ["C1", "C2", "C4"]


@pytest.mark.parametrize("kind", [int, float, str, object, "Int64", "string"])
def test_customers_are_found_whatever_type_their_ids_have(kind):
    events = pd.DataFrame(
        {"order_id": ["x", "y"], "customer_id": pd.Series([1, 22]).astype(kind), "amount": [-1.0, -2.0]}
    )
    if kind is str:
        events["customer_id"] = ["1", "22"]
    for ids in (["1", "22"], [1, 22], [1.0, 22.0]):
        customers = pd.DataFrame({"worth": [5.0, 7.0]}, index=pd.Index(ids, name="customer_id"))
        assert make_cases(events, by="order_id", customers=customers)["worth"].tolist() == [5.0, 7.0]


def test_without_by_every_event_is_a_case_and_without_customers_none_has_one():
    with pytest.warns(DataWarning, match="2 have no customer_id"):
        cases = make_cases({"text": ["退款", "late"], "label": ["refund", "delay"]}, carry=["label"])
    assert cases["case_id"].tolist() == ["0", "1"]
    assert cases["label"].tolist() == ["refund", "delay"]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [("time", ["9/1/2024", "10/1/2024"], "must hold times"), ("amount", ["-1", "much"], "no number in row 1")],
)
def test_text_in_the_place_of_times_or_amounts_is_refused(column, values, message):
    events = pd.DataFrame({"order_id": ["o", "o"], "customer_id": ["a", "a"], column: values})
    with pytest.raises(DataError, match=message):
        make_cases(events, by="order_id")


def test_a_series_is_matched_by_its_index(events):
    shuffled = events.sample(frac=1, random_state=0)
    cases = make_cases(events, by="order_id", where=shuffled["amount"] < 0)
    assert cases["case_id"].tolist() == ["C1", "C2", "C4"]


def test_further_columns_are_carried_from_the_last_row_of_each_case(events):
    events["label"] = pd.Categorical(["late", "broken", "late", "lost", "late", "lost"])
    cases = make_cases(events, by="order_id", where="amount < 0", carry=["label"])
    assert cases["label"].tolist() == ["broken", "lost", "lost"]
    assert cases["label"].dtype == events["label"].dtype
    with pytest.raises(DataError, match="events has no column 'labl'"):
        make_cases(events, by="order_id", carry=["labl"])


def test_customers_may_have_the_id_as_a_column_and_need_not_know_all(events, customers):
    known = customers.drop(index="b").reset_index()
    with pytest.warns(DataWarning, match="of 5 cases: 2 have a customer who is not in the customer table") as caught:
        cases = make_cases(events, by="order_id", customers=known)
    assert len(caught) == 1
    assert len(cases) == 5
    assert cases["vip"].isna().tolist() == [False, True, False, False, True]


def test_missing_values_of_the_customer_table_are_counted(events, customers):
    customers["worth"] = [1.0, np.nan, 3.0]
    with pytest.warns(DataWarning, match=r"1 have a customer with missing values: worth \(1\)"):
        cases = make_cases(events, by="order_id", where="amount < 0", customers=customers)
    assert len(cases) == 3


def test_an_unknown_line_makes_the_sum_unknown(events):
    events.loc[0, "amount"] = np.nan
    with pytest.warns(DataWarning, match="1 have no amount"):
        cases = make_cases(events, by="order_id", where=events["order_id"].str.startswith("C"))
    assert np.isnan(cases["amount"].iloc[0])
    assert cases["amount"].iloc[1] == 1.0


def test_events_without_a_key_and_cases_without_a_customer_are_counted(events):
    events.loc[5, "order_id"] = None
    events.loc[4, "customer_id"] = None
    with pytest.warns(DataWarning, match="1 events have no order_id and make no case; 1 have no customer_id"):
        cases = make_cases(events, by="order_id", customers=pd.DataFrame({"customer_id": ["a", "b"], "x": [1, 2]}))
    assert len(cases) == 4
    assert cases["x"].isna().tolist() == [False, False, False, True]


def test_two_customers_in_one_case_are_an_error_naming_positions_only(events):
    events.loc[1, "customer_id"] = "secret"
    with pytest.raises(DataError, match="order_id belongs to more than one customer_id, in rows 0, 1") as caught:
        make_cases(events, by="order_id")
    assert "secret" not in str(caught.value)


def test_two_currencies_are_an_error(events):
    events["currency"] = ["GBP"] * 5 + ["EUR"]
    with pytest.raises(DataError, match="several currencies"):
        make_cases(events, by="order_id")


def test_whole_numbers_as_keys_lose_their_decimal_point(events):
    events["order"] = [1.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert make_cases(events, by="order")["case_id"].tolist() == ["1", "2", "3", "4", "5"]


def test_a_case_for_each_customer(events):
    cases = make_cases(events, by="customer_id")
    assert cases["case_id"].tolist() == cases["customer_id"].tolist() == ["a", "b", "c"]


def test_no_event_chosen_and_no_event_at_all(events, customers):
    none = make_cases(events, by="order_id", where="amount > 100", customers=customers)
    assert len(none) == 0
    assert {"case_id", "customer_id", "amount", "vip"} <= set(none.columns)
    assert len(make_cases(events.iloc[:0], by="order_id", customers=customers)) == 0


def test_chinese_keys_and_columns():
    events = {"订单": ["退1", "退1", "退2"], "customer_id": ["甲", "甲", "乙"], "amount": [-1.0, -2.0, -4.0]}
    cases = make_cases(events, by="订单", customers={"customer_id": ["甲", "乙"], "等级": ["金", "银"]})
    assert cases["case_id"].tolist() == ["退1", "退2"]
    assert cases["等级"].tolist() == ["金", "银"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "order"}, "events has no column 'order' .nearest: 'order_id'"),
        ({"by": "order_id", "where": "amount"}, "where must be a condition"),
        ({"by": "order_id", "where": [True]}, "one entry for each of the 6 events, got 1"),
        ({"by": "order_id", "where": pd.Series([True], index=[77])}, "one entry for each of the 6 events, got 1"),
        ({"by": "order_id", "where": [1, 2, 3, 4, 5, 6]}, "where must hold True and False"),
        ({"by": "order_id", "customers": {"customer_id": ["a", "a"]}}, "one row a customer"),
    ],
)
def test_wrong_input_is_told(events, arguments, message):
    with pytest.raises(DataError, match=message):
        make_cases(events, **arguments)
