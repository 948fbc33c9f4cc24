"""Thresholds by profit, by the costs of mistakes and by capacity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataError
from crmkit.prediction import choose_threshold


def drawn(n, seed=0):
    random = np.random.default_rng(seed)
    chance = random.beta(1, 4, n)
    return (random.random(n) < chance).astype(int), chance


def test_with_calibrated_scores_it_is_the_cost_over_the_value():
    actual, chance = drawn(200_000)
    assert choose_threshold(actual, chance, value=20, cost=4).value == pytest.approx(0.2, abs=0.02)
    # Scores that are not calibrated are cut at the same customers.
    squeezed = choose_threshold(actual, chance**3, value=20, cost=4).value
    assert squeezed == pytest.approx(0.2**3, abs=0.003)


def test_costs_of_mistakes_are_the_same_question():
    actual, chance = drawn(5_000)
    by_mistake = choose_threshold(actual, chance, false_alarm=4, miss=16)
    by_profit = choose_threshold(actual, chance, value=20, cost=4)
    assert by_mistake.value == by_profit.value
    assert float(by_mistake.profit) == float(by_profit.profit)


def test_the_profit_told_is_that_of_new_rows_and_the_best_of_the_curve_is_too_good():
    """Mean over 200 companies of what is told, what the curve's best says, and what the threshold truly brings."""
    told, best, true = [], [], []
    for seed in range(200):
        actual, chance = drawn(200, seed)
        found = choose_threshold(actual, chance, value=10, cost=3.5, random_state=seed)
        told.append(float(found.profit))
        best.append(found.curve["profit"].max() / 200)
        new = drawn(20_000, seed + 1_000)
        true.append(np.where(found.decide(new[1]), 10 * new[0] - 3.5, 0).mean())
    noise = 3 * np.std(told) / np.sqrt(200)
    assert np.mean(told) == pytest.approx(np.mean(true), abs=noise)
    assert np.mean(best) > np.mean(true) + 0.05


def test_capacity_is_kept_and_alone_takes_the_highest_scores():
    actual, chance = drawn(1_000)
    found = choose_threshold(actual, chance, capacity=0.157)
    assert found.decide(chance).sum() == 157
    assert found.profit is None
    within = choose_threshold(actual, chance, value=20, cost=1, capacity=0.1)
    assert within.decide(chance).mean() <= 0.1
    free = choose_threshold(actual, chance, value=20, cost=1)
    assert free.decide(chance).mean() > 0.5


def test_where_acting_never_pays_nobody_is_acted_on():
    actual, chance = drawn(500)
    found = choose_threshold(actual, chance, value=1, cost=5)
    assert found.value == np.inf
    assert not found.decide(chance).any()
    assert float(found.profit) == 0.0
    assert found.precision is None
    nobody = choose_threshold(np.zeros(50, dtype=int), np.linspace(0, 1, 50), value=10, cost=1)
    assert nobody.recall is None
    assert float(nobody.profit) <= 0


def test_room_for_a_few_takes_the_highest_and_of_equal_ones_the_first():
    actual, chance = drawn(500)
    found = choose_threshold(actual, chance, value=20, cost=2)
    assert found.decide([0.9, 0.8, 0.8, 0.95], most=2).tolist() == [True, False, False, True]
    assert found.decide([0.8, 0.8, 0.8], most=2).tolist() == [True, True, False]
    assert found.decide([0.8], most=0).tolist() == [False]


def test_rows_of_one_customer_stay_in_one_fold():
    actual, chance = drawn(60)
    twice, customers = np.repeat(chance, 2), np.repeat(np.arange(60), 2)
    found = choose_threshold(np.repeat(actual, 2), twice, value=20, cost=4, groups=customers)
    assert found.acted.n == 120


