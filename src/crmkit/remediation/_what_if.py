"""What a plan would keep if one limit were another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._completion import complete
from crmkit.remediation._relaxation import relax_near

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]

__all__ = ["what_if", "what_if_replanned"]

_GAP = 2e-4
_NODES = 50
_SECONDS = 30.0


def what_if(problem: Problem, near: Relaxed, limit: str, values: Sequence[float], *, fractional: bool) -> pd.DataFrame:
    """Plan again for each value of one limit, each time starting from the plan before.

    Parameters
    ----------
    problem : Problem
        What was planned.
    near : Relaxed
        Its divided plan.
    limit : str
        Which limit.
    values : sequence of float
        What it would be.
    fractional : bool
        Whether cases may be divided.

    Returns
    -------
    pandas.DataFrame
        Indexed by the values: ``value``, ``bound``, ``gap``.

    Raises
    ------
    DataError
        If there is no such limit.
    """
    lines = np.full((len(values), 3), np.nan)
    for i, amount in enumerate(values):
        options = problem.with_bounds({limit: float(amount)}).options()
        relaxed = relax_near(options, near)
        if relaxed is None:
            lines[i] = np.nan, -np.inf, np.nan
            continue
        near = relaxed
        value, bound = relaxed.value, relaxed.bound
        if not fractional:
            done = complete(options, relaxed, gap=_GAP, nodes=_NODES, time_limit=_SECONDS)
            value, bound = (np.nan if done.share is None else done.value), done.bound
        lines[i] = value, bound, (bound - value) / max(1.0, abs(value))
    index = pd.Index(np.asarray(values, dtype=np.float64), name=limit)
    return pd.DataFrame(lines, index=index, columns=["value", "bound", "gap"])


def what_if_replanned(
    problem: Problem, replan: Callable[[Problem, Floats], Plan], duals: Floats, limit: str, values: Sequence[float]
) -> pd.DataFrame:
    """Plan a large problem again for each value of one limit, from the prices of the plan before.

    Parameters
    ----------
    problem : Problem
        What was planned.
    replan : callable
        Plans a similar problem from known prices.
    duals : ndarray, shape (n_limits,)
        The prices.
    limit : str
        Which limit.
    values : sequence of float
        What it would be.

    Returns
    -------
    pandas.DataFrame
        As from :func:`what_if`.

    Raises
    ------
    DataError
        If there is no such limit.
    """
    lines = np.full((len(values), 3), np.nan)
    for i, amount in enumerate(values):
        try:
            made = replan(problem.with_bounds({limit: float(amount)}), duals)
        except InfeasiblePlanError:
            lines[i] = np.nan, -np.inf, np.nan
            continue
        duals = made.duals
        lines[i] = made.value, made.bound, made.gap
    index = pd.Index(np.asarray(values, dtype=np.float64), name=limit)
    return pd.DataFrame(lines, index=index, columns=["value", "bound", "gap"])
