from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import hyperu
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.datasets import make_company
from crmkit.preparation import purchase_summary
from crmkit.value import BGNBD, ParetoNBD, compare

NAMES = ("r", "alpha", "s", "beta")
WEEKS_PER_YEAR = 365.25 / 7


def fixed(*values):
    """Give a model with parameters from a publication."""
    model = ParetoNBD()
    model.params_, model.unit_ = dict(zip(NAMES, values, strict=True)), "week"
    return model


def customers(x, t_x, age):
    """Make a summary in weeks."""
    return pd.DataFrame({"repeats": x, "last_purchase_weeks": t_x, "age_weeks": age})


def draw(n, *, seed=0, r=0.55, alpha=10.6, s=0.6, beta=11.7, weeks=52.0):
    """Draw a purchase summary in weeks from the Pareto/NBD process, with what came in the 26 weeks after."""
    random = np.random.default_rng(seed)
    rate, leave = random.gamma(r, 1 / alpha, n), random.gamma(s, 1 / beta, n)
    age, life = random.uniform(weeks / 2, weeks, n), random.exponential(1, n) / leave
    seen = np.minimum(life, age)
    x = random.poisson(rate * seen)
    # Of so many moments spread evenly over a time, the last has this distribution.
    last = np.where(x > 0, seen * random.random(n) ** (1 / np.maximum(x, 1)), 0.0)
    later = random.poisson(rate * np.clip(life - age, 0, 26))
    index = pd.Index([f"c{number}" for number in range(n)], name="customer_id")
    return customers(x, last, age).set_index(index), later


@pytest.fixture(scope="module")
def model(cdnow_summary):
    """Give the model of CDNOW."""
    return crmkit.create("lifetime-model", "pareto-nbd").fit(cdnow_summary)


def test_cdnow_has_the_published_parameters_errors_and_likelihood(model):
    # Fader, Hardie and Lee 2005; CLVTools' correctness tests.
    assert model.params_ == pytest.approx({"r": 0.5533, "alpha": 10.578, "s": 0.6062, "beta": 11.669}, rel=1e-4)
    errors = {"r": 0.0476, "alpha": 0.8427, "s": 0.1873, "beta": 6.2105}
    assert model.standard_errors_ == pytest.approx(errors, rel=7e-4)
    assert model.log_likelihood_ == pytest.approx(-9594.976, abs=1e-3)
    assert model.aic_ == pytest.approx(2 * 4 + 2 * 9594.976, abs=2e-3)
    assert model.bic_ == pytest.approx(4 * np.log(2357) + 2 * 9594.976, abs=2e-3)
    assert model.n_customers_ == 2357
    assert model.likelihood_ratio_ is None


def test_the_published_customer_is_forecast_as_published(model):
    # BTYD's walkthrough: x = 26, t_x = 30.86, T = 31: E[52 weeks] = 25.46, P(alive) = .9979.
    forecast = model.predict(customers([26], [30.86], [31.0]), horizon=52).iloc[0]
    assert round(forecast["expected_purchases"], 2) == 25.46
    assert round(forecast["p_alive"], 4) == 0.9979


def test_a_new_customer_is_expected_to_buy_as_published():
    # BTYD's pnbd.Expectation, at r .55, alpha 10.56, s .61, beta 11.64.
    published = [
        0.05077821, 0.09916088, 0.14542507, 0.18979930, 0.23247466, 0.27361274, 0.31335159, 0.35181024, 0.38909211,
    ]  # fmt: skip
    assert fixed(0.55, 10.56, 0.61, 11.64).expected_count(np.arange(1, 10)).round(8).tolist() == published


def test_a_customer_with_many_purchases_does_not_underflow():
    # lifetimes' tests, at r .55, alpha 10.58, s .61, beta 11.67.
    pair = customers([132, 133], [200.0, 200.0], [200.0, 200.0])
    forecast = fixed(0.55, 10.58, 0.61, 11.67).predict(pair, horizon=10)["expected_purchases"]
    assert forecast.tolist() == pytest.approx([6.2060517889632418, 6.2528722475748113], rel=1e-12)


def test_p_alive_does_not_overflow():
    # lifetimes' tests, at parameters and customers its closed form could not compute.
    alive = fixed(10.465, 7.98565181e-03, 3.0516, 2.820).predict(customers([40, 50, 50], [5.0, 1, 4], [6.0, 37, 37]))
    assert ((alive["p_alive"] >= 0) & (alive["p_alive"] <= 1)).all()
    assert alive["p_alive"].iloc[0] > 1e-6


