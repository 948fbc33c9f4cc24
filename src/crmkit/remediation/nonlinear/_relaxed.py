"""Prices for continuous intensities: a few levels are planned, better ones are taken at their prices, and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation._relaxation import POSITIVE, relax
from crmkit.remediation.dual._prices import find_prices
from crmkit.remediation.nonlinear._best import best_intensity
from crmkit.remediation.nonlinear._least import least_levels
from crmkit.remediation.nonlinear._levels import levelled, without_twins

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._best import Best
    from crmkit.remediation.nonlinear._levels import Levels
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]

__all__ = ["Found", "bound_at", "find_levels"]

LARGE = 8_000
"""Above so many options prices by passes are found sooner than by a linear programme."""

_FIRST = 5
_ROUNDS = 14
_MOST_LEVELS = 14
_NEAR_SHARE, _NEAR_GROUPS = 0.01, 600


class Found(NamedTuple):
    """Prices near the best ones of the problem in which cases may be divided, and what they prove.

    Parameters
    ----------
    duals : ndarray, shape (n_limits,)
        In the limits' own direction.
    bound : float
        What no plan can exceed, whatever its intensities.
    inner : float
        What divided plans with the last levels are worth, about.
    intensities : list of ndarray
        The best of each response at the prices.
    levels : Levels
        The last levels, those of the prices among them.
    rounds : int
        How often prices were found.
    """

    duals: Floats
    bound: float
    inner: float
    intensities: list[Floats]
    levels: Levels
    rounds: int


class _Line:
    """The levels of one response and how far apart they are."""

    def __init__(self, response: Response, start: Floats | None) -> None:
        self.response = response
        width = response.high - response.low
        self.step = width / (_FIRST - 1)
        self.least = least_levels(response)
        even = [response.low + share * width for share in np.linspace(0.0, 1.0, _FIRST)]
        self.levels = [*even, *self.least[1:]]
        self.best = 0.5 * (response.low + response.high)
        if start is not None:
            self.move(start, large=True)

    def move(self, best: Floats, *, large: bool, keep: Sequence[Floats] = ()) -> None:
        """Go to better intensities: with levels around them that are the nearer the less they moved."""
        moved = np.abs(best - self.best)
        self.step = np.clip(moved, 0.1 * self.step, 0.5 * self.step)
        around = [*self.least, best, best - self.step, best + self.step, self.best]
        if not large:
            around += [self.response.high, *keep]
        self.best = best
        self.levels = around


def bound_at(
    problem: Problem, lines: Sequence[Response], duals: Floats, starts: Sequence[Floats | None]
) -> tuple[float, list[Best]]:
    """Prove what no plan can exceed by prices, each case at its best intensity for them.

    Parameters
    ----------
    problem : Problem
        With open intensities.
    lines : sequence of Response
        Concave ones.
    duals : ndarray, shape (n_limits,)
        Prices in the limits' own direction.
    starts : sequence of (ndarray or None)
        Intensities near the best ones.

    Returns
    -------
    tuple
        The bound and the best intensities.
    """
    best = [
        best_intensity(response, response.prices(duals), start) for response, start in zip(lines, starts, strict=True)
    ]
    at_best = levelled(problem, [(response, [each.intensity]) for response, each in zip(lines, best, strict=True)])
    slack = np.zeros(problem.n_cases)
    for response, each in zip(lines, best, strict=True):
        slack[response.case] = np.maximum(slack[response.case], each.slack)
    return at_best.problem.bound_at(duals) + float(np.sum(slack[~problem.held_out])), best


def find_levels(
    problem: Problem, lines: Sequence[Response], *, gap: float, start: tuple[Floats, list[Floats]] | None = None
) -> Found | None:
    """Find prices at which the bound on all intensities and the worth of a few levels meet.

    Parameters
    ----------
    problem : Problem
        With open intensities.
    lines : sequence of Response
        Concave ones.
    gap : float
        How near they are to come, relative to the worth.
    start : tuple or None
        Prices of a similar problem, and the best intensities at them.

    Returns
    -------
    Found or None
        None where the levels, the least of each remedy among them, leave no divided plan.
    """
    states = [_Line(response, None if start is None else start[1][i]) for i, response in enumerate(lines)]
    duals = None if start is None else start[0]
    lowest: tuple[float, Floats, list[Floats]] | None = None
    used: list[list[Floats]] = [[] for _ in lines]
    inner, number = -np.inf, 0
    for number in range(1, _ROUNDS + 1):
        levels = levelled(problem, [(state.response, without_twins(state.response, state.levels)) for state in states])
        large = _n_options(levels.problem) > LARGE
        priced = _by_passes(levels, duals) if large else _by_programme(levels)
        if priced is None:
            return None
        duals, inner, taken = priced
        bound, best = bound_at(problem, lines, duals, [None if number == 1 else state.best for state in states])
        if lowest is None or bound < lowest[0]:
            lowest = bound, duals, [each.intensity for each in best]
        if lowest[0] - inner <= gap * max(1.0, abs(inner)):
            break
        for i, (state, each) in enumerate(zip(states, best, strict=True)):
            used[i] = (taken[i] + used[i])[: _MOST_LEVELS - 6]
            state.move(each.intensity, large=large, keep=used[i])
    assert lowest is not None  # noqa: S101 -- there is at least one round
    around = [
        (state.response, without_twins(state.response, [at, *state.levels]))
        for state, at in zip(states, lowest[2], strict=True)
    ]
    return Found(lowest[1], lowest[0], inner, lowest[2], levelled(problem, around), number)


def _n_options(problem: Problem) -> int:
    """Count the options that may be taken."""
    return int(np.count_nonzero(np.isfinite(problem.worth())))


def _by_programme(levels: Levels) -> tuple[Floats, float, list[list[Floats]]] | None:
    """Solve the divided plan of the levels exactly; its prices, its worth and the levels that it takes."""
    options = levels.problem.options()
    relaxed = relax(options)
    if relaxed is None:
        return None
    some = np.zeros(levels.problem.worth().shape, dtype=bool)
    there = relaxed.share > POSITIVE
    some[options.case[there], options.remedy[there]] = True
    taken = []
    for response, arrays in levels.intensities:
        first = int(np.argmax(levels.remedy == response.remedy))
        kept = [np.where(some[response.case, first + k], level, np.nan) for k, level in enumerate(arrays)]
        taken.append([level for level in kept if not np.isnan(level).all()])
    return relaxed.prices * options.sign, relaxed.value, taken


def _by_passes(levels: Levels, duals: Floats | None) -> tuple[Floats, float, list[list[Floats]]]:
    """Find prices of many levels by passes over the cases; its bound is about what divided plans are worth."""
    blocks = levels.problem.blocks()
    start = None if duals is None else np.maximum(duals[blocks.rows] * blocks.sign, 0.0)
    enough = int(np.clip(_NEAR_SHARE * blocks.n_groups, 4 * blocks.n_rows, _NEAR_GROUPS))
    found = find_prices(blocks, enough=enough, start=start)
    return blocks.full(found.best), found.bound, [[] for _ in levels.intensities]
