"""Limits that may be broken at a price, and ratios between groups, beside an independent model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import remediation
from crmkit.remediation import Cap, Floor, Holdout, InfeasiblePlanError, Problem, Ratio, Remedy, Resource, verify

Best = Callable[..., float | None]


def drawn(seed: int) -> Problem:
    """Draw a problem with soft and hard limits of every kind, small and often contradictory."""
    random = np.random.default_rng(seed)
    n, kinds = int(random.integers(1, 40)), int(random.integers(1, 5))
    columns: dict[str, np.ndarray] = {"case_id": np.arange(n), "segment": random.integers(0, 3, n).astype(float)}
    columns["customer"] = random.integers(0, max(1, n // 2) + 1, n)
    remedies = []
    for j in range(kinds):
        whole = seed % 3 == 0
        columns[f"value_{j}"] = random.integers(-3, 10, n).astype(float) if whole else random.normal(4, 4, n)
        columns[f"cost_{j}"] = random.integers(0, 5, n).astype(float) if whole else random.uniform(0, 5, n)
        columns[f"may_{j}"] = random.random(n) < 0.8
        uses: dict[str, str | float] = {"budget": f"cost_{j}", "hours": 1.5}
        remedies.append(Remedy(f"remedy {j}", value=f"value_{j}", uses=uses, eligible=f"may_{j}"))

    def soft(share: float = 0.7) -> dict[str, float]:
        if random.random() > share:
            return {}
        tier = {"penalty": float(random.choice([0.0, 0.5, 1.0, 2.0, 5.0]))}
        return tier | ({"beyond": float(random.integers(0, 8))} if random.random() < 0.5 else {})

    limits = [
        Resource("budget", float(random.uniform(0, 2) * n), **soft()),
        Resource("hours", float(random.uniform(0, 1) * n), **soft()),
        Floor("segment == 1", share=float(random.random() * 0.8), **soft()),
        Cap("remedy 0", count=int(random.integers(0, n + 1)), **soft()),
        Floor(count=int(random.integers(0, n // 2 + 1)), **soft()),
        Ratio("segment == 1", least=float(random.uniform(0, 1.2)), to="segment == 2", **soft(0.3)),
    ]
    one_per = "customer" if random.random() < 0.5 else None
    return Problem(
        pd.DataFrame(columns), remedies, limits, one_per=one_per, holdout=Holdout(0.2) if seed % 4 == 0 else None
    )


@pytest.fixture(scope="module")
def best(planning_problems) -> Best:
    """Give a function that solves a problem by a model of its own; it gives None where there is no plan."""

    def solve(problem: Problem, *, whole: bool) -> float | None:
        found = planning_problems.own_model(problem, whole=whole)
        return None if found is None else found[0]

    return solve


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", "dual"])
@pytest.mark.parametrize("seed", range(40))
def test_every_planner_agrees_with_a_model_of_its_own(seed: int, planner: str, best: Best) -> None:
    problem = drawn(seed)
    expected = best(problem, whole=planner != "lp")
    if expected is None:
        with pytest.raises(InfeasiblePlanError) as told:
            remediation.plan(problem, planner)
        bounds = {row.name: row.bound for row in problem.tableau().limits}
        changed = problem.with_bounds({name: bounds[name] + step for name, step in told.value.relaxation.items()})
        assert verify(remediation.plan(changed, planner), changed).ok
        return
    made = remediation.plan(problem, planner)
    checked = verify(made, problem)
    assert checked.ok, checked.violations
    size = max(1.0, abs(expected))
    assert checked.value == pytest.approx(made.value, abs=1e-9 * size)
    assert made.bound >= expected - 1e-7 * size
    exact = {"lp": 1e-8, "milp": 2e-6, "auto": 1.01e-4, "dual": 1.01e-4}[planner]
    assert made.value == pytest.approx(expected, abs=exact * size)


def overtime(hours: float = 2.0, **tier: float) -> Problem:
    """Three cases of one hour each, worth 10, 6 and 3."""
    cases = {"case_id": ["a", "b", "c"], "worth": [10.0, 6.0, 3.0]}
    limits = [Resource("hours", hours, **tier)]
    return Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits)


def test_overtime_is_bought_where_it_keeps_more_than_it_costs() -> None:
    made = remediation.plan(overtime(1.0, penalty=4.0))
    assert made.table["remedy"].tolist() == ["call", "call", "nothing"]
    assert (made.value, made.penalty, made.bound) == (12.0, 4.0, 12.0)
    assert made.prices.loc["hours", ["price_less", "price_more", "beyond"]].tolist() == [4.0, 4.0, 1.0]


def test_there_is_no_more_overtime_than_is_offered() -> None:
    made = remediation.plan(overtime(0.0, penalty=1.0, beyond=2))
    assert made.value == 14.0
    prices = made.prices.loc["hours"]
    assert prices[["price_less", "price_more", "valid_to"]].tolist() == pytest.approx([6.0, 3.0, 1.0])
    assert made.what_if("hours", [0, 1, 2, 3])["value"].tolist() == [14.0, 17.0, 18.0, 19.0]


def test_a_floor_that_costs_more_than_its_penalty_is_not_kept() -> None:
    cases = {"case_id": range(3), "worth": [-1.0, -5.0, -9.0]}
    limits = [Floor(count=3, name="all", penalty=6.0)]
    made = remediation.plan(Problem(cases, [Remedy("call", value="worth")], limits))
    assert made.choice.tolist() == [0, 0, -1]
    assert made.value == -12.0
    said = "all: 1 fewer than the 3 asked for, at 6 each; one case more that must get something costs 6 of value"
    assert remediation.prices_in_words(made)[0].startswith(said)
    assert "少 1 个" in remediation.prices_in_words(made, language="zh")[0]


def test_what_cannot_be_kept_together_can_be_kept_at_a_price() -> None:
    cases = {"case_id": range(3)}
    limits = [Resource("hours", 1), Floor(count=3, name="all")]
    remedies = [Remedy("call", value=1, uses={"hours": 1})]
    with pytest.raises(InfeasiblePlanError):
        remediation.plan(Problem(cases, remedies, limits))
    for place, penalty in ((0, 2.0), (1, 5.0)):
        softer = list(limits)
        softer[place] = replace(limits[place], penalty=penalty)
        problem = Problem(cases, remedies, softer)
        made = remediation.plan(problem)
        assert verify(made, problem).ok
        assert made.penalty == 2 * penalty


def test_a_soft_limit_without_enough_reach_is_named_in_the_conflict() -> None:
    limits = [Resource("hours", 1, penalty=2, beyond=1), Floor(count=3, name="all")]
    problem = Problem({"case_id": range(3)}, [Remedy("call", value=1, uses={"hours": 1})], limits)
    for planner in ("lp", "milp", "auto", "dual", "greedy"):
        with pytest.raises(InfeasiblePlanError) as told:
            remediation.plan(problem, planner)
        assert told.value.conflict == ("hours", "all")
    assert sum(abs(step) for step in told.value.relaxation.values()) == 1.0


@pytest.mark.parametrize("seed", range(12))
def test_one_sided_prices_are_the_slopes_on_both_sides(seed: int, best: Best) -> None:
    problem = drawn(seed)
    if best(problem, whole=False) is None:
        pytest.skip("this draw has no plan")
    made = remediation.plan(problem, "lp")
    at = {row.name: row.bound for row in problem.tableau().limits}
    for name, line in made.prices.iterrows():
        # Steps stay inside the range that is said, and inside what is whole for floors and caps.
        for step, price in ((1e-4, line["price_more"]), (-1e-4, line["price_less"])):
            room = line["valid_to"] - line["limit"] if step > 0 else line["limit"] - line["valid_from"]
            if room < 2e-4 or not np.isfinite(price) or (line["limit"] + step < 0 and "ratio" not in str(name)):
                continue
            moved = problem.tableau().with_bounds({str(name): at[str(name)] + step})
            relaxed = remediation._relaxation.relax(problem.options().with_rows(moved.limits))  # type: ignore[attr-defined]  # the divided plan alone, also at parts of a case
            assert relaxed is not None
            assert (relaxed.value - made.value) / step == pytest.approx(price, rel=1e-4, abs=2e-5)


def test_large_plans_buy_overtime_too() -> None:
    random = np.random.default_rng(0)
    n = 12_000
    cases = pd.DataFrame({"case_id": np.arange(n), "segment": random.integers(0, 3, n)})
    remedies = []
    for j in range(4):
        cases[f"value_{j}"], cases[f"cost_{j}"] = random.lognormal(3, 0.8, n), random.uniform(1, 20, n)
        remedies.append(Remedy(f"remedy {j}", value=f"value_{j}", uses={"budget": f"cost_{j}", "hours": 0.5}))
    limits = [
        Resource("budget", 4.0 * n, penalty=2.0),
        Resource("hours", 0.1 * n, penalty=20.0, beyond=0.15 * n),
        Floor("segment == 0", share=0.5, penalty=1.0, beyond=100),
        Ratio("segment == 1", least=0.95),
        Cap("remedy 3", count=500, penalty=5.0, beyond=200),
    ]
    problem = Problem(cases, remedies, limits)
    made, divided = remediation.plan(problem), remediation.plan(problem, "lp")
    assert made.planner == "auto (dual)"
    assert verify(made, problem).ok
    assert made.bound == pytest.approx(divided.value, rel=1e-9)
    assert made.gap < 1e-5
    assert made.prices["beyond"].tolist() == pytest.approx(divided.prices["beyond"].tolist(), abs=30)
    # Without any floor, ratio or penalty that helps there is no plan of two hundred thousand hours.
    hard = problem.with_bounds({"hours": 0.0})
    assert verify(remediation.plan(hard), hard).ok
    with pytest.raises(InfeasiblePlanError) as told:
        remediation.plan(Problem(cases, remedies, [*limits[1:], Resource("budget", 0.0), Floor(count=n, name="all")]))
    assert {"all"} < set(told.value.conflict)


def test_the_penalty_is_kept_when_a_plan_is_saved(tmp_path) -> None:
    made = remediation.plan(overtime(1.0, penalty=4.0, beyond=1.0))
    crmkit.save(made, tmp_path / "plan")
    again = crmkit.load(tmp_path / "plan")
    assert (again.value, again.penalty, again.problem.limits) == (12.0, 4.0, made.problem.limits)


@pytest.mark.parametrize("seed", range(8))
def test_waterfalls_and_curves_count_penalties(seed: int, best: Best) -> None:
    problem = drawn(seed)
    if best(problem, whole=True) is None:
        pytest.skip("this draw has no plan")
    made = remediation.plan(problem, "milp")
    falls = made.waterfall()
    assert falls["value"].iloc[0] - falls["cost"].sum() == pytest.approx(made.value)
    assert (falls["cost"] >= -1e-7).all()
    curve = made.what_if("hours", [0.0, 5.0, 20.0])
    for hours, line in curve.iterrows():
        true = best(problem.with_bounds({"hours": float(hours)}), whole=True)  # type: ignore[arg-type]  # an index of numbers
        if true is None:
            assert np.isnan(line["value"])
        else:
            assert line["value"] - 1e-6 <= true <= line["bound"] + 1e-6


def test_new_cases_get_overtime_where_the_plan_pays_for_it() -> None:
    new = {"case_id": list("defg"), "worth": [5.0, 3.0, 8.0, 9.0]}
    bought = remediation.plan(overtime(1.0, penalty=4.0, beyond=3.0)).assign(new)
    assert bought["remedy"].tolist() == ["call", "nothing", "call", "nothing"]  # one hour and one of overtime are gone
    idle = remediation.plan(overtime(4.0, penalty=4.0, beyond=3.0)).assign(new)
    assert idle["remedy"].tolist() == ["call", "nothing", "nothing", "nothing"]


def test_new_cases_are_compared_as_the_planned_ones_were() -> None:
    cases = {"case_id": range(6), "new": [0, 0, 0, 0, 1, 1], "worth": [9.0, 8.0, 7.0, 6.0, 3.0, 2.0]}
    limits = [Ratio("new == 1", least=1.0, to="new == 0", name="fair"), Resource("hours", 3)]
    made = remediation.plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits), "lp")
    price = made.prices.loc["fair", "price_more"]
    assert price < 0
    other = {"case_id": ["x"], "new": [0], "worth": [5.0]}
    made = remediation.plan(made.problem.with_bounds({"hours": 9}), "lp")
    duals = made.duals
    found = made.assign(other)
    # Two planned cases of the one group stand for four of the other, whatever the new cases are.
    assert found["adjusted"].item() == pytest.approx(max(5.0 - duals[1] - 0.5 * -duals[0], 0.0))


def test_a_penalty_of_nothing_is_no_limit() -> None:
    assert remediation.plan(overtime(0.0, penalty=0.0)).value == 19.0


def test_verify_adds_penalties_up_anew() -> None:
    problem = overtime(1.0, penalty=4.0, beyond=1.0)
    checked = verify({"case_id": ["a", "b", "c"], "remedy": ["call", "call", "nothing"]}, problem)
    assert (checked.ok, checked.value) == (True, 12.0)
    checked = verify({"case_id": ["a", "b", "c"], "remedy": ["call", "call", "call"]}, problem)
    assert checked.violations == ("limit 'hours': 3 used of at most 2",)
    made = remediation.plan(problem)
    made.value = 16.0
    assert "value is said to be 16" in verify(made, problem).violations[0]


@pytest.mark.parametrize("planner", ["robust", "cvar"])
def test_planners_for_uncertain_values_pay_penalties(planner: str) -> None:
    cases = {"case_id": ["a", "b", "c"], "worth": [10.0, 6.0, 3.0]}
    remedies = [Remedy("call", value="worth", uses={"hours": 1}, error=0.01)]
    problem = Problem(cases, remedies, [Resource("hours", 1, penalty=4.0)])
    made = remediation.plan(problem, planner)
    assert verify(made, problem).ok
    assert (made.choice.tolist(), made.value) == ([0, 0, -1], 12.0)
    assert remediation.risk(made).loc["mean", "value"] == pytest.approx(12.0)


def test_a_ratio_lifts_the_group_that_would_be_left_behind() -> None:
    cases = {"case_id": range(6), "new": [0, 0, 0, 1, 1, 1], "worth": [9.0, 8.0, 7.0, 3.0, 2.0, 1.0]}
    remedies = [Remedy("call", value="worth", uses={"hours": 1})]

    def chosen(*limits: Ratio) -> list[int]:
        problem = Problem(cases, remedies, [Resource("hours", 3), *limits])
        made = remediation.plan(problem, "milp")
        assert verify(made, problem).ok
        return np.flatnonzero(made.choice == 0).tolist()

    assert chosen() == [0, 1, 2]
    assert chosen(Ratio("new == 1", least=0.5, to="new == 0")) == [0, 1, 3]
    assert chosen(Ratio("new == 1", least=1.0, to="new == 0")) == [0, 3, 4]
    assert chosen(Ratio("new == 1", least=1.0)) == [0, 3, 4]
    assert chosen(Ratio("new == 1", least=1.0, to="new == 0", short=1)) == [0, 1, 3]
    assert chosen(Ratio("new == 5", least=1.0, to="new == 0")) == [0, 1, 2]
    assert chosen(Ratio("new == 1", least=1.0, to="new == 0", penalty=2.5)) == [0, 1, 3]
    assert Ratio("new == 1", least=0.5, remedy="call").name == "ratio call where new == 1"


def test_a_ratio_counts_customers_where_each_gets_one_remedy() -> None:
    cases = pd.DataFrame(
        {
            "case_id": range(6),
            "new": [0, 0, 1, 1, 1, 1],
            "who": [0, 1, 2, 2, 2, 2],
            "worth": [9.0, 8.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    problem = Problem(
        cases,
        [Remedy("call", value="worth", uses={"hours": 1})],
        [Resource("hours", 3), Ratio("new == 1", least=1.0, to="new == 0")],
        one_per="who",
    )
    made = remediation.plan(problem, "milp")
    assert verify(made, problem).ok
    assert made.value == 18.0  # one of one customer is a share of 1, whatever the number of cases


def test_arrays_take_ratios_and_penalties_too() -> None:
    new = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    value = np.array([[9.0], [8.0], [7.0], [3.0], [2.0], [1.0]])
    made = remediation.plan(
        Problem.from_arrays(
            value,
            uses={"hours": 1.0},
            limits={"hours": 2},
            ratios={"fair": (new, ~new, 0.5), "all alike": (new, None, 0.1)},
            penalties={"hours": (2.5, 1.0), "all alike": 0.25},
        )
    )
    assert made.choice.tolist() == [0, 0, -1, 0, -1, -1]
    assert (made.value, made.penalty) == (17.5, 2.5)
    with pytest.raises(crmkit.DataError, match="there is no limit 'hour'"):
        Problem.from_arrays(value, uses={}, limits={}, penalties={"hour": 1.0})
    with pytest.raises(crmkit.DataError, match="'fair' needs a mask"):
        Problem.from_arrays(value, uses={}, limits={}, ratios={"fair": (None, new, 0.5)})


def test_the_price_of_a_ratio_is_said_in_words() -> None:
    cases = {"case_id": range(6), "new": [0, 0, 0, 1, 1, 1], "worth": [9.0, 8.0, 7.0, 3.0, 2.0, 1.0]}
    limits = [Resource("hours", 3), Ratio("new == 1", least=1.0, to="new == 0", name="fair")]
    made = remediation.plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits), "lp")
    assert made.prices.loc["fair", "price_more"] == pytest.approx(-3.0)
    assert remediation.prices_in_words(made)[1].startswith("fair: asking for one case more costs 3 of value")
    free = remediation.plan(made.problem.with_bounds({"fair": -4}), "lp")
    assert (
        remediation.prices_in_words(free)[1] == "fair: kept with 1 cases to spare; asking for less would save nothing."
    )
    assert "多出" in remediation.prices_in_words(free, language="zh")[1]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Resource("hours", 1, beyond=2), "no penalty"),
        (lambda: Resource("hours", 1, penalty=-1), "penalty of resource 'hours'"),
        (lambda: Resource("hours", 1, penalty=np.inf), "penalty of resource 'hours'"),
        (lambda: Floor(count=1, penalty=1, beyond=0.5), "a whole number"),
        (lambda: Cap(count=1, penalty="dear"), "penalty of 'cap'"),
        (lambda: Ratio(None, least=1), "where of a Ratio"),
        (lambda: Ratio("a == 1", least=-1), "least of"),
        (lambda: Ratio("a == 1", least=np.nan), "least of"),
        (lambda: Ratio("a == 1", least=1, short=np.inf), "short of"),
    ],
)
def test_wrong_terms_are_refused(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
