"""What each remedy counts against a limit, kept in as little memory as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Amounts", "Coefficients", "Some", "kept"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]

_FEW = 8


class Some(NamedTuple):
    """Amounts of a few cases; all others count nothing.

    Parameters
    ----------
    case : ndarray of int
        Cases, ascending.
    data : ndarray of float64
        Their amounts.
    """

    case: npt.NDArray[Any]
    data: Floats


Amounts = float | npt.NDArray[Any] | Some
"""What one remedy counts: the same for every case, one number (or yes and no) a case, or those of a few cases."""


def kept(amounts: npt.NDArray[Any], usable: Bools) -> Amounts:
    """Choose how to keep one remedy's amounts.

    Parameters
    ----------
    amounts : ndarray, shape (n_cases,)
        Numbers, or yes and no.
    usable : ndarray of bool, shape (n_cases,)
        Where they matter.

    Returns
    -------
    Amounts
        The array itself where most cases count, only the cases that count where they are few.
    """
    count = int(np.count_nonzero(amounts))
    if count * _FEW < len(amounts):
        index = np.flatnonzero((amounts != 0) & usable).astype(np.int32)
        return Some(index, amounts[index].astype(np.float64))
    if amounts.dtype.kind == "f" and not np.isfinite(amounts).all():
        # What is missing is not eligible; it must not spoil sums either.
        return np.where(usable, amounts, 0.0)
    return amounts


class Coefficients:
    """One limit's coefficients by remedy, and as a sparse table where one is asked for.

    Parameters
    ----------
    amounts : mapping of int to Amounts
        What each remedy counts; a remedy that is not there counts nothing.
    matrix : scipy.sparse.csc_array or None
        The same as a table, where it is there already.
    """

    def __init__(self, amounts: Mapping[int, Amounts], matrix: Any = None) -> None:
        self.amounts = dict(amounts)
        self._matrix = matrix

    @classmethod
    def of_matrix(cls, matrix: Any) -> Coefficients:
        """Take coefficients from a sparse table of cases by remedies."""
        table = sparse.csc_array(matrix)
        table.sort_indices()
        pointer = table.indptr
        amounts: dict[int, Amounts] = {
            j: Some(table.indices[pointer[j] : pointer[j + 1]], table.data[pointer[j] : pointer[j + 1]])
            for j in range(table.shape[1])
            if pointer[j] < pointer[j + 1]
        }
        return cls(amounts, table)

    def matrix(self, eligible: Bools) -> Any:
        """Give a sparse table of cases by remedies, its entries those that are eligible and count.

        Parameters
        ----------
        eligible : ndarray of bool, shape (n_cases, n_remedies)
            Which remedy a case may get.

        Returns
        -------
        scipy.sparse.csc_array
            Made once.
        """
        if self._matrix is None:
            rows, columns, data = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)], [np.zeros(0)]
            for j, amounts in self.amounts.items():
                if isinstance(amounts, Some):
                    where = amounts.case[eligible[amounts.case, j]].astype(np.intp)
                    counts = amounts.data[eligible[amounts.case, j]]
                else:
                    whole = np.broadcast_to(np.asarray(amounts, dtype=np.float64), len(eligible))
                    where = np.flatnonzero(eligible[:, j] & (whole != 0))
                    counts = whole[where]
                rows.append(where)
                columns.append(np.full(len(where), j))
                data.append(counts)
            entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
            self._matrix = sparse.csc_array(entries, shape=eligible.shape)
        return self._matrix

    def at(self, case: Ints, remedy: Ints) -> Floats:
        """Give the amounts of pairs of case and remedy.

        Parameters
        ----------
        case, remedy : ndarray of int, shape (n_pairs,)
            Positions; -1 as a remedy counts nothing.

        Returns
        -------
        ndarray, shape (n_pairs,)
            What each counts.
        """
        result = np.zeros(len(case))
        for j, amounts in self.amounts.items():
            where = np.flatnonzero(remedy == j)
            if isinstance(amounts, Some):
                place = np.minimum(np.searchsorted(amounts.case, case[where]), len(amounts.case) - 1)
                if len(amounts.case):
                    result[where] = np.where(amounts.case[place] == case[where], amounts.data[place], 0.0)
            elif isinstance(amounts, np.ndarray):
                result[where] = amounts[case[where]]
            else:
                result[where] = amounts
        return result
