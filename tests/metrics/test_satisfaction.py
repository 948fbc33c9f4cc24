from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from crmkit import DataError, DataWarning, metrics

SINGLE = [metrics.csat, metrics.preference, metrics.nps, metrics.ces]


def test_csat_is_the_share_of_the_two_best_marks():
    got = metrics.csat([5, 5, 4, 2, 1])
    assert got == 0.6
    assert (got.n, got.method) == (5, "wilson")
    assert (round(got.low, 4), round(got.high, 4)) == (0.2307, 0.8824)


def test_csat_as_a_mean_says_so():
    got = metrics.csat([5, 5, 4, 2, 1], method="mean")
    assert got == 3.4
    assert got.method == "mean, t"
    assert 1 <= got.low < got.high <= 5


def test_csat_on_another_scale():
    assert metrics.csat([10, 9, 8, 1], scale=(1, 10)) == 0.5
    assert metrics.csat([3, 2, 1], scale=(1, 3), top=1) == pytest.approx(1 / 3)


@pytest.mark.parametrize("top", [0, 5, -1])
def test_a_top_that_is_the_whole_scale_is_refused(top):
    with pytest.raises(DataError, match="top must be between 1 and 4"):
        metrics.csat([5], top=top)


def test_preference_is_the_share_of_the_two_best_marks_of_a_brand():
    got = metrics.preference([5, 4, 3, 3, 1, 5])
    assert got == 0.5
    assert got.n == 6


class TestNetPromoterScore:
    @given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
    def test_it_is_promoters_less_detractors(self, marks):
        got = metrics.nps(marks)
        promoters, detractors = sum(mark >= 9 for mark in marks), sum(mark <= 6 for mark in marks)
        assert got == pytest.approx(100 * (promoters - detractors) / len(marks))
        assert -100 <= got.low <= got + 1e-9
        assert got <= got.high + 1e-9 <= 100 + 1e-8

    def test_its_interval_has_the_published_variance(self):
        marks = [10] * 50 + [7] * 30 + [2] * 20
        got = metrics.nps(marks)
        # Rocks 2016: the variance of the score is (p + d - (p - d)^2) / n; here with 3/4, 3/4 and 3/2 answers more.
        p, d, n = 50.75 / 103, 20.75 / 103, 103
        half = 100 * 1.959964 * np.sqrt((p + d - (p - d) ** 2) / n)
        center = 100 * (p - d)
        assert (got, got.low, got.high) == (30, pytest.approx(center - half), pytest.approx(center + half))

    def test_its_interval_covers_the_truth(self):
        rng = np.random.default_rng(0)
        truth = 100 * (0.5 - 0.2)
        estimates = [metrics.nps(rng.choice([10, 8, 3], size=80, p=[0.5, 0.3, 0.2])) for _ in range(400)]
        assert 0.92 < np.mean([one.low <= truth <= one.high for one in estimates]) < 0.98

    @pytest.mark.parametrize(("mark", "expected"), [(10, 100), (8, 0), (0, -100)])
    def test_one_opinion_of_all_is_not_certain(self, mark, expected):
        got = metrics.nps([mark] * 5)
        assert got == expected
        assert got.high - got.low > 20
        assert got.low <= got <= got.high

    def test_forms_that_do_not_end_at_10_are_refused(self):
        with pytest.raises(DataError, match="marks up to 10"):
            metrics.nps([5], scale=(1, 5))


class TestEffort:
    def test_method_is_named(self):
        marks = [7, 6, 5, 4, 1]
        as_mean, as_share = metrics.ces(marks), metrics.ces(marks, method="share")
        assert (as_mean, as_mean.method) == (4.6, "mean, t")
        assert (as_share, as_share.method) == (0.6, "share, wilson")

    def test_the_agreeing_marks_can_be_named(self):
        assert metrics.ces([5, 4, 3], scale=(1, 5), method="share") == pytest.approx(2 / 3)
        assert metrics.ces([7, 6, 5], method="share", positive=6) == pytest.approx(2 / 3)

    def test_fractions_have_a_mean_and_no_share(self):
        assert metrics.ces([1.5, 2.5]) == 2
        with pytest.raises(DataError, match="whole marks; rows 0, 1"):
            metrics.ces([1.5, 2.5], method="share")

    def test_unknown_methods_are_refused(self):
        with pytest.raises(DataError, match="'mean' or 'share'"):
            metrics.ces([1], method="top")
        with pytest.raises(DataError, match="'top' or 'mean'"):
            metrics.csat([1], method="share")


