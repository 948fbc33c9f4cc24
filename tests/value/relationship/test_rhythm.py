from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from crmkit.value.relationship._gaps import Gaps
from crmkit.value.relationship._rhythm import Rhythm, fit_rhythm


def _rhythm(**changes):
    given = {"shape": 2.0, "spread": 1.5, "scale": 40.0, "leaving": 0.2, "n_second": 3}
    curve = {"waits": np.array([10.0, 20.0, 40.0]), "waiting": np.array([0.8, 0.7, 0.6])}
    return Rhythm(**{**given, **curve, **changes})


def _gaps(n, total, logs, first, silence):
    return Gaps(n, total, logs, first, first, first, silence)


def _drawn(n, *, shape, spread, scale, leaving, days, seed=0):
    """Draw gaps of customers who leave with a constant chance after each purchase."""
    random = np.random.default_rng(seed)
    rate = random.gamma(spread, 1 / scale, n)
    age = random.uniform(days / 2, days, n)
    at, count, total, logs, first = (np.zeros(n) for _ in range(5))
    here = random.random(n) > leaving
    while here.any():
        gap = random.gamma(shape, 1, n) / rate
        here &= at + gap < age
        first = np.where(here & (count == 0), gap, first)
        at, count = at + here * gap, count + here
        total, logs = total + here * gap, logs + np.where(here, np.log(gap), 0.0)
        here &= random.random(n) > leaving
    return _gaps(count, total, logs, first, age - at)


@pytest.mark.parametrize(("n", "total"), [(0, 0.0), (1, 30.0), (12, 200.0)])
def test_survival_is_the_gamma_mixture_integrated_over_the_posterior_of_the_rate(n, total):
    rhythm = _rhythm()
    posterior = stats.gamma(rhythm.spread + rhythm.shape * n, scale=1 / (rhythm.scale + total))
    silence = 25.0
    expected = integrate.quad(
        lambda rate: posterior.pdf(rate) * stats.gamma.sf(silence, rhythm.shape, scale=1 / rate), 0, np.inf
    )[0]
    got = rhythm.survival(np.array([float(n)]), np.array([total]), np.array([silence]))
    assert got[0] == pytest.approx(expected, rel=1e-6)


def test_the_typical_gap_is_exceeded_as_often_as_not():
    rhythm, n, total = _rhythm(), np.array([0.0, 3.0, 40.0]), np.array([0.0, 90.0, 200.0])
    assert rhythm.survival(n, total, rhythm.typical(n, total)) == pytest.approx(0.5)


def test_few_gaps_are_drawn_towards_everyones_and_many_speak_for_themselves():
    rhythm = _rhythm()
    none, one, many = rhythm.typical(np.array([0.0, 1.0, 300.0]), np.array([0.0, 7.0, 2100.0]))
    assert 7 < one < none
    assert many == pytest.approx(stats.gamma.median(2.0, scale=3.5), rel=0.02)


def test_it_finds_again_what_gaps_were_drawn_from():
    truth = {"shape": 2.0, "spread": 1.5, "scale": 60.0, "leaving": 0.15}
    found = fit_rhythm(_drawn(10_000, days=700.0, **truth))
    assert found.shape == pytest.approx(2.0, rel=0.06)
    assert found.spread == pytest.approx(1.5, rel=0.10)
    assert found.scale == pytest.approx(60.0, rel=0.10)
    assert found.leaving == pytest.approx(0.15, abs=0.03)


def test_silence_of_those_who_left_does_not_pass_for_a_long_gap():
    kept = {"shape": 1.0, "spread": 2.0, "scale": 40.0, "days": 700.0}
    faithful, leaving = (fit_rhythm(_drawn(4_000, leaving=chance, **kept)) for chance in (0.0, 0.5))
    none = np.zeros(1)
    assert leaving.typical(none, none) == pytest.approx(faithful.typical(none, none), rel=0.15)


def test_a_silence_longer_than_any_wait_seen_is_as_likely_as_the_rule_of_succession_says():
    got = _rhythm().second_survival(np.array([0.0, 9.0, 10.0, 39.0, 40.0, 500.0]))
    assert got == pytest.approx([1, 1, (3 * 0.5 + 1) / 4, (3 * 0.25 + 1) / 4, 1 / 4, 1 / 4])


def test_the_chance_that_a_second_purchase_still_comes_starts_at_one_and_falls():
    got = _rhythm().still_to_come(np.array([0.0, 10.0, 20.0, 40.0]))
    assert got[0] == pytest.approx(1.0)
    assert (np.diff(got) < 0).all()
    # 40 % ever come; a wait of 40 days is as likely as 1 in 4 among them: Bayes gives 0.1 / 0.7 of 0.4.
    assert got[-1] == pytest.approx(0.4 * 0.25 / (0.6 + 0.4 * 0.25) / 0.4)


def test_the_probability_of_being_active_is_the_odds_of_staying_times_that_of_the_gap():
    assert _rhythm().still_active(np.array([1.0, 0.25])) == pytest.approx([0.8, 0.2 / 0.4])


def test_half_of_those_who_come_back_do_so_within_the_typical_wait():
    assert _rhythm().typical_second == 10.0
    assert _rhythm(waiting=np.array([0.9, 0.7, 0.6])).typical_second == 20.0


def test_the_last_steps_of_the_curve_which_rest_on_a_handful_are_not_read():
    # 100 customers: 50 come back after 10 days, one of the two who were followed for 300 days on the 300th.
    n = np.r_[np.ones(51), np.zeros(49)]
    first = np.r_[np.full(50, 10.0), 300.0, np.zeros(49)]
    silence = np.r_[np.full(51, 5.0), np.full(48, 40.0), 300.0]
    found = fit_rhythm(_gaps(n, first, np.log(np.maximum(first, 1)), first, silence))
    assert found.waits.tolist() == [10.0]
    assert found.never == pytest.approx(0.5)
    assert found.n_second == 50


def test_one_second_purchase_is_enough_for_a_finite_rhythm():
    found = fit_rhythm(_gaps(*(np.array([value]) for value in (1.0, 30.0, np.log(30.0), 30.0, 12.0))))
    assert 1 < found.typical(np.ones(1), np.full(1, 30.0))[0] < 300
    assert 0 < found.survival(np.ones(1), np.full(1, 30.0), np.full(1, 12.0))[0] < 1


def test_nobody_who_bought_twice_gives_no_rhythm():
    none = np.zeros(3)
    assert fit_rhythm(_gaps(none, none, none, none, np.array([5.0, 9.0, 2.0]))) is None


def test_the_rhythm_scales_with_the_unit_of_the_gaps():
    drawn = _drawn(2_000, shape=1.5, spread=1.2, scale=30.0, leaving=0.2, days=400.0)
    tenfold = _gaps(drawn.n, 10 * drawn.total, drawn.logs + drawn.n * np.log(10), 10 * drawn.first, 10 * drawn.silence)
    one, ten = fit_rhythm(drawn), fit_rhythm(tenfold)
    assert ten.shape == pytest.approx(one.shape, rel=1e-3)
    assert ten.scale == pytest.approx(10 * one.scale, rel=1e-3)
