"""One customer's history."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import DataError


@pytest.fixture
def tables():
    sales = records.read(
        {"customer_id": [7, 7, 8], "time": ["2024-05-03", "2024-05-01", "2024-05-02"], "amount": [9, 5, 1]},
        records.TRANSACTIONS,
    )
    calls = records.read(
        {"customer_id": ["c7"], "time": ["2024-05-02 12:00"], "channel": ["phone"], "phone": ["13800138000"]},
        records.COMMUNICATIONS,
    )
    people = records.read({"customer_id": [7], "phone": ["+8613800138000"], "name": ["王磊"]}, records.CUSTOMERS)
    return {"sales": sales, "calls": calls, "customers": people}


def test_events_are_in_the_order_in_which_they_happened(tables):
    found = records.timeline("7", tables)
    assert found["table"].tolist() == ["sales", "sales", "customers"]
    assert found["amount"].tolist()[:2] == [5.0, 9.0]
    assert list(found.columns[:4]) == ["time", "day", "table", "customer_id"]
    assert pd.isna(found["time"].iloc[2])


def test_an_id_may_be_given_as_a_number(tables):
    pd.testing.assert_frame_equal(records.timeline(7, tables), records.timeline(7.0, tables))


def test_with_links_all_ids_of_the_person_are_listed(tables):
    links = records.link(tables)
    found = records.timeline("c7", tables, links=links)
    assert found["table"].tolist() == ["sales", "calls", "sales", "customers"]
    assert found["customer_id"].tolist() == ["7", "c7", "7", "7"]
    assert len(records.timeline("8", {"sales": tables["sales"]}, links=records.link({"calls": tables["calls"]}))) == 1


def test_with_systems_each_table_is_searched_by_its_own_ids():
    tables = {
        "web": {"customer_id": ["1", "2"], "email": ["a@mail.cn", "b@mail.cn"], "note": ["x", "y"]},
        "till": {"customer_id": ["2", "1"], "email": ["a@mail.cn", "c@mail.cn"], "note": ["z", "w"]},
    }
    links = records.link(tables, namespaces={"web": "w", "till": "t"})
    assert records.timeline("w:1", tables, links=links)["note"].tolist() == ["x", "z"]


def test_columns_without_a_value_are_left_out(tables):
    assert "amount" not in records.timeline("c7", tables)


def test_tables_without_customers_are_left_out(tables):
    assert len(records.timeline("8", {**tables, "rates": pd.DataFrame({"x": [1]})})) == 1


def test_an_unknown_customer_is_told_without_showing_the_id(tables):
    with pytest.raises(DataError) as caught:
        records.timeline("secret-9", tables)
    assert "secret-9" not in str(caught.value)
