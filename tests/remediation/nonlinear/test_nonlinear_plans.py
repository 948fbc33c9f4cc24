"""Intensities are planned as well as closed forms, brute force and general solvers show, and the bound holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from crmkit import ConvergenceError, InfeasiblePlanError
from crmkit.remediation import (
    Cap,
    Floor,
    Holdout,
    NonlinearPlanner,
    Problem,
    Remedy,
    Resource,
    conflict,
    plan,
    verify,
)

SATURATING = "worth * (1 - exp(-intensity / scale))"


def cases(n, seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {"case_id": np.arange(n), "worth": random.uniform(10, 100, n), "scale": random.uniform(3, 30, n)}
    )


def voucher(value=SATURATING, intensity=(0, 100), **more):
    return Remedy("voucher", value=value, uses={"budget": "intensity"}, intensity=intensity, **more)


def water_filling(table, budget, high):
    """Give the intensities at which marginal values are equal, by bisection of the price alone."""
    low_price, high_price = 1e-9, 1e3
    for _ in range(200):
        price = np.sqrt(low_price * high_price)
        level = np.clip(table["scale"] * np.log(table["worth"] / (table["scale"] * price)), 0, high)
        low_price, high_price = (price, high_price) if level.sum() > budget else (low_price, price)
    return level.to_numpy(), price


@pytest.mark.parametrize(("n", "budget"), [(1, 5.0), (2, 30.0), (50, 400.0), (3_000, 20_000.0)])
def test_one_budget_is_filled_like_water_with_equal_marginal_values(n, budget):
    table = cases(n)
    level, price = water_filling(table, budget, 100)
    made = plan(Problem(table, [voucher()], [Resource("budget", budget)]), "nonlinear")
    expected = (table["worth"] * (1 - np.exp(-level / table["scale"]))).sum()
    assert made.value == pytest.approx(expected, rel=1e-6)
    assert made.bound >= expected * (1 - 1e-9)
    assert made.gap < 1e-5
    assert np.abs(made.table["intensity"].fillna(0) - level).mean() < 0.01
    assert made.duals[0] == pytest.approx(price, rel=2e-3)
    assert verify(made, made.problem.with_open_intensities()).ok


def small(seed):
    """Make up to three cases with two intensities and a fixed remedy, in groups, with floors and caps."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 4))
    table = pd.DataFrame({"case_id": np.arange(n), "w": random.uniform(1, 100, n), "s": random.uniform(2, 30, n)})
    table["high"] = random.uniform(0.5, 40, n)
    if random.random() < 0.3:
        table["group"] = random.integers(0, 2, n)
    remedies = [
        Remedy("v", value="w*(1-exp(-intensity/s))-0.1*intensity", uses={"b": "intensity"}, intensity=(1, "high")),
        Remedy("c", value="w*sqrt(intensity)/8", uses={"h": "intensity/10", "b": "0.01*intensity**2"},
               intensity=(2, 20)),
        Remedy("p", value="w/4", uses={"h": 0.5}),
    ]  # fmt: skip
    limits = [Resource("b", random.uniform(2, 40)), Resource("h", random.uniform(0.5, 3))]
    if random.random() < 0.4:
        limits.append(Floor(count=int(random.integers(1, n + 1)), name="f"))
    if random.random() < 0.4:
        limits.append(Cap("v", count=int(random.integers(0, n + 1))))
    return table, remedies, limits


def best_on_a_grid(table, limits, n_levels=25):
    """Give the best value of all choices of remedies and levels, each tried; None where none keeps the limits."""
    options = []
    for w, s, high in zip(table["w"], table["s"], table["high"], strict=True):
        own = [(-1, 0.0, 0.0, 0.0), (2, w / 4, 0.0, 0.5)]
        own += [(0, w * (1 - np.exp(-x / s)) - 0.1 * x, x, 0.0) for x in np.linspace(1, high, n_levels) if high >= 1]
        own += [(1, w * np.sqrt(x) / 8, 0.01 * x * x, x / 10) for x in np.linspace(2, 20, n_levels)]
        options.append(np.array(own))
    index = [each.ravel() for each in np.meshgrid(*(np.arange(len(own)) for own in options), indexing="ij")]
    picked = np.stack([own[i] for own, i in zip(options, index, strict=True)])
    kind, value, b, h = (picked[..., k] for k in range(4))
    limit = {each.name: each for each in limits}
    good = (b.sum(axis=0) <= limit["b"].limit) & (h.sum(axis=0) <= limit["h"].limit)
    if "f" in limit:
        good &= (kind >= 0).sum(axis=0) >= limit["f"].count
    if "cap v" in limit:
        good &= (kind == 0).sum(axis=0) <= limit["cap v"].count
    if "group" in table:
        for group in table["group"].unique():
            good &= (kind[np.flatnonzero(table["group"] == group)] >= 0).sum(axis=0) <= 1
    return value.sum(axis=0)[good].max() if good.any() else None


