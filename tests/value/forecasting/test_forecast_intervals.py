from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from crmkit.value.forecasting._intervals import _quantile, choice_uncertainty, error_variance, offsets
from crmkit.value.forecasting._rolling_origin import METHODS, roll

FLAT = np.ones((1, 3))


def normal_errors(n_origins, horizon=3, *, seed=0, sigma=1.0):
    return sigma * np.random.default_rng(seed).normal(size=(1, n_origins, horizon))


def test_the_variance_is_the_mean_square_where_there_are_many_errors():
    errors = normal_errors(4_000) * np.array([1.0, 2.0, 3.0])
    variance, freedom = error_variance(errors, np.ones((1, 3)), np.ones((1, 3)))
    assert np.allclose(variance, [[1, 4, 9]], rtol=0.1)
    assert freedom[0, 0] == 4_000


def test_errors_of_a_wandering_series_count_as_fewer():
    errors = normal_errors(60)
    wander = np.array([[1.0, 2.0, 3.0]])
    _, still = error_variance(errors, FLAT, FLAT)
    _, moving = error_variance(errors, wander, wander)
    assert still[0].tolist() == pytest.approx([60, 62, 62], abs=6)
    assert moving[0].tolist() == pytest.approx([60, 32, 22], abs=4)


def test_a_horizon_never_seen_grows_as_the_theory_says():
    errors = normal_errors(30, 4)
    errors[:, :, 2:] = np.nan
    growth = np.array([[1.0, 1.5, 2.0, 3.0]])
    variance, _ = error_variance(errors, growth, growth)
    assert variance[0, 2] == pytest.approx(variance[0, 1] * 2.0 / 1.5)
    assert variance[0, 3] == pytest.approx(variance[0, 1] * 3.0 / 1.5)


def test_few_errors_give_the_wide_ends_of_students_t():
    errors = np.array([[[1.0], [-1.0], [1.0], [-1.0]]])
    low, high = offsets(errors, np.ones((1, 1)), np.ones((1, 1)), (0.95,))
    normal = student.ppf(0.975, 4)
    # The variance is 1; the shape is drawn from the normal one towards the errors' own, which never leave 1.
    seen = (10 * 1.959964 + 4 * 1.0) / 14
    assert high[0, 0, 0] == pytest.approx(normal * seen / 1.959964, rel=1e-5)
    assert low[0, 0, 0] == pytest.approx(-high[0, 0, 0])


def test_skewed_errors_give_skewed_intervals():
    rng = np.random.default_rng(1)
    errors = rng.exponential(1, (1, 400, 1)) - 1
    low, high = offsets(errors, np.ones((1, 1)), np.ones((1, 1)), (0.80, 0.95))
    assert high[1, 0, 0] > 2 * -low[1, 0, 0]
    true_low, true_high = -np.log(0.9) - 1, -np.log(0.1) - 1
    assert [low[0, 0, 0], high[0, 0, 0]] == pytest.approx([true_low, true_high], rel=0.12)


def test_what_is_added_to_the_variance_widens_both_ends():
    errors = normal_errors(50)
    narrow = offsets(errors, FLAT, FLAT, (0.8,), np.ones((1, 3)))
    wide = offsets(errors, FLAT, FLAT, (0.8,), np.full((1, 3), 4.0))
    assert np.allclose(narrow, offsets(errors, FLAT, FLAT, (0.8,)))
    assert (wide[0] < 1.5 * narrow[0]).all()
    assert (wide[1] > 1.5 * narrow[1]).all()


def test_without_errors_there_is_no_interval():
    for errors in (np.empty((2, 0, 3)), np.full((2, 5, 3), np.nan)):
        low, high = offsets(errors, np.ones((2, 3)), np.ones((2, 3)), (0.8,))
        assert np.isnan(low).all()
        assert np.isnan(high).all()


def test_errors_of_0_give_an_interval_without_width():
    low, high = offsets(np.zeros((1, 6, 2)), np.ones((1, 2)), np.ones((1, 2)), (0.8, 0.95))
    assert (low == 0).all()
    assert (high == 0).all()


def test_choosing_by_few_origins_widens_more_than_by_many():
    rng = np.random.default_rng(2)
    walk = 100 + np.cumsum(rng.normal(0, 1, (40, 200)), axis=1)
    factor = [
        np.median(choice_uncertainty(roll(walk[:, :n], np.zeros(40, int), 12, 6, tuple(METHODS)))) for n in (36, 200)
    ]
    assert factor[0] > factor[1]
    assert factor[1] == pytest.approx(1.0, abs=0.3)


def test_one_method_alone_leaves_nothing_to_choose():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(3, 60)), axis=1)
    rolled = roll(walk, np.zeros(3, int), 4, 5, ("seasonal-naive",))
    assert np.allclose(choice_uncertainty(rolled), 1.0)


def test_quantiles_are_those_of_numpy():
    rng = np.random.default_rng(4)
    values = np.where(rng.random((30, 25)) < 0.4, np.nan, rng.normal(size=(30, 25)))
    values[3], values[4, 1:] = np.nan, np.nan
    values[4, 0] = 2.0
    for share in (0.025, 0.1, 0.5, 0.975):
        known = np.delete(values, 3, axis=0)
        found = _quantile(np.sort(values, axis=1), share)
        assert np.allclose(np.delete(found, 3), np.nanquantile(known, share, axis=1))
        assert found[3] == 0
