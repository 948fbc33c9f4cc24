"""Reading: mapping of headers, bad input, set-aside rows, money, keys and days."""

from __future__ import annotations

import copy
import dataclasses

import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import DataError, SchemaError
from crmkit.records import COMMUNICATIONS, CUSTOMERS, TRANSACTIONS

PHONE = "13800138000"


def sales(**columns):
    n = max((len(values) for values in columns.values()), default=1)
    base = {"customer_id": [f"c{i}" for i in range(n)], "time": ["2024-05-01"] * n, "amount": [1.0] * n}
    return {**base, **columns}


def aside(loaded):
    return dict(zip(loaded.set_aside["row"], loaded.set_aside["reason"], strict=True))


class TestMapping:
    def test_columns_names_the_headers(self):
        source = {"who": ["a"], "when": ["2024-05-01"], "how much": [2]}
        mapping = {"customer_id": "who", "time": "when", "amount": "how much"}
        assert records.read(source, TRANSACTIONS, columns=mapping).table["amount"].tolist() == [2.0]

    def test_columns_finds_a_header_whatever_its_case_and_width(self):
        source = {"ＷＨＯ": ["a"]}
        assert records.read(source, CUSTOMERS, columns={"customer_id": "who"}).table["customer_id"].tolist() == ["a"]

    @pytest.mark.parametrize(
        "headers",
        [("Customer ID", "InvoiceDate", "Amount"), ("客户编号", "下单时间", "金额"), ("会员ID", "交易 日期", "销售额")],
    )
    def test_headers_are_recognised_in_english_and_chinese(self, headers):
        source = dict(zip(headers, (["a"], ["2024-05-01"], [2]), strict=True))
        loaded = records.read(source, TRANSACTIONS)
        assert list(loaded.report.headers) == ["customer_id", "time", "amount"]
        assert not loaded.report.told

    def test_a_missing_column_is_told_with_what_there_is(self):
        with pytest.raises(SchemaError) as caught:
            records.read({"customer_id": ["a"], "x": [1]}, TRANSACTIONS)
        assert [problem.column for problem in caught.value.problems] == ["time", "amount"]
        assert "the source has: 'customer_id', 'x'" in str(caught.value)
        assert "nor are quantity x unit_price" in str(caught.value)

    def test_a_missing_column_raises_even_when_rows_may_be_set_aside(self):
        with pytest.raises(SchemaError, match="time: is missing"):
            records.read({"customer_id": ["a"], "amount": [1]}, TRANSACTIONS, on_error="set-aside")

    def test_a_reversed_mapping_is_recognised_and_written_out(self):
        with pytest.raises(SchemaError) as caught:
            records.read(
                {"who": ["a"], "when": ["x"], "amount": [1]},
                TRANSACTIONS,
                columns={"who": "customer_id", "when": "time"},
            )
        assert "columns: is reversed" in str(caught.value)
        assert "{'customer_id': 'who', 'time': 'when'}" in str(caught.value)
        assert len(caught.value.problems) == 1

    def test_a_header_that_is_not_there_names_the_nearest(self):
        with pytest.raises(
            SchemaError, match=r"names the header 'amuont', which the source does not have \(nearest: 'amount'"
        ):
            records.read(sales(), TRANSACTIONS, columns={"amount": "amuont"})

    def test_a_standard_name_that_does_not_exist_names_the_nearest(self):
        with pytest.raises(SchemaError, match="amont: is no column of TRANSACTIONS; nearest: 'amount'"):
            records.read(sales(), TRANSACTIONS, columns={"amont": "amount"})

    def test_two_headers_that_fit_one_column_are_not_guessed_at(self):
        with pytest.raises(SchemaError, match="'Amount', 'AMOUNT' all fit it"):
            records.read({"customer_id": ["a"], "time": ["2024-05-01"], "Amount": [1], "AMOUNT": [2]}, TRANSACTIONS)

    def test_the_standard_name_goes_before_an_alias(self):
        source = {**sales(), "Customer": ["other"], "date": ["1999-01-01"]}
        table = records.read(source, TRANSACTIONS).table
        assert table["customer_id"].tolist() == ["c0"]
        assert table["Customer"].tolist() == ["other"]

    def test_none_leaves_a_column_unread(self):
        loaded = records.read({**sales(), "currency": ["GBP"]}, TRANSACTIONS, columns={"currency": None})
        assert loaded.report.currency is None
        assert loaded.table["currency (source)"].tolist() == ["GBP"]

    def test_none_for_a_required_column_is_told(self):
        with pytest.raises(SchemaError, match="amount: is missing"):
            records.read(sales(), TRANSACTIONS, columns={"amount": None})

    def test_one_header_may_stand_for_two_columns_where_the_caller_says_so(self):
        source = {"order": ["o1"], "time": ["2024-05-01"], "amount": [1]}
        table = records.read(source, TRANSACTIONS, columns={"customer_id": "order", "order_id": "order"}).table
        assert table[["customer_id", "order_id"]].to_numpy().tolist() == [["o1", "o1"]]

    def test_other_columns_survive_as_they_were(self):
        cells = [{"a": 1}, None]
        table = records.read({**sales(amount=[1, 2]), "note": cells}, TRANSACTIONS).table
        assert table["note"].tolist()[0] == {"a": 1}
        assert list(table.columns) == ["customer_id", "time", "day", "amount", "currency", "note"]

    def test_other_columns_that_take_a_standard_name_are_marked(self):
        source = {"who": ["a"], "customer_id": ["not this"], "reason": ["r"], "row": [9]}
        loaded = records.read(source, CUSTOMERS, columns={"customer_id": "who"}, on_error="set-aside")
        assert loaded.table["customer_id (source)"].tolist() == ["not this"]
        broken = records.read(
            {**source, "who": [None]}, CUSTOMERS, columns={"customer_id": "who"}, on_error="set-aside"
        )
        assert broken.set_aside[["reason (source)", "row (source)", "reason", "row"]].to_numpy().tolist() == [
            ["r", 9, "customer_id: missing", 0]
        ]


