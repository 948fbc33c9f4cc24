"""The planner that takes the best-looking option again and again: a baseline to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._conflict import conflict, infeasible
from crmkit.remediation._fill import fill
from crmkit.remediation._plan import Plan

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["GreedyPlanner"]


class GreedyPlanner(BaseEstimator):
    """What is done by hand: floors first, then whatever brings most for what it uses, until nothing fits.

    Options are ordered by value over the share of the limits that they use. It proves nothing (``bound`` is ``inf``)
    and may be far from the best; it is here to show what planning gains.

    Notes
    -----
    Cost: one sort of all options.

    Examples
    --------
    >>> from crmkit.remediation import GreedyPlanner, Problem
    >>> problem = Problem.from_arrays([[10.0], [6.0], [6.0]], uses={"hours": [[10.0], [5.0], [5.0]]},
    ...                               limits={"hours": 10})
    >>> GreedyPlanner().plan(problem).value
    12.0
    """

    def plan(self, problem: Problem, /) -> Plan:
        """Plan a problem.

        Parameters
        ----------
        problem : Problem
            What to plan.

        Returns
        -------
        Plan
            One remedy or nothing a case.

        Raises
        ------
        InfeasiblePlanError
            If no whole plan keeps the limits.
        ConvergenceError
            If the limits can be kept but it found no way to.
        """
        options = problem.options()
        # A ratio is a floor to some cases and a limit to others: like a limit it is watched at every step.
        lines = np.repeat(np.arange(len(options.bound)), np.diff(options.matrix.indptr))
        floors = (options.sign < 0) & (np.bincount(lines, options.matrix.data > 0, len(options.bound)) == 0)
        upper = np.flatnonzero(~floors)
        uses = sparse.csc_array(options.matrix[upper])
        scarce = _scarce(abs(uses), options.bound[upper])
        worth = np.where(options.value > 0, options.value / scarce, options.value * (1.0 + scarce))
        short = ""
        # Where the best-looking options leave no room for a floor, it is filled with what uses least, then by going
        # beyond the limits that are soft.
        for floors_by, reach in ((-worth, 0.0), (scarce, 0.0), (scarce, options.tier.most[upper])):
            orders = np.argsort(floors_by, kind="stable"), np.argsort(-worth)
            chosen, short = _greedily(options, uses, upper, reach, orders)
            if not short:
                share = np.zeros(options.n_options)
                share[chosen] = 1.0
                if not options.within(share):
                    over = options.used(share) - options.bound - options.tier.most
                    short = options.names[int(np.argmax(over / options.row_scale))]
                    continue
                choice = np.full(problem.n_cases, -1, dtype=np.intp)
                choice[options.case[chosen]] = options.remedy[chosen]
                return Plan.from_choice(problem, choice, planner="greedy")
        if conflict(problem):
            raise infeasible(problem)
        raise ConvergenceError(
            f"the greedy planner found no way to keep {short!r}, though there is a plan: take planner 'auto'",
            parameter=short,
        )


def _greedily(
    options: Options, uses: sparse.csc_array, upper: Ints, reach: Floats | float, orders: tuple[Ints, Ints]
) -> tuple[Ints, str]:
    """Fill the floors one by one, then take what gains; with the name of the first floor that could not be filled."""
    floor_order, order = orders
    left = options.bound[upper] + reach
    taken = np.zeros(options.n_groups, dtype=bool)
    chosen = np.zeros(0, dtype=np.intp)
    for row in np.setdiff1d(np.arange(len(options.bound)), upper):
        counts = -options.matrix[[row], :].toarray().ravel() if options.n_options else np.zeros(0)
        short = -options.bound[row] - float(np.sum(counts[chosen]))
        if short <= 0:
            continue
        inside = floor_order[counts[floor_order] > 0]
        # What the floor still needs is one more thing that may be used up.
        with_floor = sparse.vstack([uses[:, inside], sparse.csr_array(counts[None, inside])], format="csc")
        picked, remains = fill(options.group[inside], with_floor, np.append(left, short), taken)
        if remains[-1] > options.tier.most[row]:
            return chosen, options.names[row]
        left = remains[:-1]
        chosen = np.concatenate([chosen, inside[picked]])
    gains = order[options.value[order] > 0]
    # Nothing beyond a limit is bought for a gain: whether it pays is more than by hand can be seen.
    picked, _ = fill(options.group[gains], uses[:, gains], np.maximum(left - reach, 0.0), taken)
    return np.concatenate([chosen, gains[picked]]), ""


def _scarce(uses: sparse.csc_array, left: Floats) -> Floats:
    """Give the share of the limits that each option uses."""
    weight = np.divide(1.0, left, out=np.full(len(left), 1e12), where=left > 0)
    return np.asarray(uses.T @ weight, dtype=np.float64) + 1e-12
