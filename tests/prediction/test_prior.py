"""The base rate moves, as in bank marketing over three years, from 6.7 % to 31.6 %."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

import crmkit
from crmkit import DataError, metrics
from crmkit.prediction import PriorCorrected, ScaledLogistic, correct_prior, estimate_prior

BEFORE, AFTER = 0.067, 0.316


def _drawn(n, rate, seed, apart=1.5):
    """Scores of deviation 1 that lie apart by label, and the right probability at the rate of training."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < rate).astype(int)
    scores = random.normal(size=n) + apart * labels
    odds = np.log(BEFORE / (1 - BEFORE)) + apart * scores - apart**2 / 2
    return labels, scores, expit(odds)


def test_correction_is_bayes_rule():
    scores = np.linspace(-3, 4, 20)
    likelihoods = np.column_stack([norm.pdf(scores), norm.pdf(scores, 1.5)])

    def posterior(rate):
        joint = likelihoods * [1 - rate, rate]
        return joint / joint.sum(axis=1, keepdims=True)

    corrected = correct_prior(posterior(BEFORE), trained=BEFORE, now=AFTER)
    np.testing.assert_allclose(corrected, posterior(AFTER))
    np.testing.assert_allclose(
        correct_prior(posterior(BEFORE)[:, 1], trained=BEFORE, now=[1 - AFTER, AFTER]), posterior(AFTER)[:, 1]
    )
    np.testing.assert_allclose(correct_prior(corrected, trained=AFTER, now=BEFORE), posterior(BEFORE))


def test_no_shift_changes_nothing_and_certainty_stays():
    chances = np.array([[0.2, 0.8], [1.0, 0.0]])
    np.testing.assert_allclose(correct_prior(chances, trained=0.4, now=0.4), chances)
    assert correct_prior([0.0, 1.0], trained=0.4, now=0.9).tolist() == [0, 1]


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_the_new_rate_is_found_and_probabilities_are_right_again(method):
    held_labels, _, held = _drawn(8000, BEFORE, 0)
    labels, _, chances = _drawn(6000, AFTER, 1)
    shift = estimate_prior(chances, validation=(held_labels, held), method=method)
    assert shift.now[1] == pytest.approx(AFTER, abs=0.03)
    assert shift.now[1].low < AFTER < shift.now[1].high
    assert shift.table.loc[1, "trained"] == pytest.approx(held_labels.mean())
    assert shift.p_value > 0.01
    corrected = shift.correct(chances)
    assert metrics.brier(labels, corrected) < metrics.brier(labels, chances) - 0.02
    assert abs(corrected.mean() - labels.mean()) < 0.03
    assert metrics.ece(labels, corrected) < metrics.ece(labels, chances) / 3
    assert metrics.roc_auc(labels, corrected) == pytest.approx(metrics.roc_auc(labels, chances), abs=1e-6)


def test_bbse_needs_no_calibrated_probabilities_and_em_does():
    held_labels, held_scores, _ = _drawn(20_000, BEFORE, 2)
    _, scores, _ = _drawn(20_000, AFTER, 3)
    wrong, wrong_held = expit(4 * scores - 1), expit(4 * held_scores - 1)
    by = {m: estimate_prior(wrong, validation=(held_labels, wrong_held), method=m).now[1] for m in ("em", "bbse")}
    assert by["bbse"].low < AFTER < by["bbse"].high
    assert not by["em"].low < AFTER < by["em"].high


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_intervals_cover_the_rate(method):
    hits = 0
    for seed in range(200):
        held_labels, _, held = _drawn(3000, BEFORE, 1000 + seed)
        labels, _, chances = _drawn(1500, AFTER, 5000 + seed)
        del labels
        found = estimate_prior(chances, validation=(held_labels, held), trained=BEFORE, method=method).now[1]
        hits += found.low <= AFTER <= found.high
    assert hits >= 182


def test_the_test_of_the_assumption_keeps_its_level_and_sees_other_shifts():
    p_values = []
    for seed in range(200):
        held_labels, _, held = _drawn(3000, BEFORE, 20_000 + seed)
        p_values.append(estimate_prior(_drawn(1500, AFTER, 30_000 + seed)[2], validation=(held_labels, held)).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.1
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.15)
    # Everybody's scores move: no mixture of the two labels' old scores is like the new ones.
    held_labels, held_scores, held = _drawn(8000, 0.3, 4)
    random = np.random.default_rng(5)
    wide = expit(1.5 * (held_scores + 1.5 * random.normal(size=8000)) - 3)
    shift = estimate_prior(wide, validation=(held_labels, expit(1.5 * held_scores - 3)))
    assert shift.p_value < 0.001
    assert "do not rely on it" in repr(shift)


