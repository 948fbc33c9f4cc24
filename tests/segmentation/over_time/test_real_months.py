"""Segments over the months of two real companies: Online Retail II (doi:10.24432/C5CG6D) and CDNOW."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crmkit import preparation, segmentation
from crmkit.segmentation import Difference, LeastSize, SegmentCount

MONTHS = [date(2010, month, 10) for month in (8, 9, 10, 11, 12)]


@pytest.fixture(scope="module")
def sales(data_file):
    """Give the lines of identified customers."""
    pytest.importorskip("pyarrow")
    columns = ["Quantity", "InvoiceDate", "Price", "Customer ID"]
    lines = pd.read_parquet(data_file("online_retail_ii/online_retail_II_2009_2010.parquet"), columns=columns)
    lines = lines[lines["Customer ID"].notna()]
    return pd.DataFrame(
        {
            "customer_id": lines["Customer ID"].astype("int64").astype(str),
            "day": (pd.to_datetime(lines["InvoiceDate"]) - pd.Timestamp("1970-01-01")).dt.days,
            "amount": lines["Quantity"] * lines["Price"],
        }
    )


@pytest.fixture(scope="module")
def months(sales):
    """Give recency, frequency and net money of every customer so far, at five dates a month apart."""
    with pytest.warns(match="customers have no purchase"):
        return {day: preparation.rfm_table(sales, cutoff=str(day), refunds="net") for day in MONTHS}


@pytest.fixture(scope="module")
def segments(months):
    return segmentation.segment(months[MONTHS[0]], n_segments=5, random_state=0)


def test_a_month_moves_a_quarter_of_the_customers_and_hardly_any_size(segments, months):
    tracking = segments.track(months)
    stability = tracking.stability
    assert stability["verdict_base"].tolist() == ["stable"] * 5
    assert stability["moved_share"].iloc[1:].between(0.2, 0.35).all()
    assert stability["both"].iloc[1:].tolist() == stability["customers"].iloc[:-1].tolist()
    # The base only grows: whoever bought once stays in it.
    assert stability["gone"].iloc[1:].tolist() == [0, 0, 0, 0]
    best = segments.names[0]
    assert tracking.transitions.loc[best, best] > 0.9
    last = tracking.sizes[tracking.sizes["date"] == MONTHS[-1]].set_index("segment")["customers"]
    scored = segments.predict(months[MONTHS[-1]]).value_counts()
    assert last.to_dict() == scored.reindex(last.index).to_dict()


def test_a_month_later_all_five_are_who_they_were(segments, months):
    again = segments.refit(months[MONTHS[1]])
    assert (again.identity.table["what"] == "kept").all()
    assert (again.identity.table["jaccard"] > 0.8).all()
    assert 0.85 < again.identity.rand < 0.95
    assert again.names == segments.names


def test_the_best_customers_grow_more_than_chance(segments, months):
    sizes = segments.compare(months[MONTHS[1]]).sizes
    assert sizes["what"].iloc[0] == "grew"
    assert 0 < sizes["low"].iloc[0] < sizes["change"].iloc[0] < sizes["high"].iloc[0]


def test_segments_differ_in_what_is_spent_after_them(segments, sales, months):
    start = (pd.Timestamp(MONTHS[0]) - pd.Timestamp("1970-01-01")).days
    spent = sales[sales["day"].between(start, start + 90)].groupby("customer_id")["amount"].sum()
    later = spent.reindex(months[MONTHS[0]].index).fillna(0).rename("spent_later").to_frame()
    report = segments.check([SegmentCount(3, 7), LeastSize(share=0.02), Difference("spent_later")], later)
    assert report.summary["met"].tolist()[:2] == ["yes", "yes"]
    best = report.table[report.table["need"].str.startswith("spent_later")].iloc[0]
    assert best["met"] == "yes"
    assert best["low"] > 1000


def test_named_segments_of_cdnow_hold_everybody_at_every_date(cdnow):
    dates = pd.to_datetime(["1997-07-01", "1997-10-01", "1998-01-01", "1998-04-01", "1998-07-01"])
    tables = {day: preparation.rfm_table(cdnow, cutoff=str(day.date()), refunds="net") for day in dates}
    segments = segmentation.segment(tables[dates[0]], "rfm-rules")
    tracking = segments.track(tables)
    assert tracking.sizes.groupby("date")["customers"].sum().tolist() == [len(table) for table in tables.values()]
    # All bought first in early 1997, so by frozen cuts the base can only grow older.
    assert tracking.stability["psi_base"].is_monotonic_increasing
    assert tracking.stability["verdict_base"].iloc[-1] == "another population"
    transitions = tracking.transitions
    assert np.allclose(transitions.dropna().sum(axis=1), 1)
    again = segments.refit(tables[dates[-1]])
    assert set(again.labels) <= set(segments.names.values())
