"""The planner for large problems against exact planners, its proof, and what it does at the edges."""

from __future__ import annotations

import numpy as np
import pytest

import crmkit
from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import (
    AutoPlanner,
    Cap,
    DualPlanner,
    Holdout,
    IntegerPlanner,
    Problem,
    Remedy,
    Resource,
    plan,
    verify,
)


def large(n, seed=0, *, floor=0.35, kind="continuous", group=None):
    """Make a problem with a budget, hours and three floors, large enough for samples where ``n`` is."""
    random = np.random.default_rng(seed)
    shape = (n, 4)
    value = random.lognormal(3.0, 0.8, (n, 1)) * random.uniform(0.2, 1.0, shape)
    cost, hours = random.uniform(1.0, 20.0, shape), np.where(random.random(shape) < 0.4, 0.5, 0.0)
    if kind == "whole":
        value, cost = random.integers(1, 11, shape).astype(float), random.integers(1, 6, shape).astype(float)
    if kind == "equal":
        value, cost, hours = np.ones((3, *shape))
    segment = random.integers(0, 3, n)
    return Problem.from_arrays(
        value,
        uses={"budget": cost, "hours": hours},
        limits={"budget": 0.3 * cost.mean() * n, "hours": 0.1 * n if kind != "equal" else 0.25 * n},
        eligible=random.random(shape) < 0.7,
        floors={f"floor {s}": (segment == s, int(floor * (segment == s).sum())) for s in range(3)},
        group=group,
    )


@pytest.mark.parametrize(
    "start", [*range(0, 200, 25), *(pytest.param(start, marks=pytest.mark.slow) for start in range(200, 500, 25))]
)
def test_dual_and_milp_agree_within_their_proved_gaps(start, random_arrays):
    for seed in range(start, start + 25):
        random = np.random.default_rng(seed)
        arrays = random_arrays(seed, n_cases=int(random.integers(1, 300)), n_remedies=int(random.integers(1, 5)))
        problem = Problem.from_arrays(**arrays)
        # A small core lets the prices do the work that they do for large problems.
        dual, milp = DualPlanner(core=int(random.integers(1, 30))), IntegerPlanner(time_limit=10.0)
        try:
            exact = milp.plan(problem)
        except InfeasiblePlanError:
            with pytest.raises(InfeasiblePlanError):
                dual.plan(problem)
            continue
        made = dual.plan(problem)
        room = 1e-9 * max(1.0, abs(exact.value))
        assert verify(made, problem).violations == (), seed
        assert exact.value <= made.bound + room, seed
        assert made.value <= exact.bound + room, seed


@pytest.mark.parametrize("kind", ["continuous", "whole", "equal"])
def test_a_large_problem_gets_a_whole_plan_with_a_small_proved_gap(kind):
    problem = large(70_000, kind=kind, floor=0.2)
    made = plan(problem, "dual")
    checked = verify(made, problem)
    assert checked.violations == ()
    assert made.gap <= 1e-5
    # The prices alone prove it too.
    assert checked.gap <= 2e-5
    if kind == "equal":
        assert made.gap == 0.0


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("customers", [None, "customer_id"])
def test_many_limits_of_few_cases_each_are_kept_and_the_bound_is_near_the_linear_programme(whole, customers):
    random = np.random.default_rng(5)
    n, slots = 3_000, 40
    cases = {
        "case_id": np.arange(n),
        "slot": random.integers(0, slots, n),
        "customer_id": random.integers(0, 2_000, n),
        "worth": random.integers(1, 11, n).astype(float) if whole else random.lognormal(3, 0.8, n),
        "hours": random.integers(1, 4, n).astype(float) if whole else random.uniform(0.1, 1.0, n),
    }
    uses = [
        {f"{name} {s}": f"{factor} * hours * (slot == {s})" for s in range(slots)}
        for name, factor in (("a", 1), ("b", 2))
    ]
    remedies = [
        Remedy("call", value="worth", uses=uses[0]),
        Remedy("visit", value="1.5 * worth" if not whole else "worth + 1", uses=uses[1]),
        Remedy("letter", value="0.3 * worth" if not whole else 1.0, uses={"budget": 2}),
    ]
    limits = [Resource("budget", 900)]
    limits += [Resource(f"{name} {s}", 25.5 if whole else 6.0) for name in "ab" for s in range(slots)]
    problem = Problem(cases, remedies, [*limits, Cap("letter", where="slot == 3", count=5)], one_per=customers)
    made = plan(problem, DualPlanner(core=100))
    assert verify(made, problem).violations == ()
    divided = plan(problem, "lp").value
    assert made.bound <= divided * (1 + 1e-3)
    assert made.gap <= 5e-2
    assert "nearest a tie" in made.notes[0]


def test_groups_that_are_not_in_order_get_one_remedy_each():
    random = np.random.default_rng(1)
    problem = large(40_000, group=random.integers(0, 20_000, 40_000))
    made = plan(problem, "dual")
    assert verify(made, problem).violations == ()
    assert made.gap <= 2e-5
    groups = problem.group[made.choice >= 0]
    assert len(np.unique(groups)) == len(groups)


