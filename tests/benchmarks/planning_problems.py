"""Seeded planning problems of any size: nine limits, or 291 of them, with values of several kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmkit.remediation import Floor, Problem, Remedy, Resource

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
