"""Forecasts of real sales against what came, beside the seasonal naive and the customer models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.value import forecast

pytestmark = pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")


@pytest.fixture(scope="module")
def retail(data_file):
    """Give Online Retail II: net sales of 2009-12 to 2010-12 in 37 countries."""
    pytest.importorskip("pyarrow")
    columns = ["Customer ID", "InvoiceDate", "Quantity", "Price", "Country"]
    frame = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"), columns=columns)
    frame = frame[frame["Customer ID"].notna()]
    return pd.DataFrame(
        {
            "customer_id": frame["Customer ID"],
            "day": frame["InvoiceDate"].astype("datetime64[ns]").to_numpy().astype("datetime64[D]").astype(np.int64),
            "amount": frame["Quantity"].astype(float) * frame["Price"].astype(float),
            "country": frame["Country"].astype(str),
        }
    )


def series(table, **options):
    """Give what was sold in the whole table."""
    history = forecast(table, horizon=1, customer_model=None, **options).history
    return history[history["scope"] == "total"].set_index("period")["value"]


def test_days_of_online_retail_are_forecast_better_than_by_the_week_before(retail):
    actual = series(retail, period="day")
    ours, naive, inside = [], [], {80: [], 95: []}
    for cutoff in pd.date_range("2010-03-01", "2010-11-22", freq="28D"):
        options = {
            "by": "country",
            "period": "day",
            "horizon": 14,
            "cutoff": str(cutoff.date()),
            "customer_model": None,
        }
        found = forecast(retail, **options)
        total = found.total.set_index("period")
        came = actual.reindex(total.index)
        week = actual[actual.index < cutoff].iloc[-7:].to_numpy()
        ours.append(np.mean((came - total["forecast"]) ** 2))
        naive.append(np.mean((came - np.tile(week, 2)) ** 2))
        for level, hits in inside.items():
            hits.append(came.between(total[f"low_{level}"], total[f"high_{level}"]).mean())
        groups = found.groups.groupby("period")["forecast"].sum()
        assert np.allclose(groups, total["forecast"])
        chosen = found.evaluation[(found.evaluation["scope"] == "total") & found.evaluation["chosen"]].iloc[0]
        assert chosen["mase"] < 0.95
    assert np.sqrt(np.mean(ours)) < 0.9 * np.sqrt(np.mean(naive))
    assert 0.7 < np.mean(inside[80]) < 0.95
    assert np.mean(inside[95]) > 0.85


def test_a_year_of_weeks_has_no_season_that_could_be_seen(retail):
    found = forecast(retail, by="country", period="week", horizon=4, customer_model=None)
    assert (found.evaluation["season"] == 1).all()
    assert found.groups["country"].nunique() == 37
    assert found.notes[0].startswith("the first week is not complete and left out: sales begin on 2009-12-01")
    assert found.notes[1].startswith("the last week is not complete and left out: the table ends on 2010-12-09")


@pytest.mark.parametrize(
    ("cutoff", "actual", "by_series", "by_model"),
    [("1997-09-29", 736, 741, 610), ("1997-12-29", 658, 403, 613), ("1998-03-30", 507, 806, 627)],
)
def test_on_cdnow_series_and_customer_model_stand_beside_each_other(cdnow, cutoff, actual, by_series, by_model):
    options = {"period": "week", "horizon": 13, "measure": "purchases", "begin": "1996-12-30"}
    found = forecast(cdnow, cutoff=cutoff, **options)
    came = series(cdnow, period="week", measure="purchases", begin="1996-12-30").reindex(found.total["period"])
    assert came.sum() == actual
    # Measured, not published: a change here is a change of the forecasts that docs/forecasting.md tells of.
    assert found.total["forecast"].sum() == pytest.approx(by_series, abs=1)
    assert found.customers["present"].sum() == pytest.approx(by_model, abs=1)
    inside = came.to_numpy() >= found.total["low_95"]
    assert (inside & (came.to_numpy() <= found.total["high_95"])).all()
