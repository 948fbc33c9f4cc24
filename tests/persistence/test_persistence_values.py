"""What can be saved comes back as it was."""

from __future__ import annotations

import datetime as dt
import functools
import sys
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

import crmkit
from crmkit import persistence
from crmkit.core.errors import PersistenceError
from crmkit.core.estimate import Estimate


def round_trip(value, tmp_path):
    return persistence.load(persistence.save(value, tmp_path / "model.crmkit"))


SCALARS = [
    None,
    True,
    -(10**30),
    0.1,
    -0.0,
    float("inf"),
    "退款 \ud800 refund\x00",
    b"\x00\xff",
    1 + 2j,
    np.float32(0.1),
    np.int8(-3),
    np.bool_(True),
    np.str_("文"),
    np.datetime64("2024-02-29", "D"),
    pd.NA,
    dt.date(2024, 2, 29),
    dt.datetime(2024, 2, 29, 23, 59, tzinfo=dt.UTC),
    dt.timedelta(days=-1, microseconds=7),
    pd.Timestamp("2024-02-29 12:00", tz="Asia/Shanghai"),
    pd.Timestamp("2024-02-29 12:00:00.123456789"),
    pd.Timedelta("3h"),
    np.dtype("float32"),
    np.dtype([("a", "<i4"), ("b", "<U3", (2,))]),
    range(3, 9, 2),
    slice(None, 5),
    float,
    np.log1p,
]


@pytest.mark.parametrize("value", SCALARS, ids=lambda value: f"{type(value).__name__}")
def test_a_scalar_comes_back_as_itself(value, tmp_path):
    again = round_trip(value, tmp_path)
    assert type(again) is type(value)
    assert again is value if value is pd.NA or isinstance(value, np.ufunc) else again == value
    assert repr(again) == repr(value)


def test_nan_and_nat_come_back(tmp_path):
    nan, nat = round_trip([float("nan"), pd.NaT], tmp_path)
    assert np.isnan(nan)
    assert nat is pd.NaT


def test_a_timestamp_keeps_its_unit(tmp_path):
    assert round_trip(pd.Timestamp("2024-02-29").as_unit("s"), tmp_path).unit == "s"


