"""Rows as frozen records."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt

import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import DataError
from crmkit.records import SCHEMAS
from crmkit.records._rows import _CLASS_OF

PERSON = {
    "customer_id": ["7"],
    "name": ["王磊"],
    "email": ["wang@mail.cn"],
    "phone": ["13800138000"],
    "address": ["人民路一号"],
    "birth_date": ["1990-05-01"],
    "city": ["杭州"],
    "nickname": ["老王"],
}


def one(source, schema, **options):
    return next(records.rows(records.read(source, schema, **options).table, schema))


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=list(SCHEMAS))
def test_a_record_has_exactly_the_columns_of_its_schema(schema):
    fields = {each.name for each in dataclasses.fields(_CLASS_OF[schema.name])} - {"extra", "day"}
    assert fields == set(schema.names)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=list(SCHEMAS))
def test_a_field_may_be_left_out_exactly_where_its_column_may(schema):
    needed = {
        each.name
        for each in dataclasses.fields(_CLASS_OF[schema.name])
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    }
    assert needed - {"day"} == {column.name for column in schema if column.required}


def test_a_record_gives_its_columns_by_name():
    row = one({"customer_id": [1], "time": ["2024-05-01"], "amount": [2], "shop": ["x"]}, records.TRANSACTIONS)
    assert isinstance(row, records.Transaction)
    assert row["amount"] == row.amount == 2.0
    assert row["shop"] == "x"
    assert row["currency"] is None
    assert row.time == dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
    assert type(row.day) is int
    assert dict(row)["customer_id"] == "1"


def test_an_unknown_name_lists_those_there_are():
    row = one(PERSON, records.CUSTOMERS)
    with pytest.raises(KeyError, match="Customer has no 'extra'; it has: customer_id"):
        row["extra"]


def test_its_repr_masks_personal_data():
    shown = repr(one(PERSON, records.CUSTOMERS))
    assert shown == (
        "Customer(customer_id='7', name=<name>, email=<email>, phone=<phone>, address=<address>, city='杭州', "
        "birth_date=<birth-date>, extra=<1 columns>)"
    )


def test_its_repr_masks_what_was_said():
    source = {"customer_id": [1], "time": ["2024-05-01"], "text": ["call me on 13800138000"], "channel": ["chat"]}
    shown = repr(one(source, records.COMMUNICATIONS))
    assert "13800138000" not in shown
    assert "text=<free-text>" in shown
    assert "channel='chat'" in shown


def test_a_record_is_frozen():
    row = one(PERSON, records.CUSTOMERS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.name = "x"


def test_a_record_can_be_copied_and_made_a_dictionary():
    row = one(PERSON, records.CUSTOMERS)
    assert copy.deepcopy(row) == row
    assert dataclasses.asdict(row)["extra"] == {"nickname": "老王"}


def test_records_are_made_as_they_are_asked_for():
    table = records.read({"customer_id": ["a", "b"]}, records.CUSTOMERS).table
    found = records.rows(table, records.CUSTOMERS)
    assert [row.customer_id for row in found] == ["a", "b"]


def test_a_customer_table_with_its_id_as_index_is_taken():
    table = pd.DataFrame({"city": ["杭州"]}, index=pd.Index(["a"], name="customer_id"))
    assert next(records.rows(table, records.CUSTOMERS)).customer_id == "a"


def test_a_table_without_a_needed_column_is_refused_at_once():
    with pytest.raises(DataError, match="has no column 'day'"):
        records.rows({"customer_id": ["a"], "time": [1], "amount": [1]}, records.TRANSACTIONS)


def test_a_schema_of_ones_own_has_no_record():
    mine = records.Schema(name="MINE", columns=(records.CUSTOMERS["customer_id"],))
    with pytest.raises(ValueError, match="got a schema named 'MINE'"):
        records.rows({"customer_id": ["a"]}, mine)
