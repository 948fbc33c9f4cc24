from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from crmkit.value.forecasting._exponential_smoothing import exponential_smoothing
from crmkit.value.forecasting._methods import SHORTEST, seasonal_from
from crmkit.value.forecasting._rolling_origin import METHODS
from crmkit.value.forecasting._seasonal_naive import seasonal_naive
from crmkit.value.forecasting._trend_season import trend_season


def seasonal_series(rng, n_series, n_periods, season=12):
    time = np.arange(n_periods)
    around = rng.normal(0, 3, (n_series, season))[:, time % season]
    walk = np.cumsum(rng.normal(0, 0.4, (n_series, n_periods)), axis=1)
    return 50 + around + walk + rng.normal(0, 1, (n_series, n_periods))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("season", [1, 4, 12])
def test_from_every_origin_only_the_periods_before_it_are_used(name, season):
    """What is forecast from an origin is what is forecast at the end of a series that stops there."""
    rng = np.random.default_rng(season)
    values = seasonal_series(rng, 5, 60)
    first = np.array([0, 3, 0, 17, 40])
    origins = np.array([14, 26, 30, 45, 60])
    rolled = METHODS[name](values, first, season, origins, 7).forecasts
    for place, origin in enumerate(origins):
        alone = METHODS[name](values[:, :origin], np.minimum(first, origin), season, np.array([origin]), 7).forecasts
        assert np.allclose(rolled[:, place], alone[:, 0], equal_nan=True)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("season", [1, 7])
def test_a_series_is_forecast_as_it_is_alone_wherever_it_begins(name, season):
    rng = np.random.default_rng(1)
    values = seasonal_series(rng, 3, 50, season=7)
    first = np.array([0, 14, 21])
    origins = np.array([50])
    together = METHODS[name](values, first, season, origins, 9).forecasts
    for row, begun in enumerate(first):
        alone = METHODS[name](values[[row], begun:], np.array([0]), season, origins - begun, 9).forecasts
        assert np.allclose(together[row], alone[0])


@pytest.mark.parametrize("name", METHODS)
def test_unit_and_level_of_a_series_carry_over_to_its_forecast(name):
    values = seasonal_series(np.random.default_rng(2), 4, 60)
    first, origins = np.zeros(4, dtype=int), np.array([40, 60])
    forecasts = METHODS[name](values, first, 12, origins, 6).forecasts
    moved = METHODS[name](1000 * values - 7000, first, 12, origins, 6).forecasts
    assert np.allclose(moved, 1000 * forecasts - 7000, rtol=1e-6)


def test_the_seasonal_naive_repeats_the_last_season():
    values = np.arange(10.0)[None, :]
    rolled = seasonal_naive(values, np.zeros(1, int), 4, np.array([3, 4, 10]), 6)
    assert np.isnan(rolled.forecasts[0, 0]).all()
    assert rolled.forecasts[0, 1].tolist() == [0, 1, 2, 3, 0, 1]
    assert rolled.forecasts[0, 2].tolist() == [6, 7, 8, 9, 6, 7]
    assert rolled.growth.tolist() == [[1, 1, 1, 1, 2, 2]]


@pytest.mark.parametrize("season", [4, 7, 12])
def test_a_line_with_a_season_is_carried_on_exactly(season):
    time = np.arange(5 * season + 8)
    around = np.random.default_rng(season).normal(0, 5, season)[time % season]
    whole = 3.0 + 0.7 * time + around
    known = whole[None, : 5 * season]
    found = trend_season(known, np.zeros(1, int), season, np.array([5 * season]), 8).forecasts[0, 0]
    assert np.allclose(found, whole[5 * season :], rtol=1e-6)


def test_a_long_season_is_a_smooth_one():
    time = np.arange(52 * 3 + 20)
    whole = 10 + np.cos(2 * np.pi * time / 52) + 0.5 * np.sin(2 * np.pi * 5 * time / 52)
    found = trend_season(whole[None, :156], np.zeros(1, int), 52, np.array([156]), 20).forecasts[0, 0]
    assert np.allclose(found, whole[156:], rtol=1e-6)


def test_old_periods_count_less_where_the_level_has_moved():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(10, 1, 80), rng.normal(40, 1, 60)])[None, :]
    found = trend_season(values, np.zeros(1, int), 1, np.array([140]), 3).forecasts[0, 0]
    straight = np.polyval(np.polyfit(np.arange(140), values[0], 1), np.arange(140, 143))
    assert np.abs(found - 40).max() < 3 < np.abs(straight - 40).min()


@pytest.mark.parametrize("name", ["trend-season", "exponential-smoothing"])
def test_from_too_few_periods_nothing_is_forecast(name):
    values = seasonal_series(np.random.default_rng(4), 1, 40)
    origins = np.array([SHORTEST - 1, SHORTEST])
    forecasts = METHODS[name](values, np.zeros(1, int), 12, origins, 3).forecasts[0]
    assert np.isnan(forecasts[0]).all()
    assert np.isfinite(forecasts[1]).all()


