"""What formulas give for every case, worked out once each and kept in little memory, for the verifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.core.predicate import parse

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Column", "Counts", "Formulas"]

_FEW = 4
"""Numbers that are 0 for all but a fourth of the cases take less memory with their positions."""


class Column(NamedTuple):
    """One number a case, 0 where it is unknown.

    Parameters
    ----------
    where : ndarray of int, or None
        The cases with another number than 0, ascending; None where ``data`` has one for every case.
    data : ndarray of float64 or bool
        Their numbers.
    unknown : ndarray of int
        The cases of which the number is unknown.
    """

    where: Ints | None
    data: npt.NDArray[Any]
    unknown: Ints

    @classmethod
    def of(cls, numbers: npt.NDArray[Any], missing: Bools) -> Column:
        """Keep numbers as they are, or only those that are not 0 where these are few."""
        unknown = np.flatnonzero(missing)
        if np.count_nonzero(numbers) * _FEW < len(numbers):
            where = np.flatnonzero((numbers != 0) & ~missing)
            return cls(where, numbers[where], unknown)
        return cls(None, np.where(missing, 0, numbers) if len(unknown) else numbers, unknown)


class Counts:
    """What one limit counts, a column for each remedy that it counts.

    Parameters
    ----------
    columns : dict of int to Column
        By remedy.
    """

    def __init__(self, columns: dict[int, Column]) -> None:
        self.columns = columns

    def total(self, given: Floats) -> float:
        """Add up what is counted when each remedy of each case is given so much, shape (n_cases, n_remedies)."""
        result = 0.0
        for j, (where, data, _) in self.columns.items():
            result += float(np.sum((given[:, j] if where is None else given[where, j]) * data))
        return result

    def at(self, case: Ints, rows: list[Ints]) -> Floats:
        """Give what each line counts: ``rows`` are the lines of each remedy, ``case`` is that of every line."""
        result = np.zeros(len(case))
        for j, (where, data, _) in self.columns.items():
            mine = case[rows[j]]
            if where is None:
                result[rows[j]] = data[mine]
            elif len(where):
                place = np.minimum(np.searchsorted(where, mine), len(where) - 1)
                result[rows[j]] = np.where(where[place] == mine, data[place], 0.0)
        return result

    def charge(self, price: float, worth: Floats) -> None:
        """Take a price of all that is counted from a table of shape (n_cases, n_remedies), in place."""
        for j, (where, data, _) in self.columns.items():
            if where is None:
                worth[:, j] -= price * data
            else:
                worth[where, j] -= price * data


class Formulas:
    """Works formulas out on a table.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self._amounts: dict[str | float, Column] = {}

    def evaluated(self, formula: str | float) -> tuple[Any, Bools]:
        """Work out a formula: values, and where they are unknown."""
        if not isinstance(formula, str):
            return np.full(len(self.table), float(formula)), np.zeros(len(self.table), dtype=bool)
        if formula in self.table.columns and not set("`\n") & set(formula):
            formula = f"`{formula}`"
        result = parse(formula).evaluate(self.table)
        return result.values, result.missing

    def numbers(self, formula: str | float) -> Floats:
        """Work out numbers, NaN where unknown."""
        values, missing = self.evaluated(formula)
        numbers = np.asarray(values, dtype=np.float64)
        return np.where(missing, np.nan, numbers) if missing.any() else numbers

    def truths(self, formula: str) -> Bools:
        """Work out conditions, False where unknown."""
        values, missing = self.evaluated(formula)
        return np.asarray(np.asarray(values, dtype=bool) & ~missing, dtype=bool)

    def amounts(self, formula: str | float) -> Column:
        """Work out numbers that are needed again; each formula is worked out once."""
        if formula not in self._amounts:
            numbers = self.numbers(formula)
            self._amounts[formula] = Column.of(numbers, np.isnan(numbers))
        return self._amounts[formula]
