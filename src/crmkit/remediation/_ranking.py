"""Ranks what can be done for each case by its value less what it uses at the plan's prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._tableau import Row

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["adjusted_table", "elsewhere", "runners_up"]


def adjusted_table(value: Floats, rows: Sequence[Row], duals: Floats) -> Floats:
    """Take from each value what the remedy uses at the prices.

    Parameters
    ----------
    value : ndarray, shape (n_cases, n_remedies)
        ``-inf`` where not eligible.
    rows : sequence of Row
        The limits.
    duals : ndarray, shape (n_rows,)
        What one more unit of each limit is worth: >= 0 for resources and caps, <= 0 for floors.

    Returns
    -------
    ndarray, shape (n_cases, n_remedies)
        ``-inf`` where not eligible.
    """
    adjusted = value.copy()
    for row, dual in zip(rows, duals, strict=True):
        if dual:
            entries = row.coefficients.tocoo()
            adjusted[entries.coords[0], entries.coords[1]] -= dual * entries.data
    return adjusted


def elsewhere(adjusted: Floats, group: Ints) -> Floats:
    """Say what nothing for a case is worth: the best that its group can get in another of its cases, at least 0.

    Parameters
    ----------
    adjusted : ndarray, shape (n_cases, n_remedies)
        Price-adjusted values.
    group : ndarray of int, shape (n_cases,)
        Cases of one group get at most one remedy together.

    Returns
    -------
    ndarray, shape (n_cases,)
        0 for a case that is alone in its group.
    """
    n_cases = len(group)
    result = np.zeros(n_cases)
    if not n_cases or not adjusted.shape[1]:
        return result
    best = adjusted.max(axis=1)
    order = np.lexsort((-best, group))
    numbers = group[order]
    first = np.ones(n_cases, dtype=bool)
    first[1:] = numbers[1:] != numbers[:-1]
    start = np.flatnonzero(first)
    size = np.diff(np.append(start, n_cases))
    top = best[order[start]]
    second = np.full(len(start), -np.inf)
    second[size > 1] = best[order[start[size > 1] + 1]]
    which = np.cumsum(first) - 1
    result[order] = np.maximum(np.where(first, second[which], top[which]), 0.0)
    return result


def runners_up(adjusted: Floats, nothing: Floats, case: Ints, remedy: Ints) -> tuple[Ints, Floats]:
    """Say what comes second to what each case gets, and by how much it is behind.

    Parameters
    ----------
    adjusted : ndarray, shape (n_cases, n_remedies)
        Price-adjusted values.
    nothing : ndarray, shape (n_cases,)
        What nothing is worth for each case.
    case, remedy : ndarray of int, shape (n_rows,)
        What is given, -1 for nothing.

    Returns
    -------
    tuple of ndarray
        The runner-up (-1 for nothing, -2 where there is no other choice) and the lead over it (``inf`` there).
    """
    everything = np.column_stack([adjusted[case], nothing[case]])
    line = np.arange(len(case))
    given = np.where(remedy < 0, adjusted.shape[1], remedy)
    own = everything[line, given]
    everything[line, given] = -np.inf
    second = everything.argmax(axis=1) if len(case) else np.zeros(0, dtype=np.intp)
    behind = everything[line, second]
    none = ~np.isfinite(behind)
    runner = np.where(second == adjusted.shape[1], -1, second)
    return np.where(none, -2, runner), np.where(none, np.inf, own - np.where(none, 0.0, behind))
