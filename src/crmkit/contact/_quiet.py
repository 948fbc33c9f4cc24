"""Quiet hours: when customers are left alone, by their own clocks."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.contact._zones import check_zone, instants
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]

__all__ = ["QuietHours"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")
_DAY = np.timedelta64(1, "D")
_LONGEST = 1_100


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """Hours of each day, days of the week and holidays on which customers are not contacted, by the local clock.

    All is asked of the clock on the customer's wall: hours that a change of the clock leaves out do not exist, hours
    that it repeats are quiet both times. Cost: one conversion a distinct instant and time zone.

    Parameters
    ----------
    start, end : str or None, default=None
        Quiet from ``start`` (included) to ``end`` (excluded), written ``"21:00"``; over midnight where the end is not
        later than the start. Equal ones would be the whole day and are refused.
    days : sequence of str, default=()
        Days of the week that are quiet from midnight to midnight: ``"mon"`` to ``"sun"``.
    holidays : sequence of str or date, default=()
        Quiet dates, such as ``"2024-10-01"``.
    channels : sequence of str or None, default=None
        Which channels keep them; None means all.

    Raises
    ------
    ValueError
        If a time, day or date is not one, or every hour would be quiet.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.contact import QuietHours
    >>> night = QuietHours(start="21:00", end="08:00", days=["sun"])
    >>> late = pd.to_datetime(["2024-03-02T22:30+08:00"], utc=True)      # a Saturday
    >>> night.next_allowed(late, "Asia/Shanghai").tz_convert("Asia/Shanghai")[0].isoformat()
    '2024-03-04T08:00:00+08:00'
    """

    start: str | None = None
    end: str | None = None
    days: Sequence[str] = ()
    holidays: Sequence[Any] = ()
    channels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if (self.start is None) != (self.end is None):
            raise ValueError("QuietHours need both start and end, or neither")
        for name in ("days", "holidays", "channels"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(f"{name} of QuietHours must be a list, got a text: [{value!r}]")  # noqa: TRY004 -- one error type for malformed hours
            object.__setattr__(self, name, None if value is None else tuple(value))
        if self.start is not None and _minutes(self.start) == _minutes(self.end):
            raise ValueError(f"QuietHours from {self.start} to {self.end} would be the whole day; list days instead")
        strange = [day for day in self.days if day not in DAYS]
        if strange:
            raise ValueError(f"days of QuietHours must be of {', '.join(DAYS)}, got {strange!r}")
        if set(self.days) == set(DAYS):
            raise ValueError("QuietHours on all seven days leave no hour for any contact")
        object.__setattr__(self, "holidays", tuple(sorted({_date(day) for day in self.holidays})))

    def is_quiet(self, times: Any, timezone: str) -> Bools:
        """Say which instants are quiet in a time zone.

        Parameters
        ----------
        times : DatetimeIndex or Series, shape (n,)
            Instants with a time zone.
        timezone : str
            The customers' zone.

        Returns
        -------
        ndarray of bool, shape (n,)
            False where there is no time.
        """
        local = instants(times, "times").tz_convert(check_zone(timezone)).tz_localize(None)
        return self._quiet(local)

    def next_allowed(self, times: Any, timezone: str) -> pd.DatetimeIndex:
        """Give the first instant, not before each, that is not quiet.

        Parameters
        ----------
        times : DatetimeIndex or Series, shape (n,)
            Instants with a time zone.
        timezone : str
            The customers' zone.

        Returns
        -------
        DatetimeIndex
            In UTC; the same instant where it is not quiet.

        Raises
        ------
        DataError
            If three years of quiet days follow each other.
        """
        return next_allowed((self,), instants(times, "times"), check_zone(timezone))

    def _quiet(self, local: pd.DatetimeIndex) -> Bools:
        """Say which times on the wall are quiet."""
        quiet = self._whole_day(local)
        if self.start is not None:
            minute = local.hour.to_numpy() * 60 + local.minute.to_numpy()
            start, end = _minutes(self.start), _minutes(self.end)
            after, before = minute >= start, minute < end
            quiet |= (after & before) if start < end else (after | before)
        quiet &= ~np.isnat(local.to_numpy())
        return quiet

    def _whole_day(self, local: pd.DatetimeIndex) -> Bools:
        """Say which times on the wall fall on a quiet day."""
        quiet = np.isin(local.day_of_week.to_numpy(), [DAYS.index(day) for day in self.days])
        if self.holidays:
            quiet |= np.isin(local.to_numpy().astype("datetime64[D]"), np.array(self.holidays, dtype="datetime64[D]"))
        return np.asarray(quiet, dtype=bool)

    def _leave(self, local: pd.DatetimeIndex) -> npt.NDArray[np.datetime64]:
        """Give the time on the wall at which each quiet time's own reason ends."""
        walls = local.to_numpy().astype("datetime64[us]")
        midnight = walls.astype("datetime64[D]").astype("datetime64[us]")
        leave = np.asarray(midnight + _DAY, dtype="datetime64[us]")
        if self.start is None:
            return leave
        start, end = _minutes(self.start), _minutes(self.end)
        stop = np.asarray(midnight + np.timedelta64(end, "m"), dtype="datetime64[us]")
        minute = (walls - midnight) // np.timedelta64(1, "m")
        if start > end:
            stop = np.where(minute.astype(np.int64) >= start, stop + _DAY, stop)
        return np.where(self._whole_day(local), leave, stop)


