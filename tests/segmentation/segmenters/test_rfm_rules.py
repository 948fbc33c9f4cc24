"""Named segments by scores: direction, ties, the partition, frozen cuts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

from crmkit import segmentation
from crmkit.segmentation import RfmRules
from crmkit.segmentation.segmenters._rfm_rules import _CELLS, _GRID, _NAMES


@parametrize_with_checks([RfmRules()])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def table(values):
    return np.asarray(values, dtype=float)


def test_recent_customers_score_high():
    days = np.arange(1.0, 101.0)
    scores = RfmRules().fit(np.column_stack([days, days])).scores(np.column_stack([days, days]))
    assert scores[:, 0].tolist() == np.repeat([5, 4, 3, 2, 1], 20).tolist()
    assert scores[:, 1].tolist() == np.repeat([1, 2, 3, 4, 5], 20).tolist()


def test_every_cell_of_scores_has_exactly_one_name_and_every_name_a_cell():
    assert {(row, column) for row, column in itertools.product(range(5), range(5)) if _GRID[row][column]} == set(
        itertools.product(range(5), range(5))
    )
    assert set(_CELLS.ravel().tolist()) == set(range(len(_NAMES)))
    assert {name for row in _GRID for name in row} == set(_NAMES)


def test_all_125_score_triples_are_placed():
    # Five values with equal counts score 1 to 5, so the product of them is every triple of scores.
    triples = table(list(itertools.product(range(1, 6), repeat=3)))
    rules = RfmRules().fit(triples)
    scores = rules.scores(triples)
    assert len(np.unique(scores, axis=0)) == 125
    names = np.array(rules.segment_names_)[rules.labels_]
    for (recency, frequency, monetary), name in zip(scores, names, strict=True):
        worth = int((frequency + monetary) / 2 + 0.5)
        assert name == _GRID[recency - 1][worth - 1]


def test_best_are_champions_and_worst_are_lost():
    days = np.arange(1.0, 51.0)
    rules = RfmRules().fit(np.column_stack([days, days[::-1], days[::-1]]))
    names = np.array(rules.segment_names_)[rules.labels_]
    assert names[0] == "champions"
    assert names[-1] == "lost"
    assert np.array(rules.segment_names_)[rules.predict([[400.0, 50.0, 50.0]])][0] == "cannot lose"
    assert np.array(rules.segment_names_)[rules.predict([[1.0, 1.0, 1.0]])][0] == "new"


def test_ties_take_the_score_of_their_middle_rank():
    frequency = np.array([1.0] * 60 + [2.0] * 20 + [3.0] * 15 + [9.0] * 5)
    scores = RfmRules().fit(np.column_stack([frequency, frequency])).scores(np.column_stack([frequency, frequency]))
    by_value = dict(zip(frequency.tolist(), scores[:, 1].tolist(), strict=True))
    assert by_value == {1.0: 2, 2.0: 4, 3.0: 5, 9.0: 5}
    # Ties are treated alike from both ends: the score of recency mirrors that of the same values as frequency.
    assert (scores[:, 0] + scores[:, 1] == 6).all()


def test_new_values_are_scored_by_the_old_cuts():
    days = np.arange(1.0, 101.0)
    rules = RfmRules().fit(np.column_stack([days, days]))
    new = table([[20.4, 20.4], [20.6, 20.6], [-5.0, 1e9]])
    assert rules.scores(new).tolist() == [[5, 1], [4, 2], [5, 5]]
    assert rules.scores(new[:1]).tolist() == [[5, 1]]


def test_one_customer_scores_the_middle():
    rules = RfmRules().fit([[3.0, 2.0, 10.0]])
    assert rules.scores([[3.0, 2.0, 10.0], [99.0, 1.0, 0.0]]).tolist() == [[3, 3, 3], [3, 3, 3]]


def test_half_scores_round_up():
    triples = table(list(itertools.product(range(1, 6), repeat=3)))
    rules = RfmRules().fit(triples)
    (label,) = rules.predict([[1.0, 3.0, 4.0]])
    assert rules.segment_names_[label] == "champions"


@settings(max_examples=80, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(-5, 5).map(float)))
def test_scores_rise_with_the_value_and_equal_values_score_the_same(values):
    rules = RfmRules().fit(values)
    scores = rules.scores(values)
    assert ((scores >= 1) & (scores <= 5)).all()
    for column, direction in ((0, -1), (1, 1), (2, 1)):
        order = np.argsort(direction * values[:, column], kind="stable")
        assert (np.diff(scores[order, column]) >= 0).all()
        for value in np.unique(values[:, column]):
            assert len(np.unique(scores[values[:, column] == value, column])) == 1
    np.testing.assert_array_equal(rules.predict(values), rules.labels_)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 30), st.just(3)), elements=st.integers(1, 50).map(float)))
def test_a_rising_transform_changes_no_segment(values):
    np.testing.assert_array_equal(RfmRules().fit_predict(values), RfmRules().fit_predict(np.log1p(values)))


def test_one_column_is_refused():
    with pytest.raises(ValueError, match="minimum of 2"):
        RfmRules().fit([[1.0], [2.0]])


def test_cdnow_puts_every_customer_into_one_segment_and_none_holds_most(data_file):
    purchases = pd.read_csv(
        data_file("cdnow/CDNOW_master.txt"),
        sep=r"\s+",
        names=["customer_id", "date", "cds", "spent"],
        skiprows=1,
        dtype={"date": str},
    )
    purchases["date"] = pd.to_datetime(purchases["date"], format="%Y%m%d")
    grouped = purchases.groupby("customer_id")
    rfm = pd.DataFrame(
        {
            "recency_days": (pd.Timestamp("1998-07-01") - grouped["date"].max()).dt.days,
            "frequency": grouped["date"].nunique(),
            "monetary": grouped["spent"].sum(),
        }
    )
    assert len(rfm) == 23_570
    segments = segmentation.segment(rfm, "rfm-rules")
    assert segments.labels.isin(_NAMES).all()
    assert segments.profile["customers"].sum() == 23_570
    # One purchase in the first quarter was all for half of them: the largest segment is what that looks like.
    assert segments.profile["share"].max() <= 0.4
