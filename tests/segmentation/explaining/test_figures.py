"""Every figure of a profile against brute force, published values, and its own promise of coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from scipy.stats import t as student

from crmkit.metrics import mean, wilson
from crmkit.segmentation.explaining._dominance import dominance
from crmkit.segmentation.explaining._figures import (
    STATISTICS,
    column_statistics,
    everybody,
    is_binary,
    revenue_shares,
)


def one(values, ids):
    """Give the figures of one column as a list a segment."""
    table = column_statistics(pd.DataFrame({"x": np.asarray(values, dtype=float)}), np.asarray(ids))
    return {name: part[:, 0] for name, part in table.items()}


def brute_dominance(mine, others):
    """Give Cliff's delta and its unbiased variance from all pairs (Cliff 1993, equation 7)."""
    pairs = np.sign(mine[:, None] - others[None, :])
    own, rest = pairs.shape
    delta = pairs.mean()
    variance = (
        rest**2 * ((pairs.mean(axis=1) - delta) ** 2).sum()
        + own**2 * ((pairs.mean(axis=0) - delta) ** 2).sum()
        - ((pairs - delta) ** 2).sum()
    ) / (own * rest * (own - 1) * (rest - 1))
    return delta, max(variance, (1 - delta**2) / (own * rest - 1))


class TestEffect:
    def test_the_example_of_the_r_package_effsize_comes_out_to_the_last_digit(self):
        # Hogarty and Kromrey's example, as cliff.delta of effsize 0.8.1 prints it: -0.25 [-0.7265846, 0.3890062].
        treated, control = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50], [10, 20, 30, 40, 40, 50]
        figures = one(treated + control, [0] * 10 + [1] * 6)
        assert figures["effect"].tolist() == [-0.25, 0.25]
        assert figures["effect_low"] == pytest.approx([-0.7265846, -0.3890062], abs=1e-7)
        assert figures["effect_high"] == pytest.approx([0.3890062, 0.7265846], abs=1e-7)

    @settings(max_examples=80, deadline=None)
    @given(arrays(np.int64, st.integers(4, 40), elements=st.integers(-4, 4)), st.data())
    def test_it_equals_all_pairs_compared(self, values, data):
        ids = data.draw(arrays(np.int64, len(values), elements=st.integers(-1, 2)))
        figures = one(values, ids)
        for place, segment in enumerate(np.unique(ids)):
            inside = ids == segment
            if inside.all():
                assert figures["effect"][place] == 0
                continue
            assert figures["effect"][place] == pytest.approx(
                np.sign(values[inside][:, None] - values[~inside]).mean(), abs=1e-9
            )
            if min(inside.sum(), (~inside).sum()) < 2:
                assert np.isnan(figures["effect_low"][place])
                continue
            delta, variance = brute_dominance(values[inside], values[~inside])
            if abs(delta) == 1:
                continue
            reach = student.ppf(0.975, len(values) - 2) ** 2 * variance
            spread = np.sqrt(reach) * np.sqrt((1 - delta**2) ** 2 + reach)
            ends = (delta - delta**3 + np.array([-1, 1]) * spread) / (1 - delta**2 + reach)
            assert figures["effect_low"][place] == pytest.approx(max(ends[0], -1), abs=1e-9)
            assert figures["effect_high"][place] == pytest.approx(min(ends[1], 1), abs=1e-9)

    def test_where_all_lie_beyond_all_others_the_end_is_that_of_a_share(self):
        figures = one([1, 2, 3, 10, 11, 12, 13], [0, 0, 0, 1, 1, 1, 1])
        end = 2 * float(wilson(3, 3)[0]) - 1
        assert figures["effect"].tolist() == [-1, 1]
        assert figures["effect_low"] == pytest.approx([-1, end])
        assert figures["effect_high"] == pytest.approx([-end, 1])

    def test_the_interval_covers_about_as_often_as_it_says(self):
        random = np.random.default_rng(0)
        truth = 2 * norm.cdf(0.5 / np.sqrt(2)) - 1
        ids = np.repeat([0, 1], [25, 100])
        held = 0
        for _ in range(600):
            values = random.normal(size=125) + 0.5 * (ids == 0)
            _, low, high = dominance(values, ids, 2)
            held += low[0] <= truth <= high[0]
        assert 0.925 < held / 600 < 0.975


