"""Transactions as a regular table of groups and calendar periods, without the periods that are not complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError
from crmkit.metrics._calendar import period_of, period_start
from crmkit.preparation import as_cutoff, calendar_days
from crmkit.preparation._events import amounts, customer_codes, transactions_frame
from crmkit.preparation._matching import refund_lines, undo_cancellations
from crmkit.preparation._purchases import REFUNDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["MEASURES", "Sales", "sales_table"]

MEASURES = ("amount", "purchases", "customers")

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Sales:
    """Sales of groups in consecutive periods.

    Parameters
    ----------
    values : ndarray of float, shape (n_groups, n_periods)
        Amount, purchase days or customers; 0 where there were none.
    groups : pandas.DataFrame, shape (n_groups, n_columns)
        What each row is of; no columns where nothing was asked for.
    first : ndarray of int, shape (n_groups,)
        The period of each group's first sale.
    begin : int
        Number of the first period.
    period : str
        The calendar's unit.
    rows : ndarray of int
        Positions of the transactions that lie in these periods.
    notes : tuple of str
        What was left out, and what to know of it.
    """

    values: npt.NDArray[np.float64]
    groups: pd.DataFrame
    first: npt.NDArray[np.intp]
    begin: int
    period: str
    rows: npt.NDArray[np.intp]
    notes: tuple[str, ...]

    def starts(self, extra: int = 0) -> npt.NDArray[np.int64]:
        """First days of the periods, and of so many more."""
        number = self.begin + np.arange(self.values.shape[1] + extra)
        return period_start(number, self.period)


def sales_table(
    transactions: Any,
    *,
    by: Sequence[str],
    period: str,
    measure: str,
    begin: Any,
    cutoff: Any,
    refunds: str,
) -> Sales:
    """Add transactions up by group and period.

    Parameters
    ----------
    transactions : table
        As for ``preparation.rfm_table``.
    by : sequence of str
        Columns whose combinations are the groups.
    period : {"day", "week", "month", "quarter", "year"}
        The calendar's unit.
    measure : {"amount", "purchases", "customers"}
        What is added up.
    begin, cutoff : date, time, text of one, or None
        From when and up to when the table is complete.
    refunds : {"net", "ignore", "match"}
        As for ``preparation.rfm_table``.

    Returns
    -------
    Sales
        The table.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or no period is complete.
    """
    if measure not in MEASURES:
        raise DataError(f"measure must be one of {', '.join(map(repr, MEASURES))}, got {measure!r}")
    if refunds not in REFUNDS:
        raise DataError(f"refunds must be one of {', '.join(map(repr, REFUNDS))}, got {refunds!r}")
    frame = transactions_frame(transactions)
    require_columns(frame, by, what="transactions")
    day = calendar_days(frame)
    if not len(day):
        raise DataError("transactions is empty: there is no history to forecast from")
    early, late, notes = _bounds(day, period, begin, cutoff)
    inside = (day >= early) & (day < late)
    amount, kept = _policy(frame, np.flatnonzero(day < late), amounts(frame), refunds)
    rows = np.flatnonzero(inside & kept)
    if not len(rows):
        raise DataError(
            f"no {period} with sales is complete: the table must reach from the first day of one to its last "
            "(say begin= and cutoff= where it does, but days without sales hide it)"
        )
    number = period_of(day[rows], period)
    start = int(period_of(early, period))
    n_periods = int(period_of(late - 1, period)) - start + 1
    codes, groups = _groups(frame.iloc[rows], by)
    column = number - start
    if measure == "amount":
        weight, taken = amount[rows], np.arange(len(rows))
    else:
        bought = ~refund_lines(frame, amounts(frame))[rows]
        who = customer_codes(frame)[0][rows]
        when = day[rows] if measure == "purchases" else number
        taken = _distinct(codes, who, when, bought)
        weight = np.ones(len(rows))
        notes += _counted_twice(codes, who, when, bought, len(taken), measure)
    cell = codes[taken] * n_periods + column[taken]
    values = _added_up(cell, weight[taken], len(groups) * n_periods).reshape(len(groups), n_periods)
    first = np.full(len(groups), n_periods)
    np.minimum.at(first, codes, column)
    return Sales(values, groups, first.astype(np.intp), start, period, rows, notes)


def _added_up(cell: npt.NDArray[np.intp], weight: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Add up; what cancels out but for rounding is 0, so that it does not pass for a loss."""
    total = np.bincount(cell, weight, minlength=size)
    gross = np.bincount(cell, np.abs(weight), minlength=size)
    return np.where(np.abs(total) <= _ROUNDING * gross, 0.0, total)