def test_cdnow_has_the_measured_holdout(cdnow):
    row = compare("pareto-nbd", cdnow, split="1997-10-01").loc["pareto-nbd"]
    # Weeks 40-78, to the digits measured with an independent implementation.
    assert round(row["predicted"], 1) == 1665.5
    assert round(100 * row["bias"], 1) == -11.5
    assert row[["mae", "rmse"]].astype(float).round(4).tolist() == [0.7545, 1.6028]


# The hypergeometric form in 80 digits: parameters, x, t_x, T, horizon; log-likelihood, P(alive), expected purchases,
# slopes of the log-likelihood by the log-parameters.
CORNERS = [
    (
        (0.5533, 10.578, 0.6062, 11.669), 2, 30.43, 38.86, 39.0,
        -9.554253621632506, 0.8691242543735004, 1.4551353139156353,
        [0.5104758606872094, -0.0008485627167470961, -0.7496320965165439, 0.4307952707918991],
    ),
    (
        (0.5533, 10.578, 0.6062, 11.669), 500, 300.0, 3650.0, 52.0,
        -271.72001885743447, 0.0, 0.0,
        [2.5204067941363753, -16.461132845990857, -0.9925760043051436, 0.5461826314786471],
    ),
    (
        (0.01, 0.001, 0.01, 1000.0), 0, 0.0, 39.0, 1000.0,
        -0.10570952533746368, 0.9996135872348563, 0.25534651262239244,
        [-0.10570948581704613, 0.009999742584269042, 3.899940601599636e-06, -3.863016524780557e-06],
    ),
    (
        (0.3, 0.0001, 0.8, 40.0), 100, 3.9, 39.0, 52.0,
        212.82903248122503, 4.393680463385917e-98, 4.750898542151027e-96,
        [-0.7427099937281282, 0.2974538698715099, 0.9248509444695282, -0.8386139943115016],
    ),
    (
        (8.0, 5.0, 1.0, 23.0), 100, 0.0, 39.0, 1.0,
        220.57689452097912, 1.8160306110393142e-100, 4.4219637810261875e-100,
        [21.220364445377403, -99.00406798279614, 0.9979618326637435, -0.9959320172038586],
    ),
    (
        (0.25, 0.14, 111.5, 0.06), 1, 4.0, 39.0, 1.0,
        -473.5918247681772, 1.4379107709699767e-111, 1.5239037883241007e-113,
        [0.1511225627258379, 0.2080940957429419, -469.91631826284356, 109.85205740080481],
    ),
    (
        (51.0, 320.0, 1.000000001, 364.0), 500, 4.0, 39.0, 1.0,
        -121.4053550834615, 1.6250107377781554e-22, 2.491007956467782e-22,
        [121.10472869288161, -492.2130241602523, 0.9874749045458041, -0.9751085481929538],
    ),
    (
        (3.0, 367.0, 0.84, 0.005), 500, 3285.0, 3650.0, 0.01,
        -1502.8788911914835, 7.657985246295581e-19, 9.589151472492652e-22,
        [8.991477374985774, -47.447832910485985, -10.254022578346794, 0.8399972055574826],
    ),
    (
        (68.0, 5000.0, 1.0, 0.001), 0, 0.0, 39.0, 1000.0,
        -0.00013735012099365775, 1.5119165966739558e-05, 2.6119405989300702e-05,
        [-0.0001317888496114868, 0.00013171692426325616, 0.0006988946634263093, -0.00012375978432600804],
    ),
    (
        (20.0, 0.2, 300.0, 0.5), 3, 0.1, 0.5, 3650.0,
        -50.204828612407695, 1.1058552809876755e-75, 1.2152255835029403e-76,
        [-5.363193220574827, 4.754605574622042, -54.564178089175975, 49.89007636505578],
    ),
    (
        (0.05, 265.0, 0.17, 4654.0), 2, 0.0, 3650.0, 1000.0,
        -18.5729148365394, 0.31592757860873183, 0.16380960385188567,
        [0.9808390392326127, -0.7924371174142719, 0.6438955829276276, -0.6037498284503932],
    ),
    (
        (1.2, 7.0, 0.7, 7.0), 4, 8.0, 30.0, 26.0,
        -10.80742058489448, 0.039527779955769254, 0.11861138940736822,
        [1.0585055132999233, -0.8376294993276495, 0.29100195128736783, 0.041330123090856784],
    ),
    (
        (1.2, 7.0, 0.7, 9.0), 4, 30.0, 30.0, 26.0,
        -13.899102662785761, 1.0, 3.0258061585655094,
        [0.2081595148621378, 0.21621621621621623, -1.0264359481553988, 0.5384615384615384],
    ),
    (
        (1.2, 7.0, 0.7, 9.0), 0, 0.0, 0.0, 26.0,
        0.0, 1.0, 2.5866556664229257,
        [0.0, 0.0, 0.0, 0.0],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "x", "t_x", "age", "horizon", "likelihood", "alive", "expected", "slopes"), CORNERS)
