from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import period_summary
from crmkit.value import BGBB, BGNBD, NBD, compare, tracking


class Optimist(BaseEstimator):
    """A bad model: everyone buys every week."""

    def fit(self, summary):  # noqa: ARG002 -- it learns nothing
        """Learn nothing."""
        return self

    def predict(self, summary, horizon=39):
        """Forecast."""
        return pd.DataFrame({"p_alive": 1.0, "expected_purchases": float(horizon)}, index=summary.index)


def test_cdnow_has_the_measured_holdout(cdnow):
    table = compare(["bg-nbd"], cdnow, split="1997-10-01")
    # Weeks 40-78, to the digits measured with an independent implementation.
    assert table["n"].tolist() == [2357] * 3
    assert table["actual"].tolist() == [1882] * 3
    assert table["horizon"].tolist() == [39.0] * 3
    assert table.loc["bg-nbd", ["predicted", "bias", "mae", "rmse"]].tolist() == pytest.approx(
        [1653.4, -0.121, 0.7855, 1.6080], abs=0.05
    )
    assert round(table.loc["bg-nbd", "predicted"], 1) == 1653.4
    assert round(100 * table.loc["bg-nbd", "bias"], 1) == -12.1
    assert table.loc["bg-nbd", ["mae", "rmse"]].round(4).tolist() == [0.7855, 1.6080]
    naive = table.loc["naive: own rate"]
    assert naive[["predicted"]].round(1).tolist() == [2930.1]
    assert round(100 * naive["bias"], 1) == 55.7
    assert naive[["mae", "rmse"]].round(4).tolist() == [1.0237, 2.2119]


def test_the_naive_forecasts_always_stand_in_the_table(cdnow):
    assert compare([], cdnow, split="1997-10-01").index.tolist() == ["naive: own rate", "naive: mean rate"]


def test_the_unit_changes_no_forecast(cdnow):
    weeks, days = (compare("bg-nbd", cdnow, split="1997-10-01", unit=unit) for unit in ("week", "day"))
    assert days["horizon"].tolist() == [273.0] * 3
    assert np.allclose(weeks.drop(columns="horizon"), days.drop(columns="horizon"), rtol=1e-6)


def test_the_holdout_can_end_before_the_table_does(cdnow):
    table = compare("nbd", cdnow, split="1997-10-01", until="1997-12-31")
    assert table["horizon"].tolist() == pytest.approx([13.0] * 3)
    later = cdnow[cdnow["day"].between(10135, 10225)]
    assert table["actual"].iloc[0] == len(later.drop_duplicates(["customer_id", "day"]))


class Minimal:
    """A stranger's model that knows nothing of scikit-learn."""

    fit, predict = Optimist.fit, Optimist.predict


def test_a_model_needs_no_more_than_fit_and_predict(cdnow):
    with pytest.warns(DataWarning, match="Minimal forecast this holdout worse than naive"):
        table = compare(Minimal(), cdnow, split="1997-10-01")
    assert table.loc["Minimal", "predicted"] == pytest.approx(39 * 2357)


@pytest.mark.parametrize("models", [None, 3])
def test_what_is_neither_a_name_nor_a_model_is_refused(cdnow, models):
    with pytest.raises(TypeError, match=r"models must be names or lifetime models, got (NoneType|int)"):
        compare(models, cdnow, split="1997-10-01")


def test_a_day_that_is_divided_counts_once():
    bought = {
        "a": ["2024-01-02T10:00", "2024-02-10T10:00", "2024-02-10T15:00", "2024-03-01T10:00"],
        "b": ["2024-01-05T10:00", "2024-02-10T16:00", "2024-03-03T10:00"],
    }
    sales = pd.DataFrame(
        [(who, when) for who, times in bought.items() for when in times], columns=["customer_id", "time"]
    )
    sales = sales.assign(time=pd.to_datetime(sales["time"]).dt.tz_localize("UTC"), amount=1.0)
    noon = "2024-02-10T12:00+00:00"
    table = compare([], sales, split=noon, unit="day")
    assert table["horizon"].tolist() == [22.0, 22.0]
    assert table["actual"].tolist() == [2, 2]
    assert tracking([], sales, split=noon, period_days=1)["actual"].sum() == 3


