from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit import DataError, DataWarning, value
from crmkit.metrics import wilson
from crmkit.preparation import contracts_from_survivors, period_summary, purchase_summary


class Known(BaseEstimator):
    """Gives everyone the same chance, and tells no probabilities of counts."""

    def __init__(self, chance=0.6):
        self.chance = chance

    def fit(self, summary, y=None):  # noqa: ARG002 -- scikit-learn's signature
        self.n_ = len(summary)
        return self

    def predict(self, summary, horizon=1.0):
        return pd.DataFrame({"p_alive": self.chance, "expected_purchases": horizon}, index=summary.index)


class TestExpectedChurn:
    def test_it_is_the_mean_probability_of_being_lost(self, cdnow_summary):
        model = value.BGNBD().fit(cdnow_summary)
        lost = 1 - model.predict(cdnow_summary)["p_alive"]
        got = value.expected_churn(model, cdnow_summary)
        assert float(got) == pytest.approx(lost.mean())
        assert got.n == 2357
        assert got.low < got < got.high

    def test_repeat_buyers_can_be_asked_about_alone(self, cdnow_summary):
        model = value.BGNBD().fit(cdnow_summary)
        again = cdnow_summary[cdnow_summary["repeats"] > 0]
        got = value.expected_churn(model, cdnow_summary, min_repeats=1)
        assert got.n == 946
        assert repr(got) == repr(value.expected_churn(model, again))

    def test_where_parameters_are_known_the_interval_is_that_of_who_is_lost(self, cdnow_summary):
        got = value.expected_churn(Known().fit(cdnow_summary), cdnow_summary)
        assert float(got) == pytest.approx(0.4)
        # Close to the normal interval of a share of 40 % among 2,357.
        half = 1.96 * np.sqrt(0.4 * 0.6 / 2357)
        assert got.high - got.low == pytest.approx(2 * half, rel=0.01)
        assert "delta" not in got.method
        fitted = value.expected_churn(value.BGNBD().fit(cdnow_summary), cdnow_summary)
        assert "delta" in fitted.method

    def test_the_interval_holds_the_true_share_about_as_often_as_it_says(self, simulated):
        # Whether the simulated customers are alive is not in the table, so the truth is the model's own process: the
        # share foretold by the true parameters, which the delta method alone must cover.
        hits = []
        for seed in range(20):
            summary = simulated(1500, seed=seed)
            got = value.expected_churn(value.BGNBD().fit(summary), summary)
            true = value.BGNBD().fit(summary)
            true.params_ = {"r": 0.5, "alpha": 8.0, "a": 0.8, "b": 2.5}
            hits.append(got.low <= float(value.expected_churn(true, summary)) <= got.high)
        assert sum(hits) >= 17

    def test_where_nobody_leaves_nobody_is_lost(self, cdnow_summary):
        got = value.expected_churn(value.NBD().fit(cdnow_summary), cdnow_summary)
        assert got == got.low == got.high == 0

    def test_contracts_which_say_who_left_are_refused(self):
        cohort = contracts_from_survivors([1000, 869, 743, 653, 593])
        model = value.SBG().fit(cohort)
        with pytest.raises(DataError, match="summary is a table of contracts, which says who left"):
            value.expected_churn(model, cohort)

    def test_what_cannot_be_is_refused(self, cdnow_summary):
        model = Known().fit(cdnow_summary)
        with pytest.raises(DataError, match="no customer has at least 1000 repeat purchases"):
            value.expected_churn(model, cdnow_summary, min_repeats=1000)
        with pytest.raises(DataError, match="min_repeats must be at least 0"):
            value.expected_churn(model, cdnow_summary, min_repeats=-1)
        with pytest.raises(DataError, match="level must lie"):
            value.expected_churn(model, cdnow_summary, level=2)
        with pytest.raises(TypeError, match="a lifetime model needs predict"):
            value.expected_churn(None, cdnow_summary)


