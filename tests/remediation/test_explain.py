"""The price-adjusted ranking of a case: worked out from the arrays, and true of plans that are made to differ."""

from __future__ import annotations

import numpy as np
import pytest

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import Problem, plan


def adjusted_by_hand(arrays, duals):
    """Take what each remedy uses of each limit, at its price, from its value; -inf where not eligible."""
    n_cases, n_remedies = arrays["value"].shape
    rows = [*arrays["uses"].values()]
    for mask, _ in [*arrays["floors"].values(), *arrays["caps"].values()]:
        inside = np.ones(n_cases, dtype=bool) if mask is None else mask
        rows.append(np.repeat(inside[:, None].astype(float), n_remedies, axis=1))
    worth = arrays["value"] - sum((price * row for price, row in zip(duals, rows, strict=True)), np.zeros(1))
    return np.where(arrays["eligible"], worth, -np.inf)


def solved(seed, random_arrays):
    """Draw a problem with floors and, often, several cases a customer; None where it has no divided plan."""
    arrays = random_arrays(seed, n_cases=7, n_remedies=3)
    problem = Problem.from_arrays(**arrays)
    try:
        made = plan(problem, "lp")
    except InfeasiblePlanError:
        return None
    group = np.arange(7) if arrays["group"] is None else arrays["group"]
    return arrays, problem, made, group


@pytest.mark.parametrize("seed", range(24))
def test_the_ranking_is_value_less_use_at_the_prices(seed, random_arrays):
    given = solved(seed, random_arrays)
    if given is None:
        return
    arrays, _, made, group = given
    expected = adjusted_by_hand(arrays, made.duals)
    for case in range(7):
        ranked = made.explain(case)
        others = (group == group[case]) & (np.arange(7) != case)
        size = 1e-9 * max(1.0, float(np.abs(arrays["value"]).max()))
        assert ranked.loc["nothing", "adjusted"] == pytest.approx(max(0.0, expected[others].max(initial=0.0)), abs=size)
        eligible = np.flatnonzero(arrays["eligible"][case])
        assert set(ranked.index) == {"nothing", *(f"remedy_{j}" for j in eligible)}
        for j in eligible:
            line = ranked.loc[f"remedy_{j}"]
            assert line["adjusted"] == pytest.approx(expected[case, j], abs=size)
            prices = line[[column for column in ranked.columns if column.startswith("price_of_")]]
            assert line["value"] - prices.sum() == pytest.approx(expected[case, j], abs=size)
        assert ranked["adjusted"].is_monotonic_decreasing
        # A divided plan gives only what comes first, alone or tied.
        top = ranked["adjusted"].max()
        assert (ranked.loc[ranked["chosen"] > 1e-9, "adjusted"] >= top - 1e-6 * max(1.0, abs(top))).all()
        assert ranked["chosen"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(1, 24, 2))
def test_giving_a_case_something_else_costs_at_least_what_it_is_behind(seed, random_arrays, best_value):
    given = solved(seed, random_arrays)
    if given is None:
        return
    arrays, problem, made, group = given
    bound = problem.bound_at(made.duals)
    for case in range(7):
        ranked = made.explain(case)["adjusted"]
        mates = group == group[case]
        for name, adjusted in ranked.items():
            eligible = arrays["eligible"].copy()
            floors = dict(arrays["floors"])
            if name == "nothing":
                eligible[case] = False
            else:
                eligible[mates] = False
                eligible[case, int(name.removeprefix("remedy_"))] = True
                floors["forced"] = (np.arange(7) == case, 1)
            true = best_value(arrays | {"eligible": eligible, "floors": floors}, whole=False)
            if true is not None:
                behind = ranked.max() - adjusted
                assert true <= bound - behind + 1e-7 * max(1.0, abs(bound)), (seed, case, name)
