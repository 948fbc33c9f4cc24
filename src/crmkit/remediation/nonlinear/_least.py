"""The least that each remedy can use: limits that even this breaks are in conflict at every intensity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import ConvergenceError, InfeasiblePlanError
from crmkit.remediation._auto import AutoPlanner
from crmkit.remediation._coefficients import Coefficients, kept
from crmkit.remediation._tableau import Tableau
from crmkit.remediation.nonlinear._best import best_intensity
from crmkit.remediation.nonlinear._responses import Response, responses_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["at_least_use", "impossible", "least_levels"]

_POINTS = 33


def at_least_use(problem: Problem) -> Problem:
    """Give the ordinary problem in which each remedy uses the least of each resource that any intensity uses.

    Limits that leave no plan of it leave none of the problem itself. Where one resource is saved by less intensity and
    another by more, the reverse need not hold.

    Parameters
    ----------
    problem : Problem
        With open intensities.

    Returns
    -------
    Problem
        Its values are those at the least intensities and do not matter.
    """
    tableau = problem.tableau()
    amounts = [dict(limit.coefficients.amounts) for limit in tableau.limits]
    for response in responses_of(problem):
        for k, row in enumerate(response.rows):
            alone = _alone(response, k)
            least = alone.at(best_intensity(alone, np.ones(1)).intensity).uses[0]
            # Uses that are not convex may be less elsewhere.
            for share in np.linspace(0.0, 1.0, _POINTS):
                least = np.minimum(least, alone.at(alone.low + share * (alone.high - alone.low)).uses[0])
            whole = np.zeros(problem.n_cases)
            whole[response.case] = least
            amounts[row][response.remedy] = kept(whole, np.ones(problem.n_cases, dtype=bool))
    limits = [
        limit._replace(coefficients=Coefficients(found)) for limit, found in zip(tableau.limits, amounts, strict=True)
    ]
    remedies = [replace(remedy, intensity=None) for remedy in problem.remedies]
    return problem.recast(remedies, Tableau(tableau.value, limits))


def least_levels(response: Response) -> list[Floats]:
    """Give the intensities at which a remedy uses least of each resource: the least, and others where they use less.

    Parameters
    ----------
    response : Response
        One remedy for some cases.

    Returns
    -------
    list of ndarray
        The least intensity first.
    """
    levels = [response.low]
    for k in range(len(response.rows)):
        alone = _alone(response, k)
        at = best_intensity(alone, np.ones(1)).intensity
        if np.any(alone.at(at).uses[0] < alone.at(response.low).uses[0]):
            levels.append(at)
    return levels


def _alone(response: Response, k: int) -> Response:
    """Give the use of one resource as a response that is worth nothing."""
    return Response(
        response.remedy,
        response.case,
        response.low,
        response.high,
        response.rows[[k]],
        ["0.0", response.formulas[1 + k]],
        response.columns,
    )


def impossible(problem: Problem) -> Exception:
    """Say why there is no plan: a conflict that no intensity avoids, where there is one."""
    try:
        AutoPlanner().plan(at_least_use(problem))
    except InfeasiblePlanError as error:
        return error
    return ConvergenceError(
        "no plan was found at the intensities tried, though each limit alone could be kept at some intensity: widen "
        "the limits, or split the remedy that saves one resource while it uses more of another",
        parameter="intensity",
    )
