"""Qini and AUUC: equal to the figures of scikit-uplift 0.5.1 and causalml 0.18.0, with intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit import DataError, available, create
from crmkit.metrics import auuc, qini


def case(n, share, *, ties=False, binary=True):
    """Make outcomes, scores and arms without a random generator, so that they are the same everywhere."""
    at = np.arange(n, dtype=np.int64)
    first, second, third = ((at * step % 9973) / 9973 for step in (7919, 6007, 3571))
    treated = (first < share).astype(int)
    outcome = (third < 0.2 + 0.3 * treated * second).astype(float) if binary else third + treated * second**2
    return outcome, np.floor(second * 20) if ties else second, treated


EVEN, FEW, TIES, AMOUNTS = case(2000, 0.5), case(900, 0.1), case(1500, 0.5, ties=True), case(1200, 0.4, binary=False)


@pytest.mark.parametrize(
    ("columns", "theirs"),
    [
        (EVEN, (0.10709911422058102, 0.10204752323500683)),
        (FEW, (0.036683677969713044, 0.016181505507836737)),
        (TIES, (0.10798468608789474, 0.09995645124626265)),
    ],
)
def test_equal_to_scikit_uplift(columns, theirs):
    """``qini_auc_score`` and ``uplift_auc_score`` of scikit-uplift 0.5.1."""
    for figure, expected in zip((qini, auuc), theirs, strict=True):
        assert abs(figure(*columns, definition="scikit-uplift", n_resamples=0).value - expected) < 1e-9


@pytest.mark.parametrize(
    ("columns", "theirs"),
    [
        (EVEN, (0.1614076392897055, 0.668245931580108, 25.146408122713336, 208.63523333142203)),
        (FEW, (0.062291407035249866, 0.5412503807976611, 0.816777832814854, 71.76728542182762)),
        (AMOUNTS, (0.2475484303502147, 0.7467975684512701, 39.34924362706086, 296.1524138119753)),
    ],
)
def test_equal_to_causalml(columns, theirs):
    """``qini_score`` and ``auuc_score`` of causalml 0.18.0, normalised and not."""
    ours = [
        figure(*columns, definition="causalml", normalize=normalize, n_resamples=0).value
        for normalize in (True, False)
        for figure in (qini, auuc)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_perfect_ranking_is_one_and_equal_scores_are_nothing():
    outcome, _, treated = EVEN
    assert qini(outcome, outcome * (2 * treated - 1), treated, n_resamples=0) == pytest.approx(1.0)
    for figure in (qini, auuc):
        assert figure(outcome, np.zeros(len(outcome)), treated, n_resamples=0) == pytest.approx(0.0)


def test_areas_that_are_not_divided_keep_their_sign_and_get_an_interval_about_them():
    for definition in ("scikit-uplift", "causalml"):
        for figure in (qini, auuc):
            found = figure(*EVEN, definition=definition, normalize=False, n_resamples=50)
            assert found.value > 0
            assert found.low < found.value < found.high


@pytest.mark.parametrize("definition", ["scikit-uplift", "causalml"])
def test_the_interval_of_a_worthless_ranking_covers_nothing(definition):
    """Nominal 95 % over 150 experiments; three binomial standard deviations either way."""
    covered = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        treated = random.integers(0, 2, 600)
        outcome = (random.random(600) < 0.2 + 0.2 * treated).astype(float)
        found = qini(outcome, random.random(600), treated, definition=definition, n_resamples=50, normalize=False)
        covered.append(found.low <= 0 <= found.high)
    assert 0.89 <= np.mean(covered) <= 1.0


def test_arms_may_be_labels():
    outcome, scores, treated = EVEN
    labels = np.where(treated == 1, "电话", "nobody")
    assert qini(outcome, scores, labels, control="nobody", n_resamples=0) == qini(*EVEN, n_resamples=0)
    with pytest.raises(DataError, match="say control="):
        qini(outcome, scores, labels)


def test_the_same_seed_gives_the_same_interval():
    assert qini(*EVEN).low == qini(*EVEN).low
    assert qini(*EVEN, n_resamples=0).method == ""
    assert "half-samples" in qini(*EVEN).method


def test_evaluators_are_found_by_name():
    assert {"qini", "auuc"} <= set(available("evaluator"))
    assert create("evaluator", "qini", definition="causalml")(*EVEN).value == pytest.approx(0.1614076392897055)


def test_what_cannot_be_measured_is_refused():
    outcome, scores, treated = EVEN
    with pytest.raises(DataError, match="NO CONTROL GROUP"):
        qini(outcome, scores, np.ones(len(outcome)))
    with pytest.raises(DataError, match="outcomes 0 and 1 only"):
        qini(*AMOUNTS)
    with pytest.raises(DataError, match="several treated arms"):
        qini(outcome, scores, np.resize(["a", "b", "c"], len(outcome)), control="a")
    with pytest.raises(DataError, match="of one length"):
        qini(outcome[1:], scores, treated)
    with pytest.raises(DataError, match="uplift is missing or infinite in row 0"):
        qini(outcome, np.where(np.arange(len(scores)) == 0, np.nan, scores), treated)
    with pytest.raises(DataError, match="outcome must hold numbers"):
        qini(np.repeat("yes", len(scores)), scores, treated)
    with pytest.raises(DataError, match="treatment is missing in row 1"):
        qini(outcome, scores, [None if at == 1 else float(one) for at, one in enumerate(treated)])
    with pytest.raises(DataError, match="not defined"):
        qini(np.zeros(len(outcome)), scores, treated)
    with pytest.raises(DataError, match="not defined"):
        auuc(np.zeros(len(outcome)), scores, treated, definition="causalml")
    with pytest.raises(DataError, match="definition must be"):
        qini(outcome, scores, treated, definition="uplift")
