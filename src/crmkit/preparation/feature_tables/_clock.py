"""One whole number for the moment of every row and cutoff: days where cutoffs are dates, else microseconds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._cutoff import Cutoff, as_cutoff, check_instants

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Clock", "make_clock"]

_DAY = 86_400_000_000
_QUARTER = 900_000_000
_FARTHEST = 14 * 3_600_000_000
"""Microseconds: a day, a quarter of an hour, and how far a clock can be ahead of UTC."""


@dataclass(frozen=True)
class Clock:
    """The cutoffs on one axis, and how rows are put on it.

    Parameters
    ----------
    cutoffs : tuple of Cutoff
        All dates or all instants, in ascending order.
    ticks : ndarray of int64, shape (n_cutoffs,)
        Where they stand.
    day : int
        Ticks in a day: 1 where cutoffs are dates.
    timezone : str or None, default=None
        In which zone local days are; needed only to tell on which of them a row was recorded.
    """

    cutoffs: tuple[Cutoff, ...]
    ticks: npt.NDArray[np.int64]
    day: int
    timezone: str | None = None

    @property
    def by_day(self) -> bool:
        """Whether cutoffs are dates, compared with ``day``."""
        return self.day == 1

    @property
    def index(self) -> pd.DatetimeIndex:
        """The cutoffs as they stand in the index of a table: midnights without a zone, or instants."""
        if self.by_day:
            return pd.DatetimeIndex(self.ticks.astype("datetime64[D]").astype("datetime64[us]"), name="cutoff")
        found = pd.DatetimeIndex(self.ticks.astype("datetime64[us]"), name="cutoff")
        first = self.cutoffs[0].instant
        return found if first is None or first.tzinfo is None else found.tz_localize("UTC")

    def moments(self, day: npt.NDArray[np.int64], time: pd.Series | None) -> npt.NDArray[np.int64]:
        """Put rows on the axis.

        Parameters
        ----------
        day : ndarray of int64, shape (n_rows,)
            Local calendar days.
        time : Series of datetime or None
            Instants.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
            Smaller than a cutoff's tick exactly where ``rows_before`` says that the row is before it.

        Raises
        ------
        DataError
            As ``rows_before``.
        """
        if self.by_day:
            return day
        return _microseconds(check_instants(self.cutoffs[0], time))

    def known(
        self, moment: npt.NDArray[np.int64], day: npt.NDArray[np.int64], time: pd.Series | None, recorded: pd.Series
    ) -> npt.NDArray[np.int64]:
        """Say from when on rows were known: when they were written down, where that is later than when they happened.

        Where cutoffs are dates, a row was known from the local day of ``recorded_time`` on. Where no time zone is
        named, that day is found by how far local time is ahead of UTC, as ``day`` and ``time`` show it; where they
        leave it open, it is the later one, so that no row is taken for known too soon, and a warning says so.

        Parameters
        ----------
        moment : ndarray of int64, shape (n_rows,)
            When rows happened.
        day : ndarray of int64, shape (n_rows,)
            Local calendar days.
        time : Series of datetime or None
            Instants.
        recorded : Series of datetime
            When rows were written down; missing for at once.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
            At least ``moment``.

        Raises
        ------
        DataError
            If ``recorded_time`` holds no times, or has a time zone where the cutoffs have none.

        Warns
        -----
        DataWarning
            If it is not clear on which local day rows were recorded.
        """
        if not pd.api.types.is_datetime64_any_dtype(recorded.dtype):
            raise DataError(f"recorded_time must hold times, got {recorded.dtype}")
        there = recorded.notna().to_numpy(dtype=bool)
        if not self.by_day:
            check_instants(self.cutoffs[0], recorded.loc[there])
        if not there.any():
            return moment
        result = moment.copy()
        written = recorded.loc[there]
        when = self._local_days(written, day, time, there) if self.by_day else _microseconds(written)
        result[there] = np.maximum(moment[there], when)
        return result

    def _local_days(
        self, written: pd.Series, day: npt.NDArray[np.int64], time: pd.Series | None, there: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Give the local days on which rows were recorded, of several possible ones the latest."""
        if self.timezone is not None and written.dt.tz is not None:
            local = written.dt.tz_convert(self.timezone).dt.tz_localize(None)
            return np.asarray(_microseconds(local) // _DAY)
        instants = _microseconds(written)
        if written.dt.tz is None:
            return np.asarray(instants // _DAY)
        at_once = np.zeros(len(instants), dtype=bool)
        least, most = -_FARTHEST, _FARTHEST
        if time is not None:
            least, most = _ahead(day, _microseconds(time))
            at_once = instants <= _microseconds(time.loc[there])
        early, late = ((instants + ahead) // _DAY for ahead in (least, most))
        unclear = ~at_once & (early != late) & (late > day[there])
        if unclear.any():
            warnings.warn(
                f"of {int(unclear.sum()):,} rows it is not clear on which local day they were recorded; the latest is "
                "taken, from which on they count: write timezone='Asia/Shanghai', or whatever it is, to make it exact",
                DataWarning,
                stacklevel=7,
            )
        return np.where(at_once, day[there], late)


def make_clock(cutoffs: Any, timezone: str | None = None) -> Clock:
    """Read cutoffs and put them on one axis.

    Parameters
    ----------
    cutoffs : date, time or text of one, or a sequence of them
        As ``as_cutoff`` reads them.
    timezone : str or None, default=None
        In which zone local days are.

    Returns
    -------
    Clock
        In ascending order.

    Raises
    ------
    DataError
        If there is none, one stands twice, or dates and instants are mixed.
    """
    given: Sequence[Any] = [cutoffs] if _is_one(cutoffs) else list(cutoffs)
    if not given:
        raise DataError("cutoffs must name at least one date or time")
    read = [as_cutoff(cutoff) for cutoff in given]
    instants = [cutoff.instant for cutoff in read if cutoff.instant is not None]
    if instants and len(instants) < len(read):
        raise DataError("cutoffs must be all dates or all times of day: a date is compared with day, a time with time")
    if len({instant.tzinfo is None for instant in instants}) > 1:
        raise DataError("cutoffs must all have a time zone, or none of them")
    if instants:
        ticks, day = _microseconds(pd.Series(pd.to_datetime(instants, utc=instants[0].tzinfo is not None))), _DAY
    else:
        ticks, day = np.array([cutoff.day for cutoff in read], dtype=np.int64), 1
    order = np.argsort(ticks, kind="stable")
    if (np.diff(ticks[order]) == 0).any():
        raise DataError("cutoffs names one moment twice")
    return Clock(tuple(read[place] for place in order), ticks[order], day, timezone)


def _is_one(cutoffs: Any) -> bool:
    """Say whether one cutoff was given, not several."""
    return isinstance(cutoffs, str | Cutoff) or not hasattr(cutoffs, "__iter__")


def _microseconds(time: pd.Series) -> npt.NDArray[np.int64]:
    """Give times as microseconds since 1970, in UTC where they have a zone."""
    plain = time.dt.tz_convert("UTC").dt.tz_localize(None) if time.dt.tz is not None else time
    return plain.to_numpy().astype("datetime64[us]").astype(np.int64)


def _ahead(day: npt.NDArray[np.int64], time: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Give how far local time can be ahead of UTC, to the quarter of an hour, by which days hold which instants."""
    # A row of local day d at instant t says that d days <= t + ahead < d + 1 days.
    least = -(-int((day * _DAY - time).max()) // _QUARTER) * _QUARTER
    most = (int(((day + 1) * _DAY - time).min()) - 1) // _QUARTER * _QUARTER
    # Clocks that are set forward in summer leave no one value: both are then possible.
    bounds = min(least, most), max(least, most)
    return max(bounds[0], -_FARTHEST), min(bounds[1], _FARTHEST)