def test_three_labels():
    random = np.random.default_rng(6)
    old, new = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
    centers = np.array([[0, 0], [2, 0], [0, 2]])

    def drawn(n, shares):
        labels = random.choice(3, n, p=shares)
        points = centers[labels] + random.normal(size=(n, 2))
        odds = points @ centers.T - (centers**2).sum(axis=1) / 2 + np.log(old)
        joint = np.exp(odds)
        return labels, joint / joint.sum(axis=1, keepdims=True)

    held, (labels, chances) = drawn(6000, old), drawn(4000, new)
    for method in ("em", "bbse"):
        shift = estimate_prior(chances, validation=held, method=method)
        for label in range(3):
            assert shift.now[label] == pytest.approx(new[label], abs=0.04)
        assert sum(shift.now.values()) == pytest.approx(1)
        assert shift.p_value > 0.001
        assert metrics.log_loss(labels, shift.correct(chances), labels=[0, 1, 2]) < metrics.log_loss(
            labels, chances, labels=[0, 1, 2]
        )


def test_without_validation_rows_the_assumption_is_said_to_be_untested():
    shift = estimate_prior(_drawn(3000, AFTER, 7)[2], trained=BEFORE, labels=["no", "yes"])
    assert shift.now["yes"] == pytest.approx(AFTER, abs=0.04)
    assert np.isnan(shift.p_value)
    assert "was not tested" in repr(shift)
    assert "<caption>" in shift._repr_html_()


def test_a_classifier_trained_on_halves_gives_the_rate_of_the_world():
    labels, scores, _ = _drawn(40_000, BEFORE, 8)
    buyers = np.flatnonzero(labels)
    balanced = np.concatenate([buyers, np.flatnonzero(labels == 0)[: len(buyers)]])
    table, y = scores[:, None], np.where(labels, "yes", "no")
    model = PriorCorrected(ScaledLogistic(), now={"no": 1 - BEFORE, "yes": BEFORE}).fit(table[balanced], y[balanced])
    fresh_labels, fresh, _ = _drawn(40_000, BEFORE, 9)
    chances = model.predict_proba(fresh[:, None])
    assert chances[:, 1].mean() == pytest.approx(fresh_labels.mean(), abs=0.01)
    assert model.trained_.tolist() == [0.5, 0.5]
    assert set(model.predict(fresh[:, None])) == {"no", "yes"}
    by_pipeline = metrics.cross_validate(model, table[:2000], y[:2000], evaluators="brier", cv=3)
    assert by_pipeline["brier"] < 0.1


def test_it_is_saved(tmp_path):
    labels, scores, _ = _drawn(300, 0.3, 10)
    model = PriorCorrected(ScaledLogistic(), now=0.1).fit(scores[:, None], labels)
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    np.testing.assert_array_equal(again.predict_proba(scores[:, None]), model.predict_proba(scores[:, None]))


GIVEN = np.array([0.1, 0.2, 0.7])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: correct_prior([2.0], trained=0.1, now=0.2), "between 0 and 1"),
        (lambda: correct_prior(GIVEN, trained=0.0, now=0.2), "not among the training rows"),
        (lambda: correct_prior(GIVEN, trained=[0.1, 0.2], now=0.2), "must sum to 1"),
        (lambda: correct_prior(np.full((2, 3), 1 / 3), trained=0.1, now=0.2), "each of the 3 labels"),
        (lambda: estimate_prior(GIVEN), "give trained= or validation="),
        (lambda: estimate_prior(GIVEN, trained=0.1, method="bbse"), "'bbse' needs validation rows"),
        (lambda: estimate_prior(GIVEN, trained=0.1, method="guess"), "'em' or 'bbse'"),
        (lambda: estimate_prior([np.nan], trained=0.1), "all between 0 and 1"),
        (lambda: estimate_prior(GIVEN, trained=0.0), "every label must be among"),
        (lambda: estimate_prior(GIVEN, trained=0.1, labels=[1, 2, 3]), "3 labels are known"),
        (
            lambda: estimate_prior(GIVEN, validation=([0, 1, 0], [0.2, 0.2, 0.2]), method="bbse"),
            "at least two validation",
        ),
        (
            lambda: estimate_prior(GIVEN, validation=([0, 1] * 5, [0.2] * 10), method="bbse"),
            "do not tell the labels apart",
        ),
        (
            lambda: PriorCorrected(ScaledLogistic(), {"a": 1.0}).fit([[0.0], [1.0]], ["a", "b"]),
            "share of each of the 2",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, match):
    with pytest.raises(DataError, match=match):
        call()


@pytest.mark.parametrize("given", [[0.3] * 100, [0.2] * 100, [1.0] * 30, [0.9], [[0.2, 0.3, 0.5]] * 50])
def test_probabilities_that_are_all_the_same_tell_no_shares(given):
    trained = 0.2 if np.ndim(given) == 1 else [0.3, 0.3, 0.4]
    with pytest.raises(DataError, match="do not tell the labels apart"):
        estimate_prior(given, trained=trained)


def test_probabilities_that_do_not_sum_to_one_are_refused():
    with pytest.raises(DataError, match="probabilities of a row must sum to 1"):
        estimate_prior([[0.2, 0.3], [0.1, 0.4]], trained=0.2)


def test_it_says_that_nothing_was_tested_with_too_few_validation_rows():
    few = ([0, 1, 0, 1], [0.2, 0.8, 0.3, 0.6])
    shown = repr(estimate_prior([0.1, 0.4, 0.8], validation=few))
    assert "was not tested: that takes validation= with five rows of each label" in shown
