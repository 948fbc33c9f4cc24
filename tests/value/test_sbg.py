from __future__ import annotations

from math import exp, inf

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, hyp2f1
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.metrics import kaplan_meier, survival_at
from crmkit.preparation import contract_summary, contracts_from_survivors
from crmkit.value import SBG, MeanSpend, lifetime_value

# Shares of two cohorts who are still there after each renewal, per thousand: Fader and Hardie 2007.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
LATER_HIGH_END, LATER_REGULAR = [468, 445, 427, 409, 394], [223, 207, 194, 183, 173]


def table(tenure, churned, *, period="month", **columns):
    """Give a table of contracts."""
    return pd.DataFrame({"tenure_periods": tenure, "churned": churned, "period": period, **columns})


def draw(n_customers, ages, *, seed=0, alpha=0.7, beta=4.0, further=0):
    """Draw contracts of given ages; also how many renewals follow in ``further`` periods."""
    random = np.random.default_rng(seed)
    refused = random.geometric(random.beta(alpha, beta, n_customers))
    gone = refused <= ages
    later = np.where(gone, 0, np.minimum(refused - 1 - ages, further))
    return table(np.minimum(refused, ages), gone, age_periods=ages), later


def with_params(alpha, beta):
    """Give a model as if it had been fitted to these parameters."""
    model = SBG()
    model.params_, model.covariance_, model.unit_ = {"alpha": alpha, "beta": beta}, np.eye(2) * 0.01, "month"
    return model


@pytest.fixture(scope="module")
def high_end():
    """Give the model of the published high-end cohort."""
    return SBG().fit(contracts_from_survivors(HIGH_END))


def test_the_published_estimates_of_two_cohorts(high_end):
    # Fader and Hardie 2007.
    assert {name: round(value, 3) for name, value in high_end.params_.items()} == {"alpha": 0.668, "beta": 3.806}
    assert high_end.log_likelihood_ == pytest.approx(-1611.16, abs=0.005)
    assert high_end.n_customers_ == 1000
    regular = SBG().fit(contracts_from_survivors(REGULAR))
    assert {name: round(value, 3) for name, value in regular.params_.items()} == {"alpha": 0.704, "beta": 1.182}


@pytest.mark.parametrize(("survivors", "later"), [(HIGH_END, LATER_HIGH_END), (REGULAR, LATER_REGULAR)])
def test_the_years_that_were_held_back_are_forecast_as_published(survivors, later):
    # The point of that paper: seven renewals tell the next five within two points of a hundred.
    curve = SBG().fit(contracts_from_survivors(survivors)).survival(range(8, 13))
    assert np.abs(1000 * curve["survival"].to_numpy() - later).max() < 20


def test_one_cohort_customer_by_customer_is_what_its_counts_are(high_end):
    counts = contracts_from_survivors(HIGH_END)
    rows = counts.iloc[np.repeat(np.arange(len(counts)), counts["customers"])].drop(columns="customers")
    one_by_one = SBG().fit(rows.reset_index(drop=True))
    assert one_by_one.params_ == high_end.params_
    assert one_by_one.log_likelihood_ == high_end.log_likelihood_
    assert one_by_one.bic_ == high_end.bic_


def test_cohorts_of_any_age_are_fitted_at_once():
    wide = pd.DataFrame(
        [HIGH_END, [*HIGH_END[:4], *[np.nan] * 4], [500, 434, *[np.nan] * 6]], index=["2001", "2005", "2007"]
    )
    rows = contracts_from_survivors(wide)
    found = SBG().fit(rows)
    likelihood = sum(
        row.customers
        * (
            betaln(found.params_["alpha"] + row.churned, found.params_["beta"] + row.tenure_periods - row.churned)
            - betaln(found.params_["alpha"], found.params_["beta"])
        )
        for row in rows.itertuples()
    )
    assert found.n_customers_ == 2500
    assert found.log_likelihood_ == pytest.approx(likelihood, rel=1e-12)


