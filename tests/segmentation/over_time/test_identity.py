"""Which segments count as the same, as split, as merged."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import segmentation
from crmkit.core.errors import DataError
from crmkit.segmentation import Identity
from crmkit.segmentation.over_time._identity import jaccard, match


def identity(counts, before="ABCDEF", after="UVWXYZ"):
    """Give the identity of a table of segments without anybody outside."""
    counts = np.array(counts)
    rows, columns = list(range(counts.shape[0])), list(range(counts.shape[1]))
    pairs = match(counts, rows, columns)
    names = list(before[: len(rows)]), list(after[: len(columns)])
    return Identity(counts.tolist(), rows, columns, *names, pairs, 1 / 3)


def what(found):
    """Give what became of each segment by its name."""
    table = found.table
    return dict(zip(table["before"].fillna(table["after"]), table["what"], strict=True))


def test_permuted_labels_are_matched_back_in_100_of_100():
    random = np.random.default_rng(0)
    for _ in range(100):
        k = int(random.integers(1, 13))
        labels = np.concatenate([np.arange(k), random.integers(0, k, 200)])
        order = random.permutation(k)
        counts = np.zeros((k, k), dtype=int)
        np.add.at(counts, (labels, order[labels]), 1)
        assert match(counts, range(k), range(k)) == [[segment, order[segment]] for segment in range(k)]


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_most_customers_stay_together_as_brute_force_finds(rows, columns, data):
    counts = np.array(
        data.draw(
            st.lists(st.lists(st.integers(0, 9), min_size=columns, max_size=columns), min_size=rows, max_size=rows)
        )
    )
    allowed = np.where((jaccard(counts) >= 1 / 3) & (counts > 0), counts, 0)
    wide = allowed if rows <= columns else allowed.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(chosen))
        for chosen in permutations(range(wide.shape[1]), wide.shape[0])
    )
    pairs = match(counts, range(rows), range(columns))
    assert sum(counts[row, column] for row, column in pairs) == best
    assert all(jaccard(counts)[row, column] >= 1 / 3 for row, column in pairs)


def test_whoever_is_in_no_segment_is_matched_with_nothing():
    counts = np.array([[10, 0], [0, 50]])
    assert match(counts, [0, -1], [0, -1]) == [[0, 0]]
    assert match(counts, [-1, -1], [0, 1]) == []


def test_little_in_common_is_another_segment():
    found = identity([[30, 35, 35], [0, 100, 0], [0, 0, 100]])
    assert what(found)["A"] == "vanished"
    assert found.appeared == ["U"]
    assert found.vanished == ["A"]
    row = found.table.set_index("before").loc["A"]
    assert (row["shared"], row["jaccard"]) == (30, pytest.approx(0.3))
    assert pd.isna(row["after_id"])


def test_a_segment_that_falls_into_parts_is_split():
    found = identity([[50, 50, 0], [0, 5, 95]])
    assert what(found) == {"A": "split into 'U', 'V'", "B": "kept", "V": "appeared"}


def test_a_piece_that_goes_elsewhere_is_no_split():
    # Half of A joins the larger B: most of V is not from A.
    found = identity([[50, 50], [0, 200]])
    assert what(found) == {"A": "kept", "B": "kept"}


def test_segments_that_come_together_are_merged():
    assert what(identity([[60, 0], [50, 0], [0, 90]])) == {
        "A": "merged into 'U'", "B": "merged into 'U'", "C": "kept",
    }  # fmt: skip


def test_a_small_segment_taken_in_by_a_large_one_is_merged_and_the_large_one_kept():
    assert what(identity([[500, 0], [40, 10], [0, 90]])) == {"A": "kept", "B": "merged into 'U'", "C": "kept"}


def test_a_segment_that_nobody_is_in_any_more_has_vanished():
    assert what(identity([[10, 0], [0, 0], [0, 10]])) == {"A": "kept", "B": "vanished", "C": "kept"}


def test_display_says_what_happened_and_is_escaped():
    found = identity([[50, 50, 0], [0, 5, 95]], after="<VX")
    assert repr(found).startswith("1 kept, 1 split, 1 appeared; adjusted Rand index")
    assert "–" in repr(found)
    assert "split into &#x27;&lt;&#x27;" in found._repr_html_()
    assert found.contingency.loc["B", "X"] == 95
    shares = found.migration_shares
    assert shares.groupby("from")["share"].sum().tolist() == pytest.approx([1, 1])
    assert "nobody is in both" in repr(identity([[0]]))


def test_two_models_are_matched_on_the_customers_of_both(rfm):
    first = segmentation.segment(rfm, n_segments=3, random_state=0)
    second = segmentation.segment(rfm.iloc[:200], n_segments=2, random_state=0)
    found = first.compare(second)
    assert isinstance(found, Identity)
    assert found.contingency.to_numpy().sum() == 200
    assert found.rand.n == 200
    told = found.table.set_index("before")
    assert told["what"].str.startswith("merged").sum() + (told["what"] == "kept").sum() == 3
    same = first.compare(first.rename({0: "best"}))
    assert same.rand == 1
    assert same.table.loc[0, ["before", "after"]].tolist() == [first.names[0], "best"]


def test_two_models_without_common_customers_cannot_be_matched(rfm):
    other = rfm.set_axis(pd.Index([f"n{number}" for number in range(300)], name="customer_id"))
    first, second = (segmentation.segment(table, n_segments=3, random_state=0) for table in (rfm, other))
    with pytest.raises(DataError, match="no customer is in both models"):
        first.compare(second)
