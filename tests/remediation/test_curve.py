"""What-if curves: every value is reached, no bound is exceeded, and both are as tight as the whole curve proves."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import DualPlanner, Floor, Plan, Problem, Ratio, Remedy, Resource, plan, verify
from crmkit.remediation._curve import Point, tightened


def amounts_of(arrays, random):
    """Choose a resource, floor or cap and values for it, in no order."""
    limits = {**arrays["limits"], **{k: v[1] for k, v in {**arrays["floors"], **arrays["caps"]}.items()}}
    name = sorted(limits)[int(random.integers(len(limits)))]
    whole = name not in arrays["limits"]
    top = limits[name] * 2 + 3
    drawn = random.integers(0, int(top) + 1, 6) if whole else random.uniform(0, top, 6)
    return name, [float(x) for x in drawn], name in arrays["floors"]


def moved(arrays, name, amount):
    """Give the same arrays with one limit at another value."""
    changed = dict(arrays)
    for kind in ("limits", "floors", "caps"):
        if name in arrays[kind]:
            old = arrays[kind][name]
            changed[kind] = {**arrays[kind], name: (old[0], amount) if isinstance(old, tuple) else amount}
    return changed


def check(curve, best, *, floor, seed):
    """Check a curve against the best values, and that it never falls as the limit is loosened."""
    for (amount, line), true in zip(curve.iterrows(), best, strict=True):
        where = (seed, amount)
        if true is None:
            assert np.isnan(line["value"]), where
            assert line["bound"] == -np.inf, where
            continue
        room = 1e-7 * max(1.0, abs(true))
        assert not line["value"] > true + room, where
        assert line["bound"] >= true - room, where
        assert not line["gap"] < 0, where
    loosened = curve.sort_index(ascending=not floor)
    known = loosened["value"].dropna().to_numpy()
    assert np.all(np.diff(known) >= 0), seed
    bound = loosened["bound"].to_numpy()
    assert np.all(bound[1:] >= bound[:-1]), seed


@pytest.mark.parametrize("planner", ["lp", "milp", "auto", DualPlanner(core=3)])
def test_curves_hold_the_true_value_at_every_point(planner, random_arrays, best_value):
    seen = 0
    for seed in range(3, 46, 2):
        random = np.random.default_rng(seed)
        arrays = random_arrays(seed, n_cases=int(random.integers(3, 12)), n_remedies=2)
        if not arrays["limits"] and not arrays["floors"]:
            continue
        problem = Problem.from_arrays(**arrays)
        try:
            made = plan(problem, planner)
        except InfeasiblePlanError:
            continue
        name, values, floor = amounts_of(arrays, random)
        curve = made.what_if(name, values)
        assert curve.index.tolist() == values
        assert curve.columns.tolist() == ["value", "bound", "gap"]
        best = [best_value(moved(arrays, name, amount), whole=not made.fractional) for amount in values]
        check(curve, best, floor=floor, seed=seed)
        seen += 1
    assert seen > 8


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_divided_plans_are_concave_along_the_limit(seed, random_arrays):
    arrays = random_arrays(6 * seed, n_cases=25, n_remedies=3) | {"floors": {}}
    values = np.linspace(0, 2 * arrays["limits"]["budget"] + 1, 15)
    curve = plan(Problem.from_arrays(**arrays), "lp").what_if("budget", values)
    slope = np.diff(curve["bound"]) / np.diff(values)
    assert np.all(np.diff(slope) <= 1e-7 * max(1.0, np.abs(slope).max()))
    assert np.all(curve["gap"] <= 1e-8)


@pytest.mark.parametrize("planner", ["lp", "milp", DualPlanner(core=3)], ids=str)
@pytest.mark.parametrize("limit", ["hours", "vips", "fair"])
def test_curves_of_limits_at_a_price_hold_the_value_of_plans_made_anew(planner, limit):
    random = np.random.default_rng(0)
    n = 24
    cases = {"case_id": np.arange(n), "new": random.random(n) < 0.4, "vip": random.random(n) < 0.3}
    cases |= {"worth": random.lognormal(1, 1, n) * (1 - 0.7 * cases["new"]) - 1, "time": random.uniform(0.2, 1, n)}
    limits = [Resource("hours", 3.0, penalty=1.5, beyond=4), Floor(where="vip", count=5, name="vips", penalty=0.8)]
    limits.append(Ratio("new", least=0.8, to="not new", name="fair"))
    problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": "time"})], limits)
    made = plan(problem, planner)
    values = {"hours": [0.0, 2.5, 3.5, 8.0, 1.0], "vips": [0, 7, 4, 6], "fair": [0.0, -2.0, -0.5, 1.0]}[limit]
    curve = made.what_if(limit, values)
    exact = "lp" if made.fractional else "milp"
    for amount, line in curve.iterrows():
        true = plan(problem.with_bounds({limit: amount}), exact)
        assert line["value"] <= true.bound + 1e-7
        assert line["bound"] >= true.value - 1e-7
        assert line["value"] == pytest.approx(true.value, rel=3e-4)


@pytest.mark.parametrize("limit", ["hours", "vips"])
@pytest.mark.parametrize("seed", range(4))
def test_curves_beside_promises_hold_the_value_of_plans_made_anew(limit, seed):
    random = np.random.default_rng(seed)
    n = 20
    cases = {"case_id": np.arange(n), "vip": random.random(n) < 0.5, "worth": random.normal(0, 3, n)}
    limits = [Resource("hours", 12.0), Floor(where="vip", count=4, name="vips")]
    first = plan(Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], limits))
    given = [case for case, choice in enumerate(first.choice) if choice >= 0][:6]
    made = first.update(dict(cases) | {"worth": random.normal(-1, 3, n)}, promised=given)
    curve = made.what_if(limit, [1, 6, 3, 8, 12, 5, 7])
    for amount, line in curve.iterrows():
        try:
            true = plan(made.problem.with_bounds({limit: float(amount)}), "milp")
        except InfeasiblePlanError:
            assert np.isnan(line["value"])
            continue
        assert line["value"] <= true.bound + 1e-7
        assert line["bound"] >= true.value - 1e-7


def test_prices_where_promises_meet_a_floor_prove_nothing_of_higher_ones():
    # Two are promised: a floor of 1 asks for nothing more, whatever its price is said to be; one of 4 costs 3 + 5.
    cases = {"case_id": range(4), "worth": [9.0, 9.0, -3.0, -5.0]}
    problem = Problem(cases, [Remedy("call", value="worth")], [Floor(count=1, name="f")])
    made = plan(problem).update(dict(cases))
    told = Plan.from_choice(made.problem, np.full(4, -1), prices=[-3.0])
    assert told.what_if("f", [1, 2, 4])["bound"].tolist() == pytest.approx([18.0, 18.0, 10.0])
    assert told.what_if("f", [4])["value"].tolist() == pytest.approx([10.0])


def test_a_plan_for_less_is_one_for_more_and_prices_prove_a_bound_elsewhere():
    points = [
        Point(at=10, value=90.0, used=8.0, bound=100.0, proved=100.0, price=5.0),
        Point(at=20, value=80.0, used=20.0, bound=170.0, proved=170.0, price=1.0),
        Point(at=8, value=np.nan, used=np.nan, bound=120.0, proved=120.0, price=9.0),
    ]
    curve = tightened(points, [], "budget", floor=False)
    assert curve["value"].tolist() == [90.0, 90.0, 90.0]
    # 100 + 5 * 10 is less than 170; at 8 the prices of 10 prove 100 - 5 * 2.
    assert curve["bound"].tolist() == [100.0, 150.0, 90.0]
    assert curve["gap"].tolist() == pytest.approx([10 / 90, 60 / 90, 0.0])


def test_a_floor_loosens_downwards():
    points = [
        Point(at=3, value=7.0, used=5.0, bound=9.0, proved=9.0, price=-1.0),
        Point(at=5, value=6.0, used=5.0, bound=9.5, proved=9.5, price=-2.0),
    ]
    known = [Point(at=1, value=6.5, used=1.0, bound=8.75, proved=12.0, price=0.0)]
    curve = tightened(points, known, "floor", floor=True)
    assert curve["value"].tolist() == [7.0, 7.0]
    assert curve["bound"].tolist() == [8.75, 7.0]


def test_where_a_tighter_limit_has_a_plan_the_planner_was_wrong_that_there_is_none():
    nowhere = Point(at=5, value=np.nan, used=np.nan, bound=-np.inf, proved=np.inf, price=0.0)
    found = Point(at=4, value=3.0, used=4.0, bound=4.0, proved=4.0, price=1.0)
    assert tightened([nowhere], [found], "budget", floor=False).iloc[0].tolist() == pytest.approx([3.0, 5.0, 2 / 3])
    tighter = found._replace(at=6, used=6.0)
    assert np.isnan(tightened([nowhere], [tighter], "budget", floor=False)["value"].iloc[0])


def test_a_limit_without_a_price_proves_the_same_without_end():
    known = [Point(at=np.inf, value=5.0, used=2.0, bound=6.0, proved=6.0, price=0.0)]
    points = [Point(at=np.inf, value=4.0, used=9.0, bound=7.0, proved=7.0, price=0.0)]
    assert tightened(points, known, "budget", floor=False).iloc[0].tolist() == [5.0, 6.0, 0.2]


def test_a_plan_that_keeps_no_limit_carries_nothing_over():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1}, group=[0, 0])
    both = Plan.from_choice(problem, [0, 0])
    assert not verify(both, problem).ok
    curve = both.what_if("hours", [2, 1])
    assert curve["value"].tolist() == [10.0, 10.0]
    assert curve["bound"].tolist() == pytest.approx([10.0, 10.0])


def test_a_curve_of_a_large_plan_is_no_worse_than_its_points(random_arrays):
    arrays = random_arrays(0, n_cases=2_000, n_remedies=4)
    problem = Problem.from_arrays(**arrays)
    made = plan(problem, "dual")
    limit = arrays["limits"]["budget"]
    values = [0.5 * limit, 0.9 * limit, 1.1 * limit]
    curve = made.what_if("budget", values)
    for amount in values:
        alone = plan(problem.with_bounds({"budget": amount}), DualPlanner(gap=1e-4))
        assert curve.loc[amount, "bound"] <= alone.bound * (1 + 1e-4)
        assert curve.loc[amount, "bound"] >= alone.value * (1 - 1e-9)
        assert curve.loc[amount, "value"] >= alone.value * (1 - 3e-4)
    assert np.all(curve["gap"] >= 0)


def test_no_values_give_an_empty_curve():
    made = plan(Problem.from_arrays([[1.0]], uses={"u": 1.0}, limits={"u": 1}))
    assert made.what_if("u", []).empty
