from __future__ import annotations

from math import comb, exp, inf, log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.preparation import period_summary, purchase_summary
from crmkit.value import BGBB, MeanSpend, lifetime_value

# Donations of a cohort of supporters in the six years after it began: published by Fader, Hardie and Shang 2010, here
# as in donations.csv of the lifetimes package: years with a donation x, the last of them t_x, years n, supporters.
DONATIONS = [
    (0, 0, 6, 3464), (1, 1, 6, 1091), (1, 2, 6, 277), (1, 3, 6, 129), (1, 4, 6, 78), (1, 5, 6, 119), (1, 6, 6, 129),
    (2, 2, 6, 613), (2, 3, 6, 255), (2, 4, 6, 155), (2, 5, 6, 173), (2, 6, 6, 234), (3, 3, 6, 322), (3, 4, 6, 181),
    (3, 5, 6, 225), (3, 6, 6, 357), (4, 4, 6, 240), (4, 5, 6, 284), (4, 6, 6, 512), (5, 5, 6, 335), (5, 6, 6, 728),
    (6, 6, 6, 1203),
]  # fmt: skip


def table(x, t_x, n, *, period="year", times=1):
    """Give a table of periods."""
    frame = pd.DataFrame({"repeats": x, "last_purchase_periods": t_x, "age_periods": n, "period": period})
    return frame.loc[frame.index.repeat(times)].reset_index(drop=True)


def draw(n_customers, n, *, seed=0, alpha=1.2, beta=0.8, gamma=0.7, delta=3.0, further=0):
    """Draw customers from the process; also who is there after ``n`` periods and what they buy in ``further`` ones."""
    random = np.random.default_rng(seed)
    n = np.broadcast_to(n, n_customers)
    buys, leaves = random.beta(alpha, beta, n_customers), random.beta(gamma, delta, n_customers)
    left = random.geometric(np.maximum(leaves, 1e-12))
    x, t_x, later = np.zeros((3, n_customers), dtype=int)
    for period in range(1, int(n.max()) + further + 1):
        bought = (random.random(n_customers) < buys) & (period < left)
        known = period <= n
        x += bought & known
        t_x = np.where(bought & known, period, t_x)
        later += bought & ~known & (period <= n + further)
    return table(x, t_x, n), left > n, later


def log_likelihood(params, x, t_x, n):
    """Add up the published sum, term by term."""
    alpha, beta, gamma, delta = params
    logs = [betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n)]
    logs += [betaln(alpha + x, beta + k - x) + betaln(gamma + 1, delta + k) for k in range(t_x, n)]
    top = max(logs)
    return top + log(sum(exp(one - top) for one in logs)) - betaln(alpha, beta) - betaln(gamma, delta)