def test_the_gradient_is_that_of_differences():
    objective = SBG()._objective(
        np.array([1.0, 0.0, 1.0, 1.0]),
        np.array([1.0, 0.0, 1.0, 0.0]),
        np.array([0.0, 3.0, 5.0, 40.0]),
        np.arange(1.0, 5.0),
    )
    for theta in ([0.1, -0.3], [3.0, -2.0], [-4.0, 5.0]):
        point, h = np.array(theta), 1e-5
        differences = [
            (objective(point + h * axis)[0] - objective(point - h * axis)[0]) / (2 * h) for axis in np.eye(2)
        ]
        assert objective(point)[1] == pytest.approx(differences, rel=1e-6, abs=1e-6)


def test_survival_and_retention_multiply_and_a_cohort_s_retention_rises(high_end):
    curve, rates = high_end.survival(range(13)), high_end.retention(range(1, 13))
    assert curve.loc[0].tolist() == [1.0, 1.0, 1.0]
    assert np.cumprod(rates["retention"]).to_numpy() == pytest.approx(curve["survival"].to_numpy()[1:], rel=1e-12)
    assert (np.diff(rates["retention"]) > 0).all()
    for shares in (curve.iloc[1:], rates):
        assert (shares["low"] < shares.iloc[:, 0]).all()
        assert (shares["high"] > shares.iloc[:, 0]).all()
        assert ((shares > 0) & (shares < 1)).all(axis=None)
    assert list(high_end.survival(3, level=None).columns) == ["survival"]


def test_the_interval_of_survival_covers_the_truth_as_often_as_it_says():
    true = SBG.survival(with_params(0.7, 4.0), [1, 6, 24], level=None)["survival"].to_numpy()
    inside = []
    for seed in range(150):
        ages = np.random.default_rng(1000 + seed).integers(1, 13, 800)
        curve = SBG().fit(draw(800, ages, seed=seed)[0]).survival([1, 6, 24], level=0.9)
        inside.append((curve["low"].to_numpy() < true) & (true < curve["high"].to_numpy()))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_forecasts_are_what_simulated_customers_do():
    ages = np.random.default_rng(5).integers(0, 13, 200_000)
    rows, later = draw(200_000, ages, further=6, seed=5)
    forecast = with_params(0.7, 4.0).predict(rows, horizon=6, n_max=6)
    assert (forecast["p_alive"] == ~rows["churned"]).all()
    there = ~rows["churned"].to_numpy()
    for age in (0, 4, 12):
        of = there & (ages == age)
        row = forecast[of].iloc[0]
        assert later[of].mean() == pytest.approx(row["expected_purchases"], abs=4 * later[of].std() / np.sqrt(of.sum()))
        shares = np.bincount(later[of], minlength=7) / of.sum()
        chances = row.filter(regex=r"p_\d").to_numpy(dtype=float)
        assert (np.abs(shares - chances) < 4 * np.sqrt(chances / of.sum())).all()
        assert chances.sum() == pytest.approx(1.0)
        assert chances @ np.arange(7) == pytest.approx(row["expected_purchases"], rel=1e-12)
    assert (forecast.loc[~there, ["expected_purchases", "p_1"]] == 0).all(axis=None)
    assert (forecast.loc[~there, "p_0"] == 1).all()


def test_residual_renewals_are_the_published_closed_form(high_end):
    # Fader and Hardie 2010 count from just before a renewal, so that the next one is not discounted: a factor 1.1.
    alpha, beta = high_end.params_.values()
    rows = table([0, 3, 2], [False, False, True], period="year")
    got = high_end.residual_purchases(rows, annual_discount_rate=0.1)["residual_purchases"]
    derl = [(beta + n) / (alpha + beta + n) * hyp2f1(1, beta + n + 1, alpha + beta + n + 1, 1 / 1.1) for n in (0, 3)]
    assert (1.1 * got[:2]).tolist() == pytest.approx(derl, rel=1e-8)
    assert got[2] == 0.0
    # A new customer's first period and all that is to come.
    assert 1 + got[0] == pytest.approx(hyp2f1(1, beta, alpha + beta, 1 / 1.1), rel=1e-8)


