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
from scipy.stats import beta as beta_distribution
from scipy.stats import gamma as gamma_distribution

import crmkit
from crmkit.core.errors import ConvergenceError
from crmkit.preparation import purchase_summary
from crmkit.value import BGNBD, MBGNBD, compare

NAMES = ("r", "alpha", "a", "b")


def fixed(params):
    """Give a model with parameters that are known."""
    model = MBGNBD()
    model.params_, model.unit_ = dict(params), "week"
    return model


def customers(x, t_x, age):
    """Make a summary in weeks."""
    return pd.DataFrame({"repeats": x, "last_purchase_weeks": t_x, "age_weeks": age})


@pytest.fixture(scope="module")
def model(cdnow_summary):
    """Give the model of CDNOW."""
    return crmkit.create("lifetime-model", "mbg-nbd").fit(cdnow_summary)


def test_cdnow_has_the_published_parameters_and_likelihood(model):
    # lifetimes' tests, after BTYDplus.
    published = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    assert model.params_ == pytest.approx(published, abs=5e-4)
    assert model.log_likelihood_ == pytest.approx(-9582.136, abs=1e-3)
    assert model.aic_ == pytest.approx(2 * 4 + 2 * 9582.136, abs=2e-3)
    assert model.n_customers_ == 2357


def test_the_published_customer_is_forecast_as_published(model):
    # lifetimes' tests: x = 2, t_x = 30.43, T = 38.86.
    forecast = model.predict(customers([2], [30.43], [38.86]), horizon=39).loc[0]
    assert forecast["expected_purchases"] == pytest.approx(1.26267, abs=5e-6)
    assert forecast["p_alive"] == pytest.approx(0.70613, abs=5e-6)


def test_cdnow_has_the_measured_holdout(cdnow):
    # Weeks 40-78, to the digits measured with an independent implementation.
    row = compare(["mbg-nbd"], cdnow, split="1997-10-01").loc["mbg-nbd"]
    assert round(row["predicted"], 1) == 1576.7
    assert round(100 * row["bias"], 1) == -16.2
    assert row[["mae", "rmse"]].astype(float).round(4).tolist() == [0.7648, 1.6072]


def test_the_gradient_is_that_of_the_likelihood(simulated):
    table = simulated(50)
    columns = [table[name].to_numpy(dtype=float) for name in table.columns]
    objective = MBGNBD()._objective(*columns, np.ones(len(table)))
    for point in ([-0.7, 2.0, -0.2, 0.9], [1.0, -1.0, 2.0, -1.5]):
        error = check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array(point))
        assert error < 1e-5 * abs(objective(np.array(point))[0])


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 20.0), (1, 3.0, 20.0), (4, 19.0, 20.0)])
def test_a_customers_likelihood_is_the_integral_over_rates_and_chances_of_leaving(x, t_x, age):
    r, alpha, a, b = 0.8, 5.0, 1.3, 2.1

    def mean(function, distribution, end):
        return integrate.quad(lambda v: function(v) * distribution.pdf(v), 0, end, epsabs=0, epsrel=1e-10)[0]

    rate, leave = gamma_distribution(r, scale=1 / alpha), beta_distribution(a, b)
    stayed = mean(lambda p: (1 - p) ** (x + 1), leave, 1) * mean(lambda v: v**x * np.exp(-v * age), rate, np.inf)
    left = mean(lambda p: p * (1 - p) ** x, leave, 1) * mean(lambda v: v**x * np.exp(-v * t_x), rate, np.inf)
    exact = stayed + left
    objective = MBGNBD()._objective(*(np.array([float(value)]) for value in (x, t_x, age, 1)))
    assert np.exp(-objective(np.log([r, alpha, a, b]))[0]) == pytest.approx(exact, rel=1e-6)


def exact_purchases(params, x, age, horizon):
    """Integrate the expected purchases of a living customer over their chance of leaving."""
    r, alpha, a, b = (params[name] for name in NAMES)

    def integrand(p):
        return -np.expm1(-(r + x) * np.log1p(p * horizon / (alpha + age))) / max(p, 1e-300)

    # The density's own powers at both ends are the weight, which the routine integrates exactly.
    ends = (a - 1, b + x)
    total = integrate.quad(integrand, 0, 1, weight="alg", wvar=ends, limit=500, epsabs=0, epsrel=1e-10)[0]
    return total / np.exp(betaln(a, b + x + 1))


