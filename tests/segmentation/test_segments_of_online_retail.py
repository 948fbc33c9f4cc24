"""Segments of a real customer base, with refunds and skew: Online Retail II (Chen 2019, doi:10.24432/C5CG6D)."""

from __future__ import annotations

import pandas as pd
import pytest

from crmkit import preparation, segmentation


@pytest.fixture(scope="module")
def retail(data_file):
    """Give recency, frequency and net money of every identified customer on 2010-12-10."""
    pytest.importorskip("pyarrow")
    columns = ["Quantity", "InvoiceDate", "Price", "Customer ID"]
    lines = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"), columns=columns)
    lines = lines[lines["Customer ID"].notna()]
    sales = pd.DataFrame(
        {
            "customer_id": lines["Customer ID"].astype("int64").astype(str),
            "day": (pd.to_datetime(lines["InvoiceDate"]) - pd.Timestamp("1970-01-01")).dt.days,
            "amount": lines["Quantity"] * lines["Price"],
        }
    )
    with pytest.warns(match="customers have no purchase"):
        return preparation.rfm_table(sales, cutoff="2010-12-10", refunds="net")


def test_a_twentieth_of_the_customers_brings_near_half_of_the_revenue(retail):
    profile = segmentation.segment(retail, n_segments=5, random_state=0).profile
    assert profile["customers"].sum() == len(retail)
    best = profile.iloc[0]
    assert best.name == "very recent, frequent, high spend"
    assert best["share"] < 0.05
    assert best["revenue_share"] > 0.4
    assert profile["customers"].min() > 100


def test_a_continuum_is_called_one(retail):
    choice = segmentation.segment(retail, random_state=0).choice
    assert 4 <= choice.n_segments <= 9
    assert "no number separates clearly (silhouette at most 0.4" in choice.reason


@pytest.mark.parametrize("name", ["dbscan", "hdbscan", "gaussian-mixture"])
def test_fitted_customers_get_their_own_segment_back(retail, name):
    segments = segmentation.segment(
        retail, name, n_segments=4 if name == "gaussian-mixture" else "auto", random_state=0
    )
    pd.testing.assert_series_equal(segments.predict(retail), segments.labels)


def test_two_months_later_the_sizes_are_stable_though_customers_move(retail):
    segments = segmentation.segment(retail, n_segments=5, random_state=0)
    later = retail.assign(recency_days=retail["recency_days"] + 60)
    comparison = segments.compare(later)
    assert comparison.moved > 500
    assert comparison.columns.loc["recency_days", "psi"] > 0.25
    assert comparison.columns.loc["monetary", "psi"] == 0
