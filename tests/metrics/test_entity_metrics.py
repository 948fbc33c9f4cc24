"""Strict F1 of entities is what CoNLL and seqeval count, with an interval, and the report says what went wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmkit
from crmkit.core.errors import DataError
from crmkit.metrics import entity_f1, entity_report, resolve

SPANS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("ab")).map(lambda s: (s[0], s[0] + s[1], s[2])),
    max_size=4,
)
PAIRS = st.lists(st.tuples(SPANS, SPANS), min_size=1, max_size=6)


def by_sets(pairs):
    """Count hits, actual and predicted entities the plain way."""
    hits = sum(len(set(a) & set(b)) for a, b in pairs)
    return hits, sum(len(set(a)) for a, _ in pairs), sum(len(set(b)) for _, b in pairs)


@given(PAIRS)
def test_micro_f1_is_twice_the_hits_over_all_entities(pairs):
    hits, actual, predicted = by_sets(pairs)
    if not actual + predicted:
        return
    figure = entity_f1([a for a, _ in pairs], [b for _, b in pairs], n_resamples=20)
    assert figure.value == pytest.approx(2 * hits / (actual + predicted))
    assert figure.n == len(pairs)


@given(PAIRS)
def test_the_report_counts_what_plain_sets_count(pairs):
    report = entity_report([a for a, _ in pairs], [b for _, b in pairs])
    labels = {span[2] for pair in pairs for spans in pair for span in spans}
    assert report.index.tolist() == sorted(labels)
    for label in labels:
        mine = [([s for s in a if s[2] == label], [s for s in b if s[2] == label]) for a, b in pairs]
        hits, actual, predicted = by_sets(mine)
        row = report.loc[label]
        assert (row["support"], row["predicted"]) == (actual, predicted)
        assert row["f1"] == pytest.approx(2 * hits / (actual + predicted))
        if actual:
            assert row["recall"] == pytest.approx(hits / actual)
            assert row["recall_low"] <= row["recall"] <= row["recall_high"]
        missed = [(s, text) for text, (a, b) in enumerate(mine) for s in set(a) if s not in b]
        touching = [s for s, text in missed if any(o[0] < s[1] and s[0] < o[1] for o in mine[text][1])]
        assert row["other_borders"] == len(touching)
        renamed = [s for s, text in missed if any(o[:2] == s[:2] for o in pairs[text][1])]
        assert row["other_label"] == len(renamed)


def test_the_example_of_seqeval_gives_its_figure():
    # y_true O O O B I I O / B I O against y_pred O O B I I I O / B I O: f1 0.50 (README of seqeval 1.2.2).
    actual = [[(3, 6, "MISC")], [(0, 2, "PER")]]
    predicted = [[(2, 6, "MISC")], [(0, 2, "PER")]]
    assert entity_f1(actual, predicted).value == 0.5
    assert entity_f1(actual, predicted, average="macro").value == 0.5
    report = entity_report(actual, predicted)
    assert report["f1"].tolist() == [0.0, 1.0]


def test_macro_is_the_mean_over_labels():
    actual = [[(0, 1, "a"), (2, 3, "a"), (4, 5, "b")]]
    assert entity_f1(actual, [[(0, 1, "a"), (2, 3, "a")]], average="macro").value == 0.5
    assert entity_f1(actual, [[(0, 1, "a"), (2, 3, "a")]]).value == pytest.approx(0.8)


def test_the_interval_is_that_of_texts_drawn_with_replacement():
    rng = np.random.RandomState(3)
    actual = [[(place, place + 1, "x") for place in range(rng.randint(0, 4))] for _ in range(60)]
    predicted = [[span for span in spans if rng.rand() < 0.7] for spans in actual]
    figure = entity_f1(actual, predicted, n_resamples=2000)
    draws = []
    for _ in range(2000):
        rows = rng.randint(60, size=60)
        hits, a, b = by_sets([(actual[row], predicted[row]) for row in rows])
        draws.append(2 * hits / (a + b))
    low, high = np.quantile(draws, [0.025, 0.975])
    assert figure.low == pytest.approx(low, abs=0.015)
    assert figure.high == pytest.approx(high, abs=0.015)
    assert figure.method == "bootstrap over texts"


def test_the_interval_covers_what_it_should_about_as_often_as_it_says():
    rng = np.random.RandomState(0)
    inside = 0
    for _ in range(200):
        sizes = rng.randint(1, 4, size=80)
        actual = [[(place, place + 1, "x") for place in range(size)] for size in sizes]
        # A text is found as a whole or not at all: recall .8, precision 1, F1 = 1.6 / 1.8.
        predicted = [spans if rng.rand() < 0.8 else [] for spans in actual]
        figure = entity_f1(actual, predicted, n_resamples=300, random_state=rng)
        inside += figure.low <= 1.6 / 1.8 <= figure.high
    assert 0.88 <= inside / 200 <= 0.99


def test_where_all_or_nothing_is_right_there_is_an_interval_too():
    all_right = entity_f1([[(0, 1, "a")]] * 10, [[(0, 1, "a")]] * 10)
    assert (all_right.value, all_right.high) == (1.0, 1.0)
    assert 0.7 < all_right.low < 1
    none_right = entity_f1([[(0, 1, "a")]] * 10, [[]] * 10)
    assert (none_right.value, none_right.low) == (0.0, 0.0)
    assert 0 < none_right.high < 0.6


def test_without_resamples_there_is_no_interval():
    figure = entity_f1([[(0, 1, "a")]], [[(0, 1, "a")]], n_resamples=0)
    assert figure.value == 1.0
    assert np.isnan(figure.low)


def test_the_seed_moves_the_interval_alone():
    actual, predicted = [[(0, 1, "a")], [(0, 1, "a")], []], [[(0, 1, "a")], [], [(0, 1, "a")]]
    one, two = (entity_f1(actual, predicted, random_state=0) for _ in range(2))
    assert (one.value, one.low, one.high) == (two.value, two.low, two.high)


def test_the_evaluator_is_found_by_name():
    assert crmkit.create("evaluator", "entity-f1")([[(0, 1, "a")]], [[(0, 1, "a")]]).value == 1.0
    found = resolve("entity-f1")
    assert found.greater_is_better
    assert found.value([[(0, 1, "a")]], [[(0, 1, "b")]]) == 0.0


@pytest.mark.parametrize(
    ("actual", "predicted", "said"),
    [
        ([[]], [[]], "no text has an entity"),
        ([], [], "no texts"),
        ([[]], [[], []], "actual has 1 and predicted has 2"),
        ("O", [[]], "actual must be one list"),
        ([[]], [[(0,)]], "predicted: something of text 0"),
        ([[(0, 0, "a")]], [[]], "actual: text 0"),
        ([[(0, 1, 5)]], [[]], "actual: text 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(actual, predicted, said):
    with pytest.raises(DataError, match=said):
        entity_f1(actual, predicted)


def test_an_unknown_average_is_refused():
    with pytest.raises(DataError, match="average"):
        entity_f1([[(0, 1, "a")]], [[]], average="weighted")


def test_no_entities_at_all_give_a_table_without_rows():
    report = entity_report([[], []], [[], []])
    assert isinstance(report, pd.DataFrame)
    assert len(report) == 0
    assert "f1_low" in report.columns
