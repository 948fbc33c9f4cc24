"""How many cases would get something else if the values were a little different."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.remediation._completion import complete
from crmkit.remediation._relaxation import relax_near
from crmkit.remediation.uncertain._noise import Noise
from crmkit.remediation.uncertain._risk import shares_of
from crmkit.remediation.uncertain._scenarios import draws

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._plan import Plan

    Floats = npt.NDArray[np.float64]

__all__ = ["stability"]

_CHUNK = 20


def stability(plan: Plan, *, n: int, random_state: Any, exact: bool) -> Estimate:
    """Give the share of cases whose remedy changes when values move by their errors.

    Parameters
    ----------
    plan, n, random_state, exact
        As in :meth:`Plan.stability`.

    Returns
    -------
    Estimate
        The share.

    Raises
    ------
    DataError
        If no remedy has an error, no case can be planned, or the plan divides cases.
    ValueError
        If ``n`` is below 2.
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, so that an interval can be given, got {n}")
    problem = plan.problem
    noise, options = Noise.of(problem), problem.options()
    planned = int(np.sum(~problem.held_out))
    if not noise.any or not planned:
        raise DataError(
            "no remedy of a case that is planned has an error: give Remedy(error=) or Remedy(shared_error=)"
        )
    own = shares_of(plan, problem)
    prices = np.maximum(plan.duals * options.sign, 0.0)
    at_prices = _best_at(options, prices, options.value)
    random = np.random.RandomState(random_state) if not hasattr(random_state, "standard_normal") else random_state
    shares: list[float] = []
    while len(shares) < n:
        for value in draws(options.value, noise, min(_CHUNK, n - len(shares)), random):
            before = own if exact else at_prices
            after = _replanned(plan, options, value) if exact else _best_at(options, prices, value)
            shares.append(_changed(options, before, after) / planned)
    rate = float(np.mean(shares))
    # Mirrored pairs are not independent of each other: the interval counts pairs.
    pairs = len(shares) // 2
    spread = np.std([np.mean(shares[i : i + 2]) for i in range(0, 2 * pairs, 2)], ddof=1) if pairs > 1 else np.nan
    room = float(student.ppf(0.975, pairs - 1) * spread / np.sqrt(pairs)) if pairs > 1 else np.nan
    method = "re-planned" if exact else "at the plan's prices"
    return Estimate(rate, n=n, low=max(rate - room, 0.0), high=min(rate + room, 1.0), method=method)


def _best_at(options: Options, prices: Floats, value: Floats) -> Floats:
    """Give each group its best option at the prices, where that gains anything."""
    adjusted = replace(options, value=value).adjusted(prices)
    top = options.best(adjusted)[options.group]
    leads = np.flatnonzero((adjusted >= top) & (top > 0))
    # Of options exactly tied the first is taken.
    first = leads[np.unique(options.group[leads], return_index=True)[1]]
    share = np.zeros(options.n_options)
    share[first] = 1.0
    return share


def _replanned(plan: Plan, options: Options, value: Floats) -> Floats:
    """Plan anew with other values."""
    moved = replace(options, value=value)
    relaxed = relax_near(moved, plan.relaxed())
    done = None if relaxed is None else complete(moved, relaxed, gap=1e-4, nodes=100, time_limit=60.0)
    if done is None or done.share is None:
        raise DataError("no whole plan was found with moved values; leave exact=False")
    return done.share


def _changed(options: Options, before: Floats, after: Floats) -> int:
    """Count the cases that get something else."""
    return len(np.unique(options.case[before != after]))
