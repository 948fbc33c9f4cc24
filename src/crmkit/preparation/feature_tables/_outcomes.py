"""What happened after a cutoff: bought, how often, for how much, or what a function says; unknown where data end."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._cutoff import as_cutoff
from crmkit.preparation._last_day import day_after_last

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.preparation.feature_tables._clock import Clock
    from crmkit.preparation.feature_tables._rows import EventRows

__all__ = ["LABELS", "censored_cutoffs", "check_horizon", "data_end", "outcomes_after", "outcomes_by"]

LABELS = {"bought": "bought", "count": "purchases", "sum": "amount"}
"""The labels that have a name, and the column of the outcomes that each is."""


def check_horizon(horizon: Any) -> int:
    """Check that a horizon is a whole number of days."""
    if isinstance(horizon, bool) or not hasattr(horizon, "__index__") or horizon < 1:
        raise DataError(f"horizon must be a whole number of days of at least 1, got {horizon!r}")
    return int(horizon)


def data_end(rows: EventRows, clock: Clock, until: Any) -> int:
    """Give the tick up to which events are known, exclusive.

    Parameters
    ----------
    rows : EventRows
        The table the label is made of.
    clock : Clock
        The axis.
    until : date, time, text of one, or None
        As said by who knows; None for a day after the last row.

    Returns
    -------
    int
        A tick.
    """
    if until is None:
        if not len(rows.day):
            raise DataError(
                f"{rows.name or 'events'} hold no rows, so what happens after a cutoff is not known yet "
                "(until=… says how far they reach)"
            )
        day = np.empty_like(rows.day)
        day[rows.order] = rows.day
        day_after_last(day, what=rows.name or "events", say="until")
        return int(rows.moment.max()) + clock.day
    end = as_cutoff(until)
    if clock.by_day:
        if end.instant is not None:
            raise DataError("until must be a date where cutoffs are dates")
        return end.day
    if end.instant is None:
        raise DataError("until must be a time with a time of day where cutoffs are")
    return int(clock.moments(np.zeros(1, dtype=np.int64), pd.Series([end.instant]))[0])


def censored_cutoffs(clock: Clock, horizon: int, end: int, mode: str, *, stacklevel: int) -> npt.NDArray[np.bool_]:
    """Say of which cutoffs the label is not known yet.

    Parameters
    ----------
    clock : Clock
        The cutoffs.
    horizon : int
        Days.
    end : int
        The tick up to which events are known.
    mode : {"raise", "unknown"}
        What to do about it.
    stacklevel : int
        Whose line the warning points at.

    Returns
    -------
    ndarray of bool, shape (n_cutoffs,)
        True where the horizon reaches past the data.

    Raises
    ------
    DataError
        In mode "raise", if there is one.

    Warns
    -----
    DataWarning
        In mode "unknown".
    """
    if mode not in {"raise", "unknown"}:
        raise DataError(f"censored must be 'raise' or 'unknown', got {mode!r}")
    late = clock.ticks + horizon * clock.day > end
    if late.any():
        named = ", ".join(str(cutoff) for cutoff, is_late in zip(clock.cutoffs, late, strict=True) if is_late)
        said = (
            f"what happens in the {horizon} days from {named} is not known yet: the data end before (write until=… if "
            "they are complete for longer than their last row shows)"
        )
        if mode == "raise":
            raise DataError(f"{said}; leave these cutoffs out, or write censored='unknown' to keep them without label")
        warnings.warn(f"{said}; the label there is missing", DataWarning, stacklevel=stacklevel)
    return late


def outcomes_after(
    rows: EventRows, place: npt.NDArray[np.intp], size: int, start: int, end: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Say who bought in a stretch of time, on how many days, and for how much.

    Parameters
    ----------
    rows : EventRows
        The table the label is made of.
    place : ndarray of int
        The row of the result of each customer; -1 for none.
    size : int
        Rows of the result.
    start, end : int
        Ticks; the end is exclusive.

    Returns
    -------
    dict of str to ndarray of float, shape (size,)
        ``bought`` (1 or 0), ``purchases`` (days with a row that takes nothing back) and, where there are amounts,
        ``amount`` (net of what was given back).
    """
    inside = (rows.moment >= start) & (rows.moment < end) & (place[rows.customer] >= 0)
    event = np.flatnonzero(inside & ~rows.back)
    pairs = np.unique(np.column_stack([place[rows.customer[event]], rows.day[event]]), axis=0)
    days = np.bincount(pairs[:, 0].astype(np.intp), minlength=size).astype(np.float64)
    found = {"bought": (days > 0).astype(np.float64), "purchases": days}
    if "amount" in rows.measures:
        chosen = np.flatnonzero(inside)
        found["amount"] = np.bincount(
            place[rows.customer[chosen]], np.nan_to_num(rows.measures["amount"][chosen]), minlength=size
        ).astype(np.float64)
    return found


def outcomes_by(
    rule: Callable[..., Any], tables: tuple[EventRows, ...], customers: pd.Index, start: int, end: int
) -> pd.Series:
    """Ask a function what happened.

    Parameters
    ----------
    rule : callable
        Of the rows in the horizon (a frame, or a dict of frames where there are several tables) and the customers.
    tables : tuple of EventRows
        The event tables.
    customers : pandas.Index
        Whose outcome is wanted.
    start, end : int
        Ticks; the end is exclusive.

    Returns
    -------
    Series, indexed by customer_id
        In the order of ``customers``; missing where the function says nothing.

    Raises
    ------
    DataError
        If the answer does not fit the customers.
    """
    after = {}
    for rows in tables:
        inside = (rows.moment >= start) & (rows.moment < end)
        frame = rows.frame.iloc[np.sort(rows.order[inside])].copy()
        # Ids as the features name them: text, whatever they were.
        names = np.empty(len(rows), dtype=object)
        names[rows.order] = rows.ids.to_numpy(dtype=object)[rows.customer]
        after[rows.name] = frame.assign(customer_id=names[np.sort(rows.order[inside])])
    answer = rule(after[""] if list(after) == [""] else after, customers)
    if isinstance(answer, pd.Series):
        if not answer.index.is_unique:
            raise DataError("the label function gave a customer more than one label")
        return answer.reindex(customers)
    values = np.asarray(answer)
    if values.shape != (len(customers),):
        raise DataError(
            f"the label function must give a Series by customer_id, or one label for each of the {len(customers):,} "
            f"customers; got {values.shape}"
        )
    return pd.Series(values, index=customers)
