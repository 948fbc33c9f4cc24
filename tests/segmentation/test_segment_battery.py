"""Every catalogued segmenter on every odd table: a right answer, or one clear error."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import preparation, segmentation
from crmkit.core.errors import DataError, DataWarning, MissingExtraError

SEGMENTERS = crmkit.available("segmenter")
COUNT = 60
# As many in a group as those need that ask for some density by their own parameters.
GROUPS = np.repeat([0, 1, 2], COUNT // 3)


def table(columns):
    """Give a customer table of these columns."""
    frame = pd.DataFrame(columns)
    return frame.set_axis(pd.Index([f"c{place}" for place in range(len(frame))], name="customer_id"))


def grouped(n_columns=3, size=1.0, names=None):
    """Give three clear groups of twenty."""
    random = np.random.default_rng(0)
    values = (np.array([1.0, 20.0, 60.0])[GROUPS][:, None] + random.normal(0, 1, (COUNT, n_columns))) * size
    return table(dict(zip(names or [f"x{place}" for place in range(n_columns)], values.T, strict=True)))


# A forest tells rows of so few apart by single cuts; its groups need not be these.
OF_OTHER_SHAPE = {"forest-proximity"}


def takes_number(name):
    return "n_segments" in crmkit.describe("segmenter", name).spec.facts


def is_raw(name):
    """Say whether a segmenter wants raw columns."""
    return getattr(crmkit.create("segmenter", name), "preferred_transform", None) is not None


def cut(frame, name, *, transform="scale", n_segments=None):
    """Segment all columns; what is only worth a look is not an error here."""
    number = n_segments if n_segments is not None else 3 if takes_number(name) else "auto"
    if is_raw(name):
        transform = "rfm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return segmentation.segment(
            frame, name, n_segments=number, transform=transform, features=list(frame.columns), random_state=0
        )


def check_whole(segments, frame):
    """Check what must hold of any answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        again = segments.predict(frame)
    assert segments.labels.index.equals(frame.index)
    assert segments.profile["customers"].sum() == len(frame)
    assert segments.labels.notna().all()
    assert (again == segments.labels).all()
    assert str(segments)


def found_groups(segments):
    """Say whether no segment mixes two of the three groups."""
    inside = segments.segment_id[segments.segment_id >= 0]
    return inside.groupby(GROUPS[: len(segments.segment_id)][segments.segment_id >= 0]).nunique().max() == 1


@pytest.fixture(params=SEGMENTERS)
def name(request):
    try:
        crmkit.create("segmenter", request.param)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return request.param


RIGHT = {
    "plain": grouped(),
    "enormous values": grouped(size=1e300),
    "tiny values": grouped(size=1e-300),
    "a constant column": grouped().assign(x1=3.0),
    "a mark of 0 and 1": grouped().assign(x1=(GROUPS == 2).astype(int)),
    "duplicates": grouped().iloc[np.repeat([0, 25, 50], 20)].set_axis(grouped().index),
}
# What is the same for all segmenters, because it is read before them.
READ = {
    "Chinese names": grouped(names=["访问次数", "消费", "天数"]),
    "whole numbers": grouped().round().astype("int64"),
    "nullable whole numbers": grouped().round().astype("Int64"),
    "nullable numbers": grouped().astype("Float64"),
    "yes and no": grouped().assign(x1=GROUPS == 2),
}


@pytest.mark.parametrize("case", RIGHT)
def test_odd_columns_give_the_groups_that_are_there(name, case):
    frame = RIGHT[case]
    segments = cut(frame, name)
    check_whole(segments, frame)
    if takes_number(name) and name not in OF_OTHER_SHAPE:
        assert segments.n_segments == 3
        assert found_groups(segments)


@pytest.mark.parametrize("case", READ)
@pytest.mark.parametrize("name", ["kmeans", "rfm-rules"])
def test_odd_types_of_columns_are_read(name, case):
    segments = cut(READ[case], name)
    check_whole(segments, READ[case])
    assert found_groups(segments) or is_raw(name)


