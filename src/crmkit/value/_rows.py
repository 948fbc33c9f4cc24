"""The distinct customers a model computes with, and the groups of them that share their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from crmkit.value._collapse import collapse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Groups", "Kinds", "Rows", "added_up"]


def added_up(code: npt.NDArray[np.intp], values: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Add values up by code, from 0 to ``size - 1``."""
    return np.bincount(code, values, size).astype(np.float64, copy=False)


@dataclass(frozen=True)
class Groups:
    """Which rows share their parameters.

    Parameters
    ----------
    code : ndarray of int, shape (n_rows,)
        Group of each row.
    size : int
        How many groups there are; with one, nothing is looked up or added up by group.
    """

    code: npt.NDArray[np.intp]
    size: int

    @classmethod
    def one(cls, n_rows: int) -> Groups:
        """Put all rows into one group."""
        return cls(np.zeros(n_rows, dtype=np.intp), 1)

    def spread(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give each row the value of its group; one value where there is one group."""
        return values if self.size == 1 else values[self.code]

    def total(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add rows up by group."""
        if self.size == 1:
            return np.array([values.sum()])
        return added_up(self.code, values, self.size)


class Kinds:
    """The distinct values of a column within groups, for what needs to be computed once for each.

    Parameters
    ----------
    column : ndarray of float, shape (n_rows,)
        The column.
    groups : Groups
        Of the rows.

    Attributes
    ----------
    value : ndarray of float, shape (n_kinds,)
        The distinct values.
    code : ndarray of int, shape (n_rows,)
        Kind of each row.
    """

    def __init__(self, column: npt.NDArray[np.float64], groups: Groups) -> None:
        (self.value, group), _, self.code = collapse(column, groups.code.astype(np.float64))
        self._groups = Groups(group.astype(np.intp), groups.size)

    def spread(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give each kind the value of its group; one value where there is one group."""
        return self._groups.spread(values)

    def by_group(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add kinds up by group."""
        return self._groups.total(values)

    def total(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add rows up by kind."""
        return added_up(self.code, values, len(self.value))


@dataclass(frozen=True)
class Rows:
    """Distinct customers.

    Parameters
    ----------
    x, t_x, T : ndarray of float, shape (n_distinct,)
        Repeat purchases, age at the last one, age at the cutoff.
    weights : ndarray of float, shape (n_distinct,)
        How many customers are equal to each.
    inverse : ndarray of int, shape (n_customers,)
        Which distinct row each customer is.
    groups : Groups
        Rows whose covariates are equal.
    design : ndarray of float, shape (n_groups, n_terms)
        Covariates of each group; no columns where there are none.
    """

    x: npt.NDArray[np.float64]
    t_x: npt.NDArray[np.float64]
    T: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    inverse: npt.NDArray[np.intp]
    groups: Groups
    design: npt.NDArray[np.float64]

    @cached_property
    def living(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The rows that stand first with their repeats, age and group, and which of these each row is like.

        Of a customer who is alive the last purchase says no more in most models: far fewer are left to compute.
        """
        _, _, like = collapse(self.x, self.T, self.groups.code.astype(np.float64))
        first = np.empty(int(like.max(initial=-1)) + 1, dtype=np.intp)
        first[like[::-1]] = np.arange(len(like) - 1, -1, -1)
        return first, like
