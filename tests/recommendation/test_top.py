"""The first n of every row, ties in the order of items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._top import top_n

SCORES = st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 0.25, 1.0, 3.0])


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=SCORES), st.integers(1, 12))
def test_agrees_with_a_full_sort(scores, n):
    rows, columns, found = top_n(scores, n)
    for row, values in enumerate(scores):
        order = sorted((-value, column) for column, value in enumerate(values) if value > -np.inf)[:n]
        assert [
            (-value, column) for value, column in zip(found[rows == row], columns[rows == row], strict=True)
        ] == order
    assert (np.diff(rows) >= 0).all()


def test_nothing_to_choose_from():
    assert all(len(part) == 0 for part in top_n(np.full((3, 2), -np.inf), 2))
    assert all(len(part) == 0 for part in top_n(np.zeros((0, 2)), 2))


def test_memory_is_read_as_people_write_it():
    assert [as_bytes(limit) for limit in (10, "3 kb", "1.5GB", "2 GiB")] == [10, 3000, 1_500_000_000, 2 * 2**30]
    for wrong in (0, -1, True, "much", "3 miles", None, "0MB"):
        with pytest.raises(ValueError, match="a memory limit is"):
            as_bytes(wrong)
