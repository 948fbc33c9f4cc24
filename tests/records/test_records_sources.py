"""Frames of every library, mappings and files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import records
from crmkit.core.errors import DataError, MissingExtraError, SchemaError
from crmkit.records._sources import open_source

COLUMNS = {"customer_id": [1, None, 3], "time": ["2024-01-01", "2024-01-02", "2024-01-03"], "amount": [1.5, 2.0, -3.0]}
EXPECTED = [("1", 1.5), ("3", -3.0)]


def pairs(source):
    loaded = records.read(source, records.TRANSACTIONS, on_error="set-aside")
    assert loaded.set_aside["row"].tolist() == [1]
    return list(loaded.table[["customer_id", "amount"]].itertuples(index=False, name=None))


def test_a_mapping_of_columns_is_read():
    assert pairs(COLUMNS) == EXPECTED


def test_a_pandas_frame_is_read_and_not_changed():
    frame = pd.DataFrame(COLUMNS)
    before = frame.copy()
    assert pairs(frame) == EXPECTED
    pd.testing.assert_frame_equal(frame, before)


def test_a_polars_frame_is_read_eager_and_lazy():
    polars = pytest.importorskip("polars", minversion="1.0")
    assert pairs(polars.DataFrame(COLUMNS)) == EXPECTED
    assert pairs(polars.LazyFrame(COLUMNS)) == EXPECTED


def test_an_arrow_table_is_read_and_large_ids_keep_their_digits():
    pyarrow = pytest.importorskip("pyarrow")
    assert pairs(pyarrow.table(COLUMNS)) == EXPECTED
    large = pyarrow.table({"customer_id": [2**60 + 1, None], "name": ["a", "b"]})
    loaded = records.read(large, records.CUSTOMERS, on_error="set-aside")
    assert loaded.table["customer_id"].tolist() == ["1152921504606846977"]


def test_a_parquet_file_is_read(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "sales.parquet"
    pd.DataFrame(COLUMNS).to_parquet(path)
    assert pairs(path) == EXPECTED
    assert pairs(str(path)) == EXPECTED


def test_a_csv_file_is_read(tmp_path):
    path = tmp_path / "sales.csv"
    pd.DataFrame(COLUMNS).to_csv(path, index=False)
    assert pairs(path) == EXPECTED


def test_a_file_that_is_no_parquet_is_told(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "sales.parquet"
    path.write_text("nothing")
    with pytest.raises(DataError, match=r"sales\.parquet cannot be read as Parquet"):
        open_source(path)


def test_parquet_without_pyarrow_names_the_command(tmp_path, monkeypatch):
    path = tmp_path / "sales.parquet"
    path.write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'crmkit\[engine\]'"):
        open_source(path)


def test_an_absent_file_and_an_unknown_ending_are_told(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        open_source(tmp_path / "nowhere.csv")
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"a\.xlsx: its ending says nothing"):
        open_source(tmp_path / "a.xlsx")


def test_what_is_no_table_is_refused():
    with pytest.raises(TypeError, match="got int"):
        open_source(3)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="makes no table"):
        open_source({"a": [1], "b": [1, 2]})


def test_a_customer_table_may_carry_its_id_as_index():
    frame = pd.DataFrame({"name": ["x"]}, index=pd.Index([7.0], name="customer_id"))
    assert records.read(frame, records.CUSTOMERS).table["customer_id"].tolist() == ["7"]


def test_a_frame_with_an_index_of_its_own_is_read_by_position():
    frame = pd.DataFrame(COLUMNS, index=[10, 10, 5])
    assert pairs(frame) == EXPECTED


def test_a_repeated_header_that_is_needed_is_told():
    frame = pd.DataFrame([["a", 1, 2, "2024-01-01"]], columns=["customer_id", "amount", "amount", "time"])
    with pytest.raises(SchemaError, match="header 'amount' stands more than once"):
        records.read(frame, records.TRANSACTIONS)


def test_a_repeated_header_that_is_not_needed_is_numbered():
    frame = pd.DataFrame([["a", 1, 2, 3]], columns=["customer_id", "x", "x", "x.1"])
    table = records.read(frame, records.CUSTOMERS).table
    assert table[["x", "x.2", "x.1"]].to_numpy().tolist() == [[1, 2, 3]]


def test_headers_that_are_no_text_become_text():
    frame = pd.DataFrame({"customer_id": ["a"], 2024: [1]})
    assert "2024" in records.read(frame, records.CUSTOMERS).table.columns


def test_cells_of_a_numpy_mapping_are_read():
    table = records.read({"customer_id": np.array([1, 2])}, records.CUSTOMERS).table
    assert table["customer_id"].tolist() == ["1", "2"]