def test_own_values_of_rows_are_ranked_by_expected_profit():
    random = np.random.default_rng(3)
    actual, chance = drawn(20_000)
    value = random.lognormal(2, 1, 20_000)
    by_chance = choose_threshold(actual, chance, value=value, cost=3)
    by_profit = choose_threshold(actual, chance * value - 3, value=value, cost=3)
    assert by_profit.profit > by_chance.profit.high
    assert by_profit.value == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "say what counts"),
        ({"value": 1}, "belong together"),
        ({"value": 1, "cost": 1, "miss": 2, "false_alarm": 1}, "not both"),
        ({"capacity": 0}, "above 0"),
        ({"value": [1.0, 2.0], "cost": 1}, "value has 2 rows"),
        ({"value": np.nan, "cost": 1}, "value is missing"),
        ({"value": 1, "cost": 1, "n_folds": 1}, "n_folds"),
        ({"value": 1, "cost": 1, "n_folds": 30}, "cannot be divided"),
    ],
)
def test_what_does_not_fit_is_told(given, said):
    actual, chance = drawn(20)
    with pytest.raises(DataError, match=said):
        choose_threshold(actual, chance, **given)


def test_missing_scores_are_named_by_row():
    with pytest.raises(DataError, match="row 1"):
        choose_threshold([0, 1, 0], [0.1, np.nan, 0.2], value=1, cost=1, n_folds=2)


def test_labels_may_be_words():
    actual, chance = drawn(300)
    words = np.where(actual == 1, "流失", "留下")
    assert choose_threshold(words, chance, value=9, cost=2, positive="流失").value == (
        choose_threshold(actual, chance, value=9, cost=2).value
    )


def test_it_shows_itself():
    actual, chance = drawn(300)
    found = choose_threshold(actual, chance, value=9, cost=2)
    assert "profit a row" in repr(found)
    assert "precision" in found._repr_html_()
    assert found.table.index.tolist() == ["profit", "acted", "precision", "recall"]


def test_intervals_count_customers_where_each_has_several_rows():
    """Of 100 companies whose customers have five like rows each, 95 or so hold what the threshold brings."""
    new = drawn(200_000, 999)
    held, by_rows = 0, 0
    for seed in range(100):
        actual, chance = drawn(100, seed)
        customers = np.repeat(np.arange(100), 5)
        given = np.repeat(actual, 5), np.repeat(chance, 5)
        found = choose_threshold(*given, value=10, cost=3.5, groups=customers, n_steps=50)
        true = np.where(found.decide(new[1]), 10 * new[0] - 3.5, 0).mean()
        held += found.profit.low <= true <= found.profit.high
        half = (found.profit.high - found.profit.low) / 2 / np.sqrt(5)
        by_rows += abs(true - found.profit) <= half
    assert held >= 85
    assert by_rows < 75


def test_shares_of_repeated_rows_are_as_sure_as_those_of_their_customers():
    actual, chance = drawn(300)
    once = choose_threshold(actual, chance, value=20, cost=4, groups=np.arange(300))
    customers = np.tile(np.arange(300), 4)
    fourfold = choose_threshold(np.tile(actual, 4), np.tile(chance, 4), value=20, cost=4, groups=customers)
    for figure in ("acted", "precision", "recall"):
        first, second = getattr(once, figure), getattr(fourfold, figure)
        assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.3)
        assert "design effect" in second.method


def test_one_customer_fewer_than_folds_is_told():
    actual, chance = drawn(40)
    with pytest.raises(DataError, match="3 groups cannot be divided into 5 folds"):
        choose_threshold(actual, chance, value=1, cost=1, groups=np.arange(40) % 3)
    with pytest.raises(DataError, match="one entry a row"):
        choose_threshold(actual, chance, value=1, cost=1, groups=[1, 2])
    with pytest.raises(DataError, match="groups is missing in row 0"):
        choose_threshold(actual, chance, value=1, cost=1, groups=[None, *range(39)])


@pytest.mark.parametrize("column", ["scores", "value", "cost", "groups"])
def test_columns_of_the_same_rows_in_another_order_are_refused(column):
    actual, chance = drawn(40)
    rows = pd.Index(range(40))
    given = {"scores": chance, "value": np.ones(40), "cost": np.ones(40) / 2, "groups": np.arange(40)}
    given[column] = pd.Series(given[column], index=rows[::-1])
    with pytest.raises(DataError, match="another order"):
        choose_threshold(pd.Series(actual, index=rows), **given)


def test_scores_that_are_no_column_of_numbers_are_told():
    actual, chance = drawn(20)
    with pytest.raises(DataError, match="scores must be one column"):
        choose_threshold(actual, np.column_stack([1 - chance, chance]), capacity=0.5)
    with pytest.raises(DataError, match="scores must hold numbers"):
        choose_threshold(actual, ["high"] * 20, capacity=0.5)