def test_renewals_without_end_are_infinite_unless_few_leave_slowly(high_end):
    rows = table([0], [False], period="year")
    with pytest.raises(DataError, match=r"alpha is 0\.668, at most 1"):
        high_end.residual_purchases(rows, annual_discount_rate=0.0)
    with pytest.raises(DataError, match="not computed"):
        with_params(2.0, 3.0).residual_purchases(table([0], [False]), annual_discount_rate=0.0)
    assert np.isfinite(high_end.residual_purchases(rows, horizon=10**6, annual_discount_rate=0.0)).all(axis=None)


def test_parameters_are_recovered_within_their_errors():
    distance = []
    for seed in range(30):
        ages = np.random.default_rng(100 + seed).integers(1, 25, 3000)
        found = SBG().fit(draw(3000, ages, seed=seed)[0])
        distance.append(
            np.log(list(found.params_.values()) / np.array([0.7, 4.0])) / np.sqrt(np.diag(found.covariance_))
        )
    assert 0.5 < np.mean(np.square(distance)) < 1.7
    assert np.abs(distance).max() < 4


def test_who_left_in_a_period_that_is_not_over_is_gone_but_counts_as_not_having_come_to_it():
    ages = np.random.default_rng(8).integers(1, 13, 4000)
    rows, _ = draw(4000, ages, seed=8)
    open_rows = rows[~rows["churned"]].copy()
    # Half of those still there leave within the period that has begun; the other half has not decided.
    leaving = open_rows.index[::2]
    rows.loc[leaving, "churned"] = True
    rows.loc[leaving, "tenure_periods"] += 1
    found, before = SBG().fit(rows), SBG().fit(draw(4000, ages, seed=8)[0])
    assert found.params_ == pytest.approx(before.params_, rel=1e-6)
    assert (found.predict(rows)["p_alive"] == ~rows["churned"]).all()
    assert (found.predict(rows).loc[leaving, "expected_purchases"] == 0).all()


@pytest.mark.parametrize(
    ("rows", "parameter", "cause"),
    [
        (table([5, 6], [0, 0], customers=[10, 20]), "alpha", "nobody left"),
        (table([7], [0], customers=[300_000]), "alpha", "nobody left"),
        (table([1], [1], customers=[1000]), "beta", "all left at their first renewal"),
        (table([0, 1], [0, 1], customers=[500, 500]), "beta", "have not come to it"),
        (table([1, 1], [0, 1], customers=[500, 500]), "alpha", "nobody came to a second renewal"),
        (table([2], [1], customers=[1000]), "alpha", "hardly differ"),
        (table([5, 6], [1, 0], customers=[1, 2000]), "beta", "hardly anyone left"),
        (table([1, 6], [1, 0], customers=[1, 2000]), "alpha", "leave at once and the others never"),
        (table([5, 5], [1, 1], customers=[150_000, 150_000]), "beta", "the longer they have been there"),
    ],
)
def test_tables_that_identify_nothing_are_told_by_parameter_and_cause(rows, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        SBG().fit(rows)
    assert caught.value.parameter == parameter


def test_years_of_days_and_hundreds_of_thousands_of_equal_customers_are_fitted():
    ages = np.random.default_rng(0).integers(1, 3650, 50_000)
    rows, _ = draw(50_000, ages, alpha=0.7, beta=30.0)
    found = SBG().fit(rows)
    error = np.sqrt(np.diag(found.covariance_))
    assert (np.abs(np.log(list(found.params_.values()) / np.array([0.7, 30.0]))) < 4 * error).all()
    assert np.isfinite(found.predict(rows, horizon=3650, level=0.9)).all(axis=None)
    assert SBG().fit(table([1, 2, 2], [1, 1, 0], customers=[90_000, 45_000, 165_000])).n_customers_ == 300_000


_shape = st.floats(-9, 9).map(exp)


@settings(max_examples=40)
@given(alpha=_shape, beta=_shape, tenure=st.integers(0, 1000), left=st.booleans(), horizon=st.integers(0, 1000))
def test_a_forecast_is_never_negative_missing_or_more_than_there_are_renewals(alpha, beta, tenure, left, horizon):
    model, rows = with_params(alpha, beta), table([tenure + left], [left])
    row = model.predict(rows, horizon=horizon, level=0.9, n_max=horizon).iloc[0]
    assert np.isfinite(row).all()
    assert (row >= 0).all()
    assert row["expected_purchases"] <= row["high"] <= horizon
    assert row.filter(regex=r"p_\d").sum() == pytest.approx(1.0, abs=1e-7)
    if not left:
        # The exact sum of products, term by term.
        each = np.log(beta + tenure + np.arange(horizon)) - np.log(alpha + beta + tenure + np.arange(horizon))
        assert row["expected_purchases"] == pytest.approx(np.exp(np.cumsum(each)).sum(), rel=1e-6, abs=1e-12)
    shares = model.survival([0, tenure, horizon], level=0.9)
    assert np.isfinite(shares).all(axis=None)
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)
    assert np.isfinite(model.residual_purchases(rows)).all(axis=None)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 50)), min_size=1, max_size=10))
