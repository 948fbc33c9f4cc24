"""Intensities at the prices of a plan that stands: for its own prices, and for new cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation._intensities import range_of
from crmkit.remediation._relaxation import Relaxed, relax
from crmkit.remediation._tableau import Tableau
from crmkit.remediation.nonlinear._best import best_intensity
from crmkit.remediation.nonlinear._grid import best_on_grid
from crmkit.remediation.nonlinear._levels import levelled, without_twins
from crmkit.remediation.nonlinear._responses import Response, responses_of
from crmkit.remediation.nonlinear._shape import concave_cases

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._options import Options
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._terms import Limit, Remedy

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["best_of_new", "near_options"]

_BESIDE = 1e-3
_LEVELS = 33
_NEAREST, _SOME = 1_000, 1_000


def near_options(plan: Plan) -> tuple[Options, Relaxed, Ints]:
    """Give options at a plan's intensities and a thousandth of the range beside them, with their divided plan.

    Their prices are those of limits that move a little while intensities follow. Of large problems the groups nearest
    a tie and some others may move, and all the rest keeps what the plan gives.

    Parameters
    ----------
    plan : Plan
        Whose intensities were chosen.

    Returns
    -------
    tuple
        Options, divided plan, and which limit each row is.
    """
    at = plan.problem.intensities
    assert at is not None  # noqa: S101 -- the plan's problem stands at intensities
    problem = plan.problem.with_open_intensities()
    moving = _moving(plan)
    levels = []
    for response in responses_of(problem):
        part = response.take(np.flatnonzero(moving[response.case]))
        own = at[part.case, part.remedy]
        best = best_intensity(part, part.prices(plan.duals)).intensity
        step = _BESIDE * (part.high - part.low)
        # The ends matter where a little more of one amount is a lot of another, as for straight responses.
        levels.append((part, without_twins(part, [own, own - step, own + step, best, part.low, part.high])))
    near = levelled(problem, levels).problem
    value = np.where(moving[:, None], near.tableau().value, -np.inf)
    options = near.recast(near.remedies, Tableau(value, near.tableau().limits)).options()
    case = np.flatnonzero(~moving & (plan.choice >= 0))
    limits = plan.problem.tableau().limits
    kept = np.array([np.sum(limit.coefficients.at(case, plan.choice[case])) for limit in limits], dtype=np.float64)
    options = options.with_bound(options.bound - options.sign * kept)
    found = relax(options)
    blank = Relaxed(np.zeros(options.n_options), np.zeros(len(options.bound)), 0.0, np.inf)
    return options, blank if found is None else found, np.arange(len(options.bound))


def _moving(plan: Plan) -> npt.NDArray[np.bool_]:
    """Say which cases may get something else: all of few, else whole groups nearest a tie and some drawn evenly."""
    problem = plan.problem
    if problem.n_cases <= _NEAREST + _SOME:
        return np.ones(problem.n_cases, dtype=bool)
    lead = np.abs(plan.table["lead"].to_numpy(dtype=np.float64))
    near = np.argpartition(lead, _NEAREST)[:_NEAREST]
    some = np.arange(0, problem.n_cases, max(1, problem.n_cases // _SOME))
    return np.asarray(np.isin(problem.group, problem.group[np.concatenate([near, some])]))


def best_of_new(remedies: tuple[Remedy, ...], limits: tuple[Limit, ...], table: pd.DataFrame, duals: Floats) -> Floats:
    """Find the best intensities of new cases at prices.

    Parameters
    ----------
    remedies, limits : tuple
        Of the plan.
    table : pandas.DataFrame
        New cases.
    duals : ndarray, shape (n_limits,)
        What one more unit of each limit is worth.

    Returns
    -------
    ndarray, shape (n_cases, n_remedies)
        NaN where there is no range; the least where something is unknown at some intensity.
    """
    result = np.full((len(table), len(remedies)), np.nan)
    for j, remedy in enumerate(remedies):
        if remedy.intensity is None:
            continue
        there = np.flatnonzero(~np.isnan(range_of(table, remedy)[0]))
        response = Response.of(table, j, remedy, limits, there)
        prices = response.prices(duals)
        known = np.isfinite(response.at(response.low).value) & np.isfinite(response.at(response.high).value)
        result[response.case, response.remedy] = response.low
        sure = response.take(np.flatnonzero(known))
        bent = ~concave_cases(sure)
        at = best_intensity(sure, prices).intensity
        at[bent] = best_on_grid(sure.take(np.flatnonzero(bent)), prices, _LEVELS)
        result[sure.case, sure.remedy] = at
    return result
