"""What may become of a plan: risk, the optimiser's curse, and stability."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from crmkit.core.errors import DataError
from crmkit.remediation import Holdout, Plan, Problem, Remedy, disappointment, plan, risk, scenarios, shrunk, verify

CASES = {"case_id": range(40), "worth": np.linspace(1, 20, 40)}


@pytest.fixture
def made():
    """Give a plan whose standard error is known: 3 of each of 40 cases, 0.5 shared by all."""
    return plan(Problem(CASES, [Remedy("call", value="worth", error=3, shared_error=0.5)]))


def test_risk_is_that_of_a_normal_value(made):
    figures = risk(made, level=0.05, budget=2, size=1.5)["value"]
    error = np.sqrt(40 * 9 + 20**2)
    assert figures["mean"] == pytest.approx(420)
    assert figures["standard error"] == pytest.approx(error)
    assert figures["value at risk"] == pytest.approx(norm(420, error).ppf(0.05))
    tail = norm(420, error).expect(lambda value: value, ub=norm(420, error).ppf(0.05)) / 0.05
    assert figures["cvar"] == pytest.approx(tail, rel=1e-6)
    assert figures["worst case, budget"] == pytest.approx(420 - 1.5 * 20 - 1.5 * 3 * 2)
    assert figures["worst case, ellipsoidal"] == pytest.approx(420 - 1.5 * error)


def test_risk_by_scenarios_has_intervals_that_hold_the_exact_figures(made):
    exact, drawn = risk(made), risk(made, scenarios=scenarios(made.problem, 3_000, random_state=5))
    for figure in ("mean", "standard error", "value at risk", "cvar"):
        assert drawn.loc[figure, "low"] <= exact.loc[figure, "value"] <= drawn.loc[figure, "high"], figure
        assert drawn.loc[figure, "n"] == 3_000


def test_risk_of_a_plan_under_other_values(made):
    other = Problem(CASES, [Remedy("call", value="worth - 1", error=1)])
    assert risk(made, other)["value"]["mean"] == pytest.approx(380)


def test_risk_refuses_what_does_not_fit(made):
    with pytest.raises(ValueError, match="level must be above 0"):
        risk(made, level=1.0)
    with pytest.raises(DataError, match="cases and remedies of the plan"):
        risk(made, Problem(CASES, [Remedy("mail", value=1)]))
    with pytest.raises(DataError, match=r"20 cases get a remedy for which .* not eligible"):
        risk(made, Problem(CASES, [Remedy("call", value="worth", eligible="worth > 10.5")]))
    divided = plan(Problem.from_arrays([[1.0], [1.0]], uses={"h": 1.0}, limits={"h": 1.5}, errors=1.0), "lp")
    with pytest.raises(DataError, match="divides cases"):
        risk(divided)


def simulated(seed, n_cases=300):
    """Draw true values and estimates of them, of which only some can be taken."""
    random = np.random.default_rng(seed)
    true = random.normal([10.0, 8.0], [3.0, 4.0], (n_cases, 2))
    error = random.uniform(1.0, 6.0, (n_cases, 2))
    estimate = true + error * random.standard_normal((n_cases, 2))
    return true, Problem.from_arrays(estimate, uses={"calls": 1.0}, limits={"calls": 60}, errors=error)


def true_worth(made, true):
    case = np.flatnonzero(made.choice >= 0)
    return float(true[case, made.choice[case]].sum())


def test_plans_of_shrunk_values_are_worth_what_they_say_and_more():
    """Smith & Winkler 2006: the surplus of the best of uncertain values, and its cure."""
    surplus, cured, gain, told = [], [], [], []
    for seed in range(60):
        true, problem = simulated(seed)
        plain, better = plan(problem), plan(shrunk(problem))
        surplus.append(plain.value - true_worth(plain, true))
        cured.append(better.value - true_worth(better, true))
        gain.append(true_worth(better, true) - true_worth(plain, true))
        told.append(disappointment(plain))

    def interval(draws):
        room = 2.0 * np.std(draws, ddof=1) / np.sqrt(len(draws))
        return np.mean(draws) - room, np.mean(draws) + room

    assert interval(surplus)[0] > 100, "the plan's value is far too high"
    assert abs(np.mean(cured)) < 0.05 * np.mean(surplus), "what is left is a small part"
    assert interval(gain)[0] > 0, "and the plan is better"
    assert np.mean(told) == pytest.approx(np.mean(surplus), rel=0.1)
    covered = np.mean([one.low <= was <= one.high for one, was in zip(told, surplus, strict=True)])
    assert covered >= 0.85


def test_shrunk_values_lie_between_estimate_and_mean():
    _, problem = simulated(1)
    before, after = problem.arrays().value, shrunk(problem).arrays().value
    for j in range(2):
        weight = (after[:, j] - after[:, j].mean()) / (before[:, j] - after[:, j].mean())
        assert np.corrcoef(before[:, j], after[:, j])[0, 1] > 0.8
        assert np.median(weight) < 1
    assert np.all(shrunk(problem).errors()[0] < problem.errors()[0])


def test_estimates_that_vary_less_than_their_errors_become_their_mean():
    problem = Problem.from_arrays([[10.0], [11.0], [12.0]], uses={}, limits={}, errors=50.0)
    assert shrunk(problem).arrays().value.ravel() == pytest.approx([11.0, 11.0, 11.0])
    same = Problem.from_arrays([[3.0], [3.0]], uses={}, limits={}, errors=1.0)
    assert shrunk(same).arrays().value.ravel().tolist() == [3.0, 3.0]


def test_shrinking_leaves_the_rest_as_it_is():
    cases = {**CASES, "shrunk value 0": np.zeros(40)}
    remedies = [
        Remedy("call", value="worth", error=0, shared_error=0.5, eligible="worth > 5"),
        Remedy("mail", value="worth - 3"),
        Remedy("visit", value="worth", error=2, eligible="worth >= 20"),
    ]
    problem = Problem(cases, remedies, holdout=Holdout(0.25))
    better = shrunk(problem)
    assert np.array_equal(better.held_out, problem.held_out)
    # An error of 0 moves nothing; without an error or with a single case nothing can be said.
    assert better.arrays().value == pytest.approx(problem.arrays().value, abs=1e-9)
    assert better.errors()[1].tolist() == problem.errors()[1].tolist()
    assert verify(plan(better), better).ok
    with pytest.raises(DataError, match="no remedy has an error"):
        shrunk(Problem(CASES, [Remedy("call", value="worth", shared_error=1)]))


def test_stability_is_the_chance_to_change_sides():
    value, error = np.array([1.0, 2.0, -1.0, 30.0]), 2.0
    made = plan(Problem.from_arrays(value[:, None], uses={}, limits={}, errors=error))
    expected = norm.cdf(-np.abs(value) / error).mean()
    for exact in (False, True):
        found = made.stability(1_000 if not exact else 100, random_state=3, exact=exact)
        assert found.low <= expected <= found.high
        assert found.n == (1_000 if not exact else 100)
    assert made.stability(100, random_state=np.random.RandomState(0)) == made.stability(100)


def test_replanning_finds_fewer_changes_where_errors_are_shared():
    random = np.random.default_rng(0)
    problem = Problem.from_arrays(
        random.uniform(5, 10, (60, 1)), uses={"calls": 1.0}, limits={"calls": 20}, shared_errors=2.0
    )
    made = plan(problem)
    assert made.stability(50, exact=True) == 0.0, "all move alike and the same 20 are best"
    assert made.stability(50) > 0.1


def test_stability_counts_cases_that_can_be_planned():
    problem = Problem(CASES, [Remedy("call", value="worth - 10", error=3)], holdout=Holdout(0.5))
    everyone = Problem(CASES, [Remedy("call", value="worth - 10", error=3)])
    assert plan(problem).stability(300) == pytest.approx(plan(everyone).stability(300), abs=0.06)
    assert 0 < plan(problem).stability(2) < 1


def test_stability_refuses_what_it_cannot_say():
    with pytest.raises(DataError, match="has an error"):
        plan(Problem(CASES, [Remedy("call", value="worth")])).stability()
    made = plan(Problem(CASES, [Remedy("call", value="worth", error=1)]))
    with pytest.raises(ValueError, match="at least 2"):
        made.stability(1)


def test_an_unstable_plan_from_choice_can_be_asked_too():
    problem = Problem.from_arrays([[1.0], [1.0]], uses={"h": 1.0}, limits={"h": 1}, errors=1.0)
    assert Plan.from_choice(problem, [0, -1]).stability(100, exact=True) == pytest.approx(0.5, abs=0.2)