def test_the_hardest_corners_equal_eighty_digit_arithmetic(
    values, x, t_x, age, horizon, likelihood, alive, expected, slopes
):
    objective = ParetoNBD()._objective(*(np.array([value]) for value in (float(x), t_x, age, 1.0)))
    value, gradient = objective(np.log(values))
    assert -value == pytest.approx(likelihood, rel=1e-12, abs=1e-12)
    assert -gradient == pytest.approx(slopes, rel=1e-10, abs=1e-10)
    forecast = fixed(*values).predict(customers([x], [t_x], [age]), horizon=horizon).iloc[0]
    assert forecast["p_alive"] == pytest.approx(alive, rel=1e-11, abs=0)
    assert forecast["expected_purchases"] == pytest.approx(expected, rel=1e-11, abs=0)


def test_the_gradient_is_that_of_the_likelihood():
    table, _ = draw(50)
    columns = [table[name].to_numpy(dtype=float) for name in table.columns]
    objective = ParetoNBD()._objective(*columns, np.ones(len(table)))
    for point in ([-0.7, 2.0, -0.2, 0.9], [1.0, -1.0, 2.0, -1.5]):
        error = check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array(point))
        assert error < 1e-4 * abs(objective(np.array(point))[0])


@pytest.mark.parametrize("unit", ["day", "month"])
def test_the_unit_changes_no_forecast_and_scales_the_rates(cdnow, model, cdnow_summary, unit):
    length = {"day": 1 / 7, "month": 30.4375 / 7}[unit]
    summary = purchase_summary(cdnow, cutoff="1997-10-01", unit=unit)
    other = ParetoNBD().fit(summary)
    assert other.params_["alpha"] * length == pytest.approx(model.params_["alpha"], rel=1e-6)
    assert other.params_["beta"] * length == pytest.approx(model.params_["beta"], rel=1e-6)
    assert other.params_["s"] == pytest.approx(model.params_["s"], rel=1e-6)
    # A density of 2,457 purchase times in another unit.
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ + 2457 * np.log(length), abs=1e-6)
    mine, theirs = model.predict(cdnow_summary, horizon=39), other.predict(summary, horizon=39 / length)
    assert np.allclose(mine, theirs, rtol=1e-6)


def test_parameters_and_their_errors_are_recovered():
    fits = [ParetoNBD().fit(draw(2000, seed=seed)[0]) for seed in range(20)]
    for name, true in zip(NAMES, (0.55, 10.6, 0.6, 11.7), strict=True):
        logs = np.log([fit.params_[name] for fit in fits])
        stated = np.median([fit.standard_errors_[name] / fit.params_[name] for fit in fits])
        assert logs.std() == pytest.approx(stated, rel=0.45)
        assert abs(logs.mean() - np.log(true)) < 4 * stated / np.sqrt(20) + 0.1 * stated


def test_the_likelihood_knows_when_customers_leave():
    # The simulated company's customers leave right after a purchase; those drawn here leave at any moment.
    company = purchase_summary(make_company(2000, seed=0).transactions)
    for table, likelier, other in ((company, BGNBD, ParetoNBD), (draw(4000)[0], ParetoNBD, BGNBD)):
        assert likelier().fit(table).aic_ < other().fit(table).aic_ - 2


def test_forecasts_are_calibrated():
    table, later = draw(20_000, seed=3)
    forecast = ParetoNBD().fit(table).predict(table, horizon=26, n_max=2)
    assert forecast["expected_purchases"].sum() == pytest.approx(later.sum(), rel=0.05)
    for count in range(3):
        assert forecast[f"p_{count}"].mean() == pytest.approx((later == count).mean(), abs=0.009)
    # Beside each other for those who came back often, and those who never did.
    for group in (table["repeats"] == 0, table["repeats"] >= 3):
        assert forecast.loc[group, "expected_purchases"].mean() == pytest.approx(later[group].mean(), rel=0.1)