def _bounds(day: npt.NDArray[np.int64], period: str, begin: Any, cutoff: Any) -> tuple[int, int, tuple[str, ...]]:
    """Give the first and the end of the complete periods, and say what is left out."""
    earliest, latest = int(day.min()), int(day.max())
    known_from = as_cutoff(begin).day if begin is not None else earliest
    limit = as_cutoff(cutoff) if cutoff is not None else as_cutoff(latest + 1)
    # A cutoff within a day leaves that day incomplete.
    within = limit.instant is not None and limit.instant != limit.instant.normalize()
    known_until = limit.day - int(within)
    first = int(period_of(known_from, period))
    if period_start(first, period) < known_from:
        first += 1
    last = int(period_of(known_until, period))
    early, late = (int(period_start(number, period)) for number in (first, last))
    notes = []
    if earliest < early and begin is None:
        notes.append(
            f"the first {period} is not complete and left out: sales begin on {_date(earliest)} "
            "(say begin= if the table reaches further back)"
        )
    if late <= latest and late < known_until + within:
        notes.append(
            f"the last {period} is not complete and left out: the table ends on {_date(known_until - 1)} "
            "(say cutoff= if it reaches further)"
        )
    return early, late, tuple(notes)


def _date(day: int) -> str:
    """Write a day."""
    return str(np.datetime64(day, "D"))


def _policy(
    frame: pd.DataFrame, seen: npt.NDArray[np.intp], amount: npt.NDArray[np.float64], refunds: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Apply the policy for refunds: give amounts, and which lines count."""
    kept = np.ones(len(amount), dtype=bool)
    back = refund_lines(frame, amount)
    if refunds == "ignore":
        kept &= ~back
    elif refunds == "match" and back[seen].any():
        amount, gone = undo_cancellations(frame, seen, amount)
        kept &= ~gone
    return amount, kept


def _groups(frame: pd.DataFrame, by: Sequence[str]) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """Number the combinations of the columns; a missing value is a group of its own."""
    if not by:
        return np.zeros(len(frame), dtype=np.intp), pd.DataFrame(index=pd.RangeIndex(1))
    grouped = frame.groupby(list(by), sort=True, dropna=False, observed=True)
    codes: npt.NDArray[np.intp] = grouped.ngroup().to_numpy().astype(np.intp)
    place = np.zeros(int(codes.max()) + 1, dtype=np.intp)
    place[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, frame[list(by)].iloc[place].reset_index(drop=True)


def _distinct(
    codes: npt.NDArray[np.intp],
    who: npt.NDArray[np.intp],
    when: npt.NDArray[np.int64],
    bought: npt.NDArray[np.bool_],
) -> npt.NDArray[np.intp]:
    """Give one row for each group, customer and day (or period) with a purchase."""
    rows = np.flatnonzero(bought)
    span = int(when.max()) - int(when.min()) + 1
    key = (codes[rows].astype(np.int64) * (int(who.max(initial=0)) + 1) + who[rows]) * span + when[rows] - when.min()
    return rows[np.unique(key, return_index=True)[1]]


def _counted_twice(
    codes: npt.NDArray[np.intp],
    who: npt.NDArray[np.intp],
    when: npt.NDArray[np.int64],
    bought: npt.NDArray[np.bool_],
    counted: int,
    measure: str,
) -> tuple[str, ...]:
    """Say where one purchase day or customer counts in more than one group."""
    alone = len(_distinct(np.zeros_like(codes), who, when, bought)) if counted else 0
    if counted == alone:
        return ()
    twice = f"{counted - alone:,} of {counted:,} {measure} count in more than one group"
    return (f"{twice}: the total is the sum of the groups, so that it adds up",)
