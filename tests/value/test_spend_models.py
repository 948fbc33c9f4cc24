from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import check_grad
from sklearn.exceptions import NotFittedError

import crmkit
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.preparation import purchase_summary
from crmkit.value import GammaGamma, MeanSpend
from crmkit.value._gamma_gamma import _objective


def spends(n, p, q, gamma, *, seed=0, repeats=None):
    """Draw mean spends from the gamma-gamma process."""
    random = np.random.default_rng(seed)
    x = random.integers(1, 8, n) if repeats is None else np.asarray(repeats)
    scale = random.gamma(q, 1 / gamma, n)
    return pd.DataFrame({"repeats": x, "repeat_spend": random.gamma(p * x, 1 / (scale * x))})


@pytest.fixture(scope="module")
def model(cdnow_summary):
    """Give the model of CDNOW; that its assumption holds there is asserted by no warning being raised."""
    return crmkit.create("spend-model", "gamma-gamma").fit(cdnow_summary)


def test_cdnow_has_the_published_parameters(model):
    # Fader and Hardie 2013; CLVTools.
    assert model.n_customers_ == 946
    assert {name: round(value, 2) for name, value in model.params_.items()} == {"p": 6.25, "q": 3.74, "gamma": 15.44}
    assert model.log_likelihood_ == pytest.approx(-4055.918, abs=1e-3)
    assert model.spend_frequency_correlation_ == pytest.approx(0.1139, abs=5e-5)
    assert model.aic_ == pytest.approx(2 * 3 + 2 * 4055.918, abs=2e-3)
    assert model.bic_ == pytest.approx(3 * np.log(946) + 2 * 4055.918, abs=2e-3)


def test_the_first_ten_customers_are_expected_to_spend_as_published(model, cdnow_summary):
    # lifetimes' tests on cdnow_customers_summary_with_transactions.
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    got = model.predict(cdnow_summary)
    assert got["expected_spend"].head(10).tolist() == pytest.approx(published, abs=6e-3)
    assert got.index.equals(cdnow_summary.index)
    assert model.mean_spend_ == pytest.approx(35.17, abs=5e-3)


def test_parameters_are_recovered_within_their_errors():
    for seed in range(5):
        model = GammaGamma().fit(spends(4000, 6.0, 4.0, 15.0, seed=seed))
        for name, true in {"p": 6.0, "q": 4.0, "gamma": 15.0}.items():
            assert abs(model.params_[name] - true) < 4 * model.standard_errors_[name]


@pytest.fixture(scope="module")
def with_first(cdnow_summary):
    """Give the model of CDNOW that counts first purchases; eight customers only ever got things for nothing."""
    with pytest.warns(DataWarning, match="the mean spend is not positive for 8 customers: they are left out"):
        return GammaGamma(first_purchase="use").fit(cdnow_summary)


def test_the_first_purchase_counts_where_it_is_asked_to(with_first, cdnow_summary):
    model = with_first
    assert model.n_customers_ == 2357 - 8
    alone = cdnow_summary[cdnow_summary["repeats"] == 0]
    expected = model.predict(alone)["expected_spend"]
    p, q, gamma = (model.params_[name] for name in ("p", "q", "gamma"))
    assert np.allclose(expected, p * (gamma + alone["first_spend"].clip(lower=0)) / (p + q - 1))
    # The same customers and purchases, told in the columns of the published model.
    repeats, spend = cdnow_summary["repeats"], cdnow_summary["repeat_spend"]
    told = pd.DataFrame(
        {"repeats": repeats + 1, "repeat_spend": (repeats * spend + cdnow_summary["first_spend"]) / (repeats + 1)}
    )
    with pytest.warns(DataWarning, match="not positive"):
        same = GammaGamma().fit(told)
    assert model.params_ == same.params_
    with pytest.raises(DataError, match="first_spend"):
        model.predict(told)


def test_the_first_purchase_tells_what_one_time_buyers_spend_later(cdnow, cdnow_summary, model, with_first):
    later = purchase_summary(cdnow[cdnow["day"] >= 10135], cutoff="1998-07-01").reindex(cdnow_summary.index)
    came = (cdnow_summary["repeats"] == 0) & later["first_spend"].notna()
    without, told = (one.predict(cdnow_summary)["expected_spend"][came] for one in (model, with_first))
    assert np.ptp(without) == 0
    assert np.corrcoef(told, later["first_spend"][came])[0, 1] > 0.2


def test_the_gradient_is_that_of_the_likelihood():
    table = spends(40, 2.0, 3.0, 5.0)
    columns = [table[name].to_numpy(dtype=float) for name in table.columns]
    objective = _objective(*columns, np.ones(len(table)))
    error = check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], np.array([0.4, 1.0, 2.0]))
    assert error < 1e-3


@pytest.mark.parametrize("rate", [1e-9, 1e9])
def test_the_currency_changes_nothing_but_the_scale(rate):
    table = spends(1000, 6.0, 4.0, 15.0)
    one = GammaGamma().fit(table)
    other = GammaGamma().fit(table.assign(repeat_spend=table["repeat_spend"] * rate))
    assert other.params_["gamma"] == pytest.approx(one.params_["gamma"] * rate, rel=1e-5)
    assert other.log_likelihood_ == pytest.approx(one.log_likelihood_ - 1000 * np.log(rate), abs=1e-4)