@pytest.mark.parametrize("values", [(0.55, 10.6, 0.6, 11.7), (3.0, 2.0, 1.0, 40.0), (0.1, 0.01, 2.5, 3.0)])
@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 0.0), (0, 0.0, 30.0), (5, 28.0, 30.0), (150, 39.0, 39.0)])
def test_probabilities_sum_to_one_and_have_the_expected_mean(values, x, t_x, age):
    model, n_max = fixed(*values), 1500
    got = model.predict(customers([x], [t_x], [age]), horizon=26, n_max=n_max).iloc[0]
    chances = got[[f"p_{n}" for n in range(n_max + 1)]].to_numpy(dtype=float)
    most = (values[0] + x) / (values[1] + age) * 26
    if most < 200:
        assert chances.sum() == pytest.approx(1, abs=1e-6)
        assert chances @ np.arange(n_max + 1) == pytest.approx(got["expected_purchases"], rel=1e-4)
    assert chances.sum() <= 1 + 1e-9
    assert (chances >= 0).all()


def test_the_distribution_of_a_new_customers_purchases_is_that_of_the_process():
    model = fixed(0.55, 10.6, 0.6, 11.7)
    random, n = np.random.default_rng(7), 400_000
    rate, leave = random.gamma(0.55, 1 / 10.6, n), random.gamma(0.6, 1 / 11.7, n)
    bought = random.poisson(rate * np.minimum(random.exponential(1, n) / leave, 39))
    for count, chance in enumerate(model.count_probabilities(39, 6)):
        assert chance == pytest.approx((bought == count).mean(), abs=4 * np.sqrt(chance / n))
    assert model.count_probabilities(0, 2).tolist() == [1.0, 0.0, 0.0]


def test_discounted_purchases_without_end_are_the_published_integral():
    # Fader, Hardie and Lee 2005 (RFM and CLV): with continuous discounting, DERT has Tricomi's function.
    values, force = (0.55, 10.6, 0.6, 11.7), np.log(1.1) / WEEKS_PER_YEAR
    r, alpha, s, beta = values
    model, table = fixed(*values), customers([3], [30.0], [39.0])
    alive = model.predict(table, horizon=0)["p_alive"].iloc[0]
    # The purchases of a week count at its end, as if half a week late.
    z = force * (beta + 39.0)
    continuous = alive * (r + 3) / (alpha + 39.0) * (beta + 39.0) ** s * force ** (s - 1) * hyperu(s, s, z)
    got = model.residual_purchases(table, level=None)["residual_purchases"].iloc[0]
    assert got == pytest.approx(continuous * force / np.expm1(force), rel=1e-5)


def test_without_discount_purchases_without_end_may_be_infinite():
    table = customers([3], [30.0], [39.0])
    with pytest.raises(DataError, match=r"s is 0\.6, at most 1"):
        fixed(0.55, 10.6, 0.6, 11.7).residual_purchases(table, annual_discount_rate=0.0, level=None)


positive = st.floats(0.01, 100.0)


@given(
    st.tuples(positive, positive, positive, positive),
    st.integers(0, 500),
    st.floats(0, 1),
    st.floats(0, 3650),
    st.floats(0, 1000),
)
def test_no_valid_customer_gets_a_negative_missing_or_infinite_forecast(values, x, share, age, horizon):
    table = customers([x], [age * share if x else 0.0], [age])
    got = fixed(*values).predict(table, horizon=horizon, n_max=2).iloc[0]
    assert 0 <= got["p_alive"] <= 1
    assert 0 <= got["expected_purchases"] <= (values[0] + x) / (values[1] + age) * horizon * (1 + 1e-9)
    assert (got[["p_0", "p_1", "p_2"]] >= 0).all()
    assert got[["p_0", "p_1", "p_2"]].sum() <= 1 + 1e-9


def test_one_time_buyers_are_the_less_alive_the_longer_they_were_silent(model):
    ages = np.array([0.0, 1.0, 10.0, 39.0, 200.0])
    alive = model.predict(customers([0] * 5, [0.0] * 5, ages))["p_alive"].to_numpy()
    assert alive[0] == 1
    assert (np.diff(alive) < 0).all()


def test_a_longer_horizon_expects_more_and_none_expects_nothing(model, cdnow_summary):
    forecasts = [model.predict(cdnow_summary, horizon=h)["expected_purchases"].to_numpy() for h in (0, 1, 39, 1000)]
    assert (forecasts[0] == 0).all()
    assert (np.diff(forecasts, axis=0) > 0).all()


