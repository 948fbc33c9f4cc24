"""Similarities against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from crmkit.recommendation.ratings import ItemKNNRating, UserKNNRating
from crmkit.recommendation.ratings._similarity import SIMILARITIES, CommonSums, Similarity

NAMES = sorted(SIMILARITIES)


def similarities_of(values, similarity):
    matrix = sparse.csr_array(values)
    matrix.eliminate_zeros()
    sums = CommonSums(matrix, np.arange(len(values)), similarity.needs, len(values)).block(np.arange(len(values)))
    return similarity.of(sums)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("side", "model"), [("item", ItemKNNRating), ("customer", UserKNNRating)])
@pytest.mark.parametrize(("min_support", "step"), [(1, 0.5), (3, 0.1)])
def test_similar_gives_what_the_formula_gives(random_table, by_hand, name, side, model, min_support, step):
    """The four measures of Surprise's documentation, pair by pair."""
    table = random_table(14, 11, 90, seed=5, step=step)
    hand = by_hand(table, side=side)
    targets = sorted(hand.by_target)
    fitted = model(similarity=name, min_support=min_support, shrinkage=7.0).fit(table)
    found = fitted.similar(targets, n=100)
    told = {(row[0], row[1]): (row[3], row[4]) for row in found.itertuples(index=False)}
    for a in targets:
        for b in targets:
            expected = hand.similarity(name, a, b, min_support, 7.0) if a != b else 0.0
            if expected > 1e-12:
                similarity, common = told.pop((a, b))
                assert similarity == pytest.approx(expected, abs=1e-9)
                assert common == len(set(hand.by_target[a]) & set(hand.by_target[b]))
    assert not told


def test_a_row_that_does_not_vary_is_like_no_other_in_correlation():
    values = np.array([[3.3, 3.3, 3.3, 3.3], [1.0, 2.0, 3.0, 5.0], [2.0, 4.0, 6.0, 10.0]])
    found = similarities_of(values, Similarity("pearson", 1, 100.0))
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    assert found[1, 2] == pytest.approx(1.0)


def test_one_common_rating_makes_nobody_similar_by_baseline_correlation():
    values = np.array([[1.0, 0.5, 0.0], [2.0, 0.0, 1.0]])
    assert similarities_of(values, Similarity("pearson-baseline", 1, 0.0))[0, 1] == 0.0


def test_a_common_rating_of_zero_is_common(random_table):
    table = random_table(6, 5, 25, seed=1)
    table["rating"] = 0.0
    assert ItemKNNRating(similarity="msd").fit(table).similar(["i01"], n=1)["similarity"].tolist() == [1.0]


def test_shrinkage_counts_common_ratings():
    values = np.array([[1.0, -1.0, 2.0], [1.0, -1.0, 2.0]])
    assert similarities_of(values, Similarity("pearson-baseline", 1, 100.0))[0, 1] == pytest.approx(2 / 102)
    assert similarities_of(values, Similarity("pearson-baseline", 1, 0.0))[0, 1] == pytest.approx(1.0)
