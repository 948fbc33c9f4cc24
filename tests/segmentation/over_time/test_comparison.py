"""What a comparison says of a new month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import segmentation
from crmkit.segmentation.over_time._comparison import bin_counts, bin_edges, population_stability


@pytest.fixture
def segments(rfm):
    return segmentation.segment(rfm, n_segments=3, random_state=0)


def test_the_same_table_has_not_moved(segments, rfm):
    same = segments.compare(rfm)
    assert same.psi == 0
    assert same.verdict == "stable"
    assert (same.moved, same.stayed, same.gone, same.new) == (0, 300, 0, 0)
    assert (same.columns["psi"] == 0).all()
    assert np.diag(same.migration).sum() == 300
    assert same.sizes["change"].tolist() == [0, 0, 0]


def test_migration_counts_who_went_where(segments, rfm):
    later = rfm.copy()
    good = segments.segment_id.index[segments.segment_id == 0][:10]
    later.loc[good, ["recency_days", "frequency", "monetary"]] = [300, 1, 30.0]
    comparison = segments.compare(later)
    assert comparison.moved == 10
    names = segments.profile.index
    assert comparison.migration.loc[names[0], names[2]] == 10
    assert comparison.migration.to_numpy().sum() == 300
    assert comparison.sizes["customers_after"].tolist() == [50, 140, 110]
    assert comparison.sizes["change"].tolist() == pytest.approx([-10 / 300, 0, 10 / 300])


def test_new_and_gone_customers_are_counted(segments, rfm):
    later = rfm.iloc[50:].reset_index()
    later.loc[:19, "customer_id"] = [f"new{number}" for number in range(20)]
    comparison = segments.compare(later)
    assert (comparison.gone, comparison.new, comparison.stayed) == (70, 20, 230)


def test_other_customers_give_no_migration(segments, rfm):
    later = rfm.set_axis(pd.Index([f"n{number}" for number in range(300)], name="customer_id"))
    comparison = segments.compare(later)
    assert comparison.migration.to_numpy().sum() == 0
    assert (comparison.gone, comparison.new) == (300, 300)
    assert "0 customers in both tables, 0 moved" in repr(comparison)


def test_another_population_is_called_so(segments, rfm):
    comparison = segments.compare(rfm[segments.segment_id == 0])
    assert comparison.verdict == "another population"
    assert comparison.psi > 1
    # Whoever is not there has no median: it is missing, not zero.
    assert np.isnan(comparison.medians.loc[(segments.names[2], "monetary"), "after"])
    assert comparison.medians.loc[(segments.names[0], "monetary"), "after"] == pytest.approx(
        comparison.medians.loc[(segments.names[0], "monetary"), "before"]
    )


def test_medians_are_those_of_the_new_table(segments, rfm):
    later = rfm.assign(monetary=rfm["monetary"] * 1.01)
    comparison = segments.compare(later)
    after = later["monetary"].groupby(segments.predict(later)).median()
    for name, median in after.items():
        assert comparison.medians.loc[(name, "monetary"), "after"] == pytest.approx(median)
    assert comparison.columns.loc["monetary", "median_after"] == pytest.approx(later["monetary"].median())
    assert comparison.columns.loc["monetary", "median_before"] == pytest.approx(rfm["monetary"].median())


def test_stability_index_follows_its_formula():
    # Shares .2 .3 .5 against .3 .3 .4 of 1,000 each: (.1) ln(1.5) + (-.1) ln(.8) = .06286.
    assert population_stability(np.array([200, 300, 500]), np.array([300, 300, 400])) == pytest.approx(
        0.06286, abs=3e-4
    )
    assert population_stability(np.array([5, 0]), np.array([0, 5])) < np.inf


def test_bins_hold_equal_counts_and_ties_share_one():
    values = np.arange(100.0)
    assert bin_counts(values, bin_edges(values)).tolist() == [10] * 10
    tied = np.array([1.0] * 90 + [2.0] * 10)
    assert bin_counts(tied, bin_edges(tied)).sum() == 100
    assert len(bin_edges(tied)) <= 2


def test_samples_of_one_population_are_stable():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.gamma(2, 50, (4000, 2)), columns=["a", "b"])
    table.index = pd.Index(range(4000), name="customer_id")
    segments = segmentation.segment(table.head(2000), n_segments=4, random_state=0, features=["a", "b"])
    comparison = segments.compare(table.tail(2000))
    assert comparison.psi < 0.02
    assert (comparison.columns["psi"] < 0.05).all()


def test_display_is_readable_and_escaped(segments, rfm):
    comparison = segments.rename({0: "<best>"}).compare(rfm)
    text = repr(comparison)
    assert text.splitlines()[0] == "segment sizes: stable (population stability index 0.000)"
    assert text.splitlines()[1] == "300 customers in both tables, 0 (0.0%) moved; 0 gone, 0 new"
    assert "+0.0 points" in text
    assert "&lt;best&gt;" in comparison._repr_html_()
