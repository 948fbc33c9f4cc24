"""What a comparison says of a new month."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from crmkit import segmentation
from crmkit.metrics import population_stability
from crmkit.segmentation.over_time._comparison import compare
from crmkit.segmentation.over_time._sizes import changed_sizes, counted


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
    assert text.splitlines()[0] == "segment sizes: stable (population stability index 0.000, p=1)"
    assert text.splitlines()[1] == "300 customers in both tables, 0 (0.0%) moved; 0 gone, 0 new"
    assert "+0.0 points" in text
    assert "&lt;best&gt;" in comparison._repr_html_()


def test_two_samples_of_one_population_are_not_significant_in_95_percent_of_200_runs():
    """PSI of segment sizes by cuts that were frozen on a third sample, 200 times from each of five seeds."""
    rates = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        everybody = pd.DataFrame({"a": random.gamma(2, 50, 401 * 400)})
        everybody.index.name = "customer_id"
        segments = segmentation.segment(everybody.tail(400), n_segments=5, transform="scale", random_state=0)
        held = segments.predict_ids(everybody.head(400 * 400)).to_numpy().reshape(400, 400)
        counts = [counted(ids, range(5)) for ids in held]
        p_values = [population_stability(*pair).p_value for pair in zip(counts[::2], counts[1::2], strict=True)]
        rates.append(np.mean(np.array(p_values) < 0.05))
    # About 4 % of all 1,000; 200 runs waver by 1.4 points, so one seed in four lies above 5 %.
    assert np.mean(rates) <= 0.05
    assert np.median(rates) <= 0.05
    assert max(rates) <= 0.08


def test_the_fitted_sample_against_another_is_significant_about_as_seldom():
    random = np.random.default_rng(0)
    significant = np.zeros(3)
    for run in range(25):
        table = pd.DataFrame({"a": random.gamma(2, 50, 800), "b": random.normal(0, 1, 800)})
        table.index = pd.Index(range(800), name="customer_id")
        segments = segmentation.segment(
            table.head(400), "mini-batch-kmeans", n_segments=4, transform="scale", random_state=run, features=["a", "b"]
        )
        comparison = segments.compare(table.tail(400))
        significant += [comparison.psi.p_value < 0.05, *(comparison.columns["p_value"] < 0.05)]
        assert comparison.verdict in {"stable", "unclear"} or comparison.psi.p_value < 0.05
    # 5 % nominal; 25 runs waver by 4.4 points, so 5 % and two of these.
    assert (significant / 25 <= 0.14).all()


def test_few_customers_are_too_few_to_call_it_a_change(segments, rfm):
    few = rfm.sample(8, random_state=3)
    comparison = segments.compare(few)
    assert comparison.psi >= 0.1
    assert comparison.verdict == "unclear"
    assert comparison.psi.n == 308


def test_what_grew_and_shrank_is_told_by_intervals_of_paired_customers(segments, rfm):
    later = rfm.copy()
    good = segments.segment_id.index[segments.segment_id == 0][:20]
    later.loc[good, ["recency_days", "frequency", "monetary"]] = [300, 1, 30.0]
    sizes = segments.compare(later).sizes
    assert sizes["what"].tolist() == ["shrank", "no clear change", "grew"]
    assert ((sizes["low"] <= sizes["change"]) & (sizes["change"] <= sizes["high"])).all()
    # The same numbers from other customers are less sure: nothing ties them to those before.
    others = later.set_axis(pd.Index([f"n{number}" for number in range(300)], name="customer_id"))
    apart = segments.compare(others).sizes
    assert (apart["high"] - apart["low"] > sizes["high"] - sizes["low"]).all()


def test_segments_that_appear_and_vanish_are_named(rfm):
    without = segmentation.segment(rfm, "rfm-rules")
    later = without.compare(rfm[(without.labels != "champions").reindex(rfm.index)]).sizes["what"]
    assert later["champions"] == "vanished"
    everywhere = pd.DataFrame(list(product([1, 40, 300], [1, 4, 30], [1.0, 200.0, 9000.0])), columns=rfm.columns)
    everywhere.index = pd.Index([f"n{number}" for number in range(27)], name="customer_id")
    sizes = without.compare(everywhere).sizes
    assert (sizes["what"] == "appeared").any()
    assert set(sizes.index[sizes["what"] == "appeared"]).isdisjoint(without.labels)


def test_sizes_seldom_seem_to_change_where_nothing_did():
    """Of 200 comparisons of one population, at most about one in twenty tells of any segment that it grew or shrank."""
    random = np.random.default_rng(1)
    table = pd.DataFrame({"a": random.normal(0, 1, 100_500)}, index=pd.RangeIndex(100_500, name="customer_id"))
    segments = segmentation.segment(table.head(500), n_segments=5, transform="scale", random_state=0, features=["a"])
    # The fitted segments were drawn to suit their own customers, so the base is another sample of the population.
    ids = segments.predict_ids(table.tail(100_000))
    told = 0
    for run in range(200):
        part = ids.iloc[500 * run : 500 * (run + 1)]
        before, after = part.head(250), part.tail(250)
        told += changed_sizes(before, after, range(5), list("abcde"))["what"].isin(["grew", "shrank"]).any()
    assert told / 200 <= 0.08


def test_shares_of_migration_stand_with_their_intervals(segments, rfm):
    later = rfm.copy()
    good = segments.segment_id.index[segments.segment_id == 0][:15]
    later.loc[good, ["recency_days", "frequency", "monetary"]] = [300, 1, 30.0]
    comparison = segments.compare(later)
    shares = comparison.migration_shares.set_index(["from", "to"])
    row = shares.loc[(segments.names[0], segments.names[2])]
    assert (row["customers"], row["n"], row["share"]) == (15, 60, 0.25)
    assert row["low"] < 0.25 < row["high"]
    assert 0.8 < comparison.rand < 1
    assert comparison.rand.n == 300


def test_missing_values_are_a_bin_and_medians_are_of_known_ones():
    state = {
        "names": ["one"], "nobody": "none", "segment_ids": np.zeros(40, dtype=np.int64), "row_ids": [0],
        "customer_ids": list(range(40)), "statistics": {"median": np.array([[19.5]])}, "everybody": np.array([19.5]),
        "bin_edges": {"a": [9.5, 19.5, 29.5]}, "bin_counts": {"a": np.array([10, 10, 10, 10, 0])}, "features": ["a"],
        "segmenter": None, "transform": None,
    }  # fmt: skip
    model = segmentation.SegmentationModel(state)
    after = np.where(np.arange(40) < 20, np.nan, np.arange(40.0))
    values = pd.DataFrame({"a": after}, index=pd.RangeIndex(40, name="customer_id"))
    comparison = compare(model, values, pd.Series(0, index=values.index))
    row = comparison.columns.loc["a"]
    assert (row["known_before"], row["known_after"], row["median_after"]) == (40, 20, 29.5)
    assert row["verdict"] == "another population"