def test_instances_are_cloned_and_names_made_unique(cdnow):
    mine = NBD()
    table = compare([mine, "nbd", BGNBD()], cdnow, split="1997-10-01")
    assert table.index.tolist()[:3] == ["nbd", "nbd (2)", "bg-nbd"]
    assert not hasattr(mine, "params_")


def test_a_model_worse_than_naive_is_told_of(cdnow):
    with pytest.warns(DataWarning, match="Optimist forecast this holdout worse than naive") as caught:
        table = compare(Optimist(), cdnow, split="1997-10-01")
    assert caught[0].filename == __file__
    assert table.loc["Optimist", "predicted"] == 2357 * 39


def test_a_model_that_cannot_be_fitted_leaves_the_others_standing():
    table = pd.DataFrame({"customer_id": list("abc") * 2, "day": [0, 1, 2, 50, 51, 52], "amount": 1.0})
    with pytest.warns(DataWarning, match="bg-nbd could not be fitted before the split: .*more than once"):
        got = compare(["bg-nbd"], table, split=40)
    assert got.loc["bg-nbd", ["predicted", "mae"]].isna().all()
    assert got.loc["naive: own rate", "mae"] == 1.0


def test_customers_who_are_new_after_the_split_are_not_counted():
    days = [0, 1, 9, 20, 21, 22]
    table = pd.DataFrame({"customer_id": ["a", "b", "a", "b", "new", "b"], "day": days, "amount": 1.0})
    got = compare([], table, split=15)
    assert got["n"].tolist() == [2, 2]
    assert got["actual"].tolist() == [2, 2]
    # The holdout has 8 days; one customer bought once in 14 days, the other not in 13.
    assert got.loc["naive: own rate", "predicted"] == pytest.approx(8 * 1 / 14)
    assert got.loc["naive: mean rate", "predicted"] == pytest.approx(2 * 8 * 1 / (14 + 13))