@pytest.mark.parametrize("a", [0.3, 0.99999, 1.0, 1.0 + 1e-9, 1.3, 5.9, 12.0])
@pytest.mark.parametrize(("x", "age", "horizon"), [(0, 39.0, 39.0), (3, 10.0, 200.0), (150, 39.0, 4.0), (0, 0.0, 52.0)])
def test_expected_purchases_equal_their_integral(a, x, age, horizon):
    params = {"r": 0.6, "alpha": 5.0, "a": a, "b": 1.7}
    got = fixed(params).predict(customers([x], [age if x else 0.0], [age]), horizon=horizon).loc[0]
    assert got["expected_purchases"] / got["p_alive"] == pytest.approx(
        exact_purchases(params, x, age, horizon), rel=1e-8
    )


def test_a_living_customer_is_one_of_bg_nbd_who_had_one_more_occasion_to_leave(model):
    table = customers([0, 1, 5, 40], [0.0, 3.0, 20.0, 30.0], [39.0, 5.0, 20.0, 31.0])
    one_more = BGNBD()
    one_more.params_, one_more.unit_ = {**model.params_, "b": model.params_["b"] + 1}, "week"
    mine, other = model.predict(table, 26), one_more.predict(table, 26)
    living = mine["expected_purchases"] / mine["p_alive"]
    assert living.tolist() == pytest.approx((other["expected_purchases"] / other["p_alive"]).tolist(), rel=1e-8)


def test_forecasts_are_those_of_simulated_customers(simulated_gaps):
    params = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.0}
    summary, later = simulated_gaps(60_000, at_first=True, age=40.0, horizon=30.0, **params)
    forecast = fixed(params).predict(summary, 30.0, n_max=4)
    # Customers alike in repeats and the time since the last one, whose mean must be right within its error.
    silence = pd.cut(40.0 - summary["last_purchase_weeks"], [-1, 2, 10, 30, 41])
    for same in summary.groupby([summary["repeats"].clip(upper=6), silence], observed=True).groups.values():
        got, true = forecast.loc[same], later.loc[same]
        happened = {"p_alive": true["alive"], **{f"p_{n}": true["purchases"] == n for n in range(5)}}
        for column, seen in happened.items():
            chance = got[column].mean()
            assert abs(chance - seen.mean()) < 4 * np.sqrt(chance * (1 - chance) / len(same)) + 5 / len(same)
        error = true["purchases"].std() / np.sqrt(len(same)) if len(same) > 1 else 5.0
        assert abs(got["expected_purchases"].mean() - true["purchases"].mean()) < 4 * error + 5 / len(same)


def test_the_distribution_sums_to_one_and_has_the_expected_mean(model, cdnow_summary):
    asked = cdnow_summary.drop_duplicates(["repeats", "age_weeks"]).head(200)
    chances = model.predict(asked, 39, n_max=400)
    given_by_number = chances.filter(regex=r"^p_\d").to_numpy()
    assert given_by_number.sum(axis=1) == pytest.approx(np.ones(len(asked)), abs=1e-9)
    assert given_by_number @ np.arange(401) == pytest.approx(chances["expected_purchases"].to_numpy(), rel=1e-8)
    new = model.count_probabilities(39, 400)
    assert new @ np.arange(401) == pytest.approx(model.expected_count(39)[0], rel=1e-9)


def test_a_one_time_buyer_may_have_left_at_once_and_is_believed_less_with_time(model):
    a, b = model.params_["a"], model.params_["b"]
    ages = [0.0, 1.0, 10.0, 100.0]
    alive = model.predict(customers([0] * 4, [0.0] * 4, ages), 1)["p_alive"]
    assert alive[0] == pytest.approx(b / (a + b))
    assert (np.diff(alive) < 0).all()


@pytest.mark.parametrize("unit", ["day", "month"])
def test_the_unit_changes_no_forecast_and_scales_the_rates(cdnow, model, cdnow_summary, unit):
    length = {"day": 1 / 7, "month": 30.4375 / 7}[unit]
    summary = purchase_summary(cdnow, cutoff="1997-10-01", unit=unit)
    other = MBGNBD().fit(summary)
    assert other.params_["alpha"] * length == pytest.approx(model.params_["alpha"], rel=1e-6)
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ + 2457 * np.log(length), abs=1e-6)
    mine, theirs = model.predict(cdnow_summary, horizon=39), other.predict(summary, horizon=39 / length)
    assert np.allclose(mine, theirs, rtol=1e-6)


