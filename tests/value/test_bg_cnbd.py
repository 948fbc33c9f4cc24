from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import beta as beta_distribution
from scipy.stats import gamma as gamma_distribution
from scipy.stats import poisson
from sklearn.base import clone

import crmkit
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.preparation import purchase_summary
from crmkit.value import BGCNBD, BGNBD, MBGNBD, compare

NAMES = ("r", "alpha", "a", "b")


def fixed(params, k, *, at_first=False):
    """Give a model with parameters that are known; alpha is that of stages."""
    model = BGCNBD(k=k, drop_out_at_first=at_first)
    model.params_, model.k_, model.unit_ = dict(params), k, "week"
    return model


def customers(x, t_x, age, evenness=0.8):
    """Make a summary in weeks."""
    x = np.asarray(x)
    even = np.where(x > 1, evenness, np.where(x > 0, 1.0, 0.0))
    return pd.DataFrame({"repeats": x, "last_purchase_weeks": t_x, "age_weeks": age, "gap_evenness": even})


@pytest.fixture(scope="module")
def regular(simulated_gaps):
    """Give customers whose gaps have three stages, and what they did in the 26 weeks after."""
    return simulated_gaps(8000, k=3, horizon=26.0, seed=1)


@pytest.fixture(scope="module")
def model(regular):
    """Give the model of regular customers."""
    return crmkit.create("lifetime-model", "bg-cnbd-k").fit(regular[0])


def test_one_stage_is_bg_nbd_to_the_digits(cdnow_summary):
    mine, other = BGCNBD(k=1).fit(cdnow_summary), BGNBD().fit(cdnow_summary)
    assert mine.params_ == pytest.approx(other.params_, rel=1e-9)
    assert mine.log_likelihood_ == pytest.approx(other.log_likelihood_, abs=1e-9)
    assert mine.standard_errors_ == pytest.approx(other.standard_errors_, rel=1e-6)
    assert (mine.aic_, mine.bic_) == pytest.approx((other.aic_, other.bic_))
    assert np.allclose(mine.predict(cdnow_summary, n_max=5), other.predict(cdnow_summary, n_max=5), rtol=1e-7)
    assert mine.expected_count([0.1, 39, 780]) == pytest.approx(other.expected_count([0.1, 39, 780]), rel=1e-8)


def test_one_stage_with_leaving_at_first_is_mbg_nbd_to_the_digits(cdnow_summary):
    mine, other = BGCNBD(k=1, drop_out_at_first=True).fit(cdnow_summary), MBGNBD().fit(cdnow_summary)
    assert mine.params_ == other.params_
    assert mine.predict(cdnow_summary).equals(other.predict(cdnow_summary))


def test_cdnow_customers_buy_at_random(cdnow_summary):
    model = BGCNBD().fit(cdnow_summary)
    assert model.k_ == 1
    assert list(model.k_profile_) == [1, 2, 3]
    assert model.k_profile_[1] == pytest.approx(-9582.429, abs=1e-3)
    assert model.regularity_.low < 1 < model.regularity_.high
    assert model.regularity_.n == (cdnow_summary["repeats"] >= 2).sum()
    # The choice counts as a parameter.
    assert model.aic_ == pytest.approx(2 * 5 + 2 * 9582.429, abs=2e-3)
    assert model.bic_ == pytest.approx(5 * np.log(2357) + 2 * 9582.429, abs=2e-3)


def test_customers_of_online_retail_buy_regularly_and_are_forecast_better_for_it(data_file):
    table = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"))
    table = table[table["Customer ID"].notna()]
    sales = pd.DataFrame(
        {
            "customer_id": table["Customer ID"].astype("int64").astype(str),
            "day": table["InvoiceDate"].to_numpy().astype("datetime64[D]").astype(np.int64),
            "amount": table["Quantity"] * table["Price"],
        }
    )
    with warnings.catch_warnings():
        # The table starts in mid-life, and refunds before purchases are left out: both are told of elsewhere.
        warnings.simplefilter("ignore", DataWarning)
        judged = compare(["bg-nbd", "bg-cnbd-k"], sales, split="2010-09-10")
        model = BGCNBD().fit(purchase_summary(sales, cutoff="2010-09-10"))
    assert model.k_ == 2
    assert model.regularity_ == pytest.approx(1.81, abs=0.01)
    assert model.k_profile_[2] > model.k_profile_[1] + 500
    assert judged.loc["bg-cnbd-k", "rmse"] < judged.loc["bg-nbd", "rmse"] < judged.loc["naive: own rate", "rmse"]


