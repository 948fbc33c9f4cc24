"""After the columns are read: amounts, currency, keys, equal lines and days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import SchemaError
from crmkit.records import CASES, CUSTOMERS, OPPORTUNITIES, RATINGS, TRANSACTIONS


def sales(**columns):
    n = max((len(values) for values in columns.values()), default=1)
    base = {"customer_id": [f"c{i}" for i in range(n)], "time": ["2024-05-01"] * n, "amount": [1.0] * n}
    return {**base, **columns}


def aside(loaded):
    return dict(zip(loaded.set_aside["row"], loaded.set_aside["reason"], strict=True))


class TestMoney:
    def test_an_absent_amount_is_quantity_times_price(self):
        source = sales(quantity=[2, -1], unit_price=[2.5, 4])
        del source["amount"]
        assert records.read(source, TRANSACTIONS).table["amount"].tolist() == [5.0, -4.0]

    def test_an_empty_amount_is_filled_and_a_given_one_kept(self):
        table = records.read(sales(amount=[None, 9], quantity=[2, 2], unit_price=[3, 3]), TRANSACTIONS).table
        assert table["amount"].tolist() == [6.0, 9.0]

    def test_an_amount_that_cannot_be_worked_out_is_missing(self):
        loaded = records.read(
            sales(amount=[None, None], quantity=[2, None], unit_price=[3, 3]), TRANSACTIONS, on_error="set-aside"
        )
        assert aside(loaded) == {1: "amount: missing"}

    def test_a_factor_that_is_wrong_is_told_once(self):
        source = sales(quantity=["x"], unit_price=[3])
        del source["amount"]
        assert aside(records.read(source, TRANSACTIONS, on_error="set-aside")) == {0: "quantity: not a number"}

    def test_a_product_too_large_is_not_finite(self):
        source = sales(quantity=[1e300], unit_price=[1e300])
        del source["amount"]
        assert aside(records.read(source, TRANSACTIONS, on_error="set-aside")) == {0: "amount: not finite"}

    def test_negative_and_zero_amounts_are_valid_and_counted(self):
        report = records.read(sales(amount=[-5, 0, 3]), TRANSACTIONS).report
        assert report.n_valid == 3
        assert report.counts["amount below zero"] == report.counts["amount of zero"] == 1

    def test_an_amount_may_be_absent_from_an_opportunity(self):
        source = {"customer_id": ["a", "b"], "time": ["2024-05-01"] * 2, "amount": [None, 5]}
        assert records.read(source, OPPORTUNITIES).report.n_valid == 2

    def test_two_currencies_are_a_schema_error_even_when_rows_may_be_set_aside(self):
        with pytest.raises(SchemaError, match=r"currency: is different from the first row's.*\(1 row: 1\)"):
            records.read({**sales(amount=[1, 2]), "currency": ["GBP", "EUR"]}, TRANSACTIONS, on_error="set-aside")

    def test_a_currency_other_than_asked_for_is_a_schema_error(self):
        with pytest.raises(SchemaError, match="other than the currency='CNY' asked for"):
            records.read({**sales(), "currency": ["GBP"]}, TRANSACTIONS, currency="cny")

    def test_rows_set_aside_have_no_say_in_the_currency(self):
        source = {**sales(customer_id=["a", None]), "currency": ["GBP", "EUR"]}
        assert records.read(source, TRANSACTIONS, on_error="set-aside").report.currency == "GBP"

    def test_codes_are_compared_without_case_and_spaces(self):
        loaded = records.read({**sales(amount=[1, 2]), "币种": ["gbp ", "GBP"]}, TRANSACTIONS)
        assert loaded.table["currency"].tolist() == ["GBP", "GBP"]

    def test_an_empty_currency_is_set_aside_unless_the_caller_fills_it(self):
        source = {**sales(amount=[1, 2]), "currency": ["GBP", None]}
        assert list(aside(records.read(source, TRANSACTIONS, on_error="set-aside"))) == [1]
        assert records.read(source, TRANSACTIONS, currency="GBP").table["currency"].tolist() == ["GBP", "GBP"]

    def test_the_currency_asked_for_stands_in_every_row(self):
        loaded = records.read(sales(amount=[1, 2]), TRANSACTIONS, currency="GBP")
        assert loaded.table["currency"].tolist() == ["GBP", "GBP"]
        assert records.read(sales(), TRANSACTIONS).table["currency"].isna().all()


class TestKeysAndLines:
    def test_equal_lines_of_events_are_valid_and_counted(self):
        report = records.read(sales(customer_id=["a", "a", "a"]), TRANSACTIONS).report
        assert report.n_valid == 3
        assert report.counts["lines equal to an earlier line"] == 2

    @pytest.mark.parametrize(("schema", "key"), [(CUSTOMERS, "customer_id"), (CASES, "case_id")])
    def test_a_keyed_table_keeps_the_first_row_of_a_key(self, schema, key):
        source = {"customer_id": ["1", 1.0, "2"], "case_id": ["7", "7.0", "8"], "time": ["2024-05-01"] * 3}
        loaded = records.read(source, schema, on_error="set-aside")
        assert aside(loaded) == {1: f"{key}: stands in an earlier row"}
        with pytest.raises(SchemaError, match=rf"{key}: stands in an earlier row \(1 row: 1\)"):
            records.read(source, schema)

    def test_a_row_set_aside_does_not_claim_its_key(self):
        source = {"customer_id": ["a", "a"], "time": ["never", "2024-05-01"]}
        assert list(aside(records.read(source, CUSTOMERS, on_error="set-aside"))) == [0]

    def test_lists_in_other_columns_do_not_stop_the_counting(self):
        loaded = records.read({**sales(customer_id=["a", "a"]), "tags": [["x"], ["x"]]}, TRANSACTIONS)
        assert loaded.report.counts["lines equal to an earlier line"] == 1


class TestDays:
    def test_the_day_is_the_local_one(self):
        loaded = records.read(sales(time=["2024-05-01 07:00"]), TRANSACTIONS, timezone="Asia/Shanghai")
        assert loaded.table["time"].iloc[0] == pd.Timestamp("2024-04-30 23:00", tz="UTC")
        assert loaded.table["day"].tolist() == [(pd.Timestamp("2024-05-01") - pd.Timestamp("1970-01-01")).days]
        assert loaded.table["day"].dtype == np.int64

    def test_a_table_read_again_keeps_its_days(self):
        first = records.read(sales(time=["2024-05-01 07:00"]), TRANSACTIONS, timezone="Asia/Shanghai").table
        again = records.read(first, TRANSACTIONS)
        pd.testing.assert_frame_equal(again.table, first)

    def test_a_day_that_is_something_else_is_kept_beside(self):
        table = records.read({**sales(), "day": [3]}, TRANSACTIONS).table
        assert table["day"].tolist() == [19844]
        assert table["day (source)"].tolist() == [3]

    def test_rows_without_a_time_have_no_day(self):
        source = {"customer_id": ["a", "b"], "item_id": [1, 2], "rating": [3, 4], "time": ["2024-05-01", None]}
        table = records.read(source, RATINGS).table
        assert table["day"].isna().tolist() == [False, True]
        assert table["day"].iloc[0] == 19844

    def test_a_table_without_times_has_no_day(self):
        assert "day" not in records.read({"customer_id": ["a"]}, CUSTOMERS).table

    def test_mixed_offsets_are_one_table_in_utc(self):
        times = ["2024-05-01 08:00", "2024-05-01T08:00:00Z", "2024-05-01 08:00 -0500"]
        loaded = records.read(sales(time=times), TRANSACTIONS, timezone="Asia/Shanghai")
        assert loaded.table["time"].dt.hour.tolist() == [0, 8, 13]
        assert any("carry an offset" in note for note in loaded.report.notes)

    def test_dates_that_do_not_show_their_order_are_a_problem_of_the_table(self):
        with pytest.raises(SchemaError, match="pass day_first=True or False"):
            records.read(sales(time=["01/02/2024"]), TRANSACTIONS, on_error="set-aside")
        table = records.read(sales(time=["01/02/2024"]), TRANSACTIONS, day_first=True).table
        assert table["time"].iloc[0] == pd.Timestamp("2024-02-01", tz="UTC")
