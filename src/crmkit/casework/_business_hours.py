"""Working hours of a place: when a service promised in working hours is due, and how many hours something took."""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._instants import MISSING, as_instants, as_zone, from_instants
from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = ["BusinessHours"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\Z")
_EPOCH = dt.date(1970, 1, 1)
_MOST_YEARS = 50


class BusinessHours:
    """The hours in which a place works, by its own clock, with its holidays.

    Everything is counted on the clock of the place and then in hours that passed: a night shift of 22:00-06:00 has
    seven hours when the clock is put forward in it and nine when it is put back. Costs one search a moment: a million
    deadlines take less than a second.

    Parameters
    ----------
    week : mapping of str to str, default=None
        Hours by day: a day (``"sat"``), a span (``"mon-fri"``) or a list (``"mon,wed"``), each with one or more spans
        such as ``"09:00-12:00, 13:00-18:00"``; a span that ends at or before its start ends on the next day, and
        ``"00:00-24:00"`` is a whole day. Days not named are free. None for Monday to Friday, 09:00-18:00.
    timezone : str, default="UTC"
        Whose clock.
    holidays : iterable of date or str, default=()
        Days on which no work begins.
    special : mapping of date or str to str, default=None
        Days with hours of their own, such as a Saturday that is worked in place of a Monday: ``{"2026-02-14":
        "09:00-18:00"}``. They win over holidays.

    Raises
    ------
    DataError
        If a day, a span, a date or the zone is not one, spans overlap, or nobody ever works.

    Examples
    --------
    >>> from crmkit.casework import BusinessHours
    >>> hours = BusinessHours({"mon-fri": "09:00-18:00"}, timezone="Asia/Shanghai", holidays=["2026-10-01"])
    >>> str(hours.deadline(["2026-09-30T17:00+08:00"], 4.0)[0].tz_convert("Asia/Shanghai"))
    '2026-10-02 12:00:00+08:00'
    """

    def __init__(
        self,
        week: Mapping[str, str] | None = None,
        *,
        timezone: str = "UTC",
        holidays: Iterable[Any] = (),
        special: Mapping[Any, str] | None = None,
    ) -> None:
        zone = as_zone(timezone)
        if zone is None:
            raise DataError("timezone must be a name such as 'Asia/Shanghai'")
        self.timezone = timezone
        self._zone: ZoneInfo = zone
        self._week: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
        for days, text in ({"mon-fri": "09:00-18:00"} if week is None else week).items():
            for day in _days_of(days):
                if self._week[day]:
                    raise DataError(f"business hours: {_DAYS[day]!r} is named twice")
                self._week[day] = _spans_of(text)
        self._special = {_as_day(day): _spans_of(text) for day, text in (special or {}).items()}
        self._free = {_as_day(day) for day in holidays} - set(self._special)
        if not any(self._week):
            raise DataError("business hours: nobody works on any day of the week")
        self._built: tuple[int, int, Ints, Ints, Ints] | None = None

    def deadline(self, start: Any, hours: Any) -> pd.Series:
        """Give when so many working hours after a start have passed.

        Parameters
        ----------
        start : Series of datetime, or array-like of times, shape (n,)
            With their time zone; without one they are on the place's own clock. A missing one has no deadline.
        hours : float or array-like of float, shape (n,)
            Working hours, at least 0. What is promised in 0 hours is due at the first moment of work.

        Returns
        -------
        pandas.Series
            Times in UTC, with the index of ``start``. Where the hours end with a working day, the end of that day.

        Raises
        ------
        DataError
            If hours are missing, negative or infinite, or so many that 50 years do not hold them.
        """
        began, index = self._read(start, "start")
        given = np.asarray(hours, dtype=np.float64)
        if given.ndim and len(given) != len(began):
            raise DataError(f"hours: got {len(given):,} for {len(began):,} starts")
        amount = np.broadcast_to(given, began.shape)
        wrong = ~(np.isfinite(amount) & (amount >= 0))
        if wrong.any():
            raise DataError(f"hours must be numbers of at least 0; they are not in {positions(wrong)}")
        due = np.full(len(began), MISSING, dtype=np.int64)
        known = began != MISSING
        if known.any():
            due[known] = self._after(began[known], np.rint(np.minimum(amount[known], 1e7) * _HOUR).astype(np.int64))
        return pd.Series(from_instants(due), index=index, name="deadline")

    def between(self, start: Any, end: Any) -> pd.Series:
        """Give how many working hours lie between two moments.

        Parameters
        ----------
        start, end : Series of datetime, or array-like of times, shape (n,)
            As for :meth:`deadline`; an end before its start gives a negative number.

        Returns
        -------
        pandas.Series
            Hours, with the index of ``start``; missing where either is.

        Raises
        ------
        DataError
            If the lengths differ.
        """
        began, index = self._read(start, "start")
        ended, _ = self._read(end, "end")
        if len(began) != len(ended):
            raise DataError(f"end: got {len(ended):,} for {len(began):,} starts")
        worked = np.full(len(began), np.nan)
        known = (began != MISSING) & (ended != MISSING)
        if known.any():
            both = np.concatenate([began[known], ended[known]])
            opened, closed, before = self._intervals(int(both.min()), int(both.max()))
            done = _worked(both, opened, closed, before)
            worked[known] = (done[known.sum() :] - done[: known.sum()]) / _HOUR
        return pd.Series(worked, index=index, name="hours")

    def _read(self, moments: Any, what: str) -> tuple[Ints, pd.Index]:
        """Read moments, given as times or as text."""
        if isinstance(moments, str | dt.date | np.datetime64):
            moments = [moments]
        series = moments if isinstance(moments, pd.Series) else pd.Series(moments)
        return as_instants(series, self._zone, what=what, missing=True), series.index

    def _after(self, began: Ints, amount: Ints) -> Ints:
        """Give the moments at which so much work is done after each start."""
        first, longest = int(began.min()), _MOST_YEARS * 366 * _DAY
        too_many = DataError(f"hours: {_MOST_YEARS} years do not hold so many working hours")
        if amount.max() > longest:
            raise too_many
        reach = int(began.max()) + int(amount.max()) + 14 * _DAY
        while True:
            opened, closed, before = self._intervals(first, reach)
            target = _worked(began, opened, closed, before) + amount
            if len(opened) and target.max() <= before[-1] + (closed[-1] - opened[-1]) and opened[-1] > began.max():
                break
            if reach - first > int(began.max()) - first + longest:
                raise too_many
            reach += max(reach - first, 60 * _DAY)
        # The interval in which the target is reached; where it is an interval's very end, that one and not the next.
        at = np.maximum(np.searchsorted(before, target, side="left") - 1, 0)
        due: Ints = opened[at] + (target - before[at])
        # Nothing to be done is due when work is first possible.
        coming = np.searchsorted(closed, began, side="right")
        return np.where(amount == 0, np.maximum(began, opened[np.minimum(coming, len(opened) - 1)]), due)

    def _intervals(self, first: int, last: int) -> tuple[Ints, Ints, Ints]:
        """Give start and end of each working interval from before a moment until after another, and the work before."""
        start_day, end_day = first // _DAY - 3, last // _DAY + 3
        if self._built is None or start_day < self._built[0] or end_day > self._built[1]:
            self._built = (start_day, end_day, *self._build(start_day, end_day))
        return self._built[2:]

    def _build(self, start_day: int, end_day: int) -> tuple[Ints, Ints, Ints]:
        """Lay the working intervals of a range of days out in UTC."""
        walls: list[tuple[int, int]] = []
        for day in range(start_day, end_day + 1):
            spans = self._special.get(day)
            if spans is None:
                # 1970-01-01 was a Thursday.
                spans = [] if day in self._free else self._week[(day + 3) % 7]
            walls.extend((day * _DAY + start, day * _DAY + end) for start, end in spans)
        if not walls:
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing, nothing
        ends = np.array(sorted(walls), dtype=np.int64)
        # Work that would begin or end in an hour that the clock leaves out does so when the clock is put forward.
        walls_as_times = pd.DatetimeIndex(ends.ravel().view("datetime64[us]"))
        first = np.ones(len(walls_as_times), dtype=bool)
        local = walls_as_times.tz_localize(self._zone, ambiguous=first, nonexistent="shift_forward")
        utc = local.tz_convert("UTC").as_unit("us").asi8.reshape(-1, 2)
        opened, closed = utc[:, 0], utc[:, 1]
        # A night shift may reach into the hours of a special day; what is worked twice counts once.
        opened = np.maximum(opened, np.concatenate([opened[:1], np.maximum.accumulate(closed)[:-1]]))
        kept = closed > opened
        opened, closed = opened[kept], closed[kept]
        return opened, closed, np.concatenate([[0], np.cumsum(closed - opened)[:-1]]).astype(np.int64)

    def __repr__(self) -> str:
        days = [day for day, spans in zip(_DAYS, self._week, strict=True) if spans]
        return f"BusinessHours({', '.join(days)}; {self.timezone}; {len(self._free)} holidays)"


def _worked(moments: Ints, opened: Ints, closed: Ints, before: Ints) -> Ints:
    """Give how much work lies before each moment, counted from the first interval."""
    if not len(opened):
        return np.zeros(len(moments), dtype=np.int64)
    at = np.searchsorted(opened, moments, side="right") - 1
    inside = np.clip(moments - opened[np.maximum(at, 0)], 0, (closed - opened)[np.maximum(at, 0)])
    return np.where(at < 0, 0, before[np.maximum(at, 0)] + inside)


def _days_of(text: Any) -> list[int]:
    """Read days of the week."""
    found: list[int] = []
    for part in str(text).lower().split(","):
        ends = [word.strip() for word in part.split("-")]
        if len(ends) > 2 or any(word not in _DAYS for word in ends):
            raise DataError(f"business hours: {text!r} is no day: write 'mon', 'mon-fri' or 'mon,wed'")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        found += [day % 7 for day in range(first, last + (7 if last < first else 0) + 1)]
    return found


def _spans_of(text: Any) -> list[tuple[int, int]]:
    """Read spans of hours as microseconds of the day."""
    spans = []
    for part in str(text).split(","):
        found = _SPAN.match(part.strip())
        numbers = [int(number) for number in found.groups()] if found else [99] * 4
        start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if max(numbers[1], numbers[3]) > 59 or start >= 1440 or end > 1440:
            raise DataError(f"business hours: {text!r} is no span of hours such as '09:00-18:00'")
        spans.append((start * 60_000_000, (end + (1440 if end <= start else 0)) * 60_000_000))
    spans.sort()
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        raise DataError(f"business hours: the spans of {text!r} overlap")
    return spans


def _as_day(day: Any) -> int:
    """Read a date as days since 1970."""
    if isinstance(day, str):
        try:
            day = dt.date.fromisoformat(day)
        except ValueError:
            raise DataError("business hours: a date is written '2026-10-01'") from None
    if isinstance(day, dt.datetime):
        day = day.date()
    if not isinstance(day, dt.date):
        raise DataError(f"business hours: a date was expected, got {type(day).__name__}")
    return (day - _EPOCH).days
