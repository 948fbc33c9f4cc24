"""Brings times to instants in UTC and to local calendar days."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, SchemaProblem
from crmkit.records._cells import NOT_FINITE, Converted, counted, distinct, is_missing_text
from crmkit.records._time_text import AmbiguousOrderError, parse_texts

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.records._schema import Column

__all__ = ["as_times", "check_timezone", "local_days"]

NOT_A_TIME = "not a date or time"
BARE_NUMBER = "a bare number that is neither YYYYMMDD nor a count since 1970"
OUT_OF_RANGE = "outside the years 1800 to 2199"

_NAT = np.datetime64("NaT", "us")
_FIRST, _END = np.datetime64("1800-01-01", "us"), np.datetime64("2200-01-01", "us")


def check_timezone(timezone: str) -> ZoneInfo:
    """Give the zone of a name.

    Raises
    ------
    DataError
        If the system knows no such zone.
    """
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError, TypeError):
        raise DataError(
            f"timezone {timezone!r} is unknown: give a name of the IANA database, such as 'Asia/Shanghai'"
        ) from None


def local_days(instants: npt.NDArray[np.datetime64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Give the calendar day of each UTC instant in a zone, as days since 1970-01-01; 0 where there is no instant."""
    codes, found = pd.factorize(instants)
    local = pd.DatetimeIndex(found, tz="UTC").tz_convert(zone).tz_localize(None)
    days = local.to_numpy(dtype="datetime64[D]").astype(np.int64)
    return np.append(days, 0)[codes]


