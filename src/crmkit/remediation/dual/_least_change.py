"""Why a large problem has no plan, and the least change of its limits that gives it one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.core.errors import InfeasiblePlanError
from crmkit.remediation._options import EXACT
from crmkit.remediation._relaxation import POSITIVE, solve_linear
from crmkit.remediation._terms import Floor
from crmkit.remediation.dual._core import Surroundings
from crmkit.remediation.dual._listing import as_options, list_options
from crmkit.remediation.dual._prices import find_prices

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem
    from crmkit.remediation.dual._prices import Found

    Floats = npt.NDArray[np.float64]

__all__ = ["Feasibility", "Shortfall", "impossible"]

_PROOF = 1e-9
_ROOM = 3


class Shortfall(NamedTuple):
    """How far the limits are from leaving a plan.

    Parameters
    ----------
    proved : bool
        It is proved that no plan keeps the limits, divided ones included.
    rows : tuple of int
        Rows of the blocks in conflict, where it is proved.
    choice : ndarray of int16, shape (n_cases,)
        A whole choice, by position, that breaks the limits little or not at all.
    over : ndarray, shape (n_rows,)
        By how much it breaks each turned row; with room for three cases more where the conflict is proved.
    """

    proved: bool
    rows: tuple[int, ...]
    choice: npt.NDArray[np.int16]
    over: Floats


class Feasibility:
    """Whether any plan keeps the limits, by prices alone.

    With all values 0 the bound that prices prove is at least 0 where there is a plan: prices that prove less than 0
    are a certificate that there is none. Each limit's price is kept below what breaking it costs, one part of its
    size, so that the least bound is minus the least change.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    core : int
        Groups solved exactly.

    Attributes
    ----------
    proved : bool
        There is no plan, divided ones included.
    """

    def __init__(self, blocks: Blocks, core: int) -> None:
        self.blocks, self.core = blocks.without_value().hardest(), core
        _, self.size = self.blocks.sizes()
        # What may be broken at any price needs no change.
        size = np.maximum.reduce([np.abs(self.blocks.bound), self.size, self.blocks.favoured()])
        self.cost = np.where(np.isinf(blocks.tier.most), 0.0, 1.0 / size)
        self.typical = float(np.max(self.cost * self.size, initial=0.0)) or 1.0
        self.found = find_prices(self.blocks, enough=core, top=self.cost, typical=self.typical, any_plan=True)
        self.proved = self.found.bound < -_PROOF

    def shortfall(self) -> Shortfall:
        """Say which limits are in conflict and what a choice that breaks them little breaks.

        Each limit of the certificate is left out in turn, and for good where the others still prove the conflict.
        """
        rows: list[int] = []
        if self.proved:
            rows = [int(row) for row in np.flatnonzero(self.found.best > _PROOF * self.cost)]
            for row in tuple(rows):
                without = [other for other in rows if other != row]
                if self._conflict(without):
                    rows = without
        choice = _least_choice(self.blocks, self.found, self.cost, self.core)
        over = np.where(self.cost > 0, _over(self.blocks, choice), 0.0)
        if self.proved:
            # Limits that leave exactly one divided plan leave no whole one that can be found.
            over = np.where(over > 0, np.ceil(over / self.size + _ROOM) * self.size, 0.0)
        return Shortfall(self.proved, tuple(rows), choice, over)

    def _conflict(self, rows: list[int]) -> bool:
        """Say whether some limits alone are proved to be in conflict."""
        top = np.zeros(self.blocks.n_rows)
        top[rows] = self.cost[rows]
        found = find_prices(
            self.blocks,
            enough=self.core,
            start=np.minimum(self.found.best, top),
            top=top,
            typical=self.typical,
            below=-_PROOF,
            any_plan=True,
        )
        return found.bound < -_PROOF


def _over(blocks: Blocks, choice: npt.NDArray[np.int16]) -> Floats:
    """Say by how much a choice breaks each turned row."""
    over = blocks.used(choice) - blocks.bound
    return np.asarray(np.where(over > EXACT * np.maximum(1.0, np.abs(blocks.bound)), over, 0.0), dtype=np.float64)


def _least_choice(blocks: Blocks, found: Found, cost: Floats, core: int) -> npt.NDArray[np.int16]:
    """Find a whole choice that breaks the limits little."""
    around = Surroundings(blocks, found.prices, found.width, core)
    position, _ = blocks.positions(around.groups)
    fixed = around.choice.copy()
    fixed[position] = -1
    listed = list_options(blocks, around.groups, found.prices)
    options = as_options(blocks, listed, blocks.bound - blocks.used(fixed))
    share = _elastic(options, cost)
    order = np.lexsort((-share, options.group))
    largest = order[options.start] if options.n_options else np.zeros(0, dtype=np.intp)
    dropped = np.flatnonzero(share >= 1 - POSITIVE)
    filled = np.union1d(dropped, largest[share[largest] > POSITIVE])
    ways = [around.choice]
    for taken in (dropped, filled):
        way = fixed.copy()
        way[options.case[taken]] = options.remedy[taken]
        ways.append(way)
    return min(ways, key=lambda way: float(_over(blocks, way) @ cost))


def _elastic(options: Options, cost: Floats) -> Floats:
    """Find the divided choice of the core that breaks the limits least."""
    matrix, bound = options.system(np.arange(len(options.bound)), elastic=True)
    price = cost * options.row_scale
    result = solve_linear(
        np.concatenate([np.zeros(options.n_options), price / np.max(price, initial=0.0)]),
        matrix,
        bound,
        n_options=options.n_options,
        bounds=(0, None),
    )
    return np.asarray(np.clip(result.x[: options.n_options], 0.0, 1.0), dtype=np.float64)


def impossible(problem: Problem, blocks: Blocks, short: Shortfall) -> InfeasiblePlanError:
    """Make the error that names the conflict and the change that helps.

    Parameters
    ----------
    problem : Problem
        What cannot be planned.
    blocks : Blocks
        The same, its bounds whole where only whole numbers count.
    short : Shortfall
        What was found.

    Returns
    -------
    InfeasiblePlanError
        To be raised by the planner.
    """
    limits, left = problem.tableau().limits, problem.open_limits()
    broken = np.flatnonzero(short.over)
    change = {}
    for row in broken:
        limit = limits[blocks.rows[row]]
        # What was lowered to a whole number for planning is counted from where it was.
        over = short.over[row] - (blocks.sign[row] * left[blocks.rows[row]].bound - blocks.bound[row])
        # The room for whole cases may not take a floor below 0.
        floor = isinstance(problem.limits[blocks.rows[row]], Floor)
        change[limit.name] = max(float(blocks.sign[row] * over), -limit.bound if floor else -np.inf)
    named = short.rows if short.proved else broken
    names = tuple(limits[blocks.rows[row]].name for row in named)
    bounds = {limit.name: limit.bound for limit in limits}
    steps = [f"{name!r} from {bounds[name]:g} to {bounds[name] + step:.10g}" for name, step in change.items()]
    listed = ", ".join(map(repr, names))
    start = f"no plan can keep {listed} together" if short.proved else f"no whole plan was found that keeps {listed}"
    return InfeasiblePlanError(
        f"{start}; the least change found that makes one possible: {', '.join(steps)}",
        conflict=names,
        relaxation=change,
    )
