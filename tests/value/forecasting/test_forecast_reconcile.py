from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from crmkit.value.forecasting._projection import project
from crmkit.value.forecasting._reconcile import reconcile
from crmkit.value.forecasting._rolling_origin import METHODS
from crmkit.value.forecasting._settings import Settings

NO_FLOOR = np.zeros(3, dtype=bool)


def drawn(seed, n_groups=3, n_origins=40, horizon=4, *, shared=0.5, direct=1.0):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, shared, (1, n_origins, horizon))
    errors = common + rng.normal(0, 1, (n_groups, n_origins, horizon)) * np.array([1.0, 2.0, 0.1])[:, None, None]
    total = direct * rng.normal(0, 1, (n_origins, horizon)) + 0.5 * errors.sum(axis=0)
    return rng.normal(10, 1, (n_groups, horizon)), errors, rng.normal(30, 1, horizon), total


def test_the_total_is_the_combination_with_the_least_squared_error():
    forecasts, errors, total, total_errors = drawn(0)
    found = reconcile(forecasts, errors, total, total_errors, how="combined", floor=NO_FLOOR)
    summed = errors.sum(axis=0)

    def squared(weight):
        return float(np.mean(((1 - weight) * summed + weight * total_errors) ** 2))

    best = minimize_scalar(squared, bounds=(0, 1), method="bounded").x
    assert found.weight == pytest.approx(best, abs=1e-4)
    assert np.mean(found.total_errors**2) == pytest.approx(squared(best), rel=1e-4)
    assert np.allclose(found.forecasts.sum(axis=0), (1 - found.weight) * forecasts.sum(axis=0) + found.weight * total)


def test_the_difference_is_spread_by_the_groups_own_uncertainty():
    forecasts, errors, total, total_errors = drawn(1)
    found = reconcile(forecasts, errors, total, total_errors, how="combined", floor=NO_FLOOR)
    deviation = np.sqrt(np.mean(errors**2, axis=(1, 2)))
    moved = found.forecasts - forecasts
    assert np.allclose(moved / moved.sum(axis=0), (deviation / deviation.sum())[:, None])


def test_errors_are_those_that_combined_forecasts_had():
    forecasts, errors, total, total_errors = drawn(2)
    found = reconcile(forecasts, errors, total, total_errors, how="combined", floor=NO_FLOOR)
    assert np.allclose(found.errors.sum(axis=0), found.total_errors)


def test_bottom_up_leaves_the_groups_as_they_are():
    forecasts, errors, total, total_errors = drawn(3)
    found = reconcile(forecasts, errors, total, total_errors, how="bottom-up", floor=NO_FLOOR)
    assert found.weight == 0
    assert np.array_equal(found.forecasts, forecasts)
    assert np.allclose(found.total_errors, errors.sum(axis=0))


@pytest.mark.parametrize(("direct", "weight"), [(0.0, 1.0), (200.0, 0.0)])
def test_the_better_of_both_takes_all(direct, weight):
    found = reconcile(*drawn(4, direct=direct), how="combined", floor=NO_FLOOR)
    assert found.weight == pytest.approx(weight, abs=0.01)


def test_before_every_group_has_begun_the_total_s_own_error_counts():
    forecasts, errors, total, total_errors = drawn(5)
    errors[1, :10] = np.nan
    found = reconcile(forecasts, errors, total, total_errors, how="combined", floor=NO_FLOOR)
    assert np.array_equal(found.total_errors[:10], total_errors[:10])
    assert np.array_equal(found.errors[0, :10], errors[0, :10])
    assert np.isfinite(found.total_errors).all()


def test_no_group_is_moved_below_0_where_it_cannot_be():
    forecasts = np.array([[0.1], [5.0], [1.0]])
    _, errors, _, total_errors = drawn(6, horizon=1, direct=0.0)
    found = reconcile(forecasts, errors, np.array([-50.0]), total_errors, how="combined", floor=~NO_FLOOR)
    assert found.forecasts.min() == 0


@given(
    seed=st.integers(0, 10_000),
    n_groups=st.integers(1, 6),
    n_periods=st.integers(1, 50),
    season=st.sampled_from([1, 4, 12]),
    how=st.sampled_from(["combined", "bottom-up"]),
    refunds=st.booleans(),
)
def test_groups_add_up_to_the_total_whatever_comes(seed, n_groups, n_periods, season, how, refunds):
    rng = np.random.default_rng(seed)
    values = rng.poisson(rng.lognormal(0, 2, n_groups)[:, None], (n_groups, n_periods)) - refunds * rng.poisson(1.0)
    first = rng.integers(0, n_periods, n_groups)
    first[0] = 0
    values = np.where(np.arange(n_periods) >= first[:, None], values, 0).astype(float)
    found = project(values, first, Settings(5, season, tuple(METHODS), (0.8, 0.95), how), total=True)
    assert found.total is not None
    assert np.allclose(found.forecast.sum(axis=0), found.total.forecast[0])
    for part in (found, found.total):
        assert np.isfinite(part.forecast).all()
        known = np.isfinite(part.low).all(axis=(0, 2))
        assert (known | (n_periods - part.first == 1)).all()
        low, high = part.low[:, known], part.high[:, known]
        inside = part.forecast[known]
        assert (low[1] <= low[0]).all()
        assert (low[0] <= inside + 1e-12).all()
        assert (inside <= high[0] + 1e-12).all()
        assert (high[0] <= high[1]).all()
