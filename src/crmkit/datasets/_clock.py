"""Turns the process time of a simulation into the time and day columns of a table, and names its random streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Calendar", "objects", "stream", "text_column"]

# People shop between breakfast and midnight: the share of the day's process time that has passed at each hour. The map
# is monotone, so that neither the day nor the order of two purchases depends on it.
_SHARES = (0.0, 0.02, 0.22, 0.42, 0.62, 0.92, 1.0)
_HOURS = (0.0, 7.5, 11.0, 13.5, 18.0, 22.5, 24.0)


def stream(seed: int, name: str) -> np.random.Generator:
    """Give the random numbers of one part of a simulation.

    Each part has its own stream, so that a part can be changed, or asked for in another language, while the
    others stay as they were.

    Parameters
    ----------
    seed : int
        The seed of the whole simulation.
    name : str
        The part.

    Returns
    -------
    numpy.random.Generator
        The same for the same seed and name.
    """
    return np.random.default_rng([seed, *name.encode()])


def text_column(values: Any) -> pd.Series[Any]:
    """Make a text column of the dtype that this pandas prefers; None becomes missing.

    Parameters
    ----------
    values : sequence of str or None
        The texts.

    Returns
    -------
    pandas.Series
        With a fresh index.
    """
    return pd.Series(list(values), dtype=pd.Series(["text"]).dtype)


def objects(texts: Any) -> npt.NDArray[np.object_]:
    """Give the texts of a column as an array of str, with None where one is missing.

    Parameters
    ----------
    texts : pandas.Series or pandas.Index
        A text column.

    Returns
    -------
    ndarray of object
        A copy.
    """
    values: npt.NDArray[np.object_] = np.array(texts, dtype=object)
    values[np.asarray(texts.isna(), dtype=bool)] = None
    return values


@dataclass(frozen=True)
class Calendar:
    """Where process time 0 lies, and in which time zone days begin.

    Parameters
    ----------
    start : str
        The first day, ``YYYY-MM-DD``.
    timezone : str
        IANA name of the time zone whose midnights divide the days.
    """

    start: str
    timezone: str

    def __post_init__(self) -> None:
        ZoneInfo(self.timezone)
        self.first_day  # noqa: B018 -- a start that is no date is refused here, not in the middle of a simulation

    @property
    def first_day(self) -> int:
        """The first day as days since 1970-01-01."""
        return int(np.datetime64(self.start, "D").astype(np.int64))

    def days(self, elapsed: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Give the local calendar day of process times in days."""
        return self.first_day + np.floor(elapsed).astype(np.int64)

    def times(self, elapsed: npt.NDArray[np.float64]) -> pd.DatetimeIndex:
        """Give the instants, in UTC and microseconds, of process times in days."""
        whole = np.floor(elapsed)
        seconds = np.floor(np.interp(elapsed - whole, _SHARES, _HOURS) * 3600).clip(0, 86_399).astype(np.int64)
        local = self.days(elapsed) * 86_400 + seconds
        naive = pd.DatetimeIndex((local * 1_000_000).view("datetime64[us]"))
        # In the hour that occurs twice the first one is meant; the hour that does not exist is skipped.
        first = np.ones(len(naive), dtype=bool)
        aware = naive.tz_localize(self.timezone, ambiguous=first, nonexistent="shift_forward")
        return aware.tz_convert("UTC")
