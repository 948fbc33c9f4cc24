"""Finds the best whole plan of a family of problems in one parameter, and proves how far it can be from the best."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from crmkit.remediation._completion import complete
from crmkit.remediation._relaxation import POSITIVE, Relaxed
from crmkit.remediation.uncertain._whole import near_groups, search_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.uncertain._programme import Divided, Programme

    Floats = npt.NDArray[np.float64]

__all__ = ["Family", "Proved", "best_of_family", "whole_near"]

_FEW_GROUPS = 300
_NEAR = 40
_ROUNDS = 3
_ASCENT = 8
_COMPLETIONS = 3


class Family(Protocol):
    """Problems whose best plan, over all values of a parameter, is the best plan under uncertainty."""

    def worth(self, share: Floats) -> float:
        """Give the uncertain objective of a whole plan itself."""
        ...

    def parameter(self, share: Floats) -> float:
        """Give the parameter at which the problem's objective of a plan is the uncertain objective."""
        ...

    def at(self, parameter: float) -> tuple[Programme, float]:
        """Give the problem at a parameter, and what is to be added to its value."""
        ...

    def everything(self) -> tuple[float, float]:
        """Give an interval outside which no plan has its parameter."""
        ...

    def over(self, low: float, high: float) -> list[tuple[Programme, float]]:
        """Give problems of which one at least is worth more than any plan whose parameter is in the interval."""
        ...

    def split(self, low: float, high: float, at: float) -> list[tuple[float, float]]:
        """Give smaller intervals that cover it, none where it cannot be split."""
        ...


@dataclass(frozen=True)
class Proved:
    """A whole plan with its uncertain objective and what no whole plan can exceed.

    Parameters
    ----------
    share : ndarray, shape (n_options,)
        0 and 1.
    value, bound : float
        The objective.
    solved : int
        How many programmes were solved.
    """

    share: Floats
    value: float
    bound: float
    solved: int


def whole_near(
    programme: Programme, divided: Divided, *, gap: float, nodes: int, time_limit: float
) -> tuple[Floats | None, float]:
    """Make a whole plan from a divided one, with what no whole plan can exceed in this programme.

    Parameters
    ----------
    programme : Programme
        The objective.
    divided : Divided
        Its divided plan.
    gap : float
        Stop when the plan is proved to be within this of the best, relative to its value.
    nodes : int
        Nodes of branch and bound for each search.
    time_limit : float
        Seconds.

    Returns
    -------
    tuple
        The plan, None where none was found; and the bound.
    """
    end = perf_counter() + time_limit
    relaxed = Relaxed(divided.share, divided.prices, divided.value, divided.plain.dual(divided.prices))
    if programme.terms:
        return _whole_by_cuts(programme, divided, relaxed, gap, nodes, end)
    done = complete(programme.options, relaxed, gap=gap, nodes=nodes, time_limit=time_limit)
    return done.share, min(divided.bound, done.bound)


def _whole_by_cuts(
    programme: Programme, divided: Divided, relaxed: Relaxed, gap: float, nodes: int, end: float
) -> tuple[Floats | None, float]:
    """Plan at the values at which the divided plan is best, then search near it under the cuts."""
    slack = 0.5 * gap * divided.plain.size(divided.value)
    found = complete(divided.plain, relaxed, gap=gap, nodes=nodes, time_limit=0.5 * (end - perf_counter())).share
    if found is not None and divided.bound - programme.worth(found) <= slack:
        return found, divided.bound
    everything = divided.plain.n_groups <= _FEW_GROUPS
    kept = np.where(divided.share >= 1 - POSITIVE, 1.0, 0.0) if found is None else found
    programme.keep(divided.near.prices[len(divided.prices) :])
    programme.cut(kept)
    count = divided.plain.n_groups if everything else _NEAR + 2 * len(divided.prices)
    better = search_whole(
        programme,
        near_groups(divided, count),
        kept,
        gap=slack,
        nodes=nodes,
        time_limit=max(end - perf_counter(), 0.1),
        rounds=30 if everything else _ROUNDS,
    )
    candidates = [share for share in (found, better.share) if share is not None]
    return max(candidates, key=programme.worth, default=None), min(divided.bound, better.bound)