@pytest.mark.parametrize(("k", "at_first"), [(1, False), (2, False), (3, True), (5, False)])
def test_k_and_the_parameters_are_recovered_within_their_errors(simulated_gaps, k, at_first):
    truth = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.5}
    off = []
    for seed in range(8):
        summary, _ = simulated_gaps(4000, k=k, at_first=at_first, seed=seed, **truth)
        model = BGCNBD(drop_out_at_first=at_first).fit(summary)
        assert model.k_ == k
        assert set(model.k_profile_) == set(range(1, k + 3))
        stages = {**truth, "alpha": truth["alpha"] / k}
        off.append([np.log(model.params_[n] / stages[n]) / model.standard_errors_[n] * model.params_[n] for n in NAMES])
    assert (np.abs(np.mean(off, axis=0)) < 3.5 / np.sqrt(8)).all()
    assert np.abs(off).max() < 5


def test_a_regular_base_is_forecast_better_than_by_bg_nbd(model, regular):
    summary, later = regular
    assert model.k_ == 3
    mine, other = (each.predict(summary, 26)["expected_purchases"] for each in (model, BGNBD().fit(summary)))
    actual = later["purchases"]
    assert abs(mine.sum() / actual.sum() - 1) < 0.04 < other.sum() / actual.sum() - 1
    assert np.sqrt(((mine - actual) ** 2).mean()) < 0.98 * np.sqrt(((other - actual) ** 2).mean())
    assert model.log_likelihood_ > BGNBD().fit(summary).log_likelihood_ + 500


@pytest.mark.parametrize("at_first", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_the_gradient_is_that_of_the_likelihood(simulated, k, at_first):
    table = simulated(50)
    columns = [table[name].to_numpy(dtype=float) for name in table.columns]
    objective = fixed({}, k, at_first=at_first)._objective(*columns, np.ones(len(table)))
    for point in ([-0.7, 2.0, -0.2, 0.9], [1.0, -1.0, 2.0, -1.5]):
        error = check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array(point))
        assert error < 1e-5 * abs(objective(np.array(point))[0])


def integrals(params, gaps, age, horizon, k, *, at_first, n_max=0):
    """Integrate a customer over rates and chances of leaving: likelihood, P(alive), purchases, their probabilities."""
    r, alpha, a, b = (params[name] for name in NAMES)
    x, t_x = len(gaps), float(np.sum(gaps))
    # Substitutions that take the powers at the ends away; the rule is Gauss and Legendre's on many panels.
    nodes, widths = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(-45, 12, 60)
    v = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2).ravel()
    step = (np.diff(edges)[:, None] * widths / 2).ravel()
    rate = np.exp(v)
    by_rate = step * rate * gamma_distribution.pdf(rate, r, scale=1 / alpha)
    leave = 1 / (1 + np.exp(-v))
    by_leave = step * leave * (1 - leave) * beta_distribution.pdf(leave, a, b)
    # Purchases are seen as they came, gap by gap; then a gap is unfinished, or they have left.
    seen = np.prod([gamma_distribution.pdf(gap, k, scale=1 / rate) for gap in gaps], axis=0) * by_rate
    silent = np.array([poisson.pmf(j, rate * (age - t_x)) for j in range(k)])
    stayed = (1 - leave) ** (x + at_first)
    left = leave * (1 - leave) ** (x + at_first - 1.0) if x + at_first else np.zeros_like(leave)
    alive, gone = np.sum(seen * silent) * (by_leave @ stayed), np.sum(seen * np.ones_like(rate)) * (by_leave @ left)
    # Purchase n happens if its stages are gone through, and no purchase before it was the last.
    tails = [
        [np.sum(seen * silent[j] * poisson.sf(k * n - j - 1, rate * horizon)) for j in range(k)] for n in range(1, 200)
    ]
    at_least = np.array([alive / (by_leave @ stayed), *np.sum(tails, axis=1)])
    survive = np.array([by_leave @ (stayed * (1 - leave) ** n) for n in range(200)])
    reached = np.concatenate([[at_least[0] * survive[0]], at_least[1:] * survive[:-1]])
    total = alive + gone
    exactly = reached[:-1] - reached[1:]
    exactly[0] += gone
    return total, alive / total, reached[1:].sum() / total, exactly[: n_max + 1] / total