def test_any_small_table_is_fitted_or_refused_with_a_cause(kinds):
    tenure, churned, customers = (list(column) for column in zip(*kinds, strict=True))
    rows = table(np.maximum(tenure, churned), churned, customers=customers)
    try:
        found = SBG().fit(rows)
    except ConvergenceError as error:
        parameter = error.parameter
    else:
        parameter = None
        assert np.isfinite(found.survival([1, 10, 100])).all(axis=None)
        assert np.isfinite(found.predict(rows, level=0.9)).all(axis=None)
    assert parameter in {None, "alpha", "beta"}


def test_lifetime_value_reads_contracts_and_their_prices():
    starts = pd.to_datetime(
        ["2020-01-15", "2021-06-01", "2022-11-30", "2020-03-01", "2021-01-01", "2021-03-01", "2019-01-01"]
    )
    ends = pd.to_datetime([None, None, None, "2022-03-01", "2022-01-01", "2022-03-01", "2020-01-01"])
    contracts = pd.DataFrame(
        {"customer_id": list("abcdefg"), "start": starts, "end": ends, "fee": [100.0, 50, 80, 70, 20, 30, 10]}
    )
    rows = contract_summary(contracts, cutoff="2023-01-01", period="year", price="fee")
    model = with_params(0.7, 4.0)
    model.unit_ = "year"
    spend = MeanSpend().fit(rows)
    worth = lifetime_value(model, spend, rows, horizon=inf, margin=0.5, annual_discount_rate=0.1)
    residual = model.residual_purchases(rows, annual_discount_rate=0.1)["residual_purchases"]
    assert worth["lifetime_value"].tolist() == pytest.approx((0.5 * residual * contracts["fee"].to_numpy()).tolist())
    assert (worth.loc[list("defg"), "lifetime_value"] == 0).all()
    assert (worth.loc[list("abc"), "low"] > 0).all()


@pytest.fixture(scope="module")
def telco(data_file):
    """Give 7,043 telephone customers: months, whether they left, and their kind of contract."""
    rows = pd.read_csv(data_file("telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"))
    return table(rows["tenure"], rows["Churn"] == "Yes"), rows["Contract"]


def test_a_mixture_of_contracts_is_no_beta_distribution_and_kaplan_meier_shows_it(telco):
    rows, kind = telco
    months = [1, 12, 24, 48, 71]
    seen = survival_at(kaplan_meier(rows["tenure_periods"], rows["churned"]), months)
    model = SBG().fit(rows)
    assert {name: round(value, 3) for name, value in model.params_.items()} == {"alpha": 0.137, "beta": 4.033}
    gap = model.survival(months)["survival"].to_numpy() - seen["survival"].to_numpy()
    # Too few seem to leave in the first month and after five years, too many between.
    assert gap.tolist() == pytest.approx([0.021, -0.025, -0.031, -0.014, 0.058], abs=0.001)
    monthly = (kind == "Month-to-month").to_numpy()
    apart = SBG().fit(rows[monthly])
    assert {name: round(value, 3) for name, value in apart.params_.items()} == {"alpha": 0.423, "beta": 7.393}


