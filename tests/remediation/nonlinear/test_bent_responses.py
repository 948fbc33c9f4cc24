"""Responses that are not concave are found, named and planned locally."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import InfeasiblePlanError
from crmkit.remediation import Cap, Floor, Problem, Remedy, Resource, plan, verify
from crmkit.remediation.nonlinear._responses import responses_of
from crmkit.remediation.nonlinear._shape import concave_cases


def cases(n, seed=1):
    random = np.random.default_rng(seed)
    return pd.DataFrame({"case_id": np.arange(n), "w": random.uniform(10, 100, n), "s": random.uniform(5, 15, n)})


def concave(value, use="intensity", intensity=(0, 40), n=4):
    problem = Problem(cases(n), [Remedy("a", value=value, uses={"b": use}, intensity=intensity)], [Resource("b", 100)])
    return concave_cases(responses_of(problem)[0]).tolist()


@pytest.mark.parametrize(
    "value",
    ["w * (1 - exp(-intensity / s))", "sqrt(intensity)", "3 * intensity - w", "w", "min(intensity, s) * w",
     "-abs(intensity - s)", "1e9 + intensity", "1e9 * w + sqrt(intensity)"],
)  # fmt: skip
def test_concave_values_are_concave_for_every_case(value):
    assert concave(value) == [True] * 4


@pytest.mark.parametrize(
    "value",
    ["intensity**2", "w / (1 + exp(-(intensity - 20) / s))", "max(intensity, s)", "(intensity > 7) * w",
     "abs(intensity - s)", "1 / (21 - intensity)"],
)  # fmt: skip
def test_bent_values_are_not(value):
    assert concave(value) == [False] * 4


def test_uses_must_be_convex():
    assert concave("w", "intensity**2") == [True] * 4
    assert concave("w", "sqrt(intensity)") == [False] * 4


def test_each_case_is_checked_by_itself():
    # The bend of the curve is at 10: below it the range of the last two begins.
    table = cases(4).assign(low=[10.0, 12.0, 0.0, 9.0])
    problem = Problem(table, [Remedy("a", value="w / (1 + exp(-(intensity - 10) / s))", intensity=("low", 40))])
    assert concave_cases(responses_of(problem)[0]).tolist() == [True, True, False, False]
    made = plan(problem)
    assert "not concave for 2 of 4 cases ('a' 2)" in made.notes[0]


def s_shaped(n=12, budget=100.0):
    remedies = [
        Remedy("v", value="w / (1 + exp(-(intensity - 20) / s * 3))", uses={"b": "intensity"}, intensity=(0, 50)),
        Remedy("c", value="w / 3", uses={"h": 1}),
    ]
    return Problem(cases(n), remedies, [Resource("b", budget), Resource("h", 2), Cap("v", count=n - 2)])


def test_a_local_plan_says_so_proves_nothing_and_keeps_every_limit():
    problem = s_shaped()
    made = plan(problem, "nonlinear")
    assert made.planner == "nonlinear (local)"
    assert made.notes[0].startswith("local: the response is not concave for 12 of 12 cases")
    assert made.bound == np.inf
    verdict = verify(made, problem)
    assert verdict.violations == ()
    assert verdict.bound == np.inf
    # Many random choices of remedies and intensities that keep the limits are worth less.
    random = np.random.default_rng(0)
    w, s = problem.cases["w"].to_numpy(), problem.cases["s"].to_numpy()
    best = 0.0
    for _ in range(3_000):
        choice = random.permutation(12)
        n_given = int(random.integers(1, 8))
        level = np.full(12, -np.inf)
        share = random.dirichlet(np.full(n_given, 3.0)) * 100
        level[choice[:n_given]] = np.minimum(share, 50)
        value = np.where(
            np.isfinite(level), w / (1 + np.exp(-(np.where(np.isfinite(level), level, 0) - 20) / s * 3)), 0
        )
        best = max(best, value.sum() + np.sort(w[~np.isfinite(level)])[-2:].sum() / 3)
    assert made.value >= best


def test_a_single_case_finds_the_top_of_its_bent_response():
    bump = "exp(-(intensity - 31.4)**2 / 20) + 0.5 * exp(-(intensity - 8)**2 / 20)"
    made = plan(Problem({"case_id": [1]}, [Remedy("a", value=bump, intensity=(0, 40))]))
    assert made.table["intensity"].tolist() == pytest.approx([31.4], abs=1e-3)
    assert made.value == pytest.approx(1.0, abs=1e-6)


def test_polishing_gains_over_levels_alone():
    problem = s_shaped(20, 173.3)
    made = plan(problem)
    levels = np.tile(np.linspace(0, 50, 33)[:, None], (1, 20))
    best = max(
        plan(problem.at_intensities(np.column_stack([level, np.full(20, np.nan)]))).value for level in levels[8:24]
    )
    assert made.value > best
    assert made.used()[0] <= 173.3 * (1 + 1e-9)


def test_many_chosen_pairs_are_planned_by_levels():
    problem = s_shaped(3_000, 30_000.0)
    made = plan(problem, "nonlinear")
    assert "the best between them" in made.notes[1]
    assert verify(made, problem).ok


def test_what_is_unknown_inside_the_range_is_no_option():
    # 1 / (intensity - 20) is unknown at 20 and known at both ends.
    problem = Problem(cases(3), [Remedy("a", value="w - 1 / (intensity - 20)**2", intensity=(10, 30))])
    made = plan(problem)
    assert made.planner == "auto (nonlinear, local)"
    assert set(made.table["intensity"]) <= {10.0, 30.0}
    assert verify(made, problem).ok


def test_a_conflict_of_bent_responses_is_one_at_every_intensity():
    bent = Remedy("v", value="w / (1 + exp(-(intensity - 20) / s))", uses={"b": "intensity"}, intensity=(5, 50))
    problem = Problem(cases(10), [bent], [Resource("b", 40), Floor(count=9, name="nine")])
    with pytest.raises(InfeasiblePlanError) as caught:
        plan(problem)
    assert caught.value.conflict == ("b", "nine")
