"""Columns that say nothing, or say again what another column says."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["constant_columns", "redundant_columns"]

_LEAST = 3


def constant_columns(table: pd.DataFrame) -> list[str]:
    """Give the columns in which all known values are equal, those without any known value included.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table.

    Returns
    -------
    list of str
        Their names, in order.
    """
    return [str(name) for name in table.columns if len(table[name].dropna().unique()) <= 1]


def redundant_columns(table: pd.DataFrame, *, above: float) -> pd.DataFrame:
    """Give the numeric columns that are nearly a straight line of an earlier one.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; correlations are over rows in which both columns are known.
    above : float
        The size of correlation from which on a column is redundant.

    Returns
    -------
    pandas.DataFrame
        ``column``, ``like`` (the earlier column it follows most closely, itself not redundant), ``correlation``.
    """
    numeric = table.select_dtypes(include="number")
    names = [str(name) for name in numeric.columns]
    correlation = numeric.astype("float64").corr(min_periods=_LEAST).to_numpy(dtype=np.float64)
    kept: list[int] = []
    found: list[tuple[str, str, float]] = []
    for column in range(len(names)):
        size = np.nan_to_num(np.abs(correlation[column, kept]), nan=0.0)
        if kept and size.max() >= above:
            like = kept[int(size.argmax())]
            found.append((names[column], names[like], float(correlation[column, like])))
        else:
            kept.append(column)
    return pd.DataFrame(found, columns=["column", "like", "correlation"])