class TestBadRows:
    def test_one_error_tells_every_problem_with_counts_and_positions(self):
        source = sales(
            customer_id=["a", None, "c", "", "e"],
            time=["2024-05-01", "never", "2024-05-01", "2024-05-01", "soon"],
            amount=[1, 2, float("inf"), 4, "much"],
        )
        with pytest.raises(SchemaError) as caught:
            records.read(source, TRANSACTIONS)
        told = {
            (problem.column, problem.reason): (problem.count, tuple(problem.rows)) for problem in caught.value.problems
        }
        assert told == {
            ("customer_id", "missing"): (2, (1, 3)),
            ("time", "not a date or time"): (2, (1, 4)),
            ("amount", "not a number"): (1, (4,)),
            ("amount", "not finite"): (1, (2,)),
        }
        assert "on_error='set-aside'" in str(caught.value)

    def test_problems_of_rows_and_of_the_table_are_told_together(self):
        with pytest.raises(SchemaError) as caught:
            records.read({"customer_id": [None], "time": ["2024-05-01"]}, TRANSACTIONS)
        assert [problem.column for problem in caught.value.problems] == ["amount", "customer_id"]

    def test_only_the_first_positions_are_written_out(self):
        with pytest.raises(SchemaError, match=r"customer_id: missing \(9 rows: 0, 1, 2, 3, 4, …\)"):
            records.read({"customer_id": [None] * 9}, CUSTOMERS)

    def test_a_row_with_two_reasons_is_set_aside_once_with_both(self):
        loaded = records.read(sales(customer_id=[None], amount=["x"]), TRANSACTIONS, on_error="set-aside")
        assert aside(loaded) == {0: "customer_id: missing; amount: not a number"}
        assert loaded.report.reasons == {"customer_id: missing": 1, "amount: not a number": 1}
        assert loaded.report.n_set_aside == 1

    def test_set_aside_rows_keep_their_original_cells(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("Customer ID,Date,Amount\n 00x , 1 May,NULL\nb,2024-05-01,1\n", encoding="utf-8")
        loaded = records.read(path, TRANSACTIONS, on_error="set-aside")
        assert loaded.set_aside.iloc[0].to_dict() == {
            "Customer ID": " 00x ",
            "Date": " 1 May",
            "Amount": "NULL",
            "reason": "time: not a date or time; amount: missing",
            "row": 0,
        }

    def test_rows_tell_where_the_valid_ones_stood(self):
        loaded = records.read(sales(customer_id=[None, "b", None, "d"]), TRANSACTIONS, on_error="set-aside")
        assert loaded.rows.tolist() == [1, 3]
        assert loaded.table.index.tolist() == [0, 1]

    def test_a_column_of_the_wrong_type_is_told_for_every_row(self):
        with pytest.raises(SchemaError, match=r"amount: not a number \(2 rows: 0, 1\)"):
            records.read(sales(amount=pd.to_datetime(["2024-01-01", "2024-01-02"])), TRANSACTIONS)

    def test_a_line_of_a_file_with_too_many_fields_is_set_aside(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("customer_id,name\na,x\nb,y,z\n", encoding="utf-8")
        loaded = records.read(path, CUSTOMERS, on_error="set-aside")
        assert aside(loaded) == {1: "row: the line has more fields than the header"}
        assert loaded.set_aside["(extra fields)"].tolist() == ["z"]
        assert "(extra fields)" not in loaded.table

    def test_messages_and_reports_show_no_cell(self):
        source = {"customer_id": [PHONE, None, PHONE], "time": [PHONE, "x", "2024-05-01"], "phone": [PHONE] * 3}
        with pytest.raises(SchemaError) as caught:
            records.read(source, CUSTOMERS)
        loaded = records.read(source, CUSTOMERS, on_error="set-aside")
        for shown in (str(caught.value), repr(loaded), str(loaded.report), loaded._repr_html_()):
            assert PHONE not in shown

    def test_a_value_outside_the_range_is_set_aside(self):
        source = {"customer_id": ["a", "b"], "time": ["2024-05-01"] * 2, "duration": [-1, 60], "turn": [1, 1.5]}
        loaded = records.read(source, COMMUNICATIONS, on_error="set-aside")
        assert aside(loaded) == {0: "duration: below 0", 1: "turn: not a whole number"}

    def test_on_error_takes_two_words(self):
        with pytest.raises(ValueError, match="on_error must be 'raise' or 'set-aside', got 'ignore'"):
            records.read(sales(), TRANSACTIONS, on_error="ignore")

    def test_a_schema_by_name_is_refused(self):
        with pytest.raises(TypeError, match=r"must be a Schema such as records\.TRANSACTIONS, got str"):
            records.read(sales(), "TRANSACTIONS")

    def test_an_unknown_time_zone_is_told_before_anything_is_read(self):
        with pytest.raises(DataError, match="'Mars' is unknown"):
            records.read("nowhere.csv", TRANSACTIONS, timezone="Mars")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([0, 1], [0.0, 1.0]),
        (["0", "1"], [0.0, 1.0]),
        ([True, False], [1.0, 0.0]),
        (["bought", "nothing"], ["bought", "nothing"]),
        ([1, "nothing"], ["1", "nothing"]),
    ],
)
def test_an_outcome_is_a_number_where_every_cell_is_one(given, kept):
    source = {"customer_id": ["a", "b"], "time": ["2024-05-01"] * 2, "campaign_id": ["x"] * 2, "outcome": given}
    assert records.read(source, records.CAMPAIGNS).table["outcome"].tolist() == kept


