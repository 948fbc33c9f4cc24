from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.optimize import check_grad
from scipy.special import betaln
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.preparation import purchase_summary
from crmkit.value import BGNBD
from crmkit.value._beta_expectation import beta_rule

ROUNDED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def fixed(params):
    """Give a model with parameters from a publication."""
    model = BGNBD()
    model.params_, model.unit_ = dict(params), "week"
    return model


def customers(x, t_x, age):
    """Make a summary in weeks."""
    return pd.DataFrame({"repeats": x, "last_purchase_weeks": t_x, "age_weeks": age})


@pytest.fixture(scope="module")
def model(cdnow_summary):
    """Give the model of CDNOW."""
    return crmkit.create("lifetime-model", "bg-nbd").fit(cdnow_summary)


def test_cdnow_has_the_published_parameters_and_likelihood(model):
    # Fader, Hardie and Lee 2005; CLVTools' correctness tests.
    published = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}
    assert model.params_ == pytest.approx(published, rel=2e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.429, abs=1e-3)
    assert model.n_customers_ == 2357
    assert model.unit_ == "week"
    assert model.aic_ == pytest.approx(2 * 4 + 2 * 9582.429, abs=2e-3)
    assert model.bic_ == pytest.approx(4 * np.log(2357) + 2 * 9582.429, abs=2e-3)


def test_the_published_customer_is_forecast_as_published(model):
    # x = 2, t_x = 30.43, T = 38.86: E[39 weeks] = 1.226, P(alive) = .7266.
    forecast = model.predict(customers([2], [30.43], [38.86]), horizon=39)
    assert forecast.loc[0, "expected_purchases"] == pytest.approx(1.226, abs=5e-4)
    assert forecast.loc[0, "p_alive"] == pytest.approx(0.7266, abs=5e-5)


def test_a_new_customer_is_expected_to_buy_as_published(model):
    # Fader, Hardie and Lee's spreadsheet, which cuts the hypergeometric series: at 78 weeks it is 2e-4 too low.
    expected = [0.0078, 0.0532, 0.1506, 1.0437, 1.8576]
    got = model.expected_count([0.1429, 1, 3, 32, 78])
    assert got[:4] == pytest.approx(expected[:4], abs=6e-5)
    assert got[4] == pytest.approx(expected[4], rel=3e-4)
    assert got[4] == pytest.approx(exact(model.params_, 0, 0.0, 78.0), rel=1e-7)


def test_the_distribution_of_a_new_customers_purchases_is_the_published_one():
    # BTYD's documentation, at its rounded parameters.
    assert fixed(ROUNDED).count_probabilities(39, 0)[0] == pytest.approx(0.57379, abs=5e-6)


def test_the_distribution_sums_to_one_and_has_the_expected_mean(model):
    chances = model.count_probabilities(39, 2000)
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert chances @ np.arange(2001) == pytest.approx(model.expected_count(39)[0], rel=1e-9)
    assert model.count_probabilities(0, 2).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(("x", "t_x", "expected"), [(0, 0.0, -0.59947382), (200, 38.0, 100.7957)])
def test_one_customers_log_likelihood_neither_overflows_nor_underflows(x, t_x, expected):
    # lifetimes' tests: a = .80, b = 2.50, r = .25, alpha = 4, T = 40.
    objective = BGNBD()._objective(*(np.array([value]) for value in (float(x), t_x, 40.0, 1.0)))
    assert -objective(np.log([0.25, 4.0, 0.80, 2.50]))[0] == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_that_of_the_likelihood(simulated):
    table = simulated(50)
    columns = [table[name].to_numpy(dtype=float) for name in table.columns]
    objective = BGNBD()._objective(*columns, np.ones(len(table)))
    for point in ([-0.7, 2.0, -0.2, 0.9], [1.0, -1.0, 2.0, -1.5]):
        error = check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array(point))
        assert error < 1e-4 * abs(objective(np.array(point))[0])


@pytest.mark.parametrize("unit", ["day", "month"])
def test_the_unit_changes_no_forecast_and_scales_the_rates(cdnow, model, cdnow_summary, unit):
    length = {"day": 1 / 7, "month": 30.4375 / 7}[unit]
    summary = purchase_summary(cdnow, cutoff="1997-10-01", unit=unit)
    other = BGNBD().fit(summary)
    assert other.params_["alpha"] * length == pytest.approx(model.params_["alpha"], rel=1e-6)
    assert other.params_["b"] == pytest.approx(model.params_["b"], rel=1e-6)
    # A density of 2,457 purchase times in another unit.
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ + 2457 * np.log(length), abs=1e-6)
    mine, theirs = model.predict(cdnow_summary, horizon=39), other.predict(summary, horizon=39 / length)
    assert np.allclose(mine, theirs, rtol=1e-6)