def with_params(alpha, beta, gamma, delta):
    """Give a model as if it had been fitted to these parameters."""
    model = BGBB(unit="year")
    model.params_ = {"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta}
    model.covariance_, model.unit_ = np.eye(4) * 0.01, "year"
    return model


@pytest.fixture(scope="module")
def donors():
    """Give the published cohort, a row a supporter."""
    kinds = pd.DataFrame(DONATIONS, columns=["frequency", "recency", "n", "supporters"])
    return kinds.loc[kinds.index.repeat(kinds["supporters"])].drop(columns="supporters").reset_index(drop=True)


@pytest.fixture(scope="module")
def model(donors):
    """Give the model of the published cohort."""
    return BGBB(unit="year").fit(donors)


def test_the_published_estimates_of_the_donations(model):
    # Fader, Hardie and Shang 2010.
    published = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    assert model.n_customers_ == 11_104
    assert {name: round(value, 3) for name, value in model.params_.items()} == published
    assert model.log_likelihood_ == pytest.approx(-33_225.58, abs=0.005)


def test_the_published_forecasts_of_the_donations(model, donors):
    # The sum over supporters of the next five years; and a supporter without a later donation and one with four, the
    # last in the fifth year, over ten years, as the R package BTYD prints them from its own, rounder estimates.
    assert model.predict(donors, horizon=5)["expected_purchases"].sum() == pytest.approx(12_884.2, abs=0.05)
    two = pd.DataFrame({"frequency": [0, 4], "recency": [0, 5], "n": [6, 6]})
    assert model.predict(two, horizon=10)["expected_purchases"].tolist() == pytest.approx(
        [0.1302169, 3.627858], rel=1e-4
    )


@pytest.mark.parametrize("params", [(1.2, 0.75, 0.66, 2.8), (0.05, 8.0, 3.0, 0.2), (40.0, 60.0, 0.01, 90.0)])
def test_the_likelihood_is_the_published_sum_and_all_histories_together_are_certain(params):
    model = with_params(*params)
    n, total = 7, 0.0
    for x in range(n + 1):
        for t_x in range(x, n + 1) if x else [0]:
            objective = model._objective(*(np.array([float(one)]) for one in (x, t_x, n)), np.ones(1))
            value = -objective(np.log(params))[0]
            assert value == pytest.approx(log_likelihood(params, x, t_x, n), rel=1e-12)
            total += exp(value) * (comb(t_x - 1, x - 1) if x else 1)
    assert total == pytest.approx(1.0, rel=1e-12)


def test_customers_of_many_ages_are_as_likely_together_as_one_by_one():
    rows, _, _ = draw(300, np.random.default_rng(3).integers(0, 400, 300), alpha=0.8, beta=10.0, delta=60.0)
    params = (0.9, 8.0, 0.5, 40.0)
    columns = rows.iloc[:, :3].to_numpy(dtype=float).T
    value = -with_params(*params)._objective(*columns, np.ones(300))(np.log(params))[0]
    assert value == pytest.approx(sum(log_likelihood(params, *row) for row in rows.iloc[:, :3].to_numpy()), rel=1e-11)


def test_the_gradient_is_that_of_differences():
    rows, _, _ = draw(200, np.random.default_rng(1).integers(0, 30, 200))
    objective = BGBB()._objective(*rows.iloc[:, :3].to_numpy(dtype=float).T, np.arange(1.0, 201.0))
    for theta in ([0.1, -0.3, -0.5, 1.0], [2.0, -3.0, 1.0, -2.0], [-4.0, 5.0, -3.0, 6.0]):
        point, h = np.array(theta), 1e-4
        differences = [
            (objective(point + h * axis)[0] - objective(point - h * axis)[0]) / (2 * h) for axis in np.eye(4)
        ]
        assert objective(point)[1] == pytest.approx(differences, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("customer", [(0, 0, 6), (4, 5, 6), (6, 6, 6), (1, 1, 9), (0, 0, 0), (2, 7, 12)])
@pytest.mark.parametrize("m", [1, 4])
def test_probabilities_of_what_follows_are_ratios_of_likelihoods(model, customer, m):
    x, t_x, n = customer
    params = tuple(model.params_.values())
    now = log_likelihood(params, x, t_x, n)
    exact = [exp(log_likelihood(params, x, t_x, n + m) - now)]
    for y in range(1, m + 1):
        # So many histories have y purchases, the last of them in period last.
        ways = [
            comb(last - 1, y - 1) * exp(log_likelihood(params, x + y, n + last, n + m) - now)
            for last in range(y, m + 1)
        ]
        exact.append(sum(ways))
    row = model.predict(table([x], [t_x], [n]), horizon=m, n_max=m + 2).iloc[0]
    assert row[[f"p_{y}" for y in range(m + 1)]].tolist() == pytest.approx(exact, rel=1e-10)
    assert row[[f"p_{m + 1}", f"p_{m + 2}"]].tolist() == [0.0, 0.0]
    assert row["expected_purchases"] == pytest.approx(sum(y * chance for y, chance in enumerate(exact)), rel=1e-10)


def test_forecasts_are_what_simulated_customers_do():
    rows, alive, later = draw(300_000, 6, further=5, seed=2)
    model = with_params(1.2, 0.8, 0.7, 3.0)
    forecast = model.predict(rows, horizon=5)
    groups = pd.DataFrame({"alive": alive, "later": later}).groupby([rows["repeats"], rows["last_purchase_periods"]])
    seen, expected = (
        groups.agg(["mean", "size", "std"]),
        forecast.groupby([rows["repeats"], rows["last_purchase_periods"]]).mean(),
    )
    n = seen[("alive", "size")].to_numpy()
    chance = expected["p_alive"].to_numpy()
    error = np.sqrt(chance * (1 - chance) / n)
    assert (np.abs(seen[("alive", "mean")].to_numpy() - chance) <= 4 * error + 1e-12).all()
    error = seen[("later", "std")].to_numpy() / np.sqrt(n)
    assert (np.abs(seen[("later", "mean")].to_numpy() - expected["expected_purchases"].to_numpy()) < 4 * error).all()


def test_parameters_are_recovered_within_their_errors():
    true = {"alpha": 1.2, "beta": 0.8, "gamma": 0.7, "delta": 3.0}
    distance = []
    for seed in range(12):
        ages = np.random.default_rng(100 + seed).integers(3, 13, 4000)
        found = BGBB().fit(draw(4000, ages, seed=seed)[0])
        distance.append(
            [(log(found.params_[name]) - log(true[name])) for name in true] / np.sqrt(np.diag(found.covariance_))
        )
    # Twelve times four standardised errors: their mean square is 1, give or take 0.2.
    assert 0.4 < np.mean(np.square(distance)) < 1.8
    assert np.abs(distance).max() < 4


@pytest.mark.parametrize(
    ("rows", "parameter", "cause"),
    [
        (table([1, 2, 3, 4, 5, 6], [6] * 6, [6] * 6, times=50), "gamma", "no customer who left"),
        (table([0], [0], [10], times=500), "alpha", "no customer bought more than once"),
        (table([0, 1], [0, 3], [10, 10], times=[500, 1]), "beta", "hardly differ"),
        (table([2], [5], [10], times=300_000), "beta", "hardly differ"),
        (table([10], [10], [10], times=300_000), "beta", "every period"),
        (table([0, 1], [0, 1], [1, 1], times=50), "gamma", "more than 1 periods"),
        (table([0, 1, 1, 2], [0, 1, 2, 2], [2] * 4, times=50), "gamma", "more than 2 periods.*shorter"),
        (table([0], [0], [0], times=50), "alpha", "no customer bought more than once"),
        (table([0, 1, 2], [0, 1, 2], [6, 6, 6], times=[500, 200, 100]), "gamma", "left at once"),
        (table([1], [1], [10], times=500), "alpha", "hardly differ"),
    ],
)
def test_tables_that_identify_nothing_are_told_by_parameter_and_cause(rows, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        BGBB().fit(rows)
    assert caught.value.parameter == parameter
    assert str(caught.value).startswith(f"bg-bb: {parameter} is not identified")


def test_a_thousand_periods_are_fitted():
    rows, _, _ = draw(20_000, 1000, alpha=0.8, beta=10.0, gamma=0.7, delta=30.0)
    found = BGBB().fit(rows)
    error = np.sqrt(np.diag(found.covariance_))
    assert (np.abs(np.log(list(found.params_.values())) - np.log([0.8, 10.0, 0.7, 30.0])) < 4 * error).all()
    assert np.isfinite(found.predict(rows.iloc[:50], horizon=1000, level=0.9)).all(axis=None)


_shape = st.floats(-9, 9).map(exp)


@given(
    params=st.tuples(_shape, _shape, _shape, _shape),
    n=st.integers(0, 300),
    share=st.floats(0, 1),
    reach=st.floats(0, 1),
    horizon=st.integers(0, 400),
)
def test_a_forecast_is_never_negative_missing_or_more_than_there_are_opportunities(params, n, share, reach, horizon):
    x = round(share * n)
    t_x = x + round(reach * (n - x)) if x else 0
    row = with_params(*params).predict(table([x], [t_x], [n]), horizon=horizon, level=0.9, n_max=horizon + 1).iloc[0]
    assert np.isfinite(row).all()
    assert (row >= 0).all()
    assert row["expected_purchases"] <= horizon
    assert row["high"] <= horizon
    assert row["p_alive"] <= 1
    chances = row.filter(regex=r"p_\d").to_numpy(dtype=float)
    assert chances.sum() == pytest.approx(1.0, abs=1e-7)
    assert chances @ np.arange(len(chances)) == pytest.approx(row["expected_purchases"], rel=1e-6, abs=1e-9)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=12))
def test_any_small_table_is_fitted_or_refused_with_a_cause(kinds):
    rows = []
    for age, last, bought in kinds:
        t_x = min(last, age)
        x = min(bought, t_x) if t_x else 0
        rows.append((x, t_x if x else 0, age))
    frame = table(*(list(column) for column in zip(*rows, strict=True)))
    try:
        found = BGBB().fit(frame)
    except ConvergenceError as error:
        caught = error
    else:
        caught = None
    if caught is not None:
        assert caught.parameter in BGBB._names
        return
    assert np.isfinite(found.predict(frame, level=0.9)).all(axis=None)
    assert np.isfinite(list(found.standard_errors_.values())).all()


def test_new_customers_and_counts_agree(model):
    counts = model.count_probabilities(8, 8)
    assert counts.sum() == pytest.approx(1.0)
    assert model.expected_count([0, 8])[1] == pytest.approx(counts @ np.arange(9), rel=1e-9)
    assert model.expected_count([0, 8])[0] == 0.0


def test_residual_purchases_are_the_discounted_sum_of_each_year(model):
    rows = table([0, 4, 6], [0, 5, 6], [6, 6, 6])
    upto = np.array([model.predict(rows, horizon=year)["expected_purchases"] for year in range(41)])
    by_hand = (np.diff(upto, axis=0) / 1.1 ** np.arange(1, 41)[:, None]).sum(axis=0)
    got = model.residual_purchases(rows, horizon=40, annual_discount_rate=0.1)
    assert got["residual_purchases"].to_numpy() == pytest.approx(by_hand, rel=1e-8)
    assert (got["low"] < got["residual_purchases"]).all()
    assert (got["high"] > got["residual_purchases"]).all()
    endless = model.residual_purchases(rows, level=None)["residual_purchases"]
    assert endless.to_numpy() == pytest.approx(
        model.residual_purchases(rows, horizon=400, level=None)["residual_purchases"].to_numpy(), rel=1e-8
    )
    with pytest.raises(DataError, match=r"gamma is 0\.657, at most 1"):
        model.residual_purchases(rows, annual_discount_rate=0.0)


def test_the_length_of_a_period_changes_value_but_no_parameter(donors, model):
    monthly = BGBB(unit="month").fit(donors)
    assert monthly.params_ == model.params_
    assert monthly.unit_ == "month"
    rows = donors.iloc[-5:]
    assert (
        monthly.residual_purchases(rows)["residual_purchases"] > model.residual_purchases(rows)["residual_purchases"]
    ).all()


def test_lifetime_value_reads_the_table_of_periods(cdnow):
    rows = period_summary(cdnow, cutoff="1997-10-01", period="month")
    model, spend = BGBB().fit(rows), MeanSpend().fit(rows)
    assert model.unit_ == "month"
    worth = lifetime_value(model, spend, rows, horizon=12, margin=0.3, annual_discount_rate=0.1)
    upto = np.array([model.predict(rows, horizon=month)["expected_purchases"] for month in range(13)])
    discounted = (np.diff(upto, axis=0) / 1.1 ** (np.arange(1, 13)[:, None] / 12)).sum(axis=0)
    expected = 0.3 * discounted * spend.predict(rows)["expected_spend"]
    assert worth["lifetime_value"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-7)
    assert (worth["low"] <= worth["lifetime_value"]).all()
    assert model.summarize(cdnow, cutoff="1997-10-01").equals(rows)


def test_months_tell_less_of_cdnow_than_days_do_and_are_forecast_a_third_too_low(cdnow):
    rows = period_summary(cdnow, cutoff="1997-10-01", period="month")
    later = cdnow[cdnow["day"] >= 10_135]
    months = later["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]")
    bought = len(set(zip(later["customer_id"], months, strict=True)))
    model = BGBB().fit(rows)
    assert bought == 1478
    assert model.predict(rows, horizon=9)["expected_purchases"].sum() == pytest.approx(996.7, abs=0.5)
    # The model itself says that it hardly knows how customers differ in leaving.
    assert model.standard_errors_["gamma"] > model.params_["gamma"]


def test_the_interval_widens_with_what_is_unknown_and_is_left_out_unless_asked_for(donors, model):
    few = BGBB(unit="year").fit(donors.sample(600, random_state=0))
    rows = donors.drop_duplicates()
    wide, narrow = (one.predict(rows, level=0.9) for one in (few, model))
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).mean() > 0.9
    assert list(model.predict(rows).columns) == ["p_alive", "expected_purchases"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"repeats": [1], "last_purchase_weeks": [0.3], "age_weeks": [4.0]}), "period_summary"),
        (pd.DataFrame({"frequency": [1], "recency": [0.5], "n": [4]}), r"recency is no whole number.*period_summary"),
        (table([3], [2], [5]), "smaller than repeats"),
        (table([1], [6], [5]), "greater than age_periods"),
        (table([0], [2], [5]), "is not 0 although repeats is"),
        (table([-1], [2], [5]), "negative"),
        (table([np.nan], [2], [5]), "missing or infinite"),
        (table([1], [2], [5]).drop(columns="period"), "how long a period is"),
        (table([1, 1], [2, 2], [5, 5], period=["year", "month"]), "period must be the same"),
        (table([1], [2], [5], period="fortnight"), "period must be the same"),
        (table([1], [2], [5]).iloc[:0], "no rows"),
        (table([1], [2], [5]).astype({"repeats": str}), "must hold numbers"),
        (pd.DataFrame({"customer_id": ["a"], "day": [1], "amount": [2.0]}), "table of transactions"),
        (pd.DataFrame({"recency_days": [1], "frequency": [1], "monetary": [2.0]}), "period_summary"),
        (pd.DataFrame({"frequency": [1], "recency": [1]}), "no column 'n'"),
    ],
)
def test_another_table_is_refused_with_the_function_that_makes_the_right_one(rows, message):
    with pytest.raises(DataError, match=message):
        BGBB().fit(rows)


