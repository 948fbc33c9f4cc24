"""Doors from plans and planners of ordinary problems to what knows intensities, opened when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.remediation._intensities import INTENSITY, has_intensities, worded

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._options import Options
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem
    from crmkit.remediation._relaxation import Relaxed
    from crmkit.remediation._terms import Limit, Remedy

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["NewWords", "least_use_of", "near_levels", "plan_intensities", "rechosen_for", "words_of_new"]

# The planner of intensities is made of the planners of ordinary problems, so that these import it when called.


class NewWords(NamedTuple):
    """New cases in the words of an ordinary problem.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    remedies : tuple of Remedy
        Without intensities.
    notes : list of (str, ndarray of bool)
        What is unknown, and for which cases.
    intensities : ndarray, shape (n_cases, n_remedies), or None
        The best at the prices; None where no remedy has any.
    """

    table: pd.DataFrame
    remedies: tuple[Remedy, ...]
    notes: list[tuple[str, npt.NDArray[np.bool_]]]
    intensities: Floats | None

    def column(self, choice: Ints) -> dict[str, Floats]:
        """Give the column of intensities of what the cases get, -1 for nothing; none where no remedy has any."""
        if self.intensities is None:
            return {}
        at = self.intensities[np.arange(len(choice)), choice]
        return {INTENSITY: np.where(choice >= 0, at, np.nan)}


def plan_intensities(problem: Problem, **parameters: Any) -> Plan:
    """Plan a problem with open intensities for the everyday planner."""
    from crmkit.remediation.nonlinear import NonlinearPlanner

    made = NonlinearPlanner(**parameters).plan(problem)
    made.planner = f"auto ({made.planner.replace(' (', ', ').removesuffix(')')})"
    return made


def least_use_of(problem: Problem) -> Problem:
    """Give the ordinary problem in which each remedy uses the least that any intensity uses."""
    from crmkit.remediation.nonlinear._least import at_least_use

    return at_least_use(problem)


def rechosen_for(plan: Plan) -> Callable[[Problem, Floats], Plan]:
    """Give the function that plans under other limits with intensities chosen anew."""
    from crmkit.remediation.nonlinear._again import rechosen

    return rechosen(plan.problem)


def near_levels(plan: Plan) -> tuple[Options, Relaxed, Ints]:
    """Give options at and beside a plan's intensities, for the prices of its limits."""
    from crmkit.remediation.nonlinear._near import near_options

    return near_options(plan)


def words_of_new(
    remedies: tuple[Remedy, ...], limits: tuple[Limit, ...], table: pd.DataFrame, duals: Floats
) -> NewWords:
    """Choose the best intensities of new cases at the prices, and word them as ordinary cases.

    Parameters
    ----------
    remedies, limits : tuple
        Of the plan.
    table : pandas.DataFrame
        New cases.
    duals : ndarray, shape (n_limits,)
        What one more unit of each limit is worth.

    Returns
    -------
    NewWords
        As they are where no remedy has an intensity.
    """
    intensities = None
    if has_intensities(remedies):
        from crmkit.remediation.nonlinear._near import best_of_new

        intensities = best_of_new(remedies, limits, table, duals)
    words = worded(table, remedies, intensities)
    return NewWords(words.table, words.remedies, words.notes, intensities)
