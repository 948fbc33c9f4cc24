from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError, SchemaError
from crmkit.preparation import CleaningPolicy, Fill, clean


@pytest.fixture
def people():
    """Give a small table with every kind of gap."""
    return pd.DataFrame(
        {
            "customer_id": ["a", "b", "b", "c", None],
            "city": ["Leeds", "  ", "York", None, "上海"],
            "spend": [1.0, np.inf, np.nan, 4.0, 5.0],
        },
        index=[10, 11, 12, 13, 14],
    )


def test_nothing_is_done_that_the_policy_does_not_say(people):
    cleaned = clean(people, CleaningPolicy())
    assert len(cleaned.table) == 5
    assert cleaned.set_aside.empty
    assert cleaned.report["action"].unique().tolist() == ["missing values kept"]
    assert cleaned.table["city"].isna().tolist() == [False, True, False, True, False]
    assert cleaned.table["spend"].isna().tolist() == [False, True, True, False, False]


def test_rows_are_set_aside_as_they_came_with_every_reason(people):
    cleaned = clean(people, CleaningPolicy(missing={"city": "set-aside", "spend": "set-aside"}))
    assert cleaned.table.index.tolist() == [10, 14]
    assert cleaned.set_aside.index.tolist() == [11, 12, 13]
    assert cleaned.set_aside.loc[11, "reason"] == "city is missing; spend is missing"
    assert cleaned.set_aside.loc[11, "city"] == "  "
    assert np.isinf(cleaned.set_aside.loc[11, "spend"])


def test_a_constant_is_filled_in_and_counted(people):
    cleaned = clean(people, CleaningPolicy(missing={"city": Fill("unknown"), "spend": Fill(0.0)}))
    assert cleaned.table["city"].tolist() == ["Leeds", "unknown", "York", "unknown", "上海"]
    assert cleaned.table["spend"].tolist() == [1.0, 0.0, 0.0, 4.0, 5.0]
    assert cleaned.report.set_index("column").loc[["city", "spend"], "rows"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("column", "constant", "dtype"),
    [
        (pd.Series([1, None], dtype="Int64"), 0, "Int64"),
        (pd.Series(["a", None], dtype="string"), "b", "string"),
        (pd.Series(["a", None], dtype="category"), "a", "category"),
        (pd.Series(["a", None], dtype="category"), "new", None),
        (pd.Series([1.0, None]), "many", None),
        (pd.Series(pd.to_datetime(["2024-02-29", None])), pd.Timestamp("2024-01-01"), "datetime64"),
    ],
)
def test_a_filled_column_keeps_its_type_where_it_can_hold_the_constant(column, constant, dtype):
    filled = clean({"x": column}, CleaningPolicy(missing={"x": Fill(constant)})).table["x"]
    assert filled.tolist() == [column[0], constant]
    assert dtype is None or str(filled.dtype).startswith(dtype)


def test_columns_named_by_numbers_are_kept_and_two_of_one_name_refused():
    table = pd.DataFrame({0: ["a", None], 1: [np.inf, 2.0]})
    cleaned = clean(table, CleaningPolicy(missing={0: Fill("b"), 1: "flag"}))
    assert cleaned.table[0].tolist() == ["a", "b"]
    assert list(cleaned.table.columns) == [0, 1, "1_is_missing"]
    with pytest.raises(DataError, match="more than one column named 'x'"):
        clean(pd.DataFrame([[1, 2]], columns=["x", "x"]), CleaningPolicy())


def test_missing_values_are_flagged_in_a_column_of_their_own(people):
    table = clean(people, CleaningPolicy(missing={"spend": "flag"})).table
    assert table["spend_is_missing"].tolist() == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("duplicates", "kept", "reason"),
    [
        ("first", ["Leeds", "Bath"], "customer_id is the same as in an earlier row"),
        ("last", ["Leeds", "York"], "customer_id is the same as in a later row"),
        ("all", ["Leeds"], "customer_id is the same as in another row"),
    ],
)
def test_rows_of_one_key_are_resolved_as_declared(duplicates, kept, reason):
    table = {"customer_id": ["a", "b", "b"], "city": ["Leeds", "Bath", "York"]}
    cleaned = clean(table, CleaningPolicy(key=["customer_id"], duplicates=duplicates))
    assert cleaned.table["city"].tolist() == kept
    assert cleaned.set_aside["reason"].tolist() == [reason] * (3 - len(kept))
    assert cleaned.report["rows"].tolist() == [3 - len(kept)]


def test_a_row_set_aside_for_a_gap_is_no_ones_duplicate():
    table = {"customer_id": ["a", "a"], "city": [None, "York"]}
    cleaned = clean(table, CleaningPolicy(missing={"city": "set-aside"}, key=["customer_id"]))
    assert cleaned.table["city"].tolist() == ["York"]


def test_equal_rows_are_valid_without_a_key():
    assert len(clean({"amount": [1.0, 1.0]}, CleaningPolicy()).table) == 2


def test_raising_tells_every_problem_at_once_without_values(people):
    policy = CleaningPolicy(missing={"city": "raise", "spend": "raise"}, key=["customer_id"], duplicates="raise")
    with pytest.raises(SchemaError) as caught:
        clean(people, policy)
    assert [problem.column for problem in caught.value.problems] == ["city", "spend", "customer_id"]
    assert caught.value.problems[0].rows == (1, 3)
    assert "York" not in str(caught.value)


def test_a_policy_can_be_plain_values_as_in_a_configuration_file():
    cleaned = clean({"city": [None, "York"]}, {"missing": {"city": {"fill": "unknown"}}})
    assert cleaned.table["city"].tolist() == ["unknown", "York"]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"mising": {}}, "nearest: 'missing'"),
        ({"zzz": 1}, "it has: missing, otherwise, key, duplicates"),
        ({"missing": {"city": "mean"}}, "rule for missing values of city"),
        ({"otherwise": "guess"}, "all other columns"),
        ({"duplicates": "some"}, "duplicates must be"),
        ({"key": "city"}, r"write \['city'\]"),
        ({"missing": {"town": "keep"}}, "no column 'town'"),
    ],
)
def test_a_malformed_policy_says_what_is_wrong(policy, message):
    with pytest.raises(DataError, match=message):
        clean({"city": ["York"]}, policy)


def test_the_table_that_came_in_is_not_changed(people):
    before = people.copy()
    clean(people, CleaningPolicy(missing={"city": Fill("x"), "spend": "set-aside"}, key=["customer_id"]))
    pd.testing.assert_frame_equal(people, before)


def test_it_prints_what_was_done(people):
    cleaned = clean(people, CleaningPolicy(missing={"spend": "set-aside"}))
    assert repr(cleaned).startswith("3 rows to use, 2 set aside")
    assert "spend: set aside, missing (2 rows)" in repr(cleaned)
    assert "set aside, missing" in cleaned._repr_html_()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None, " "]), st.sampled_from([1.0, np.nan, np.inf])), max_size=20),
    st.sampled_from(["keep", "set-aside", "flag"]),
    st.sampled_from(["first", "last", "all"]),
)
def test_rows_in_are_rows_to_use_and_rows_set_aside(rows, rule, duplicates):
    table = pd.DataFrame(rows, columns=["customer_id", "spend"])
    policy = CleaningPolicy(missing={"customer_id": rule}, otherwise=rule, key=["customer_id"], duplicates=duplicates)
    cleaned = clean(table, policy)
    assert sorted([*cleaned.table.index, *cleaned.set_aside.index]) == list(range(len(rows)))
    assert not cleaned.table["customer_id"].duplicated().any()