def test_a_customer_with_many_purchases_keeps_the_own_mean(model):
    table = pd.DataFrame({"repeats": [0, 1, 1000], "repeat_spend": [0.0, 100.0, 100.0]})
    none, one, many = model.predict(table)["expected_spend"]
    assert none == pytest.approx(model.mean_spend_)
    assert none < one < many < 100
    assert many == pytest.approx(100, abs=0.1)


def test_spend_that_depends_on_frequency_is_warned_of():
    table = spends(800, 6.0, 4.0, 15.0)
    table["repeat_spend"] *= table["repeats"]
    with pytest.warns(DataWarning, match="customers who buy more often spend more a purchase") as caught:
        GammaGamma().fit(table)
    assert caught[0].filename == __file__
    table = spends(800, 1.5, 6.0, 15.0, repeats=np.tile([1, 4], 400))
    table.loc[table["repeats"] == 4, "repeat_spend"] *= 0.6
    with pytest.warns(DataWarning, match=r"spend less a purchase.*too high"):
        GammaGamma().fit(table)


def test_independent_spend_is_no_alarm_even_in_small_tables():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(20):
            GammaGamma().fit(spends(300, 6.0, 4.0, 15.0, seed=seed))


def test_repeat_buyers_without_positive_spend_are_set_aside_or_refused():
    table = spends(300, 6.0, 4.0, 15.0)
    table.loc[[3, 5], "repeat_spend"] = [0.0, -9.0]
    with pytest.warns(DataWarning, match="not positive for 2 repeat buyers: they are left out") as caught:
        model = GammaGamma().fit(table)
    assert caught[0].filename == __file__
    assert model.n_customers_ == 298
    assert (model.predict(table)["expected_spend"] > 0).all()
    with pytest.raises(DataError, match=r"2 repeat buyers \(rows 3, 5\)"):
        GammaGamma(nonpositive="raise").fit(table)


@pytest.mark.parametrize(
    ("table", "parameter", "cause"),
    [
        (spends(3000, 2.0, 0.7, 10.0), "q", "no finite expectation"),
        (pd.DataFrame({"repeats": [1, 2, 3, 4] * 10, "repeat_spend": 10.0}), "p", "nearly the same"),
        (pd.DataFrame({"repeats": [1, 2, 0], "repeat_spend": [10.0, 20.0, 0.0]}), "p", "2 customers"),
        (spends(3000, 2.0, 1e6, 1e7), "q", "hardly differ"),
    ],
    ids=["q-below-1", "all-equal", "two-rows", "same-means"],
)
def test_what_does_not_identify_the_model_names_the_parameter_and_the_cause(table, parameter, cause):
    with pytest.raises(ConvergenceError, match=cause) as caught:
        GammaGamma().fit(table)
    assert caught.value.parameter == parameter


def test_one_repeat_each_is_enough_to_converge():
    model = GammaGamma().fit(spends(2000, 6.0, 4.0, 15.0, repeats=np.ones(2000, dtype=int)))
    assert model.mean_spend_ == pytest.approx(6 * 15 / 3, rel=0.1)


def test_the_mean_model_gives_each_their_own_and_everyones_to_the_others(cdnow_summary):
    model = crmkit.create("spend-model", "mean").fit(cdnow_summary)
    got = model.predict(cdnow_summary)["expected_spend"]
    repeated = cdnow_summary["repeats"] > 0
    assert got[repeated].equals(cdnow_summary.loc[repeated, "repeat_spend"].rename("expected_spend"))
    total = (cdnow_summary["repeats"] * cdnow_summary["repeat_spend"]).sum()
    assert (got[~repeated] == total / cdnow_summary["repeats"].sum()).all()


def test_the_error_of_the_mean_is_that_of_resampled_customers(cdnow_summary):
    random = np.random.default_rng(0)
    means = []
    for _ in range(200):
        rows = random.integers(0, len(cdnow_summary), len(cdnow_summary))
        means.append(MeanSpend().fit(cdnow_summary.iloc[rows].reset_index(drop=True)).mean_spend_)
    assert MeanSpend().fit(cdnow_summary).mean_spend_error_ == pytest.approx(np.std(means), rel=0.2)


def test_the_mean_model_needs_a_repeat_and_never_goes_below_zero():
    with pytest.raises(ConvergenceError, match="no customer has a repeat"):
        MeanSpend().fit(pd.DataFrame({"repeats": [0], "repeat_spend": [0.0]}))
    table = pd.DataFrame({"repeats": [1, 2], "repeat_spend": [-5.0, 10.0]})
    assert MeanSpend().fit(table).predict(table)["expected_spend"].tolist() == [0.0, 10.0]


def test_lifetimes_names_are_read():
    table = spends(200, 6.0, 4.0, 15.0)
    other = table.rename(columns={"repeats": "frequency", "repeat_spend": "monetary_value"})
    assert GammaGamma().fit(other).params_ == GammaGamma().fit(table).params_


@pytest.mark.parametrize("model_class", [GammaGamma, MeanSpend])
def test_predicting_before_fitting_is_refused(model_class):
    with pytest.raises(NotFittedError):
        model_class().predict(spends(3, 6.0, 4.0, 15.0))


def test_a_fit_that_fails_leaves_the_model_as_it_was(cdnow_summary):
    alike = pd.DataFrame({"repeats": [1, 2, 3, 4, 5], "repeat_spend": [10.0] * 5})
    model = GammaGamma()
    with pytest.raises(ConvergenceError):
        model.fit(alike)
    with pytest.raises(NotFittedError):
        model.predict(alike)
    before = dict(vars(model.fit(cdnow_summary)))
    with pytest.raises(ConvergenceError):
        model.fit(alike)
    assert vars(model) == before
