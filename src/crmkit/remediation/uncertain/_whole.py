"""The best whole plan under a concave objective, searched where a better one can be."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation._options import EXACT
from crmkit.remediation._relaxation import POSITIVE, margins
from crmkit.remediation._search import solve_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.uncertain._programme import Divided, Programme

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Whole", "near_groups", "search_whole"]


@dataclass(frozen=True)
class Whole:
    """What a search under cuts found.

    Parameters
    ----------
    share : ndarray, shape (n_options,), or None
        A whole plan within every limit; None where none was found.
    value, bound : float
        Its objective; and what no whole plan can exceed, ``inf`` where not everything was searched.
    infeasible : bool
        It is proved that there is no whole plan.
    """

    share: Floats | None
    value: float
    bound: float
    infeasible: bool


def near_groups(divided: Divided, count: int) -> Bools:
    """Mark the groups that are divided or nearest a tie."""
    plain = divided.plain
    near = np.zeros(plain.n_groups, dtype=bool)
    near[plain.group[(divided.share > POSITIVE) & (divided.share < 1 - POSITIVE)]] = True
    near[np.argsort(margins(plain, divided.prices), kind="stable")[:count]] = True
    return near


def search_whole(
    programme: Programme,
    open_groups: Bools,
    kept: Floats,
    *,
    gap: float,
    nodes: int,
    time_limit: float,
    rounds: int = 30,
) -> Whole:
    """Search whole plans, cutting each term at every plan found until the cuts agree with the objective.

    Parameters
    ----------
    programme : Programme
        The objective and its cuts so far.
    open_groups : ndarray of bool, shape (n_groups,)
        Groups to decide; the others keep what they have.
    kept : ndarray, shape (n_options,)
        What the others have, 0 or 1.
    gap : float
        Stop when the plan is proved to be within this value of the best.
    nodes : int
        Nodes of branch and bound for each round.
    time_limit : float
        Seconds for all rounds.
    rounds : int, default=30
        Rounds at most.

    Returns
    -------
    Whole
        A plan where one was found.
    """
    base = programme.options
    inside = open_groups[base.group]
    fixed = np.where(inside, 0.0, kept)
    everything = bool(open_groups.all())
    end = perf_counter() + time_limit
    best: Floats | None = None
    value, bound = -np.inf, np.inf
    slack = np.zeros(len(base.bound))
    width = len(programme.terms)
    for _ in range(rounds):
        options = programme.extended()
        chosen = np.append(inside, np.ones(width, dtype=bool))
        left = options.bound - options.used(np.append(fixed, np.zeros(width)))
        left[: len(slack)] -= slack
        part = options.take(chosen, left)
        picked, top, impossible = solve_whole(
            part,
            gap=0.1 * gap / max(abs(value), part.scale) if best is not None else 0.0,
            time_limit=end - perf_counter(),
            nodes=nodes,
            divisible=width,
        )
        if picked is None:
            return Whole(best, value, bound, infeasible=impossible and everything and not slack.any())
        if everything and not slack.any():
            bound = min(bound, top + programme.offset)
        share = fixed.copy()
        share[inside] = picked[: int(inside.sum())]
        if base.within(share):
            worth = programme.cut(share) if width else base.total(share)
            if worth > value:
                best, value = share, worth
            if top + programme.offset + base.gross(fixed) - value <= gap or not width:
                break
        else:
            over = base.used(share) - base.bound - base.tier.most
            broken = over > EXACT * np.maximum(1.0, np.abs(base.bound))
            slack[broken] += 2.0 * over[broken]
        if perf_counter() >= end:
            break
    return Whole(best, value, max(bound, value), infeasible=False)