def test_an_estimate_keeps_its_interval(tmp_path):
    again = round_trip(Estimate(0.6, n=5, low=0.23, high=float("nan"), method="wilson"), tmp_path)
    assert isinstance(again, Estimate)
    assert (again.value, again.n, again.low, again.method) == (0.6, 5, 0.23, "wilson")
    assert np.isnan(again.high)


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.integers())
        | st.sets(st.text())
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(NESTED)
def test_nested_containers_come_back_with_their_types(tmp_path_factory, value):
    again = round_trip(value, tmp_path_factory.mktemp("nested"))
    assert again == value
    assert repr(type(again)) == repr(type(value))


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(
        dtype=hnp.scalar_dtypes() | hnp.unicode_string_dtypes(max_len=5) | hnp.byte_string_dtypes(max_len=5),
        shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_arrays_come_back_with_dtype_shape_and_bytes(tmp_path_factory, array):
    again = round_trip(array, tmp_path_factory.mktemp("arrays"))
    assert again.dtype == array.dtype
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()


def test_an_array_of_objects_comes_back_item_by_item(tmp_path):
    array = np.array([["退款", None], [1.5, ("a", 2)]], dtype=object)
    again = round_trip(array, tmp_path)
    assert again.dtype == object
    assert again.tolist() == array.tolist()


def test_an_array_that_stands_twice_is_one_array_again(tmp_path):
    array = np.arange(5)
    first, second = round_trip([array, array], tmp_path)
    assert first is second
    first[0] = 9
    assert second[0] == 9


def test_a_mapping_proxy_stays_read_only(tmp_path):
    again = round_trip(types.MappingProxyType({"a": 1}), tmp_path)
    assert isinstance(again, types.MappingProxyType)
    assert dict(again) == {"a": 1}


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_matrix", "csr_array"])
def test_sparse_matrices_come_back_in_their_format(kind, tmp_path):
    matrix = getattr(sparse, kind)(np.eye(3) * [1.0, 0.0, 2.0])
    again = round_trip(matrix, tmp_path)
    assert type(again) is type(matrix)
    assert (again.toarray() == matrix.toarray()).all()


def test_random_generators_go_on_where_they_were(tmp_path):
    modern, legacy = np.random.default_rng(3), np.random.RandomState(3)
    modern.random(5)
    legacy.standard_normal(3)
    again_modern, again_legacy = round_trip((modern, legacy), tmp_path)
    assert (again_modern.random(4) == modern.random(4)).all()
    assert (again_legacy.standard_normal(4) == legacy.standard_normal(4)).all()


FRAME = pd.DataFrame(
    {
        "number": [1.5, np.nan],
        "count": np.array([1, 2], dtype="int32"),
        "text": ["退款", None],
        "object": np.array([1, "a"], dtype=object),
        "string": pd.array(["x", pd.NA], dtype="string"),
        "nullable": pd.array([1, pd.NA], dtype="Int64"),
        "flag": pd.array([pd.NA, True], dtype="boolean"),
        "time": pd.to_datetime(["2024-02-29 01:00", None]).tz_localize("Asia/Shanghai"),
        "naive": np.array(["2024-01-01", "NaT"], dtype="datetime64[us]"),
        "kind": pd.Categorical(["b", None], categories=["b", "a"], ordered=True),
        7: [True, False],
    },
    index=pd.Index(["C1", "C2"], name="customer_id"),
)


def test_a_table_comes_back_with_its_dtypes(tmp_path):
    again = round_trip(FRAME, tmp_path)
    pd.testing.assert_frame_equal(again, FRAME)
    assert again["kind"].cat.ordered


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2, 6, 2, name="row"),
        pd.Index([3.5, 4.5]),
        pd.DatetimeIndex(["2024-01-01", "2024-01-02"], tz="UTC", name="time"),
        pd.MultiIndex.from_tuples(
            [("C1", pd.Timestamp("2024-01-01")), ("C2", pd.NaT)], names=["customer_id", "cutoff"]
        ),
        pd.Index(np.array(["a", 1], dtype=object)),
        pd.CategoricalIndex(["x", "y"]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_indexes_come_back(index, tmp_path):
    again = round_trip(pd.Series([1, 2], index=index, name=("a", "b")), tmp_path)
    pd.testing.assert_series_equal(again, pd.Series([1, 2], index=index, name=("a", "b")))
    pd.testing.assert_index_equal(again.index, index)


def test_empty_tables_and_repeated_columns_come_back(tmp_path):
    empty = pd.DataFrame({"a": pd.Series(dtype="float64")})
    twice = pd.DataFrame([[1, "x"], [2, "y"]], columns=["a", "a"])
    bare = pd.DataFrame(index=pd.Index(["C1"]))
    again = round_trip([empty, twice, bare, pd.array([1, None], dtype="Int64")], tmp_path)
    for expected, got in zip([empty, twice, bare], again[:3], strict=True):
        pd.testing.assert_frame_equal(got, expected)
    assert again[3].isna().tolist() == [False, True]


def test_a_column_of_a_dtype_without_a_form_is_refused_by_name_of_its_place(tmp_path):
    frame = {"spans": pd.DataFrame({"span": pd.interval_range(0, 2)})}
    with pytest.raises(PersistenceError, match=r"dict\['spans'\]: a column of dtype interval"):
        persistence.save(frame, tmp_path / "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda: 1, "dict\\['part'\\] is .*<lambda>, which cannot be found again"),
        (functools.partial(lambda: 1), "<lambda>"),
        (len, "builtins:len"),
        ([].append, "cannot be found again"),
        (open(__file__), "_io:TextIOWrapper: only classes of crmkit"),  # noqa: SIM115, PTH123 -- an open file is the point
        (np.ma.masked_array([1]), "MaskedArray cannot be saved"),
        (np.zeros(2, dtype=[("a", object)]), "an array of"),
        (sparse.lil_matrix((2, 2)), "turn it into csr"),
        (dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8))), "keep times in UTC"),
        (object(), "builtins:object: only classes"),
    ],
    ids=[
        "lambda",
        "partial of a lambda",
        "built-in function",
        "bound method",
        "open file",
        "masked array",
        "structured array",
        "list of lists",
        "other time zone",
        "plain object",
    ],
)
def test_what_cannot_be_saved_is_refused_with_its_place(value, message, tmp_path):
    with pytest.raises(PersistenceError, match=message):
        persistence.save({"part": value}, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_what_was_made_before_its_module_was_loaded_again_is_refused_in_these_words(tmp_path, monkeypatch):
    before = crmkit.create("lifetime-model", "nbd")
    home = sys.modules[type(before).__module__]
    monkeypatch.setattr(home, type(before).__name__, type(type(before).__name__, (), {}))
    with pytest.raises(PersistenceError, match="loaded again after it was made; make it anew"):
        persistence.save(before, tmp_path / "x")


def test_a_refusal_never_shows_a_key_that_may_be_personal_data(tmp_path):
    with pytest.raises(PersistenceError) as refused:
        persistence.save({"c1@example.com": [len]}, tmp_path / "x")
    assert "example.com" not in str(refused.value)


def test_a_value_that_holds_itself_is_refused(tmp_path):
    loop = []
    loop.append(loop)
    with pytest.raises(PersistenceError, match="refers back"):
        persistence.save(loop, tmp_path / "x")


def test_deep_nesting_is_refused_before_python_gives_up(tmp_path):
    deep = []
    for _ in range(400):
        deep = [deep]
    with pytest.raises(PersistenceError, match="nested too deeply"):
        persistence.save(deep, tmp_path / "x")