@pytest.mark.parametrize("seed", range(100, 124))
@pytest.mark.filterwarnings("ignore::crmkit.DataWarning")
def test_no_choice_on_a_fine_grid_is_worth_more_than_a_plan_or_its_bound(seed):
    table, remedies, limits = small(seed)
    problem = Problem(table, remedies, limits, one_per="group" if "group" in table else None)
    best = best_on_a_grid(table, limits)
    if best is None:
        with pytest.raises(InfeasiblePlanError) as caught:
            plan(problem, "nonlinear")
        assert set(caught.value.conflict) <= set(problem.limit_names)
        assert caught.value.conflict
        return
    made = plan(problem, "nonlinear")
    assert made.value >= best - 1e-7
    assert made.bound >= best
    assert made.gap <= 1e-4
    verdict = verify(made, problem)
    assert verdict.violations == ()
    assert verdict.bound >= best - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_intensities_of_chosen_remedies_are_as_good_as_those_of_a_general_solver(seed):
    random = np.random.default_rng(seed)
    table = cases(8, seed).assign(rate=random.uniform(0.5, 2, 8))
    remedies = [
        Remedy("a", value="worth * (1 - exp(-intensity / scale))", uses={"b": "intensity", "h": "0.02 * intensity**2"},
               intensity=(1, 40)),
        Remedy("z", value="worth * log(1 + rate * intensity) / 3", uses={"h": "intensity"}, intensity=(1, 30)),
    ]  # fmt: skip
    problem = Problem(table, remedies, [Resource("b", 60), Resource("h", 50)])
    made = plan(problem, "nonlinear")
    given = np.flatnonzero(made.choice >= 0)
    w, s, r = (table[name].to_numpy()[given] for name in ("worth", "scale", "rate"))
    first = made.choice[given] == 0

    def value(x):
        return np.sum(np.where(first, w * (1 - np.exp(-x / s)), w * np.log(1 + r * x) / 3))

    limits = [
        {"type": "ineq", "fun": lambda x: 60 - np.sum(np.where(first, x, 0))},
        {"type": "ineq", "fun": lambda x: 50 - np.sum(np.where(first, 0.02 * x**2, x))},
    ]
    bounds = [(1, 40) if one else (1, 30) for one in first]
    start = np.ones(len(given))
    result = minimize(
        lambda x: -value(x), start, method="SLSQP", bounds=bounds, constraints=limits, options={"ftol": 1e-12}
    )
    assert made.value >= -result.fun - 1e-5
    assert made.value <= -result.fun + 1e-4 * abs(result.fun)


@pytest.mark.parametrize("seed", range(4))
def test_linear_responses_give_what_two_levels_give(seed):
    table = cases(40, seed)
    line = voucher("worth * intensity / 50 - 3", (5, 50))
    two = [
        Remedy("low", value="worth * 5 / 50 - 3", uses={"budget": 5}),
        Remedy("high", value="worth - 3", uses={"budget": 50}),
    ]
    limits = [Resource("budget", 417.0), Floor(count=12, name="twelve")]
    made = plan(Problem(table, [line], limits), "nonlinear")
    divided = plan(Problem(table, two, limits), "lp").value
    whole = plan(Problem(table, two, limits), "milp").value
    # A case may have an intensity between the two, which is a mixture of levels; nothing else is gained.
    assert whole - 1e-6 <= made.value <= divided + 1e-6
    assert made.bound <= divided + 1e-6 * abs(divided)


