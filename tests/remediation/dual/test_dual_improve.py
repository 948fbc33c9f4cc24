"""Exchanges make whole plans better and never break a limit."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.remediation import DualPlanner, Problem, Remedy, Resource, plan, verify
from crmkit.remediation._relaxation import relax
from crmkit.remediation.dual import _planner
from crmkit.remediation.dual._improve import exchange, improve


@pytest.mark.parametrize("seed", range(60))
def test_an_exchanged_plan_keeps_every_limit_and_is_worth_no_less(random_arrays, seed):
    options = Problem.from_arrays(**random_arrays(seed, n_cases=40, n_remedies=3)).options()
    divided = relax(options)
    if divided is None:
        pytest.skip("nothing keeps these limits")
    whole = np.where(divided.share >= 1 - 1e-7, 1.0, 0.0)
    if not options.within(whole):
        pytest.skip("without the divided cases a floor is broken")
    better = exchange(options, whole, divided.prices, enough=0.0, time_limit=30.0)
    assert np.isin(better, (0.0, 1.0)).all()
    assert options.within(better)
    assert np.bincount(options.group, weights=better).max(initial=0) <= 1
    assert options.total(whole) <= options.total(better) <= divided.bound + 1e-9 * max(1.0, abs(divided.bound))


@pytest.mark.parametrize("cases", [1, 2, 3])
def test_one_case_gives_way_to_several_that_are_worth_more_together(cases):
    value, hours = np.array([10.0, *([12.0 / cases] * cases)]), np.array([6.0, *([6.0 / cases] * cases)])
    problem = Problem.from_arrays(value[:, None], uses={"hours": hours[:, None]}, limits={"hours": 6.0})
    start = np.array([1.0, *([0.0] * cases)])
    better = exchange(problem.options(), start, np.array([2.0]), enough=0.0, time_limit=30.0)
    assert better.tolist() == [0.0, *([1.0] * cases)]


def test_nothing_changes_where_the_plan_is_near_enough_or_there_is_no_time():
    problem = Problem.from_arrays([[1.0], [2.0]], uses={"hours": 1.0}, limits={"hours": 1.0})
    options, start = problem.options(), np.array([1.0, 0.0])
    assert exchange(options, start, np.array([1.5]), enough=0.0, time_limit=0.0).tolist() == [1.0, 0.0]
    assert exchange(options, start, np.array([1.5]), enough=0.0, time_limit=9.0).tolist() == [0.0, 1.0]
    blocks = problem.blocks()
    made = improve(blocks, np.array([0, -1], np.int16), np.arange(2), np.array([1.5]), enough=0.0, time_limit=9.0)
    assert made.tolist() == [-1, 0]


@pytest.fixture(scope="module", params=[None, "customer_id"])
def many(request):
    random = np.random.default_rng(3)
    n, slots = 30_000, 70
    cases = {
        "case_id": np.arange(n),
        "customer_id": random.integers(0, n // 2, n),
        "slot": random.integers(0, slots, n),
        "worth": random.lognormal(3, 0.8, n),
        "hours": random.uniform(0.1, 1.0, n),
    }
    uses = {f"hours {s}": f"hours * (slot == {s})" for s in range(slots)}
    remedies = [Remedy("call", value="worth", uses=uses), Remedy("letter", value="worth / 3", uses={"budget": 1.5})]
    limits = [Resource("budget", 4_000), *(Resource(f"hours {s}", 0.2 * n / slots) for s in range(slots))]
    return Problem(cases, remedies, limits, one_per=request.param)


def test_exchanges_close_a_good_part_of_the_gap_that_many_limits_leave(many, monkeypatch):
    made = plan(many, DualPlanner(core=100))
    assert verify(made, many).violations == ()
    assert made.gap <= 3e-4
    monkeypatch.setattr(_planner, "improve", lambda *given, **_: given[1])
    without = plan(many, DualPlanner(core=100))
    assert made.bound == without.bound
    assert made.bound - made.value <= 0.8 * (without.bound - without.value)


def test_a_gap_that_is_asked_for_ends_the_exchanges_sooner(many):
    fine, rough = plan(many, "dual"), plan(many, DualPlanner(gap=1e-2))
    assert verify(rough, many).violations == ()
    assert fine.value >= rough.value
    assert rough.gap <= 1e-2