@pytest.mark.parametrize("name", ["trend-season", "exponential-smoothing"])
def test_the_season_is_used_from_two_seasons_and_two_periods_on(name):
    time = np.arange(60)
    around = 20 * np.cos(2 * np.pi * time / 12)
    values = (100 + around + np.random.default_rng(5).normal(0, 0.1, 60))[None, :]
    ready = seasonal_from(12)
    forecasts = METHODS[name](values, np.zeros(1, int), 12, np.array([ready - 1, ready]), 12).forecasts[0]
    assert np.abs(forecasts[1] - values[0, ready : ready + 12]).max() < 2
    assert np.abs(forecasts[0] - values[0, ready - 1 : ready + 11]).max() > 10


def ets_errors(values, season, parameters, level, slope, around):
    """Filter one series the plain way; give one-step errors and the states at the end."""
    alpha, beta, gamma, phi = parameters
    around, errors = around.copy(), []
    for period, value in enumerate(values):
        error = value - level - phi * slope - around[period % season]
        level, slope = level + phi * slope + alpha * error, phi * slope + beta * error
        around[period % season] += gamma * error
        errors.append(error)
    return np.array(errors), (level, slope, around)


@pytest.mark.parametrize("season", [1, 4])
def test_the_filter_agrees_with_the_plain_recursion(season, monkeypatch):
    """With one setting on the grid the forecast is that of the textbook recursion from the same starting states."""
    from crmkit.value.forecasting import _exponential_smoothing as module

    rng = np.random.default_rng(season)
    values = seasonal_series(rng, 3, 40, season=4)
    parameters = (0.3, 0.3 * 0.2, 0.7 * 0.25 * (season > 1), 0.9)
    only = module._Candidates(
        *(np.array([one]) for one in (0.3, 0.06, 0.9, parameters[2])), np.array([season > 1]), np.array([4])
    )
    monkeypatch.setattr(module, "_candidates", lambda season: only)  # noqa: ARG005 -- the signature replaced
    first = np.zeros(3, int)
    found = exponential_smoothing(values, first, season, np.array([40]), 6)
    level, slope, state = module._start(values, first, season, only)
    for row in range(3):
        around = state[:, row, 0]
        _, (last, steep, end) = ets_errors(values[row], season, parameters, level[row, 0], slope[row, 0], around)
        damped = np.cumsum(0.9 ** np.arange(1, 7))
        expected = last + damped * steep + end[(40 + np.arange(6)) % season]
        assert np.allclose(found.forecasts[row, 0], expected)
    weight = np.array([0.3 + 0.06 * sum(0.9**i for i in range(1, j + 1)) for j in range(1, 6)])
    weight += parameters[2] * (np.arange(1, 6) % season == 0) * (season > 1)
    assert np.allclose(found.growth[0], np.concatenate([[1.0], 1 + np.cumsum(weight**2)]))


def test_the_grid_comes_close_to_the_best_smoothing():
    """Simple smoothing with the smoothing chosen continuously fits hardly better than the best of the grid."""
    rng = np.random.default_rng(6)
    worst = 0.0
    for alpha in (0.03, 0.2, 0.45, 0.9):
        errors = rng.normal(0, 1, 150)
        level = 100 + alpha * np.concatenate([[0.0], np.cumsum(errors)[:-1]])
        values = level + errors
        start = values[:SHORTEST].mean()

        def squared(a, values=values, start=start):
            return (ets_errors(values, 1, (float(a[0]), 0.0, 0.0, 0.0), start, 0.0, np.zeros(1))[0] ** 2).sum()

        best = min(minimize(squared, [x0], bounds=[(1e-4, 1.0)]).fun for x0 in (0.1, 0.5, 0.9))
        from crmkit.value.forecasting._exponential_smoothing import _LEVEL

        worst = max(worst, min(squared([a]) for a in _LEVEL) / best)
    assert worst < 1.01


def test_variance_grows_as_smoothing_says():
    """A level that moves freely errs more the further it looks; one that hardly moves does not."""
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(0, 1, (20, 120)), axis=1)
    still = rng.normal(0, 1, (20, 120))
    first, origin = np.zeros(20, int), np.array([120])
    assert np.median(exponential_smoothing(walk, first, 1, origin, 10).growth[:, -1]) > 5
    assert np.median(exponential_smoothing(still, first, 1, origin, 10).growth[:, -1]) < 1.2


@pytest.mark.parametrize("name", METHODS)
def test_many_series_in_chunks_are_as_in_one(name, monkeypatch):
    from crmkit.value.forecasting import _exponential_smoothing, _trend_season

    values = seasonal_series(np.random.default_rng(8), 7, 40)
    first, origins = np.zeros(7, int), np.array([30, 40])
    whole = METHODS[name](values, first, 12, origins, 5)
    monkeypatch.setattr(_exponential_smoothing, "_CELLS", 1)
    monkeypatch.setattr(_trend_season, "_CELLS", 41 * 5 * 2)
    chunked = METHODS[name](values, first, 12, origins, 5)
    assert np.allclose(whole.forecasts, chunked.forecasts)
    assert np.allclose(whole.growth, chunked.growth)


def test_noise_is_not_taken_for_a_season():
    """Twelve more parameters fit any noise better; the criterion charges for them."""
    values = np.random.default_rng(0).normal(50, 1, (60, 48))
    made = exponential_smoothing(values, np.zeros(60, int), 12, np.array([48]), 12).forecasts[:, 0]
    level = np.abs(np.diff(made, 2, axis=1)).max(axis=1) < 0.05
    assert level.mean() > 0.9
    assert np.sqrt(np.mean((made - 50) ** 2)) < 0.5