def test_a_range_of_one_point_is_a_plain_remedy():
    table = cases(30)
    limits = [Resource("budget", 75), Cap("voucher", count=12)]
    plain = Remedy("voucher", value="worth * (1 - exp(-7 / scale))", uses={"budget": 7})
    made = plan(Problem(table, [voucher(intensity=(7, 7))], limits), "nonlinear")
    assert made.value == pytest.approx(plan(Problem(table, [plain], limits), "milp").value)
    assert set(made.table["intensity"].dropna()) == {7.0}


def test_what_is_missing_or_empty_is_not_eligible_and_counted():
    table = pd.DataFrame(
        {
            "case_id": ["a", "b", "c", "d", "e"],
            "worth": [10.0, 10.0, 10.0, np.nan, 10.0],
            "scale": 5.0,
            "low": [5.0, 60.0, np.nan, 5.0, 0.0],
        }
    )
    with pytest.warns(match=r"4 of 5 cases.*intensity of remedy 'voucher' .*: 2; value.* at its least intensity: 2"):
        problem = Problem(table, [voucher("worth * log(intensity)", ("low", 50))], [Resource("budget", 20)])
    made = plan(problem)
    assert made.table["remedy"].tolist() == ["voucher", "nothing", "nothing", "nothing", "nothing"]
    assert made.table["intensity"].tolist()[0] == pytest.approx(20.0)
    assert verify(made, problem).ok


def test_held_out_cases_get_nothing_and_are_in_no_bound():
    problem = Problem(cases(200), [voucher()], [Resource("budget", 700)], holdout=Holdout(0.25))
    made = plan(problem, "nonlinear")
    held = made.table["arm"] == "holdout"
    assert held.sum() == 50
    assert (made.table.loc[held, "remedy"] == "nothing").all()
    assert (made.table.loc[held, "intended"] == "voucher").any()
    assert made.gap < 1e-4
    assert verify(made, problem).ok


def test_one_per_customer_gets_one_remedy_at_its_best_intensity():
    table = cases(300).assign(customer=np.repeat(np.arange(150), 2))
    other = Remedy("call", value="worth * sqrt(intensity / 60)", uses={"hours": "intensity / 60"}, intensity=(5, 45))
    limits = [Resource("budget", 900), Resource("hours", 20), Floor(where="worth > 50", share=0.6, name="worthy")]
    problem = Problem(table, [voucher(), other], limits, one_per="customer")
    made = plan(problem)
    assert made.planner == "auto (nonlinear)"
    assert made.table.loc[made.choice >= 0].shape[0] <= 150
    assert made.gap < 1e-4
    verdict = verify(made, problem)
    assert verdict.violations == ()
    assert verdict.bound == pytest.approx(made.bound, rel=1e-6)


def test_a_large_problem_is_planned_by_prices_within_the_gap():
    random = np.random.default_rng(3)
    n = 20_000
    table = cases(n, 3).assign(segment=random.integers(0, 3, n))
    other = Remedy("call", value="worth * log(1 + intensity / scale) / 3", intensity=(3, 30),
                   uses={"hours": "intensity / 60", "budget": 2})  # fmt: skip
    letter = Remedy("letter", value="0.05 * worth - 1", uses={"budget": 1})
    limits = [Resource("budget", 5 * n), Resource("hours", 0.05 * n)]
    limits += [Floor(where=f"segment == {s}", share=0.97, name=f"segment {s}") for s in range(3)]
    problem = Problem(table, [voucher(intensity=(5, 50)), other, letter], limits)
    made = plan(problem)
    assert made.gap < 2e-5
    verdict = verify(made, problem)
    assert verdict.violations == ()
    assert verdict.gap < 2e-5
    price = made.prices.loc["budget", "price_more"]
    more = plan(problem.with_bounds({"budget": 5.05 * n})).bound - made.bound
    assert price == pytest.approx(more / (0.05 * n), rel=0.02)


def test_all_equal_cases_share_evenly():
    table = pd.DataFrame({"case_id": np.arange(60), "worth": 10.0, "scale": 10.0})
    made = plan(Problem(table, [voucher(f"{SATURATING} - 0.1")], [Resource("budget", 600)]), "nonlinear")
    assert made.value == pytest.approx(60 * (10 * (1 - np.exp(-1)) - 0.1), rel=1e-6)


