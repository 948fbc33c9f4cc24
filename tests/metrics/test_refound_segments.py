"""The stability of segments that were found anew: Hennig's best Jaccard similarities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import DataError, DataWarning, metrics
from crmkit.metrics.stability import best_jaccard


def by_sets(labels, refound):
    """Work the best Jaccard similarity out as the paper writes it, with sets."""
    theirs = [set(np.flatnonzero(refound == name)) for name in np.unique(refound[refound >= 0])]
    found = []
    for name in range(labels.max() + 1):
        mine = set(np.flatnonzero(labels == name))
        found.append(max((len(mine & one) / len(mine | one) for one in theirs), default=0.0) if mine else np.nan)
    return found


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 4)), min_size=1, max_size=30))
def test_best_jaccard_is_that_of_sets(pairs):
    labels, refound = np.array(pairs).T
    np.testing.assert_allclose(best_jaccard(labels, refound, labels.max() + 1), by_sets(labels, refound))


def test_segments_that_come_back_under_other_names_are_stable():
    got = metrics.stability(["a", "a", "b", "b", "c"], [["x", "x", "y", "y", "z"], ["z", "z", "x", "x", "y"]])
    assert (got, got.low, got.high, got.n) == (1.0, 1.0, 1.0, 2)


def test_it_is_the_mean_over_segments_of_means_over_resamples():
    labels = [0, 0, 0, 1, 1, 1]
    refound = [[0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
    # First resample: 2/3 and 3/4; second: 1/2 and 1/2.
    assert metrics.stability(labels, refound) == pytest.approx((2 / 3 + 1 / 2 + 3 / 4 + 1 / 2) / 4)


def test_rows_that_were_not_drawn_have_no_say():
    labels = [0, 0, 0, 1, 1, 1]
    whole = metrics.stability(labels, [[0, 0, None, 1, 1, None]])
    assert whole == 1.0
    assert metrics.stability(labels, np.array([[0, 0, np.nan, 1, 1, np.nan]])) == whole
    assert metrics.stability(labels, pd.DataFrame([[0, 0, None, 1, 1, None]])) == whole


def test_rows_in_no_segment_are_in_none_of_the_unions_but_break_segments_up():
    assert metrics.stability([0, 0, 0, 0, -1], [[0, 0, -1, -1, 0]]) == pytest.approx(2 / 5)
    assert metrics.stability([0, 0, 1, 1], [[-1, -1, -1, -1]]) == 0.0


def test_resamples_without_a_segment_are_told():
    with pytest.warns(DataWarning, match="1 of 4 pairs of resample and segment hold nobody"):
        got = metrics.stability([0, 0, 1], [[0, 0, 1], [1, 1, None]])
    assert got == 1.0


def test_interval_covers_the_mean_over_all_resamples():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    refound = np.where(random.random((400, 40)) < 0.2, 1 - labels, labels)
    true = metrics.stability(labels, refound).value
    parts = [metrics.stability(labels, refound[start : start + 20]) for start in range(0, 400, 20)]
    assert np.mean([part.low <= true <= part.high for part in parts]) >= 0.85


@pytest.mark.parametrize(
    ("labels", "refound", "match"),
    [
        ([0, 1], [0, 1], "a row for each resample"),
        ([0, 1], [[0, 1, 1]], "each of the 2 labels"),
        ([0, 1], np.empty((0, 2)), "shape"),
        ([-1, -1], [[0, 0]], "nobody is in a segment"),
        ([0, 1], [[None, None]], "no resample holds anybody"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels, refound, match):
    with pytest.raises(DataError, match=match):
        metrics.stability(labels, refound)
