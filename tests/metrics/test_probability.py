from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from crmkit import DataError, metrics

RNG = np.random.default_rng(0)
BINARY = RNG.integers(0, 2, 80)
CHANCES = RNG.uniform(size=80)
THREE = RNG.integers(0, 3, 90)
TRIPLES = RNG.dirichlet([1, 1, 1], 90)


def test_two_labels_agree_with_scikit_learn():
    assert metrics.log_loss(BINARY, CHANCES) == pytest.approx(peer.log_loss(BINARY, CHANCES))
    assert metrics.brier(BINARY, CHANCES) == pytest.approx(peer.brier_score_loss(BINARY, CHANCES))
    assert metrics.roc_auc(BINARY, CHANCES) == pytest.approx(peer.roc_auc_score(BINARY, CHANCES))


def test_more_labels_agree_with_scikit_learn():
    assert metrics.log_loss(THREE, TRIPLES) == pytest.approx(peer.log_loss(THREE, TRIPLES))
    assert metrics.roc_auc(THREE, TRIPLES) == pytest.approx(peer.roc_auc_score(THREE, TRIPLES, multi_class="ovr"))
    happened = np.eye(3)[THREE]
    assert metrics.brier(THREE, TRIPLES) == pytest.approx(((happened - TRIPLES) ** 2).sum(axis=1).mean())


def test_two_columns_are_the_same_as_the_positive_one():
    both = np.column_stack([1 - CHANCES, CHANCES])
    named = np.where(BINARY, "yes", "no")
    for figure in (metrics.log_loss, metrics.brier, metrics.roc_auc):
        assert figure(named, both) == pytest.approx(figure(BINARY, CHANCES))
        assert figure(named, CHANCES, positive="yes") == pytest.approx(figure(BINARY, CHANCES))
        assert figure(BINARY, 1 - CHANCES, positive=0) == pytest.approx(figure(BINARY, CHANCES))


def test_columns_belong_to_the_labels_named():
    order = [2, 0, 1]
    for figure in (metrics.log_loss, metrics.brier, metrics.roc_auc):
        assert figure(THREE, TRIPLES[:, order], labels=order) == pytest.approx(figure(THREE, TRIPLES))


def test_certainty_that_is_wrong_costs_much_but_not_everything():
    assert metrics.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(18.02, abs=0.01)


def test_intervals_of_losses_stay_above_0():
    got = metrics.brier([1, 1, 0], [1.0, 1.0, 0.6])
    assert got.low == 0
    assert got < got.high


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_area_counts_pairs_with_ties_as_halves(rows):
    actual, scores = (np.array(column) for column in zip(*[*rows, (True, 2), (False, 3)], strict=True))
    higher = scores[actual][:, None] - scores[~actual][None, :]
    assert metrics.roc_auc(actual, scores) == pytest.approx(((higher > 0) + 0.5 * (higher == 0)).mean())


def _delong_by_pairs(actual, scores):
    """The variance by its definition, over all pairs."""
    higher = scores[actual == 1][:, None] - scores[actual == 0][None, :]
    wins = (higher > 0) + 0.5 * (higher == 0)
    ups, downs = wins.mean(axis=1), wins.mean(axis=0)
    return ups.var(ddof=1) / len(ups) + downs.var(ddof=1) / len(downs)


def test_the_interval_of_the_area_is_delongs():
    scores = np.round(CHANCES + 0.4 * BINARY, 1)
    got = metrics.roc_auc(BINARY, scores)
    half = 1.959964 * np.sqrt(_delong_by_pairs(BINARY, scores)) / (got * (1 - got))
    center = np.log(got / (1 - got))
    assert got.low == pytest.approx(1 / (1 + np.exp(-(center - half))), abs=1e-6)
    assert got.high == pytest.approx(1 / (1 + np.exp(-(center + half))), abs=1e-6)


def test_the_interval_of_the_area_covers_the_truth():
    rng = np.random.default_rng(3)
    actual = np.repeat([0, 1], [60, 20])
    # Two normals one deviation apart: the area is Phi(1 / sqrt 2) = .7602.
    estimates = [metrics.roc_auc(actual, rng.normal(size=80) + actual) for _ in range(500)]
    covered = np.mean([one.low <= 0.7602 <= one.high for one in estimates])
    assert 0.925 < covered < 0.985


def test_the_interval_of_the_mean_area_of_three_labels_covers_one_half_on_noise():
    rng = np.random.default_rng(4)
    estimates = [metrics.roc_auc(rng.integers(0, 3, 90), rng.uniform(size=(90, 3))) for _ in range(300)]
    covered = np.mean([one.low <= 0.5 <= one.high for one in estimates])
    assert 0.92 < covered < 0.985


@pytest.mark.parametrize("turn", [1, -1])
def test_perfect_separation_of_few_rows_is_not_certain(turn):
    got = metrics.roc_auc([0, 0, 0, 1, 1], turn * np.array([1, 2, 3, 4, 5]))
    assert got == (1 if turn > 0 else 0)
    assert got.high - got.low > 0.5


@pytest.mark.parametrize(
    ("figure", "actual", "given", "match"),
    [
        (metrics.log_loss, [1, 0], [1.2, 0.5], "between 0 and 1; row 0 do not"),
        (metrics.log_loss, [1, 0], [[0.5, 0.6], [0.5, 0.5]], "must sum to 1; row 0"),
        (metrics.log_loss, [1, 0], [np.nan, 0.5], "probabilities is missing in row 0"),
        (metrics.log_loss, [1, 0], [[np.nan, 0.5], [0.5, 0.5]], "not finite in row 0"),
        (metrics.log_loss, [1, 0], [["a", "b"], ["a", "b"]], "probabilities must hold numbers"),
        (metrics.log_loss, [1, 0, 2], [0.1, 0.2, 0.3], "3 labels need one column of probabilities each"),
        (metrics.brier, [1, 0], [[0.2, 0.3, 0.5]] * 2, "has 3 columns but 2 labels"),
        (metrics.roc_auc, [1, 1], [0.1, 0.2], "one is absent"),
        (metrics.roc_auc, [1, 0], [0.1], "actual has 2, scores has 1"),
        (metrics.brier, ["yes", "yes"], [0.1, 0.2], "name the label that counts as positive"),
    ],
)
def test_what_is_no_score_is_refused(figure, actual, given, match):
    with pytest.raises(DataError, match=match):
        figure(actual, given)
