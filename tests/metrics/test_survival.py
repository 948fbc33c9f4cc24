"""Kaplan-Meier's curve agrees with published figures and with a curve built step by step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.core.errors import DataError
from crmkit.metrics import kaplan_meier, median_survival, restricted_mean, survival_at

# Remission in weeks of children with acute leukaemia, on 6-mercaptopurine and on placebo: Freireich et al. 1963,
# Blood 21, 699-716, as printed by Klein & Moeschberger 2003, Table 1.2. A plus marks who was still in remission.
DRUG = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def remission(text):
    marks = text.split()
    return [int(mark.rstrip("+")) for mark in marks], [not mark.endswith("+") for mark in marks]


def step_by_step(duration, observed):
    """Walk through the times as the definition does."""
    left, rows = 1.0, []
    for time in sorted(set(duration)):
        risk = sum(each >= time for each in duration)
        events = sum(each == time and seen for each, seen in zip(duration, observed, strict=True))
        left *= 1 - events / risk
        rows.append((time, risk, events, left))
    return rows


def test_survival_and_greenwood_errors_are_those_of_the_published_leukaemia_table():
    curve = kaplan_meier(*remission(DRUG))
    at = curve.loc[[6, 7, 10, 13, 16, 22, 23]]
    # Klein & Moeschberger 2003, Table 4.1B: survival and its standard error.
    assert at["survival"].round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    error = (np.log(-np.log(at["low"])) - np.log(-np.log(at["survival"]))) / 1.959964
    assert (error * -np.log(at["survival"]) * at["survival"]).to_numpy() == pytest.approx(
        [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=6e-5
    )
    assert at["at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve["censored"].sum() == 12


def test_median_remission_is_the_published_one():
    # Medians of 23 and 8 weeks are those that Freireich's data are always quoted with (Cox & Oakes 1984, p. 8).
    drug, placebo = (median_survival(kaplan_meier(*remission(text))) for text in (DRUG, PLACEBO))
    assert (drug, drug.low, drug.high, drug.n) == (23, 13, np.inf, 21)
    assert (placebo, placebo.low, placebo.high) == (8, 4, 11)


def test_mean_without_censoring_is_the_plain_mean():
    duration, observed = remission(PLACEBO)
    mean = restricted_mean(kaplan_meier(duration, observed))
    assert mean == pytest.approx(np.mean(duration))
    # Greenwood's error of a complete sample is the standard deviation over n, not n - 1.
    assert mean.high - mean == pytest.approx(1.959964 * np.std(duration) / np.sqrt(len(duration)), rel=1e-6)


def test_restricted_mean_is_the_area_under_the_curve():
    curve = kaplan_meier(*remission(DRUG))
    fine = (np.arange(30_000) + 0.5) / 1000
    assert restricted_mean(curve, until=30) == pytest.approx(survival_at(curve, fine)["survival"].mean() * 30, rel=1e-9)
    assert restricted_mean(curve, until=5) == 5
    assert restricted_mean(curve, until=0) == 0
    with pytest.raises(DataError, match=r"until=40 lies after the last time of the curve \(35\), .* 0.448"):
        restricted_mean(curve, until=40)
    assert restricted_mean(kaplan_meier([1, 2], [1, 1]), until=40) == 1.5
    with pytest.raises(DataError, match="until must be a number of at least 0"):
        restricted_mean(curve, until=-1)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
)
def test_the_curve_is_the_one_built_step_by_step(rows, level):
    duration, observed = zip(*rows, strict=True)
    curve = kaplan_meier(duration, observed, level=level)
    expected = step_by_step(duration, observed)
    assert curve.index.tolist() == [row[0] for row in expected]
    assert curve["at_risk"].tolist() == [row[1] for row in expected]
    assert curve["events"].tolist() == [row[2] for row in expected]
    assert curve["survival"].to_numpy() == pytest.approx([row[3] for row in expected], abs=1e-12)
    assert (curve["events"] + curve["censored"]).sum() == len(rows)
    assert curve[["survival", "low", "high"]].notna().all(axis=None)
    assert (curve["low"] <= curve["survival"]).all()
    assert (curve["survival"] <= curve["high"]).all()
    assert (curve["low"] >= 0).all()
    assert (curve["high"] <= 1).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 5)), min_size=1, max_size=15))
def test_weights_stand_for_equal_rows(rows):
    duration, observed, weights = (list(column) for column in zip(*rows, strict=True))
    if not sum(weights):
        with pytest.raises(DataError, match="weights are all 0"):
            kaplan_meier(duration, observed, weights=weights)
        return
    long = kaplan_meier(np.repeat(duration, weights), np.repeat(observed, weights))
    pd.testing.assert_frame_equal(kaplan_meier(duration, observed, weights=weights), long)


@given(st.permutations(list(range(21))))
def test_the_order_of_rows_does_not_matter(order):
    duration, observed = (np.array(column)[order] for column in remission(DRUG))
    pd.testing.assert_frame_equal(kaplan_meier(duration, observed), kaplan_meier(*remission(DRUG)))


def test_without_events_survival_stays_1_and_the_interval_says_how_little_that_means():
    curve = kaplan_meier([3, 1, 2], [False, False, False])
    assert curve["survival"].tolist() == [1, 1, 1]
    assert curve["high"].tolist() == [1, 1, 1]
    # Clopper and Pearson's bound for 0 of n.
    assert curve["low"].to_numpy() == pytest.approx([0.025 ** (1 / 3), 0.025 ** (1 / 2), 0.025])
    assert median_survival(curve) == np.inf
    mean = restricted_mean(curve)
    assert (mean, mean.high) == (3, 3)
    assert mean.low == pytest.approx(2 * 0.025 ** (1 / 3) + 0.025 ** (1 / 2))
    assert restricted_mean(curve, until=0.5).low == pytest.approx(0.5 * 0.025 ** (1 / 3))


def test_all_events_at_one_time_bring_survival_to_0():
    curve = kaplan_meier([5] * 4, [1] * 4)
    assert curve["survival"].tolist() == [0]
    assert curve["low"].tolist() == [0]
    assert curve["high"].to_numpy() == pytest.approx([1 - 0.025 ** (1 / 4)])
    assert median_survival(curve) == 5
    assert restricted_mean(curve) == 5
    assert survival_at(curve, 99)["survival"].tolist() == [0]


def test_an_event_at_time_0_takes_its_share_at_once():
    curve = kaplan_meier([0, 0, 1, 2], [1, 0, 1, 1])
    assert curve.index[0] == 0
    assert curve.loc[0, ["at_risk", "events", "censored", "survival"]].tolist() == [4, 1, 1, 0.75]
    assert restricted_mean(curve) == pytest.approx(0.75 + 0.375)


def test_events_come_before_censorings_of_the_same_time():
    assert kaplan_meier([2, 2], [True, False]).loc[2, "survival"] == 0.5


def test_the_curve_is_a_step_function_that_changes_at_its_own_times():
    curve = kaplan_meier([2, 3, 5, 7], [1, 1, 1, 0])
    read = survival_at(curve, [0, 2, 2.999, 3, 7, 7.001])
    assert read["survival"].tolist()[:5] == [1.0, 0.75, 0.75, 0.5, 0.25]
    assert read.iloc[5].isna().all()
    assert read.loc[3, ["low", "high"]].tolist() == curve.loc[3, ["low", "high"]].tolist()
    assert survival_at(curve, 4)["survival"].tolist() == [0.5]
    with pytest.raises(DataError, match="times is missing in row 1"):
        survival_at(curve, [1, None])


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_before_the_first_time_the_curve_is_as_sure_as_so_many_without_an_event_make_it(level):
    curve = kaplan_meier([2, 3, 5, 7], [1, 1, 1, 0], level=level)
    early = survival_at(curve, [0.5]).loc[0.5]
    # Four of four without an event: (1 - level) / 2 is the chance of that at the lower end.
    assert early["low"] ** 4 == pytest.approx((1 - level) / 2)
    assert early["survival"] == early["high"] == 1


def test_other_shares_than_half_have_their_time():
    curve = kaplan_meier(range(1, 101), [1] * 100)
    assert median_survival(curve, share=0.9) == 90
    assert median_survival(curve, share=0.25, level=0.5).level == 0.5
    with pytest.raises(DataError, match="share must lie between 0 and 1"):
        median_survival(curve, share=1)


def test_intervals_cover_the_truth():
    """95 % intervals of survival at 1 and of the median, over 400 samples of 60 with censoring."""
    rng = np.random.default_rng(7)
    at_1, medians, means = 0, 0, 0
    for _ in range(400):
        life, end = rng.exponential(1.0, 60), rng.uniform(0, 4, 60)
        curve = kaplan_meier(np.minimum(life, end), life <= end)
        read = survival_at(curve, 1.0).iloc[0]
        at_1 += read["low"] <= np.exp(-1) <= read["high"]
        median = median_survival(curve)
        medians += median.low <= np.log(2) <= median.high
        mean = restricted_mean(curve, until=1.2)
        means += mean.low <= 1 - np.exp(-1.2) <= mean.high
    # Three standard errors of 400 draws are 3.3 points.
    assert at_1 / 400 == pytest.approx(0.95, abs=0.033)
    assert medians / 400 == pytest.approx(0.95, abs=0.033)
    assert means / 400 == pytest.approx(0.95, abs=0.033)


@pytest.mark.parametrize(
    ("duration", "observed", "message"),
    [
        ([], [], "duration is empty"),
        ([1.0, None], [1, 1], "duration is missing in row 1"),
        ([1.0, np.inf], [1, 1], "duration is not finite in row 1"),
        ([1.0, -2.0], [1, 1], "duration is negative in row 1"),
        (["a", "b"], [1, 1], "duration must hold numbers, got str"),
        ([1.0, 2.0], [1, None], "observed is missing in row 1"),
        ([1.0, 2.0], [1, 2], r"observed must be true or false \(1 or 0\); it is not in row 1"),
        ([1.0, 2.0], ["yes", "no"], "observed must be true or false"),
        ([1.0, 2.0], [True], "duration has 2, observed has 1"),
        (pd.Series(pd.to_timedelta([1, 2], unit="D")), [1, 1], r"duration / pd.Timedelta\(days=1\)"),
    ],
)
def test_what_cannot_be_used_is_named_by_position(duration, observed, message):
    with pytest.raises(DataError, match=message):
        kaplan_meier(duration, observed)


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0], "weights has 1 for 2"), ([1.0, -1.0], "weights is negative in row 1"), ([1, None], "weights is missing")],
)
def test_weights_that_count_nothing_are_refused(weights, message):
    with pytest.raises(DataError, match=message):
        kaplan_meier([1, 2], [1, 1], weights=weights)


def test_series_in_another_order_are_refused():
    duration = pd.Series([1.0, 2.0], index=["a", "b"])
    with pytest.raises(DataError, match="in another order"):
        kaplan_meier(duration, pd.Series([True, False], index=["b", "a"]))


@pytest.mark.parametrize("dtype", ["boolean", "Int64", object, float])
def test_flags_of_any_kind_are_read(dtype):
    expected = kaplan_meier([1, 2, 3], [True, False, True])
    duration = pd.Series([1, 2, 3], dtype="Int64")
    pd.testing.assert_frame_equal(kaplan_meier(duration, pd.Series([1, 0, 1]).astype(dtype)), expected)


def test_a_table_that_is_no_curve_is_refused():
    with pytest.raises(DataError, match="curve has no column 'at_risk'"):
        median_survival(pd.DataFrame({"survival": [1.0]}))
    curve = kaplan_meier([1, 2], [1, 1])
    with pytest.raises(DataError, match="indexed by rising times"):
        restricted_mean(curve.iloc[::-1])
    with pytest.raises(DataError, match="curve is empty"):
        survival_at(curve.iloc[:0], 1)
    with pytest.raises(DataError, match="level must lie between 0 and 1"):
        kaplan_meier([1], [1], level=95)
