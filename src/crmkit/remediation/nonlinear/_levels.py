"""A few intensities of each remedy as options of an ordinary problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.remediation._coefficients import Coefficients, Some, kept
from crmkit.remediation._tableau import Tableau
from crmkit.remediation._terms import Remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._coefficients import Amounts
    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Levels", "levelled", "without_twins"]

_FEW = 8
_TWIN = 1e-9


class Levels(NamedTuple):
    """An ordinary problem whose remedies are levels of intensity.

    Parameters
    ----------
    problem : Problem
        The levels of a remedy stand side by side, in the order of the remedies.
    remedy : ndarray of int, shape (n_columns,)
        Of which remedy each column is a level.
    intensities : list of (Response, list of ndarray)
        Each response with its levels, one array of shape (n_pairs,) each, NaN where there is none.
    """

    problem: Problem
    remedy: Ints
    intensities: list[tuple[Response, list[Floats]]]

    def chosen(self, column: Ints, shape: tuple[int, int]) -> tuple[Ints, Floats]:
        """Turn a choice of columns into remedies and intensities.

        Parameters
        ----------
        column : ndarray of int, shape (n_cases,)
            -1 for nothing.
        shape : tuple of int
            Cases and remedies.

        Returns
        -------
        tuple
            The remedy of each case, -1 for nothing, and intensities of that shape, NaN where not chosen.
        """
        remedy = np.where(column >= 0, self.remedy[column], -1)
        intensity = np.full(shape, np.nan)
        for response, levels in self.intensities:
            first = int(np.argmax(self.remedy == response.remedy))
            for k, level in enumerate(levels):
                here = column[response.case] == first + k
                intensity[response.case[here], response.remedy] = level[here]
        return remedy, intensity


def levelled(problem: Problem, levels: Sequence[tuple[Response, list[Floats]]]) -> Levels:
    """Write a problem with some levels of each intensity as an ordinary one.

    Parameters
    ----------
    problem : Problem
        With open intensities.
    levels : sequence of (Response, list of ndarray)
        For each remedy with an intensity, arrays of shape (n_pairs,), NaN where there is no such level.

    Returns
    -------
    Levels
        The ordinary problem, sharing whatever does not depend on intensities.
    """
    tableau = problem.tableau()
    n_cases = problem.n_cases
    known = {response.remedy: (response, arrays) for response, arrays in levels}
    remedies: list[Remedy] = []
    of: list[int] = []
    values: list[Floats] = []
    amounts: list[dict[int, Amounts]] = [{} for _ in tableau.limits]
    for j, remedy in enumerate(problem.remedies):
        arrays: list[Any] = known[j][1] if j in known else [None]
        for k, intensity in enumerate(arrays):
            column = len(of)
            of.append(j)
            remedies.append(Remedy(f"{remedy.name} ({k})" if j in known else remedy.name, value=0.0))
            for i, limit in enumerate(tableau.limits):
                if j in limit.coefficients.amounts:
                    amounts[i][column] = limit.coefficients.amounts[j]
            if intensity is None:
                values.append(tableau.value[:, j])
                continue
            response = known[j][0]
            worth = response.at(intensity)
            value = np.full(n_cases, -np.inf)
            value[response.case] = worth.value
            values.append(value)
            for row, use in zip(response.rows, worth.uses, strict=True):
                amounts[row][column] = _spread(response.case, use, n_cases)
    value = np.asfortranarray(np.column_stack(values)) if values else np.zeros((n_cases, 0))
    limits = [
        limit._replace(coefficients=Coefficients(found)) for limit, found in zip(tableau.limits, amounts, strict=True)
    ]
    return Levels(problem.recast(remedies, Tableau(value, limits)), np.array(of, dtype=np.intp), list(levels))


def _spread(case: Ints, use: Floats, n_cases: int) -> Amounts:
    """Keep the uses of some cases in as little memory as they need."""
    if len(case) * _FEW < n_cases:
        return Some(case.astype(np.int32), use)
    whole = np.zeros(n_cases)
    whole[case] = use
    return kept(whole, np.ones(n_cases, dtype=bool))


def without_twins(response: Response, levels: Sequence[Floats]) -> list[Floats]:
    """Leave out levels that are another one's twin, case by case, and those that nobody has."""
    room = _TWIN * (response.high - response.low)
    result: list[Floats] = []
    for level in levels:
        own = np.clip(level, response.low, response.high)
        for other in result:
            with np.errstate(invalid="ignore"):
                own[np.abs(own - other) <= room] = np.nan
        if not np.isnan(own).all() or not result:
            result.append(own)
    return result
