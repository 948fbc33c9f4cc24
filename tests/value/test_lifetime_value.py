from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit.core.errors import DataError
from crmkit.preparation import purchase_summary
from crmkit.value import BGNBD, NBD, GammaGamma, MeanSpend, lifetime_value


@pytest.fixture(scope="module")
def fitted(cdnow_summary):
    """Give both models of CDNOW."""
    return BGNBD().fit(cdnow_summary), GammaGamma().fit(cdnow_summary)


class Constant(BaseEstimator):
    """A stranger's model: one purchase a week for everyone."""

    def fit(self, summary):  # noqa: ARG002 -- it learns nothing
        """Learn nothing."""
        return self

    def predict(self, summary, horizon=39):
        """Forecast."""
        return pd.DataFrame({"p_alive": 1.0, "expected_purchases": float(horizon)}, index=summary.index)


class Tenner(BaseEstimator):
    """A stranger's spend model."""

    def predict(self, summary):
        """Forecast."""
        return pd.DataFrame({"expected_spend": 10.0}, index=summary.index)


@pytest.mark.parametrize("horizon", [1, 12, 16, 17, 52, 52.5, 260])
def test_it_is_the_plain_discounted_sum(fitted, cdnow_summary, horizon):
    model, spend = fitted
    some = cdnow_summary.iloc[:300]
    total, before = np.zeros(300), np.zeros(300)
    for end in [*range(1, int(horizon) + 1), *([horizon] if horizon % 1 else [])]:
        now = model.predict(some, horizon=end)["expected_purchases"].to_numpy()
        total += (now - before) * 1.1 ** (-end * 7 / 365.25)
        before = now
    expected = 0.3 * total * spend.predict(some)["expected_spend"].to_numpy()
    got = lifetime_value(model, spend, some, horizon=horizon, margin=0.3)
    assert np.allclose(got["lifetime_value"], expected, rtol=1e-8)


def test_a_strangers_models_are_valued_too(cdnow_summary):
    some = cdnow_summary.iloc[:3]
    got = lifetime_value(Constant(), Tenner(), some, horizon=52, margin=0.5, annual_discount_rate=0.0)
    assert got["lifetime_value"].tolist() == pytest.approx([260.0] * 3)
    # Neither says how sure it is, so there is no interval; none must not look like certainty.
    assert got[["low", "high"]].isna().all().all()


class Askew(Constant):
    """A stranger's model whose answers go wrong in one way."""

    def __init__(self, way="order"):
        self.way = way

    def predict(self, summary, horizon=39):
        """Forecast."""
        answer = super().predict(summary, horizon)
        return {
            "order": answer.iloc[::-1],
            "customers": answer.iloc[1:],
            "column": answer.drop(columns="p_alive"),
            "number": answer * np.nan,
        }[self.way]


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("order", "Askew forecast the customers in another order"),
        ("customers", "Askew forecast 2 customers of 3"),
        ("column", "the forecast of Askew has no column 'p_alive'"),
        ("number", "Askew forecast 3 customers with no finite number"),
    ],
)
def test_an_answer_that_is_no_forecast_of_these_customers_is_refused(cdnow_summary, way, message):
    with pytest.raises(DataError, match=message):
        lifetime_value(Askew(way), Tenner(), cdnow_summary.iloc[:3], horizon=52, margin=0.5)


def test_a_table_with_the_ids_in_a_column_is_valued_the_same(fitted, cdnow_summary):
    some = cdnow_summary.iloc[:20]
    by_index, by_column = (
        lifetime_value(*fitted, table, horizon=52, margin=0.5) for table in (some, some.reset_index())
    )
    pd.testing.assert_frame_equal(by_index, by_column)


def test_columns_and_customers_are_as_promised(fitted, cdnow_summary):
    worth = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=0.3)
    assert list(worth.columns) == ["p_alive", "lifetime_value", "low", "high"]
    assert worth.index.equals(cdnow_summary.index)
    assert worth["p_alive"].equals(fitted[0].predict(cdnow_summary)["p_alive"])
    assert (worth["low"] < worth["lifetime_value"]).all()
    assert (worth["lifetime_value"] < worth["high"]).all()
    assert not set(worth.columns) & set(cdnow_summary.columns)


def test_margin_is_a_factor_and_discounting_takes_away(fitted, cdnow_summary):
    whole = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=1.0)
    part = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=0.25)
    assert np.allclose(part / [1, 0.25, 0.25, 0.25], whole)
    free = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=1.0, annual_discount_rate=0.0)
    assert (free["lifetime_value"] > whole["lifetime_value"]).all()
    undiscounted = fitted[0].predict(cdnow_summary, horizon=52)["expected_purchases"]
    spend = fitted[1].predict(cdnow_summary)["expected_spend"]
    assert np.allclose(free["lifetime_value"], undiscounted * spend, rtol=1e-8)


def test_a_year_is_worth_the_same_in_weeks_and_days(cdnow, fitted, cdnow_summary):
    days = purchase_summary(cdnow, cutoff="1997-10-01", unit="day")
    in_days = lifetime_value(BGNBD().fit(days), fitted[1], days, horizon=364, margin=1.0)
    in_weeks = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=1.0)
    # Discounting from the end of the week instead of the day takes three days of interest.
    ratio = in_days["lifetime_value"] / in_weeks["lifetime_value"]
    assert ratio.between(1.0, 1.001).all()
    assert np.allclose(in_days[["low", "high"]], in_weeks[["low", "high"]], rtol=2e-3)


