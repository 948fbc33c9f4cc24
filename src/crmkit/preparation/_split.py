"""Divides events at a moment, once and the same way for every step that must not see the future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.preparation._cutoff import as_cutoff, rows_before
from crmkit.preparation._events import calendar_days, times

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TimeSplit", "time_split"]


class TimeSplit(NamedTuple):
    """Events before a moment, and events from it on.

    Parameters
    ----------
    before : pandas.DataFrame
        Rows strictly before the cutoff.
    after : pandas.DataFrame
        Rows at or after it.
    """

    before: pd.DataFrame
    after: pd.DataFrame


def time_split(events: Any, cutoff: Any, *, until: Any = None) -> TimeSplit:
    """Divide an event table into what was known at a moment and what came after it.

    Every row is in exactly one part, unless ``until`` ends the second; rows keep their order and index.

    Parameters
    ----------
    events : table
        With ``day`` or ``time``.
    cutoff : date, time or text of one
        Exclusive: a row at that very moment came after it. A bare date is local midnight and is compared with ``day``;
        anything with a time of day is an instant and is compared with ``time``.
    until : date, time, text of one, or None
        Where the second part ends, exclusive as well; None for all that is there.

    Returns
    -------
    TimeSplit
        ``before, after``.

    Raises
    ------
    DataError
        If ``until`` is before ``cutoff``, or the columns are not there.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import time_split
    >>> before, after = time_split(pd.DataFrame({"day": [0, 1, 2]}), "1970-01-02")
    >>> before["day"].tolist(), after["day"].tolist()
    ([0], [1, 2])
    """
    frame = as_frame(events, what="events")
    day, time = calendar_days(frame, what="events"), times(frame)
    limit = as_cutoff(cutoff)
    known = rows_before(limit, day, time)
    later = ~known
    if until is not None:
        end = as_cutoff(until)
        if end.day < limit.day:
            raise DataError(f"until ({end}) must not be before the cutoff ({limit})")
        later &= rows_before(end, day, time)
    return TimeSplit(frame.loc[known], frame.loc[later])
