"""Seeded planning problems: nine limits or 291 of them at any size, and small ones with everything in them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import optimize, sparse

from crmkit.core.errors import DataWarning
from crmkit.remediation import Cap, Floor, Frequency, Holdout, Problem, Ratio, Remedy, Resource, packages

REMEDIES = 8
SKILLS, DAYS, CHANNELS = 5, 14, 4


def nine_limits(n: int, *, seed: int = 0, floor: float = 0.55) -> Problem:
    """Make cases with 8 remedies, 70 % eligible, a budget, 3 rows of staff hours and 5 floors by segment.

    Each remedy costs money and some need an hour or less of one to three kinds of staff; ``floor`` is the share of each
    segment that must get a remedy. With 0.55 every limit binds; about 0.668 is the most that is possible.
    """
    random = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {"case_id": np.arange(n), "segment": random.integers(0, 5, n).astype(np.float64)}
    worth = random.lognormal(3.0, 0.8, n)
    remedies = []
    for j in range(REMEDIES):
        columns[f"value_{j}"] = worth * random.uniform(0.2, 1.0, n)
        columns[f"cost_{j}"] = random.uniform(1.0, 20.0, n)
        columns[f"may_{j}"] = random.random(n) < 0.7
    columns["hours"] = random.uniform(0.1, 1.0, n)
    for j in range(REMEDIES):
        uses: dict[str, str | float] = {"budget": f"cost_{j}", f"hours_{j % 3}": "hours"}
        if j % 4 == 0:
            uses[f"hours_{(j + 1) % 3}"] = 0.25
        remedies.append(Remedy(f"remedy_{j}", value=f"value_{j}", uses=uses, eligible=f"may_{j}"))
    limits = [Resource("budget", 3.0 * n), *(Resource(f"hours_{s}", 0.09 * n) for s in range(3))]
    limits += [Floor(where=f"segment == {s}", share=floor, name=f"segment_{s}") for s in range(5)]
    return Problem(pd.DataFrame(columns, copy=False), remedies, limits)


def many_limits(n: int, kind: str = "cont", *, per_customer: float = 1.0, seed: int = 0) -> Problem:
    """Make cases with 8 remedies, a budget, 280 rows of hours by skill, day and channel, and 10 floors.

    ``kind``: ``cont`` (continuous), ``int`` (values, costs and hours in whole numbers), ``slack`` (only the budget
    binds), ``equal`` (every value, cost and hour is 1). ``per_customer``: cases a customer on average, who gets one
    remedy at most where it is above 1.
    """
    random = np.random.default_rng(seed)
    slot = random.integers(0, SKILLS * DAYS, n).astype(np.float64)
    columns: dict[str, np.ndarray] = {"case_id": np.arange(n), "slot": slot}
    columns["segment"] = random.integers(0, 10, n).astype(np.float64)
    worth = random.lognormal(3.0, 0.8, n)
    for j in range(REMEDIES):
        if kind == "equal":
            columns[f"value_{j}"], columns[f"cost_{j}"], columns[f"hours_{j}"] = np.ones((3, n))
        elif kind == "int":
            columns[f"value_{j}"] = random.integers(1, 11, n).astype(np.float64)
            columns[f"cost_{j}"] = random.integers(1, 6, n).astype(np.float64)
            columns[f"hours_{j}"] = random.integers(1, 4, n).astype(np.float64)
        else:
            columns[f"value_{j}"] = worth * random.uniform(0.2, 1.0, n)
            columns[f"cost_{j}"] = random.uniform(1.0, 20.0, n)
            columns[f"hours_{j}"] = random.uniform(0.1, 1.0, n)
        columns[f"may_{j}"] = random.random(n) < 0.7
    one_per = None
    if per_customer > 1:
        one_per = "customer_id"
        columns["customer_id"] = random.integers(0, max(1, int(n / per_customer)), n)
    remedies = []
    for j in range(REMEDIES):
        channel = j % CHANNELS
        uses: dict[str, str | float] = {"budget": f"cost_{j}"}
        for s in range(SKILLS * DAYS):
            uses[f"hours {s} {channel}"] = f"hours_{j} * (slot == {s})"
        remedies.append(Remedy(f"remedy_{j}", value=f"value_{j}", uses=uses, eligible=f"may_{j}"))
    cost = float(np.mean(columns["cost_0"]))
    hours = 0.5 * n / (SKILLS * DAYS * CHANNELS) * float(np.mean(columns["hours_0"])) * (10 if kind == "slack" else 1)
    limits = [Resource("budget", 0.3 * cost * n / per_customer)]
    limits += [Resource(f"hours {s} {c}", hours / per_customer) for s in range(SKILLS * DAYS) for c in range(CHANNELS)]
    limits += [Floor(where=f"segment == {s}", share=0.2 / per_customer, name=f"segment_{s}") for s in range(10)]
    return Problem(pd.DataFrame(columns, copy=False), remedies, limits, one_per=one_per)


def mixed(seed: int, n: int | None = None, *, may_fail: bool = True) -> Problem:
    """Make a small problem in which everything that a problem may have is likely to be there.

    Packages, missing values, values in whole numbers or all equal, one remedy a customer, a hold-out, contact
    frequencies, resources, floors, caps and ratios, hard or at a price. With ``may_fail`` limits often contradict each
    other; else floors and ratios have a penalty.
    """
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 301)) if n is None else n
    kind = ("continuous", "whole", "equal")[seed % 3]
    columns: dict[str, np.ndarray] = {
        "case_id": np.array([f"案{i}" for i in range(n)], dtype=object),
        "segment": random.integers(0, 3, n).astype(np.float64),
        "customer_id": np.array([f"c{i}" for i in random.integers(0, max(1, n // 2) + 1, n)], dtype=object),
    }
    remedies = []
    for j in range(int(random.integers(1, 5))):
        value = {
            "continuous": random.normal(4.0, 4.0, n),
            "whole": random.integers(-3, 10, n).astype(np.float64),
            "equal": np.ones(n),
        }[kind]
        value[random.random(n) < 0.03] = np.nan
        columns[f"value_{j}"] = value
        columns[f"cost_{j}"] = np.ones(n) if kind == "equal" else random.integers(0, 5, n).astype(np.float64)
        columns[f"may_{j}"] = random.random(n) < 0.8
        uses: dict[str, str | float] = {"budget": f"cost_{j}", "hours": 1.5}
        remedies.append(Remedy(f"remedy {j}", value=f"value_{j}", uses=uses, eligible=f"may_{j}"))
    if random.random() < 0.5 and len(remedies) > 1:
        rules = (
            {"requires": {"remedy 1": "remedy 0"}}
            if random.random() < 0.5
            else {"excludes": [("remedy 0", "remedy 1")]}
        )
        remedies = packages(remedies, keeps=0.8, **rules)

    def tier(share: float) -> dict[str, float]:
        if random.random() > share:
            return {}
        given = {"penalty": float(random.choice([0.0, 0.5, 1.0, 2.0, 5.0]))}
        return given | ({"beyond": float(random.integers(0, 8))} if may_fail and random.random() < 0.5 else {})

    soft = 0.4 if may_fail else 1.0
    limits = [
        Resource("budget", float(np.round(random.uniform(0, 2) * n, 2)), **tier(0.4)),
        Resource("hours", float(np.round(random.uniform(0, 1) * n, 2)), **tier(0.4)),
        Cap("remedy 0", count=int(random.integers(0, n + 1)), **tier(0.4)),
        Cap(where="segment == 2", share=float(random.uniform(0.2, 1.0)), **tier(0.2)),
        Floor("segment == 1", share=float(random.uniform(0, 0.5)), **tier(soft)),
        Floor(count=int(random.integers(0, n // 4 + 1)), **tier(soft)),
    ]
    if random.random() < 0.6:
        limits.append(Ratio("segment == 1", least=float(random.uniform(0, 1.2)), to="segment == 2", **tier(soft)))
    frequency: tuple[Frequency, ...] = ()
    one_per = "customer_id" if random.random() < 0.6 else None
    if one_per and random.random() < 0.5:
        contacts = random.integers(0, max(1, n // 2) + 1, n)
        days = pd.to_datetime(random.integers(0, 60, n), unit="D", origin="2024-02-01", utc=True)
        history = pd.DataFrame({"customer_id": [f"c{i}" for i in contacts], "time": days})
        frequency = (Frequency(history, most=2, days=30, at="2024-03-31T00:00+00:00"),)
    holdout = Holdout(0.2, by="segment", random_state=seed) if random.random() < 0.3 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # values are missing on purpose
        return Problem(pd.DataFrame(columns), remedies, limits, one_per=one_per, holdout=holdout, frequency=frequency)


def own_model(problem: Problem, *, whole: bool, gap: float = 1e-9, seconds: float = 60.0) -> tuple[float, float] | None:
    """Solve a problem by a model of its own: value and bound; None where no plan keeps the limits."""
    arrays = problem.arrays()
    case, remedy = np.nonzero(arrays.eligible)
    n, n_rows = len(case), len(problem.limits)
    cost = [limit.penalty or 0.0 for limit in problem.limits]
    most = [0.0 if limit.penalty is None else limit.beyond for limit in problem.limits]
    parts, low, high = [], [], []
    for i, row in enumerate(arrays.rows):
        upward = row.sense == "<="
        line = np.zeros(n + n_rows)
        line[:n] = row.coefficients.toarray()[case, remedy]
        line[n + i] = -1.0 if upward else 1.0
        parts.append(line)
        low.append(-np.inf if upward else row.bound)
        high.append(row.bound if upward else np.inf)
    for group in np.unique(arrays.group[case]):
        parts.append(np.append(arrays.group[case] == group, np.zeros(n_rows)))
        low.append(-np.inf)
        high.append(1.0)
    result = optimize.milp(
        np.append(-arrays.value[case, remedy], cost),
        integrality=np.append(np.full(n, int(whole)), np.zeros(n_rows)),
        bounds=optimize.Bounds(0, np.append(np.ones(n), most)),
        constraints=optimize.LinearConstraint(sparse.csc_array(np.array(parts)), low, high),
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )
    if result.status == 2:
        return None
    bound = result.fun if result.mip_dual_bound is None else result.mip_dual_bound
    return -float(result.fun), -float(bound)
