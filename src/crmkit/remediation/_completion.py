"""From a divided plan to a whole one with a proved gap: search where it matters, fix what provably cannot change."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation._relaxation import POSITIVE, margins
from crmkit.remediation._search import search

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Completed", "complete"]

_FIRST_GROUPS = 40
_GROUPS_A_ROW = 4
_ROUNDS = 3


@dataclass(frozen=True)
class Completed:
    """A whole plan made from a divided one.

    Parameters
    ----------
    share : ndarray, shape (n_options,), or None
        0 and 1; None where none was found.
    value, bound : float
        What it is worth, and what no whole plan can exceed.
    infeasible : bool
        It is proved that there is no whole plan.
    note : str
        How it was made, in words.
    """

    share: Floats | None
    value: float
    bound: float
    infeasible: bool
    note: str


class _Best:
    """The best plan so far and the best bound so far."""

    def __init__(self, options: Options, bound: float, gap: float) -> None:
        self.options = options
        self.share: Floats | None = None
        self.value = -np.inf
        self.bound = bound
        self.gap = gap

    def offer(self, share: Floats | None) -> None:
        """Keep a plan if it is better."""
        if share is not None and self.options.total(share) > self.value:
            self.share, self.value = share, self.options.total(share)

    def lower(self, bound: float) -> None:
        """Keep a bound if it is lower; a plan in hand is never above it."""
        self.bound = min(self.bound, max(self.options.whole(bound), self.value))

    @property
    def slack(self) -> float:
        """The value that would close the gap far enough."""
        return self.gap * self.options.size(self.value if self.share is not None else self.bound)

    @property
    def done(self) -> bool:
        """Whether the gap is small enough."""
        return self.share is not None and self.bound - self.value <= self.slack


def complete(options: Options, relaxed: Relaxed, *, gap: float, nodes: int, time_limit: float) -> Completed:
    """Make a whole plan from a divided one.

    First the groups nearest a tie are searched and all others keep what the divided plan gives them. The plan so found
    and the bound of the prices differ by some value ``d``: an option that is worse than the best of its group by more
    than ``d`` at these prices is in no better plan, so that a search over the few that remain is as good as one over
    all; it is repeated as long as a better plan leaves fewer. Where nothing is found near the ties, all is searched.

    Parameters
    ----------
    options : Options
        What may be chosen.
    relaxed : Relaxed
        The divided plan.
    gap : float
        Stop when the bound is no more than this beyond the value, relative to it (or to a typical value of an option
        where that is more).
    nodes : int
        Nodes of branch and bound for each search. They end a search at the same point on every machine.
    time_limit : float
        Seconds after which the best plan found is given in any case.

    Returns
    -------
    Completed
        A plan where one was found; its bound holds for every whole plan.
    """
    end = perf_counter() + time_limit
    best = _Best(options, options.whole(relaxed.bound), gap)
    whole = np.where(relaxed.share >= 1 - POSITIVE, 1.0, 0.0)
    if options.within(whole):
        best.offer(whole)
    if best.done:
        return _completed(best, "the divided plan divides no case")
    divided = np.zeros(options.n_groups, dtype=bool)
    divided[options.group[(relaxed.share > POSITIVE) & (relaxed.share < 1 - POSITIVE)]] = True
    order = np.argsort(np.where(divided, -1.0, margins(options, relaxed.prices)), kind="stable")
    keeps = np.bincount(options.group, weights=whole, minlength=options.n_groups) > 0
    size = _FIRST_GROUPS + _GROUPS_A_ROW * len(options.bound)
    found, searched = None, 0
    while size < options.n_groups and perf_counter() < end and (found is None or found.share is None):
        near = np.zeros(options.n_groups, dtype=bool)
        near[order[:size]] = True
        found = search(
            options,
            gap=0.5 * best.slack,
            nodes=nodes,
            time_limit=0.5 * (end - perf_counter()),
            near=relaxed.value,
            # A group that keeps its option must take it; what keeps nothing has no option left.
            allowed=near[options.group] | (whole > 0),
            forced=~near & keeps,
        )
        best.offer(found.share)
        searched = size
        size *= 4
    if best.done:
        return _completed(best, f"the {searched:,} groups nearest a tie were searched")
    return _prove(options, relaxed, best, nodes, end)


def _prove(options: Options, relaxed: Relaxed, best: _Best, nodes: int, end: float) -> Completed:
    """Search all that can still matter, and again where a better plan leaves less of it."""
    adjusted = options.adjusted(relaxed.prices)
    top = options.best(adjusted)
    count = options.n_groups
    for _ in range(_ROUNDS):
        allowed = np.ones(options.n_options, dtype=bool)
        forced = np.zeros(options.n_groups, dtype=bool)
        if best.share is not None:
            # Losses are counted from the prices' own bound, before it was lowered to a whole number.
            distance = options.dual(relaxed.prices) - best.value + 1e-9 * max(1.0, abs(best.value))
            allowed = top[options.group] - adjusted <= distance
            forced = top > distance
            left = np.bincount(options.group[allowed], minlength=options.n_groups)
            count = int(np.sum(left > forced))
        before = best.value
        found = search(
            options,
            gap=0.5 * best.slack,
            nodes=nodes,
            time_limit=end - perf_counter(),
            near=relaxed.value,
            allowed=allowed,
            forced=forced,
        )
        if found.infeasible and best.share is None:
            return Completed(None, -np.inf, -np.inf, infeasible=True, note="no whole plan keeps the limits")
        best.offer(found.share)
        best.lower(max(found.bound, best.value))
        if best.done or best.value <= before or perf_counter() >= end:
            break
    return _completed(best, f"all {count:,} groups that could still change were searched")


def _completed(best: _Best, note: str) -> Completed:
    """Give what stands."""
    if best.share is None:
        return Completed(None, -np.inf, best.bound, infeasible=False, note=note)
    if not best.done:
        note += "; the search ended before the gap was closed as far as asked"
    return Completed(best.share, best.value, max(best.bound, best.value), infeasible=False, note=note)
