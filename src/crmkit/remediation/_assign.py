"""Gives new cases their remedy at the prices of a plan that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import require_columns
from crmkit.remediation._fill import fill
from crmkit.remediation._ranking import adjusted_table
from crmkit.remediation._tableau import group_codes, tabulate
from crmkit.remediation._terms import NOTHING, Resource

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["assign"]


def assign(problem: Problem, duals: Floats, used: Floats, has: Bools, new_cases: Any) -> pd.DataFrame:
    """Give new cases, in their order, the best remedy at the prices that still fits.

    Parameters
    ----------
    problem : Problem
        What was planned.
    duals : ndarray, shape (n_limits,)
        What one more unit of each limit is worth.
    used : ndarray, shape (n_limits,)
        What the plan uses.
    has : ndarray of bool, shape (n_cases,)
        Cases of the plan whose group may get nothing more.
    new_cases : table
        With the columns that the formulas name.

    Returns
    -------
    pandas.DataFrame
        ``case_id``, ``remedy``, ``value``, ``uses_<resource>``, ``adjusted``.

    Raises
    ------
    DataError
        If a column or a case id is missing, or an id stands twice.
    """
    table = problem.new_cases(new_cases)
    n_cases = len(table)
    group, taken = np.arange(n_cases), np.zeros(n_cases, dtype=bool)
    if problem.one_per is not None:
        require_columns(table, [problem.one_per], what="new cases", hint="the problem has one remedy per it")
        both = pd.concat([problem.cases[problem.one_per], table[problem.one_per]], ignore_index=True)
        codes = group_codes(both)
        group = codes[problem.n_cases :]
        taken = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
        taken[codes[: problem.n_cases][has]] = True
    value, rows = tabulate(table, problem.remedies, problem.limits, group, np.ones(n_cases, dtype=bool), stacklevel=4)
    adjusted = adjusted_table(value, rows, duals)
    case, remedy = np.nonzero(adjusted > 0)
    order = np.lexsort((-adjusted[case, remedy], case))
    case, remedy = case[order], remedy[order]
    caps = [i for i, row in enumerate(rows) if row.sense == "<="]
    limit = np.array([row.bound for row in problem.tableau().limits], dtype=np.float64)
    uses = [sparse.csr_array(rows[i].coefficients.tocsr()[case, remedy].reshape(1, -1)) for i in caps]
    matrix = sparse.vstack(uses, format="csc") if caps else sparse.csc_array((0, len(case)))
    picked, _ = fill(group[case], matrix, np.maximum(limit - used, 0.0)[caps], taken)
    choice = np.full(n_cases, -1, dtype=np.intp)
    choice[case[picked]] = remedy[picked]
    some = np.flatnonzero(choice >= 0)
    names = np.array([*problem.remedy_names, NOTHING], dtype=object)

    def entries(array: Any) -> Floats:
        result = np.zeros(n_cases)
        result[some] = np.asarray(array[some, choice[some]]).ravel()
        return result

    columns: dict[str, Any] = {"case_id": table["case_id"], "remedy": names[choice], "value": entries(value)}
    for term, row in zip(problem.limits, rows, strict=True):
        if isinstance(term, Resource):
            columns[f"uses_{term.name}"] = entries(row.coefficients.tocsr())
    columns["adjusted"] = entries(adjusted)
    return pd.DataFrame(columns)
