"""Brings the rows of an event table to arrays, sorted once by customer and moment."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._events import calendar_days, check_one_currency, customer_codes, times
from crmkit.preparation._matching import refund_lines

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation.feature_tables._clock import Clock
    from crmkit.preparation.feature_tables._columns import EventColumns

__all__ = ["EventRows", "read_rows"]


@dataclass(frozen=True, eq=False)
class EventRows:
    """The rows of one table, sorted by customer and moment; rows of one moment in the order of the table.

    Parameters
    ----------
    name : str
        Which table.
    frame : pandas.DataFrame
        As it came.
    order : ndarray of int, shape (n_rows,)
        Where each sorted row stands in ``frame``.
    ids : pandas.Index
        Customers of this table.
    customer : ndarray of int, shape (n_rows,)
        Position in ``ids``.
    moment, known : ndarray of int64, shape (n_rows,)
        When a row happened and from when on it was known, in ticks.
    day : ndarray of int64, shape (n_rows,)
        Local calendar days.
    back : ndarray of bool, shape (n_rows,)
        Whether a row takes something back.
    measures : dict of str to ndarray of float
        Numbers; NaN where missing.
    """

    name: str
    frame: pd.DataFrame
    order: npt.NDArray[np.intp]
    ids: pd.Index
    customer: npt.NDArray[np.intp]
    moment: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    back: npt.NDArray[np.bool_]
    measures: dict[str, npt.NDArray[np.float64]]
    _coded: dict[str, tuple[npt.NDArray[np.intp], pd.Index]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.order)

    def values(self, column: str) -> tuple[npt.NDArray[np.intp], pd.Index]:
        """Number the values of a column: the code of each sorted row, -1 where missing, and the values."""
        if column not in self._coded:
            codes, values = pd.factorize(self.frame[column])
            self._coded[column] = codes[self.order], pd.Index(values)
        return self._coded[column]


def read_rows(table: Any, columns: EventColumns, clock: Clock, *, name: str, stacklevel: int) -> EventRows:
    """Read and sort one event table.

    Parameters
    ----------
    table : table
        With ``customer_id`` and ``day`` or ``time``.
    columns : EventColumns
        Resolved.
    clock : Clock
        The axis.
    name : str
        Which table.
    stacklevel : int
        Whose line warnings point at, seen from here.

    Returns
    -------
    EventRows
        The rows.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used.

    Warns
    -----
    DataWarning
        If amounts are missing.
    """
    what = name or "events"
    frame = as_frame(table, what=what)
    require_columns(frame, ["customer_id"], what=what)
    day, time = calendar_days(frame, what=what), times(frame)
    customer, ids = customer_codes(frame, what=what)
    moment = clock.moments(day, time)
    known = moment
    if "recorded_time" in frame.columns:
        known = clock.known(moment, day, time, frame["recorded_time"])
    measures = {}
    for column in columns.measures or ():
        # In a comprehension the call would stand a frame deeper in some versions of Python.
        measures[column] = _measure(frame, column, what, stacklevel + 1)
    back = np.zeros(len(frame), dtype=bool)
    if "amount" in measures:
        check_one_currency(frame, what=what)
        back = refund_lines(frame, measures["amount"])
    order = _sorted(customer, moment)
    if order is None:
        order = np.arange(len(frame))
    else:
        customer, back = customer[order], back[order]
        moment, known, day = moment[order], known[order], day[order]
        measures = {column: values[order] for column, values in measures.items()}
    return EventRows(name, frame, order, ids, customer, moment, known, day, back, measures)


def _measure(frame: pd.DataFrame, column: str, what: str, stacklevel: int) -> npt.NDArray[np.float64]:
    """Give a column of numbers, missing ones as NaN; the amount is made where it can be."""
    factors = ("quantity", "unit_price") if column == "amount" and "amount" not in frame.columns else (column,)
    values = np.ones(len(frame))
    for name in factors:
        values = values * frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(f"{what}: {column} is infinite in {positions(infinite)}")
    missing = np.isnan(values)
    # A message without a duration is nothing strange; a purchase without an amount is.
    if column == "amount" and missing.any():
        warnings.warn(
            f"{what}: {column} is missing in {positions(missing)}: these rows are counted, but in no sum or mean",
            DataWarning,
            stacklevel=stacklevel,
        )
    return values


def _sorted(customer: npt.NDArray[np.intp], moment: npt.NDArray[np.int64]) -> npt.NDArray[np.intp] | None:
    """Give the order by customer and moment, rows of one moment as they stand; None where it is that already."""
    if not len(moment):
        return None
    first, last = int(moment.min()), int(moment.max())
    if (int(customer.max()) + 1) * (last - first + 1) < 2**62:
        # One key sorts several times faster than two.
        key = customer * np.int64(last - first + 1) + (moment - first)
        return None if (np.diff(key) >= 0).all() else np.argsort(key, kind="stable")
    return np.lexsort((moment, customer))