def test_the_bound_equals_the_linear_programme():
    problem = large(4_000)
    made = plan(problem, DualPlanner(core=50))
    assert made.bound == pytest.approx(plan(problem, "lp").value, rel=1e-9)
    assert made.gap <= 1e-3


def test_prices_are_those_of_the_linear_programme():
    problem = large(4_000, seed=3)
    ours = plan(problem, DualPlanner(core=200)).prices
    exact = plan(problem, "lp").prices
    for column in ("price_less", "price_more", "limit", "valid_from", "valid_to"):
        np.testing.assert_allclose(ours[column], exact[column], rtol=1e-6, err_msg=column)
    assert ours["unit"].tolist() == exact["unit"].tolist()


def test_what_if_plans_again_from_the_known_prices():
    problem = large(6_000, seed=4)
    made = plan(problem, DualPlanner(core=100))
    budget = problem.limits[0].limit
    curve = made.what_if("budget", [0.8 * budget, budget, 1.2 * budget, 0.0])
    assert curve["value"].iloc[1] == pytest.approx(made.value, rel=1e-4)
    assert np.all(np.diff(curve["value"].iloc[:3]) > 0)
    assert np.all(curve["bound"].iloc[:3] >= curve["value"].iloc[:3])
    assert np.isnan(curve["value"].iloc[3])
    assert curve["bound"].iloc[3] == -np.inf


def test_what_if_far_from_the_known_prices_is_as_good_as_planning_anew():
    value = np.random.default_rng(0).lognormal(1.0, 1.0, 20_000)
    problem = Problem.from_arrays(value[:, None], uses={"hours": 1.0}, limits={"hours": 300.0})
    curve = plan(problem, DualPlanner(core=200)).what_if("hours", [10, 100, 1e6, 50, 15_000, 0])
    ranked = np.concatenate([[0.0], np.cumsum(np.sort(value)[::-1])])
    assert curve["value"].to_numpy() == pytest.approx(ranked[[10, 100, 20_000, 50, 15_000, 0]], rel=1e-4)


def test_auto_hands_large_problems_over_and_says_so():
    assert plan(large(15_000)).planner == "auto (dual)"
    small = plan(large(300), AutoPlanner(gap=1e-2))
    assert small.planner in {"auto (lp)", "auto (lp + search)"}
    assert "solved exactly" in plan(large(15_000)).notes[0]


def test_the_same_problem_gets_the_same_plan():
    first, second = plan(large(70_000, seed=7), "dual"), plan(large(70_000, seed=7), "dual")
    assert np.array_equal(first.choice, second.choice)


def test_a_hold_out_is_not_touched():
    random = np.random.default_rng(0)
    cases = {"case_id": np.arange(20_000), "worth": random.lognormal(3, 1, 20_000)}
    problem = Problem(
        cases,
        [
            Remedy("call", value="worth", uses={"hours": 0.5}),
            Remedy("gift", value="0.5 * worth", uses={"budget": "worth"}),
        ],
        [Resource("hours", 2_000), Resource("budget", 20_000), Resource("counted", float("inf"))],
        holdout=Holdout(0.1),
    )
    made = plan(problem, "dual")
    assert verify(made, problem).violations == ()
    assert np.all(made.choice[problem.held_out] == -1)
    assert made.gap <= 1e-4


def test_plans_are_saved_and_loaded(tmp_path):
    problem = large(10_000)
    made = plan(problem, "dual")
    crmkit.save(made, tmp_path / "plan.zip")
    loaded = crmkit.load(tmp_path / "plan.zip")
    assert np.array_equal(loaded.choice, made.choice)
    assert (loaded.value, loaded.bound) == (pytest.approx(made.value), pytest.approx(made.bound))
    np.testing.assert_allclose(loaded.duals, made.duals)
    assert verify(loaded, loaded.problem).ok


def test_what_is_out_of_range_is_refused():
    problem = Problem.from_arrays([[1.0]], uses={}, limits={})
    for wrong in ({"core": 0}, {"gap": -1.0}, {"nodes": 0}, {"time_limit": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            plan(problem, DualPlanner(**wrong))


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_remedy_worth_nothing_is_given_only_where_a_floor_asks_for_it(share):
    random = np.random.default_rng(0)
    n = 20_000
    value = np.where(random.random((n, 4)) < 0.6, 0.0, random.integers(1, 4, (n, 4)).astype(float))
    segment = random.integers(0, 2, n)
    floors = {f"floor {s}": (segment == s, int(share * (segment == s).sum())) for s in range(2)}
    uses = random.integers(0, 4, (n, 4)).astype(float)
    problem = Problem.from_arrays(
        value, uses={"budget": uses}, limits={"budget": n / 2}, floors=floors if share else {}
    )
    made = plan(problem, "dual")
    assert verify(made, problem).violations == ()
    assert made.gap == 0.0
    given = np.flatnonzero(made.choice >= 0)
    assert np.any(value[given, made.choice[given]] == 0) == (share > 0)
