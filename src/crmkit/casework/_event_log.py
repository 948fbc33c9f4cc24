"""Reads an event log: which case did what when, in order, with the stays between its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.casework._instants import as_instant, as_instants, as_zone
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Ints = npt.NDArray[np.intp]

__all__ = ["EventLog", "Moment", "read_log", "variants_of"]

Moment = Literal["entered", "completed"]


@dataclass(frozen=True)
class EventLog:
    """The events of a log, sorted by case and then time.

    Parameters
    ----------
    case, activity : ndarray of int, shape (n_events,)
        Positions in ``case_ids`` and ``activities``.
    time : ndarray of int64, shape (n_events,)
        Microseconds.
    case_ids, activities : ndarray of object
        Their names, in the order in which they first appear.
    first, last : ndarray of int, shape (n_cases,)
        Where each case begins and ends.
    over : ndarray of bool, shape (n_cases,)
        Whether it has ended.
    as_of : int
        Until when the log was watched, in microseconds.
    """

    case: Ints
    activity: Ints
    time: npt.NDArray[np.int64]
    case_ids: npt.NDArray[np.object_]
    activities: npt.NDArray[np.object_]
    first: Ints
    last: Ints
    over: npt.NDArray[np.bool_]
    as_of: int


def read_log(
    log: Any,
    *,
    case: str,
    activity: str,
    time: str,
    ends: Iterable[str] | None,
    as_of: Any,
    timezone: str,
    merge_repeats: bool,
) -> EventLog:
    """Read a log.

    Parameters
    ----------
    log : table
        One row an event; rows of one case and moment stand in their order.
    case, activity, time : str
        Its columns.
    ends : iterable of str or None
        Activities after which a case is over; None where each case is over with its last event.
    as_of : time or None
        Until when it was watched, exclusive; None for its last event.
    timezone : str
        Of times without an offset.
    merge_repeats : bool
        Whether an activity that follows itself is one.

    Returns
    -------
    EventLog
        Sorted.

    Raises
    ------
    DataError
        If a column or cell is missing, no event is left, no end is an activity of the log, or repeats are merged
        without ends.
    """
    frame = as_frame(log, what="log")
    require_columns(frame, [case, activity, time], what="log", hint="name its columns with case=, activity=, time=")
    for column in (case, activity):
        missing = frame[column].isna().to_numpy(dtype=bool)
        if missing.any():
            raise DataError(f"log: {column} is missing in {positions(missing)}")
    zone = as_zone(timezone)
    micros = as_instants(frame[time], zone, what=f"log: {time}")
    kept = np.ones(len(frame), dtype=bool)
    if as_of is not None:
        kept = micros < as_instant(as_of, zone, what="as_of")
    if not kept.any():
        raise DataError("log: there is no event" + ("" if as_of is None else " before as_of"))
    cases, case_ids = pd.factorize(frame[case].to_numpy(dtype=object)[kept])
    acts, activities = pd.factorize(frame[activity].to_numpy(dtype=object)[kept])
    micros = micros[kept]
    order = np.lexsort((micros, cases))
    cases, acts, micros = cases[order], acts[order], micros[order]
    if merge_repeats:
        new = np.ones(len(cases), dtype=bool)
        new[1:] = (cases[1:] != cases[:-1]) | (acts[1:] != acts[:-1])
        cases, acts, micros = cases[new], acts[new], micros[new]
    first = np.flatnonzero(np.r_[True, cases[1:] != cases[:-1]])
    last = np.r_[first[1:] - 1, len(cases) - 1]
    if ends is not None:
        over = np.isin(acts[last], _codes_of(ends, activities))
    elif merge_repeats:
        raise DataError("merge_repeats needs ends=: a case whose last event repeats the one before would end too soon")
    else:
        over = np.ones(len(first), dtype=bool)
    until = int(micros.max()) if as_of is None else as_instant(as_of, zone, what="as_of")
    names, kinds = (np.asarray(each, dtype=object) for each in (case_ids, activities))
    return EventLog(cases, acts, micros, names, kinds, first, last, over, until)


def _codes_of(ends: Iterable[str], activities: Any) -> list[int]:
    """Give the positions of the activities that end a case, of which at least one must be in the log."""
    wanted = [ends] if isinstance(ends, str) else list(ends)
    found = [place for place, name in enumerate(activities) if name in wanted]
    if wanted and not found:
        raise DataError(f"ends: {', '.join(map(repr, map(str, wanted)))} is no activity of the log")
    return found


def variants_of(log: EventLog) -> tuple[Ints, Ints]:
    """Give each case the number of its sequence of activities, exactly and without a loop over cases.

    Sequences of one length more are told apart by the sequence before and the activity that follows, for all cases at
    once.

    Parameters
    ----------
    log : EventLog
        The log.

    Returns
    -------
    variant : ndarray of int, shape (n_cases,)
        Numbers from 0.
    example : ndarray of int, shape (n_variants,)
        A case of each.
    """
    length = log.last - log.first + 1
    prefix = np.zeros(len(length), dtype=np.intp)
    variant = np.full(len(length), -1, dtype=np.intp)
    found = 0
    alive = np.arange(len(length))
    for step in range(int(length.max())):
        pairs = prefix[alive] * len(log.activities) + log.activity[log.first[alive] + step]
        prefix[alive] = np.unique(pairs, return_inverse=True)[1]
        done = alive[length[alive] == step + 1]
        numbers = np.unique(prefix[done], return_inverse=True)[1]
        variant[done] = found + numbers
        found += int(numbers.max(initial=-1)) + 1
        alive = alive[length[alive] > step + 1]
    return variant, np.unique(variant, return_index=True)[1]