def test_a_holdout_without_purchases_has_no_relative_bias():
    table = pd.DataFrame({"customer_id": ["a", "a", "a"], "day": [0, 9, 20], "amount": [5.0, 5.0, -5.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = compare([], table, split=15)
    assert got["actual"].tolist() == [0, 0]
    assert got["bias"].isna().all()


@pytest.mark.parametrize(("split", "side"), [("1996-01-01", "before"), ("1999-01-01", "after")])
def test_a_split_outside_the_table_is_refused(cdnow, split, side):
    with pytest.raises(DataError, match=f"no rows {side} it"):
        compare("bg-nbd", cdnow, split=split)


def test_a_split_before_every_purchase_is_refused():
    table = pd.DataFrame({"customer_id": ["a", "a"], "day": [0, 20], "amount": [-5.0, 5.0]})
    with pytest.raises(DataError, match="no purchase before"), pytest.warns(DataWarning, match="left out"):
        compare([], table, split=15)


def test_what_is_no_model_is_refused(cdnow):
    with pytest.raises(TypeError, match="a lifetime model needs fit"):
        compare([3], cdnow, split="1997-10-01")


def test_what_is_odd_before_the_split_is_told_from_the_callers_line():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"customer_id": random.integers(0, 50, 400).astype(str), "day": random.integers(0, 200, 400)})
    table["amount"] = 1.0
    only_refunds = pd.DataFrame({"customer_id": ["r"], "day": [3], "amount": [-1.0]})
    with pytest.warns(DataWarning, match="1 of 51 customers") as caught:
        compare([], pd.concat([table, only_refunds]), split=120)
    assert caught[0].filename == __file__


def test_bias_mae_and_rmse_carry_intervals(cdnow):
    table = compare(["bg-nbd"], cdnow, split="1997-10-01")
    for figure in ("bias", "mae", "rmse"):
        assert (table[f"{figure}_low"] < table[figure]).all()
        assert (table[figure] < table[f"{figure}_high"]).all()
    # The bias of -12 % on CDNOW is no accident of its customers.
    assert table.loc["bg-nbd", "bias_high"] < 0


def test_the_interval_of_the_bias_covers_that_of_other_customers(cdnow):
    whole = compare([], cdnow, split="1997-10-01").loc["naive: own rate", "bias"]
    ids = np.sort(cdnow["customer_id"].unique())
    covered = []
    for seed in range(40):
        drawn = np.random.default_rng(seed).choice(ids, 400, replace=False)
        part = compare([], cdnow[cdnow["customer_id"].isin(drawn)], split="1997-10-01", level=0.9)
        row = part.loc["naive: own rate"]
        covered.append(row["bias_low"] <= whole <= row["bias_high"])
    assert 0.8 <= np.mean(covered) <= 1.0


def test_an_answer_that_is_no_forecast_is_named(cdnow):
    class Silent(Optimist):
        def predict(self, summary, horizon=39):
            return super().predict(summary, horizon)[["p_alive"]]

    class Short(Optimist):
        def predict(self, summary, horizon=39):
            return super().predict(summary, horizon).head(3)

    class Backwards(Optimist):
        def predict(self, summary, horizon=39):
            return super().predict(summary, horizon).iloc[::-1]

    class Endless(Optimist):
        def predict(self, summary, horizon=39):  # noqa: ARG002 -- no horizon is enough
            return super().predict(summary, np.inf)

    for model, message in (
        (Silent(), "the forecast of Silent.*expected_purchases"),
        (Short(), "Short forecast 3 customers of 2,357"),
        (Backwards(), "Backwards forecast the customers in another order"),
        (Endless(), "Endless forecast 2,357 customers with no finite number"),
    ):
        with pytest.raises(DataError, match=message):
            compare(model, cdnow, split="1997-10-01")


def test_covariates_must_speak_of_every_customer(cdnow):
    channel = pd.DataFrame({"customer_id": cdnow["customer_id"].unique(), "web": 1.0})
    with pytest.raises(DataError, match="covariates has no row for 7 of 2,357 customers"):
        compare([], cdnow, split="1997-10-01", covariates=channel.iloc[7:])
    with pytest.raises(DataError, match="share the columns 'repeats'"):
        compare([], cdnow, split="1997-10-01", covariates=channel.assign(repeats=1))
    twice = pd.concat([channel, channel.head(1).assign(customer_id=1)]).replace({"customer_id": {"0001": "1"}})
    with pytest.raises(DataError, match="the same as text"):
        compare([], cdnow, split="1997-10-01", covariates=twice)
    by_number = channel.assign(customer_id=channel["customer_id"].astype(object)).set_index("customer_id")
    index = by_number.index
    compare([], cdnow, split="1997-10-01", covariates=by_number)
    assert by_number.index is index
    same = compare([], cdnow, split="1997-10-01", covariates=channel)
    pd.testing.assert_frame_equal(same, compare([], cdnow, split="1997-10-01"))


def test_models_of_periods_are_judged_by_periods(cdnow):
    table = compare("bg-bb", cdnow, split="1997-10-01", until="1998-07-01", period="month")
    days = cdnow[cdnow["day"].between(10135, 10407)]
    months = days["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]")
    assert table["actual"].tolist() == [len(set(zip(days["customer_id"], months, strict=True)))] * 3
    assert table["horizon"].tolist() == [9.0] * 3
    known = period_summary(cdnow, cutoff="1997-10-01", period="month")
    expected = BGBB().fit(known).predict(known, horizon=9)["expected_purchases"].sum()
    assert table.loc["bg-bb", "predicted"] == pytest.approx(expected)
    own = (known["repeats"] / known["age_periods"] * 9).sum()
    assert table.loc["naive: own rate", "predicted"] == pytest.approx(own)


def test_days_and_periods_are_not_mixed(cdnow):
    with pytest.raises(DataError, match="bg-bb counts calendar periods"):
        compare(["bg-nbd", "bg-bb"], cdnow, split="1997-10-01")
    with pytest.raises(DataError, match="bg-nbd counts purchase days"):
        compare(["bg-bb", "bg-nbd"], cdnow, split="1997-10-01", until="1998-07-01", period="month")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"split": "1997-10-02", "until": "1998-07-01"}, "split='1997-10-02' is not .* split='1997-10-01'"),
        ({"split": "1997-10-01", "until": "1998-06-15"}, "until='1998-06-15' is not .* until='1998-06-01'"),
    ],
)
def test_a_part_of_a_period_is_not_compared(cdnow, given, message):
    with pytest.raises(DataError, match=message):
        compare("bg-bb", cdnow, period="month", **given)
