from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from crmkit import DataError, DataWarning, metrics

LABELS = ["退款", "delay", "app"]
ROWS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
FIGURES = {"precision": metrics.precision, "recall": metrics.recall, "f1": metrics.f1}
PEERS = {"precision": peer.precision_score, "recall": peer.recall_score, "f1": peer.f1_score}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_figures_agree_with_scikit_learn(name, average, rows):
    actual, predicted = zip(*rows, strict=True)
    got = FIGURES[name](actual, predicted, average=average, zero_division=0.0, n_resamples=50)
    assert got == pytest.approx(PEERS[name](actual, predicted, average=average, zero_division=0))
    assert got.low - 1e-9 <= got.high
    assert got.n == len(rows)


@pytest.mark.parametrize("name", FIGURES)
@settings(max_examples=30, deadline=None)
@given(rows=ROWS, positive=st.sampled_from(LABELS))
def test_figures_of_one_label_agree_with_scikit_learn_and_lie_in_their_interval(name, rows, positive):
    actual, predicted = zip(*[*rows, (positive, positive)], strict=True)
    got = FIGURES[name](actual, predicted, average="binary", positive=positive)
    expected = PEERS[name](actual, predicted, labels=[positive], average=None)[0]
    assert got == pytest.approx(expected)
    assert got.low <= got <= got.high


@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_accuracy_agrees_with_scikit_learn(rows):
    actual, predicted = zip(*rows, strict=True)
    assert metrics.accuracy(actual, predicted) == pytest.approx(peer.accuracy_score(actual, predicted))


def test_order_of_rows_changes_nothing():
    rng = np.random.default_rng(0)
    actual, predicted = rng.choice(LABELS, 60), rng.choice(LABELS, 60)
    shuffled = rng.permutation(60)
    first, second = (metrics.f1(actual[rows], predicted[rows]) for rows in (slice(None), shuffled))
    assert (first, first.low, first.high) == (second, second.low, second.high)


@pytest.mark.parametrize(
    ("figure", "options"),
    [
        (metrics.f1, {"average": "macro"}),
        (metrics.f1, {"average": "binary", "positive": 1}),
        (metrics.precision, {"average": "macro"}),
        (metrics.recall, {"average": "macro"}),
        (metrics.precision, {"average": "weighted"}),
    ],
)
def test_intervals_cover_the_true_figure(figure, options):
    # A confusion of known probabilities: the figure of a very large sample is the truth.
    rng = np.random.default_rng(0)
    cells = np.array([[0.30, 0.08, 0.02], [0.05, 0.20, 0.05], [0.02, 0.08, 0.20]])
    big = rng.multinomial(2_000_000, cells.ravel())
    truth = figure(*np.divmod(np.repeat(np.arange(9), big), 3), **options, n_resamples=10)
    covered = 0
    for _ in range(200):
        got = figure(*np.divmod(rng.choice(9, size=120, p=cells.ravel()), 3), **options, n_resamples=300)
        covered += got.low <= truth <= got.high
    # 200 trials at 95 %: fewer than 180 has probability 4e-4.
    assert covered >= 180


def test_figures_that_are_right_everywhere_are_not_certain():
    labels = ["a", "b"] * 5
    for average in ("macro", "weighted", "micro"):
        for figure in FIGURES.values():
            got = figure(labels, labels, average=average)
            assert got == got.high == 1
            assert got.low < 0.9


class TestZeroDivision:
    ACTUAL, PREDICTED = (["a", "b", "b", "c"], ["a", "b", "a", "a"])

    def test_a_label_never_predicted_counts_0_with_a_warning(self):
        with pytest.warns(DataWarning, match=r"precision counts 1 label\(s\) as 0 that are never predicted"):
            got = metrics.precision(self.ACTUAL, self.PREDICTED)
        assert got == pytest.approx((1 / 3 + 1 + 0) / 3)

    def test_the_caller_may_count_it_1_or_leave_it_out(self):
        counted = metrics.precision(self.ACTUAL, self.PREDICTED, zero_division=1.0)
        left_out = metrics.precision(self.ACTUAL, self.PREDICTED, zero_division=float("nan"))
        assert counted == pytest.approx((1 / 3 + 1 + 1) / 3)
        assert left_out == pytest.approx((1 / 3 + 1) / 2)
        assert left_out.low < left_out < left_out.high

    def test_the_f1_of_a_label_never_predicted_is_0_not_undefined(self):
        assert metrics.f1(self.ACTUAL, self.PREDICTED, n_resamples=0) == pytest.approx((0.5 + 2 / 3 + 0) / 3)

    def test_a_named_label_that_no_row_has_is_undefined(self):
        got = metrics.f1(["a"], ["a"], labels=["a", "z"], zero_division=0.0)
        assert got == 0.5
        assert got.high <= 0.5

    def test_a_positive_label_never_predicted(self):
        with pytest.warns(DataWarning, match="never predicted"):
            assert metrics.precision([1, 0], [0, 0], average="binary") == 0
        with pytest.raises(DataError, match="the positive label is never predicted"):
            metrics.precision([1, 0], [0, 0], average="binary", zero_division=float("nan"))

    def test_a_positive_label_never_seen(self):
        with pytest.warns(DataWarning, match="never actual"):
            got = metrics.recall([0, 0], [0, 0], average="binary")
        assert got == 0
        assert got.n == 0

    def test_no_label_defined_at_all(self):
        with pytest.raises(DataError, match="no label has a value"):
            metrics.precision(["a"], ["b"], average="weighted", zero_division=float("nan"))

    @pytest.mark.parametrize("policy", ["ignore", -1, 2])
    def test_unknown_policies_are_refused(self, policy):
        with pytest.raises(DataError, match="zero_division must be"):
            metrics.f1(["a"], ["a"], zero_division=policy)


