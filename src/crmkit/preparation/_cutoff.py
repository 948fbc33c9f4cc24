"""One meaning of a cutoff for every table: always exclusive, a bare date is local midnight, a timestamp an instant."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Cutoff", "as_cutoff", "check_instants", "rows_before"]

_EARLIEST, _LATEST = -62_091, 84_005  # 1800-01-01 and 2199-12-31 as days since 1970-01-01
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Cutoff:
    """A moment that divides rows into before, and at or after.

    Parameters
    ----------
    day : int
        The first local calendar day that is not wholly before the cutoff, as days since 1970-01-01; where the cutoff
        is an instant within a day, the day after it, because part of that day is before.
    instant : pandas.Timestamp or None
        The instant to compare ``time`` with; None where the cutoff is a date and ``day`` decides.
    """

    day: int
    instant: pd.Timestamp | None = None

    @property
    def date(self) -> dt.date:
        """The day as a date."""
        return _EPOCH + dt.timedelta(days=self.day)

    def __str__(self) -> str:
        return self.date.isoformat() if self.instant is None else self.instant.isoformat()


def as_cutoff(cutoff: Any) -> Cutoff:
    """Read a cutoff in any of the forms people write.

    A date (``"2010-12-10"``, ``datetime.date``, ``numpy.datetime64`` of days, or a time-zone-free midnight) is local
    midnight at the start of that day: it is compared with ``day``, which is exact and needs no time zone. Anything
    with a time of day is an instant and is compared with ``time``.

    Parameters
    ----------
    cutoff : str, date, datetime, datetime64, Timestamp, int or Cutoff
        An integer is a day since 1970-01-01.

    Returns
    -------
    Cutoff
        The cutoff.

    Raises
    ------
    DataError
        If it is no date or time.
    TypeError
        If it is of another type.
    """
    if isinstance(cutoff, Cutoff):
        return cutoff
    if isinstance(cutoff, int | np.integer) and not isinstance(cutoff, bool):
        return _from_number(int(cutoff))
    if isinstance(cutoff, str) and _BARE_DATE.match(cutoff.strip()):
        try:
            return _from_date(dt.date.fromisoformat(cutoff.strip()))
        except ValueError:
            raise DataError(f"cutoff must be a date such as '2010-12-10' or a time, got {cutoff!r}") from None
    if isinstance(cutoff, dt.date) and not isinstance(cutoff, dt.datetime):
        return _from_date(cutoff)
    if not isinstance(cutoff, str | dt.datetime | np.datetime64):
        raise TypeError(f"cutoff must be a date, a time or text of one, got {type(cutoff).__name__}")
    try:
        instant = pd.Timestamp(cutoff)
    except ValueError:
        raise DataError(f"cutoff must be a date such as '2010-12-10' or a time, got {cutoff!r}") from None
    if pd.isna(instant):
        raise DataError("cutoff is missing (NaT)")
    midnight = instant == instant.normalize()
    if midnight and instant.tzinfo is None:
        return _from_date(instant.date())
    day = _from_date(instant.date()).day
    return Cutoff(day if midnight else day + 1, instant)


def _from_number(day: int) -> Cutoff:
    """Make a cutoff of a day counted since 1970, which 20240120 is not."""
    if not _EARLIEST <= day <= _LATEST:
        raise DataError(
            f"cutoff {day} counts days since 1970-01-01 and is outside the years 1800 to 2199; write a date as text, "
            "such as '2024-01-20'"
        )
    return Cutoff(day)


def _from_date(date: dt.date) -> Cutoff:
    """Make a cutoff at the start of a date."""
    return Cutoff((date - _EPOCH).days)


def rows_before(cutoff: Cutoff, day: npt.NDArray[np.int64], time: pd.Series | None) -> npt.NDArray[np.bool_]:
    """Say which rows are strictly before a cutoff.

    Parameters
    ----------
    cutoff : Cutoff
        The cutoff.
    day : ndarray of int, shape (n_rows,)
        Local calendar days.
    time : Series of datetime or None
        Instants; needed only where the cutoff is an instant.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        True before the cutoff.

    Raises
    ------
    DataError
        If the cutoff is an instant and there is no ``time``, or one of the two has a time zone and the other not.
    """
    if cutoff.instant is None:
        return day < cutoff.day
    return (check_instants(cutoff, time) < cutoff.instant).to_numpy(dtype=bool)


def check_instants(cutoff: Cutoff, time: pd.Series | None) -> pd.Series:
    """Check that instants can be compared with a cutoff that is one.

    Parameters
    ----------
    cutoff : Cutoff
        With an instant.
    time : Series of datetime or None
        Instants.

    Returns
    -------
    Series of datetime
        The same.

    Raises
    ------
    DataError
        If there is no ``time``, one is missing, or one of the two has a time zone and the other not.
    """
    if time is None:
        raise DataError("a cutoff with a time of day needs the column 'time'; give a date to compare days")
    zoned = cutoff.instant is not None and cutoff.instant.tzinfo is not None
    if (getattr(time.dt, "tz", None) is not None) != zoned:
        raise DataError(
            "the cutoff and the column 'time' must both have a time zone or both have none: write the cutoff as "
            "'2010-12-10T12:00+00:00', or give a date"
        )
    if time.isna().any():
        raise DataError("a cutoff with a time of day needs every 'time'; some are missing")
    return time
