"""Whole plans under cuts: a solver that breaks a limit, and the search near the divided plan."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from crmkit.remediation import Problem, _search, scenarios
from crmkit.remediation._completion import complete
from crmkit.remediation._relaxation import Relaxed
from crmkit.remediation.uncertain._family import whole_near
from crmkit.remediation.uncertain._programme import Programme
from crmkit.remediation.uncertain._scenarios import flat_scenarios
from crmkit.remediation.uncertain._tail import Tail, tail_mean, tail_weights
from crmkit.remediation.uncertain._whole import search_whole


def everything(programme, **more):
    options = programme.options
    groups, kept = np.ones(options.n_groups, dtype=bool), np.zeros(options.n_options)
    return search_whole(programme, groups, kept, gap=0.0, nodes=100, time_limit=10.0, **more)


def test_a_plan_that_breaks_a_limit_by_the_solvers_tolerance_is_not_taken(monkeypatch):
    problem = Problem.from_arrays([[10.0], [9.0]], uses={"h": [[1.0 + 1e-6], [1.0]]}, limits={"h": 1.0})
    real, calls = _search.milp, []

    def tolerant(*args, **more):
        calls.append(more)
        first = SimpleNamespace(status=0, x=np.array([1.0, 0.0]), mip_dual_bound=-10.0 / problem.options().scale)
        return first if len(calls) == 1 else real(*args, **more)

    monkeypatch.setattr(_search, "milp", tolerant)
    found = everything(Programme(problem.options()))
    assert len(calls) == 2
    assert found.share is None or problem.options().within(found.share)
    assert found.bound >= 9.0


def test_a_problem_without_a_plan_is_told_apart_from_one_where_none_was_found():
    problem = Problem.from_arrays([[1.0], [1.0]], uses={"h": 1.0}, limits={"h": 1.0}, floors={"both": (None, 2)})
    assert everything(Programme(problem.options())).infeasible
    part = search_whole(
        Programme(problem.options()), np.array([True, False]), np.zeros(2), gap=0.0, nodes=10, time_limit=10.0
    )
    assert part.share is None
    assert not part.infeasible


def test_the_search_under_cuts_is_no_worse_than_the_plan_it_starts_from():
    random = np.random.default_rng(2)
    base = random.lognormal(3, 0.5, 330)
    problem = Problem.from_arrays(
        base[:, None] * [0.5, 0.45],
        uses={"h": random.uniform(1, 3, (330, 2))},
        limits={"h": 200.0},
        shared_errors=base[:, None] * [0.2, 0.1],
    )
    options = problem.options()
    drawn = flat_scenarios(problem, scenarios(problem, 60))
    programme = Programme(replace(options, value=np.zeros(options.n_options)), [Tail(options, drawn, 0.1, 1.0)])
    divided = programme.solve(gap=1e-7)
    relaxed = Relaxed(divided.share, divided.prices, divided.value, divided.plain.dual(divided.prices))
    plain = complete(divided.plain, relaxed, gap=1e-6, nodes=100, time_limit=60.0).share
    share, bound = whole_near(programme, divided, gap=1e-6, nodes=100, time_limit=60.0)
    assert problem.options().within(share)
    assert programme.worth(plain) <= programme.worth(share) <= bound
    assert tail_mean(drawn @ share, 0.1) == pytest.approx(programme.worth(share))
    assert bound - programme.worth(share) <= 2e-3 * abs(bound)


def test_the_worst_share_counts_the_last_outcome_in_part():
    outcomes = np.array([5.0, 1.0, 3.0, 2.0])
    assert tail_weights(outcomes, 0.375).tolist() == pytest.approx([0.0, 2 / 3, 0.0, 1 / 3])
    assert tail_mean(outcomes, 0.375) == pytest.approx(4 / 3)
    assert tail_mean(outcomes, 1.0) == pytest.approx(outcomes.mean())
    assert tail_mean(outcomes, 0.01) == pytest.approx(1.0)