def test_parameters_are_recovered_within_their_errors(simulated_gaps):
    truth = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.0}
    fits = [MBGNBD().fit(simulated_gaps(4000, at_first=True, seed=seed, **truth)[0]) for seed in range(20)]
    for name, true in truth.items():
        off = [np.log(fit.params_[name] / true) / (fit.standard_errors_[name] / fit.params_[name]) for fit in fits]
        assert abs(np.mean(off)) < 3.5 / np.sqrt(20)
        assert 0.6 < np.std(off) < 1.5


def test_the_interval_of_the_expected_purchases_covers_the_truth(simulated_gaps):
    truth = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.0}
    asked = customers([0, 2, 9], [0.0, 20.0, 30.0], [39.0] * 3)
    right = fixed(truth).predict(asked, 26)["expected_purchases"]
    covered = []
    for seed in range(40):
        got = MBGNBD().fit(simulated_gaps(2000, at_first=True, seed=seed, **truth)[0]).predict(asked, 26, level=0.9)
        covered.append((got["low"] <= right) & (right <= got["high"]))
    assert 0.8 < np.mean(covered) < 0.98


positive = st.floats(0.05, 20.0)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, positive)),
    st.integers(0, 500),
    st.floats(0, 1),
    st.floats(0, 3650),
    st.floats(0, 1000),
)
def test_no_valid_customer_gets_a_negative_missing_or_infinite_forecast(params, x, share, age, horizon):
    got = fixed(params).predict(customers([x], [age * share if x else 0.0], [age]), horizon=horizon, n_max=3).iloc[0]
    assert 0 <= got["p_alive"] <= 1
    assert 0 <= got["expected_purchases"] <= (params["r"] + x) / (params["alpha"] + age) * horizon * (1 + 1e-9) + 1e-300
    chances = got[["p_0", "p_1", "p_2", "p_3"]]
    assert (chances >= 0).all()
    assert chances.sum() <= 1 + 1e-9


@pytest.mark.parametrize(
    ("x", "t_x", "age", "parameter", "cause"),
    [
        ([0] * 50, [0.0] * 50, [30.0] * 50, {"r"}, "no customer bought more than once"),
        ([1] * 5, [0.0] * 5, [0.0] * 5, {"r"}, "every age is 0"),
        ([2] * 300_000, [20.0] * 300_000, [30.0] * 300_000, {"r", "alpha"}, "rates hardly differ"),
        ([0, 1, 2, 3, 8, 1] * 40, [0.0, 39, 39, 39, 39, 39] * 40, [39.0] * 240, {"a", "b"}, "no customer who left"),
        ([0] * 50 + [1], [0.0] * 50 + [9.0], [30.0] * 51, {"r", "alpha", "a", "b"}, "runs to"),
        ([0] * 99 + [1], [0.0] * 99 + [1 / 7], [1 / 7] * 100, {"r", "alpha", "a", "b"}, "runs to"),
    ],
    ids=["one-time", "age-0", "identical", "nobody-left", "one-repeat", "one-day"],
)
def test_what_does_not_identify_the_model_names_the_parameter_and_the_cause(x, t_x, age, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        MBGNBD().fit(customers(x, t_x, age))
    assert caught.value.parameter in parameter
    assert str(caught.value).startswith(f"mbg-nbd: {caught.value.parameter} is not identified")


def test_purchases_without_end_are_infinite_where_chances_of_leaving_near_0_are_common(model):
    with pytest.raises(crmkit.DataError, match=r"infinite, because a is 0\.891, at most 1"):
        model.residual_purchases(customers([1], [3.0], [39.0]), annual_discount_rate=0.0)
    seldom = fixed({"r": 0.6, "alpha": 5.0, "a": 2.0, "b": 1.7})
    assert seldom._endless(seldom.params_) is None


def test_a_hundred_thousand_customers_take_a_moment(simulated):
    table = simulated(100_000)
    begin = time.process_time()
    MBGNBD().fit(table).predict(table)
    assert time.process_time() - begin < 2