def test_the_interval_of_an_expectation_is_that_of_repeated_samples():
    kind = customers([2], [20.0], [39.0])
    fits = [ParetoNBD().fit(draw(1000, seed=100 + seed)[0]).predict(kind, level=0.95).iloc[0] for seed in range(30)]
    truth = fixed(0.55, 10.6, 0.6, 11.7).predict(kind)["expected_purchases"].iloc[0]
    covered = np.mean([fit["low"] <= truth <= fit["high"] for fit in fits])
    assert covered >= 0.8


@pytest.mark.parametrize(
    ("x", "t_x", "age", "parameter", "cause"),
    [
        ([0] * 50, [0.0] * 50, [30.0] * 50, {"r"}, "no customer bought more than once"),
        ([1] * 5, [0.0] * 5, [0.0] * 5, {"r"}, "every age is 0"),
        ([2] * 300_000, [20.0] * 300_000, [30.0] * 300_000, {"r", "alpha"}, "rates hardly differ"),
        ([0, 1, 2, 3] * 30, [0.0] * 120, [30.0] * 120, {"alpha"}, "every repeat purchase falls on the first"),
        ([0, 1, 2, 3, 8, 1] * 40, [0.0, 39, 39, 39, 39, 39] * 40, [39.0] * 240, {"s", "beta"}, "no customer who left"),
        ([0] * 50 + [1], [0.0] * 50 + [9.0], [30.0] * 51, set(NAMES), "runs to"),
        ([0] * 99 + [1], [0.0] * 99 + [1 / 7], [1 / 7] * 100, set(NAMES), "runs to"),
        ([3], [20.0], [30.0], set(NAMES), "runs to"),
    ],
    ids=["one-time", "age-0", "identical", "last-at-0", "nobody-left", "one-repeat", "one-day", "one-row"],
)
def test_what_does_not_identify_the_model_names_the_parameter_and_the_cause(x, t_x, age, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        ParetoNBD().fit(customers(x, t_x, age))
    assert caught.value.parameter in parameter
    assert str(caught.value).startswith(f"pareto-nbd: {caught.value.parameter} is not identified")


def test_five_hundred_purchases_among_few_converge():
    table, _ = draw(600, seed=5)
    table.loc[table.index[:3], ["repeats", "last_purchase_weeks"]] = [[500, 25.0], [300, 3.0], [80, 25.5]]
    model = ParetoNBD().fit(table)
    got = model.predict(table, horizon=52, level=0.9, n_max=3)
    assert np.isfinite(got).all().all()
    assert (got >= 0).all().all()
    assert got["p_alive"].iloc[1] < 1e-6


def test_ten_years_in_days_converge():
    weeks, _ = draw(2000, weeks=520.0)
    days = (weeks * [1, 7, 7]).rename(columns=lambda name: name.replace("weeks", "days")).astype({"repeats": int})
    model = ParetoNBD().fit(days)
    assert model.params_["alpha"] == pytest.approx(7 * 10.6, rel=0.2)
    assert (model.predict(days, horizon=3650) >= 0).all().all()


def test_it_is_a_good_citizen_of_scikit_learn():
    model = clone(ParetoNBD(unit="day", purchase_covariates=("age",)))
    assert model.get_params() == {"unit": "day", "purchase_covariates": ("age",), "leaving_covariates": ()}
    with pytest.raises(NotFittedError):
        model.predict(customers([0], [0.0], [1.0]))
    with pytest.raises(NotFittedError):
        model.expected_count(3)
    with pytest.raises(NotFittedError):
        model.covariate_table()
    with pytest.raises(ValueError, match="unit"):
        ParetoNBD(unit="year").fit(customers([0], [0.0], [1.0]))


def test_it_is_saved_and_loaded(model, cdnow_summary, tmp_path):
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    pd.testing.assert_frame_equal(again.predict(cdnow_summary, level=0.9), model.predict(cdnow_summary, level=0.9))


def test_a_hundred_thousand_customers_take_a_moment():
    table, _ = draw(100_000)
    table[["last_purchase_weeks", "age_weeks"]] = np.ceil(table[["last_purchase_weeks", "age_weeks"]] * 7) / 7
    begin = time.process_time()
    ParetoNBD().fit(table).predict(table)
    assert time.process_time() - begin < 4