class TestSmallTables:
    def test_a_file_without_a_byte_is_refused(self, tmp_path):
        path = tmp_path / "empty.csv"
        path.write_bytes(b"")
        with pytest.raises(DataError, match=r"empty\.csv is empty"):
            records.read(path, TRANSACTIONS, on_error="set-aside")

    def test_a_header_alone_gives_an_empty_table_of_the_same_types(self):
        full = records.read(sales(), TRANSACTIONS).table
        empty = records.read({name: [] for name in sales()}, TRANSACTIONS).table
        assert len(empty) == 0
        assert list(empty.columns) == list(full.columns)
        assert empty.dtypes.astype(str).tolist() == full.dtypes.astype(str).tolist()

    def test_an_empty_frame_lacks_its_columns(self):
        with pytest.raises(SchemaError, match="the source has: no columns"):
            records.read(pd.DataFrame(), CUSTOMERS)

    def test_one_row_is_a_table(self):
        loaded = records.read(sales(), TRANSACTIONS)
        assert loaded.report.n_rows == loaded.report.n_valid == loaded.report.n_customers == 1

    def test_a_table_set_aside_whole_is_empty_and_typed(self):
        loaded = records.read(sales(customer_id=[None]), TRANSACTIONS, on_error="set-aside")
        assert len(loaded.table) == 0
        assert str(loaded.table["time"].dtype) == "datetime64[us, UTC]"
        assert loaded.report.first is None


class TestReport:
    def test_it_prints_what_was_done(self, tmp_path):
        path = tmp_path / "sales.csv"
        path.write_text("客户编号;日期;金额;门店\na;2024-05-01;-1,50;x\n;2024-05-02;2;x\n", encoding="gbk")
        report = records.read(path, TRANSACTIONS, on_error="set-aside", currency="CNY", timezone="Asia/Shanghai").report
        shown = str(report)
        for part in (
            *("TRANSACTIONS from sales.csv", "rows read     2", "customer_id: missing  1", "amount below zero  1"),
            *("'客户编号' (recognised)", "kept as they were: 门店", "gb18030, delimiter ';'", "CNY", "Asia/Shanghai"),
            *("2024-04-30 16:00 to 2024-04-30 16:00 UTC", "note: amount: read with decimal commas"),
        ):
            assert part in shown

    def test_its_html_escapes_headers(self):
        loaded = records.read({"customer_id": ["a", None], "<b>": [1, 2]}, CUSTOMERS, on_error="set-aside")
        html = loaded._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<b>" not in html
        assert "customer_id: missing" in html

    def test_its_html_tells_counts_and_notes(self):
        html = records.read(sales(amount=["-1,50"], shop=["x"]), TRANSACTIONS)._repr_html_()
        assert "<td>amount below zero</td>" in html
        assert "Kept as they were: shop" in html
        assert "<li>amount: read with decimal commas</li>" in html

    def test_an_amount_worked_out_is_told(self):
        report = records.read(sales(amount=[None, 4], quantity=[2, 2], unit_price=[3, 3]), TRANSACTIONS).report
        assert report.notes == ("amount: quantity x unit_price in 1 row where it was absent",)
        assert repr(report) == str(report)

    def test_what_was_read_can_be_copied_deeply(self):
        loaded = records.read(sales(customer_id=["a", None]), TRANSACTIONS, on_error="set-aside")
        again = copy.deepcopy(loaded)
        assert again.report == loaded.report
        assert again.schema == loaded.schema
        pd.testing.assert_frame_equal(again.table, loaded.table)

    def test_it_is_frozen(self):
        report = records.read(sales(), TRANSACTIONS).report
        with pytest.raises(dataclasses.FrozenInstanceError):
            report.n_rows = 2
