"""Changes what nobody could know at a cutoff: removes it, alters it, and adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.preparation._events import calendar_days, times

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from crmkit.preparation.feature_tables._clock import Clock

    Frames = dict[str, pd.DataFrame]

__all__ = ["perturbations"]

_MOST = 500
"""Rows that are added at most."""

_NEW = "audit: nobody"
_KEPT = ("customer_id", "day")


def perturbations(tables: dict[str, Any], clock: Clock, rng: np.random.Generator) -> Iterator[tuple[str, Frames, int]]:
    """Give the tables with another future, in every way there is.

    Parameters
    ----------
    tables : dict of str to table
        The event tables.
    clock : Clock
        With one cutoff.
    rng : numpy.random.Generator
        Draws what is added and changed.

    Yields
    ------
    how : str
        In words.
    tables : dict of str to DataFrame
        With the same past.
    touched : int
        Rows removed, changed or added.
    """
    frames = {name: as_frame(table, what=name or "events") for name, table in tables.items()}
    known = {name: _known(frame, clock, name or "events") for name, frame in frames.items()}
    future = int(sum((~mask).sum() for mask in known.values()))
    yield "removed", {name: frame.loc[known[name]] for name, frame in frames.items()}, future
    yield "changed", {name: _changed(frame, known[name], rng) for name, frame in frames.items()}, future
    for how, at_once in (("added at the cutoff", True), ("added after the cutoff", False)):
        added = {name: _added(frame, known[name], clock, rng, at_once=at_once) for name, frame in frames.items()}
        yield how, _joined(added, frames), sum(map(len, added.values()))
    if any("recorded_time" in frame.columns for frame in frames.values()):
        late = {name: _recorded_late(frame, known[name], clock, rng) for name, frame in frames.items()}
        yield (
            "added with a date before the cutoff, recorded after it",
            _joined(late, frames),
            sum(map(len, late.values())),
        )


def _joined(added: Frames, frames: Frames) -> Frames:
    """Put added rows in front of those that were there, where a step that trusts the order meets them first."""
    return {
        name: pd.concat([added[name], frame], ignore_index=True) if len(added[name]) else frame
        for name, frame in frames.items()
    }


def _known(frame: pd.DataFrame, clock: Clock, what: str) -> npt.NDArray[np.bool_]:
    """Say which rows were known before the cutoff."""
    require_columns(frame, ["customer_id"], what=what)
    day, time = calendar_days(frame, what=what), times(frame)
    moment = clock.moments(day, time)
    if "recorded_time" in frame.columns:
        moment = clock.known(moment, day, time, frame["recorded_time"])
    return np.asarray(moment < clock.ticks[0])


def _changed(frame: pd.DataFrame, known: npt.NDArray[np.bool_], rng: np.random.Generator) -> pd.DataFrame:
    """Shuffle the future rows column by column, and make their numbers enormous."""
    future = np.flatnonzero(~known)
    if not len(future):
        return frame
    result = frame.copy()
    for name in frame.columns:
        if name == "day" or pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            continue
        values = frame[name].iloc[rng.permutation(future)]
        if pd.api.types.is_numeric_dtype(values.dtype) and name not in _KEPT and values.dtype != bool:
            result[name] = result[name].astype(np.float64)
            values = values.astype(np.float64) * -1000 + 12345
        mixed = result[name].copy()
        mixed.iloc[future] = values.to_numpy()
        result[name] = mixed
    return result


def _drawn(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Copy some rows of the table, half of them with customers of other rows, with other numbers."""
    number = min(_MOST, max(20, len(frame) // 10))
    if not len(frame):
        return frame
    drawn = frame.iloc[rng.integers(len(frame), size=number)].copy()
    whose = frame["customer_id"].iloc[rng.integers(len(frame), size=number)].to_numpy()
    drawn["customer_id"] = np.where(rng.random(number) < 0.5, drawn["customer_id"].to_numpy(), whose)
    for name in frame.columns:
        column = drawn[name]
        if name not in _KEPT and pd.api.types.is_float_dtype(column.dtype):
            drawn[name] = column.abs() * 1000 + 1
    if not pd.api.types.is_numeric_dtype(frame["customer_id"].dtype):
        # Someone whom nobody knew, and values that nobody had seen.
        whose = drawn["customer_id"].to_numpy(dtype=object, copy=True)
        whose[:2] = _NEW
        drawn["customer_id"] = whose
    return drawn


def _added(
    frame: pd.DataFrame, known: npt.NDArray[np.bool_], clock: Clock, rng: np.random.Generator, *, at_once: bool
) -> pd.DataFrame:
    """Copy known rows, and place the copies at or after the cutoff."""
    drawn = _drawn(frame.loc[known] if known.any() else frame, rng)
    if not len(drawn):
        return drawn
    later = np.zeros(len(drawn), dtype=np.int64) if at_once else rng.integers(0, 40, len(drawn))
    if clock.by_day:
        shift = pd.to_timedelta(int(clock.ticks[0]) + later - calendar_days(drawn), unit="D")
    else:
        seconds = pd.to_timedelta(0 if at_once else rng.integers(1, 86_400, len(drawn)), unit="s")
        zone = drawn["time"].dt.tz
        now = pd.DatetimeIndex(drawn["time"])
        target = clock.index[0] if zone is None else clock.index[0].tz_convert(zone)
        shift = (target - now) + pd.to_timedelta(later, unit="D") + seconds
    return _shifted(drawn, shift, floor=at_once and clock.by_day and "day" not in drawn.columns)


def _shifted(drawn: pd.DataFrame, shift: Any, *, floor: bool) -> pd.DataFrame:
    """Move every date and time of the rows by as much."""
    result = drawn.copy()
    for name in drawn.columns:
        if pd.api.types.is_datetime64_any_dtype(drawn[name].dtype):
            moved = drawn[name] + shift
            result[name] = moved.dt.normalize() if floor and name == "time" else moved
    if "day" in drawn.columns and not pd.api.types.is_datetime64_any_dtype(drawn["day"].dtype):
        result["day"] = (drawn["day"] + np.ceil(np.asarray(shift / pd.Timedelta(days=1), dtype=float))).astype(np.int64)
    return result


def _recorded_late(
    frame: pd.DataFrame, known: npt.NDArray[np.bool_], clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """Copy known rows as they stand in time, but written down only after the cutoff."""
    if "recorded_time" not in frame.columns or not known.any():
        return frame.iloc[:0]
    drawn = _drawn(frame.loc[known], rng)
    recorded = frame["recorded_time"]
    # Two days after a local midnight is after it in every time zone.
    when = pd.Timestamp(clock.index[0]) + pd.to_timedelta(rng.integers(2, 30, len(drawn)), unit="D")
    naive = when.tz_localize(None) if when.tz is not None else when
    zone = recorded.dt.tz
    values = naive if zone is None else naive.tz_localize("UTC").tz_convert(zone)
    return drawn.assign(recorded_time=pd.Series(values, index=drawn.index).astype(recorded.dtype))
