"""Plans of responses that are not concave: many levels, then the best nearby; nothing is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._plan import Plan
from crmkit.remediation.nonlinear._choice import chosen_of, filled
from crmkit.remediation.nonlinear._grid import best_on_grid, grid
from crmkit.remediation.nonlinear._least import impossible, least_levels
from crmkit.remediation.nonlinear._levels import levelled, without_twins
from crmkit.remediation.nonlinear._local import MOST_PAIRS, climb

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._concave import Effort
    from crmkit.remediation.nonlinear._levels import Levels
    from crmkit.remediation.nonlinear._responses import Response

    Bools = npt.NDArray[np.bool_]

__all__ = ["local_plan"]

_MANY_OPTIONS = 3_000_000


def local_plan(problem: Problem, lines: list[Response], bent: list[Bools], effort: Effort) -> Plan:
    """Plan many levels, and improve the intensities chosen by a solver for smooth problems."""
    shape = (problem.n_cases, len(problem.remedies))
    n_pairs = max(sum(response.n_pairs for response in lines), 1)
    n_levels = int(np.clip(_MANY_OPTIONS // n_pairs, 5, 33))
    peaks = [least_levels(response) for response in lines]
    arrays = [[*grid(response, n_levels), *least[1:]] for response, least in zip(lines, peaks, strict=True)]
    tried: list[tuple[Plan, Levels]] = []
    for _ in range(2):
        levels = levelled(problem, list(zip(lines, arrays, strict=True)))
        try:
            tried.append((effort.auto().plan(levels.problem), levels))
        except InfeasiblePlanError as error:
            raise impossible(problem) from error
        duals = tried[-1][0].duals
        peaks = [[best_on_grid(response, response.prices(duals), n_levels)] for response in lines]
        arrays = [
            without_twins(response, [*grid(response, n_levels), *peak])
            for response, peak in zip(lines, peaks, strict=True)
        ]
    whole, levels = max(tried, key=lambda made: made[0].value)
    remedy, intensity = levels.chosen(whole.choice, shape)
    chosen = chosen_of(problem, lines, remedy, intensity)
    count = sum(response.n_pairs for response in chosen.responses)
    if 0 < count <= MOST_PAIRS:
        for response, at in zip(chosen.responses, climb(chosen), strict=True):
            intensity[response.case, response.remedy] = at
        how = f"{n_levels} levels of each, then a trust-region method"
    else:
        how = f"{n_levels} levels of each and the best between them"
    cases = np.zeros(problem.n_cases, dtype=bool)
    for response, each in zip(lines, bent, strict=True):
        cases[response.case[each]] = True
    names = [
        f"{problem.remedy_names[response.remedy]!r} {int(each.sum()):,}"
        for response, each in zip(lines, bent, strict=True)
        if each.any()
    ]
    rest = filled(lines, [peak[0] for peak in peaks], shape)
    fixed = problem.at_intensities(np.where(np.isnan(intensity), rest, intensity))
    bends = f"not concave for {int(cases.sum()):,} of {problem.n_cases:,} cases ({', '.join(names)})"
    notes = [f"local: the response is {bends}, so that nothing is proved of other intensities", how]
    plan = Plan.from_choice(fixed, remedy, prices=whole.duals, planner="nonlinear (local)", notes=notes)
    return plan.with_chosen_intensities(np.inf)