def test_a_long_horizon_in_days_is_the_plain_sum_too(cdnow):
    days = purchase_summary(cdnow, cutoff="1997-10-01", unit="day")
    model, some = BGNBD().fit(days), days.iloc[:20]
    cumulative = np.array([model.predict(some, horizon=day)["expected_purchases"] for day in range(731)])
    expected = np.diff(cumulative, axis=0).T @ 1.1 ** (-np.arange(1, 731) / 365.25)
    got = lifetime_value(model, Tenner(), some, horizon=730, margin=0.1)
    assert np.allclose(got["lifetime_value"], expected, rtol=1e-7)


def test_the_interval_covers_the_true_expected_value(simulated):
    truth = {"r": 0.5, "alpha": 8.0, "a": 0.8, "b": 2.5}
    probe = simulated(300, seed=999)
    probe["repeat_spend"] = np.where(probe["repeats"] > 0, 20.0, 0.0)
    oracle = BGNBD()
    oracle.params_, oracle.unit_, oracle.covariance_ = truth, "week", np.zeros((4, 4))
    true = lifetime_value(oracle, Tenner(), probe, horizon=52, margin=1.0)["lifetime_value"]
    covered = []
    for seed in range(40):
        model = BGNBD().fit(simulated(1500, seed=seed))
        worth = lifetime_value(model, Tenner(), probe, horizon=52, margin=1.0)
        covered.append(((worth["low"] <= true) & (true <= worth["high"])).mean())
    # Customers share the parameters, so the coverages of one fit are anything but independent.
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_wider_level_is_a_wider_interval(fitted, cdnow_summary):
    narrow, wide = (lifetime_value(*fitted, cdnow_summary, horizon=9, margin=1, level=p) for p in (0.5, 0.99))
    assert (wide["low"] < narrow["low"]).all()
    assert (narrow["high"] < wide["high"]).all()


def test_the_mean_spend_model_adds_no_error(fitted, cdnow_summary):
    with_model = lifetime_value(*fitted, cdnow_summary, horizon=52, margin=1)
    plain = lifetime_value(fitted[0], MeanSpend().fit(cdnow_summary), cdnow_summary, horizon=52, margin=1)
    assert (plain["high"] / plain["low"] < with_model["high"] / with_model["low"]).all()


def test_the_interval_can_be_left_out(fitted, cdnow_summary):
    quick, whole = (
        lifetime_value(*fitted, cdnow_summary, horizon=52, margin=0.3, level=level) for level in (None, 0.95)
    )
    assert quick[["low", "high"]].isna().all().all()
    pd.testing.assert_frame_equal(quick[["p_alive", "lifetime_value"]], whole[["p_alive", "lifetime_value"]])


def test_no_time_is_worth_nothing(fitted, cdnow_summary):
    worth = lifetime_value(*fitted, cdnow_summary, horizon=0, margin=0.3)
    assert (worth[["lifetime_value", "low", "high"]] == 0).all().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": -1}, "horizon"),
        ({"horizon": "52"}, "horizon must be a finite number of at least 0, got str"),
        ({"horizon": None}, "horizon"),
        ({"margin": None}, "margin must be a finite number of at least 0, got NoneType"),
        ({"margin": True}, "margin"),
        ({"annual_discount_rate": "10%"}, "annual_discount_rate must be a finite number greater than -1, got str"),
        ({"level": "0.95"}, "level must be between 0 and 1, got str"),
        ({"horizon": np.inf, "annual_discount_rate": 0.0}, "horizon"),
        ({"margin": 1.1}, "margin is a share"),
        ({"margin": -0.1}, "margin"),
        ({"margin": np.nan}, "margin"),
        ({"annual_discount_rate": -1.0}, "annual_discount_rate"),
        ({"level": 1.0}, "level"),
    ],
)
def test_numbers_out_of_range_are_refused(fitted, cdnow_summary, change, message):
    with pytest.raises(DataError, match=message):
        lifetime_value(*fitted, cdnow_summary, **{"horizon": 52, "margin": 0.3, **change})


def test_what_is_no_model_is_refused_and_margin_has_no_default(fitted, cdnow_summary):
    with pytest.raises(TypeError, match=r"a lifetime model needs predict\(\)"):
        lifetime_value("bg-nbd", fitted[1], cdnow_summary, horizon=52, margin=0.3)
    with pytest.raises(TypeError, match=r"a spend model needs predict\(\)"):
        lifetime_value(fitted[0], 35.0, cdnow_summary, horizon=52, margin=0.3)
    with pytest.raises(TypeError, match="margin"):
        lifetime_value(*fitted, cdnow_summary, horizon=52)


def test_no_valid_customer_gets_a_value_that_is_none(simulated):
    table = simulated(2000)
    table["repeat_spend"] = 0.0
    table.loc[table["repeats"] > 0, "repeat_spend"] = np.random.default_rng(0).lognormal(
        2, 1, (table["repeats"] > 0).sum()
    )
    for model in (BGNBD().fit(table), NBD().fit(table)):
        worth = lifetime_value(model, MeanSpend().fit(table), table, horizon=520, margin=0.3)
        assert np.isfinite(worth).all().all()
        assert (worth >= 0).all().all()
