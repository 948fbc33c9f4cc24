"""Border checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmkit.core.checks import as_frame, as_texts, by_customer, positions, require_columns, require_methods
from crmkit.core.errors import DataError

TABLE = {"customer_id": ["a", "b"], "amount": [1.0, 2.5]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict, pl.LazyFrame])
def test_a_table_of_any_library_becomes_pandas(make):
    frame = as_frame(make(TABLE))
    assert isinstance(frame, pd.DataFrame)
    assert frame["amount"].tolist() == [1.0, 2.5]
    assert frame["customer_id"].tolist() == ["a", "b"]


def test_a_pandas_frame_is_not_copied():
    frame = pd.DataFrame(TABLE)
    assert as_frame(frame) is frame


def test_files_are_read_by_their_ending(tmp_path):
    pd.DataFrame(TABLE).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_bytes("﻿customer_id,amount\n007,1.5\n,2\n".encode())
    assert as_frame(tmp_path / "t.parquet")["amount"].tolist() == [1.0, 2.5]
    from_csv = as_frame(str(tmp_path / "t.csv"))
    assert from_csv["customer_id"].iloc[0] == "007"
    assert from_csv["customer_id"].isna().tolist() == [False, True]


def test_a_missing_file_and_another_ending_are_told(tmp_path):
    with pytest.raises(DataError, match="no file"):
        as_frame(tmp_path / "none.csv")
    (tmp_path / "t.xlsx").touch()
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        as_frame(tmp_path / "t.xlsx")


@pytest.mark.parametrize("wrong", [7, None, [1, 2], "no such file.csv"])
def test_what_is_no_table_is_refused(wrong):
    with pytest.raises((TypeError, DataError)):
        as_frame(wrong)


def test_missing_columns_are_told_together_with_the_nearest():
    with pytest.raises(DataError, match=r"'amount' \(nearest: 'amont'\), 'zeit'.*make it so"):
        require_columns(pd.DataFrame({"amont": [1]}), ["amount", "zeit"], hint="make it so")


def test_a_customer_table_is_taken_by_column_or_index():
    frame = pd.DataFrame(TABLE)
    assert by_customer(frame).equals(by_customer(frame.set_index("customer_id")))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"amount": [1]}), "needs customer_id"),
        (pd.DataFrame({"customer_id": ["a", "a", "b"]}), "more than once in rows 0, 1"),
        (pd.DataFrame({"customer_id": ["a", None]}), "missing in row 1"),
    ],
)
def test_a_customer_table_that_is_none_is_refused_by_position(table, message):
    with pytest.raises(DataError, match=message):
        by_customer(table)


def test_positions_are_written_without_flooding():
    assert positions(np.ones(240, bool)) == "rows 0, 1, 2, 3, 4, … (240 in all)"


@pytest.mark.parametrize(
    "texts",
    [
        ["退款", "late"],
        ("退款", "late"),
        np.array(["退款", "late"]),
        np.array(["退款", "late"], dtype=object),
        pd.Series(["退款", "late"]),
        pd.Series(["退款", "late"], dtype="string"),
        pd.Series(["退款", "late"], dtype="string[pyarrow]"),
        pd.Index(["退款", "late"]),
        pl.Series(["退款", "late"]),
        pa.array(["退款", "late"]),
        pa.chunked_array([["退款"], ["late"]]),
    ],
    ids=lambda texts: type(texts).__module__ + "." + type(texts).__name__,
)
def test_texts_of_every_form_become_one_array_of_str(texts):
    made = as_texts(texts)
    assert made.dtype == object
    assert made.tolist() == ["退款", "late"]
    assert {type(text) for text in made} == {str}


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_text_is_empty(missing):
    assert as_texts(["a", missing]).tolist() == ["a", ""]


def test_no_texts_at_all_are_fine():
    assert as_texts([]).shape == (0,)


@pytest.mark.parametrize("wrong", ["one text", b"bytes", [b"bytes"], [1, "a"], [["a"], ["b"]]])
def test_what_is_no_list_of_str_is_refused(wrong):
    with pytest.raises(TypeError, match="texts must be"):
        as_texts(wrong)


def test_a_class_in_place_of_an_instance_is_told():
    with pytest.raises(TypeError, match="must be an instance, got the class int"):
        require_methods(int, ["fit"], role="a segmenter")


@pytest.mark.parametrize(
    "ids",
    [
        ["a", "b", "a"],
        [3, 1, 3],
        ["a", "a"],
        pd.Categorical(["b", "a", "b"]),
        [1, "1", 1],
        pd.array(["a", "a"], "string"),
    ],
)
def test_a_customer_in_two_rows_is_found_whatever_the_ids_are(ids):
    with pytest.raises(DataError, match="stands more than once in rows"):
        by_customer(pd.DataFrame({"customer_id": ids, "x": 1.0}))


@pytest.mark.parametrize(
    "ids", [["a", "b"], ["b", "a"], [1, 2], [2, 1], pd.Categorical(["b", "a"]), [1, "1"], ["x"], []]
)
def test_different_customers_pass_in_any_order(ids):
    table = pd.DataFrame({"customer_id": ids, "x": np.ones(len(ids))})
    assert by_customer(table).index.tolist() == list(ids)