class _Search:
    """The best plan so far and how to look for a better one."""

    def __init__(self, family: Family, share: Floats, near: Relaxed, gap: float, nodes: int, time_limit: float) -> None:
        self.family = family
        self.share, self.value = share, family.worth(share)
        self.near = near
        self.gap, self.nodes = gap, nodes
        self.end = perf_counter() + time_limit
        self.solved = 0
        self.completions = 0

    @property
    def slack(self) -> float:
        """The value that would close the gap far enough."""
        return self.gap * max(1.0, abs(self.value))

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.end - perf_counter()

    def offer(self, share: Floats | None) -> None:
        """Keep a whole plan if it is better."""
        if share is not None:
            value = self.family.worth(share)
            if value > self.value:
                self.share, self.value = share, value

    def divide(self, programme: Programme) -> Divided | None:
        """Solve a divided plan, starting from the last one."""
        self.solved += 1
        found = programme.solve(self.near, gap=0.1 * self.gap)
        if found is not None:
            self.near = Relaxed(found.share, found.prices, found.value, found.bound)
        return found

    def complete(self, programme: Programme, divided: Divided) -> float:
        """Look for a whole plan near a divided one; gives what no whole plan can exceed in this programme."""
        share, bound = whole_near(
            programme, divided, gap=0.5 * self.gap, nodes=self.nodes, time_limit=max(self.left, 0.1)
        )
        self.completions += 1
        self.offer(share)
        return bound

    def ascend(self) -> None:
        """Go from parameter to best plan to its parameter, as long as that changes, and make the last one whole."""
        at, found = self.family.parameter(self.share), None
        for _ in range(_ASCENT):
            programme, _ = self.family.at(at)
            divided = self.divide(programme)
            if divided is None or self.left <= 0:
                return
            found = programme, divided
            then = self.family.parameter(divided.share)
            if abs(then - at) <= 1e-6 * max(1.0, abs(at)):
                break
            at = then
        if found is not None:
            self.complete(*found)

    def bound(self, low: float, high: float) -> tuple[float, float]:
        """Bound all plans whose parameter is in an interval; gives also the parameter of the plan that sets it."""
        bound, at = -np.inf, low
        for programme, constant in self.family.over(low, high):
            divided = self.divide(programme)
            if divided is None:
                continue
            top, share = divided.bound + constant, divided.share
            exact = len(divided.plain.start) <= _FEW_GROUPS
            promising = divided.value + constant > self.value + self.slack and self.completions < _COMPLETIONS
            if top > self.value + self.slack and (exact or promising):
                whole, proved = whole_near(
                    programme, divided, gap=0.5 * self.gap, nodes=self.nodes, time_limit=max(self.left, 0.1)
                )
                self.completions += 1
                self.offer(whole)
                top = min(top, proved + constant)
                share = share if whole is None else whole
            if top > bound:
                bound, at = top, self.family.parameter(share)
        return bound, at


def best_of_family(
    family: Family, share: Floats, near: Relaxed, *, gap: float, nodes: int, solves: int, time_limit: float
) -> Proved:
    """Find the best whole plan over all values of the parameter, by branch and bound on intervals of it.

    Parameters
    ----------
    family : Family
        The problems.
    share : ndarray, shape (n_options,)
        Some whole plan, which the one given is never worse than.
    near : Relaxed
        The divided plan of the problem without uncertainty.
    gap : float
        Stop when the plan is proved to be within this of the best, relative to its value.
    nodes : int
        Nodes of branch and bound for each search of whole plans.
    solves : int
        Stop after so many programmes; the bound then is larger.
    time_limit : float
        Seconds, as a guard.

    Returns
    -------
    Proved
        The plan and its bound.
    """
    search = _Search(family, share, near, gap, nodes, time_limit)
    search.ascend()
    low, high = family.everything()
    bound, at = search.bound(low, high)
    heap = [(-bound, low, high, at)]
    done = -np.inf  # intervals that cannot be split and stay above the best plan
    while heap and -heap[0][0] > max(search.value + search.slack, done):
        if search.solved >= solves or search.left <= 0:
            break
        over, low, high, at = heapq.heappop(heap)
        parts = family.split(low, high, at)
        if not parts:
            done = max(done, -over)
        for part in parts:
            bound, at = search.bound(*part)
            heapq.heappush(heap, (max(over, -bound), *part, at))
    top = max(done, -heap[0][0] if heap else -np.inf, search.value)
    return Proved(search.share, search.value, top, search.solved)
