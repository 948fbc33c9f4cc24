"""A choice of remedies: what it leaves of the limits, its best intensities, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation.nonlinear._least import least_levels
from crmkit.remediation.nonlinear._polish import Chosen, polish

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Made", "chosen_of", "filled", "n_options", "polished"]


class Made(NamedTuple):
    """A choice of remedies with intensities that keep the limits, and what it is worth."""

    remedy: Ints
    intensity: Floats
    value: float
    duals: Floats


def n_options(problem: Problem) -> int:
    """Count the options that may be taken."""
    return int(np.count_nonzero(np.isfinite(problem.worth())))


def filled(lines: list[Response], intensities: list[Floats], shape: tuple[int, int]) -> Floats:
    """Give intensities of each response as one table."""
    result = np.full(shape, np.nan)
    for response, at in zip(lines, intensities, strict=True):
        result[response.case, response.remedy] = at
    return result


def chosen_of(problem: Problem, lines: list[Response], remedy: Ints, intensity: Floats) -> Chosen:
    """Collect the responses that were chosen, and what everything else leaves of the limits."""
    where = [np.flatnonzero(remedy[response.case] == response.remedy) for response in lines]
    responses = [response.take(at) for response, at in zip(lines, where, strict=True)]
    at = [intensity[response.case, response.remedy] for response in responses]
    limits = problem.tableau().limits
    room = np.full(len(limits), np.inf)
    varying = set[int]().union(*(response.rows.tolist() for response in lines))
    case = np.arange(problem.n_cases)
    for row in varying:
        # What is not planned anew uses the same at any intensity.
        other = remedy.copy()
        for response in responses:
            if row in response.rows:
                other[response.case] = -1
        room[row] = limits[row].bound - float(np.sum(limits[row].coefficients.at(case, other)))
    return Chosen(responses, at, room)


def polished(problem: Problem, lines: list[Response], remedy: Ints, intensity: Floats, duals: Floats) -> Made | None:
    """Choose the intensities of a choice of remedies anew; None where none were found that keep the limits."""
    chosen = chosen_of(problem, lines, remedy, intensity)
    if not chosen.within(chosen.worth(chosen.intensity)[1]):
        least = [least_levels(response) for response in chosen.responses]
        ways = [[each[min(k, len(each) - 1)] for each in least] for k in range(max(map(len, least), default=0))]
        kept = [way for way in ways if chosen.within(chosen.worth(way)[1])]
        if not kept:
            return None
        chosen = chosen._replace(intensity=kept[0])
    best, prices = polish(chosen, duals)
    result = np.full(intensity.shape, np.nan)
    for response, at in zip(chosen.responses, best, strict=True):
        result[response.case, response.remedy] = at
    value, _ = chosen.worth(best)
    plain = np.flatnonzero((remedy >= 0) & ~np.isin(remedy, [response.remedy for response in lines]))
    value += float(np.sum(problem.tableau().value[plain, remedy[plain]]))
    # Prices of limits that no intensity changes stay as they are.
    varying = np.zeros(len(prices), dtype=bool)
    for response in lines:
        varying[response.rows] = True
    return Made(remedy, result, value, np.where(varying, prices, duals))
