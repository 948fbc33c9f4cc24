from __future__ import annotations

import numpy as np
import pytest

from crmkit.value.forecasting._rolling_origin import METHODS, NAIVE, roll

ALL = tuple(METHODS)


def noisy(n_series, n_periods, *, seed=0, season=1):
    rng = np.random.default_rng(seed)
    around = 5 * rng.normal(size=(n_series, season))[:, np.arange(n_periods) % season]
    return 100 + around + rng.normal(size=(n_series, n_periods))


def test_an_error_is_what_came_less_what_was_forecast_then():
    values = noisy(2, 40, season=4)
    rolled = roll(values, np.zeros(2, int), 4, 3, ALL)
    for place, name in enumerate(ALL):
        for column, origin in enumerate(rolled.origins):
            then = METHODS[name](values[:, :origin], np.zeros(2, int), 4, np.array([origin]), 3).forecasts[:, 0]
            ahead = min(3, 40 - origin)
            if np.isnan(rolled.errors[place, :, column]).all():
                continue
            expected = values[:, origin : origin + ahead] - then[:, :ahead]
            assert np.allclose(rolled.errors[place, :, column, :ahead], expected)
            assert np.isnan(rolled.errors[place, :, column, ahead:]).all()


def test_all_methods_are_judged_from_the_same_origins():
    first = np.array([0, 5, 30])
    rolled = roll(noisy(3, 60, season=7), first, 7, 4, ALL)
    known = np.isfinite(rolled.errors)
    assert (known == known[0]).all()
    assert known[0].any(axis=(1, 2)).all()


@pytest.mark.parametrize(
    ("n_periods", "season", "expected"),
    [
        (200, 12, (80, 199)),  # four tenths are left out, and 120 origins are enough
        (400, 12, (280, 399)),  # the last 120
        (40, 12, (26, 39)),  # from two seasons and two periods on
        (30, 12, (22, 29)),  # at least the last eight
        (24, 12, (16, 23)),
        (12, 1, (10, 11)),
        (11, 1, (1, 10)),  # the seasonal naive alone
        (9, 4, (4, 8)),
    ],
)
def test_origins_begin_where_there_is_enough_to_learn_from(n_periods, season, expected):
    rolled = roll(noisy(1, n_periods), np.zeros(1, int), season, 1, ALL)
    used = rolled.origins[np.isfinite(rolled.errors[0, 0, :, 0])]
    assert (used[0], used[-1]) == expected


def test_the_method_with_the_least_squared_error_is_chosen():
    rng = np.random.default_rng(1)
    line = 10 + 2.0 * np.arange(60) + rng.normal(0, 1, 60)
    walk = 100 + np.cumsum(rng.normal(0, 1, 60))
    repeat = np.tile(rng.normal(50, 20, 12), 5) + rng.normal(0, 1e-3, 60)
    rolled = roll(np.array([line, walk, repeat]), np.zeros(3, int), 12, 6, ALL)
    assert ALL[rolled.chosen[0]] == "trend-season"
    assert (rolled.of_chosen(rolled.mean_squared) == rolled.mean_squared.min(axis=0)).all()


def test_where_methods_are_equal_the_seasonal_naive_is_chosen():
    for values in (np.zeros((1, 40)), np.full((1, 40), 0.1), np.tile([1.0, 5.0, 2.0, 9.0], 10)[None, :]):
        assert roll(values, np.zeros(1, int), 4, 3, ALL).chosen.tolist() == [0]


def test_short_series_are_forecast_by_what_they_allow():
    first = np.array([0, 50, 59])
    rolled = roll(noisy(3, 60, season=12), first, 12, 2, ALL)
    assert rolled.season.tolist() == [12, 1, 1]
    assert rolled.tried.sum(axis=0).tolist() == [3, 1, 1]
    assert np.isnan(rolled.mean_squared[:, 2]).all()
    assert np.isfinite(rolled.of_chosen(rolled.forecasts)).all()


def test_what_never_fell_below_0_is_not_forecast_to():
    falling = np.maximum(60.0 - 2 * np.arange(40), 0.0)[None, :]
    rolled = roll(falling, np.zeros(1, int), 1, 12, ALL)
    assert rolled.forecasts.min() >= 0
    below = roll(falling - 1, np.zeros(1, int), 1, 12, ALL)
    assert below.forecasts.min() < 0


def test_a_loss_to_come_is_not_known_before_it_came():
    """The floor at 0 is that of the periods before each origin too."""
    values = np.concatenate([np.maximum(40.0 - 2 * np.arange(30), 0.0), [-5.0] * 10])[None, :]
    whole = roll(values, np.zeros(1, int), 1, 4, ALL)
    for column, origin in enumerate(whole.origins):
        then = roll(values[:, :origin], np.zeros(1, int), 1, 4, ALL)
        ahead = min(4, 40 - origin)
        expected = values[0, origin : origin + ahead] - then.forecasts[:, 0, :ahead]
        known = np.isfinite(whole.errors[:, 0, column, :ahead])
        assert np.allclose(whole.errors[:, 0, column, :ahead][known], expected[known])


def test_what_lies_before_a_series_begins_is_not_read():
    values = noisy(2, 50, season=4)
    first = np.array([0, 20])
    spoilt = values.copy()
    spoilt[1, :20] = -1e6
    one, other = (roll(each, first, 4, 5, ALL) for each in (values, spoilt))
    assert np.allclose(one.forecasts, other.forecasts)
    assert np.allclose(one.errors, other.errors, equal_nan=True)


def test_the_seasonal_naive_may_stand_alone():
    rolled = roll(noisy(1, 30), np.zeros(1, int), 4, 2, (NAIVE,))
    assert rolled.names == (NAIVE,)
    assert np.allclose(rolled.wander, rolled.growth[0])