def test_two_hundred_columns_are_borne(name):
    points = preparation.for_clustering(skew="none").fit_transform(grouped(200))
    parameter = crmkit.describe("segmenter", name).spec.facts.get("n_segments")
    made = crmkit.create("segmenter", name, **({parameter: 3} if parameter else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        labels = made.fit_predict(grouped(200) if is_raw(name) else points)
    assert labels.shape == (COUNT,)


def test_two_hundred_columns_are_profiled():
    frame = grouped(200)
    segments = cut(frame, "kmeans")
    check_whole(segments, frame)
    assert found_groups(segments)


def test_components_of_many_columns_give_the_groups():
    frame = grouped(20)
    segments = cut(frame, "kmeans", transform=preparation.for_clustering(pca=0.9))
    check_whole(segments, frame)
    assert found_groups(segments)


@pytest.mark.parametrize("kind", ["arrow", "polars", "pyarrow table"])
def test_tables_of_other_libraries_give_what_pandas_gives(kind):
    if kind == "arrow":
        pytest.importorskip("pyarrow")
        given = grouped().convert_dtypes(dtype_backend="pyarrow")
    else:
        library = pytest.importorskip(kind.split()[0])
        flat = grouped().reset_index()
        given = library.from_pandas(flat) if kind == "polars" else library.Table.from_pandas(flat)
    segments = segmentation.segment(given, n_segments=3, transform="scale", random_state=0)
    assert segments.segment_id.tolist() == cut(grouped(), "kmeans").segment_id.tolist()


def test_missing_values_that_are_filled_give_the_groups(name):
    frame = grouped().mask(np.random.default_rng(1).random((COUNT, 3)) < 0.05)
    if is_raw(name):
        with pytest.raises(DataError, match=r"'x0' is missing in row"):
            cut(frame, name)
        return
    segments = cut(frame, name, transform=preparation.for_clustering(missing="median", skew="none"))
    check_whole(segments, frame)


def cut_or_refused(frame, name):
    """Segment, or see that the one clear error says how many customers there are: None then."""
    told = f"could not be fitted on {len(frame)} customers by {frame.shape[1]} columns"
    alone = "compares customers with each other, and there is one customer only"
    try:
        return cut(frame, name, n_segments="auto")
    except DataError as error:
        if told not in str(error) and not (len(frame) == 1 and alone in str(error)):
            raise
        return None


@pytest.mark.parametrize("rows", [1, 2])
def test_one_or_two_customers_are_segmented_or_refused_by_number(name, rows):
    frame = grouped().iloc[[0, -1][:rows]]
    segments = cut_or_refused(frame, name)
    if segments is not None:
        check_whole(segments, frame)
        assert segments.n_segments <= rows


@pytest.mark.parametrize("rows", [2, 20])
def test_equal_customers_are_never_parted(name, rows):
    frame = table({"a": [5.0] * rows, "b": [2.0] * rows})
    segments = cut_or_refused(frame, name)
    if segments is not None:
        check_whole(segments, frame)
        assert len(set(segments.segment_id)) == 1


def test_more_segments_than_distinct_customers_are_refused(name):
    frame = table({"a": [1.0, 1.0, 9.0, 9.0], "b": [2.0, 2.0, 1.0, 1.0]})
    if not takes_number(name):
        pytest.skip(f"{name} finds the number itself")
    with pytest.raises(DataError, match="n_segments=3, but there are only 2 distinct customers"):
        cut(frame, name, n_segments=3)


@pytest.mark.parametrize(("size", "word"), [(1e160, "large"), (1e300, "large"), (1e-200, "small")])
@pytest.mark.parametrize("number", ["auto", 3])
def test_sizes_without_distances_are_refused_by_column(name, size, word, number):
    if is_raw(name):
        check_whole(cut(grouped(size=size), name), grouped(size=size))
        return
    if number == 3 and not takes_number(name):
        pytest.skip(f"{name} finds the number itself")
    with pytest.raises(DataError, match=f"customer table gives no distances: x0, x1, x2: too {word} to square"):
        cut(grouped(size=size), name, transform="none", n_segments=number)


def test_many_columns_without_distances_are_not_all_listed():
    with pytest.raises(DataError, match=r"x0, x1, x2, x3, x4, … \(9 in all\): too large"):
        cut(grouped(9, size=1e200), "kmeans", transform="none")


def test_new_customers_without_distances_are_refused():
    segments = cut(grouped(), "kmeans", transform="none")
    with pytest.raises(DataError, match=r"x0, x1, x2: too large to square$"):
        segments.predict(grouped(size=1e200))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.where(GROUPS == 0, np.inf, 1.0), "'odd' is infinite in rows 0, 1, 2, 3, 4, … (20 in all)"),
        (np.where(GROUPS == 0, np.nan, 1.0), "'odd' is missing in rows 0, 1, 2, 3, 4, … (20 in all)"),
        (pd.array([None] + [1] * (COUNT - 1), dtype="Int64"), "'odd' is missing in row 0"),
        (pd.array([None] + [True] * (COUNT - 1), dtype="boolean"), "'odd' is missing in row 0"),
        (pd.date_range("2024-01-01", periods=COUNT), "'odd' is not numeric (datetime64"),
        (pd.date_range("2024-01-01", periods=COUNT, tz="Asia/Shanghai"), "make it days, such as those before a cutoff"),
        (pd.to_timedelta(np.arange(COUNT), unit="D"), "make it days, such as those before a cutoff"),
        (["secret"] * COUNT, "'odd' is not numeric"),
        (pd.Categorical(["secret"] * COUNT), "'odd' is not numeric (category)"),
        (np.arange(COUNT) * 1j, "'odd' is not numeric (complex128)"),
    ],
)
def test_what_is_no_number_is_refused_by_column_and_row_without_its_value(name, values, message):
    if getattr(crmkit.create("segmenter", name), "takes_categories", False):
        pytest.skip(f"{name} takes categories")
    with pytest.raises(DataError) as caught:
        cut(grouped().assign(odd=values), name)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


MIXED = [("k-prototypes", None), ("k-medoids", {"metric": "gower"})]


@pytest.mark.parametrize(("name", "params"), MIXED)
@pytest.mark.parametrize("dtype", ["object", "category", "string"])
def test_a_category_that_all_share_is_told_and_changes_nothing(name, params, dtype):
    frame = grouped().assign(country=pd.Series(["CN"] * COUNT, index=grouped().index, dtype=dtype))
    with pytest.warns(DataWarning, match="country=CN: one value only"):
        segments = segmentation.segment(frame, name, n_segments=3, transform="scale", params=params, random_state=0)
    assert found_groups(segments)
    pd.testing.assert_series_equal(segments.predict(frame), segments.labels)


@pytest.mark.parametrize(("name", "params"), MIXED)
def test_times_are_no_categories(name, params):
    frame = grouped().assign(joined=pd.date_range("2024-01-01", periods=COUNT, tz="UTC"))
    with pytest.raises(DataError, match=r"joined holds Timestamp, neither number nor category: make it days or text"):
        segmentation.segment(frame, name, n_segments=3, transform="scale", params=params)