CUSTOMERS = [
    ([], 20.0, 26.0),
    ([4.0], 20.0, 26.0),
    ([3.0, 5.0, 4.0], 13.0, 10.0),
    ([3.0, 5.0, 4.0], 12.0, 10.0),
    ([1.0, 0.2, 2.0, 1.1, 0.9], 9.0, 40.0),
    ([2.0, 2.1], 30.0, 60.0),
]


@pytest.mark.parametrize("at_first", [False, True])
@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize(("gaps", "age", "horizon"), CUSTOMERS)
def test_likelihood_and_forecasts_are_integrals_over_rates_and_chances_of_leaving(gaps, age, horizon, k, at_first):
    params = {"r": 0.9, "alpha": 5.0 / k, "a": 0.8, "b": 2.1}
    likelihood, alive, purchases, chances = integrals(params, gaps, age, horizon, k, at_first=at_first, n_max=5)
    x, t_x = len(gaps), sum(gaps)
    model = fixed(params, k, at_first=at_first)
    objective = model._objective(*(np.array([float(value)]) for value in (x, t_x, age, 1)))
    theta = np.log([params[name] for name in NAMES])
    stages_within = (k - 1) * np.sum(np.log(gaps)) - x * np.sum(np.log(np.arange(1, k)))
    assert stages_within - objective(theta)[0] == pytest.approx(np.log(likelihood), abs=1e-8)
    got = model.predict(customers([x], [t_x], [age]), horizon, n_max=5).loc[0]
    assert got["p_alive"] == pytest.approx(alive, rel=1e-8)
    assert got["expected_purchases"] == pytest.approx(purchases, rel=1e-7)
    assert got.filter(regex=r"^p_\d").tolist() == pytest.approx(chances.tolist(), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize(("k", "at_first"), [(2, False), (4, True)])
def test_forecasts_are_those_of_simulated_customers(simulated_gaps, k, at_first):
    params = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.0}
    summary, later = simulated_gaps(50_000, k=k, at_first=at_first, age=40.0, horizon=30.0, **params)
    forecast = fixed({**params, "alpha": 6.0 / k}, k, at_first=at_first).predict(summary, 30.0, n_max=4)
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


@pytest.mark.parametrize("at_first", [False, True])
def test_new_customers_buy_as_expected(simulated_gaps, at_first):
    params = {"r": 0.7, "alpha": 6.0, "a": 0.9, "b": 2.0}
    summary, _ = simulated_gaps(50_000, k=3, at_first=at_first, age=40.0, **params)
    model = fixed({**params, "alpha": 2.0}, 3, at_first=at_first)
    repeats = summary["repeats"]
    assert abs(model.expected_count(40.0)[0] - repeats.mean()) < 4 * repeats.std() / np.sqrt(len(repeats))
    chances = model.count_probabilities(40.0, 5)
    seen = np.array([(repeats == n).mean() for n in range(6)])
    assert (np.abs(chances - seen) < 4 * np.sqrt(chances * (1 - chances) / len(repeats))).all()


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_the_distribution_sums_to_one_and_has_the_expected_mean(cdnow_summary, k):
    params = {"r": 0.6, "alpha": 5.0 / k, "a": 0.8, "b": 2.5}
    model, asked = fixed(params, k), cdnow_summary.drop_duplicates(["repeats", "age_weeks"]).head(100)
    for horizon in (2, 39):
        forecast = model.predict(asked, horizon, n_max=300)
        chances = forecast.filter(regex=r"^p_\d").to_numpy()
        assert chances.sum(axis=1) == pytest.approx(np.ones(len(asked)), abs=1e-9)
        assert chances @ np.arange(301) == pytest.approx(forecast["expected_purchases"].to_numpy(), rel=1e-7, abs=1e-9)