def next_allowed(quiet: Sequence[QuietHours], times: pd.DatetimeIndex, timezone: str) -> pd.DatetimeIndex:
    """Give the first instants, not before the given, at which none of these hours is quiet."""
    codes, found = pd.factorize(times)
    now = pd.DatetimeIndex(found)
    moved = pd.Series(now)
    for _ in range(_LONGEST):
        local = pd.DatetimeIndex(moved).tz_convert(timezone).tz_localize(None)
        leave = np.full(len(local), np.datetime64("NaT", "us"))
        for hours in quiet:
            shut = hours._quiet(local)  # noqa: SLF001 -- the loop belongs to the class above
            # Reasons are left one after the other: the next turn asks all of them again.
            leave[shut] = np.fmax(leave[shut], hours._leave(local[shut]))  # noqa: SLF001 -- as above
        shut = ~np.isnat(leave)
        if not shut.any():
            answer = pd.DatetimeIndex(moved)
            return answer.take(codes) if len(codes) else answer
        moved[shut] = from_wall(leave[shut], pd.DatetimeIndex(moved[shut]), timezone)
    raise DataError("quiet hours leave no hour for a contact within three years")


def from_wall(walls: npt.NDArray[np.datetime64], after: pd.DatetimeIndex, timezone: str) -> pd.DatetimeIndex:
    """Bring times on the wall to the first instants, later than those given, at which clocks show them.

    A time that the clocks leave out is the first one after the gap.
    """
    naive = pd.DatetimeIndex(walls)
    first, second = (
        naive.tz_localize(timezone, ambiguous=np.full(len(naive), summer), nonexistent="shift_forward").tz_convert(
            "UTC"
        )
        for summer in (True, False)
    )
    return first.where(first > after, second)


def _minutes(clock: str | None) -> int:
    """Read ``"21:00"`` as minutes of the day."""
    match = _CLOCK.match(clock) if isinstance(clock, str) else None
    if match is None:
        raise ValueError(f"a time of QuietHours must be written like '21:00', got {clock!r}")
    return int(match.group(1)) * 60 + int(match.group(2))


def _date(day: Any) -> str:
    """Read a date as ISO text."""
    if isinstance(day, dt.date) and not isinstance(day, dt.datetime):
        return day.isoformat()
    try:
        return dt.date.fromisoformat(day if isinstance(day, str) else "").isoformat()
    except (TypeError, ValueError):
        raise ValueError(f"a holiday must be a date such as '2024-10-01', got {day!r}") from None