def test_standard_errors_are_those_of_repeated_samples(simulated):
    fits = [BGNBD().fit(simulated(3000, seed=seed)) for seed in range(60)]
    truth = {"r": 0.5, "alpha": 8.0, "a": 0.8, "b": 2.5}
    for name, true in truth.items():
        logs = np.log([fit.params_[name] for fit in fits])
        stated = np.median([fit.standard_errors_[name] / fit.params_[name] for fit in fits])
        assert logs.std() == pytest.approx(stated, rel=0.35)
        assert abs(logs.mean() - np.log(true)) < 4 * stated / np.sqrt(60) + 0.05 * stated


def test_lifetimes_names_are_read_where_the_unit_is_given(cdnow_summary, model):
    names = {
        "repeats": "frequency",
        "last_purchase_weeks": "recency",
        "age_weeks": "T",
        "repeat_spend": "monetary_value",
    }
    other = BGNBD(unit="week").fit(cdnow_summary.rename(columns=names))
    assert other.params_ == model.params_


def test_equal_customers_are_counted_not_computed_again(simulated):
    table = simulated(500)
    once, thrice = BGNBD().fit(table), BGNBD().fit(pd.concat([table.reset_index(drop=True)] * 3, ignore_index=True))
    assert thrice.params_ == pytest.approx(once.params_, rel=1e-7)
    assert thrice.log_likelihood_ == pytest.approx(3 * once.log_likelihood_)
    assert thrice.standard_errors_["r"] == pytest.approx(once.standard_errors_["r"] / np.sqrt(3), rel=1e-4)


def exact(params, x, age, horizon):
    """Integrate the expected purchases of a living customer over their chance of leaving."""
    r, alpha, a, b = (params[name] for name in ("r", "alpha", "a", "b"))

    def integrand(p):
        return -np.expm1(-(r + x) * np.log1p(p * horizon / (alpha + age))) / max(p, 1e-300)

    # The density's own powers at both ends are the weight, which the routine integrates exactly.
    ends = (a - 1, b + x - 1)
    total = integrate.quad(integrand, 0, 1, weight="alg", wvar=ends, limit=500, epsabs=0, epsrel=1e-9)[0]
    return total / np.exp(betaln(a, b + x))


@pytest.mark.parametrize("a", [0.3, 0.99999, 1.0, 1.0 + 1e-9, 1.3, 4.0])
@pytest.mark.parametrize(("x", "age", "horizon"), [(0, 39.0, 39.0), (3, 10.0, 200.0), (150, 39.0, 4.0), (0, 0.0, 52.0)])
def test_expected_purchases_equal_their_integral(a, x, age, horizon):
    params = {"r": 0.6, "alpha": 5.0, "a": a, "b": 1.7}
    got = fixed(params).predict(customers([x], [age if x else 0.0], [age]), horizon=horizon)
    alive = got.loc[0, "p_alive"]
    assert got.loc[0, "expected_purchases"] / alive == pytest.approx(exact(params, x, age, horizon), rel=1e-7)


@pytest.mark.parametrize("b", [0.4, 0.7, 0.70001])
def test_the_pole_of_the_closed_form_is_passed(b):
    # a + b - 1 is near 0 for customers without repeats.
    params = {"r": 0.6, "alpha": 5.0, "a": 0.3, "b": b}
    got = fixed(params).predict(customers([0], [0.0], [20.0]), horizon=30.0)
    assert got.loc[0, "expected_purchases"] == pytest.approx(exact(params, 0, 20.0, 30.0), rel=1e-5)


@pytest.mark.parametrize(
    ("values", "x", "age", "horizon", "reference"),
    [
        ((12.42, 0.01173, 0.306, 0.7137), 0, 0.0, 1000.0, 16796.733396544347),
        ((17.14, 0.01393, 0.1232, 0.7029), 0, 0.0, 1000.0, 218362.8079683832),
        ((1.16, 0.0218, 0.99999, 0.2582), 500, 0.0, 1000.0, 5370.772669197731),
        ((94.41, 0.0137, 0.9999, 58.46), 500, 0.0, 50.0, 4617.624015309329),
        ((0.5386, 0.06023, 1.00001, 6.305), 500, 1.0, 1000.0, 3462.438463863731),
        ((0.01373, 0.0134, 75.96, 1.174), 0, 0.0, 1000.0, 0.14482357560417836),
        ((77.64, 0.05558, 1.000000001, 0.1928), 1, 3650.0, 0.01, 0.00021543805574970236),
        ((0.0223, 1.122, 1.000001, 19.79), 0, 300.0, 0.01, 7.405630207115821e-07),
        ((0.6, 5.0, 0.3, 0.7), 0, 20.0, 30.0, 0.5911545963961423),
    ],
)
def test_the_hardest_corners_equal_sixty_digit_arithmetic(values, x, age, horizon, reference):
    # The closed form in 60 digits: poles of it, horizons of thousands of times alpha, and of seconds.
    params = dict(zip(("r", "alpha", "a", "b"), values, strict=True))
    got = fixed(params).predict(customers([x], [age if x else 0.0], [age]), horizon=horizon).loc[0]
    assert got["expected_purchases"] / got["p_alive"] == pytest.approx(reference, rel=1e-8)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1.0, 1.0), (0.01, 3.0), (2.0, 500.0)])
