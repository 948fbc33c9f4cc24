"""Whole plans of concave responses at known prices: of few cases by search, of many by prices."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._auto import AutoPlanner
from crmkit.remediation.dual import DualPlanner
from crmkit.remediation.nonlinear._choice import Made, n_options, polished
from crmkit.remediation.nonlinear._grid import grid
from crmkit.remediation.nonlinear._least import impossible
from crmkit.remediation.nonlinear._levels import levelled, without_twins
from crmkit.remediation.nonlinear._relaxed import bound_at
from crmkit.remediation.nonlinear._whole import choose_remedies

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._levels import Levels
    from crmkit.remediation.nonlinear._relaxed import Found
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]

__all__ = ["Effort", "large_plan", "small_plan"]

_MIXED_OPTIONS = 3_000
_MOST_EXTRA = 17
_TRIES = 4


class Effort(NamedTuple):
    """How far to search, as in :class:`NonlinearPlanner`.

    Parameters
    ----------
    gap, nodes, time_limit
        Its parameters.
    """

    gap: float
    nodes: int
    time_limit: float

    def auto(self) -> AutoPlanner:
        """Give the planner of ordinary problems."""
        return AutoPlanner(gap=self.gap, nodes=self.nodes, time_limit=self.time_limit)


def large_plan(problem: Problem, lines: list[Response], found: Found, effort: Effort) -> Made:
    """Make a whole plan by prices and polish it: at the best intensities, and of more levels where that is far off.

    With levels side by side the cases nearest a tie are those between two levels of one remedy, which polishing
    settles anyway; the ties that matter are between remedies.
    """
    planner = DualPlanner(nodes=effort.nodes, time_limit=effort.time_limit)
    single = levelled(problem, [(line, [at]) for line, at in zip(lines, found.intensities, strict=True)])
    best: Made | None = None
    for levels in (single, found.levels):
        try:
            whole = planner._planned(levels.problem, start=found.duals)  # noqa: SLF001 -- from known prices
        except InfeasiblePlanError as error:
            if levels is single:
                continue
            if best is None:
                raise impossible(problem) from error
            break
        shape = (problem.n_cases, len(problem.remedies))
        made = polished(problem, lines, *levels.chosen(whole.choice, shape), found.duals)
        assert made is not None  # noqa: S101 -- the whole plan kept the limits
        if best is None or made.value > best.value:
            best = made._replace(duals=whole.duals)
        if found.bound - best.value <= effort.gap * max(1.0, abs(best.value)):
            break
    assert best is not None  # noqa: S101 -- raised above else
    return best


def small_plan(problem: Problem, lines: list[Response], found: Found, effort: Effort) -> Made:
    """Search a whole plan of few levels and polish it, again with the levels that it suggests."""
    n_pairs = max(sum(response.n_pairs for response in lines), 1)
    extra = int(np.clip(_MIXED_OPTIONS // n_pairs, 2, _MOST_EXTRA))
    arrays = [
        [*levels, *grid(response, extra)] if extra > 2 else list(levels)
        for response, levels in found.levels.intensities
    ]
    best: Made | None = None
    end = perf_counter() + float(effort.time_limit)
    for _ in range(_TRIES):
        levels = levelled(
            problem,
            [(response, without_twins(response, each)) for response, each in zip(lines, arrays, strict=True)],
        )
        made = _whole(problem, lines, levels, found.duals, effort._replace(time_limit=max(end - perf_counter(), 1.0)))
        if made is None and best is None:
            raise impossible(problem)
        better = made is not None and (best is None or made.value > best.value * (1 + np.sign(best.value) * 1e-9))
        best = made if better else best
        assert best is not None  # noqa: S101 -- raised above else
        close = found.bound - best.value <= effort.gap * max(1.0, abs(best.value))
        if close or not better or perf_counter() > end:
            break
        _, at = bound_at(problem, lines, best.duals, [None] * len(lines))
        for i, (response, each) in enumerate(zip(lines, at, strict=True)):
            own = best.intensity[response.case, response.remedy]
            arrays[i] = [own, each.intensity, *arrays[i]]
    assert best is not None  # noqa: S101 -- at least one try
    return best


def _whole(problem: Problem, lines: list[Response], levels: Levels, duals: Floats, effort: Effort) -> Made | None:
    """Make one whole plan of levels, and polish it; None where they leave none."""
    shape = (problem.n_cases, len(problem.remedies))
    if n_options(levels.problem) <= 2 * _MIXED_OPTIONS:
        # Many problems are small: the search of remedies with mixed levels loses nothing to their spacing.
        mixed = choose_remedies(levels, gap=0.1 * effort.gap, nodes=10 * effort.nodes, time_limit=effort.time_limit)
        made = None if mixed is None else polished(problem, lines, *mixed, duals)
        if made is not None:
            return made
    try:
        whole = effort.auto().plan(levels.problem)
    except InfeasiblePlanError:
        return None
    return polished(problem, lines, *levels.chosen(whole.choice, shape), duals)
