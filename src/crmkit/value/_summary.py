"""Reads the purchase summary every lifetime and spend model is given, in crmkit's columns or those of lifetimes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, by_customer, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.preparation.units import age_column, days_in, last_purchase_column, unit_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Spend", "Summary", "read_gap_evenness", "read_spend", "read_summary"]

_MAKE_ONE = "make it with preparation.purchase_summary(transactions)"
_LIFETIMES = ("frequency", "recency")
_EVENNESS = "gap_evenness"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Summary:
    """Purchases of customers over time.

    Parameters
    ----------
    index : pandas.Index, shape (n_customers,)
        Whose rows they are.
    x : ndarray of float, shape (n_customers,)
        Repeat purchases.
    t_x : ndarray of float, shape (n_customers,)
        Age at the last purchase.
    T : ndarray of float, shape (n_customers,)
        Age at the cutoff.
    unit : str
        Of both ages.
    covariates : pandas.DataFrame or None, default=None
        Columns a model reads beside them, row by row, as they were given.
    """

    index: pd.Index
    x: npt.NDArray[np.float64]
    t_x: npt.NDArray[np.float64]
    T: npt.NDArray[np.float64]
    unit: str
    covariates: pd.DataFrame | None = None


@dataclass(frozen=True)
class Spend:
    """Mean spend of customers.

    Parameters
    ----------
    index : pandas.Index, shape (n_customers,)
        Whose rows they are.
    x : ndarray of float, shape (n_customers,)
        Purchases whose spend counts: the repeats, or all.
    m : ndarray of float, shape (n_customers,)
        Their mean spend; 0 where there are none.
    """

    index: pd.Index
    x: npt.NDArray[np.float64]
    m: npt.NDArray[np.float64]


def read_summary(table: Any, *, unit: str | None, what: str = "summary") -> Summary:
    """Read a purchase summary.

    Parameters
    ----------
    table : table
        With ``repeats``, ``last_purchase_weeks`` and ``age_weeks`` (or days, months), or, where ``unit`` is given, with
        lifetimes' ``frequency``, ``recency`` and ``T`` or ``age``.
    unit : str or None
        The unit of lifetimes' columns, or the one expected of crmkit's.
    what : str, default="summary"
        Its name in messages.

    Returns
    -------
    Summary
        Checked arrays.

    Raises
    ------
    DataError
        If it is another table (the message names the function that makes the right one), the unit is not known or not
        the expected one, or a value cannot be: the message names positions.
    """
    frame = _customer_frame(table, what)
    if set(_LIFETIMES) <= set(frame.columns):
        if unit is None:
            raise DataError(
                f"{what} has the columns of lifetimes, which do not say their unit: create the model with "
                "unit='week' (or 'day', 'month')"
            )
        days_in(unit)
        age = "T" if "T" in frame.columns else "age"
        columns = ("frequency", "recency", age)
    else:
        _refuse_other_tables(frame, what)
        found = unit_of(map(str, frame.columns))
        if found is None:
            wanted = unit or "week"
            require_columns(
                frame, ["repeats", last_purchase_column(wanted), age_column(wanted)], what=what, hint=_MAKE_ONE
            )
            raise DataError(f"{what} has the columns of more than one unit; keep those of one")
        if unit is not None and found != unit:
            raise DataError(f"{what} is in {found}s, expected {unit}s: {_MAKE_ONE.replace(')', '')}, unit={unit!r})")
        unit = found
        columns = ("repeats", last_purchase_column(unit), age_column(unit))
    require_columns(frame, columns, what=what, hint=_MAKE_ONE)
    x, t_x, age_at_cutoff = (_numbers(frame, column, what) for column in columns)
    _refuse_values(x < 0, columns[0], "is negative", what)
    _refuse_values(x != np.floor(x), columns[0], "is no whole number", what)
    _refuse_values(t_x < 0, columns[1], "is negative", what)
    _refuse_values(t_x > age_at_cutoff * (1 + _ROUNDING), columns[1], f"is greater than {columns[2]}", what)
    _refuse_values((x == 0) & (t_x > 0), columns[1], "is not 0 although there are no repeats", what)
    return Summary(frame.index, x, np.minimum(t_x, age_at_cutoff), age_at_cutoff, unit)


def read_gap_evenness(table: Any, *, what: str = "summary") -> npt.NDArray[np.float64] | None:
    """Read how even the gaps between purchases are, from a table that ``read_summary`` has read.

    Parameters
    ----------
    table : table
        A purchase summary.
    what : str, default="summary"
        Its name in messages.

    Returns
    -------
    ndarray of float, shape (n_customers,), or None
        Geometric over arithmetic mean of each customer's gaps, 1 where there is none; None where the table does not
        have the column.

    Raises
    ------
    DataError
        If a value cannot be.
    """
    frame = _customer_frame(table, what)
    if _EVENNESS not in frame.columns:
        return None
    evenness = _numbers(frame, _EVENNESS, what)
    repeats = _numbers(frame, "repeats" if "repeats" in frame.columns else "frequency", what)
    _refuse_values((repeats > 0) & ((evenness <= 0) | (evenness > 1 + _ROUNDING)), _EVENNESS, "is not in (0, 1]", what)
    return np.where(repeats > 0, np.minimum(evenness, 1.0), 1.0)


def read_spend(table: Any, *, what: str = "summary", first: bool = False) -> Spend:
    """Read the mean spend of a purchase summary.

    Parameters
    ----------
    table : table
        With ``repeats`` and ``repeat_spend``, or lifetimes' ``frequency`` and ``monetary_value``.
    what : str, default="summary"
        Its name in messages.
    first : bool, default=False
        Count the first purchase too, of which ``first_spend`` tells.

    Returns
    -------
    Spend
        Checked arrays.

    Raises
    ------
    DataError
        If it is another table, or a value cannot be.
    """
    frame = _customer_frame(table, what)
    columns: tuple[str, str] = ("frequency", "monetary_value")
    if not set(columns) <= set(frame.columns):
        _refuse_other_tables(frame, what)
        columns = ("repeats", "repeat_spend")
    require_columns(frame, [*columns, *(["first_spend"] if first else [])], what=what, hint=_MAKE_ONE)
    x, m = (_numbers(frame, column, what) for column in columns)
    _refuse_values(x < 0, columns[0], "is negative", what)
    _refuse_values(x != np.floor(x), columns[0], "is no whole number", what)
    if first:
        m = (x * np.where(x > 0, m, 0.0) + _numbers(frame, "first_spend", what)) / (x + 1)
        x = x + 1
    return Spend(frame.index, x, m)


def _customer_frame(table: Any, what: str) -> pd.DataFrame:
    """Give a frame with one row a customer; lifetimes' may have any index."""
    frame = as_frame(table, what=what)
    if {"amount", "day"} <= set(frame.columns) or {"amount", "time"} <= set(frame.columns):
        raise DataError(f"{what} is a table of transactions: {_MAKE_ONE}")
    if "customer_id" in frame.columns or frame.index.name == "customer_id":
        frame = by_customer(frame, what=what)
    if len(frame) == 0:
        raise DataError(f"{what} has no rows")
    return frame


def _refuse_other_tables(frame: pd.DataFrame, what: str) -> None:
    """Name the right function where the table is one of crmkit's others."""
    if {"recency_days", "frequency", "monetary"} <= set(frame.columns) and "repeats" not in frame.columns:
        raise DataError(f"{what} is an RFM table, which has no ages: {_MAKE_ONE}")


def _numbers(frame: pd.DataFrame, column: str, what: str) -> npt.NDArray[np.float64]:
    """Give a column as finite floats."""
    series = frame[column]
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise DataError(f"{what}: {column} must hold numbers, got {series.dtype}")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_values(~np.isfinite(values), column, "is missing or infinite", what)
    return values


def _refuse_values(wrong: npt.NDArray[np.bool_], column: str, reason: str, what: str) -> None:
    """Raise naming positions."""
    if wrong.any():
        raise DataError(f"{what}: {column} {reason} in {positions(wrong)}")
