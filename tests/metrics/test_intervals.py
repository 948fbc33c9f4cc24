from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmkit import DataError, metrics
from crmkit.metrics import intervals


def test_wilson_agrees_with_published_intervals():
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3.
    low, high = metrics.wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low.round(4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert high.round(4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_contains_the_share_and_stays_within_bounds(n, share, level):
    hits = round(share * n)
    low, high = metrics.wilson(hits, n, level=level)
    assert 0 <= low <= hits / n <= high <= 1


def test_wilson_of_nothing_is_missing():
    low, high = metrics.wilson([0, 3], [0, 5])
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert low[1] > 0


def test_wilson_keeps_its_coverage_for_small_samples():
    # Exact coverage, averaged over true shares; the plus-minus interval of n = 10 covers 77 % here.
    n = 10
    low, high = metrics.wilson(np.arange(n + 1), np.full(n + 1, n))
    shares = np.linspace(0.02, 0.98, 97)
    probability = stats.binom.pmf(np.arange(n + 1)[:, None], n, shares)
    covered = (low[:, None] <= shares) & (shares <= high[:, None])
    assert (probability * covered).sum(axis=0).mean() > 0.94


def test_mean_agrees_with_scipy():
    values = np.random.default_rng(0).exponential(size=40)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    got = metrics.mean(values, level=0.9)
    assert got.low == pytest.approx(expected.low)
    assert got.high == pytest.approx(expected.high)
    assert got.n == 40


def test_mean_of_one_value_has_no_interval():
    got = metrics.mean([3.0])
    assert got == 3.0
    assert np.isnan(got.low)


@pytest.mark.parametrize("call", [lambda: metrics.mean([]), lambda: metrics.share(0, 0)])
def test_a_figure_of_nothing_is_refused(call):
    with pytest.raises(DataError, match="there are no rows"):
        call()


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_a_level_outside_0_and_1_is_refused(level):
    with pytest.raises(DataError, match="level must lie between 0 and 1"):
        metrics.share(1, 2, level=level)


def test_average_of_shares_keeps_its_coverage():
    rng = np.random.default_rng(0)
    truth, sizes = np.array([0.95, 0.5, 0.1]), np.array([20, 40, 30])
    hits = rng.binomial(sizes, truth, size=(2000, 3))
    low, high = metrics.wilson(hits, np.broadcast_to(sizes, hits.shape))
    ends = np.array([intervals.average(h / sizes, lo, hi)[1:] for h, lo, hi in zip(hits, low, high, strict=True)])
    covered = (ends[:, 0] <= truth.mean()) & (truth.mean() <= ends[:, 1])
    assert 0.93 < covered.mean() < 0.98


class TestBootstrap:
    def test_interval_of_a_mean_is_near_the_analytic_one(self):
        values = np.random.default_rng(0).normal(size=400)
        analytic = metrics.mean(values)
        got = metrics.bootstrap(np.mean, values, n_resamples=2000)
        assert got == analytic.value
        assert got.low == pytest.approx(analytic.low, abs=0.01)
        assert got.high == pytest.approx(analytic.high, abs=0.01)
        assert got.method == "bootstrap"

    def test_the_seed_decides_the_interval_and_not_the_figure(self):
        values = np.random.default_rng(0).normal(size=50)
        first, again, other = (metrics.bootstrap(np.median, values, random_state=seed) for seed in (1, 1, 2))
        assert (first.low, first.high) == (again.low, again.high)
        assert (first.low, first.high) != (other.low, other.high)
        assert first == other

    def test_columns_stay_matched(self):
        actual = np.arange(30.0)
        got = metrics.bootstrap(lambda a, b: np.abs(a - b).max(), actual, actual + 1)
        assert (got.low, got, got.high) == (1, 1, 1)

    def test_vectorized_statistics_are_worked_out_in_chunks_of_bounded_size(self, monkeypatch):
        monkeypatch.setattr(intervals, "_CHUNK", 1000)
        shapes = []

        def statistic(column):
            shapes.append(column.shape)
            return np.median(column, axis=1)

        got = metrics.bootstrap(statistic, np.arange(100.0), n_resamples=95, vectorized=True)
        assert shapes[0] == (1, 100)
        assert sum(shape[0] for shape in shapes[1:]) == 95
        assert max(shape[0] for shape in shapes) == 10
        assert got.low < 49.5 < got.high

    def test_rows_of_a_group_are_drawn_together(self):
        rng = np.random.default_rng(0)
        groups = np.repeat(np.arange(40), 25)
        values = np.repeat(rng.normal(size=40), 25)
        by_row, by_group = metrics.bootstrap(np.mean, values), metrics.bootstrap(np.mean, values, groups=groups)
        # Rows of a group are copies, so that 1,000 rows know no more than 40.
        assert by_group.n == 40
        assert by_group.high - by_group.low > 4 * (by_row.high - by_row.low)
        assert by_group.method == "bootstrap over groups"

    def test_groups_of_unequal_sizes_are_drawn_whole(self):
        groups = np.array(["b", "a", "b", "c", "b"])
        seen = set()

        def statistic(values):
            seen.add(tuple(sorted(values.tolist())))
            return float(len(values))

        metrics.bootstrap(statistic, np.array([1, 10, 2, 100, 3]), groups=groups, n_resamples=200)
        for drawn in seen:
            assert drawn.count(1) == drawn.count(2) == drawn.count(3)
        assert len(seen) == 10  # ways to draw 3 of 3 with replacement

    def test_undefined_resamples_are_left_out_and_counted(self):
        def needs_the_last(values):
            if values.max() < 9:
                raise ValueError("the largest is not there")
            return values.mean()

        few = metrics.bootstrap(needs_the_last, np.array([0.0] * 30 + [9.0] * 4), n_resamples=500)
        assert "undefined in" in few.method
        assert few.low < few < few.high
        many = metrics.bootstrap(needs_the_last, np.array([0.0] * 30 + [9.0]), n_resamples=500)
        assert np.isnan(many.low)

    def test_no_resamples_give_the_figure_without_an_interval(self):
        got = metrics.bootstrap(np.mean, [1.0, 2.0], n_resamples=0)
        assert got == 1.5
        assert np.isnan(got.high)

    @pytest.mark.parametrize(
        ("columns", "match"),
        [
            (([1.0, 2.0], [1.0]), "one length, got 1, 2"),
            (([],), "there are no rows"),
            ((), "got no column"),
            (([float("nan")],), "not defined on these rows"),
        ],
    )
    def test_what_cannot_be_resampled_is_refused(self, columns, match):
        with pytest.raises(DataError, match=match):
            metrics.bootstrap(lambda *given: np.mean(given[0]), *columns)

    def test_groups_must_have_an_entry_a_row(self):
        with pytest.raises(DataError, match="one entry a row: 1 for 2 rows"):
            metrics.bootstrap(np.mean, [1.0, 2.0], groups=["a"])

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
    def test_the_interval_of_a_median_lies_within_the_data(self, values):
        got = metrics.bootstrap(np.median, values, n_resamples=50)
        assert min(values) <= got.low <= got.high <= max(values)
