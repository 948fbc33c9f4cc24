"""What every lifetime model can be asked beyond P(alive) and expected purchases."""

from __future__ import annotations

from math import inf

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

import crmkit
from crmkit.core.errors import DataError
from crmkit.value import BGNBD, NBD

WEEKS_A_YEAR = 365.25 / 7


@pytest.fixture(scope="module", params=[BGNBD, NBD])
def model(request, cdnow_summary):
    return request.param().fit(cdnow_summary)


def test_predict_gives_two_columns_unless_more_is_asked(model, cdnow_summary):
    assert model.predict(cdnow_summary).columns.tolist() == ["p_alive", "expected_purchases"]
    more = model.predict(cdnow_summary, 26, level=0.9, n_max=2)
    assert more.columns.tolist() == ["p_alive", "expected_purchases", "low", "high", "p_0", "p_1", "p_2"]
    assert more.index.equals(cdnow_summary.index)


def test_the_interval_holds_the_forecast_and_grows_with_the_level(model, cdnow_summary):
    narrow, wide = (model.predict(cdnow_summary, 39, level=level) for level in (0.5, 0.95))
    assert (narrow["low"] < narrow["expected_purchases"]).all()
    assert (narrow["expected_purchases"] < narrow["high"]).all()
    assert ((wide["low"] < narrow["low"]) & (wide["high"] > narrow["high"])).all()


def test_the_interval_covers_the_true_expectation(simulated):
    # What the model with the true parameters expects is covered about nineteen times in twenty.
    true = BGNBD().fit(simulated(4000, seed=99))
    true.params_ = {"r": 0.5, "alpha": 8.0, "a": 0.8, "b": 2.5}
    asked = simulated(300, seed=98)
    known = true.predict(asked, 26)["expected_purchases"]
    covered = []
    for seed in range(40):
        found = BGNBD().fit(simulated(3000, seed=seed)).predict(asked, 26, level=0.95)
        covered.append(((found["low"] <= known) & (known <= found["high"])).mean())
    assert 0.88 <= np.mean(covered) <= 0.99


def test_probabilities_sum_to_one_and_their_mean_is_the_forecast(model, cdnow_summary):
    asked = cdnow_summary.sort_values("repeats").iloc[[0, 1500, 2000, 2300, 2356]]
    table = model.predict(asked, 39, n_max=400)
    chances = table.filter(regex=r"^p_\d").to_numpy()
    assert (chances >= 0).all()
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-9)
    assert np.allclose(chances @ np.arange(401), table["expected_purchases"], rtol=1e-7)


def test_a_customer_who_may_have_left_may_buy_nothing(cdnow_summary):
    model = BGNBD().fit(cdnow_summary)
    long_gone = pd.DataFrame({"repeats": [8], "last_purchase_weeks": [6.0], "age_weeks": [38.0]})
    table = model.predict(long_gone, 39, n_max=0)
    assert table["p_alive"].item() < 0.01
    assert table["p_0"].item() > 0.99


def test_probabilities_agree_with_simulated_customers(simulated):
    # Customers simulated for 30 weeks are asked what they do in the next 20: the same process goes on.
    r, alpha, a, b = 0.5, 8.0, 0.8, 2.5
    model = BGNBD().fit(simulated(500))
    model.params_ = {"r": r, "alpha": alpha, "a": a, "b": b}
    random = np.random.default_rng(5)
    n = 400_000
    rate, leave = random.gamma(r, 1 / alpha, n), random.beta(a, b, n)
    time, alive = np.zeros(n), np.ones(n, dtype=bool)
    last, early, late = np.zeros(n), np.zeros(n), np.zeros(n)
    while alive.any():
        time += random.exponential(1.0, n) / rate
        alive &= time < 50
        last = np.where(alive & (time < 30), time, last)
        early += alive & (time < 30)
        late += alive & (time >= 30)
        alive &= random.random(n) > leave
    same = (early == 2) & (np.abs(last - 20) < 1.0)
    asked = pd.DataFrame({"repeats": 2, "last_purchase_weeks": last[same], "age_weeks": 30.0})
    expected = model.predict(asked, 20, n_max=3)[["p_0", "p_1", "p_2", "p_3"]].mean()
    seen = np.array([(late[same] == count).mean() for count in range(4)])
    assert np.allclose(seen, expected, atol=4 * np.sqrt(0.25 / same.sum()))