def test_silence_tells_the_sooner_that_a_customer_left_the_more_regular_the_gaps(model):
    asked = customers([10] * 4, [20.0] * 4, [20.0, 22.0, 25.0, 30.0])
    random = {**model.params_, "alpha": model.params_["alpha"] * 3}
    regular, at_random = model.predict(asked)["p_alive"], fixed(random, 1).predict(asked)["p_alive"]
    assert regular[1] > at_random[1]
    assert (regular[2:] < at_random[2:]).all()


@pytest.mark.parametrize("unit", ["day", "month"])
def test_the_unit_changes_no_forecast_and_no_choice(model, regular, unit):
    length = {"day": 1 / 7, "month": 30.4375 / 7}[unit]
    summary = regular[0]
    table = summary.assign(**{name: summary[name] / length for name in ("last_purchase_weeks", "age_weeks")})
    other = BGCNBD().fit(table.rename(columns=lambda name: name.replace("weeks", f"{unit}s")))
    assert other.k_ == model.k_
    assert other.params_["alpha"] * length == pytest.approx(model.params_["alpha"], rel=1e-6)
    repeats = summary["repeats"].sum()
    for k, log_likelihood in model.k_profile_.items():
        assert other.k_profile_[k] == pytest.approx(log_likelihood + repeats * np.log(length), abs=1e-5)
    assert other.log_likelihood_ == other.k_profile_[3]
    assert other.expected_count(39 / length) == pytest.approx(model.expected_count(39), rel=1e-6)


def test_a_given_k_needs_no_evenness_but_its_likelihood_does(model, regular):
    summary = regular[0]
    blind = BGCNBD(k=3).fit(summary.drop(columns="gap_evenness"))
    assert blind.params_ == model.params_
    assert blind.predict(summary.drop(columns="gap_evenness")).equals(model.predict(summary))
    assert np.isnan([blind.log_likelihood_, blind.aic_, blind.bic_, blind.regularity_, blind.regularity_p_value_]).all()
    given_k = BGCNBD(k=3).fit(summary)
    assert given_k.log_likelihood_ == model.log_likelihood_
    assert given_k.k_profile_ == {3: model.log_likelihood_}
    # One parameter less: k was not chosen.
    assert given_k.aic_ == pytest.approx(model.aic_ - 2)


def test_choosing_k_without_evenness_is_refused_and_the_right_function_named(regular):
    with pytest.raises(DataError, match=r"gap_evenness.*preparation\.purchase_summary\(transactions\), or give k"):
        BGCNBD().fit(regular[0].drop(columns="gap_evenness"))


@pytest.mark.parametrize(("value", "reason"), [(1.2, r"not in \(0, 1\]"), (0.0, r"not in"), (np.nan, "missing")])
def test_an_impossible_evenness_is_refused_where_it_is_read(value, reason):
    table = customers([0, 2, 3], [0.0, 3.0, 4.0], [5.0] * 3)
    table.loc[1, "gap_evenness"] = value
    with pytest.raises(DataError, match=rf"gap_evenness is {reason}.*row 1"):
        BGCNBD().fit(table)


def test_lifetimes_names_are_read_with_their_evenness(model, regular):
    names = {"repeats": "frequency", "last_purchase_weeks": "recency", "age_weeks": "T"}
    assert BGCNBD(unit="week").fit(regular[0].rename(columns=names)).params_ == model.params_


def test_a_k_the_gaps_do_not_support_is_warned_of(cdnow_summary):
    with pytest.warns(DataWarning, match=r"k=2 is not supported.*regularity is 1\.04.*'bg-nbd'") as caught:
        BGCNBD(k=2).fit(cdnow_summary)
    assert caught[0].filename == __file__