@pytest.mark.parametrize("contract", ["One year", "Two year"])
def test_contracts_that_are_left_the_likelier_the_older_they_are_are_refused(telco, contract):
    rows, kind = telco
    with pytest.raises(ConvergenceError, match="the longer they have been there"):
        SBG().fit(rows[(kind == contract).to_numpy()])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table([0], [True]), "is 0 although the customer left"),
        (table([-1], [False]), "negative"),
        (table([1.5], [False]), "no whole number"),
        (table([np.nan], [False]), "missing or infinite"),
        (table([2], [False], age_periods=[3]), "not the tenure of a customer who is still there"),
        (table([5], [True], age_periods=[3]), "greater than age_periods and one"),
        (table([5], [2]), "neither true nor false"),
        (table([5], [None]), "churned is missing"),
        (table([5], pd.Series(["yes"], dtype="string")), "must hold true and false"),
        (table([5], [True], customers=[0]), "speaks of no customers"),
        (table([5], [True], customers=[-2]), "negative"),
        (table([5], [True]).drop(columns="period"), "how long a period is"),
        (table([5], [True]).drop(columns="churned"), "contract_summary"),
        (pd.DataFrame({"repeats": [1], "last_purchase_weeks": [0.3], "age_weeks": [4.0]}), "contract_summary"),
    ],
)
def test_another_table_is_refused(rows, message):
    with pytest.raises(DataError, match=message):
        SBG().fit(rows)


def test_numbers_of_renewals_are_whole(high_end):
    rows = table([1], [False], period="year")
    for call in (lambda: high_end.predict(rows, horizon=1.5), lambda: high_end.residual_purchases(rows, horizon=0.5)):
        with pytest.raises(DataError, match="whole number of periods"):
            call()
    for call in (lambda: high_end.survival([1.5]), lambda: high_end.survival(-1), lambda: high_end.survival([np.nan])):
        with pytest.raises(DataError, match="whole numbers of at least 0"):
            call()
    with pytest.raises(DataError, match="whole numbers of at least 1"):
        high_end.retention([0, 1])
    with pytest.raises(DataError, match="level must be between"):
        high_end.survival([1], level=1.0)


def test_flags_may_be_numbers_or_nullable(high_end):
    counts = contracts_from_survivors(HIGH_END)
    for dtype in ("int64", "float64", "boolean", "Int64", "object"):
        assert SBG().fit(counts.astype({"churned": dtype})).params_ == high_end.params_


def test_a_table_of_counts_is_forecast_row_by_row(high_end):
    counts = contracts_from_survivors(HIGH_END)
    forecast = high_end.predict(counts, horizon=5)
    assert forecast.index.equals(counts.index)
    assert forecast["p_alive"].tolist() == [0.0] * 7 + [1.0]


def test_a_saved_model_forecasts_the_same(high_end, tmp_path):
    crmkit.save(high_end, tmp_path / "model.crmkit")
    again = crmkit.load(tmp_path / "model.crmkit")
    pd.testing.assert_frame_equal(again.survival(range(20)), high_end.survival(range(20)))


def test_it_is_a_good_citizen_of_scikit_learn():
    model = clone(crmkit.create("lifetime-model", "sbg", unit="month"))
    assert model.get_params() == {"unit": "month"}
    with pytest.raises(NotFittedError):
        model.survival([1])
    with pytest.raises(NotFittedError):
        model.predict(table([1], [False]))
    found = model.fit(table([1, 2, 2], [1, 1, 0], customers=[300, 150, 550]).drop(columns="period"))
    assert found.unit_ == "month"
    assert found.params_ == pytest.approx({"alpha": 0.75, "beta": 1.75}, rel=1e-6)
