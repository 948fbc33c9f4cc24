"""Forecast and fact by groups of customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.value import calibration, compare
from crmkit.value._calibration import calibration_error, forecast_groups


@pytest.fixture(scope="module")
def deciles(cdnow):
    return calibration(["bg-nbd"], cdnow, split="1997-10-01")


def test_every_customer_is_in_one_group_and_the_totals_are_those_of_compare(deciles, cdnow):
    table = compare(["bg-nbd"], cdnow, split="1997-10-01")
    for model in table.index:
        groups = deciles.loc[model]
        assert groups["n"].sum() == table.loc[model, "n"]
        assert groups["n"] @ groups["predicted"] == pytest.approx(table.loc[model, "predicted"])
        assert groups["n"] @ groups["actual"] == pytest.approx(table.loc[model, "actual"])
        distance = groups["n"] @ (groups["predicted"] - groups["actual"]).abs() / groups["n"].sum()
        assert distance == pytest.approx(table.loc[model, "calibration"])


def test_tenths_are_of_about_the_same_size_and_in_the_order_of_the_forecast(deciles):
    groups = deciles.loc["bg-nbd"]
    assert groups.index.tolist() == list(range(1, 11))
    assert groups["n"].between(200, 270).all()
    assert groups["predicted"].is_monotonic_increasing


def test_on_cdnow_the_best_tenth_does_what_is_forecast_of_it(deciles):
    best = deciles.loc[("bg-nbd", 10)]
    assert best["low"] < best["predicted"] < best["high"]
    # Six tenths buy about as often as they should; the naive rate is wrong in every group but the smallest.
    groups = deciles.loc["bg-nbd"]
    assert groups["predicted"].between(groups["low"], groups["high"]).sum() >= 6
    naive = deciles.loc["naive: own rate"]
    large = naive[naive["n"] > 10]
    assert not large["predicted"].between(large["low"], large["high"]).any()


def test_by_repeats_the_groups_are_the_same_for_every_model(cdnow):
    table = calibration(["bg-nbd"], cdnow, split="1997-10-01", by="repeats")
    for model in ("bg-nbd", "naive: own rate"):
        assert table.loc[model].index.tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
        assert table.loc[model, "n"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    # Fader, Hardie and Lee 2005, figure 4: those without a repeat purchase buy about .23 times in the holdout.
    assert table.loc[("bg-nbd", "0"), "predicted"] == pytest.approx(0.225, abs=0.001)
    assert table.loc[("bg-nbd", "0"), "actual"] == pytest.approx(0.237, abs=0.001)


def test_equal_forecasts_are_never_divided():
    forecast = np.array([1.0] * 7 + [2.0, 3.0, 3.0])
    groups = forecast_groups(forecast, 5)
    assert len(set(groups[:7])) == 1
    assert groups[8] == groups[9]
    assert sorted(set(groups)) == list(range(len(set(groups))))
    assert forecast_groups(np.ones(4), 10).tolist() == [0, 0, 0, 0]


def test_a_perfect_forecast_has_no_error_and_a_shift_is_its_size():
    actual = np.array([0.0, 1.0, 2.0, 5.0])
    groups = forecast_groups(actual, 2)
    assert calibration_error(actual, actual, groups) == 0
    assert calibration_error(actual + 0.5, actual, groups) == pytest.approx(0.5)


def test_a_group_in_which_nobody_bought_has_an_honest_upper_end(cdnow):
    table = calibration([], cdnow, split="1997-10-01")
    nobody = table[table["actual"] == 0]
    assert len(nobody) == 1
    assert nobody["high"].item() == pytest.approx(-np.log(0.025) / nobody["n"].item())


def test_the_interval_of_one_customer_is_missing():
    sales = pd.DataFrame({"customer_id": ["a", "a", "b", "a"], "day": [0, 7, 9, 30], "amount": 1.0})
    table = calibration([], sales, split=20)
    alone = table.loc[("naive: own rate", 2)]
    assert alone["n"] == 1
    assert np.isnan(alone["low"])
    assert np.isnan(alone["high"])


def test_one_customer_alone_has_no_interval(cdnow):
    few = cdnow[cdnow["customer_id"].isin(np.sort(cdnow["customer_id"].unique())[:40])]
    table = calibration([], few, split="1997-10-01", n_groups=1000)
    alone = table["n"] == 1
    assert (table.loc[alone, "actual"] == 0).any()
    assert table.loc[alone, ["low", "high"]].isna().all().all()
    assert table.loc[~alone, ["low", "high"]].notna().all().all()


@pytest.mark.parametrize("change", [{"by": "month"}, {"n_groups": 0}, {"n_groups": 2.5}, {"level": 1.0}])
def test_arguments_out_of_range_are_refused(cdnow, change):
    with pytest.raises(DataError, match=next(iter(change))):
        calibration([], cdnow, split="1997-10-01", **change)