def test_a_table_of_other_periods_is_refused(model):
    with pytest.raises(DataError, match="periods of a month, expected a year"):
        model.predict(table([1], [2], [5], period="month"))
    with pytest.raises(DataError, match="periods of a year, expected a month"):
        BGBB(unit="month").fit(table([1], [2], [5]))


def test_a_purchase_summary_in_any_unit_is_refused(cdnow):
    with pytest.raises(DataError, match="period_summary"):
        BGBB().fit(purchase_summary(cdnow, cutoff="1997-10-01", unit="month"))


def test_horizons_are_whole_periods(model):
    rows = table([1], [2], [6])
    for call in (
        lambda: model.predict(rows, horizon=2.5),
        lambda: model.residual_purchases(rows, horizon=2.5),
        lambda: model.expected_count([1.5]),
        lambda: model.count_probabilities(1.5, 2),
    ):
        with pytest.raises(DataError, match="whole number of periods"):
            call()
    with pytest.raises(DataError, match="at least 0"):
        model.residual_purchases(rows, horizon=-1)
    with pytest.raises(DataError, match="finite"):
        model.predict(rows, horizon=inf)


def test_nullable_and_arrow_numbers_are_read_like_others(donors, model):
    assert BGBB(unit="year").fit(donors.astype("Int64")).params_ == model.params_


def test_a_saved_model_forecasts_the_same(model, donors, tmp_path):
    crmkit.save(model, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    pd.testing.assert_frame_equal(again.predict(donors, level=0.9), model.predict(donors, level=0.9))


def test_it_is_a_good_citizen_of_scikit_learn(donors):
    model = clone(crmkit.create("lifetime-model", "bg-bb", unit="year"))
    assert model.get_params() == {"unit": "year"}
    with pytest.raises(NotFittedError):
        model.predict(donors)
