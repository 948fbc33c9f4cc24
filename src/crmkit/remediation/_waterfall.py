"""What each limit costs: from what could be kept without any limit down to what the plan keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from crmkit.core.errors import DataError
from crmkit.remediation._blocks import Blocks
from crmkit.remediation._conflict import infeasible
from crmkit.remediation._relaxation import relax
from crmkit.remediation.dual._core import Surroundings
from crmkit.remediation.dual._least_change import Feasibility, impossible
from crmkit.remediation.dual._prices import find_prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._tableau import Limits

    Floats = npt.NDArray[np.float64]
    Some = frozenset[int]

__all__ = ["FIRST", "LAST", "waterfall"]

FIRST, LAST = "everything", "whole cases"
_CORE, _CORE_A_ROW = 600, 4
_CLOSE = 1e-9
_EXACT_OPTIONS = 60_000


class _Solved(NamedTuple):
    """The best divided plan under some limits.

    Parameters
    ----------
    limits : frozenset of int
        Which.
    value : float
        What no divided plan under them can exceed.
    priced : frozenset of int
        The limits whose prices prove it: the same holds under any limits that include these.
    """

    limits: Some
    value: float
    priced: Some


class _Values:
    """What the best divided plan is worth under any of the problem's limits; remembers what it proved."""

    def __init__(self, plan: Plan) -> None:
        self.problem, self.duals, self.reached = plan.problem, plan.duals, plan.value
        problem = plan.problem
        self.limits = problem.open_limits()
        self.known: list[_Solved] = []
        nothing = [self._left_out(i) for i in range(len(self.limits))]
        blank = Blocks.of(problem.worth(), problem.group, nothing, problem.tier())
        self.known.append(_Solved(frozenset(), blank.dual(np.zeros(0)), frozenset()))
        self.large = blank.n_groups > _CORE

    def _left_out(self, number: int) -> Limits:
        """Give a limit that limits nothing."""
        return self.limits[number]._replace(bound=np.inf)

    def solve(self, wanted: Some) -> None:
        """Find the best divided plan under some limits, unless one already found is it."""
        finite = frozenset(i for i in wanted if np.isfinite(self.limits[i].bound))
        if any(each.priced <= finite <= each.limits for each in self.known):
            return
        value, prices = (self._by_prices if self.large else self._whole)(finite)
        # Prices hold under more limits too: none of those that limit nothing has one.
        self.known.append(_Solved(finite, value, frozenset(int(i) for i in np.flatnonzero(prices))))

    def value(self, wanted: Some) -> float:
        """Give the value under some limits that were solved: the lowest that any prices prove."""
        value = min(each.value for each in self.known if each.priced <= wanted) + self.problem.fixed
        # A plan in hand is never above the bound: that is the rounding of sums.
        close = self.reached - value <= _CLOSE * max(1.0, abs(value))
        return max(value, self.reached) if close else value

    def _whole(self, wanted: Some) -> tuple[float, Floats]:
        """Solve the divided plan of all cases; the prices are those of the problem's limits."""
        options = self.problem.options()
        inside = np.isin(np.arange(len(self.limits)), sorted(wanted))
        relaxed = relax(options.with_bound(np.where(inside, options.bound, np.inf)))
        if relaxed is None:
            raise infeasible(self.problem, whole=False)
        return relaxed.bound, relaxed.prices

    def _by_prices(self, wanted: Some) -> tuple[float, Floats]:
        """Find prices from those of the plan, and solve the cases near a tie exactly."""
        limits = [limit if i in wanted else self._left_out(i) for i, limit in enumerate(self.limits)]
        blocks = Blocks.of(self.problem.worth(), self.problem.group, limits, self.problem.tier())
        size = max(_CORE, _CORE_A_ROW * blocks.n_rows)
        start = np.maximum(self.duals[blocks.rows] * blocks.sign, 0.0)
        found = find_prices(blocks, enough=size, start=start)
        around = Surroundings(blocks, found.prices, found.width, size)
        bound, prices = found.bound, found.best
        while True:
            core = around.solve(blocks.sizes()[0])
            if core is not None:
                own = blocks.dual(core.relaxed.prices)
                if own <= bound:
                    bound, prices = own, core.relaxed.prices
                if bound - core.worth - core.relaxed.value <= _CLOSE * max(1.0, abs(bound)):
                    break
            if around.everything or len(around.groups) * blocks.n_remedies > _EXACT_OPTIONS:
                self._require_plan(blocks, size, solved=core is not None)
                break
            around.grow()
        return bound, blocks.full(prices)

    def _require_plan(self, blocks: Blocks, size: int, *, solved: bool) -> None:
        """Refuse limits that no plan keeps; where there is one, the bound of the prices stands."""
        feasibility = None if solved else Feasibility(blocks, size)
        if feasibility is not None and feasibility.proved:
            raise impossible(self.problem, blocks, feasibility.shortfall())


def waterfall(plan: Plan, order: Iterable[str] | Mapping[str, str | Sequence[str]] | None) -> pd.DataFrame:
    """Say what each limit costs.

    Parameters
    ----------
    plan : Plan
        Of which problem.
    order : iterable of str, mapping of str to str or sequence of str, or None
        As in :meth:`Plan.waterfall`.

    Returns
    -------
    pandas.DataFrame
        As described there.

    Raises
    ------
    DataError
        If the order does not name each limit once.
    InfeasiblePlanError
        If no plan keeps the limits.
    """
    steps = _steps(plan.problem.limit_names, order)
    with threadpool_limits(limits=1):
        values = _Values(plan)
        everything = frozenset(range(len(plan.problem.limits)))
        before = [frozenset[int]().union(*(step for _, step in steps[:count])) for count in range(len(steps) + 1)]
        # All limits together first: what has no price there costs nothing at the end either.
        wanted = [everything, *before[1:], *(everything - step for _, step in steps), *(step for _, step in steps)]
        for each in wanted:
            values.solve(each)
        along = [values.value(each) for each in before]
        lines = [
            (along[i + 1], along[i] - along[i + 1], along[0] - values.value(step), values.value(everything - step))
            for i, (_, step) in enumerate(steps)
        ]
    table = [(along[0], 0.0, np.nan, np.nan)]
    table += [(value, cost, alone, without - along[-1]) for value, cost, alone, without in lines]
    table.append((plan.value, along[-1] - plan.value, np.nan, np.nan))
    index = pd.Index([FIRST, *(name for name, _ in steps), LAST], name="limit_name", dtype=object)
    return pd.DataFrame(table, index=index, columns=["value", "cost", "alone", "last"])


def _steps(
    names: Sequence[str], order: Iterable[str] | Mapping[str, str | Sequence[str]] | None
) -> list[tuple[str, Some]]:
    """Bring the order to steps: a name, and which limits it brings in."""
    if isinstance(order, str):
        raise TypeError(f"order must be a list of limits' names, got the text {order!r}")
    if isinstance(order, Mapping):
        given = [(label, [part] if isinstance(part, str) else list(part)) for label, part in order.items()]
    else:
        given = [(name, [name]) for name in (names if order is None else order)]
    listed = [name for _, part in given for name in part]
    if sorted(listed) != sorted(names):
        odd = [name for name in listed if name not in names or listed.count(name) > 1]
        odd = odd or [name for name in names if name not in listed]
        raise DataError(
            f"order must name each limit once; look at {odd[0]!r}. The limits are: {', '.join(map(repr, names))}"
        )
    return [(str(label), frozenset(names.index(name) for name in part)) for label, part in given]