def test_residual_purchases_are_the_discounted_integral(model, cdnow_summary):
    asked = cdnow_summary.iloc[[0, 5, 40]]
    found = model.residual_purchases(asked, annual_discount_rate=0.15)
    force = np.log1p(0.15) / WEEKS_A_YEAR
    for place in range(3):
        one = asked.iloc[[place]]

        def rest(time, one=one):
            return np.exp(-force * time) * model.predict(one, time)["expected_purchases"].item()

        continuous = force * integrate.quad(rest, 0, 8000, limit=400, epsrel=1e-10)[0]
        # Discounting a week's purchases from its end instead of the very moment takes off half a week, about.
        assert found["residual_purchases"].iloc[place] == pytest.approx(continuous * np.exp(-force / 2), rel=2e-4)


def test_the_residual_grows_to_its_limit(model, cdnow_summary):
    asked = cdnow_summary.iloc[:50]
    shorter, longer, ever = (
        model.residual_purchases(asked, horizon=horizon, level=None)["residual_purchases"]
        for horizon in (520, 5200, inf)
    )
    assert (shorter < longer).all()
    assert (longer < ever).all()
    assert np.allclose(model.residual_purchases(asked, horizon=60_000, level=None)["residual_purchases"], ever)


def test_what_never_ends_is_refused_with_its_reason(cdnow_summary):
    with pytest.raises(DataError, match=r"infinite, because a is 0\.793"):
        BGNBD().fit(cdnow_summary).residual_purchases(cdnow_summary, annual_discount_rate=0)
    with pytest.raises(DataError, match="infinite, because nobody leaves"):
        NBD().fit(cdnow_summary).residual_purchases(cdnow_summary, annual_discount_rate=0)


def test_endless_value_is_the_limit_of_long_horizons(cdnow_summary):
    model, spend = BGNBD().fit(cdnow_summary), crmkit.create("spend-model", "gamma-gamma").fit(cdnow_summary)
    ever, long = (
        crmkit.value.lifetime_value(model, spend, cdnow_summary, horizon=horizon, margin=0.3)
        for horizon in (inf, 20_000)
    )
    assert np.allclose(ever, long, rtol=1e-7)


@pytest.mark.parametrize("change", [{"level": 0.0}, {"level": 1.0}, {"n_max": -1}, {"horizon": -1}, {"horizon": inf}])
def test_arguments_out_of_range_are_refused(model, cdnow_summary, change):
    with pytest.raises(DataError, match=next(iter(change))):
        model.predict(cdnow_summary, **change)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"horizon": -1}, "horizon must be a finite number of at least 0, got -1"),
        ({"horizon": -inf}, "horizon"),
        ({"horizon": np.nan}, "horizon"),
        ({"horizon": "52"}, "horizon must be a finite number of at least 0, got str"),
        ({"annual_discount_rate": -1}, "annual_discount_rate must be a finite number greater than -1, got -1"),
        ({"annual_discount_rate": np.nan, "horizon": 52}, "annual_discount_rate"),
        ({"annual_discount_rate": inf}, "annual_discount_rate"),
        ({"level": 2}, "level must be between 0 and 1, got 2"),
    ],
)
def test_residual_purchases_refuse_numbers_out_of_range(model, cdnow_summary, asked, message):
    with pytest.raises(DataError, match=message):
        model.residual_purchases(cdnow_summary.iloc[:3], **asked)


@pytest.mark.parametrize("n_max", [1.5, 2.0, True, "3", np.nan, -1])
def test_a_number_of_purchases_is_a_whole_number(model, cdnow_summary, n_max):
    with pytest.raises(DataError, match="n_max must be a whole number of at least 0"):
        model.predict(cdnow_summary.iloc[:3], 39, n_max=n_max)
    with pytest.raises(DataError, match="n_max must be a whole number of at least 0"):
        model.count_probabilities(39, n_max)


@pytest.mark.parametrize("wrong", ["soon", None, True, -1, inf, [1, 2]])
def test_a_horizon_is_a_number(model, cdnow_summary, wrong):
    with pytest.raises(DataError, match="horizon must be a finite number of at least 0"):
        model.predict(cdnow_summary.iloc[:3], wrong)
    with pytest.raises(DataError, match="time must be a finite number of at least 0"):
        model.count_probabilities(wrong, 3)


@pytest.mark.parametrize("wrong", ["soon", [1, -1], [1, inf], [[1, 2]]])
def test_ages_of_new_customers_are_numbers(model, wrong):
    with pytest.raises(DataError, match="times must"):
        model.expected_count(wrong)


def test_numbers_of_numpy_are_numbers(model, cdnow_summary):
    plain = model.predict(cdnow_summary.iloc[:3], 39, n_max=2)
    pd.testing.assert_frame_equal(model.predict(cdnow_summary.iloc[:3], np.float32(39), n_max=np.int64(2)), plain)