class TestInputs:
    def test_unequal_lengths_are_told(self):
        with pytest.raises(DataError, match="actual has 2, predicted has 3"):
            metrics.accuracy([1, 0], [1, 0, 1])

    @pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
    def test_missing_labels_are_named_by_position_not_by_value(self, missing):
        with pytest.raises(DataError, match="predicted is missing in row 1") as raised:
            metrics.accuracy(["secret", "b"], ["secret", missing])
        assert "secret" not in str(raised.value)

    def test_empty_columns_are_refused(self):
        with pytest.raises(DataError, match="actual is empty"):
            metrics.accuracy([], [])

    def test_numbers_against_text_are_refused(self):
        with pytest.raises(DataError, match="actual holds numbers and predicted text"):
            metrics.accuracy([1, 0], ["1", "0"])

    def test_one_text_is_not_a_column(self):
        with pytest.raises(DataError, match="got one str"):
            metrics.accuracy("ab", "ab")

    def test_a_table_is_not_a_column(self):
        with pytest.raises(DataError, match=r"one column, got an array of shape \(2, 2\)"):
            metrics.accuracy([[1, 0], [0, 1]], [1, 0])

    def test_the_same_index_in_another_order_is_refused(self):
        actual = pd.Series(["a", "b"], index=["c1", "c2"])
        with pytest.raises(DataError, match="same index in another order"):
            metrics.accuracy(actual, actual[::-1])
        assert metrics.accuracy(actual, actual[::-1].reindex(actual.index)) == 1

    def test_an_index_of_its_own_is_matched_by_position(self):
        assert metrics.accuracy(pd.Series(["a", "b"], index=[7, 9]), pd.Series(["a", "b"])) == 1

    @pytest.mark.parametrize(
        "column",
        [
            pd.Series(["a", "b", "b"], dtype="string"),
            pd.Series(["a", "b", "b"], dtype="category"),
            np.array(["a", "b", "b"]),
            np.array([["a"], ["b"], ["b"]], dtype=object),
            ("a", "b", "b"),
            pd.Index(["a", "b", "b"]),
        ],
    )
    def test_every_kind_of_column_is_taken(self, column):
        assert metrics.accuracy(column, ["a", "b", "a"]) == pytest.approx(2 / 3)

    def test_polars_columns_are_taken(self):
        polars = pytest.importorskip("polars")
        assert metrics.accuracy(polars.Series(["a", "b"]), ["a", "a"]) == 0.5

    @pytest.mark.parametrize("dtype", ["Int64", "boolean", "bool", "float64"])
    def test_numbers_and_truths_equal_what_they_stand_for(self, dtype):
        assert metrics.accuracy(pd.Series([1, 0, 1], dtype=dtype), np.array([1, 0, 0])) == pytest.approx(2 / 3)

    def test_the_positive_label_is_never_guessed_from_names(self):
        with pytest.raises(DataError, match="name the label that counts as positive"):
            metrics.f1(["yes", "no"], ["yes", "no"], average="binary")
        with pytest.raises(DataError, match="neither in actual nor in predicted"):
            metrics.f1(["yes", "no"], ["yes", "no"], average="binary", positive="Yes")

    def test_unknown_averages_are_refused(self):
        with pytest.raises(DataError, match="average must be"):
            metrics.f1([1], [1], average="samples")

    def test_labels_left_out_of_the_list_are_named_by_position(self):
        with pytest.raises(DataError, match=r"predicted holds a label that is not in labels= in row 1"):
            metrics.f1(["a", "a"], ["a", "b"], labels=["a"])
        with pytest.raises(DataError, match="a list of different labels"):
            metrics.f1(["a", "a"], ["a", "a"], labels=["a", "a"])
