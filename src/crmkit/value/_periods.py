"""Reads the tables of models that count in whole periods: opportunities taken, and contracts renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, by_customer, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.preparation.units import DAYS, days_in, unit_of
from crmkit.value._summary import Summary

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Contracts", "check_whole", "read_contracts", "read_periods"]

_PERIODS = "make it with preparation.period_summary(transactions, period='month')"
_CONTRACTS = (
    "make it with preparation.contract_summary(contracts, cutoff=...), or with "
    "preparation.contracts_from_survivors from counts"
)
_AGES = ("n", "n_periods", "T", "age")
"""What the number of opportunities is called beside lifetimes' ``frequency`` and ``recency``."""


def read_periods(table: Any, *, unit: str | None, what: str = "summary") -> Summary:
    """Read in how many periods customers bought.

    Parameters
    ----------
    table : table
        With ``repeats``, ``last_purchase_periods``, ``age_periods`` and ``period``, or, where ``unit`` is given, with
        lifetimes' ``frequency``, ``recency`` and ``n`` (or ``n_periods``, ``T``, ``age``).
    unit : str or None
        How long a period is where the table does not say it, or the one expected.
    what : str, default="summary"
        Its name in messages.

    Returns
    -------
    Summary
        Checked arrays.

    Raises
    ------
    DataError
        If it is another table (the message names the function that makes the right one), or a value cannot be.
    """
    frame = _frame(table, what, _PERIODS)
    columns = ("repeats", "last_purchase_periods", "age_periods")
    if {"frequency", "recency"} <= set(frame.columns):
        columns = ("frequency", "recency", next((name for name in _AGES if name in frame.columns), "n"))
    elif unit_of(map(str, frame.columns)) is not None and columns[2] not in frame.columns:
        raise DataError(f"{what} is in continuous time, this model counts periods: {_PERIODS}")
    require_columns(frame, columns, what=what, hint=_PERIODS)
    x, t_x, n = (_whole(frame, column, what, f"; in continuous time {_PERIODS}") for column in columns)
    _refuse(t_x < x, columns[1], f"is smaller than {columns[0]}, which counts at most one a period,", what)
    _refuse(t_x > n, columns[1], f"is greater than {columns[2]}", what)
    _refuse((x == 0) & (t_x > 0), columns[1], f"is not 0 although {columns[0]} is", what)
    return Summary(frame.index, x, t_x, n, _unit(frame, unit, what))


class Contracts(Summary):
    """Contracts in the columns of a purchase summary, so that equal ones are counted and computed once.

    ``x`` is 1 of a customer who left, else 0; ``T`` is how many renewals they made, of those whose outcome is known of
    everyone; ``t_x`` is 1 where they refused the next one, else 0.
    """


def read_contracts(table: Any, *, unit: str | None, counted: bool, what: str = "contracts") -> Contracts:
    """Read how often contracts were renewed, and which ended.

    Parameters
    ----------
    table : table
        With ``tenure_periods`` and ``churned``; ``age_periods``, ``customers`` and ``period`` where they are there.
    unit : str or None
        How long a period is where the table does not say it, or the one expected.
    counted : bool
        Whether to repeat each row as often as its ``customers`` says.
    what : str, default="contracts"
        Its name in messages.

    Returns
    -------
    Contracts
        Checked arrays.

    Raises
    ------
    DataError
        If it is another table (the message names the functions that make the right one), or a value cannot be.
    """
    frame = _frame(table, what, _CONTRACTS)
    require_columns(frame, ["tenure_periods", "churned"], what=what, hint=_CONTRACTS)
    tenure, churned = _whole(frame, "tenure_periods", what), _flags(frame, "churned", what)
    _refuse(churned & (tenure < 1), "tenure_periods", "is 0 although the customer left at a renewal", what)
    refused = churned.copy()
    if "age_periods" in frame.columns:
        age = _whole(frame, "age_periods", what)
        _refuse(~churned & (tenure != age), "age_periods", "is not the tenure of a customer who is still there", what)
        _refuse(churned & (tenure > age + 1), "tenure_periods", "is greater than age_periods and one", what)
        # Of those who came up for renewal with them it is not known yet who stays: counting only the leavers of an
        # unfinished period would make it look worse than it will be.
        refused &= tenure <= age
    index, stayed = frame.index, tenure - churned
    gone, event = churned.astype(np.float64), refused.astype(np.float64)
    if counted and "customers" in frame.columns:
        times = _whole(frame, "customers", what).astype(np.int64)
        index = index.repeat(times)
        gone, event, stayed = (np.repeat(column, times) for column in (gone, event, stayed))
        if len(index) == 0:
            raise DataError(f"{what} speaks of no customers")
    return Contracts(index, gone, event, stayed, _unit(frame, unit, what))


def check_whole(name: str, value: float) -> None:
    """Refuse a number of periods that is not whole."""
    if value != np.floor(value):
        raise DataError(f"{name} must be a whole number of periods, got {value!r}")


def _frame(table: Any, what: str, hint: str) -> pd.DataFrame:
    """Give a frame, with one row a customer where it names them."""
    frame = as_frame(table, what=what)
    if {"amount", "day"} <= set(frame.columns) or {"amount", "time"} <= set(frame.columns):
        raise DataError(f"{what} is a table of transactions: {hint}")
    if "customer_id" in frame.columns or frame.index.name == "customer_id":
        frame = by_customer(frame, what=what)
    if len(frame) == 0:
        raise DataError(f"{what} has no rows")
    return frame


def _unit(frame: pd.DataFrame, unit: str | None, what: str) -> str:
    """Give the length of the table's periods."""
    if "period" not in frame.columns:
        if unit is None:
            known = ", ".join(map(repr, DAYS))
            raise DataError(f"{what} does not say how long a period is: create the model with unit= one of {known}")
        days_in(unit)
        return unit
    periods = frame["period"].unique()
    if len(periods) != 1 or periods[0] not in DAYS:
        raise DataError(f"{what}: period must be the same one of {', '.join(map(repr, DAYS))} in all rows")
    found = str(periods[0])
    if unit is not None and found != unit:
        raise DataError(f"{what} is in periods of a {found}, expected a {unit}")
    return found


def _whole(frame: pd.DataFrame, column: str, what: str, hint: str = "") -> npt.NDArray[np.float64]:
    """Give a column of whole numbers of at least 0."""
    series = frame[column]
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise DataError(f"{what}: {column} must hold numbers, got {series.dtype}")
    values = np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    _refuse(~np.isfinite(values), column, "is missing or infinite", what)
    _refuse(values < 0, column, "is negative", what)
    odd = values != np.floor(values)
    if odd.any():
        raise DataError(f"{what}: {column} is no whole number in {positions(odd)}{hint}")
    return values


def _flags(frame: pd.DataFrame, column: str, what: str) -> npt.NDArray[np.bool_]:
    """Give a column of true and false, which may be written 1 and 0."""
    series = frame[column]
    _refuse(series.isna().to_numpy(dtype=bool), column, "is missing", what)
    if not pd.api.types.is_numeric_dtype(series.dtype) and series.dtype != object:
        raise DataError(f"{what}: {column} must hold true and false, got {series.dtype}")
    odd = ~series.isin([True, False]).to_numpy(dtype=bool)
    _refuse(odd, column, "is neither true nor false", what)
    return np.asarray(series.to_numpy(dtype=bool))


def _refuse(wrong: npt.NDArray[np.bool_], column: str, reason: str, what: str) -> None:
    """Raise naming positions."""
    if wrong.any():
        raise DataError(f"{what}: {column} {reason} in {positions(wrong)}")