def test_a_fixed_charge_is_paid_by_few():
    table = pd.DataFrame({"case_id": np.arange(5), "worth": 100.0})
    made = plan(Problem(table, [voucher("sqrt(intensity) * 10 - 20", (4, 100))], [Resource("budget", 60)]))
    # k cases at 60 / k each are worth k (10 sqrt(60 / k) - 20): 4.
    expected = max(k * (10 * np.sqrt(60 / k) - 20) for k in range(1, 6))
    assert made.value == pytest.approx(expected, rel=1e-4)
    assert made.gap <= 1e-4


def test_a_conflict_is_one_at_every_intensity():
    problem = Problem(cases(40), [voucher(intensity=(5, 50))], [Resource("budget", 100), Floor(count=30, name="many"),
                                                               Cap(count=35, name="idle")])  # fmt: skip
    for planner in ("nonlinear", "auto"):
        with pytest.raises(InfeasiblePlanError, match="'budget' and 'many' together") as caught:
            plan(problem, planner)
        assert caught.value.conflict == ("budget", "many")
        change = caught.value.relaxation
        bounds = {row.name: row.bound for row in problem.tableau().limits}
        made = plan(problem.with_bounds({name: bounds[name] + step for name, step in change.items()}))
        assert verify(made, made.problem).ok
    assert conflict(problem) == ("budget", "many")
    assert conflict(problem.with_bounds({"many": 20})) == ()


def test_the_least_use_may_be_inside_the_range():
    dip = Remedy("dip", value="worth + intensity", uses={"budget": "4 + (intensity - 6)**2"}, intensity=(0, 20))
    tight = Problem(cases(4), [dip], [Resource("budget", 16), Floor(count=4, name="all")])
    made = plan(tight)
    assert made.table["intensity"].tolist() == pytest.approx([6.0] * 4, abs=1e-3)
    with pytest.raises(InfeasiblePlanError, match="'budget' and 'all'"):
        plan(tight.with_bounds({"budget": 15.9}))


def test_resources_that_pull_apart_are_not_called_a_conflict_that_is_not_proved():
    torn = Remedy("torn", value="worth", uses={"a": "intensity", "b": "50 - intensity"}, intensity=(5, 45))
    problem = Problem(cases(40), [torn], [Resource("a", 900), Resource("b", 900), Floor(count=40, name="all")])
    with pytest.raises(ConvergenceError, match="no plan was found at the intensities tried"):
        plan(problem)
    made = plan(problem.with_bounds({"a": 1_000, "b": 1_000.5}))
    assert (made.choice >= 0).all()


def test_a_problem_without_intensities_is_planned_as_by_auto():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1.5})
    made = NonlinearPlanner().plan(problem)
    assert made.choice.tolist() == [0, -1]
    assert made.planner.startswith("nonlinear")
    assert made.notes[0] == "no intensity is to be planned: planned as by 'auto'"


@pytest.mark.parametrize("n", [0, 1])
def test_very_few_cases_are_planned(n):
    made = plan(Problem(cases(2).iloc[:n], [voucher()], [Resource("budget", 10)]), "nonlinear")
    assert len(made.table) == n
    assert made.gap < 1e-6


def test_nobody_eligible_gives_an_empty_plan():
    made = plan(Problem(cases(3), [voucher(eligible="worth < 0")], [Resource("budget", 10)]), "nonlinear")
    assert made.value == made.bound == 0.0
    assert made.table["intensity"].isna().all()


def test_limits_are_kept_exactly_over_many_random_problems():
    for seed, budget in product(range(5), (13.7, 200.1)):
        made = plan(Problem(cases(35, seed), [voucher(intensity=(2, 60))], [Resource("budget", budget)]))
        assert made.used()[0] <= budget * (1 + 1e-9)
        assert made.gap <= 1e-4


def test_a_conflict_of_a_large_problem_is_told_and_a_tight_one_is_planned():
    table = cases(4_000)
    floor = Floor(count=3_000, name="many")
    problem = Problem(table, [voucher(intensity=(5, 50))], [Resource("budget", 14_000), floor])
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem)
    assert caught.value.conflict == ("budget", "many")
    made = plan(problem.with_bounds({"budget": 15_100}))
    assert verify(made, problem.with_bounds({"budget": 15_100})).violations == ()
    assert (made.choice >= 0).sum() >= 3_000
