"""How value and uses of each remedy answer to its intensity, for the cases that may get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from crmkit.core.predicate import parse
from crmkit.remediation._intensities import INTENSITY, depends, range_of
from crmkit.remediation._terms import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._problem import Problem
    from crmkit.remediation._terms import Limit, Remedy

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Response", "Worth", "responses_of"]


class Worth(NamedTuple):
    """Value and uses at some intensities.

    Parameters
    ----------
    value : ndarray, shape (n_pairs,)
        ``-inf`` where something is unknown.
    uses : ndarray, shape (n_rows, n_pairs)
        Of the limits that depend on the intensity.
    """

    value: Floats
    uses: Floats

    def reduced(self, prices: Floats) -> Floats:
        """Give the value less what is used at the prices of the rows that depend on the intensity."""
        return self.value - prices @ self.uses if len(prices) else self.value


class Response:
    """One remedy's answer to its intensity, for some cases at once.

    Parameters
    ----------
    remedy : int
        Which remedy.
    case : ndarray of int, shape (n_pairs,)
        Which cases.
    low, high : ndarray, shape (n_pairs,)
        Least and most intensity.
    rows : ndarray of int, shape (n_rows,)
        The limits whose use depends on the intensity.
    formulas : list of str
        Value, then the use of each of these rows.
    columns : dict of str to array
        The cases' columns that they name, for these cases.
    """

    def __init__(
        self,
        remedy: int,
        case: Ints,
        low: Floats,
        high: Floats,
        rows: Ints,
        formulas: list[str],
        columns: dict[str, Any],
    ) -> None:
        self.remedy, self.case, self.low, self.high, self.rows = remedy, case, low, high, rows
        self.formulas, self.columns = formulas, columns

    @classmethod
    def of(cls, table: pd.DataFrame, j: int, remedy: Remedy, limits: Sequence[Limit], case: Ints) -> Self:
        """Take one remedy's formulas and the columns they need."""
        low, high = range_of(table, remedy)
        varying = [
            (i, remedy.uses[limit.name])
            for i, limit in enumerate(limits)
            if isinstance(limit, Resource) and depends(table, remedy.uses.get(limit.name, 0.0))
        ]
        formulas = [_written(table, formula) for formula in (remedy.value, *(use for _, use in varying))]
        names = set[str]().union(*(parse(formula).names for formula in formulas)) - {INTENSITY}
        columns = {str(name): table[name].iloc[case] for name in table.columns if str(name) in names}
        rows = np.array([i for i, _ in varying], dtype=np.intp)
        return cls(j, case, low[case], high[case], rows, formulas, {k: _plain(v) for k, v in columns.items()})

    @property
    def n_pairs(self) -> int:
        """How many cases there are."""
        return len(self.case)

    def take(self, where: Ints) -> Response:
        """Give the response of some of the cases."""
        columns = {name: column.take(where) for name, column in self.columns.items()}
        return Response(
            self.remedy, self.case[where], self.low[where], self.high[where], self.rows, self.formulas, columns
        )

    def at(self, intensity: Floats) -> Worth:
        """Work out value and uses at one intensity a case."""
        table = {**self.columns, INTENSITY: intensity}
        results = [parse(formula).evaluate(table) for formula in self.formulas]
        unknown = np.zeros(len(intensity), dtype=bool)
        for result in results:
            unknown |= result.missing
        value = np.where(unknown, -np.inf, results[0].values.astype(np.float64))
        uses = np.zeros((len(self.rows), len(intensity)))
        for line, result in zip(uses, results[1:], strict=True):
            line[:] = np.where(unknown, 0.0, result.values)
        return Worth(value, uses)

    def prices(self, duals: Floats) -> Floats:
        """Give the prices of the rows that depend on the intensity."""
        return np.asarray(duals[self.rows], dtype=np.float64)


def responses_of(problem: Problem) -> list[Response]:
    """Give the responses of all remedies with an intensity.

    Parameters
    ----------
    problem : Problem
        With open intensities.

    Returns
    -------
    list of Response
        In the order of the remedies, for the cases that may get them.
    """
    may = np.isfinite(problem.tableau().value)
    return [
        Response.of(problem.cases, j, remedy, problem.limits, np.flatnonzero(may[:, j]))
        for j, remedy in enumerate(problem.remedies)
        if remedy.intensity is not None
    ]


def _written(table: pd.DataFrame, formula: str | float) -> str:
    """Write a formula as an expression; a column's exact name comes before an expression."""
    if not isinstance(formula, str):
        return repr(float(formula))
    return f"`{formula}`" if formula in table.columns and "`" not in formula and "\n" not in formula else formula


def _plain(column: pd.Series) -> Any:
    """Give a column of floats as an array, which costs less to work with."""
    return column.to_numpy() if column.dtype == np.float64 else column.reset_index(drop=True)
