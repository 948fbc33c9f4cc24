"""Frozen segments over several dates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crmkit import segmentation
from crmkit.core.errors import DataError, DataWarning


@pytest.fixture
def segments(rfm):
    return segmentation.segment(rfm, n_segments=3, random_state=0)


@pytest.fixture
def months(rfm, segments):
    """Give three months: as fitted, ten good customers lost, then twenty others gone and five come."""
    lost = segments.segment_id.index[segments.segment_id == 0][:10]
    second = rfm.copy()
    second.loc[lost, ["recency_days", "frequency", "monetary"]] = [300, 1, 30.0]
    leaving = segments.segment_id.index[segments.segment_id == 1][:20]
    third = second.drop(index=leaving)
    new = third.head(5).set_axis([f"new{number}" for number in range(5)])
    third = pd.concat([third, new]).rename_axis("customer_id")
    return {date(2026, 1, 31): rfm, date(2026, 2, 28): second, date(2026, 3, 31): third}


def test_sizes_have_a_row_a_date_and_segment_with_wilson_intervals(segments, months):
    sizes = segments.track(months).sizes
    assert len(sizes) == 9
    first = sizes.iloc[0]
    assert (first["date"], first["segment"], first["customers"], first["n"]) == (
        date(2026, 1, 31), segments.names[0], 60, 300,
    )  # fmt: skip
    assert (first["low"], first["high"]) == pytest.approx((0.1586, 0.2490), abs=1e-3)
    assert sizes.groupby("date")["share"].sum().tolist() == pytest.approx([1, 1, 1])


def test_every_step_says_who_moved_came_and_went(segments, months):
    stability = segments.track(months).stability.set_index("date")
    assert stability["moved"].tolist() == [pd.NA, 10, 0]
    assert stability["new"].tolist() == [pd.NA, 0, 5]
    assert stability["gone"].tolist() == [pd.NA, 0, 20]
    second = stability.loc[date(2026, 2, 28)]
    assert second["moved_share"] == pytest.approx(10 / 300)
    assert second["moved_low"] < 10 / 300 < second["moved_high"]
    assert second["rand_low"] < second["rand"] < 1
    assert stability["psi_base"].iloc[0] == 0
    assert np.isnan(stability["psi_previous"].iloc[0])
    assert stability["verdict_base"].tolist() == ["stable"] * 3


def test_migrations_of_each_step_are_counts_and_shares(segments, months):
    tracking = segments.track(months)
    matrix = tracking.migration(date(2026, 2, 28))
    assert matrix.loc[segments.names[0], segments.names[2]] == 10
    assert matrix.to_numpy().sum() == 300
    assert tracking.migration(date(2026, 3, 31)).to_numpy().sum() == 280
    row = tracking.migrations.iloc[2]
    assert row[["from", "to"]].tolist() == [segments.names[0], segments.names[2]]
    assert (row["customers"], row["n"], row["share"]) == (10, 60, pytest.approx(1 / 6))
    with pytest.raises(KeyError, match="no step leads to 2026-01-31; steps lead to: 2026-02-28, 2026-03-31"):
        tracking.migration(date(2026, 1, 31))


def test_mean_transition_weighs_steps_by_their_customers(segments, months):
    tracking = segments.track(months)
    transitions = tracking.transitions
    assert transitions.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert transitions.loc[segments.names[0], segments.names[2]] == pytest.approx(10 / (60 + 50))


def test_dates_are_put_into_order_and_labels_left_alone(segments, months):
    backward = dict(reversed(list(months.items())))
    assert segments.track(backward).sizes.equals(segments.track(months).sizes)
    labels = dict(zip(["z", "a"], months.values(), strict=False))
    assert segments.track(labels).stability["date"].tolist() == ["z", "a"]


def test_uneven_dates_are_told(segments, rfm):
    with pytest.warns(DataWarning, match="from 31 to 334 days apart"):
        segments.track({pd.Timestamp(day): rfm for day in ("2025-01-01", "2025-02-01", "2026-01-01")})


def test_dates_with_and_without_time_zone_have_no_order(segments, rfm):
    with pytest.raises(DataError, match="time zone"):
        segments.track({pd.Timestamp("2026-01-01"): rfm, pd.Timestamp("2026-02-01", tz="UTC"): rfm})


def test_one_date_has_no_steps(segments, rfm):
    tracking = segments.track({"now": rfm})
    assert len(tracking.migrations) == 0
    assert tracking.steps.to_numpy().sum() == 0
    assert tracking.transitions.isna().all().all()
    assert repr(tracking).startswith("1 date, now, by the cuts of the fitting")


def test_other_customers_have_no_migration(segments, rfm):
    other = rfm.set_axis(pd.Index([f"n{number}" for number in range(300)], name="customer_id"))
    stability = segments.track({"a": rfm, "b": other}).stability
    assert stability["both"].tolist() == [pd.NA, 0]
    assert np.isnan(stability["moved_share"].iloc[1])


def test_customers_in_no_segment_are_tracked_too(rfm):
    segments = segmentation.segment(
        rfm, "dbscan", transform="scale", params={"eps": 0.5, "min_samples": 10}, features=list(rfm.columns)
    )
    tracking = segments.track({"a": rfm, "b": rfm * 100})
    assert tracking.steps["in no segment"].sum() == 300


def test_what_is_no_table_is_refused(segments, rfm):
    with pytest.raises(TypeError, match="mapping of date or label to table"):
        segments.track([rfm])
    with pytest.raises(DataError, match="no table to follow"):
        segments.track({})
    with pytest.raises(DataError, match=r"the table of May: .*'monetary'"):
        segments.track({"May": rfm.drop(columns="monetary")})


def test_display_shows_shares_and_is_escaped(segments, months):
    tracking = segmentation.track(segments.rename({0: "<best>"}), months)
    text = repr(tracking)
    assert text.splitlines()[0] == "3 dates, 2026-01-31 to 2026-03-31, by the cuts of the fitting"
    assert text.splitlines()[1] == "1.7% of customers moved in a step; 20 went"
    assert "&lt;best&gt;" in tracking._repr_html_()
