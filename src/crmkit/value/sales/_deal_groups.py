"""Groups of deals by the columns they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.value.sales._stage_history import StageHistory

__all__ = ["by_columns", "group_codes", "indexed", "rows_by"]


def by_columns(by: str | Sequence[str] | None) -> list[str]:
    """List the columns to group by, or say that one stands twice.

    Parameters
    ----------
    by : str, sequence of str or None
        As a caller gives them.

    Returns
    -------
    list of str
        Empty for None.

    Raises
    ------
    DataError
        If a column is named twice.
    """
    columns = [] if by is None else [by] if isinstance(by, str) else list(by)
    if len(set(columns)) < len(columns):
        raise DataError("by names a column twice")
    return columns


def group_codes(history: StageHistory, by: str | Sequence[str] | None) -> tuple[npt.NDArray[np.intp], pd.Index | None]:
    """Number the groups of deals by columns; a missing value is a group of its own.

    Parameters
    ----------
    history : StageHistory
        The deals.
    by : str, sequence of str or None
        Columns of the deals; None for one group.

    Returns
    -------
    codes : ndarray of int, shape (n_deals,)
        The group of each deal.
    groups : pandas.Index or None
        Their sorted values; None where there is no ``by``.

    Raises
    ------
    DataError
        If there is no such column, or one is named twice.
    """
    if by is None:
        return np.zeros(len(history.deals), dtype=np.intp), None
    columns = by_columns(by)
    if not columns:
        raise DataError("by must name at least one column, or be None")
    require_columns(history.deals, columns, what="opportunities")
    grouped = history.deals.groupby(columns, dropna=False, sort=True, observed=True)
    groups = grouped.size().index
    return np.asarray(grouped.ngroup(), dtype=np.intp), groups


def rows_by(group: npt.NDArray[np.intp], used: npt.NDArray[np.bool_], n_groups: int) -> list[npt.NDArray[np.intp]]:
    """Give the positions of each group's rows that are used.

    Parameters
    ----------
    group : ndarray of int, shape (n_rows,)
        The group of each row.
    used : ndarray of bool, shape (n_rows,)
        Which rows to take.
    n_groups : int
        How many groups there are; some may have no row.

    Returns
    -------
    list of ndarray of int
        One array a group, rising.
    """
    rows = np.flatnonzero(used)
    rows = rows[np.argsort(group[rows], kind="stable")]
    return np.split(rows, np.searchsorted(group[rows], np.arange(1, n_groups)))


def indexed(result: pd.DataFrame, index: pd.Index | None) -> pd.DataFrame:
    """Put groups and stage into the index.

    Parameters
    ----------
    result : pandas.DataFrame
        With the columns ``group`` (a number) and ``stage``.
    index : pandas.Index or None
        The groups by number; None where there are none.

    Returns
    -------
    pandas.DataFrame
        Without the two columns.
    """
    group = result.pop("group").to_numpy()
    stage = pd.Index(result.pop("stage"), name="stage")
    if index is None:
        return result.set_index(stage)
    if isinstance(index, pd.MultiIndex):
        parts = [index.get_level_values(number).take(group) for number in range(index.nlevels)]
        return result.set_index(pd.MultiIndex.from_arrays([*parts, stage], names=[*index.names, "stage"]))
    return result.set_index(pd.MultiIndex.from_arrays([index.take(group), stage], names=[index.name, "stage"]))
