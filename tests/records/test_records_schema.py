"""Schemas, columns and how headers are compared."""

from __future__ import annotations

import dataclasses

import pytest

from crmkit import records
from crmkit.records import Column, Schema, header_key


def test_the_nine_schemas_are_listed_by_name():
    assert list(records.SCHEMAS) == [
        *("CUSTOMERS", "TRANSACTIONS", "COMMUNICATIONS", "FEEDBACK", "RATINGS"),
        *("EVENTS", "CAMPAIGNS", "CASES", "OPPORTUNITIES"),
    ]


@pytest.mark.parametrize("schema", records.SCHEMAS.values(), ids=list(records.SCHEMAS))
def test_every_schema_has_a_required_customer_id_that_is_text(schema):
    column = schema["customer_id"]
    assert column.required
    assert not column.nullable
    assert column.dtype == "id"


@pytest.mark.parametrize("schema", records.SCHEMAS.values(), ids=list(records.SCHEMAS))
def test_no_alias_of_a_schema_is_another_columns_own_name(schema):
    names = {header_key(name): name for name in schema.names}
    taken = {
        (column.name, names[key])
        for column in schema
        for key in column.keys
        if key in names and names[key] != column.name
    }
    # A table of customers that has a member id alone is keyed by it.
    assert taken <= {("customer_id", "member_id")}


def test_only_customers_and_cases_have_a_key():
    assert {name: schema.key for name, schema in records.SCHEMAS.items() if schema.key} == {
        "CUSTOMERS": "customer_id",
        "CASES": "case_id",
    }


@pytest.mark.parametrize(
    ("name", "personal"),
    [("phone", "phone"), ("email", "email"), ("name", "name"), ("address", "address"), ("birth_date", "birth-date")],
)
def test_contact_columns_carry_their_class_of_personal_data(name, personal):
    assert records.CUSTOMERS[name].personal == personal


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Customer ID", "customer_id"),
        ("ＣｕｓｔｏｍｅｒＩＤ", "CUSTOMER-ID"),
        ("客户　编号", "客户编号"),
        ("Straße", "STRASSE"),
    ],
)
def test_headers_are_compared_without_width_case_spaces_and_signs(left, right):
    assert header_key(left) == header_key(right)


def test_a_schema_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        records.CUSTOMERS.name = "X"


def test_two_columns_of_one_name_are_refused():
    column = Column(name="a", role="measure", dtype="number")
    with pytest.raises(ValueError, match="share a name"):
        Schema(name="S", columns=(column, column))


def test_a_key_must_be_a_column():
    with pytest.raises(ValueError, match="'b' is not one of its columns"):
        Schema(name="S", columns=(Column(name="a", role="measure", dtype="number"),), key="b")


def test_an_unknown_column_names_those_there_are():
    with pytest.raises(KeyError, match="has no column 'amont'; it has: customer_id, time"):
        records.TRANSACTIONS["amont"]


def test_a_schema_shows_itself_as_table_and_text():
    frame = records.TRANSACTIONS.to_frame()
    assert frame.loc["amount", "unit"] == "currency"
    assert "金额" in frame.loc["amount", "aliases"]
    assert "time*" in repr(records.TRANSACTIONS)
    assert "<td>unit_price</td>" in records.TRANSACTIONS._repr_html_()
    assert "amount" in records.TRANSACTIONS