class TestMiddlesAndMeans:
    @settings(max_examples=60, deadline=None)
    @given(
        arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-1e9, 1e9) | st.just(np.nan)),
        st.data(),
    )
    def test_they_are_those_of_pandas_over_the_known(self, values, data):
        ids = data.draw(arrays(np.int64, len(values), elements=st.integers(-1, 2)))
        frame = pd.DataFrame(values, columns=["a", "b"])
        table, grouped = column_statistics(frame, ids), frame.groupby(ids)
        np.testing.assert_array_equal(table["n"], grouped.count().to_numpy())
        for name, share in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
            np.testing.assert_allclose(table[name], grouped.quantile(share).to_numpy(), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(table["mean"], grouped.mean().to_numpy(), rtol=1e-9, atol=1e-5)
        np.testing.assert_array_equal(everybody(frame), frame.median().to_numpy())

    def test_the_interval_of_a_mean_is_students(self):
        values = np.random.default_rng(0).gamma(2, 30, 40)
        ids = np.repeat([0, 1, 2], [1, 12, 27])
        figures = one(values, ids)
        assert np.isnan([figures["mean_low"][0], figures["mean_high"][0]]).all()
        for segment in (1, 2):
            expected = mean(values[ids == segment])
            assert figures["mean_low"][segment] == pytest.approx(expected.low)
            assert figures["mean_high"][segment] == pytest.approx(expected.high)

    def test_the_interval_of_a_share_is_wilsons(self):
        figures = one([1, 1, 0, 0, 0, 0, 1, np.nan], [0, 0, 0, 1, 1, 1, 1, 1])
        low, high = wilson([2, 1], [3, 4])
        assert figures["mean"] == pytest.approx([2 / 3, 1 / 4])
        assert figures["mean_low"] == pytest.approx(low)
        assert figures["mean_high"] == pytest.approx(high)
        assert figures["n"].tolist() == [3, 4]

    def test_huge_and_tiny_values_do_not_overflow(self):
        with np.errstate(over="raise"):
            figures = one([1e300, 2e300, 3e300, 5e300, 1.0, 2.0, 3.0, 7.0], [0, 0, 0, 0, 1, 1, 1, 1])
        assert figures["mean"] == pytest.approx([2.75e300, 3.25])
        assert all(np.isfinite(figures[name]).all() for name in STATISTICS if not name.startswith("mean"))
        tiny = one([1e-300, 2e-300, 5e-300, 9e-300], [0, 0, 1, 1])
        assert tiny["lift"] == pytest.approx([1.5 / 4.25, 7 / 4.25])
        assert np.isfinite(tiny["robust_z"]).all()


class TestLift:
    def test_it_is_missing_where_a_ratio_would_mislead(self):
        values = pd.DataFrame({"net": [-5.0, 10.0], "none": [0.0, 0.0], "fine": [1.0, 3.0]})
        lift = column_statistics(values, np.array([0, 1]))["lift"]
        assert np.isnan(lift[:, :2]).all()
        assert lift[:, 2].tolist() == [0.5, 1.5]

    def test_its_interval_joins_those_of_both_means(self):
        random = np.random.default_rng(1)
        values, ids = np.r_[random.gamma(4, 10, 30), random.gamma(4, 4, 90)], np.repeat([0, 1], [30, 90])
        figures = one(values, ids)
        mine, rest = mean(values[:30]), mean(values[30:])

        def lift(inside, outside):
            return inside / (0.25 * inside + 0.75 * outside)

        middle = lift(mine, rest)
        down = np.hypot(middle - lift(mine.low, rest), middle - lift(mine, rest.high))
        up = np.hypot(lift(mine.high, rest) - middle, lift(mine, rest.low) - middle)
        assert figures["lift"][0] == pytest.approx(values[:30].mean() / values.mean())
        assert [figures["lift_low"][0], figures["lift_high"][0]] == pytest.approx([middle - down, middle + up])

    def test_a_category_that_nobody_in_the_segment_has_gets_an_upper_end(self):
        figures = one([0] * 20 + [1] * 10 + [0] * 10, [0] * 20 + [1] * 20)
        assert figures["lift"].tolist() == [0, 2]
        assert figures["lift_low"][0] == 0
        assert 0.1 < figures["lift_high"][0] < 1
        # A lift of 2 is all there can be where half of the customers have everything.
        assert figures["lift_high"][1] == pytest.approx(2)

    def test_it_covers_about_as_often_as_it_says(self):
        random = np.random.default_rng(2)
        ids, held = np.repeat([0, 1], [60, 300]), 0
        truth = 10 / (10 / 6 + 4 * 5 / 6)
        for _ in range(400):
            figures = one(np.r_[random.gamma(2, 5, 60), random.gamma(2, 2, 300)], ids)
            held += figures["lift_low"][0] <= truth <= figures["lift_high"][0]
        assert 0.92 < held / 400 < 0.98


class TestRobustZ:
    def test_it_counts_median_absolute_deviations_from_everybodys_median(self):
        values = np.array([1.0, 2, 3, 4, 5, 6, 100])
        figures = one(values, [0, 0, 0, 0, 1, 1, 1])
        scale = 1.4826022185 * np.median(np.abs(values - 4))
        assert figures["robust_z"] == pytest.approx([(2.5 - 4) / scale, (6 - 4) / scale])

    def test_of_normal_values_it_is_in_standard_deviations(self):
        values = np.random.default_rng(0).normal(0, 7, 20_000)
        ids = (values > 7).astype(int)
        expected = norm.ppf(norm.cdf(1) + (1 - norm.cdf(1)) / 2)
        assert one(values, ids)["robust_z"][1] == pytest.approx(expected, rel=0.03)

    def test_where_more_than_half_are_equal_mean_deviations_are_counted(self):
        values = np.array([1.0] * 6 + [5.0, 9.0])
        figures = one(values, [0] * 6 + [1, 1])
        assert figures["robust_z"] == pytest.approx([0, 6 / (1.2533141373 * np.abs(values - 1).mean())])

    def test_of_a_share_it_is_the_distance_in_standard_deviations(self):
        figures = one([1, 1, 1, 0, 0, 0, 0, 0], [0] * 4 + [1] * 4)
        assert figures["robust_z"] == pytest.approx(np.array([0.75 - 0.375, -0.375]) / np.sqrt(0.375 * 0.625))

    def test_where_all_are_alike_it_is_missing(self):
        assert np.isnan(one([3, 3, 3], [0, 0, 1])["robust_z"]).all()


class TestStandardizedDifference:
    def test_it_is_bonetts(self):
        random = np.random.default_rng(3)
        mine, others = random.normal(5, 2, 12), random.normal(3, 1, 40)
        figures = one(np.r_[mine, others], [0] * 12 + [1] * 40)
        first, second = mine.var(ddof=1), others.var(ddof=1)
        root = np.sqrt((first + second) / 2)
        smd = (mine.mean() - others.mean()) / root
        # Bonett (2008), equations 6 and 7.
        error = np.sqrt(
            smd**2 * (first**2 / 11 + second**2 / 39) / (8 * root**4) + (first / 11 + second / 39) / root**2
        )
        assert figures["smd"] == pytest.approx([smd, -smd])
        assert figures["smd_low"][0] == pytest.approx(smd - 1.959964 * error, rel=1e-6)
        assert figures["smd_high"][0] == pytest.approx(smd + 1.959964 * error, rel=1e-6)

    def test_one_far_segment_does_not_blur_what_the_others_are(self):
        # Sums of squares taken as differences would lose the small variance beside 1e9 squared.
        figures = one([1e9, 2e9, 1, 2, 3, 4], [0, 0, 1, 1, 2, 2])
        assert figures["smd"][0] > 2
        near = one([1, 2, 3, 4], [1, 1, 2, 2])
        assert near["smd"] == pytest.approx([-2 / np.sqrt(0.5), 2 / np.sqrt(0.5)])

    def test_one_customer_and_equal_values_have_none(self):
        assert np.isnan(one([1, 2, 3], [0, 1, 1])["smd"]).all()
        assert np.isnan(one([2, 2, 2, 2], [0, 0, 1, 1])["smd"]).all()


class TestRevenue:
    def test_shares_and_their_intervals_are_those_of_a_ratio_of_sums(self):
        money = np.array([100.0, 50, 10, 5, 5, 30])
        inside = np.array([0, 0, 1, 1, -1, -1])
        shares = revenue_shares(money, inside, np.array([0, 1, -1]))
        assert shares["share"].tolist() == [0.75, 0.075, 0.175]
        for place, segment in enumerate((0, 1, -1)):
            residual = money * ((inside == segment) - shares["share"][place])
            half = 1.959964 * np.sqrt(6 / 5 * (residual**2).sum()) / money.sum()
            assert shares["low"][place] == pytest.approx(max(shares["share"][place] - half, 0))
            assert shares["high"][place] == pytest.approx(min(shares["share"][place] + half, 1))

    def test_it_is_not_shared_out_where_there_is_none(self):
        assert revenue_shares(None, np.array([0]), np.array([0])) is None
        assert revenue_shares(np.array([-5.0, 5.0]), np.array([0, 1]), np.array([0, 1])) is None

    def test_refunds_may_reach_below_nothing(self):
        shares = revenue_shares(np.array([90.0, 40.0, -20.0, -10.0]), np.array([0, 0, 1, 1]), np.array([0, 1]))
        assert shares["share"].tolist() == [1.3, -0.3]
        assert shares["low"][1] < -0.3

    def test_one_customer_has_no_interval(self):
        shares = revenue_shares(np.array([9.0]), np.array([0]), np.array([0]))
        assert shares["share"].tolist() == [1.0]
        assert np.isnan([shares["low"][0], shares["high"][0]]).all()


class TestEdges:
    def test_a_column_nobody_has_and_a_segment_nobody_of_which_has_it(self):
        values = pd.DataFrame({"none": [np.nan] * 4, "half": [1.0, 4.0, np.nan, np.nan]})
        table = column_statistics(values, np.array([0, 0, 1, 1]))
        assert table["n"].tolist() == [[0, 2], [0, 0]]
        for name in STATISTICS[:6]:
            assert np.isnan(table[name][:, 0]).all()
            assert np.isnan(table[name][1, 1])
        assert table["median"][0, 1] == 2.5
        assert table["lift"][0, 1] == 1

    def test_one_segment_is_compared_with_nobody(self):
        figures = one([1.0, 2.0, 6.0], [0, 0, 0])
        assert figures["effect"][0] == 0
        assert figures["lift"][0] == 1
        assert figures["robust_z"][0] == 0
        assert np.isnan([figures[name][0] for name in ("effect_low", "lift_low", "smd")]).all()

    def test_one_customer_has_figures_and_no_intervals(self):
        figures = one([7.0], [-1])
        assert [figures[name][0] for name in ("median", "q1", "q3", "mean", "n")] == [7, 7, 7, 7, 1]
        assert np.isnan([figures[f"{name}_low"][0] for name in ("mean", "lift", "effect", "smd")]).all()

    def test_columns_of_0_and_1_are_seen_whatever_is_missing(self):
        frame = pd.DataFrame({"a": [0, 1, np.nan], "b": [0.0, 0, 0], "c": [0.0, 0.5, 1], "d": [1.0, 0, 1]})
        assert is_binary(frame).tolist() == [True, False, False, True]
