"""Text files: encodings, delimiters, broken lines; no line is lost."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.records._csv import EXTRA, TOO_MANY, read_csv

CHINESE = "客户编号,姓名,金额\n001,王磊,12.50\n002,李娜,3\n"


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, encoding: str = "utf-8"):
        path = tmp_path / "file.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_the_encoding_is_found_out(write, encoding, found):
    read = read_csv(write(CHINESE, encoding))
    assert read.encoding == found
    assert read.frame.to_dict("list") == {"客户编号": ["001", "002"], "姓名": ["王磊", "李娜"], "金额": ["12.50", "3"]}


def test_western_bytes_are_not_taken_for_chinese(write):
    path = write("name,city\nRené,Genève\nJosé Muñoz,Málaga\n", "cp1252")
    with pytest.raises(DataError, match="neither UTF-8 nor GB18030"):
        read_csv(path)
    assert read_csv(path, encoding="cp1252").frame["city"].tolist() == ["Genève", "Málaga"]


def test_an_encoding_that_does_not_fit_names_the_byte(write):
    with pytest.raises(DataError, match="is not in ascii: byte 0 does not fit"):
        read_csv(write(CHINESE), encoding="ascii")


def test_an_unknown_encoding_is_told(write):
    with pytest.raises(DataError, match="'klingon' is no encoding"):
        read_csv(write(CHINESE), encoding="klingon")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(write, delimiter):
    read = read_csv(write(f"a{delimiter}b{delimiter}c\n1{delimiter}2{delimiter}3\n"))
    assert read.delimiter == delimiter
    assert read.frame.to_dict("list") == {"a": ["1"], "b": ["2"], "c": ["3"]}


def test_decimal_commas_do_not_hide_a_semicolon(write):
    read = read_csv(write("id;amount\n1;12,50\n2;1,00\n"))
    assert read.delimiter == ";"
    assert read.frame["amount"].tolist() == ["12,50", "1,00"]


def test_cells_stay_as_written(write):
    read = read_csv(write('id,x\n00123,NA\n" 1 ",\n'))
    assert read.frame.to_dict("list") == {"id": ["00123", " 1 "], "x": ["NA", ""]}


def test_a_quoted_field_may_hold_line_ends_and_quotes(write):
    read = read_csv(write('id,text\n1,"say ""no""\nplease"\n2,yes\n'))
    assert read.frame["text"].tolist() == ['say "no"\nplease', "yes"]


def test_a_file_without_a_byte_is_refused(write):
    with pytest.raises(DataError, match="is empty"):
        read_csv(write(b""))


def test_blank_lines_before_the_header_and_between_rows_are_no_rows(write):
    assert read_csv(write(" \n\na,b\n\n1,2\n  \n3,4\n")).frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_line(write, end):
    assert read_csv(write(f"a;b{end}1;2{end}")).frame.to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_a_file_of_blank_lines_is_refused(write):
    with pytest.raises(DataError, match="no header line"):
        read_csv(write("\n\n"))


def test_a_file_with_a_header_alone_has_no_rows(write):
    read = read_csv(write("a,b\n"))
    assert read.frame.shape == (0, 2)


@pytest.mark.parametrize("where", [1, 2])
def test_a_line_with_too_many_fields_is_kept_and_marked(write, where):
    lines = ["a,b", "1,2", "3,4", "5,6"]
    lines[where] += ",x,y"
    read = read_csv(write("\n".join(lines) + "\n"))
    assert np.flatnonzero(read.broken[TOO_MANY]).tolist() == [where - 1]
    assert read.frame[EXTRA].tolist()[where - 1] == "x,y"
    assert read.frame["a"].tolist() == ["1", "3", "5"]


def test_a_long_text_beside_a_broken_line_is_whole_and_the_limit_of_csv_stays(write):
    before = csv.field_size_limit()
    long = "x" * (before + 1)
    read = read_csv(write(f"a,b\n1,{long}\n2,3,4\n"))
    assert read.frame["b"].tolist() == [long, "3"]
    assert csv.field_size_limit() == before


def test_delimiters_at_the_end_of_every_line_are_no_extra_field(write):
    read = read_csv(write("a,b,c\n1,2,3,\n4,5,6,\n"))
    assert not read.broken
    assert read.frame.to_dict("list") == {"a": ["1", "4"], "b": ["2", "5"], "c": ["3", "6"]}


def test_a_short_line_ends_in_empty_cells(write):
    assert read_csv(write("a,b,c\n1\n2,3,4\n")).frame.to_dict("list") == {
        "a": ["1", "2"],
        "b": ["", "3"],
        "c": ["", "4"],
    }


def test_a_quotation_mark_never_closed_is_refused_instead_of_swallowing_rows(write):
    with pytest.raises(DataError, match="never closed"):
        read_csv(write('a,b\n1,"x\n2,3\n4,5\n'))


def test_a_mark_for_inches_swallows_nothing(write):
    assert read_csv(write('a,b\n1,disk 5"\n2,3\n')).frame["b"].tolist() == ['disk 5"', "3"]


cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r\n\ufeff", exclude_categories=["Cs"]), max_size=6
)


@given(rows=st.lists(st.lists(cells, min_size=2, max_size=4), max_size=12))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_becomes_one_row_whatever_its_length(tmp_path, rows):
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["first", "second", "third"])
        writer.writerows(rows)
    read = read_csv(path)
    assert len(read.frame) == len(rows)
    padded = [[*row, ""][:3] for row in rows]
    assert read.frame[["first", "second", "third"]].to_numpy().tolist() == padded
    marked = read.broken.get(TOO_MANY, np.zeros(len(rows), dtype=bool))
    assert marked.tolist() == [len(row) > 3 and row[3] != "" for row in rows]
