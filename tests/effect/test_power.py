from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crmkit.core.errors import DataError
from crmkit.effect import detectable_effect, power, sample_size


def test_classic_sample_sizes():
    # Cohen 1988, table 2.4.1: d = .5 at 5 % two-sided and power .80 needs 64 an arm, d = .2 needs 393 (his 393).
    assert sample_size(0.5, sd=1).control == 64
    assert sample_size(0.2, sd=1).control in {393, 394}
    # Fleiss, Levin & Paik 2003, without continuity correction: 10 % against 12 % needs 3,841 an arm.
    assert sample_size(0.02, baseline=0.10).control == 3841


def test_the_size_is_the_least_that_reaches_the_power():
    needed = sample_size(0.03, baseline=0.2, ratio=2.0, power=0.9)
    assert needed.power >= 0.9
    assert power(0.03, baseline=0.2, ratio=2.0, n=needed.control - 1) < 0.9
    assert needed.treated == 2 * needed.control
    assert needed.total == 3 * needed.control


@pytest.mark.parametrize("kind", ["mean", "share"])
def test_power_is_how_often_a_simulated_test_finds_the_effect(kind):
    rng = np.random.default_rng(0)
    runs, n = 20_000, 60
    if kind == "mean":
        treated, control = rng.normal(0.5, 1, (runs, n)), rng.normal(0, 1, (runs, n))
        found = (stats.ttest_ind(treated, control, axis=1).pvalue < 0.05).mean()
        stated = power(0.5, n=n, sd=1)
    else:
        n = 300
        hits, base = rng.binomial(n, 0.30, runs) / n, rng.binomial(n, 0.20, runs) / n
        pooled = (hits + base) / 2
        found = (np.abs(hits - base) / np.sqrt(pooled * (1 - pooled) * 2 / n) > 1.96).mean()
        stated = power(0.10, n=n, baseline=0.20)
    assert stated == pytest.approx(found, abs=0.015)


def test_the_smallest_effect_that_is_found_goes_back_and_forth():
    smallest = detectable_effect(500, sd=2, power=0.8)
    assert power(smallest, n=500, sd=2) == pytest.approx(0.8)
    assert np.isnan(detectable_effect(2, baseline=0.9))


def test_covariates_save_rows_and_clusters_cost_them():
    plain = sample_size(0.1, sd=1)
    assert sample_size(0.1, sd=1, variance_reduction=0.5).control == pytest.approx(plain.control / 2, rel=0.01)
    clustered = sample_size(0.1, sd=1, cluster_size=10, intracluster=0.05)
    # The design effect is 1 + 9 x .05 = 1.45.
    assert clustered.control == pytest.approx(1.45 * plain.control, rel=0.01)
    assert clustered.control_clusters == -(-clustered.control // 10)
    uneven = sample_size(0.1, sd=1, cluster_size=10, intracluster=0.05, cluster_size_variation=1.0)
    assert uneven.control == pytest.approx((1 + 19 * 0.05) / 1.45 * clustered.control, rel=0.01)


def test_peeking_and_several_arms_cost_rows():
    plain = sample_size(0.1, sd=1).control
    assert plain < sample_size(0.1, sd=1, comparisons=3).control < sample_size(0.1, sd=1, sequential=True).control
    assert power(0.1, n=2, sd=1, cluster_size=3) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"effect": 0, "sd": 1}, "effect must be"),
        ({"effect": 0.1}, "either baseline"),
        ({"effect": 0.1, "sd": 1, "baseline": 0.5}, "either baseline"),
        ({"effect": 0.6, "baseline": 0.5}, "cannot change by"),
        ({"effect": 0.1, "baseline": 1.5}, "share between"),
        ({"effect": 0.1, "sd": -1, "ratio": 0}, "sd must be above 0.*; ratio must be above 0"),
        ({"effect": 0.1, "sd": 1, "power": 1}, "power must lie"),
        ({"effect": 1e-9, "sd": 1}, "too small"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    effect = arguments.pop("effect")
    with pytest.raises(DataError, match=message):
        sample_size(effect, **arguments)


def test_an_experiment_without_rows_or_aim_is_refused():
    with pytest.raises(DataError, match="at least 2 rows"):
        power(0.1, n=1, sd=1)
    with pytest.raises(DataError, match="power must lie"):
        detectable_effect(10, sd=1, power=0.05)
