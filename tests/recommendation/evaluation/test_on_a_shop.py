"""What is known of Online Retail II must come out of the evaluation: who beats whom, where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import metrics, recommendation


@pytest.fixture(scope="module")
def invoices(data_file):
    """Give the invoice lines of known customers in the year to the ninth of December 2010."""
    table = pd.read_parquet(
        data_file("online_retail_ii/online_retail_II_2009_2010.parquet"),
        columns=["Customer ID", "StockCode", "InvoiceDate", "Quantity"],
    )
    table = table[table["Customer ID"].notna()]
    day = pd.to_datetime(table["InvoiceDate"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    return pd.DataFrame(
        {
            "customer_id": table["Customer ID"].astype(np.int64).astype(str).to_numpy(),
            "product_id": table["StockCode"].astype(str).to_numpy(),
            "quantity": table["Quantity"].to_numpy(dtype=float),
            "day": day,
        }
    )


@pytest.fixture(scope="module")
def judged(invoices):
    models = {
        "own counts": crmkit.create("recommender", "repeat-purchase", method="count"),
        "user-knn": crmkit.create("recommender", "user-knn"),
        "item-knn": crmkit.create("recommender", "item-knn"),
    }
    return recommendation.evaluate(models, invoices, cutoffs="2010-11-09", n_resamples=300)


@pytest.mark.slow
def test_half_of_what_is_judged_is_what_a_table_of_one_row_would_hide(judged):
    window = judged.windows.loc["2010-11-09"]
    assert (window["customers"], window["relevant"]) == (1574, 51_023)
    assert window["cold_share"] == pytest.approx(0.175, abs=0.001)
    assert window["repeat_share"] == pytest.approx(0.335, abs=0.001)


@pytest.mark.slow
def test_what_customers_bought_before_beats_what_others_bought_where_repeats_count(judged):
    gains = judged.against("user-knn").loc[("all", "any", "own counts")]
    assert gains["ndcg_low"] > 0.04
    assert judged.table.loc[("all", "any", "own counts"), "ndcg"] > 0.31


@pytest.mark.slow
def test_own_purchases_discover_nothing_but_what_is_popular(judged):
    new = judged.paired.loc[("all", "new")]
    assert abs(new.loc["own counts", "ndcg"]) < 0.001
    assert new.loc["item-knn", "ndcg_low"] > 0


@pytest.mark.slow
def test_the_table_holds_the_metrics_of_the_lists_that_models_give(judged, invoices):
    known = invoices[invoices["day"] < 14_922]
    after = invoices[(invoices["day"] >= 14_922) & (invoices["day"] < 14_952) & (invoices["quantity"] > 0)]
    bought = after[["customer_id", "product_id"]].drop_duplicates().rename(columns={"product_id": "item_id"})
    lists = (
        crmkit.create("recommender", "popularity").fit(known).recommend(bought["customer_id"], 10, exclude="nothing")
    )
    plain = metrics.ndcg(lists, bought)
    # Some of what is counted here was given back within the window.
    assert judged.table.loc[("all", "any", "popularity (30 days)"), "ndcg"] == pytest.approx(plain.value, abs=0.003)
