"""Reads dates and times as text, in the forms that exports of both languages use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["AmbiguousOrderError", "Parsed", "parse_texts"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?(?:\d{2})?)\Z")
_DIGITS = re.compile(r"\d+(\.\d+)?\Z")
_FORM = re.compile(
    r"""
    (?:(?:[A-Za-z]{3,9},?\ )|(?:(?:星期|周)[一二三四五六日天]\ ?))?      # a weekday, which says nothing new
    (?: (?P<y1>\d{4})[-/.年]\ ?(?P<m1>\d{1,2})[-/.月]\ ?(?P<d1>\d{1,2})日?
      | (?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y2>\d{4})
      | (?P<d3>\d{1,2})[-\ ](?P<n3>[A-Za-z]{3,9})\.?[-,\ ]+(?P<y3>\d{4})
      | (?P<n4>[A-Za-z]{3,9})\.?\ (?P<d4>\d{1,2}),?\ (?P<y4>\d{4}) )
    (?:[T,\ ]*(?P<half1>上午|下午)?\ ?
       (?P<hour>\d{1,2})[:时点](?P<minute>\d{2})
       (?:[:分](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?分?
       \ ?(?P<half2>[AaPp]\.?[Mm]\.?|上午|下午)?
       (?:\ ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?
    )?\Z
    """,
    re.VERBOSE,
)
# Digits since 1970 by how many they are: seconds, milliseconds, microseconds, nanoseconds.
_SECONDS = (9, 10)
_EPOCH = {9: 1e6, 10: 1e6, 12: 1e3, 13: 1e3, 15: 1.0, 16: 1.0, 18: 1e-3, 19: 1e-3}
_NAT = np.datetime64("NaT", "us")


class AmbiguousOrderError(Exception):
    """Day and month of a column cannot be told apart."""


@dataclass
class Parsed:
    """Texts read as times.

    Parameters
    ----------
    walls : ndarray of datetime64[us]
        Times without an offset.
    instants : ndarray of datetime64[us]
        Times with one, in UTC.
    readable : ndarray of bool
        Which of the texts were read.
    notes : list of str
        What was assumed.
    """

    walls: npt.NDArray[np.datetime64]
    instants: npt.NDArray[np.datetime64]
    readable: npt.NDArray[np.bool_]
    notes: list[str] = field(default_factory=list)


class _Fields(NamedTuple):
    """One text taken apart; ``swap`` where day and month may be meant the other way round."""

    year: int
    month: int
    day: int
    swap: bool
    clock: int
    offset: int | None


def parse_texts(texts: list[str], *, day_first: bool | None) -> Parsed:
    """Read many texts as times.

    Parameters
    ----------
    texts : list of str
        Distinct texts of one column.
    day_first : bool or None
        How 03/04/2010 is meant; None: as the other dates of the column show it.

    Returns
    -------
    Parsed
        In the order of the texts.

    Raises
    ------
    AmbiguousOrderError
        If nothing shows, or the dates contradict each other about, which of the two is the day.
    """
    parsed = Parsed(np.full(len(texts), _NAT), np.full(len(texts), _NAT), np.zeros(len(texts), dtype=bool))
    if not texts:
        return parsed
    _read_iso(texts, parsed)
    taken: dict[int, _Fields] = {}
    for place in np.flatnonzero(~parsed.readable).tolist():
        text = unicodedata.normalize("NFKC", texts[place]).strip()
        fields = _read_digits(text, place, parsed) if _DIGITS.match(text) else _take_apart(text)
        if fields is not None:
            taken[place] = fields
    first = _order([fields for fields in taken.values() if fields.swap], parsed.notes, day_first=day_first)
    _store(taken, parsed, first=first)
    return parsed


def _read_iso(texts: list[str], parsed: Parsed) -> None:
    """Read what is ISO 8601 to the day at least; pandas does this fast."""
    series = pd.Series(texts, dtype=object)
    iso = (series.str.len() >= 10) & (series.str[4] == "-") & (series.str[7] == "-")
    offset = iso & (series.str.len() > 16) & series.str.contains(_OFFSET)
    for mask, target in ((iso & ~offset, parsed.walls), (offset, parsed.instants)):
        places = np.flatnonzero(mask.to_numpy(dtype=bool))
        if not len(places):
            continue
        read = pd.to_datetime(series.iloc[places], format="ISO8601", errors="coerce", utc=target is parsed.instants)
        values = pd.DatetimeIndex(read).tz_localize(None).to_numpy(dtype="datetime64[us]")
        target[places] = values
        parsed.readable[places] = ~np.isnat(values)


def _read_digits(text: str, place: int, parsed: Parsed) -> _Fields | None:
    """Take bare digits apart as YYYYMMDD or YYYYMMDDhhmmss, or store them as a count since 1970."""
    whole, _, rest = text.partition(".")
    if not rest and len(text) in {8, 14}:
        hour, minute, second = (int(text[start : start + 2] or 0) for start in (8, 10, 12))
        clock = _clock(hour, minute, second, "")
        if clock is None:
            return None
        return _Fields(int(text[:4]), int(text[4:6]), int(text[6:8]), False, clock, None)
    if len(whole) in _EPOCH and (not rest or len(whole) in _SECONDS):
        scale = _EPOCH[len(whole)]
        count = int(whole) * int(scale) if scale >= 1 else int(whole) // 1000
        parsed.instants[place] = np.datetime64(count + (round(float(f"0.{rest}") * scale) if rest else 0), "us")
        parsed.readable[place] = True
    return None


def _take_apart(text: str) -> _Fields | None:
    """Take one text apart, or give None where it has no known form."""
    match = _FORM.match(text)
    if match is None:
        return None
    part = match.groupdict()
    swap = False
    if part["y1"]:
        year, month, day = int(part["y1"]), int(part["m1"]), int(part["d1"])
    elif part["y2"]:
        year, day, month = int(part["y2"]), int(part["a"]), int(part["b"])
        # With points between them the day always comes first.
        swap = part["sep"] != "."
    else:
        number = "3" if part["y3"] else "4"
        name = part[f"n{number}"].lower()
        if name[:3] not in _MONTHS:
            return None
        year, month, day = int(part[f"y{number}"]), _MONTHS.index(name[:3]) + 1, int(part[f"d{number}"])
    half = (part["half1"] or part["half2"] or "").replace(".", "").lower()
    clock = _clock(
        int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0), half, part["fraction"] or ""
    )
    if clock is None:
        return None
    return _Fields(year, month, day, swap, clock, _offset(part["zone"]))


def _clock(hour: int, minute: int, second: int, half: str, fraction: str = "") -> int | None:
    """Give the microseconds since midnight, or None where no clock shows such a time."""
    if half:
        if not 0 < hour <= 12 and half in {"am", "pm"}:
            return None
        if half in {"pm", "下午"} and hour < 12:
            hour += 12
        elif half in {"am", "上午"} and hour == 12:
            hour = 0
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + int((fraction + "000000")[:6])


def _offset(zone: str | None) -> int | None:
    """Give the minutes that a written offset lies before UTC, or None where none is written."""
    if not zone:
        return None
    if zone in {"Z", "UTC", "GMT"}:
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if zone[0] == "-" else minutes


def _order(fields: list[_Fields], notes: list[str], *, day_first: bool | None) -> bool | None:
    """Decide for the column whether the day comes first in 03/04/2010."""
    if day_first is not None or not fields:
        return day_first
    only_first = any(each.day > 12 >= each.month for each in fields)
    only_second = any(each.month > 12 >= each.day for each in fields)
    if only_first and only_second:
        raise AmbiguousOrderError("some dates put the day first and some the month: pass day_first=True or False")
    if only_first or only_second:
        notes.append("read with the day first" if only_first else "read with the month first")
        return only_first
    if any(each.day != each.month for each in fields):
        raise AmbiguousOrderError("nothing shows whether day or month comes first: pass day_first=True or False")
    return True


def _store(taken: dict[int, _Fields], parsed: Parsed, *, first: bool | None) -> None:
    """Put times in their places, where the calendar has such a day."""
    if not taken:
        return
    places = np.fromiter(taken, dtype=np.intp, count=len(taken))
    columns = list(zip(*taken.values(), strict=True))
    years, months, days, swap, clock = (np.array(column, dtype=np.int64) for column in columns[:5])
    turn = (swap == 1) & (first is False)
    months, days = np.where(turn, days, months), np.where(turn, months, days)
    real = (months >= 1) & (months <= 12)
    starts = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + np.where(real, months - 1, 0)
    dates = starts.astype("datetime64[D]") + (days - 1)
    real &= (days >= 1) & (dates.astype("datetime64[M]") == starts)
    moments = dates.astype("datetime64[us]") + clock
    offsets = np.array([np.nan if offset is None else offset for offset in columns[5]], dtype=np.float64)
    naive = np.isnan(offsets)
    parsed.walls[places[real & naive]] = moments[real & naive]
    shifts = np.where(naive, 0.0, offsets).astype(np.int64) * 60_000_000
    parsed.instants[places[real & ~naive]] = (moments - shifts)[real & ~naive]
    parsed.readable[places[real]] = True