class TestIndex:
    ANSWERS = pd.DataFrame({"service": [5, 4, 1], "price": [3, 2, 1]})

    def test_it_is_the_weighted_mean_from_0_to_100(self):
        got = metrics.csi(self.ANSWERS, weights={"price": 1, "service": 3})
        assert got == pytest.approx(np.mean([87.5, 62.5, 0]))
        assert got.n == 3
        assert 0 <= got.low < got < got.high <= 100

    @pytest.mark.parametrize(("mark", "expected"), [(1, 0), (3, 50), (5, 100)])
    def test_its_ends_are_the_ends_of_the_scale(self, mark, expected):
        assert metrics.csi(np.full((4, 3), mark)) == expected

    def test_weights_are_matched_by_name(self):
        one = metrics.csi(self.ANSWERS, weights={"service": 3, "price": 1})
        assert one == metrics.csi(self.ANSWERS[["price", "service"]], weights={"service": 3, "price": 1})
        assert one == metrics.csi(self.ANSWERS, weights=[3, 1])
        assert one == metrics.csi(self.ANSWERS, weights=pd.Series({"price": 10, "service": 30}))

    def test_one_attribute_is_one_column(self):
        assert metrics.csi([5, 3, 1]) == 50

    @pytest.mark.parametrize(
        ("weights", "match"),
        [
            ({"service": 1}, "names no weight of price"),
            ({"service": 1, "prise": 1}, "no column 'prise' .nearest: 'price'."),
            ([1, 2, 3], "one a column: 3 for 2"),
            ([1, -1], "none negative"),
            ([0, 0], "not all 0"),
        ],
    )
    def test_weights_that_do_not_fit_are_refused(self, weights, match):
        with pytest.raises(DataError, match=match):
            metrics.csi(self.ANSWERS, weights=weights)

    def test_incomplete_answers_are_left_out_and_counted(self):
        answers = pd.DataFrame({"service": [5, None, 1], "price": [5, 5, 1]})
        with pytest.warns(DataWarning, match="1 of 3 answers lack a mark and are left out: row 1"):
            got = metrics.csi(answers)
        assert (got, got.n) == (50, 2)
        with pytest.raises(DataError, match="ratings are missing in row 1"):
            metrics.csi(answers, missing="raise")

    def test_marks_off_the_scale_are_named_by_column_and_position(self):
        with pytest.raises(DataError, match=r"ratings of 'price' must lie on the scale 1 to 5 .*; row 2 do not"):
            metrics.csi(pd.DataFrame({"service": [5, 4, None], "price": [3, 2, 6]}))

    def test_no_complete_answer_is_refused(self):
        with pytest.raises(DataError, match="no complete answer"):
            metrics.csi(pd.DataFrame({"a": [1, None], "b": [None, 1]}))


@pytest.mark.parametrize("figure", SINGLE)
class TestMarks:
    def test_missing_marks_are_left_out_and_counted(self, figure):
        with pytest.warns(DataWarning, match="2 of 5 ratings are missing and left out: rows 1, 4"):
            got = figure([5, None, 4, 1, float("nan")])
        assert got == figure([5, 4, 1])
        assert got.n == 3

    def test_missing_marks_can_be_refused(self, figure):
        with pytest.raises(DataError, match="ratings is missing in row 1"):
            figure([5, None], missing="raise")
        with pytest.raises(DataError, match="'exclude' or 'raise'"):
            figure([5, None], missing="drop")

    @pytest.mark.parametrize("marks", [[5, 11], [5, -1], [5, np.inf]])
    def test_marks_off_the_scale_are_named_by_position(self, figure, marks):
        with pytest.raises(DataError, match=r"must lie on the scale .*; row 1 do not"):
            figure(marks)

    @pytest.mark.parametrize("marks", [[], [None, None], pd.Series([], dtype=float)])
    def test_no_mark_is_refused(self, figure, marks):
        with pytest.raises(DataError, match="holds no mark"):
            figure(marks)

    def test_text_is_refused(self, figure):
        with pytest.raises(DataError, match="must hold numbers, got str"):
            figure(["good", "bad"])
        with pytest.raises(DataError, match="got one str"):
            figure("5")

    def test_a_backward_scale_is_refused(self, figure):
        for scale in [(10, 10), (11, 10), (1,)]:
            with pytest.raises(DataError, match=r"scale must be \(lowest, highest\)"):
                figure([5], scale=scale)

    @pytest.mark.parametrize("dtype", ["Int64", "float64", "category", "object", "int8"])
    def test_every_kind_of_column_is_taken(self, figure, dtype):
        assert figure(pd.Series([5, 4, 1]).astype(dtype)) == figure([5, 4, 1])


def test_fractions_have_no_share_of_marks():
    with pytest.raises(DataError, match="whole marks; row 0"):
        metrics.csat([4.5])


MIXES = [(0.5, 0.3), (0.2, 0.2), (0.1, 0.4), (0.3, 0.1), (0.6, 0.15)]
LEAST, MOST = 0.93, 0.97


@pytest.mark.parametrize("n", [30, 100, 1000])
@pytest.mark.parametrize(("promoters", "detractors"), MIXES)
def test_nps_intervals_cover_the_truth_as_often_as_they_say(promoters, detractors, n):
    # Only sizes of the groups that are at all likely need an interval; each is asked for once.
    rng = np.random.default_rng(n)
    drawn = rng.multinomial(n, [promoters, detractors, 1 - promoters - detractors], 2_000)
    answers, times = np.unique(drawn, axis=0, return_counts=True)
    covered = 0
    for (high, low, middle), count in zip(answers, times, strict=True):
        value = metrics.nps(np.repeat([10, 0, 8], [high, low, middle]))
        covered += count * (value.low <= 100 * (promoters - detractors) <= value.high)
    assert LEAST <= covered / 2_000 <= MOST


@pytest.mark.parametrize("n", [30, 100, 1000])
@pytest.mark.parametrize("satisfied", [0.5, 0.6, 0.7, 0.8, 0.85])
def test_csat_intervals_cover_the_truth_as_often_as_they_say(satisfied, n):
    # Exactly, by the binomial chance of each number of satisfied answers. Wilson's coverage goes up and down by
    # 1.5 points with n and the share, because answers are whole.
    hits = np.arange(n + 1)
    likely = hits[binom.pmf(hits, n, satisfied) > 1e-9]
    values = [metrics.csat(np.repeat([5, 1], [hit, n - hit])) for hit in likely]
    covered = [value.low <= satisfied <= value.high for value in values]
    assert LEAST - 0.001 <= binom.pmf(likely[covered], n, satisfied).sum() <= MOST
