"""Prices and the range in which they hold, against models of the divided plan solved by HiGHS directly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation import DualPlanner, Floor, Problem, Remedy, Resource, plan

KINDS = ("continuous", "whole numbers", "large values", "few use a resource")


def arrays_of(seed):
    """Draw 30 to 300 cases, 1 to 8 remedies, resources, floors, caps and often several cases a customer."""
    random = np.random.default_rng(seed)
    n_cases, n_remedies = int(random.integers(30, 301)), int(random.integers(1, 9))
    shape, kind = (n_cases, n_remedies), KINDS[seed % len(KINDS)]
    value = random.lognormal(1, 1, shape) - random.uniform(0, 3)
    value = {"whole numbers": random.integers(-2, 9, shape).astype(float), "large values": 1e5 * value}.get(kind, value)
    uses, limits = {}, {}
    for i in range(int(random.integers(1, 4))):
        use = random.integers(0, 4, shape) if kind == "whole numbers" else random.uniform(0, 5, shape)
        uses[f"r{i}"] = use * (random.random(shape) < (0.2 if kind == "few use a resource" else 0.8))
        limits[f"r{i}"] = float(np.round(random.uniform(0.05, 0.6) * n_cases, 1))
    some = range(int(random.integers(0, 3)))
    floors = {f"f{i}": (random.random(n_cases) < 0.4, int(random.integers(1, max(2, n_cases // 6)))) for i in some}
    caps = {f"c{i}": (random.random(n_cases) < 0.6, int(random.integers(1, max(2, n_cases // 3)))) for i in some}
    group = random.integers(0, max(1, n_cases // 2), n_cases) if random.random() < 0.5 else None
    eligible = random.random(shape) < 0.8
    return {
        "value": value, "uses": uses, "limits": limits, "floors": floors, "caps": caps, "group": group,
        "eligible": eligible,
    }  # fmt: skip


class Model:
    """The divided plan as one linear programme, written without the library."""

    def __init__(self, arrays):
        n_cases, n_remedies = arrays["value"].shape
        rows, bound, self.names, self.sign = [], [], [], {}
        for name, use in arrays["uses"].items():
            self._add(name, 1.0, rows, bound, use.ravel(), arrays["limits"][name])
        for sign, given in ((-1.0, arrays["floors"]), (1.0, arrays["caps"])):
            for name, (mask, count) in given.items():
                self._add(name, sign, rows, bound, sign * np.repeat(mask.astype(float), n_remedies), sign * count)
        group = np.arange(n_cases) if arrays["group"] is None else np.unique(arrays["group"], return_inverse=True)[1]
        pairs = (np.repeat(group, n_remedies), np.arange(n_cases * n_remedies))
        members = sparse.csr_array((np.ones(n_cases * n_remedies), pairs))
        self.matrix = sparse.vstack([sparse.csr_array(np.array(rows)), members], format="csc")
        self.bound = np.concatenate([bound, np.ones(members.shape[0])])
        self.value = arrays["value"].ravel()
        self.upper = arrays["eligible"].ravel().astype(float)

    def _add(self, name, sign, rows, bound, line, limit):
        self.names.append(name)
        self.sign[name] = sign
        rows.append(line)
        bound.append(float(limit))

    def best(self, name=None, limit=None):
        """Give the best value, with one limit moved; None where there is no plan."""
        bound = self.bound.copy()
        if name is not None:
            bound[self.names.index(name)] = self.sign[name] * limit
        scale = float(np.abs(self.value).max())
        result = linprog(
            -self.value / scale,
            A_ub=self.matrix,
            b_ub=bound,
            bounds=np.column_stack([np.zeros_like(self.upper), self.upper]),
            method="highs-ds",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        assert result.status in {0, 2}
        return None if result.status == 2 else -result.fun * scale


@pytest.mark.parametrize("seed", range(14))
def test_prices_are_exact_within_their_range_on_both_sides_and_change_outside(seed):
    arrays = arrays_of(seed)
    model = Model(arrays)
    value = model.best()
    if value is None:
        with pytest.raises(InfeasiblePlanError):
            plan(Problem.from_arrays(**arrays), "lp")
        return
    made = plan(Problem.from_arrays(**arrays), "lp")
    close = 1e-6 * max(1.0, abs(value))
    assert made.value == pytest.approx(value, rel=1e-9)
    for name in model.names:
        line = made.prices.loc[name]
        limit = line["limit"]
        for side, end, price in (
            (1, line["valid_to"], line["price_more"]),
            (-1, line["valid_from"], line["price_less"]),
        ):
            where = (seed, name, side)
            assert np.isinf(price) or price * model.sign[name] >= 0, where
            room = (end - limit) * side
            if np.isinf(price):
                assert limit + side * 1e-4 < 0 or model.best(name, limit + side * 1e-4) is None, where
                continue
            assert room > 0 or limit == 0, where
            reach = room if np.isfinite(room) else 10 * max(1.0, limit)
            for part in (0.3, 1.0):
                there = model.best(name, limit + side * part * reach)
                assert there == pytest.approx(value + side * part * reach * price, abs=close), where
            outside = limit + side * (room + 0.05 * max(1.0, room))
            if np.isfinite(room) and outside >= 0:
                there = model.best(name, outside)
                assert there is None or there < value + (outside - limit) * price - 1e-9 * abs(value), where


def large(n, seed=0):
    """Make cases with 6 remedies, a budget, two kinds of hours and floors for three segments that all bind."""
    random = np.random.default_rng(seed)
    columns = {"case_id": np.arange(n), "segment": random.integers(0, 3, n), "hours": random.uniform(0.1, 1, n)}
    worth = random.lognormal(3.0, 0.8, n)
    remedies = []
    for j in range(6):
        columns |= {f"value_{j}": worth * random.uniform(0.2, 1, n), f"cost_{j}": random.uniform(1, 20, n)}
        columns[f"may_{j}"] = random.random(n) < 0.7
        uses = {"budget": f"cost_{j}", f"hours_{j % 2}": "hours"}
        remedies.append(Remedy(f"remedy_{j}", value=f"value_{j}", uses=uses, eligible=f"may_{j}"))
    limits = [Resource("budget", 3.0 * n), Resource("hours_0", 0.13 * n), Resource("hours_1", 0.13 * n)]
    limits += [Floor(where=f"segment == {s}", share=0.55, name=f"segment_{s}") for s in range(3)]
    return Problem(columns, remedies, limits)


def test_prices_of_a_large_plan_are_within_one_percent_of_finite_differences():
    problem = large(50_000)
    prices = plan(problem, "dual").prices
    for name in ("budget", "segment_2"):
        line = prices.loc[name]
        assert line["price_more"] != 0, name
        # A step of a fifth of a percent, and a bound that equals the divided plan's value to one part in ten million.
        step = round(0.002 * line["limit"])
        there = [
            plan(problem.with_bounds({name: line["limit"] + way}), DualPlanner(gap=1e-5)).bound for way in (-step, step)
        ]
        slope = (there[1] - there[0]) / (2 * step)
        assert line["price_more"] == pytest.approx(slope, rel=0.01), name
        assert line["price_less"] == pytest.approx(slope, rel=0.01), name


def test_prices_that_are_single_are_found_without_programmes_over_all_prices(monkeypatch):
    # As many divided cases as limits that are used up settle every price: nothing is left to search.
    from crmkit.remediation import _prices

    def refuse(*_arguments, **_more):
        raise AssertionError("the prices are settled already")

    problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1.5})
    made = plan(problem, "lp")
    monkeypatch.setattr(_prices._DualFace, "extreme", refuse)
    line = made.prices.loc["hours"]
    assert line[["price_less", "price_more", "valid_from", "valid_to"]].tolist() == pytest.approx([4.0, 4.0, 1.0, 2.0])
