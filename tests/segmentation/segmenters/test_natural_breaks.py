"""Natural breaks: the optimum by brute force, published examples, ties, weights, far values, speed."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.segmentation import jenks_breaks
from crmkit.segmentation.segmenters import _natural_breaks
from crmkit.segmentation.segmenters._natural_breaks import natural_classes


def deviations(values, weight, ends):
    """Give the squared deviations inside classes, straight from the definition."""
    total = 0.0
    for start, end in itertools.pairwise([0, *ends]):
        inside, mass = values[start:end], weight[start:end]
        total += float((mass * (inside - (inside @ mass) / mass.sum()) ** 2).sum())
    return total


def least(values, weight, n_classes):
    """Try every way to cut."""
    inner = itertools.combinations(range(1, len(values)), n_classes - 1)
    return min(deviations(values, weight, [*cuts, len(values)]) for cuts in inner)


def test_the_textbook_example():
    # Four values in two classes: SDAM 26, and 1 within {4, 5} {9, 10}, so a fit of 25/26 = .96; {4} {5, 9, 10} has .46.
    found = jenks_breaks([4, 5, 9, 10], 2)
    assert found.breaks.tolist() == [5]
    assert found.goodness_of_fit == pytest.approx(25 / 26)
    assert found.bounds.tolist() == [4, 5, 10]
    assert found.means.tolist() == [4.5, 9.5]


def test_the_example_of_ckmeans():
    # The tests of the authors of doi:10.32614/RJ-2011-015: sizes 4, 3, 3, centers -1, 2, 5, within 0, 0, 2.
    values = np.array([-1, 2, -1, 2, 4, 5, 6, -1, 2, -1])
    found = jenks_breaks(values, 3)
    assert found.counts.tolist() == [4, 3, 3]
    assert found.means.tolist() == [-1, 2, 5]
    assert (found.classify(values) + 1).tolist() == [1, 2, 1, 2, 3, 3, 3, 1, 2, 1]
    total = ((values - values.mean()) ** 2).sum()
    assert found.goodness_of_fit == pytest.approx(1 - 2 / total)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(-20, 20) | st.floats(-1e3, 1e3), min_size=1, max_size=9, unique=True),
    st.data(),
)
def test_no_cut_is_better(values, data):
    column = np.array(sorted(values), dtype=float)
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(column), max_size=len(column)))
    weight = np.array(weights, dtype=float)
    for n_classes in range(1, len(column) + 1):
        ends = natural_classes(column, weight, n_classes)
        assert len(ends) == n_classes
        assert (np.diff([0, *ends]) >= 1).all()
        scale = deviations(column, weight, [len(column)])
        assert deviations(column, weight, ends) <= least(column, weight, n_classes) + 1e-12 * scale


@pytest.mark.parametrize("chunk", [1, 7, 1 << 17])
def test_chunks_change_nothing(monkeypatch, chunk):
    values = np.sort(np.random.default_rng(0).lognormal(3, 1, 400))
    expected = natural_classes(values, np.ones(400), 6)
    monkeypatch.setattr(_natural_breaks, "CHUNK", chunk)
    np.testing.assert_array_equal(natural_classes(values, np.ones(400), 6), expected)


def test_more_classes_fit_no_worse_and_agree_with_a_plain_dynamic_program():
    random = np.random.default_rng(1)
    values = np.unique(random.gamma(0.7, 50, 150).round(1))
    weight = random.integers(1, 30, len(values)).astype(float)
    count = len(values)
    inside = np.full((count + 1, count + 1), np.inf)
    for start in range(count):
        for end in range(start + 1, count + 1):
            inside[start, end] = deviations(values[start:end], weight[start:end], [end - start])
    best = inside[0].copy()
    for n_classes in range(2, 9):
        best = np.array([(best[:end] + inside[:end, end]).min() if end else np.inf for end in range(count + 1)])
        found = deviations(values, weight, natural_classes(values, weight, n_classes))
        assert found == pytest.approx(best[count], rel=1e-9)


def test_equal_values_are_together_and_a_weight_is_a_repetition():
    values, times = [1.0, 2.0, 7.0, 9.0, 20.0], [50, 1, 3, 4, 2]
    repeated = jenks_breaks(np.repeat(values, times), 3)
    weighted = jenks_breaks(values, 3, sample_weight=times)
    assert repeated.bounds.tolist() == weighted.bounds.tolist() == [1, 2, 9, 20]
    assert repeated.counts.tolist() == weighted.counts.tolist() == [51, 7, 2]
    assert repeated.goodness_of_fit == pytest.approx(weighted.goodness_of_fit)


def test_values_without_weight_are_left_out():
    assert jenks_breaks([1, 2, 500], 2, sample_weight=[1, 1, 0]).bounds.tolist() == [1, 1, 2]


def test_minus_zero_is_zero():
    assert jenks_breaks([-0.0, 0.0, 1.0], 2).counts.tolist() == [2, 1]


@pytest.mark.parametrize("turn", [1, -1])
def test_one_far_value_does_not_blur_the_others(turn):
    random = np.random.default_rng(2)
    near = np.sort(random.normal(size=8).round(3))
    values = np.sort(turn * np.append(near, 1e14))
    ends = natural_classes(values, np.ones(9), 4)
    inner = np.sort(turn * near)
    cuts = [end for end in (ends[:-1] if turn == 1 else ends[1:] - 1) if 0 < end <= 8]
    assert deviations(inner, np.ones(8), cuts) == pytest.approx(least(inner, np.ones(8), 3))


@pytest.mark.parametrize("unit", [1e-300, 1e-6, 1e6, 1e300])
def test_the_unit_changes_no_class(unit):
    values = np.random.default_rng(3).lognormal(0, 1, 200)
    assert jenks_breaks(values * unit, 5).counts.tolist() == jenks_breaks(values, 5).counts.tolist()


def test_the_largest_numbers_do_not_overflow():
    found = jenks_breaks([-1.7e308, 1.6e308, 1.7e308, 0.0], 3)
    assert found.counts.tolist() == [1, 1, 2]
    assert np.isfinite(found.means).all()


def test_all_equal_is_one_class_without_a_fit():
    found = jenks_breaks([7, 7, 7], 1)
    assert found.counts.tolist() == [3]
    assert np.isnan(found.goodness_of_fit)
    assert found.breaks.tolist() == []


def test_a_class_for_every_value_fits_wholly():
    assert jenks_breaks([3, 1, 2], 3).goodness_of_fit == 1


def test_it_prints_its_classes():
    assert str(jenks_breaks([4, 5, 9, 10], 2)).splitlines() == [
        "2 classes, goodness of variance fit 0.9615",
        "  from 4 to 5: 2",
        "  above 5 to 10: 2",
    ]


@pytest.mark.parametrize(
    ("values", "weight", "message"),
    [
        ([1, np.nan, np.inf], None, r"values missing or infinite in rows 1, 2"),
        ([1, 2], [1, -1], r"sample_weight negative in row 1"),
        ([1, 2], [1, np.nan], r"sample_weight missing or infinite in row 1"),
        ([1, 2], [1], r"one weight a value, got shape \(1,\)"),
        ([1, 2], [0, 0], "zero everywhere"),
        ([], None, "at least one number"),
        ([[1, 2]], None, r"one column of at least one number, got shape \(1, 2\)"),
        ([5, 5, 5], None, "only 1 distinct values"),
    ],
)
def test_what_cannot_be_classed_is_refused(values, weight, message):
    with pytest.raises(DataError, match=message):
        jenks_breaks(values, 2, sample_weight=weight)


@pytest.mark.parametrize("n_classes", [0, -1, 2.0, True, "2"])
def test_number_of_classes_is_a_whole_number(n_classes):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        jenks_breaks([1, 2, 3], n_classes)


def test_a_hundred_thousand_distinct_values_take_no_time():
    # A quadratic search would need an hour.
    values = np.random.default_rng(4).lognormal(3, 1.5, 100_000)
    start = time.process_time()
    found = jenks_breaks(values, 5)
    assert time.process_time() - start < 3
    assert found.counts.sum() == 100_000
    # At an optimum no value is nearer to the mean of a neighboring class.
    halves = (found.means[1:] + found.means[:-1]) / 2
    assert (found.breaks <= halves).all()
    assert (halves <= np.array([values[values > cut].min() for cut in found.breaks])).all()
