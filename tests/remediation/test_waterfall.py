"""What each limit costs, against divided plans of every set of limits solved by HiGHS."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import DataError, InfeasiblePlanError
from crmkit.remediation import Cap, Floor, Plan, Problem, Ratio, Remedy, Resource, plan


def with_limits(arrays, names):
    """Keep only some of the limits."""
    return dict(arrays) | {
        "uses": {name: use for name, use in arrays["uses"].items() if name in names},
        "limits": {name: limit for name, limit in arrays["limits"].items() if name in names},
        "floors": {name: floor for name, floor in arrays["floors"].items() if name in names},
        "caps": {name: cap for name, cap in arrays["caps"].items() if name in names},
    }


def value_of(arrays, names, best_value):
    """Give the best divided value with only some of the limits."""
    some = with_limits(arrays, names)
    if some["limits"] or some["floors"] or some["caps"]:
        return best_value(some, whole=False)
    wide = dict(some) | {"caps": {"wide": (None, 10**6)}}
    return best_value(wide, whole=False)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_every_column_is_that_of_separately_solved_divided_plans(seed, random_arrays, best_value):
    arrays = random_arrays(seed)
    problem = Problem.from_arrays(**arrays)
    if best_value(arrays, whole=True) is None:
        with pytest.raises(InfeasiblePlanError):
            plan(problem)
        return
    made = plan(problem)
    order = list(np.random.default_rng(seed).permutation(problem.limit_names))
    table = made.waterfall(order)
    assert table.index.tolist() == ["everything", *order, "whole cases"]
    assert table.columns.tolist() == ["value", "cost", "alone", "last"]
    everything = value_of(arrays, [], best_value)
    whole_way = value_of(arrays, order, best_value)
    size = 1e-7 * max(1.0, abs(everything))
    assert table["value"].iloc[0] == pytest.approx(everything, abs=size)
    for i, name in enumerate(order):
        line = table.loc[name]
        before, after = (value_of(arrays, order[:count], best_value) for count in (i, i + 1))
        assert line["value"] == pytest.approx(after, abs=size)
        assert line["cost"] == pytest.approx(before - after, abs=2 * size)
        assert line["alone"] == pytest.approx(everything - value_of(arrays, [name], best_value), abs=2 * size)
        others = [other for other in order if other != name]
        assert line["last"] == pytest.approx(value_of(arrays, others, best_value) - whole_way, abs=2 * size)
    assert table["value"].iloc[-1] == made.value
    assert table["cost"].sum() == pytest.approx(everything - made.value, abs=2 * size)
    assert (table["cost"] >= 0).all()
    assert not (table[["alone", "last"]] < 0).any(axis=None)


def larger(n=1_500, seed=0):
    random = np.random.default_rng(seed)
    shape = (n, 4)
    return {
        "value": random.lognormal(2, 1, shape) - 1,
        "uses": {"budget": random.uniform(1, 9, shape), "hours": random.uniform(0, 1, shape), "idle": np.ones(shape)},
        "limits": {"budget": 1.2 * n, "hours": 0.15 * n, "idle": 2.0 * n},
        "floors": {"a": (random.random(n) < 0.3, n // 6), "b": (random.random(n) < 0.3, n // 50)},
        "caps": {"c": (random.random(n) < 0.5, n // 8)},
        "group": random.integers(0, n // 2, n) if seed else None,
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_prices_of_large_problems_give_the_same_as_linear_programmes(seed):
    arrays = larger(seed=seed) | {"eligible": None}
    problem = Problem.from_arrays(**arrays)
    made = plan(problem, "dual")
    table = made.waterfall()
    names = list(problem.limit_names)
    for i, name in enumerate(names):
        some = Problem.from_arrays(**with_limits(arrays, names[: i + 1]))
        assert table.loc[name, "value"] == pytest.approx(plan(some, "lp").value, rel=1e-9)
        rest = Problem.from_arrays(**with_limits(arrays, [other for other in names if other != name]))
        gain = plan(rest, "lp").value - table["value"].iloc[-2]
        assert table.loc[name, "last"] == pytest.approx(gain, abs=1e-7 * made.value)
    assert table.loc["idle"].tolist()[1:] == [0.0, 0.0, 0.0]
    assert table["cost"].iloc[-1] == pytest.approx(table["value"].iloc[-2] - made.value)
    assert (table["cost"] >= 0).all()
    assert table["cost"].sum() == pytest.approx(table["value"].iloc[0] - made.value, rel=1e-12)


def soft(n, seed):
    """Make a problem with overtime, a floor at a price, a hard cap and one group's share near another's."""
    random = np.random.default_rng(seed)
    cases = {"case_id": np.arange(n), "new": random.random(n) < 0.3, "vip": random.random(n) < 0.2}
    remedies = []
    for j in range(3):
        cases |= {f"v{j}": random.lognormal(1, 1, n) * (1 - 0.6 * cases["new"]) - 1, f"h{j}": random.uniform(0.1, 1, n)}
        remedies.append(Remedy(f"r{j}", value=f"v{j}", uses={"hours": f"h{j}"}))
    limits = [
        Resource("hours", 0.1 * n, penalty=5.0, beyond=0.05 * n),
        Floor(where="vip", count=n // 7, name="vips", penalty=2.5),
        Cap("r0", count=n // 6),
        Ratio("new", least=0.8, to="not new", name="fair"),
    ]
    return cases, remedies, limits


@pytest.mark.parametrize(("n", "seed"), [(60, 0), (61, 1), (62, 2), (1_500, 3)])
def test_limits_at_a_price_and_ratios_cost_what_divided_plans_say(n, seed):
    cases, remedies, limits = soft(n, seed)
    wide = [Resource("hours", np.inf)]

    def best(some):
        given = some if any(limit.name == "hours" for limit in some) else [*some, *wide]
        return plan(Problem(cases, remedies, given), "lp").value

    made = plan(Problem(cases, remedies, limits), "auto" if n < 100 else "dual")
    table = made.waterfall()
    for i, limit in enumerate(limits):
        others = [other for other in limits if other is not limit]
        line = table.loc[limit.name]
        assert line["value"] == pytest.approx(best(limits[: i + 1]), rel=1e-7)
        assert line["alone"] == pytest.approx(best([]) - best([limit]), abs=1e-6 * best([]))
        assert line["last"] == pytest.approx(best(others) - best(limits), abs=1e-6 * best([]))
    assert table["cost"].sum() == pytest.approx(best([]) - made.value, rel=1e-7)
    assert (table["cost"] >= 0).all()
    assert table.loc["hours", "cost"] > 0


def test_limits_may_be_brought_in_together_under_one_label():
    made = plan(Problem.from_arrays(**larger()), "lp")
    table = made.waterfall({"staff and money": ["hours", "budget"], "idle": "idle", "rules": ["a", "b", "c"]})
    assert table.index.tolist() == ["everything", "staff and money", "idle", "rules", "whole cases"]
    each = made.waterfall(["hours", "budget", "idle", "a", "b", "c"])
    assert table.loc["rules", "cost"] == pytest.approx(each.loc[["a", "b", "c"], "cost"].sum())
    assert table.loc["staff and money", "value"] == pytest.approx(each.loc["budget", "value"])
    assert table["cost"].iloc[-1] == pytest.approx(0.0, abs=1e-6)


def test_words_of_a_problem_are_limits_too():
    cases = {"case_id": range(4), "worth": [8.0, 4.0, 2.0, -1.0], "customer_id": [1, 1, 2, 3]}
    limits = [
        Resource("hours", 2),
        Resource("counted", np.inf),
        Cap("call", count=1),
        Floor(where="worth < 0", count=1),
    ]
    problem = Problem(
        cases, [Remedy("call", value="worth", uses={"hours": 1, "counted": 1})], limits, one_per="customer_id"
    )
    with pytest.raises(InfeasiblePlanError):
        plan(problem.with_bounds({"cap call": 0}))
    table = plan(problem).waterfall()
    assert table["value"].tolist() == [10.0, 10.0, 10.0, 8.0, -1.0, -1.0]
    assert table["cost"].tolist() == [0.0, 0.0, 0.0, 2.0, 9.0, 0.0]
    assert table["alone"].tolist()[1:-1] == [0.0, 0.0, 2.0, 1.0]
    assert table["last"].tolist()[1:-1] == [0.0, 0.0, 8.0, 9.0]


def test_a_problem_without_limits_costs_nothing():
    table = plan(Problem.from_arrays([[3.0], [2.0]], uses={}, limits={})).waterfall()
    assert table["value"].tolist() == [5.0, 5.0]
    assert table["cost"].tolist() == [0.0, 0.0]


def test_a_problem_without_cases_costs_nothing():
    problem = Problem.from_arrays(np.zeros((0, 1)), uses={"u": np.zeros((0, 1))}, limits={"u": 1})
    assert plan(problem).waterfall()["cost"].tolist() == [0.0, 0.0, 0.0]


def test_a_plan_that_is_not_the_best_bears_the_difference_itself():
    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
    poor = Plan.from_choice(problem, [-1, 0])
    assert poor.waterfall()["cost"].tolist() == [0.0, 4.0, 6.0]


@pytest.mark.parametrize("order", [["hours"], ["hours", "hours", "cap"], ["hours", "cap", "x"], {"all": ["hours"]}])
def test_an_order_names_each_limit_once(order):
    problem = Problem.from_arrays([[1.0]], uses={"hours": 1.0}, limits={"hours": 1}, caps={"cap": (None, 1)})
    with pytest.raises(
        DataError, match=r"order must name each limit once; look at '.*'. The limits are: 'hours', 'cap'"
    ):
        plan(problem).waterfall(order)


def test_an_order_is_no_text():
    made = plan(Problem.from_arrays([[1.0]], uses={"u": 1.0}, limits={"u": 1}))
    with pytest.raises(TypeError, match="list of limits' names, got the text 'u'"):
        made.waterfall("u")


@pytest.mark.parametrize("n", [40, 1_500])
def test_limits_that_no_plan_keeps_are_told(n):
    problem = Problem.from_arrays(
        np.ones((n, 1)), uses={"u": 1.0}, limits={"u": n // 2}, floors={"f": (None, n // 2 + 20)}
    )
    nothing = Plan.from_choice(problem, np.full(n, -1))
    with pytest.raises(InfeasiblePlanError) as caught:
        nothing.waterfall()
    assert set(caught.value.conflict) == {"u", "f"}
