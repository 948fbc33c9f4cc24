"""One-sided prices against finite differences of independently solved models."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import Problem, plan


def value_at(problem, limit, bound):
    try:
        return plan(problem.with_bounds({limit: bound}), "lp").value
    except InfeasiblePlanError:
        return None


@pytest.mark.parametrize("seed", range(30))
def test_prices_of_resources_are_the_finite_differences_on_either_side(seed, random_arrays):
    arrays = random_arrays(seed) | {"floors": {}}
    problem = Problem.from_arrays(**arrays)
    made = plan(problem, "lp")
    for name in arrays["limits"]:
        line = made.prices.loc[name]
        scale = max(1.0, abs(made.value))
        up = min(1e-3, line["valid_to"] - line["limit"])
        assert up > 0, (seed, name)
        more = (value_at(problem, name, line["limit"] + up) - made.value) / up
        assert more == pytest.approx(line["price_more"], rel=0.01, abs=1e-7 * scale / up), (seed, name)
        down = min(1e-3, line["limit"] - line["valid_from"])
        if down > 1e-9:
            less = (made.value - value_at(problem, name, line["limit"] - down)) / down
            assert less == pytest.approx(line["price_less"], rel=0.01, abs=1e-7 * scale / down), (seed, name)
        else:
            assert line["limit"] == 0.0
            assert line["price_less"] == np.inf


@pytest.mark.parametrize("seed", range(25))
def test_prices_hold_to_the_ends_of_their_range_and_change_beyond(seed, random_arrays):
    arrays = random_arrays(seed) | {"floors": {}}
    problem = Problem.from_arrays(**arrays)
    made = plan(problem, "lp")
    for name in arrays["limits"]:
        line = made.prices.loc[name]
        scale = max(1.0, abs(made.value))
        for side, end, price in (("up", "valid_to", "price_more"), ("down", "valid_from", "price_less")):
            step = abs(line[end] - line["limit"])
            if not np.isfinite(step) or not np.isfinite(line[price]) or step == 0:
                continue
            sign = 1.0 if side == "up" else -1.0
            at_end = value_at(problem, name, line[end])
            assert at_end == pytest.approx(made.value + sign * step * line[price], rel=1e-6, abs=1e-6 * scale)
            further = line["limit"] + sign * (step + 0.05 * max(1.0, step))
            if further >= 0:
                straight = made.value + sign * abs(further - line["limit"]) * line[price]
                assert value_at(problem, name, further) < straight - 1e-9 * scale, (seed, name, side)


def test_where_prices_are_not_unique_both_sides_are_given():
    # One unit, two cases: one less costs the larger value, one more brings the smaller.
    problem = Problem.from_arrays([[10.0], [4.0], [1.0]], uses={"unit": 1.0}, limits={"unit": 1})
    line = plan(problem).prices.loc["unit"]
    assert (line["price_less"], line["price_more"]) == (pytest.approx(10.0), pytest.approx(4.0))
    assert (line["valid_from"], line["valid_to"]) == (pytest.approx(0.0), pytest.approx(2.0))
    assert line["unit"] == "value per unit of unit"


def test_a_floor_has_a_price_below_zero_and_an_infinite_one_where_no_case_is_left():
    problem = Problem.from_arrays([[-1.0], [-3.0]], uses={}, limits={}, floors={"f": (None, 1)})
    line = plan(problem).prices.loc["f"]
    assert (line["price_less"], line["price_more"]) == (pytest.approx(-1.0), pytest.approx(-3.0))
    assert (line["valid_from"], line["valid_to"]) == (pytest.approx(0.0), pytest.approx(2.0))
    full = plan(problem.with_bounds({"f": 2})).prices.loc["f"]
    assert full["price_less"] == pytest.approx(-3.0)
    assert full["price_more"] == -np.inf
    assert full["valid_to"] == 2.0
    assert full["unit"] == "value per case"


def test_a_limit_that_is_not_used_up_has_no_price_down_to_what_is_used():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": [[2.0], [3.0]]}, limits={"hours": 9})
    line = plan(problem).prices.loc["hours"]
    assert line[["used", "limit", "price_less", "price_more", "valid_from", "valid_to"]].tolist() == [
        5.0, 9.0, 0.0, 0.0, 5.0, np.inf,
    ]  # fmt: skip


def test_a_zero_budget_has_an_infinite_price_below():
    problem = Problem.from_arrays([[10.0]], uses={"budget": 2.0}, limits={"budget": 0})
    line = plan(problem).prices.loc["budget"]
    assert line["price_less"] == np.inf
    assert line["price_more"] == pytest.approx(5.0)
    assert line["valid_to"] == pytest.approx(2.0)


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", "greedy"])
def test_prices_are_the_same_for_every_planner(planner, random_arrays):
    problem = Problem.from_arrays(**random_arrays(6))
    expected = plan(problem, "lp").prices.drop(columns="used")
    found = plan(problem, planner).prices.drop(columns="used")
    assert found.drop(columns="unit").to_numpy() == pytest.approx(expected.drop(columns="unit").to_numpy())


@pytest.mark.parametrize("seed", range(12))
def test_floor_prices_are_the_finite_differences(seed):
    random = np.random.default_rng(seed)
    n_cases = 60
    problem = Problem.from_arrays(
        random.lognormal(0, 1, (n_cases, 3)) - 2.0,
        uses={"budget": random.uniform(1, 3, (n_cases, 3))},
        limits={"budget": 50.0},
        floors={"f": (random.random(n_cases) < 0.5, 15), "g": (None, 24)},
    )
    made = plan(problem, "lp")
    for name in ("f", "g"):
        line = made.prices.loc[name]
        for step, price in ((1.0, "price_more"), (-1.0, "price_less")):
            reached = line["valid_to"] if step > 0 else line["valid_from"]
            there = value_at(problem, name, line["limit"] + step)
            slope = np.inf if there is None else (there - made.value) / step
            if (reached - line["limit"]) * step >= 1.0:
                assert slope == pytest.approx(line[price], rel=0.01, abs=1e-7)
            elif there is not None:
                # The value is concave in the limit: further away it can only get worse.
                assert made.value + step * line[price] >= there - 1e-7


def test_what_if_gives_value_and_bound_for_each_amount(random_arrays, best_value):
    arrays = random_arrays(6)
    problem = Problem.from_arrays(**arrays)
    amounts = [0.0, 5.0, 10.0, 1e6]
    curve = plan(problem).what_if("budget", amounts)
    assert curve.index.tolist() == amounts
    assert curve.index.name == "budget"
    for amount in amounts:
        expected = best_value(arrays | {"limits": arrays["limits"] | {"budget": amount}}, whole=True)
        if expected is None:
            assert np.isnan(curve.loc[amount, "value"])
            assert curve.loc[amount, "bound"] == -np.inf
        else:
            assert curve.loc[amount, "value"] == pytest.approx(expected, rel=2e-4)
            assert curve.loc[amount, "bound"] >= expected - 1e-9 * max(1, abs(expected))


def test_what_if_of_a_divided_plan_is_divided(random_arrays, best_value):
    arrays = random_arrays(9)
    curve = plan(Problem.from_arrays(**arrays), "lp").what_if("budget", [3.0, 7.0])
    for amount in (3.0, 7.0):
        expected = best_value(arrays | {"limits": arrays["limits"] | {"budget": amount}}, whole=False)
        assert curve.loc[amount, "value"] == pytest.approx(expected, rel=1e-9)


def test_what_if_refuses_an_unknown_limit_and_a_negative_one():
    made = plan(Problem.from_arrays([[1.0]], uses={"u": 1.0}, limits={"u": 1}))
    with pytest.raises(ValueError, match="there is no limit 'v'; the limits are: 'u'"):
        made.what_if("v", [1])
    with pytest.raises(ValueError, match="number of 0 or more"):
        made.what_if("u", [-1])


def test_near_solutions_of_a_large_problem_are_as_exact_as_solving_anew():
    random = np.random.default_rng(1)
    shape = (2_600, 8)
    problem = Problem.from_arrays(
        random.lognormal(2, 1, shape),
        uses={"a": random.uniform(0, 3, shape), "b": random.uniform(0, 1, shape)},
        limits={"a": 1_000.0, "b": 450.0},
        floors={"f": (random.random(shape[0]) < 0.3, 450)},
    )
    made = plan(problem, "lp")
    amounts = [700.0, 990.0, 1_500.0]
    curve = made.what_if("a", amounts)
    for amount in amounts:
        assert curve.loc[amount, "value"] == pytest.approx(value_at(problem, "a", amount), rel=1e-9)


def test_what_if_says_where_no_plan_is_left():
    problem = Problem.from_arrays([[3.0], [2.0]], uses={"u": 1.0}, limits={"u": 2}, floors={"f": (None, 1)})
    for planner in ("auto", "lp"):
        curve = plan(problem, planner).what_if("u", [0, 1, 2])
        assert np.isnan(curve.loc[0.0, "value"])
        assert curve.loc[0.0, "bound"] == -np.inf
        assert curve["value"].tolist()[1:] == [3.0, 5.0]
