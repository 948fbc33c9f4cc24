from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect import before_after
from crmkit.metrics import churn_rate, mean, nps


def test_marks_keep_their_own_intervals_and_the_change_of_a_mean_is_welchs():
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 11, 200), rng.integers(3, 11, 150)
    result = before_after(before, after, metric="nps")
    assert (result.before.low, result.after.high) == (nps(before).low, nps(after).high)
    change = before_after(before, after, metric="mean").change
    ends = stats.ttest_ind(after, before, equal_var=False).confidence_interval()
    assert (change.low, change.high) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize("sizes", [(10, 10), (30, 200)])
def test_the_change_of_a_lopsided_score_is_covered_with_few_answers(sizes):
    # Nearly all promoters: Welch's interval covers in .88 and .90 of such samples.
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(500):
        sides = [rng.choice([10, 8, 3], size, p=[0.9, 0.08, 0.02]) for size in sizes]
        change = before_after(*sides, metric="nps").change
        covered += change.low <= 0 <= change.high
    assert covered / 500 >= 0.94


def test_options_of_a_metric_hold_for_the_change_too():
    result = before_after([5, 4, 3, 3], [4, 4, 4, 4], metric="csat", top=1)
    assert float(result.change) == float(result.after) - float(result.before) == -0.25
    paired = [pd.DataFrame({"who": [1, 2, 3, 4], "rating": marks}) for marks in ([5, 4, 3, 3], [4, 4, 4, 5])]
    clustered = before_after(*paired, metric="csat", customer="who", top=1)
    assert float(clustered.change) == 0
    with pytest.raises(DataError, match="no option 'top'"):
        before_after([5, 4], [4, 4], metric="mean", top=1)
    with pytest.raises(DataError, match="before: rating is missing in row 1"):
        before_after([9, None, 8], [9, 9], missing="raise")


@pytest.mark.parametrize(("marks", "message"), [([1.0, np.inf], "infinite"), (["a", "b"], "must hold numbers")])
def test_lists_are_checked_as_tables_are(marks, message):
    with pytest.raises(DataError, match=message):
        before_after(marks, [3, 4], metric="mean")


def test_churn_of_something_else_than_pairs_of_lists_is_refused():
    with pytest.raises(DataError, match="pair of id lists for before"):
        before_after(pd.DataFrame({"id": [1]}), pd.DataFrame({"id": [1]}), metric="churn-rate")


def test_the_same_customers_on_both_sides_are_paired():
    rng = np.random.default_rng(1)
    own = rng.normal(50, 10, 100)
    sides = [
        pd.DataFrame({"customer_id": np.arange(100), "spend": own + shift + rng.normal(size=100)}) for shift in (0, 2)
    ]
    paired = before_after(*sides, metric="mean", column="spend", customer="customer_id")
    blind = before_after(*sides, metric="mean", column="spend")
    ends = stats.ttest_rel(sides[1]["spend"], sides[0]["spend"]).confidence_interval()
    assert (paired.change.low, paired.change.high) == pytest.approx((ends.low, ends.high), abs=0.02)
    assert paired.change.n == 100
    assert blind.change.high - blind.change.low > 5 * (paired.change.high - paired.change.low)


def test_churn_repeat_purchase_and_own_functions_are_subtracted_with_their_intervals():
    before, after = (list(range(100)), list(range(60))), (list(range(60)), list(range(48)))
    churned = before_after(before, after, metric="churn-rate")
    assert float(churned.change) == pytest.approx(0.2 - 0.4)
    assert churned.before.low == churn_rate(*before).low
    assert churned.change.low < -0.2 < churned.change.high
    sales = pd.DataFrame({"customer_id": ["a", "a", "b", "c"] * 2, "day": [0, 20, 5, 95, 0, 9, 5, 95]})
    assert float(before_after(sales, sales, metric="repeat-purchase", horizon_days=30).change) == 0
    own = before_after([1.0, 2.0, 4.0], [2.0, 3.0, 7.0], metric=mean)
    assert float(own.change) == pytest.approx(5 / 3)
    with pytest.raises(DataError, match="must give an Estimate"):
        before_after([1.0], [2.0], metric=max)


def test_a_single_answer_or_equal_answers_still_have_an_interval_of_their_metric():
    result = before_after([9] * 5, [3] * 5)
    assert float(result.change) == -200
    assert result.change.method.startswith("mover")
    assert before_after([9], [3, 9]).change.method.startswith("mover")


def test_missing_answers_are_told_and_what_is_wrong_is_refused():
    table = pd.DataFrame({"rating": [9.0, np.nan, 3.0], "customer_id": ["a", "b", None]})
    with pytest.warns(DataWarning, match="1 of 3 answers before"):
        before_after(table, [9, 3, 4])
    with pytest.raises(DataError, match="hand in a table"):
        before_after([9, 3], [9, 3], customer="customer_id")
    with pytest.raises(DataError, match="customer_id is missing in 2"), pytest.warns(DataWarning):
        before_after(table, table, customer="customer_id")
    with pytest.raises(DataError, match="metric must be a function or one of"):
        before_after([9], [3], metric="joy")
    with pytest.raises(DataError, match="nothing to measure"):
        before_after(pd.DataFrame({"rating": [np.nan]}), [3])


def test_it_says_that_a_change_is_no_effect():
    result = before_after([9, 3, 8], [9, 10, 8])
    assert "no effect" in repr(result)
    assert "no effect" in result._repr_html_()
