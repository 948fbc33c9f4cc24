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
        upper = np.flatnonzero(options.sign > 0)
        left = options.bound[upper].copy()
        uses = sparse.csc_array(options.matrix[upper])
        order = np.argsort(-_density(options, uses, left), kind="stable")
        taken = np.zeros(options.n_groups, dtype=bool)
        chosen = [np.zeros(0, dtype=np.intp)]
        for row in np.flatnonzero(options.sign < 0):
            counts = -options.matrix[[row], :].toarray().ravel() if options.n_options else np.zeros(0)
            short = -options.bound[row] - float(np.sum(counts[np.concatenate(chosen)]))
            if short <= 0:
                continue
            inside = order[counts[order] > 0]
            with_floor = sparse.vstack([uses[:, inside], sparse.csr_array(counts[None, inside])], format="csc")
            picked, remains = fill(options.group[inside], with_floor, np.append(left, short), taken)
            if remains[-1] > 0:
                raise _no_plan(problem, options.names[row])
            left = remains[:-1]
            chosen.append(inside[picked])
        gains = order[options.value[order] > 0]
        picked, _ = fill(options.group[gains], uses[:, gains], left, taken)
        chosen.append(gains[picked])
        choice = np.full(problem.n_cases, -1, dtype=np.intp)
        every = np.concatenate(chosen)
        choice[options.case[every]] = options.remedy[every]
        return Plan.from_choice(problem, choice, planner="greedy")


def _density(options: Options, uses: sparse.csc_array, left: Floats) -> Floats:
    """Give each option's value over the share of the limits that it uses; losses are worse the more they use."""
    weight = np.divide(1.0, left, out=np.full(len(left), 1e12), where=left > 0)
    scarce = np.asarray(uses.T @ weight, dtype=np.float64) + 1e-12
    return np.asarray(np.where(options.value > 0, options.value / scarce, options.value * (1.0 + scarce)))


def _no_plan(problem: Problem, floor: str) -> Exception:
    """Tell whether there is no plan, or only greed found none."""
    if conflict(problem):
        return infeasible(problem)
    return ConvergenceError(
        f"the greedy planner found no way to keep {floor!r}, though there is a plan: take planner 'auto'",
        parameter=floor,
    )