class TestCalibration:
    def test_silence_is_counted_and_laid_beside_what_was_foretold(self, cdnow):
        got = value.churn_calibration("bg-nbd", cdnow, split="1997-10-01", n_groups=5).loc["bg-nbd"]
        begin = int(np.datetime64("1997-10-01", "D").astype(int))
        before, after = cdnow[cdnow["day"] < begin], cdnow[cdnow["day"] >= begin]
        silent = 1 - before.drop_duplicates("customer_id")["customer_id"].isin(after["customer_id"]).mean()
        everyone = got.loc["all"]
        assert everyone["n"] == got["n"].iloc[:-1].sum() == 2357
        assert everyone["silent"] == pytest.approx(silent)
        summary = purchase_summary(cdnow, cutoff="1997-10-01")
        # The holdout ends with the last row of the table, on 1998-06-30.
        forecast = value.BGNBD().fit(summary).predict(summary, horizon=273 / 7, n_max=0)
        assert everyone["expected_silent"] == pytest.approx(forecast["p_0"].mean())
        assert everyone["expected_lost"] == pytest.approx(1 - forecast["p_alive"].mean())
        low, high = wilson(got["silent"] * got["n"], got["n"])
        np.testing.assert_allclose(got["low"], low)
        np.testing.assert_allclose(got["high"], high)
        assert got["expected_silent"].iloc[:-1].is_monotonic_increasing
        # BG/NBD foretells too much silence on CDNOW, as it foretells too few purchases.
        assert 0 < everyone["expected_silent"] - everyone["silent"] < 0.04

    def test_a_model_in_which_nobody_leaves_foretells_too_little_silence(self, cdnow):
        got = value.churn_calibration(["bg-nbd", "nbd"], cdnow, split="1997-10-01")
        error = (got["expected_silent"] - got["silent"]).abs()
        assert error["nbd", "all"] > 3 * error["bg-nbd", "all"]
        assert got.loc[("nbd", "all"), "expected_silent"] < got.loc[("nbd", "all"), "low"]

    def test_on_its_own_process_the_model_is_calibrated(self):
        from crmkit.datasets import make_company

        company = make_company(4_000, seed=2)
        begin = int(company.transactions["day"].min())
        got = value.churn_calibration("bg-nbd", company.transactions, split=begin + 450, n_groups=5).loc["bg-nbd"]
        inside = (got["low"] <= got["expected_silent"]) & (got["expected_silent"] <= got["high"])
        assert inside.sum() >= 5

    def test_models_that_count_periods_are_judged_by_periods(self, cdnow):
        options = {"split": "1997-10-01", "until": "1998-07-01", "n_groups": 4}
        with pytest.raises(DataError, match="bg-bb counts calendar periods"):
            value.churn_calibration("bg-bb", cdnow, **options)
        got = value.churn_calibration("bg-bb", cdnow, period="month", **options).loc["bg-bb"]
        # Whoever buys on any day of nine months buys in one of the months.
        by_day = value.churn_calibration("nbd", cdnow, **options).loc["nbd"]
        assert got.loc["all", "silent"] == by_day.loc["all", "silent"]
        model = value.BGBB().fit(period_summary(cdnow, cutoff="1997-10-01"))
        foretold = model.predict(period_summary(cdnow, cutoff="1997-10-01"), horizon=9, n_max=0)
        assert got.loc["all", "expected_silent"] == pytest.approx(foretold["p_0"].mean())
        assert got.loc["all", "expected_lost"] == pytest.approx(1 - foretold["p_alive"].mean())

    def test_a_model_that_tells_no_probabilities_is_refused(self, cdnow):
        with pytest.raises(DataError, match="does not tell the probability of 0 purchases"):
            value.churn_calibration(Known(), cdnow, split="1997-10-01")

    def test_a_model_that_cannot_be_fitted_is_told_and_left_out(self):
        sales = pd.DataFrame({"customer_id": [*"abab"], "day": [0, 3, 50, 60], "amount": 1.0})
        with (
            pytest.warns(DataWarning, match="bg-nbd could not be fitted"),
            pytest.raises(DataError, match="no model could be fitted"),
        ):
            value.churn_calibration("bg-nbd", sales, split=40)

    @pytest.mark.parametrize("n_groups", [0, "5", True, 2.5, float("inf"), None])
    def test_no_groups_are_refused(self, cdnow, n_groups):
        with pytest.raises(DataError, match="n_groups must be a whole number of at least 1"):
            value.churn_calibration("bg-nbd", cdnow, split="1997-10-01", n_groups=n_groups)