def test_a_k_that_whole_days_may_have_made_is_warned_of():
    # Random gaps of four days, known by the day; after each purchase one customer in fifteen or so leaves.
    random, n = np.random.default_rng(0), 2000
    rate, leave, start = random.gamma(2.0, 0.5, n) / 4, random.beta(0.8, 10.0, n), random.uniform(0, 60, n)
    times = start[:, None] + np.cumsum(np.c_[np.zeros(n), random.exponential(1.0, (n, 150))], axis=1) / rate[:, None]
    there = np.c_[np.ones((n, 2), bool), np.logical_and.accumulate(random.random((n, 149)) > leave[:, None], axis=1)]
    who, which = np.nonzero((times < 120) & there)
    days = np.floor(times[who, which]).astype(np.int64)
    summary = purchase_summary(pd.DataFrame({"customer_id": who.astype(str), "day": days, "amount": 1.0}), cutoff=120)
    with pytest.warns(DataWarning, match=r"k=2 may come of whole days alone.*look as regular as 1\.\d\d") as caught:
        model = BGCNBD().fit(summary)
    assert caught[0].filename == __file__
    assert model.regularity_.low > 1


def test_purchases_in_bursts_are_warned_of(simulated_gaps):
    summary, _ = simulated_gaps(2000)
    summary["gap_evenness"] **= 2.5
    with pytest.warns(DataWarning, match="less regular than random.*bursts") as caught:
        model = BGCNBD().fit(summary)
    assert model.k_ == 1
    assert caught[0].filename == __file__


def test_random_gaps_are_no_alarm(simulated_gaps):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(12):
            assert BGCNBD().fit(simulated_gaps(500, seed=seed)[0]).k_ == 1