def as_times(column: pd.Series, spec: Column, zone: ZoneInfo, *, day_first: bool | None) -> Converted:
    """Bring a column to instants (``dtype="time"``) or to plain dates (``dtype="date"``).

    Each distinct cell is parsed once. Times without an offset are in the zone: one that a clock change left out is
    moved forward by the change, one that a clock change repeated is taken as the first of the two; both are counted.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _from_clock(pd.DatetimeIndex(column), spec, zone)
    codes, found = distinct(column)
    cells = _Cells(np.full(len(found), _NAT), np.full(len(found), _NAT), np.full(len(found), "", dtype=object))
    notes: list[str] = []
    texts = _by_type(found, cells)
    try:
        parsed = parse_texts(list(texts.values()), day_first=day_first)
    except AmbiguousOrderError as error:
        empty = pd.Series(np.full(len(column), _NAT))
        return Converted(empty, np.zeros(len(column), dtype=bool), fatal=[SchemaProblem(spec.name, str(error))])
    places = list(texts)
    cells.walls[places], cells.instants[places] = parsed.walls, parsed.instants
    for place, readable in zip(places, parsed.readable, strict=True):
        if not readable:
            cells.reasons[place] = NOT_A_TIME if isinstance(found[place], str) else BARE_NUMBER
    notes.extend(f"{spec.name}: {note}" for note in parsed.notes)
    blank = np.array([isinstance(cell, str) and is_missing_text(cell) for cell in found], dtype=bool)
    cells.reasons[blank] = ""
    return _store(codes, cells, blank, spec, zone, notes)


@dataclass
class _Cells:
    """The distinct cells of a column: as wall-clock times, or as UTC instants, or with what is wrong."""

    walls: npt.NDArray[np.datetime64]
    instants: npt.NDArray[np.datetime64]
    reasons: npt.NDArray[np.object_]


def _from_clock(index: pd.DatetimeIndex, spec: Column, zone: ZoneInfo) -> Converted:
    """Read a column that holds times already."""
    codes, distinct_times = pd.factorize(index)
    found = pd.DatetimeIndex(distinct_times)
    nothing = np.full(len(found), _NAT)
    reasons = np.full(len(found), "", dtype=object)
    if index.tz is None:
        cells = _Cells(found.to_numpy(dtype="datetime64[us]").copy(), nothing, reasons)
    else:
        utc = found.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[us]").copy()
        cells = _Cells(nothing, utc, reasons)
    return _store(codes, cells, np.zeros(len(found), dtype=bool), spec, zone, [])


def _store(
    codes: npt.NDArray[np.intp],
    cells: _Cells,
    blank: npt.NDArray[np.bool_],
    spec: Column,
    zone: ZoneInfo,
    notes: list[str],
) -> Converted:
    """Take the distinct cells back to the rows in their stored form."""
    for read in (cells.walls, cells.instants):
        outside = ~np.isnat(read) & ((read < _FIRST) | (read >= _END))
        cells.reasons[outside] = OUT_OF_RANGE
        read[outside] = _NAT
    missing = np.append(blank, True)[codes]
    wrong = {
        reason: np.asarray(np.append(cells.reasons == reason, False)[codes], dtype=bool)
        for reason in dict.fromkeys(cells.reasons)
        if reason
    }
    if spec.dtype == "date":
        values = _dates(cells, zone)
        stored = pd.Series(np.append(values, _NAT)[codes])
    else:
        local, gap, overlap = _localize(cells.walls, zone)
        values = np.where(np.isnat(cells.walls), cells.instants, local)
        stored = pd.Series(pd.DatetimeIndex(np.append(values, _NAT)[codes], tz="UTC"))
        notes.extend(_clock_notes(spec.name, codes, gap, overlap))
        if (~np.isnat(cells.walls)).any() and (~np.isnat(cells.instants)).any():
            notes.append(f"{spec.name}: some times carry an offset, the others were read in the time zone")
    return Converted(stored, missing, wrong, notes)


def _by_type(found: list[Any], cells: _Cells) -> dict[int, str]:
    """Read the distinct cells that hold times, and give what is still to be parsed: texts, and numbers as text."""
    texts: dict[int, str] = {}
    for place, cell in enumerate(found):
        if isinstance(cell, str):
            texts[place] = cell
        elif isinstance(cell, dt.datetime):
            stamp = pd.Timestamp(cell)
            if stamp.tzinfo is None:
                cells.walls[place] = stamp.to_datetime64().astype("datetime64[us]")
            else:
                utc = stamp.tz_convert("UTC").tz_localize(None)
                cells.instants[place] = utc.to_datetime64().astype("datetime64[us]")
        elif isinstance(cell, dt.date):
            cells.walls[place] = np.datetime64(cell, "us")
        elif isinstance(cell, int | float | np.integer | np.floating) and not isinstance(cell, bool):
            if not math.isfinite(cell):
                cells.reasons[place] = NOT_FINITE
            else:
                texts[place] = str(int(cell)) if cell == int(cell) else repr(float(cell))
        else:
            cells.reasons[place] = NOT_A_TIME
    return texts


def _localize(
    walls: npt.NDArray[np.datetime64], zone: ZoneInfo
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Turn wall-clock times into UTC and say which fell into a gap or an overlap of the clock."""
    naive = pd.DatetimeIndex(walls)

    def utc(*, first: bool) -> npt.NDArray[np.datetime64]:
        which = np.full(len(naive), first)
        zoned = naive.tz_localize(zone, ambiguous=which, nonexistent="NaT")
        return zoned.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[us]").copy()

    instants, later = utc(first=True), utc(first=False)
    gap = ~np.isnat(walls) & np.isnat(instants)
    overlap = ~np.isnat(instants) & (instants != later)
    for place in np.flatnonzero(gap):  # the rarest of times, so one by one: Python keeps the offset before the change
        moment = pd.Timestamp(walls[place]).to_pydatetime().replace(tzinfo=zone, fold=0)
        instants[place] = np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "us")
    return instants, gap, overlap


def _dates(cells: _Cells, zone: ZoneInfo) -> npt.NDArray[np.datetime64]:
    """Give plain dates; an instant's date is the one of the zone."""
    instants = pd.DatetimeIndex(cells.instants, tz="UTC")
    local = instants.tz_convert(zone).tz_localize(None).to_numpy(dtype="datetime64[us]")
    together = np.where(np.isnat(cells.walls), local, cells.walls)
    return together.astype("datetime64[D]").astype("datetime64[us]")


def _clock_notes(
    name: str, codes: npt.NDArray[np.intp], gap: npt.NDArray[np.bool_], overlap: npt.NDArray[np.bool_]
) -> list[str]:
    """Count the rows that a clock change touched."""
    notes = []
    n_gap, n_overlap = (int(np.append(mask, False)[codes].sum()) for mask in (gap, overlap))
    if n_gap:
        notes.append(f"{name}: hours that a clock change left out were moved forward by the change in {counted(n_gap)}")
    if n_overlap:
        notes.append(
            f"{name}: hours that a clock change repeated were taken as the first of the two in {counted(n_overlap)}"
        )
    return notes
