"""Properties of reading that hold for any input."""

from __future__ import annotations

import csv

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit import records
from crmkit.core.errors import SchemaError

ids = st.one_of(
    st.none(), st.integers(0, 5), st.floats(0, 5), st.sampled_from(["a", "b ", "", "00123", "nan", "1.5E+9"])
)
times = st.one_of(
    st.none(),
    st.datetimes(),
    st.dates(),
    st.datetimes(timezones=st.timezones()),
    st.integers(),
    st.sampled_from(["2024-05-01", "2024-05-01T08:00:00Z", "31/12/2024", "2024年5月1日", "never", "", "20240501"]),
    st.text(max_size=5),
)
amounts = st.one_of(
    st.none(), st.floats(), st.integers(-(10**30), 10**30), st.booleans(), st.sampled_from(["1,5", "1,234.5", "x", ""])
)
lines = st.lists(st.tuples(ids, times, amounts), max_size=15)
NAMES = ("customer_id", "time", "amount")


def frame_of(lines):
    return pd.DataFrame(
        {name: pd.Series([line[place] for line in lines], dtype=object) for place, name in enumerate(NAMES)}
    )


@given(lines=lines, schema=st.sampled_from([records.TRANSACTIONS, records.OPPORTUNITIES, records.CUSTOMERS]))
@settings(max_examples=150, deadline=None)
def test_every_row_is_in_exactly_one_of_table_and_set_aside(lines, schema):
    frame = frame_of(lines)
    loaded = records.read(frame, schema, on_error="set-aside", timezone="Asia/Shanghai", day_first=True)
    positions = [*loaded.rows.tolist(), *loaded.set_aside["row"].tolist()]
    assert sorted(positions) == list(range(len(lines)))
    assert len(loaded.rows) == len(loaded.table)
    report = loaded.report
    assert report.n_rows == report.n_valid + report.n_set_aside == len(lines)
    assert loaded.set_aside["reason"].str.len().gt(0).all()
    for row, original in zip(loaded.set_aside["row"], loaded.set_aside["customer_id"], strict=True):
        assert original is lines[row][0] or original == lines[row][0] or original != original  # noqa: PLR0124 -- NaN
    assert loaded.table["customer_id"].notna().all()
    if schema is records.TRANSACTIONS:
        assert loaded.table[["time", "day", "amount"]].notna().all().all()


@given(lines=lines)
@settings(max_examples=60, deadline=None)
def test_raising_and_setting_aside_agree_about_which_rows_are_wrong(lines):
    frame = frame_of(lines)
    loaded = records.read(frame, records.TRANSACTIONS, on_error="set-aside", day_first=True)
    try:
        whole = records.read(frame, records.TRANSACTIONS, day_first=True)
    except SchemaError as error:
        told = {f"{problem.column}: {problem.reason}": problem.count for problem in error.problems}
        assert told == dict(loaded.report.reasons)
    else:
        assert len(loaded.set_aside) == 0
        pd.testing.assert_frame_equal(whole.table, loaded.table)


fields = st.text(alphabet="ab1.,;\"' \n中-", max_size=5)


@given(rows=st.lists(st.lists(fields, min_size=3, max_size=3), max_size=10), gbk=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_read_back_has_every_row_with_its_own_cells(tmp_path, rows, gbk):
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="gbk" if gbk else "utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["customer_id", "time", "备注"])
        writer.writerows(rows)
    loaded = records.read(path, records.CUSTOMERS, on_error="set-aside", day_first=True)
    assert loaded.report.n_rows == len(rows)
    for row, *cells in loaded.set_aside[["row", "customer_id", "time", "备注"]].itertuples(index=False, name=None):
        assert cells == rows[row]
    for row, note in zip(loaded.rows, loaded.table["备注"], strict=True):
        assert note == rows[row][2]


@given(secret=st.text(alphabet="XYZ789", min_size=6, max_size=9))
@settings(max_examples=30, deadline=None)
def test_no_message_shows_a_cell(secret):
    source = {
        "customer_id": [secret, secret, None],
        "time": [secret, "2024-05-01", "x"],
        "phone": [secret] * 3,
        "birth_date": [secret] * 3,
    }
    for on_error in ("raise", "set-aside"):
        try:
            shown = repr(records.read(source, records.CUSTOMERS, on_error=on_error))
        except SchemaError as error:
            shown = str(error)
        assert secret not in shown