@pytest.mark.parametrize(
    ("table", "given_k", "parameter", "cause"),
    [
        (customers([0] * 50, [0.0] * 50, [30.0] * 50), "auto", {"r"}, "no customer bought more than once"),
        (customers([1] * 5, [0.0] * 5, [0.0] * 5), "auto", {"r"}, "every age is 0"),
        (customers([2] * 300_000, [20.0] * 300_000, [30.0] * 300_000), 2, {"r", "alpha"}, "rates hardly differ"),
        (customers([0, 1, 2, 3] * 30, [0.0] * 120, [30.0] * 120), "auto", {"alpha"}, "fall close to the first"),
        (customers([0, 1, 2, 3] * 30, [0.0] * 120, [30.0] * 120), 2, {"k"}, "without time between them"),
        (
            customers([0, 1, 2, 3, 8, 1] * 40, [0.0, 39, 39, 39, 39, 39] * 40, [39.0] * 240),
            "auto",
            {"a", "b"},
            "no customer who left",
        ),
        (customers([0] * 50 + [1], [0.0] * 50 + [9.0], [30.0] * 51), "auto", set(NAMES), "runs to"),
        (
            customers([0, 3, 3, 4, 5, 8, 1] * 30, [0, 21, 22, 27, 35, 38, 9.0] * 30, [39.0] * 210, 1.0),
            "auto",
            {"k"},
            r"even as those of a clock.*still rises at k=50; give k",
        ),
    ],
    ids=["one-time", "age-0", "identical", "last-at-0", "no-time-between", "nobody-left", "one-repeat", "clock"],
)
def test_what_does_not_identify_the_model_names_the_parameter_and_the_cause(table, given_k, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        BGCNBD(k=given_k).fit(table)
    assert caught.value.parameter in parameter
    assert str(caught.value).startswith(f"bg-cnbd-k: {caught.value.parameter} is not identified")


def test_what_fails_leaves_a_fitted_model_as_it_was(regular):
    model = BGCNBD().fit(regular[0])
    before = dict(vars(model))
    with pytest.raises(ConvergenceError):
        model.fit(customers([0] * 50, [0.0] * 50, [30.0] * 50))
    with pytest.raises(ConvergenceError):
        model.fit(customers([0] * 50 + [1], [0.0] * 50 + [9.0], [30.0] * 51))
    assert vars(model) == before


def test_a_k_that_is_not_identified_does_not_stop_the_search(data_file):
    # In the first half year of this shop nobody seems to leave under random gaps, which are not its customers' gaps.
    table = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"))
    table = table[table["Customer ID"].notna()]
    sales = pd.DataFrame({"customer_id": table["Customer ID"].astype("int64").astype(str), "amount": 1.0})
    sales["day"] = table["InvoiceDate"].to_numpy().astype("datetime64[D]").astype(np.int64)
    sales = sales[table["Quantity"].to_numpy() > 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = BGCNBD().fit(purchase_summary(sales, cutoff="2010-06-10"))
    assert np.isnan(model.k_profile_[1])
    assert model.k_ == 2


@pytest.mark.parametrize("k", [2, 3, 8])
@pytest.mark.parametrize("horizon", [52, 208])
def test_discounted_purchases_are_the_sum_over_weeks(cdnow_summary, k, horizon):
    model = fixed({"r": 0.6, "alpha": 5.0 / k, "a": 0.8, "b": 2.5}, k)
    asked = cdnow_summary.head(30)
    got = model.residual_purchases(asked, horizon=horizon, level=None)["residual_purchases"].to_numpy()
    weeks = np.arange(horizon + 1.0)
    cumulated = np.array([model.predict(asked, week)["expected_purchases"] for week in weeks])
    discount = 1.1 ** (-weeks[1:] * 7 / 365.25)
    assert got == pytest.approx(discount @ np.diff(cumulated, axis=0), rel=2e-9)


positive = st.floats(0.05, 20.0)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, positive)),
    st.integers(1, 50),
    st.booleans(),
    st.integers(0, 500),
    st.floats(0, 1),
    st.floats(0, 3650),
    st.floats(0, 1000),
)
def test_no_valid_customer_gets_a_negative_missing_or_infinite_forecast(params, k, at_first, x, share, age, horizon):
    model = fixed(params, k, at_first=at_first)
    t_x = age * share if x else 0.0
    got = model.predict(customers([x], [t_x], [age]), horizon=horizon, n_max=3).iloc[0]
    assert 0 <= got["p_alive"] <= 1
    # No more than all stages, those that may have passed unseen included, would make.
    stages = (params["r"] + k * x + k) / (params["alpha"] + age) * horizon + (k - 1)
    assert 0 <= got["expected_purchases"] <= stages / k * (1 + 1e-9) + 1e-300
    chances = got[["p_0", "p_1", "p_2", "p_3"]]
    assert (chances >= 0).all()
    assert chances.sum() <= 1 + 1e-9


def test_a_saved_model_keeps_its_choice(model, regular, tmp_path):
    again = crmkit.load(crmkit.save(model, tmp_path / "model.crmkit"), expect=BGCNBD)
    assert (again.k_, again.k_profile_) == (model.k_, model.k_profile_)
    assert again.regularity_.high == model.regularity_.high
    assert again.predict(regular[0]).equals(model.predict(regular[0]))


def test_it_is_a_good_citizen_of_scikit_learn():
    model = clone(BGCNBD(k=4, drop_out_at_first=True, unit="day"))
    assert model.get_params() == {"k": 4, "drop_out_at_first": True, "unit": "day"}
    for wrong in ({"k": 0}, {"k": 51}, {"k": "best"}, {"k": 1.5}, {"drop_out_at_first": "yes"}, {"unit": "fortnight"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            BGCNBD(**wrong).fit(customers([0, 1], [0.0, 1.0], [1.0, 2.0]))


def test_purchases_without_end_are_infinite_where_chances_of_leaving_near_0_are_common(model, regular):
    with pytest.raises(DataError, match="infinite, because a is"):
        model.residual_purchases(regular[0].head(2), annual_discount_rate=0.0)
    assert fixed({"a": 2.0}, 2)._endless({"a": 2.0}) is None


def test_a_hundred_thousand_customers_take_a_moment(simulated_gaps):
    table, _ = simulated_gaps(100_000, k=3)
    begin = time.process_time()
    BGCNBD().fit(table).predict(table)
    assert time.process_time() - begin < 12