def test_the_beta_rule_has_the_moments_of_the_distribution(a, b):
    nodes, weights = beta_rule(a, b, 20)
    for power in range(6):
        assert weights @ nodes**power == pytest.approx(np.exp(betaln(a + power, b) - betaln(a, b)), rel=1e-9)


positive = st.floats(0.05, 20.0)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(("r", "alpha", "a", "b"), positive)),
    st.integers(0, 500),
    st.floats(0, 1),
    st.floats(0, 3650),
    st.floats(0, 1000),
)
def test_no_valid_customer_gets_a_negative_missing_or_infinite_forecast(params, x, share, age, horizon):
    got = fixed(params).predict(customers([x], [age * share if x else 0.0], [age]), horizon=horizon).iloc[0]
    assert 0 <= got["p_alive"] <= 1
    assert 0 <= got["expected_purchases"] <= (params["r"] + x) / (params["alpha"] + age) * horizon * (1 + 1e-9)


def test_a_customer_without_repeats_has_had_no_occasion_to_leave(model, cdnow_summary):
    forecast = model.predict(cdnow_summary)
    assert (forecast.loc[cdnow_summary["repeats"] == 0, "p_alive"] == 1).all()
    assert forecast.index.equals(cdnow_summary.index)


def test_a_longer_horizon_expects_more_and_none_expects_nothing(model, cdnow_summary):
    forecasts = [model.predict(cdnow_summary, horizon=h)["expected_purchases"].to_numpy() for h in (0, 1, 39, 1000)]
    assert (forecasts[0] == 0).all()
    assert (np.diff(forecasts, axis=0) > 0).all()


@pytest.mark.parametrize("horizon", [-1, np.nan, np.inf])
def test_a_horizon_that_is_no_time_is_refused(model, cdnow_summary, horizon):
    with pytest.raises(DataError, match="horizon"):
        model.predict(cdnow_summary, horizon=horizon)
    with pytest.raises(DataError, match="times"):
        model.expected_count([1.0, horizon])


def test_a_negative_count_is_refused(model):
    with pytest.raises(DataError, match="n_max"):
        model.count_probabilities(1.0, -1)


@pytest.mark.parametrize(
    ("x", "t_x", "age", "parameter", "cause"),
    [
        ([0] * 50, [0.0] * 50, [30.0] * 50, {"r"}, "no customer bought more than once"),
        ([0] * 50, [0.0] * 50, [0.0] * 50, {"r"}, "no customer bought more than once"),
        ([1] * 5, [0.0] * 5, [0.0] * 5, {"r"}, "every age is 0"),
        ([2] * 300_000, [20.0] * 300_000, [30.0] * 300_000, {"r", "alpha"}, "rates hardly differ"),
        ([0, 1, 2, 3] * 30, [0.0] * 120, [30.0] * 120, {"alpha"}, "fall close to the first"),
        ([0, 1, 2, 3, 8, 1] * 40, [0.0, 39, 39, 39, 39, 39] * 40, [39.0] * 240, {"a", "b"}, "no customer who left"),
        ([0] * 50 + [1], [0.0] * 50 + [9.0], [30.0] * 51, {"r", "alpha", "a", "b"}, "runs to"),
        ([0] * 99 + [1], [0.0] * 99 + [1 / 7], [1 / 7] * 100, {"r", "alpha", "a", "b"}, "runs to"),
        ([3], [20.0], [30.0], {"r", "alpha", "a", "b"}, "runs to"),
    ],
    ids=["one-time", "no-time", "age-0", "identical", "last-at-0", "nobody-left", "one-repeat", "one-day", "one-row"],
)
def test_what_does_not_identify_the_model_names_the_parameter_and_the_cause(x, t_x, age, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        BGNBD().fit(customers(x, t_x, age))
    assert caught.value.parameter in parameter
    assert str(caught.value).startswith(f"bg-nbd: {caught.value.parameter} is not identified")


def test_ten_years_in_days_converge(simulated):
    weeks = simulated(2000, weeks=520.0)
    days = (weeks * [1, 7, 7]).rename(columns=lambda name: name.replace("weeks", "days"))
    model = BGNBD().fit(days.astype({"repeats": int}))
    assert model.params_["alpha"] == pytest.approx(56, rel=0.2)
    assert (model.predict(days, horizon=3650) >= 0).all().all()


def test_it_is_a_good_citizen_of_scikit_learn():
    model = clone(BGNBD(unit="day"))
    assert model.get_params() == {"unit": "day", "purchase_covariates": (), "leaving_covariates": ()}
    with pytest.raises(NotFittedError):
        model.predict(customers([0], [0.0], [1.0]))
    with pytest.raises(NotFittedError):
        model.expected_count(3)
    with pytest.raises(ValueError, match="unit"):
        BGNBD(unit="fortnight").fit(customers([0], [0.0], [1.0]))


def test_a_hundred_thousand_customers_take_a_moment(simulated):
    table = simulated(100_000)
    begin = time.process_time()
    BGNBD().fit(table).predict(table)
    assert time.process_time() - begin < 2
